//! Where the project is.

use std::path::{Path, PathBuf};

use super::error::Error;
use crate::spec::load::ENTRY;
use crate::system::os::OsSystem;
use crate::system::{FileError, System as _};

const INIT: &str = "`landbridge init` writes a first project";

/// Opens the folder that was named, or the nearest one upwards that is a project.
pub(super) fn open(named: Option<&Path>) -> Result<OsSystem, Error> {
    let Some(root) = named.map(Path::to_path_buf).or_else(nearest) else {
        let message = format!("there is no `{ENTRY}` here, nor in a folder above");
        return Err(Error::new(message).help(format!("{INIT}; `-C DIR` names another folder")));
    };
    let failed = |error| {
        let message = format!("the project `{}` cannot be opened", root.display());
        Error::new(message).cause(error)
    };
    let system = OsSystem::open(&root).map_err(failed)?;
    if system.kind(ENTRY) == Err(FileError::Missing) {
        let message = format!("there is no `{ENTRY}` in `{}`", root.display());
        return Err(Error::new(message).help(INIT));
    }
    Ok(system)
}

/// The nearest folder upwards that is a project.
pub(super) fn nearest() -> Option<PathBuf> {
    OsSystem::find_up(Path::new("."), ENTRY)
}
