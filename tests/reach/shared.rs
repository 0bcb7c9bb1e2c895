//! Clusters share the policies that mean the same in them: the mesh is the same as if each cluster
//! had its own.

use std::sync::Arc;

use landbridge::compile::{self, Index};
use landbridge::policy::parse::tree;
use landbridge::policy::{self, Known, Policy};
use landbridge::reach::{Origin, declared};
use landbridge::topology::Topology;

use crate::projects;
use crate::random::{accepted, for_each_project};

/// Compares the policies of every cluster with those that are made and read for it alone; says how
/// many are shared.
fn compare(topology: &Topology, name: &str) -> usize {
    let index = Index::of(topology);
    let mesh = declared::mesh(topology, &index);
    let mut shared = 0;
    for (id, member) in mesh.clusters() {
        let made = compile::policies(topology, &index, id).into_iter();
        let alone: Vec<Policy> = made
            .filter_map(|one| {
                policy::read(&tree(one.body, one.origin), &member.semantics, &Known::default())
            })
            .collect();
        let generated: Vec<&Arc<Policy>> = (member.policies.iter())
            .filter(|known| known.origin == Origin::Generated)
            .map(|known| &known.policy)
            .collect();
        let said = |known: &Policy| {
            let Policy { kind, namespace, name, span, rules, refused, remarks, .. } = known;
            format!("{kind:?} {namespace:?} {name} {span:?} {rules:?} {refused:?} {remarks:?}")
        };
        let (ours, theirs): (Vec<_>, Vec<_>) =
            (generated.iter().map(|one| said(one)).collect(), alone.iter().map(said).collect());
        assert_eq!(ours, theirs, "{name}: {}", member.name);
        shared += generated.iter().filter(|one| Arc::strong_count(one) > 1).count();
    }
    shared
}

#[test]
fn policies_of_examples_are_those_of_each_cluster() {
    let mut shared = 0;
    for project in projects::all() {
        let name = project.display().to_string();
        let Some(topology) = projects::read(&project) else { continue };
        shared += compare(&topology, &name);
    }
    assert!(shared > 100, "only {shared} are shared");
}

#[test]
fn policies_of_random_projects_are_those_of_each_cluster() {
    for_each_project(|project, _| {
        let (topology, _) = accepted(&project.whole());
        compare(&topology, "a random project");
    });
}
