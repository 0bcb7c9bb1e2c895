//! `landbridge check`.

use super::args::Threshold;
use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::pipeline::Checked;
use crate::report::Format;

/// Find everything that is wrong with a project
///
/// Reads the whole project and reports all findings of all files, each with its place and a way
/// out. Nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  landbridge check -o json | jq '.findings[].message'")]
pub(super) struct Args {
    /// How to write findings: human or json
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true
    )]
    format: Format,
    #[command(flatten)]
    threshold: Threshold,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let system = context.project()?;
    let mut checked = Checked::new(&system);
    let report = checked.report();
    context.report(&report, args.format)?;
    Ok(args.threshold.judge(&report.summary()))
}
