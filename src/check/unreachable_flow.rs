//! A flow between pods that never meet.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{ClusterId, Flow, Peer, PeerKind, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a caller of a flow that can reach the called in no cluster: they run in different
    /// clusters that no mesh joins, or the called is a service that no other cluster shares or
    /// exports.
    ///
    /// ## Why it matters
    /// The flow is declared and no packet can take it. Without `global` or `export` a service is
    /// known in its own cluster only.
    ///
    /// ## Example
    /// ```yaml
    /// workloads:
    ///   web: {labels: {app: web}, clusters: [euw1]}
    ///   api: {labels: {app: api}, clusters: [use1]}
    /// services: {api: {workload: api, ports: [{port: 80}]}}
    /// flows: {call: {from: [web], to: [api]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// services: {api: {workload: api, ports: [{port: 80}], global: true}}
    /// ```
    pub static UNREACHABLE_FLOW = { code: "LB2007", name: "unreachable-flow", summary: "a flow between pods that never meet", severity: Error };
}

/// Reports each pair of peers that meets in no pair of clusters.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for flow in &topology.flows {
        for to in flow.to.iter().filter(|to| to.kind.is_pods()) {
            for from in flow.from.iter().filter(|from| from.kind.is_pods()) {
                if !meet(topology, from, to) {
                    found.push(finding(topology, flow, from, to));
                }
            }
        }
    }
}

/// Whether the two meet in some pair of clusters; linear in the number of clusters.
fn meet(topology: &Topology, from: &Peer, to: &Peer) -> bool {
    if from.clusters.is_empty()
        || to.clusters.is_empty()
        || !from.clusters.and(&to.clusters).is_empty()
    {
        // A peer without clusters has been reported.
        return true;
    }
    let in_mesh = |id: &ClusterId| topology.cluster(*id).in_mesh;
    let Some(client) = from.clusters.iter().find(in_mesh) else { return false };
    to.clusters.iter().filter(in_mesh).any(|server| topology.finds(to, client, server))
}

fn finding(topology: &Topology, flow: &Flow, from: &Peer, to: &Peer) -> Diagnostic {
    let message = format!("no caller of the flow `{}` can reach this peer", flow.name.value);
    let finding = Diagnostic::new(&UNREACHABLE_FLOW, to.span, message)
        .related(from.span, "the caller runs in other clusters");
    match to.kind {
        PeerKind::Service(id) => {
            let service = topology.service(id);
            finding
                .related(service.name.span, "the service is known in its own clusters only")
                .help("declare the service `global: true` or `export: true`, or run both in one cluster")
        }
        _ => finding.help("run both in one cluster, or in members of a flat mesh"),
    }
}
