//! `landbridge check`.

use super::args::{Output, Threshold};
use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::pipeline::Checked;

/// Find everything that is wrong with a project
///
/// Reads the whole project and reports all findings of all files, each with its place and a way
/// out. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  landbridge check -o json | jq '.findings[].message'")]
pub(super) struct Args {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    threshold: Threshold,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let system = context.project()?;
    let mut checked = Checked::proved(&system);
    let report = checked.report();
    context.report(&report, args.output.format)?;
    Ok(args.threshold.judge(&report.summary()))
}
