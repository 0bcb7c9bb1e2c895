//! Address ranges that must not meet.

use ipnet::IpNet;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::mesh::Networking;
use crate::topology::{Cluster, ClusterId, Topology};

declare_rules! {
    /// ## What it does
    /// Reports pod ranges of two clusters of a flat mesh that overlap, pod ranges that overlap
    /// the nodes or networks of any cluster they can reach, and pod and Service ranges of one
    /// cluster that overlap each other or its nodes.
    ///
    /// ## Why it matters
    /// In a flat mesh every pod address and every node address is unique, or packets for one pod
    /// reach another. Re-addressing a running cluster means rebuilding it. In an island mesh pod
    /// ranges may repeat. Source: Cilium's guide "Setting up Cluster Mesh".
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {name: use1}
    /// spec: {podCIDRs: [10.244.0.0/16]}
    /// ---
    /// metadata: {name: euw1}
    /// spec: {podCIDRs: [10.244.0.0/16]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// metadata: {name: euw1}
    /// spec: {podCIDRs: [10.245.0.0/16]}
    /// ```
    pub static OVERLAPPING_CIDR = { code: "LB1001", name: "overlapping-cidr", summary: "address ranges that must not meet", severity: Error };
}

/// What a range is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Pods,
    Services,
    Nodes,
    Network,
}

impl Use {
    const fn name(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Services => "Services",
            Self::Nodes => "nodes",
            Self::Network => "network",
        }
    }
}

/// A range, whose it is, and where it stands.
struct Range {
    net: IpNet,
    used: Use,
    cluster: ClusterId,
    span: Span,
}

/// Reports each pair of ranges that meet and must not.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut ranges: Vec<_> =
        topology.clusters().flat_map(|(id, cluster)| of(topology, id, cluster)).collect();
    // Outer ranges come before what they contain, so the open ones form a stack of containers.
    ranges.sort_by(|a, b| {
        let key = |r: &Range| (r.net.addr(), r.net.prefix_len(), r.span);
        key(a).cmp(&key(b))
    });
    let mut open: Vec<&Range> = Vec::new();
    for range in &ranges {
        open.retain(|outer| outer.net.contains(&range.net));
        for outer in &open {
            if outer.span != range.span && must_not_meet(topology, outer, range) {
                found.push(finding(topology, outer, range));
            }
        }
        open.push(range);
    }
}

fn of(topology: &Topology, id: ClusterId, cluster: &Cluster) -> Vec<Range> {
    let network = &topology.networks[cluster.network.index()];
    let lists = [
        (Use::Pods, &cluster.pod_cidrs),
        (Use::Services, &cluster.service_cidrs),
        (Use::Nodes, &cluster.node_cidrs),
        (Use::Network, &network.cidrs),
    ];
    let range = |used| {
        move |cidr: &crate::source::Spanned<crate::spec::value::Cidr>| Range {
            net: cidr.0,
            used,
            cluster: id,
            span: cidr.span,
        }
    };
    lists.into_iter().flat_map(|(used, list)| list.iter().map(range(used))).collect()
}

fn must_not_meet(topology: &Topology, a: &Range, b: &Range) -> bool {
    use Use::{Network, Nodes, Pods, Services};
    let own = a.cluster == b.cluster;
    let (one, two) = (topology.cluster(a.cluster), topology.cluster(b.cluster));
    // A cluster that is not (yet) a member counts as one: it is going to be.
    let flat = topology.mesh.networking == Networking::Flat;
    match (a.used, b.used) {
        (Pods, Pods) if own => true,
        (Pods, Pods) => flat,
        // Pods of ENI clusters, and of other clusters with routed pods, live in the network.
        (Pods, Network) | (Network, Pods) => {
            let pods = if a.used == Pods { one } else { two };
            let tunnel = topology.mesh.routing.mode == crate::spec::mesh::RoutingMode::Tunnel;
            if own || one.network == two.network {
                tunnel && own && pods.ipam.mode != crate::spec::cluster::IpamMode::Eni
            } else {
                flat
            }
        }
        (Pods, Nodes) | (Nodes, Pods) => {
            let pods = if a.used == Pods { one } else { two };
            pods.ipam.mode != crate::spec::cluster::IpamMode::Eni && (own || flat)
        }
        (Pods | Nodes | Network, Services) | (Services, Pods | Nodes | Network) => {
            own || (flat && (a.used == Pods || b.used == Pods))
        }
        (Nodes, Nodes) => flat && !own,
        _ => false,
    }
}

fn finding(topology: &Topology, a: &Range, b: &Range) -> Diagnostic {
    let (first, second) = if a.span <= b.span { (a, b) } else { (b, a) };
    let whose = |range: &Range| {
        format!("the {} of `{}`", range.used.name(), topology.cluster(range.cluster).name.value)
    };
    let message = if first.net == second.net {
        format!("{} and {} have the same range {}", whose(first), whose(second), first.net)
    } else {
        format!("{} ({}) overlap {} ({})", whose(second), second.net, whose(first), first.net)
    };
    Diagnostic::new(&OVERLAPPING_CIDR, second.span, message)
        .label(whose(second))
        .related(first.span, whose(first))
        .help("give each its own range")
}
