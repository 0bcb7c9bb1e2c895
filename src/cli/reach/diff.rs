//! The flows that a change opens and closes.

use std::path::Path;

use clap::ValueEnum;

use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Exit;
use super::super::manifests::Manifests;
use super::super::pinned::Pinned;
use super::finish;
use super::load::{Loaded, Origin, project};
use super::matrix::too_large;
use crate::reach::Reach;
use crate::reach::diff::{add_possible, difference};
use crate::report::reach::{json, table};
use crate::system::os::OsSystem;

/// What is compared: a project's folder, or `CLUSTER=PATH` of plain manifests, several with a
/// comma between them
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge reach diff ../main .
  landbridge reach diff use1=old/use1,euw1=old/euw1 use1=new/use1,euw1=new/euw1 --cilium 1.18")]
pub(super) struct Args {
    /// What was: a project's folder, or CLUSTER=PATH of plain manifests, several with commas
    #[arg(value_name = "BEFORE")]
    before: String,
    /// What is to be
    #[arg(value_name = "AFTER")]
    after: String,
    /// The version of Cilium that reads plain manifests, such as 1.18, or use1=1.18
    #[arg(long, value_name = "VERSION")]
    cilium: Vec<Pinned>,
    /// How to write it: human, json or markdown
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true
    )]
    format: Format,
}

/// How to write a difference.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs
    Json,
    /// For a pull request
    Markdown,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let mut before = match load(&args.before, args, context)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let mut after = match load(&args.after, args, context)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    add_possible(&mut before.mesh, &mut after.mesh);
    let compared = {
        let (first, second) = (Reach::new(&before.mesh), Reach::new(&after.mesh));
        difference(&first, &second).map_err(too_large)?
    };
    let scene = after.scene();
    let text = match args.format {
        Format::Human => table::difference(&compared, &scene),
        Format::Json => json::difference(&compared, &scene),
        Format::Markdown => table::markdown(&compared, &scene),
    };
    context.print(text)?;
    let exit = if compared.is_empty() { Exit::Clean } else { Exit::Findings };
    let exit = finish(&before, exit, context)?;
    finish(&after, exit, context)
}

/// Reads one side: plain manifests where it has `=`, a project elsewhere.
fn load(text: &str, args: &Args, context: &Context) -> Result<Result<Loaded, Exit>, Error> {
    if !text.contains('=') {
        let failed = |error| Error::new(format!("`{text}` cannot be opened")).cause(error);
        return project(&OsSystem::open(Path::new(text)).map_err(failed)?, &[], context);
    }
    let parts = text.split(',').map(str::parse::<Manifests>);
    let manifests = parts.collect::<Result<_, _>>().map_err(Error::new)?;
    Origin { manifests, cilium: args.cilium.clone() }.read().map(Ok)
}
