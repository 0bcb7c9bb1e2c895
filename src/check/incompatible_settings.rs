//! Settings of one cluster that Cilium refuses together.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::{IpamMode, KubeProxy};
use crate::spec::mesh::RoutingMode;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports settings of a cluster that its Cilium refuses together: `multi-pool` in a tunnel
    /// before 1.19, ENI addresses with IPv6 pods before 1.20, a `multi-pool` without the pool
    /// `default`, masquerading in eBPF beside kube-proxy, Hubble's user interface without its
    /// relay, and the Multi-Cluster Services API before 1.17.
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

/// Reports each such pair of each cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        for (message, help) in problems(topology, cluster) {
            let span = match cluster.ipam.mode {
                IpamMode::MultiPool | IpamMode::Eni
                    if message.contains("pool") || message.contains("ENI") =>
                {
                    cluster.ipam.span
                }
                _ => cluster.name.span,
            };
            let message = format!("`{}`: {message}", cluster.name.value);
            found.push(
                Diagnostic::new(&INCOMPATIBLE_SETTINGS, span, message)
                    .related(cluster.cilium.span, format!("Cilium {}", *cluster.cilium))
                    .help(help),
            );
        }
    }
}

fn problems(topology: &Topology, cluster: &Cluster) -> Vec<(&'static str, &'static str)> {
    let minor = cluster.cilium.minor;
    let tunnel = topology.mesh.routing.mode == RoutingMode::Tunnel;
    let pool = cluster.ipam.mode == IpamMode::MultiPool;
    let (hubble, relay, ui) = cluster.hubble;
    let replaced = cluster.kube_proxy == KubeProxy::Replaced;
    let v6 = cluster.pod_cidrs.iter().any(|cidr| cidr.0.addr().is_ipv6());
    [
        (
            pool && tunnel && minor < 19,
            "`multi-pool` in a tunnel needs Cilium 1.19",
            "use native routing, `cluster-pool`, or a later Cilium",
        ),
        (
            pool && !cluster.ipam.pools.iter().any(|p| p.name.value == "default"),
            "`multi-pool` has no pool `default`",
            "add `pools: {default: {cidrs: […]}}`",
        ),
        (
            cluster.ipam.mode == IpamMode::Eni && v6 && minor < 20,
            "ENI addresses are IPv4 only",
            "remove the IPv6 pod ranges, or use Cilium 1.20",
        ),
        (
            cluster.masquerade_bpf == Some(true) && !replaced,
            "masquerading in eBPF needs `kubeProxy: replaced`",
            "write `kubeProxy: replaced`, or `masquerade: {bpf: false}`",
        ),
        (
            ui && !(relay && hubble),
            "Hubble's user interface needs its relay",
            "write `hubble: {relay: true, ui: true}`",
        ),
        (relay && !hubble, "Hubble's relay needs Hubble", "write `hubble: {enabled: true}`"),
        (
            topology.mesh.mcs && cluster.in_mesh && minor < 17,
            "the Multi-Cluster Services API needs Cilium 1.17",
            "use a later Cilium, or `discovery: {mcs: false}`",
        ),
    ]
    .into_iter()
    .filter_map(|(wrong, message, help)| wrong.then_some((message, help)))
    .collect()
}
