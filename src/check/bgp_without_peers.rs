//! Addresses that are announced by BGP to nobody.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::spec::cluster::{Announce, LoadBalancerController};
use crate::topology::{ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a cluster whose LB-IPAM addresses are announced by BGP and that does not say to
    /// whom: it has neither `bgp`, nor objects of Cilium's BGP control plane among the
    /// hand-written manifests.
    ///
    /// ## Why it matters
    /// The control plane runs without a session. The addresses are given, and no router learns
    /// where they are.
    ///
    /// ## Example
    /// ```yaml
    /// loadBalancers: {controller: lb-ipam, ranges: [10.25.11.0/24], announce: bgp}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// loadBalancers:
    ///   controller: lb-ipam
    ///   ranges: [10.25.11.0/24]
    ///   announce: bgp
    ///   bgp: {localASN: 64512, peers: {tor: {address: 10.25.0.1, asn: 64500}}}
    /// ```
    pub static BGP_WITHOUT_PEERS = { code: "LB2057", name: "bgp-without-peers", summary: "addresses that are announced by BGP to nobody", severity: Warning };
}

/// Reports each such cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut speaking = ClusterSet::new();
    for set in topology.manifests.iter().filter(|set| set.objects.iter().any(speaks)) {
        speaking = speaking.or(&set.clusters);
    }
    for (id, cluster) in topology.clusters() {
        let Some(announce) = &cluster.announce else { continue };
        let own = cluster.load_balancer.as_ref();
        if announce.value != Announce::Bgp
            || own.is_none_or(|own| own.value != LoadBalancerController::LbIpam)
            || cluster.load_balancer_ranges.is_empty()
            || cluster.bgp.is_some()
            || speaking.contains(id)
        {
            continue;
        }
        let message = format!("`{}` announces by BGP to nobody", cluster.name.value);
        found.push(
            Diagnostic::new(&BGP_WITHOUT_PEERS, announce.span, message)
                .related(cluster.name.span, "this cluster")
                .help("add `bgp: {localASN: …, peers: {…}}` beside it"),
        );
    }
}

fn speaks(object: &Manifest) -> bool {
    object.is("cilium.io", "CiliumBGPClusterConfig")
        || object.is("cilium.io", "CiliumBGPPeeringPolicy")
}
