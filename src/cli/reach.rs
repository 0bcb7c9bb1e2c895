//! `landbridge reach`.

mod diff;
mod format;
mod load;
mod matrix;
mod question;

use clap::Subcommand;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::reach::question::{Asked, AskedPort};
use crate::report::Report;
use crate::report::reach::Scene;
use format::Format;
use load::{Loaded, Origin};

/// Say who may reach whom, and why
///
/// With --from and --to it answers one question with its decision path, rule by rule: exit code 0
/// if it is allowed, 1 if it is denied, 3 if something that matters could not be read.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Who may be asked about:
  payments/front           a workload, in every cluster; payments/front@use1 in one
  payments/                everything in a namespace; @use1 everything in a cluster
  payments/{app=x,tier=y}  a pod with these labels, which nobody has to declare
  svc:payments/front       the pods behind a service, as its clients call it
  10.1.2.3, 10.0.0.0/8, api.example.com, world, host, remote-node, kube-apiserver

Exit codes:
  0  a question: allowed; the matrix: written; diff: the same is open
  1  a question: denied, for one of several if it has several answers; diff: flows differ
  2  usage, or a project without a topology
  3  something that matters could not be read, or Cilium cannot make a policy of it

Examples:
  landbridge reach --from payments/front@euw1 --to payments/fraud@use1 --port 8080
  landbridge reach --manifests use1=k8s/use1 --manifests euw1=k8s/euw1 -o svg > mesh.svg
  kustomize build overlays/use1 | landbridge reach --manifests use1=- --to shop/web
  landbridge reach diff ../main .")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    origin: Origin,
    /// Who begins a connection
    #[arg(long, value_name = "WHO")]
    from: Option<Asked>,
    /// Who is called
    #[arg(long, value_name = "WHO")]
    to: Option<Asked>,
    /// The port that is called: 8080, 53/UDP, 8/ICMP. For a service that of the service, or all
    #[arg(long, value_name = "PORT", requires = "from", requires = "to")]
    port: Option<AskedPort>,
    /// Put into the matrix also the pods that policies speak of and nobody declares
    #[arg(long, conflicts_with = "port")]
    possible: bool,
    /// How to write it: table, json; the matrix also as csv, dot, mermaid or svg
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_possible_values = true
    )]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say which flows a change opens and closes
    Diff(diff::Args),
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    if let Some(Command::Diff(args)) = &args.command {
        return diff::run(args, context);
    }
    // A service has ports of its own, so that a question about one needs none.
    let question = args.port.is_some() || args.to.as_ref().is_some_and(Asked::is_service);
    let sides: Vec<&Asked> = args.from.iter().chain(&args.to).filter(|_| question).collect();
    let mut loaded = match args.origin.load(&sides, context)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    if question {
        question::run(args, &mut loaded, context)
    } else {
        matrix::run(args, &mut loaded, context)
    }
}

/// Writes an answer, what it lacks, and how it ends.
fn finish(loaded: &Loaded, exit: Exit, context: &Context) -> Result<Exit, Error> {
    let mut found = loaded.found.clone();
    for one in &loaded.mesh.unread {
        found.not_checked(one.span, one.what.clone(), one.why.clone());
    }
    let complete = found.unchecked().is_empty() && !found.has_errors();
    context.complain(&Report::new(found, &loaded.sources))?;
    if let Some(assumed) = loaded.scene().assumed() {
        context.note(&assumed);
    }
    Ok(if complete { exit } else { exit.max(Exit::Incomplete) })
}

impl Loaded {
    fn scene(&self) -> Scene<'_> {
        Scene {
            sources: &self.sources,
            mesh: &self.mesh,
            because: &self.because,
            unread: &self.mesh.unread,
        }
    }
}
