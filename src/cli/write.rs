//! Writing the output folder.

use rayon::prelude::*;

use super::context::Context;
use super::error::{Error, collision};
use super::pipeline::{Folder, Meant};
use super::target::Target;
use crate::render::write::{self, WriteError, Written};
use crate::report::human::counted;
use crate::system::os::OsSystem;
use crate::topology::ClusterId;

/// Most lines of an error that are shown.
const MAX_LINES: usize = 30;

impl Target {
    /// Writes the clusters' folders, and removes those of clusters that are gone where `all` are
    /// written.
    pub(super) fn write(
        &self,
        meant: &Meant,
        clusters: &[ClusterId],
        all: bool,
        force: bool,
        context: &Context,
    ) -> Result<(), Error> {
        let system = OsSystem::create(&self.folder).map_err(|error| self.failed(error))?;
        let orphans = if all { self.orphans(meant, &system)? } else { Vec::new() };
        let write = |folder: &Folder| {
            let (path, files) = meant.files(*folder).map_err(|found| collision(&found))?;
            Ok(write::write(&system, &path, &files, force))
        };
        let remove = |name: &String| Ok(write::remove(&system, name, force));
        let mut results: Vec<Result<_, Error>> =
            meant.folders(clusters).par_iter().map(write).collect();
        results.extend(orphans.iter().map(remove));
        let (mut sum, mut errors) = ([0; 3], Vec::new());
        for result in results {
            match result? {
                Ok(Written { written, removed, unchanged }) => {
                    sum = [sum[0] + written.len(), sum[1] + removed.len(), sum[2] + unchanged];
                }
                Err(error) => errors.push(error),
            }
        }
        let [written, removed, unchanged] = sum;
        let clusters = counted(clusters.len(), "cluster");
        context.note(&format!(
            "`{}`, {clusters}: {written} written, {removed} removed, {unchanged} unchanged",
            self.shown
        ));
        if errors.is_empty() { Ok(()) } else { Err(self.refused(&errors)) }
    }

    fn refused(&self, errors: &[WriteError]) -> Error {
        let list: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let list = list.join("\n");
        let mut lines: Vec<_> = list.lines().take(MAX_LINES).collect();
        let more = format!("… and {} more lines", list.lines().count() - lines.len());
        if list.lines().count() > MAX_LINES {
            lines.push(&more);
        }
        let message = format!("not all of `{}` could be written\n{}", self.shown, lines.join("\n"));
        let refused = |error: &WriteError| !matches!(error, WriteError::File { .. });
        let help = "move the files away, or overwrite and remove them with `--force`";
        let error = Error::new(message);
        if errors.iter().any(refused) { error.help(help) } else { error }
    }
}
