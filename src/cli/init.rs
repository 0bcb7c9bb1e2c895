//! `landbridge init`.

use std::path::PathBuf;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::system::os::OsSystem;
use crate::system::{FileError, System as _};

/// The first project: two clusters and an application.
const FILES: [(&str, &str); 4] = [
    (crate::spec::load::ENTRY, include_str!("init/landbridge.yaml")),
    ("clusters/east.yaml", include_str!("init/clusters/east.yaml")),
    ("clusters/west.yaml", include_str!("init/clusters/west.yaml")),
    ("apps/shop.yaml", include_str!("init/apps/shop.yaml")),
];

/// Write a first project: two clusters and an application, with comments
///
/// It compiles as it is. No file that exists is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  landbridge init mesh && cd mesh && landbridge check && landbridge compile")]
pub(super) struct Args {
    /// The folder; it is made where it does not exist. Without it, the current one
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let folder = match (&args.folder, context.named_project()) {
        (Some(folder), Some(base)) => base.join(folder),
        (Some(folder), None) => folder.clone(),
        (None, Some(base)) => base.to_path_buf(),
        (None, None) => PathBuf::from("."),
    };
    let failed = |error: FileError| {
        Error::new(format!("cannot write to `{}`", folder.display())).cause(error)
    };
    let system = OsSystem::create(&folder).map_err(failed)?;
    for (path, _) in FILES {
        if system.kind(path) != Err(FileError::Missing) {
            let message = format!("`{path}` exists already in `{}`", folder.display());
            return Err(Error::new(message).help("name another folder: `landbridge init DIR`"));
        }
    }
    for (path, content) in FILES {
        system.write(path, content.as_bytes()).map_err(failed)?;
        context.print(format!("{path}\n"))?;
    }
    context.note("written; next: `landbridge check`, then `landbridge compile`");
    Ok(Exit::Clean)
}
