//! `landbridge terraform`.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::resolved::Resolved;
use crate::compile::terraform;
use crate::report::Report;
use crate::system::os::OsSystem;
use crate::system::{FileError, System};
use crate::yaml::MAX_FILE;

/// Exchange addresses and ids with Terraform
///
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
    let Resolved { sources, found, topology } = Resolved::new(&system);
    let topology = topology.filter(|_| !found.has_errors());
    let Some(topology) = topology else {
        context.complain(&Report::new(found, &sources))?;
        context.note("nothing was written");
        return Ok(Exit::Findings);
    };
    let text = format!("{:#}\n", terraform::vars(&topology));
    let Some(path) = &args.output else {
        context.print(text)?;
        return Ok(Exit::Clean);
    };
    let (folder, name) = split(path)?;
    let folder = if args.check { OsSystem::open(folder) } else { OsSystem::create(folder) };
    let folder = folder.map_err(|error| failed(path, error))?;
    let there = match folder.read(name, MAX_FILE) {
        Err(FileError::Missing) => None,
        there => Some(there.map_err(|error| failed(path, error))?),
    };
    let same = there.as_deref() == Some(text.as_bytes());
    let shown = path.display();
    if args.check {
        let state = if same { "is" } else { "is not" };
        context.note(&format!("`{shown}` {state} what the topology gives"));
        return Ok(if same { Exit::Clean } else { Exit::Findings });
    }
    if !args.force && there.is_some_and(|there| !is_own(&there)) {
        let error = Error::new(format!("`{shown}` holds something that landbridge did not write"));
        return Err(error.help("name another file, or overwrite it with `--force`"));
    }
    if !same {
        folder.write(name, text.as_bytes()).map_err(|error| failed(path, error))?;
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

fn failed(path: &Path, error: FileError) -> Error {
    Error::new(format!("cannot write `{}`", path.display())).cause(error)
}

/// Whether a file sets the one variable and nothing else.
fn is_own(text: &[u8]) -> bool {
    let json = serde_json::from_slice::<serde_json::Value>(text).ok();
    json.is_some_and(|json| json.as_object().is_some_and(|keys| keys.keys().eq(["landbridge"])))
}
