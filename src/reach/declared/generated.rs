//! The policies that compile makes, each read once for all clusters in which it means the same.

use std::sync::Arc;

use rayon::prelude::*;

use super::super::mesh::Member;
use crate::compile::{self, Index};
use crate::policy::parse::tree;
use crate::policy::{self, Known, Policy, Semantics};
use crate::resource::Resource;
use crate::topology::{ClusterId, ClusterSet, Topology};

/// The policies of flows in namespaces for each cluster that is `known`, in the order in which
/// compile makes them.
pub(super) fn of_flows(
    topology: &Topology,
    index: &Index,
    clusters: &[Member],
    known: &[bool],
) -> Vec<Vec<Arc<Policy>>> {
    let mut places: Vec<Vec<(ClusterId, &ClusterSet)>> = vec![Vec::new(); topology.flows.len()];
    for (at, member) in clusters.iter().enumerate().filter(|(at, _)| known[*at]) {
        for flow in &index.flows[at] {
            places[*flow].push((ClusterId::new(at), &member.joined));
        }
    }
    let classes = classes(clusters);
    let read: Vec<Vec<(Arc<Policy>, Vec<ClusterId>)>> = topology
        .flows
        .par_iter()
        .zip(&places)
        .map(|(flow, places)| {
            let shared = compile::policies_of_flow(topology, flow, places).into_iter();
            shared.flat_map(|one| meanings(one, clusters, &classes)).collect()
        })
        .collect();
    let mut policies: Vec<Vec<Arc<Policy>>> = vec![Vec::new(); clusters.len()];
    for (policy, ids) in read.into_iter().flatten() {
        for id in ids {
            policies[id.index()].push(Arc::clone(&policy));
        }
    }
    policies
}

/// For each cluster the first one whose semantics differ from its own in the name alone.
fn classes(clusters: &[Member]) -> Vec<usize> {
    let mut firsts: Vec<usize> = Vec::new();
    let class = |(at, member): (usize, &Member)| {
        let same =
            |first: &&usize| clusters[**first].semantics.differs_in_name_only(&member.semantics);
        firsts.iter().find(same).copied().unwrap_or_else(|| {
            firsts.push(at);
            at
        })
    };
    clusters.iter().enumerate().map(class).collect()
}

/// Reads a policy once for all clusters in which it means the same.
fn meanings(
    shared: compile::Shared,
    clusters: &[Member],
    classes: &[usize],
) -> Vec<(Arc<Policy>, Vec<ClusterId>)> {
    // Nothing that compile writes names a group or a service.
    let none = Known::default();
    let compile::Shared { resource, clusters: ids } = shared;
    let object = tree(resource.body, resource.origin);
    let mut read: Vec<(Arc<Policy>, Vec<ClusterId>)> = Vec::new();
    for id in ids {
        let class = |id: ClusterId| classes[id.index()];
        let same = |(policy, ids): &&mut (Arc<Policy>, Vec<ClusterId>)| {
            !policy.local && class(ids[0]) == class(id)
        };
        if let Some((_, ids)) = read.iter_mut().find(same) {
            ids.push(id);
        } else if let Some(policy) = policy::read(&object, &clusters[id.index()].semantics, &none) {
            read.push((Arc::new(policy), vec![id]));
        }
    }
    read
}

/// Reads the policies of one cluster.
pub(super) fn read(
    made: Vec<Resource>,
    semantics: &Semantics,
) -> impl Iterator<Item = Arc<Policy>> {
    let none = Known::default();
    made.into_iter().filter_map(move |resource| {
        policy::read(&tree(resource.body, resource.origin), semantics, &none).map(Arc::new)
    })
}
