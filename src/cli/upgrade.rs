//! `landbridge upgrade`.

use semver::Version;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::manifests::{Manifests, clusters};
use super::pinned::Pinned;
use super::resolved::Resolved;
use super::select::{select, select_among};
use crate::diagnostic::Diagnostics;
use crate::reach::found::settings::{Because, version};
use crate::reach::found::{self, Found, Refused};
use crate::report::Report;
use crate::report::upgrade::Format;
use crate::source::SourceMap;
use crate::topology::ClusterId;
use crate::upgrade::plain::Plain;
use crate::upgrade::{Project, Rehearsal, Site, rehearse};

/// Rehearse an upgrade of Cilium: what it opens, closes and breaks
///
/// Reads every policy as each version on the way does, from what is pinned to the version that is
/// asked for, and compares who may reach whom: with the policy, its line and the change in Cilium.
/// Beside that: policies that are refused, Helm values that go or change, versions that do not fit
/// together, and the order in which clusters may go. Exit code 0 if nothing opens, closes or
/// breaks, 1 if something does, 3 if something could not be looked at.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge upgrade --cilium 1.20.2
  landbridge upgrade --cilium 1.19.6 --cluster euw1
  landbridge upgrade --cilium 1.20.2 -o markdown > upgrade.md
  landbridge upgrade --cilium 1.19.6 --from 1.18.12 --manifests use1=k8s/use1 --manifests euw1=k8s/euw1")]
pub(super) struct Args {
    /// The version to go to, such as 1.20.2; 1.20 is its newest patch
    #[arg(long, value_name = "VERSION", value_parser = version)]
    cilium: Version,
    /// Read plain manifests of a cluster instead of a project: a folder, a file, or `-` for
    /// standard input
    #[arg(long, value_name = "CLUSTER=PATH")]
    manifests: Vec<Manifests>,
    /// The version that clusters have where their manifests do not say it: 1.18.12, or use1=1.18.12
    /// for one cluster
    #[arg(long, value_name = "VERSION", requires = "manifests")]
    from: Vec<Pinned>,
    /// Only these clusters go; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    cluster: Vec<String>,
    /// How to write it
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    if !args.manifests.is_empty() {
        return plain(args, context);
    }
    let system = context.project()?;
    let Resolved { sources, mut found, topology } = Resolved::new(&system);
    let Some(topology) = topology else {
        context.complain(&Report::new(found, &sources))?;
        return Ok(Exit::Findings);
    };
    let broken = found.has_errors();
    found.accept_errors();
    let chosen = select(&topology, &args.cluster)?;
    let site = Project::new(&topology, &found);
    let exit = write(args, &site, &chosen, &sources, context)?;
    if broken {
        context.complain(&Report::new(found, &sources))?;
        context.note("the project has errors, so that not all of it was looked at");
        return Ok(exit.max(Exit::Incomplete));
    }
    Ok(exit)
}

/// The upgrade of clusters whose manifests are all that is known.
fn plain(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let clusters = clusters(&args.manifests, &args.from, "--from", &mut sources, &mut found)?;
    let refused = |refused: Refused| Error::new(refused.why).help(refused.help);
    let Found { mesh, because, .. } = found::mesh(&clusters).map_err(refused)?;
    if let Some(at) = because.iter().position(|because| *because == Because::Assumed) {
        let name = &mesh.clusters[at].name;
        let error = Error::new(format!("nothing says which Cilium `{name}` has"));
        return Err(error.help(format!("say it: `--from {name}=1.18.12`")));
    }
    let versions = mesh.clusters.iter().map(|member| member.semantics.version().clone());
    let site = Plain::new(&clusters, versions.collect()).map_err(refused)?;
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let chosen = select_among(&names, &args.cluster)?;
    let exit = write(args, &site, &chosen, &sources, context)?;
    let complete = !found.has_errors() && found.unchecked().is_empty();
    context.complain(&Report::new(found, &sources))?;
    Ok(if complete { exit } else { exit.max(Exit::Incomplete) })
}

/// Rehearses, writes what comes of it, and says how it ends.
fn write(
    args: &Args,
    site: &dyn Site,
    chosen: &[ClusterId],
    sources: &SourceMap,
    context: &mut Context,
) -> Result<Exit, Error> {
    let rehearsal = rehearse(site, chosen, &args.cilium);
    context.present(|look, out| args.format.write(&rehearsal, sources, look, out))?;
    Ok(exit(&rehearsal))
}

fn exit(rehearsal: &Rehearsal) -> Exit {
    let counts = rehearsal.counts();
    let changes = counts.opens + counts.closes + counts.breaks;
    let found = if changes > 0 { Exit::Findings } else { Exit::Clean };
    found.max(if counts.unread > 0 { Exit::Incomplete } else { Exit::Clean })
}
