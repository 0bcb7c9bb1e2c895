//! `landbridge cidr`.

mod free;
mod list;
mod map;
mod suggest;

use clap::Subcommand;
use ipnet::IpNet;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::resolved::Resolved;
use crate::address::plan::{Entry, Plan};
use crate::report::Report;
use crate::topology::Topology;

/// Show the address plan, and find free ranges in it
///
/// The plan is every range of the topology: pods, Services, nodes, networks, subnets, load
/// balancers and reserved ranges of all clusters, members of the mesh or not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge cidr list
  landbridge cidr list --map
  landbridge cidr free --in 10.0.0.0/8 --prefix 16
  landbridge cidr suggest")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every range, nested, with what it is used for
    List(list::Args),
    /// Find the lowest free ranges of a size
    Free(free::Free),
    /// Suggest ranges for a new cluster that no range of the plan meets
    Suggest(suggest::Suggest),
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let system = context.project()?;
    let Resolved { sources, found, topology } = Resolved::new(&system);
    // Ranges that could not be read are missing from the plan: that is said, not passed over.
    let broken = found.has_errors();
    let Some(topology) = topology else {
        context.complain(&Report::new(found, &sources))?;
        return Ok(Exit::Findings);
    };
    let plan = Plan::of(&topology);
    match &args.command {
        Command::List(args) => list::run(args, &plan, &topology, context)?,
        Command::Free(args) => args.run(&plan, context)?,
        Command::Suggest(args) => args.run(&plan, &topology, context)?,
    }
    if broken {
        context.note(
            "the project has errors, so ranges may be missing: `landbridge check` says which",
        );
        return Ok(Exit::Incomplete);
    }
    Ok(Exit::Clean)
}

/// Whose a range is, such as `use1` or `eu-west-1/main`.
fn owner(plan: &Plan, topology: &Topology, entry: &Entry) -> String {
    match (entry.cluster, entry.network) {
        (Some(cluster), _) => plan.clusters[cluster].name.value.clone(),
        (None, Some(network)) => {
            let network = &topology.networks[network.index()];
            let region = &topology.regions[network.region.index()].name.value;
            format!("{region}/{}", network.name.value)
        }
        (None, None) => String::new(),
    }
}

/// A prefix without host bits, from the command line.
fn prefix(text: &str) -> Result<IpNet, String> {
    let net: IpNet = text.parse().map_err(|_| "write a CIDR such as `10.0.0.0/8`".to_owned())?;
    if net == net.trunc() {
        Ok(net)
    } else {
        Err(format!("it has host bits: write `{}`", net.trunc()))
    }
}
