//! A preference among endpoints that are all in one cluster.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports the affinity `local` or `remote` of a global service that runs in one cluster of
    /// the mesh only.
    ///
    /// ## Why it matters
    /// An affinity chooses between local and remote endpoints. Here no cluster has both: the one
    /// in which the pods run has no remote ones, all others have no local ones, and every caller
    /// is sent to the same pods as without it. Who wrote it expects a failover that is not there.
    ///
    /// ## Example
    /// ```yaml
    /// workloads: {api: {labels: {app: api}, clusters: [use1]}}
    /// services: {api: {workload: api, ports: [{port: 80}], global: {affinity: local}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// workloads: {api: {labels: {app: api}, clusters: [use1, euw1]}}
    /// ```
    pub static IDLE_AFFINITY = { code: "LB2033", name: "idle-affinity", summary: "an affinity that has nothing to choose from", severity: Warning };
}

/// Reports each such service of a mesh that has another cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let members = topology.clusters().filter(|(_, cluster)| cluster.in_mesh);
    let members: ClusterSet = members.map(|(id, _)| id).collect();
    if members.len() < 2 {
        return;
    }
    for service in &topology.services {
        let Some(global) = &service.global else { continue };
        let Some(affinity) = global.affinity else { continue };
        let runs = service.clusters.and(&members);
        // Where nobody shares, that has been reported.
        let Some(only) = runs.iter().next().filter(|_| runs.len() == 1) else { continue };
        if global.shared.is_empty() {
            continue;
        }
        let (word, cluster) = (affinity.word(), &topology.cluster(only).name.value);
        let message =
            format!("the affinity `{word}` has no effect: all endpoints are in `{cluster}`");
        let workload = topology.workload(service.workload);
        found.push(
            Diagnostic::new(&IDLE_AFFINITY, global.span, message)
                .related(workload.name.span, "its workload runs in that cluster only")
                .help("run the workload in a second cluster, or remove `affinity`"),
        );
    }
}
