//! Settings of one cluster that Cilium refuses together.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::cluster::{IpamMode, KubeProxy};
use crate::spec::mesh::{EncryptionType, RoutingMode};
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports settings of a cluster that its Cilium refuses together: `multi-pool` in a tunnel
    /// before 1.19, ENI addresses with IPv6 pods before 1.20, a `multi-pool` without the pool
    /// `default`, masquerading in eBPF beside kube-proxy, Hubble's user interface without its
    /// relay, and the Multi-Cluster Services API before 1.17; and a mesh with IPsec and more than
    /// 65,535 nodes.
    ///
    /// ## Why it matters
    /// The chart renders most of them; the agents then stop, on every node at once. Source:
    /// `pkg/option/config.go` and `templates/validate.yaml` of the minors.
    ///
    /// ## Example
    /// ```yaml
    /// hubble: {ui: true}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// hubble: {relay: true, ui: true}
    /// ```
    pub static INCOMPATIBLE_SETTINGS = { code: "LB2006", name: "incompatible-settings", summary: "settings of a cluster that Cilium refuses together", severity: Error };
}

/// A pair that Cilium refuses: whether it is there, where, what is wrong, what to do.
type Problem = (bool, Span, &'static str, &'static str);

/// The most nodes of a mesh with IPsec. Source: Cilium, "IPsec Transparent Encryption",
/// Limitations.
const IPSEC_NODES: i64 = 65_535;

/// Reports each such pair of each cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    too_many_nodes(topology, found);
    for cluster in &topology.clusters {
        let problems = addresses(topology, cluster).into_iter().chain(others(topology, cluster));
        for (_, span, message, help) in problems.filter(|(wrong, ..)| *wrong) {
            let message = format!("`{}`: {message}", cluster.name.value);
            found.push(
                Diagnostic::new(&INCOMPATIBLE_SETTINGS, span, message)
                    .related(cluster.cilium.span, format!("Cilium {}", *cluster.cilium))
                    .help(help),
            );
        }
    }
}

fn too_many_nodes(topology: &Topology, found: &mut Diagnostics) {
    if topology.mesh.encryption.kind != EncryptionType::Ipsec {
        return;
    }
    let members = topology.clusters.iter().filter(|cluster| cluster.in_mesh);
    let nodes: Vec<_> = members.filter_map(|cluster| cluster.max_nodes.as_ref()).collect();
    let sum = nodes.iter().fold(0_i64, |sum, most| sum.saturating_add(most.value));
    if sum <= IPSEC_NODES {
        return;
    }
    let message = format!("a mesh of {sum} nodes is too large for IPsec");
    let finding = Diagnostic::new(&INCOMPATIBLE_SETTINGS, topology.mesh.span, message)
        .note(format!("it has identifiers for {IPSEC_NODES} nodes"))
        .help("encrypt with WireGuard");
    let largest = nodes.iter().take(3);
    found.push(
        largest.fold(finding, |finding, most| finding.related(most.span, "nodes of the mesh")),
    );
}

fn addresses(topology: &Topology, cluster: &Cluster) -> [Problem; 3] {
    let (minor, at) = (cluster.cilium.minor, cluster.ipam.span);
    let tunnel = topology.mesh.routing.mode == RoutingMode::Tunnel;
    let pool = cluster.ipam.mode == IpamMode::MultiPool;
    let no_default = !cluster.ipam.pools.iter().any(|pool| pool.name.value == "default");
    let eni_v6 = cluster.ipam.mode == IpamMode::Eni && cluster.has_v6();
    [
        (
            pool && tunnel && minor < 19,
            at,
            "`multi-pool` in a tunnel needs Cilium 1.19",
            "use native routing, `cluster-pool`, or a later Cilium",
        ),
        (
            pool && no_default,
            at,
            "`multi-pool` has no pool `default`",
            "add `pools: {default: {cidrs: […]}}`",
        ),
        (
            eni_v6 && minor < 20,
            at,
            "ENI addresses are IPv4 only",
            "remove the IPv6 pod ranges, or use Cilium 1.20",
        ),
    ]
}

fn others(topology: &Topology, cluster: &Cluster) -> [Problem; 4] {
    let at = cluster.name.span;
    let (hubble, relay, ui) = cluster.hubble;
    let replaced = cluster.kube_proxy == KubeProxy::Replaced;
    [
        (
            cluster.masquerade_bpf == Some(true) && !replaced,
            at,
            "masquerading in eBPF needs `kubeProxy: replaced`",
            "write `kubeProxy: replaced`, or `masquerade: {bpf: false}`",
        ),
        (
            ui && !(relay && hubble),
            at,
            "Hubble's user interface needs its relay",
            "write `hubble: {relay: true, ui: true}`",
        ),
        (relay && !hubble, at, "Hubble's relay needs Hubble", "write `hubble: {enabled: true}`"),
        (
            topology.mesh.mcs && cluster.in_mesh && cluster.cilium.minor < 17,
            at,
            "the Multi-Cluster Services API needs Cilium 1.17",
            "use a later Cilium, or `discovery: {mcs: false}`",
        ),
    ]
}
