//! `landbridge compile`.

use std::path::PathBuf;

use super::args::Threshold;
use super::context::Context;
use super::error::{Error, collision};
use super::exit::Exit;
use super::pipeline::{Checked, Meant};
use super::select::select;
use super::target::Target;
use crate::render;
use crate::report::Format;
use crate::topology::ClusterId;

/// Write each cluster's Helm values and manifests
///
/// The project is checked first; where that finds errors, nothing is written. A file that
/// landbridge did not write, or that was edited since, is never overwritten without --force.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge compile                            into the topology's output folder
  landbridge compile --check                    in a pre-commit hook or in CI
  landbridge compile --cluster use1 --stdout | kubectl diff -f -")]
pub(super) struct Args {
    /// The output folder; the topology's `spec.output` unless said here
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Only these clusters; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    cluster: Vec<String>,
    /// Print the objects of one cluster instead of writing files; neither values nor patches
    #[arg(long, conflicts_with_all = ["output", "check", "force", "format"])]
    stdout: bool,
    /// Write nothing; report output that is stale, edited, missing or left over
    #[arg(long, conflicts_with = "force")]
    check: bool,
    /// Overwrite and remove files also where landbridge did not write them
    #[arg(long)]
    force: bool,
    /// How to write findings: human or json
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    format: Format,
    #[command(flatten)]
    threshold: Threshold,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let project = context.project()?;
    let mut checked = Checked::proved(&project);
    let meant = checked.meant.take();
    let clusters =
        meant.as_ref().map(|meant| select(&meant.topology, &args.cluster)).transpose()?;
    let target = match (&meant, &args.output) {
        (Some(_), Some(folder)) => Some(Target::named(folder)),
        (Some(meant), None) => Some(Target::of(&project, &meant.topology.output)?),
        (None, _) => None,
    };
    if let (true, Some(meant), Some(clusters), Some(target)) =
        (args.check, &meant, &clusters, &target)
    {
        target.compare(meant, clusters, args.cluster.is_empty(), &mut checked.found)?;
        checked.compared = args.cluster.is_empty();
    }
    let report = checked.report();
    let exit = args.threshold.judge(&report.summary());
    if args.stdout {
        context.complain(&report)?;
    } else if args.check || args.format != Format::Human || !report.found().is_empty() {
        context.report(&report, args.format)?;
    }
    let (Some(meant), Some(clusters), Some(target)) = (meant, clusters, target) else {
        context.note("nothing was compiled");
        // Whatever the threshold: it did not do what it was asked for.
        return Ok(exit.max(Exit::Findings));
    };
    match exit {
        _ if args.check => {}
        Exit::Findings => context.note("nothing was written"),
        _ if args.stdout => print(&meant, &clusters, context)?,
        _ => target.write(&meant, &clusters, args.cluster.is_empty(), args.force, context)?,
    }
    Ok(exit)
}

fn print(meant: &Meant, clusters: &[ClusterId], context: &mut Context) -> Result<(), Error> {
    let &[id] = clusters else {
        let message = "the objects of several clusters would become one stream";
        return Err(Error::new(message).help("name one of them: `--cluster NAME`"));
    };
    let stream = render::stream(&meant.desired(id));
    context.print(stream.map_err(|found| collision(&found))?)
}
