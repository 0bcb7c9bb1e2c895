//! A global service behind node ports that kube-proxy serves.

use super::written;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::KubeProxy;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a hand-written global Service of type NodePort or LoadBalancer in a cluster where
    /// Cilium does not replace kube-proxy.
    ///
    /// ## Why it matters
    /// kube-proxy knows the endpoints of its own cluster only. What arrives at a node port, from a
    /// load balancer or from pods in the network of their host, never reaches the other clusters,
    /// and fails when the last local endpoint is gone. Source: Cilium, "Load-balancing & Service
    /// Discovery", prerequisites.
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {annotations: {service.cilium.io/global: "true"}}
    /// spec: {type: LoadBalancer}                        # in a cluster with `kubeProxy: iptables`
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kubeProxy: replaced                               # in the Cluster
    /// ```
    pub static UNREPLACED_KUBE_PROXY = { code: "LB2047", name: "unreplaced-kube-proxy", summary: "a global service behind node ports that kube-proxy serves", severity: Warning };
}

/// Reports each Service for the first such cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let declared = written::declared(topology);
    for (name, copies) in written::objects(topology, "", "Service") {
        let made = declared.get(&name).is_some_and(|service| written::annotated(service));
        for copy in &copies {
            let Some(kind) = copy.object.at(&["spec", "type"]) else { continue };
            let global = made || written::flag(copy.object, &written::GLOBAL) == Some(true);
            if !global || !matches!(kind.text(), Some("NodePort" | "LoadBalancer")) {
                continue;
            }
            let mut clusters = copy.clusters.iter().map(|id| topology.cluster(id));
            let Some(cluster) = clusters.find(|cluster| served(cluster)) else { continue };
            let name = &cluster.name;
            let message = format!(
                "node ports of {} reach the endpoints of `{}` only",
                copy.object.describe(),
                name.value
            );
            found.push(
                Diagnostic::new(&UNREPLACED_KUBE_PROXY, kind.span, message)
                    .related(name.span, "kube-proxy serves node ports here")
                    .help("write `kubeProxy: replaced` in the cluster"),
            );
        }
    }
}

/// Whether kube-proxy serves the node ports of a cluster.
fn served(cluster: &Cluster) -> bool {
    cluster.kube_proxy != KubeProxy::Replaced
}
