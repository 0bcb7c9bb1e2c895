//! The hand-written objects of a topology, no more than can be held for all their clusters.

use rayon::prelude::*;

use crate::diagnostic::NotChecked;
use crate::reach::objects::{Objects, Unplaced};
use crate::topology::Topology;

/// Most nodes of YAML that the policies of all clusters have together: 500 policies of 60 nodes in
/// each of 500 clusters.
const MOST_NODES: usize = 15_000_000;
/// Most pods of all clusters together, as the objects that make them.
const MOST_PODS: usize = 500_000;

/// Reads the objects of each entry of `spec.manifests`, in their order. Policies and pods of an
/// entry with which there are too many are left out with the reason.
pub(super) fn read(topology: &Topology) -> Vec<Objects<'_>> {
    let mut sets: Vec<Objects<'_>> = topology
        .manifests
        .par_iter()
        .map(|set| Objects::read(&set.objects, Unplaced::Unknown))
        .collect();
    let (mut nodes, mut pods) = (0_usize, 0_usize);
    for (set, objects) in topology.manifests.iter().zip(&mut sets) {
        let clusters = set.clusters.len();
        let of_policies: usize = objects.policies.iter().map(|known| known.node.count()).sum();
        nodes = nodes.saturating_add(of_policies.saturating_mul(clusters));
        pods = pods.saturating_add(objects.pods.len().saturating_mul(clusters));
        let left_out = |what: &str| NotChecked {
            what: what.to_owned(),
            why: format!("over its {clusters} clusters there are too many to be read"),
            span: set.span,
        };
        if nodes > MOST_NODES && of_policies > 0 {
            objects.unread.push(left_out("the policies of these manifests"));
            objects.policies.clear();
        }
        if pods > MOST_PODS && !objects.pods.is_empty() {
            objects.unread.push(left_out("the pods of these manifests"));
            objects.pods.clear();
        }
    }
    sets
}
