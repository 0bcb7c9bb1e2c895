//! `landbridge cidr free` and `landbridge cidr suggest`.

use std::fmt::Write as _;

use ipnet::IpNet;

use super::super::context::Context;
use super::super::error::Error;
use super::prefix;
use crate::address::Range;
use crate::address::allocate::free;
use crate::address::hazard::Hazards;
use crate::address::plan::Plan;
use crate::topology::Topology;

/// The Services of a cluster that was installed with kubeadm's defaults: nobody has to declare
/// them, so that a suggestion must not meet them.
const KUBEADM: &str = "10.96.0.0/12";
/// Where pods are looked for: shared addresses, which no network has (RFC 6598).
const SHARED: &str = "100.64.0.0/10";

#[derive(Debug, clap::Args)]
pub(super) struct Free {
    /// Where to look
    #[arg(long = "in", value_name = "CIDR", value_parser = prefix)]
    space: IpNet,
    /// The size of the range, as a prefix length
    #[arg(long, value_name = "LENGTH")]
    prefix: u8,
    /// How many to print
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,
}

#[derive(Debug, clap::Args)]
pub(super) struct Suggest {
    /// Where to look for pods: by default in the mesh's native routing range, else in
    /// 100.64.0.0/10, or where nodes are looked for if Tailscale has that
    #[arg(long, value_name = "CIDR", value_parser = prefix)]
    pods_in: Option<IpNet>,
    /// The size of the pods' range
    #[arg(long, value_name = "LENGTH", default_value_t = 16)]
    pods: u8,
    /// Where to look for Services and nodes
    #[arg(long = "in", value_name = "CIDR", default_value = "10.0.0.0/8", value_parser = prefix)]
    space: IpNet,
    /// The size of the Services' range
    #[arg(long, value_name = "LENGTH", default_value_t = 16)]
    services: u8,
    /// The size of the nodes' range
    #[arg(long, value_name = "LENGTH", default_value_t = 20)]
    nodes: u8,
}

impl Free {
    pub(super) fn run(&self, plan: &Plan, context: &mut Context) -> Result<(), Error> {
        let found = lowest(plan, &[], self.space, self.prefix, self.count.into())?;
        let mut text = String::new();
        for net in found {
            writeln!(text, "{net}").expect("internal error: text takes text");
        }
        context.print(text)
    }
}

impl Suggest {
    /// Prints the keys of a Cluster, to be pasted.
    pub(super) fn run(
        &self,
        plan: &Plan,
        topology: &Topology,
        context: &mut Context,
    ) -> Result<(), Error> {
        let hazards = Hazards::of(topology, plan);
        let mut taken: Vec<Range> = hazards.avoided().chain([constant(KUBEADM).into()]).collect();
        let mut text = String::new();
        for (key, space, length) in [
            ("nodeCIDRs", self.space, self.nodes),
            ("podCIDRs", self.pods_in(topology, &hazards), self.pods),
            ("serviceCIDRs", self.space, self.services),
        ] {
            let net = lowest(plan, &taken, space, length, 1)?[0];
            taken.push(net.into());
            writeln!(text, "{key}: [{net}]").expect("internal error: text takes text");
        }
        context.print(text)
    }

    fn pods_in(&self, topology: &Topology, hazards: &Hazards) -> IpNet {
        let native = topology.mesh.routing.native_v4.map(IpNet::V4);
        let other = || if hazards.uses_tailscale() { self.space } else { constant(SHARED) };
        self.pods_in.or(native).unwrap_or_else(other)
    }
}

fn constant(net: &str) -> IpNet {
    net.parse().expect("internal error: a constant prefix")
}

/// The lowest free ranges; an error where there is none.
fn lowest(
    plan: &Plan,
    taken: &[Range],
    space: IpNet,
    length: u8,
    most: usize,
) -> Result<Vec<IpNet>, Error> {
    if length < space.prefix_len() || length > space.max_prefix_len() {
        let message = format!("a /{length} does not fit into {space}");
        let (least, most) = (space.prefix_len(), space.max_prefix_len());
        return Err(Error::new(message).help(format!("use a prefix length from {least} to {most}")));
    }
    let used: Vec<Range> =
        plan.entries.iter().map(|entry| entry.range).chain(taken.iter().copied()).collect();
    let found = free(space.into(), &used, length, most);
    if found.is_empty() {
        let message = format!("no /{length} is free in {space}");
        return Err(Error::new(message).help("look in another range, or for a smaller one"));
    }
    Ok(found)
}
