//! A cluster id that the mesh does not have.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a member of the mesh whose id is 0 or larger than `maxConnectedClusters`.
    ///
    /// ## Why it matters
    /// The chart renders any number. With 0 the mesh is silently off in the agents, and the
    /// ClusterMesh API server fails; above 255 (or 511) the agents stop with "invalid cluster
    /// id". Source: `pkg/clustermesh/types/option.go`.
    ///
    /// ## Example
    /// ```yaml
    /// mesh: {maxConnectedClusters: 255}
    /// # …
    /// spec: {id: 300}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// spec: {id: 30}
    /// ```
    pub static CLUSTER_ID_OUT_OF_RANGE = { code: "LB2002", name: "cluster-id-out-of-range", summary: "a cluster id that the mesh does not have", severity: Error };
}

/// Reports members with an id outside the mesh's range.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let most = &topology.mesh.max_connected_clusters;
    for cluster in topology.clusters.iter().filter(|cluster| cluster.in_mesh) {
        let id = cluster.id.value;
        // A missing id has been reported; it stands at the name.
        if cluster.id.span == cluster.name.span || (1..=most.value).contains(&id) {
            continue;
        }
        let message =
            format!("the id {id} of `{}` is not between 1 and {}", cluster.name.value, most.value);
        let finding = Diagnostic::new(&CLUSTER_ID_OUT_OF_RANGE, cluster.id.span, message);
        let finding = finding.related(most.span, format!("the mesh has {} ids", most.value));
        found.push(finding.help(format!("give it a free id from 1 to {}", most.value)));
    }
}
