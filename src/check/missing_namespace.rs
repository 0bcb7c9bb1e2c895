//! A service of another cluster in a namespace that does not exist where it is called.

use std::collections::{BTreeMap, BTreeSet};

use super::written;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{ClusterSet, Flow, Peer, PeerKind, Service, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a flow to a global or exported service of other clusters, from a cluster in which
    /// the service's namespace is not declared: none of its workloads runs there, its application
    /// neither lists the cluster nor has `createNamespace`, and no hand-written manifest brings
    /// the Namespace.
    ///
    /// ## Why it matters
    /// A service is known under the same name and namespace in every cluster. Where the namespace
    /// is missing, a Service of a global service is refused by the API server, and the import of an
    /// exported one is not made: the name does not resolve, in that cluster only. Source: KEP-1645,
    /// "namespace sameness"; Cilium, "Load-balancing & Service Discovery".
    ///
    /// ## Example
    /// ```yaml
    /// namespace: ledger
    /// workloads: {api: {labels: {app: api}, clusters: [use1]}}     # web/web runs in euw1
    /// services: {api: {workload: api, ports: [{port: 80}], global: true}}
    /// flows: {read: {from: [web/web], to: [api]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// namespace: ledger
    /// createNamespace: true     # or `clusters: [euw1]`, where somebody else makes it
    /// ```
    pub static MISSING_NAMESPACE = { code: "LB2032", name: "missing-namespace", summary: "a service of another cluster whose namespace does not exist where it is called", severity: Warning };
}

/// The namespaces that every cluster has. Source: Kubernetes, "Namespaces", Initial namespaces.
const INITIAL: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Reports each service once, at the first flow that calls it from such a cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let made = made(topology);
    let mut reported = BTreeSet::new();
    for flow in &topology.flows {
        for to in &flow.to {
            let PeerKind::Service(id) = to.kind else { continue };
            let service = topology.service(id);
            if reported.contains(&id) || service.client_clusters.is_empty() {
                continue;
            }
            let lacking = lacking(topology, &made, flow, service);
            if !lacking.is_empty() {
                reported.insert(id);
                found.push(finding(topology, service, to, &lacking));
            }
        }
    }
}

/// The clusters to which a hand-written Namespace is applied.
fn made(topology: &Topology) -> BTreeMap<&str, ClusterSet> {
    let mut made: BTreeMap<&str, ClusterSet> = BTreeMap::new();
    for set in &topology.manifests {
        for object in set.objects.iter().filter(|object| object.is("", "Namespace")) {
            let clusters = made.entry(&object.name.value).or_default();
            *clusters = clusters.or(&set.clusters);
        }
    }
    made
}

/// The clusters of callers for which nothing says that the namespace exists.
fn lacking(
    topology: &Topology,
    made: &BTreeMap<&str, ClusterSet>,
    flow: &Flow,
    service: &Service,
) -> ClusterSet {
    let namespace = topology.namespace(service.namespace);
    let name = namespace.name.value.as_str();
    if namespace.create || INITIAL.contains(&name) {
        return ClusterSet::new();
    }
    let callers = flow.from.iter().filter(|from| {
        matches!(
            from.kind,
            PeerKind::Workload(_) | PeerKind::Service(_) | PeerKind::Namespace(_, Some(_))
        )
    });
    let callers = callers.fold(ClusterSet::new(), |all, from| all.or(&from.clusters));
    let lacking = callers.and(&service.client_clusters).without(&namespace.clusters);
    made.get(name).map_or(lacking.clone(), |made| lacking.without(made))
}

fn finding(topology: &Topology, service: &Service, to: &Peer, lacking: &ClusterSet) -> Diagnostic {
    let namespace = &topology.namespace(service.namespace).name;
    let clusters = written::names(topology, lacking);
    let message = format!(
        "nothing says that the namespace `{}` exists in {clusters}, where `{}` is called",
        namespace.value, service.name.value
    );
    Diagnostic::new(&MISSING_NAMESPACE, to.span, message)
        .related(service.name.span, "the service must be known there under its own name")
        .related(namespace.span, "its namespace")
        .help("write `createNamespace: true` in the application, or list those clusters in its `clusters`")
}
