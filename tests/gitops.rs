//! What is written for a GitOps tool, read by the tool's own code.
#![expect(clippy::disallowed_methods, reason = "the tests write folders and run other programs")]

use std::process::Command;

use landbridge::compile::{self, Index};
use landbridge::render;
use landbridge::render::write::write;
use landbridge::resource::Desired;
use landbridge::system::os::OsSystem;
use landbridge::topology::Topology;
use serde_json::Value;

use crate::projects;
use crate::tools::{named_by, run};

/// The projects of the source tree that are applied by Flux.
fn flux_projects() -> Vec<Topology> {
    let all = projects::all();
    let topologies = all.iter().filter_map(|project| projects::read(project));
    let flux = topologies.filter(|topology| {
        let desired =
            topology.clusters().next().and_then(|(id, _)| compile::delivery(topology, id));
        desired.is_some_and(|desired| desired.folder.starts_with("flux/"))
    });
    flux.collect()
}

/// Flux's objects of a folder, those that are no resources included.
pub(crate) fn flux_objects(desired: &Desired) -> Vec<&Value> {
    let documents = desired.documents.iter().flat_map(|document| &document.bodies);
    let all = documents.chain(desired.resources.iter().map(|resource| &resource.body));
    let api = |body: &Value| body["apiVersion"].as_str().unwrap_or_default().to_owned();
    all.filter(|body| api(body).contains(".toolkit.fluxcd.io/")).collect()
}

/// What Flux's types say of the objects; nothing where there is no Go.
pub(crate) fn refused_by_flux(objects: &[&Value]) -> Option<Vec<String>> {
    let program = named_by("LANDBRIDGE_GOFLUXAPI")?;
    let lines: Vec<_> = objects.iter().map(|object| format!("{object}\n")).collect();
    let output = run(&mut Command::new(program), lines.concat().as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let answers: Vec<_> = answers.map(|answer| answer.expect("it writes JSON")).collect();
    assert_eq!(answers.len(), objects.len());
    let refused = answers.iter().zip(objects).filter(|(answer, _)| answer.get("error").is_some());
    Some(refused.map(|(answer, object)| format!("{}\n{object:#}", answer["error"])).collect())
}

#[test]
fn flux_reads_its_objects() {
    let mut objects = Vec::new();
    let mut kinds = std::collections::BTreeSet::new();
    for topology in &flux_projects() {
        let index = Index::of(topology);
        for (id, _) in topology.clusters() {
            let tool = compile::delivery(topology, id).expect("the tool is declared");
            for desired in [compile::cluster(topology, &index, id), tool] {
                objects.extend(flux_objects(&desired).into_iter().cloned());
            }
        }
    }
    kinds.extend(objects.iter().map(|object| object["kind"].to_string()));
    assert!(kinds.len() >= 4, "{kinds:?}");
    let mut misspelt = objects[0].clone();
    misspelt["spec"]["intervall"] = "1h".into();
    let Some(refused) = refused_by_flux(&[&misspelt]) else { return };
    assert_eq!(refused.len(), 1, "{refused:?}");
    let objects: Vec<_> = objects.iter().collect();
    let refused = refused_by_flux(&objects).expect("it is there");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn a_release_reads_the_values_that_stand_beside_it() {
    let Some(kubectl) = named_by("LANDBRIDGE_KUBECTL") else { return };
    let projects = flux_projects();
    assert!(!projects.is_empty());
    for topology in &projects {
        let index = Index::of(topology);
        let folder = tempfile::tempdir().expect("a folder");
        let system = OsSystem::open(folder.path()).expect("the folder opens");
        for (id, cluster) in topology.clusters() {
            let name = cluster.name.value.as_str();
            let files = render::files(&compile::cluster(topology, &index, id)).expect("files");
            write(&system, name, &files, false).expect("the folder is writable");
            let release = folder.path().join(name).join("cilium");
            let output = run(Command::new(&kubectl).arg("kustomize").arg(release), b"");
            let built = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let names = built.lines().filter(|line| line.contains("name: cilium-values-"));
            let names: Vec<_> = names.map(str::trim).collect();
            assert_eq!(names.len(), 2, "{built}");
            assert_eq!(names[0].trim_start_matches("- "), names[1].trim_start_matches("- "));
            // The text of the values is the file's, line by line.
            let values = String::from_utf8_lossy(&files["cilium/values.yaml"]).into_owned();
            let held = values.lines().filter(|line| !line.is_empty());
            held.for_each(|line| assert!(built.contains(line), "{line}\n{built}"));
        }
    }
}
