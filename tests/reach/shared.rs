//! Clusters share the policies that mean the same in them, and a question reads those of the
//! clusters that matter: what comes out is the same as if each cluster had its own, all read.

use std::sync::Arc;

use landbridge::compile::{self, Index};
use landbridge::policy::parse::tree;
use landbridge::policy::{self, Known, Policy};
use landbridge::reach::explain::answers;
use landbridge::reach::question::{Asked, AskedPort};
use landbridge::reach::{Mesh, Origin, Reach, Standing, declared, service};
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

/// What a question is answered, or why it has no answer.
fn answered(topology: &Topology, mesh: &Mesh, sides: [&Asked; 2], port: AskedPort) -> String {
    let mut mesh = mesh.clone();
    let services = service::declared(topology, &mesh);
    let meant = sides.map(|side| side.meant(&mut mesh, &services));
    let [Ok(from), Ok(to)] = &meant else { return format!("{:?}", meant.map(Result::err)) };
    let reach = Reach::new(&mesh);
    format!("{:?}", answers(&reach, &services, from, to, Some(port)))
}

#[test]
fn a_question_reads_the_policies_that_matter() {
    let port: AskedPort = "8080".parse().expect("a port");
    let (mut asked, mut fewer) = (0, 0);
    for project in projects::examples() {
        let Some(topology) = projects::read(&project) else { continue };
        let index = Index::of(&topology);
        let whole = declared::mesh(&topology, &index);
        let declared = whole.endpoints().filter(|(_, one)| one.standing != Standing::Possible);
        let mut sides: Vec<String> =
            declared.map(|(id, _)| whole.describe(id)).step_by(5).collect();
        let names: Vec<String> =
            sides.iter().filter_map(|name| Some(name.rsplit_once('@')?.0.to_owned())).collect();
        sides.extend(names.into_iter().take(3));
        sides.extend(["world", "10.0.0.0/8", "no/such"].map(str::to_owned));
        let services = topology.services.iter().take(2);
        sides.extend(services.map(|known| {
            let namespace = topology.namespace(known.namespace);
            format!("svc:{}/{}", namespace.name.value, known.name.value)
        }));
        let sides: Vec<Asked> =
            sides.iter().map(|side| side.parse().expect("a side of a question")).collect();
        for (from, to) in sides.iter().flat_map(|from| sides.iter().map(move |to| (from, to))) {
            let clusters = from.clusters(&topology).or(&to.clusters(&topology));
            let some = declared::mesh_with(&topology, &index, &clusters);
            let [all, few] =
                [&whole, &some].map(|mesh| answered(&topology, mesh, [from, to], port));
            assert_eq!(all, few, "{}: {from} to {to}", project.display());
            asked += 1;
            fewer += usize::from(clusters.len() < topology.clusters.len());
        }
    }
    assert!(asked > 300 && fewer > 100, "{asked} questions, {fewer} with fewer policies");
}
