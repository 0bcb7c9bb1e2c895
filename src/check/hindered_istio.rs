//! Istio beside a Cilium that gets in its way.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::cluster::KubeProxy;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a cluster that pins Istio among its components (`istio` or `istiod`) and whose
    /// Cilium chooses the endpoints of Services in the sockets of pods: it replaces kube-proxy, or
    /// `socketLB.enabled` is on, and `socketLB.hostNamespaceOnly` is not. And one that pins
    /// `istio-cni`, and whose Cilium removes the configuration of other CNI plugins, which it does
    /// unless `cni.exclusive` is `false`.
    ///
    /// ## Why it matters
    /// A sidecar knows a call by the address of its Service. Where that has become the address of a
    /// pod before the sidecar sees it, Istio's routes, retries and policies for the Service do not
    /// apply, and nothing says so. Without its CNI plugin Istio's pods do not start, or start
    /// without their sidecar's redirection. Source: Cilium, "Integration with Istio".
    ///
    /// ## Example
    /// ```yaml
    /// versions: {components: {istiod: {chart: 1.30.4}, istio-cni: {chart: 1.30.4}}}
    /// clusterDefaults: {kubeProxy: replaced}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {components: {istiod: {chart: 1.30.4}, istio-cni: {chart: 1.30.4}}}
    /// clusterDefaults:
    ///   kubeProxy: replaced
    ///   ciliumValues: {socketLB: {hostNamespaceOnly: true}, cni: {exclusive: false}}
    /// ```
    pub static HINDERED_ISTIO = { code: "LB2048", name: "hindered-istio", summary: "Istio beside a Cilium that gets in its way", severity: Warning };
}

const SOCKET: (&str, &str) = (
    "Cilium chooses endpoints in the pods' sockets, before Istio's sidecars see the call",
    "write `socketLB: {hostNamespaceOnly: true}` in `ciliumValues`",
);
const EXCLUSIVE: (&str, &str) = (
    "Cilium removes the configuration of Istio's CNI plugin",
    "write `cni: {exclusive: false}` in `ciliumValues`",
);

/// Reports each pinned component once for each of the two.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut findings: BTreeMap<(Span, &str), (Diagnostic, usize)> = BTreeMap::new();
    for cluster in &topology.clusters {
        for (name, version) in &cluster.components {
            let (message, help) = match &**name {
                "istio" | "istiod" if in_sockets(cluster) => SOCKET,
                "istio-cni" if switch(cluster, "cni.exclusive") != Some(false) => EXCLUSIVE,
                _ => continue,
            };
            let entry = findings.entry((version.span, message));
            entry.and_modify(|(_, more)| *more += 1).or_insert_with(|| {
                let finding = Diagnostic::new(&HINDERED_ISTIO, version.span, message)
                    .related(cluster.name.span, format!("a cluster with `{name}`"))
                    .help(help);
                (finding, 0)
            });
        }
    }
    for (finding, more) in findings.into_values() {
        found.push(match more {
            0 => finding,
            1 => finding.note("another cluster has it too"),
            more => finding.note(format!("{more} more clusters have it")),
        });
    }
}

/// Whether endpoints are chosen in the sockets of pods. An explicit `socketLB.enabled: false` is
/// taken at its word.
fn in_sockets(cluster: &Cluster) -> bool {
    let declared = cluster.kube_proxy == KubeProxy::Replaced;
    let replaced = switch(cluster, "kubeProxyReplacement").unwrap_or(declared);
    let sockets = switch(cluster, "socketLB.enabled").unwrap_or(replaced);
    sockets && switch(cluster, "socketLB.hostNamespaceOnly") != Some(true)
}

/// A switch of the user's values; some take text.
fn switch(cluster: &Cluster, key: &str) -> Option<bool> {
    match cluster.said(key)?.1 {
        Json::Bool(on) => Some(on),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    const VERSIONS: &str = "cilium: 1.19.6}";
    const GOOD: &str = "{socketLB: {hostNamespaceOnly: true}, cni: {exclusive: false}}";

    /// What is found where both clusters pin these components and have these values.
    fn with(components: &str, use1: &str, euw1: &str) -> Vec<String> {
        let versions = format!("cilium: 1.19.6, components: {components}}}");
        let mut text = TWO_CLUSTERS.replacen(VERSIONS, &versions, 1);
        for (id, values) in [("  id: 1\n", use1), ("  id: 2\n", euw1)] {
            text = text.replacen(id, &format!("{id}  ciliumValues: {values}\n"), 1);
        }
        let found = resolved(&text).1.into_iter().filter(|line| line.contains(" LB2048 "));
        found.map(|line| line.split_once(" LB2048 ").unwrap().1.to_owned()).collect()
    }

    #[test]
    fn each_component_has_its_own() {
        assert_eq!(with("{istiod: {chart: 1.30.4}}", "{}", "{}"), [super::SOCKET.0]);
        assert_eq!(with("{istio-cni: {chart: 1.30.4}}", "{}", "{}"), [super::EXCLUSIVE.0]);
        assert_eq!(with("{istio-gateway: {chart: 1.30.4}}", "{}", "{}"), [""; 0]);
    }

    #[test]
    fn both_values_are_needed_in_every_cluster() {
        let both = "{istio: {version: 1.30.4}, istio-cni: {chart: 1.30.4}}";
        assert_eq!(with(both, GOOD, "{}").len(), 2);
        assert_eq!(with(both, GOOD, GOOD), [""; 0]);
    }

    #[test]
    fn the_socket_matters_where_cilium_is_in_it() {
        let istio = "{istio: {version: 1.30.4}}";
        for values in ["{kubeProxyReplacement: false}", "{socketLB: {enabled: false}}"] {
            assert_eq!(with(istio, values, GOOD), [""; 0], "{values}");
        }
        let on = "{kubeProxyReplacement: false, socketLB: {enabled: true}}";
        assert_eq!(with(istio, on, GOOD), [super::SOCKET.0]);
    }
}
