//! The output folder of `landbridge compile`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::pipeline::Meant;
use crate::compile;
use crate::render::write;
use crate::system::os::OsSystem;
use crate::system::{FileError, System};

/// Where clusters' folders stand.
pub(super) struct Target {
    pub(super) folder: PathBuf,
    /// As the user knows it.
    pub(super) shown: String,
}

impl Target {
    /// The folder that was named on the command line.
    pub(super) fn named(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), shown: folder.display().to_string() }
    }

    /// The folder that the topology names, which must not lead out of the project.
    pub(super) fn of(project: &OsSystem, output: &str) -> Result<Self, Error> {
        let ends = output.match_indices('/').map(|(at, _)| at).chain([output.len()]);
        let leads_out = |end| project.kind(&output[..end]) == Err(FileError::Outside);
        if ends.into_iter().any(leads_out) {
            let message = format!("the output folder `{output}` leads out of the project");
            return Err(Error::new(message).help("name another one: `-o DIR`"));
        }
        Ok(Self { folder: project.root().join(output), shown: output.to_owned() })
    }

    /// The folders in it of clusters that are no longer declared.
    pub(super) fn orphans(&self, meant: &Meant, system: &dyn System) -> Result<Vec<String>, Error> {
        let declared: BTreeSet<_> = compile::folders(&meant.topology).collect();
        let declared = declared.iter().map(String::as_str).collect();
        write::orphans(system, &declared).map_err(|error| self.failed(error))
    }

    /// It cannot be used at all.
    pub(super) fn failed(&self, error: FileError) -> Error {
        Error::new(format!("cannot use the output folder `{}`", self.shown)).cause(error)
    }
}
