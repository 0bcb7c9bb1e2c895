//! A gateway of Cilium without what it needs.

use serde_json::Value;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::KubeProxy;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a gateway of the class `cilium` in a cluster whose Services kube-proxy implements,
    /// or whose L7 proxy is switched off by `ciliumValues`. Up to 1.18 `nodePort: {enabled: true}`
    /// does instead of the replacement.
    ///
    /// ## Why it matters
    /// The Gateway is accepted, and what arrives at its address never reaches the proxy. Source:
    /// Cilium, "Gateway API Support", Prerequisites.
    ///
    /// ## Example
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: use1}
    /// spec: {kubeProxy: iptables}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: use1}
    /// spec: {kubeProxy: replaced}
    /// ```
    pub static GATEWAY_BESIDE_KUBE_PROXY = { code: "LB2060", name: "gateway-beside-kube-proxy", summary: "a gateway of Cilium without what it needs", severity: Error };
}

/// Reports each gateway in such a cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for gateway in topology.gateways.iter().filter(|gateway| gateway.is_cilium()) {
        for cluster in gateway.clusters.iter().map(|id| topology.cluster(id)) {
            let (name, own) = (&gateway.name, &cluster.name);
            let (span, what, help) =
                if let Some((span, Value::Bool(false))) = cluster.said("l7Proxy") {
                    (span, "the L7 proxy", "remove `l7Proxy: false`")
                } else if !serves_node_ports(cluster) {
                    (own.span, "the kube-proxy replacement", "write `kubeProxy: replaced`")
                } else {
                    continue;
                };
            let message =
                format!("the gateway `{}` needs {what} of Cilium in `{}`", name.value, own.value);
            found.push(
                Diagnostic::new(&GATEWAY_BESIDE_KUBE_PROXY, span, message)
                    .related(name.span, "the gateway")
                    .help(help),
            );
        }
    }
}

fn serves_node_ports(cluster: &Cluster) -> bool {
    let said = || matches!(cluster.said("nodePort.enabled"), Some((_, Value::Bool(true))));
    cluster.kube_proxy == KubeProxy::Replaced || cluster.cilium.minor < 19 && said()
}
