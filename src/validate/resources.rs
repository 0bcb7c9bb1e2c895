//! Policies over Kubernetes objects, cluster by cluster.

use rayon::prelude::*;
use serde_json::Value as Json;

use super::prepare::Prepared;
use super::{FEWEST, Judge, STEPS, view};
use crate::compile::{self, Index};
use crate::resource::Resource;
use crate::source::Span;
use crate::topology::{ClusterId, ClusterSet, Topology};
use crate::yaml::json::json;

/// Kinds that compile never makes: a policy about these alone, such as one about images, looks at
/// hand-written manifests only, and nothing has to be compiled for it.
pub const NEVER_MADE: &[&str] =
    &["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"];

/// The objects that compile makes for a cluster and for the tool that applies them.
fn made(
    topology: &Topology,
    index: &Index,
    id: ClusterId,
) -> impl Iterator<Item = Resource> + use<> {
    let delivery = compile::delivery(topology, id).unwrap_or_default().resources;
    compile::cluster(topology, index, id).resources.into_iter().chain(delivery)
}

/// Evaluates policies over every object that compile makes. A cluster's objects are dropped before
/// the next cluster's are made.
pub(super) fn run<'a, 'p>(
    topology: &'p Topology,
    topology_view: &'p Json,
    policies: &[&'p Prepared<'a>],
) -> Vec<Judge<'a, 'p>> {
    if policies.is_empty() {
        return Vec::new();
    }
    let about_made = policies.iter().any(|one| one.takes_any_but(NEVER_MADE));
    let index = about_made.then(|| Index::of(topology));
    let pairs = (policies.len() * topology.clusters.len().max(1)) as u64;
    let share = (STEPS / pairs).max(FEWEST.1);
    let written = written(topology, policies);
    let ids: Vec<ClusterId> = topology.clusters().map(|(id, _)| id).collect();
    let parts: Vec<Vec<Judge<'a, 'p>>> = ids
        .par_iter()
        .map(|id| {
            let judges = policies.iter().map(|one| Judge::new(one, topology_view, share));
            let mut judges: Vec<_> = judges.collect();
            let cluster = view::cluster(topology, topology.cluster(*id));
            for resource in index.iter().flat_map(|index| made(topology, index, *id)) {
                for judge in &mut judges {
                    if judge.prepared.takes(resource.kind()) {
                        judge.look_at(resource.origin, &resource.body, Some(&cluster));
                    }
                }
            }
            for (set, span, kind, body) in &written {
                for judge in &mut judges {
                    if set.contains(*id) && judge.prepared.takes(kind) {
                        judge.look_at(*span, body, Some(&cluster));
                    }
                }
            }
            judges
        })
        .collect();
    let mut whole: Vec<_> = policies.iter().map(|one| Judge::new(one, topology_view, 0)).collect();
    for part in parts {
        for (all, one) in whole.iter_mut().zip(part) {
            all.join(one);
        }
    }
    whole
}

/// Hand-written objects of which some policy may have something to say: their clusters, their
/// place, their kind, and their content as Go reads it.
fn written<'t>(
    topology: &'t Topology,
    policies: &[&Prepared<'_>],
) -> Vec<(&'t ClusterSet, Span, &'t str, Json)> {
    let sets = topology.manifests.iter();
    let objects = sets.flat_map(|set| set.objects.iter().map(|object| (&set.clusters, object)));
    let wanted = objects.filter(|(_, object)| policies.iter().any(|one| one.takes(&object.kind)));
    wanted
        .map(|(clusters, object)| {
            (clusters, object.name.span, object.kind.value.as_str(), json(&object.node))
        })
        .collect()
}
