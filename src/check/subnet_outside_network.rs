//! A subnet that does not lie in its network.

use crate::address::cover::Cover;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a subnet that lies in none of its network's ranges.
    ///
    /// ## Why it matters
    /// The provider refuses such a subnet, or it belongs to another network: then the ranges
    /// that are checked here are not those that are there.
    ///
    /// ## Example
    /// ```yaml
    /// main: {cidrs: [10.0.0.0/16], subnets: [{cidr: 10.1.0.0/24}]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// main: {cidrs: [10.0.0.0/16], subnets: [{cidr: 10.0.0.0/24}]}
    /// ```
    pub static SUBNET_OUTSIDE_NETWORK = { code: "LB1006", name: "subnet-outside-network", summary: "a subnet that does not lie in its network", severity: Error };
}

/// Reports each such subnet of a network that declares ranges.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for network in topology.networks.iter().filter(|network| !network.cidrs.is_empty()) {
        let own = Cover::new(network.cidrs.iter().map(|cidr| cidr.0.into()));
        for subnet in network.subnets.iter().map(|subnet| &subnet.cidr) {
            if own.contains(&subnet.0.into()) {
                continue;
            }
            let name = &network.name.value;
            let message = format!("the subnet {} lies outside the network `{name}`", subnet.0);
            found.push(
                Diagnostic::new(&SUBNET_OUTSIDE_NETWORK, subnet.span, message)
                    .related(network.cidrs[0].span, "the network's range")
                    .help("correct the subnet, or add its range to the network's `cidrs`"),
            );
        }
    }
}
