//! `landbridge cidr suggest`.

use std::fmt::Write as _;

use ipnet::IpNet;

use super::super::context::Context;
use super::super::error::Error;
use super::free::lowest;
use super::prefix;
use crate::address::Range;
use crate::address::hazard::Hazards;
use crate::address::plan::Plan;
use crate::topology::Topology;

/// The Services of a cluster that was installed with kubeadm's defaults: nobody has to declare
/// them, so that a suggestion must not meet them.
const KUBEADM: &str = "10.96.0.0/12";
/// Where pods are looked for: shared addresses, which no network has (RFC 6598).
const SHARED: &str = "100.64.0.0/10";

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
