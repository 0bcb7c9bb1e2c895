//! Announcements on the local network where Cilium does not replace kube-proxy.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::{Announce, KubeProxy, LoadBalancerController};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a cluster whose LB-IPAM addresses are announced on the local network (`l2`) while
    /// kube-proxy implements its Services.
    ///
    /// ## Why it matters
    /// Cilium announces only Services that it implements itself: the addresses are given and
    /// nobody answers for them. Source: Cilium, "L2 Announcements", Prerequisites.
    ///
    /// ## Example
    /// ```yaml
    /// kubeProxy: iptables
    /// loadBalancers: {controller: lb-ipam, ranges: [10.2.0.200-10.2.0.219], announce: l2}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kubeProxy: replaced
    /// loadBalancers: {controller: lb-ipam, ranges: [10.2.0.200-10.2.0.219], announce: l2}
    /// ```
    pub static L2_BESIDE_KUBE_PROXY = { code: "LB2056", name: "l2-beside-kube-proxy", summary: "announcements on the local network beside kube-proxy", severity: Error };
}

/// Reports each such cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        let Some(announce) = &cluster.announce else { continue };
        let own = cluster.load_balancer.as_ref();
        if announce.value != Announce::L2
            || own.is_none_or(|own| own.value != LoadBalancerController::LbIpam)
            || cluster.kube_proxy == KubeProxy::Replaced
        {
            continue;
        }
        let message = format!(
            "`{}` announces on the local network and leaves Services to kube-proxy",
            cluster.name.value
        );
        found.push(
            Diagnostic::new(&L2_BESIDE_KUBE_PROXY, announce.span, message)
                .related(cluster.name.span, format!("`kubeProxy: {}`", cluster.kube_proxy.word()))
                .help("write `kubeProxy: replaced`, or announce by BGP"),
        );
    }
}
