//! Comparing the output folder with what compile would write.

use rayon::prelude::*;

use super::error::Error;
use super::pipeline::{Folder, Meant};
use super::target::Target;
use crate::diagnostic::Diagnostics;
use crate::render::stale::{self, Place};
use crate::system::memory::MemorySystem;
use crate::system::os::OsSystem;
use crate::system::{FileError, System};
use crate::topology::ClusterId;

impl Target {
    /// Reports how the folders differ from what the clusters should have.
    pub(super) fn compare(
        &self,
        meant: &Meant,
        clusters: &[ClusterId],
        all: bool,
        found: &mut Diagnostics,
    ) -> Result<(), Error> {
        let empty = MemorySystem::new();
        let opened = match OsSystem::open(&self.folder) {
            Err(FileError::Missing) => None,
            opened => Some(opened.map_err(|error| self.failed(error))?),
        };
        let system: &dyn System = opened.as_ref().map_or(&empty, |opened| opened);
        let beside = found.beside();
        let compare = |folder: &Folder| {
            let cluster = meant.topology.cluster(folder.cluster);
            let mut found = beside.beside();
            match meant.files(*folder) {
                Ok((path, files)) => {
                    let span = cluster.name.span;
                    let place = Place { output: &self.shown, folder: &path, span };
                    stale::check(system, place, &files, &mut found);
                }
                Err(collisions) => found.extend(collisions),
            }
            found
        };
        let results: Vec<_> = meant.folders(clusters).par_iter().map(compare).collect();
        for more in results {
            found.extend(more);
        }
        let orphans = if all { self.orphans(meant, system)? } else { Vec::new() };
        for folder in &orphans {
            let place = Place { output: &self.shown, folder, span: meant.topology.name.span };
            stale::orphan(place, found);
        }
        Ok(())
    }
}
