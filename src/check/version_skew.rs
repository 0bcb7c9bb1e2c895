//! Members of a mesh whose Cilium is too far apart.

use std::collections::BTreeMap;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{Cluster, Topology};
use crate::version::{Pin, Product, names};

declare_rules! {
    /// ## What it does
    /// Reports members of a mesh whose Cilium is more than one minor older than another member's.
    ///
    /// ## Why it matters
    /// What the clusters tell each other changes from one minor to the next, and only neighbouring
    /// minors are tested together: "versions of all clusters must differ by no more than one minor
    /// release" (Cilium's guide "Setting up Cluster Mesh", since 1.20.2). Kubernetes may differ,
    /// since the clusters talk to each other's ClusterMesh API server only.
    ///
    /// ## Example
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: west}
    /// spec: {versions: {cilium: 1.18.12}}   # the others run 1.20.2
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: west}
    /// spec: {versions: {cilium: 1.19.6}}
    /// ```
    pub static VERSION_SKEW = { code: "LB3003", name: "version-skew", summary: "members of a mesh whose Cilium is more than one minor apart", severity: Error };
}

/// Reports each minor that is too old for the newest, at the first cluster that has it.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut minors: BTreeMap<(u64, u64), Vec<&Cluster>> = BTreeMap::new();
    for cluster in topology.clusters.iter().filter(|cluster| cluster.in_mesh) {
        minors.entry((cluster.cilium.major, cluster.cilium.minor)).or_default().push(cluster);
    }
    let Some((&newest, ahead)) = minors.last_key_value() else { return };
    for (&(major, minor), behind) in &minors {
        if (major, minor + 1) >= newest {
            continue;
        }
        let (old, new) = (behind[0], ahead[0]);
        let message = format!(
            "Cilium {} of {} is more than one minor behind the {} of {}",
            *old.cilium,
            names(behind),
            *new.cilium,
            names(ahead)
        );
        let next =
            format!("bring it to {major}.{} first: minors are upgraded one by one", minor + 1);
        let mut finding = Diagnostic::new(&VERSION_SKEW, old.cilium.span, message)
            .related(new.cilium.span, format!("`{}` is ahead", new.name.value))
            .help(next);
        if kubernetes(old) != kubernetes(new) {
            finding = finding.note("that their Kubernetes differs too does no harm to the mesh");
        }
        found.push(finding);
    }
}

/// Where a cluster's Kubernetes minor begins.
fn kubernetes(cluster: &Cluster) -> Option<(u64, u64)> {
    let first = Pin::of(Product::Kubernetes, cluster)?.interval.first();
    Some((first.0, first.1))
}
