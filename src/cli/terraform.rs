//! `landbridge terraform`.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::pipeline::Checked;
use crate::compile::terraform;
use crate::system::os::OsSystem;
use crate::system::{FileError, System};
use crate::yaml::MAX_FILE;

/// Exchange addresses and ids with Terraform
///
/// The project is checked first; where that finds errors, nothing is written.
/// The way back, from `terraform output -json` into the topology, is `spec.terraform`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge terraform vars -o network/landbridge.auto.tfvars.json
  landbridge terraform vars -o network/landbridge.auto.tfvars.json --check
and in the root module:
  variable \"landbridge\" { type = any }")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the address plan as `tfvars.json`: networks, clusters, and what peers must let in
    Vars(Vars),
}

#[derive(Debug, clap::Args)]
struct Vars {
    /// The file to write; standard output unless said here
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing; say whether the file is what would be written
    #[arg(long, requires = "output")]
    check: bool,
    /// Overwrite the file also where it holds something else
    #[arg(long, requires = "output", conflicts_with = "check")]
    force: bool,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let Command::Vars(args) = &args.command;
    let system = context.project()?;
    let mut checked = Checked::new(&system);
    let Some(meant) = checked.meant.take() else {
        context.complain(&checked.report())?;
        context.note(if args.check { "nothing was compared" } else { "nothing was written" });
        return Ok(Exit::Findings);
    };
    let text = format!("{:#}\n", terraform::vars(&meant.topology));
    let Some(path) = &args.output else {
        context.print(text)?;
        return Ok(Exit::Clean);
    };
    let there = read(path)?;
    let same = there.as_deref() == Some(text.as_bytes());
    let shown = path.display();
    if args.check {
        let state = match there {
            None => "does not exist",
            Some(_) if same => "is what the topology gives",
            Some(_) => "is not what the topology gives",
        };
        context.note(&format!("`{shown}` {state}"));
        return Ok(if same { Exit::Clean } else { Exit::Findings });
    }
    if !args.force && there.is_some_and(|there| !is_own(&there)) {
        let error = Error::new(format!("`{shown}` holds something that landbridge did not write"));
        return Err(error.help("name another file, or overwrite it with `--force`"));
    }
    if !same {
        let (folder, name) = split(path)?;
        OsSystem::create(folder)
            .and_then(|folder| folder.write(name, text.as_bytes()))
            .map_err(|error| failed("write", path, error))?;
    }
    context.note(&format!("`{shown}` {}", if same { "is unchanged" } else { "written" }));
    Ok(Exit::Clean)
}

fn split(path: &Path) -> Result<(&Path, &str), Error> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::new(format!("`{}` names no file", path.display())))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")), name))
}

/// What stands in a file; nothing where it or its folder is missing.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let (folder, name) = split(path)?;
    match OsSystem::open(folder).and_then(|folder| folder.read(name, MAX_FILE)) {
        Err(FileError::Missing) => Ok(None),
        there => there.map(Some).map_err(|error| failed("read", path, error)),
    }
}

fn failed(what: &str, path: &Path, error: FileError) -> Error {
    Error::new(format!("cannot {what} `{}`", path.display())).cause(error)
}

/// Whether a file sets the one variable and nothing else.
fn is_own(text: &[u8]) -> bool {
    let json = serde_json::from_slice::<serde_json::Value>(text).ok();
    json.is_some_and(|json| json.as_object().is_some_and(|keys| keys.keys().eq(["landbridge"])))
}
