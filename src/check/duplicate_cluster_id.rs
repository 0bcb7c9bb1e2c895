//! Two clusters of a mesh with one id.

use std::collections::BTreeMap;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports two members of the mesh that share a cluster id.
    ///
    /// ## Why it matters
    /// The id is part of every security identity: pods of the two clusters become one another.
    /// Agents refuse a remote cluster that has their own id (`pkg/clustermesh/types/option.go`),
    /// so the mesh does not connect; the chart cannot see it. The id of a running cluster cannot
    /// be changed without restarting all its pods. Source: Cilium, "Setting up Cluster Mesh",
    /// Prepare the Clusters.
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {name: use1}
    /// spec: {id: 1}
    /// ---
    /// metadata: {name: euw1}
    /// spec: {id: 1}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// metadata: {name: euw1}
    /// spec: {id: 2}
    /// ```
    pub static DUPLICATE_CLUSTER_ID = { code: "LB2001", name: "duplicate-cluster-id", summary: "two clusters of a mesh share an id", severity: Error };
}

/// Reports each cluster whose id an earlier one has.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut first = BTreeMap::new();
    for cluster in topology.clusters.iter().filter(|cluster| cluster.in_mesh) {
        let id = cluster.id.value;
        if id == 0 {
            continue;
        }
        let Some(earlier) = first.insert(id, cluster) else { continue };
        let message = format!(
            "the clusters `{}` and `{}` have the same id {id}",
            earlier.name.value, cluster.name.value
        );
        found.push(
            Diagnostic::new(&DUPLICATE_CLUSTER_ID, cluster.id.span, message)
                .label("used again here")
                .related(earlier.id.span, "first used here")
                .help("give each cluster of the mesh an id of its own")
                .note("changing the id of a running cluster means restarting all its pods"),
        );
    }
}
