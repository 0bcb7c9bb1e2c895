//! A cluster that is removed takes with it what is its own, and nothing else: whatever compile
//! writes for the others is the same but for their lists of peers.

use std::collections::{BTreeMap, BTreeSet};

use landbridge::compile::{self, GENERATORS, Index, Input};
use landbridge::resource::Desired;
use landbridge::topology::Topology;
use serde_json::Value;

use crate::random::accepted;

/// Something of everything. Whatever is about one cluster or one region stands on lines of its own.
const PROJECT: &str = include_str!("one_cluster/landbridge.yaml");

/// The files and objects of every folder, by folder and by path or name.
type Written = BTreeMap<String, BTreeMap<String, Value>>;

fn topology(text: &str) -> Topology {
    accepted(&BTreeMap::from([("landbridge.yaml".to_owned(), text.to_owned())])).0
}

/// The project without the documents and lines that name one of these.
fn without(names: &[&str]) -> String {
    let named = |text: &str| names.iter().any(|name| text.contains(name));
    let own = |document: &&str| {
        !document.lines().any(|line| line.strip_prefix("metadata: {name: ").is_some_and(named))
    };
    let documents = PROJECT.split("---\n").filter(own).map(|document| {
        let lines = document.split_inclusive('\n').filter(|line| !named(line));
        lines.collect::<String>()
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn written(topology: &Topology) -> Written {
    let index = Index::of(topology);
    let own = topology.clusters().map(|(id, _)| compile::cluster(topology, &index, id));
    let delivery = topology.clusters().filter_map(|(id, _)| compile::delivery(topology, id));
    own.chain(delivery).map(|desired| (desired.folder.clone(), parts(desired))).collect()
}

fn parts(desired: Desired) -> BTreeMap<String, Value> {
    let documents = desired.documents.into_iter();
    let documents = documents.map(|one| (one.path.into_owned(), one.bodies.into()));
    let objects = desired.resources.into_iter().map(|one| {
        let namespace = one.namespace().unwrap_or_default();
        (format!("{} {namespace}/{}", one.kind(), one.name()), one.body)
    });
    documents.chain(objects).collect()
}

/// Takes what is about a cluster out of every list: its name, and items that tell of it.
fn forget(value: &mut Value, names: &[&str]) {
    match value {
        Value::Array(items) => {
            for item in items.iter_mut() {
                forget(item, names);
            }
            items.retain(|item| !names.iter().any(|name| item.to_string().contains(name)));
        }
        Value::Object(map) => {
            for value in map.values_mut() {
                forget(value, names);
            }
        }
        _ => {}
    }
}

/// Removes what is named, and holds what is written for the others against what was.
fn removed(cluster: &str, names: &[&str]) {
    let before = written(&topology(PROJECT));
    let after = written(&topology(&without(names)));
    let folders = |written: &Written| written.keys().cloned().collect::<BTreeSet<_>>();
    let mut left = folders(&before);
    assert!(left.remove(cluster) && left.remove(&format!("flux/{cluster}")));
    assert_eq!(folders(&after), left);
    for (folder, parts) in &after {
        let mut expected = before[folder].clone();
        for part in expected.values_mut() {
            forget(part, names);
        }
        let paths = |parts: &BTreeMap<String, Value>| parts.keys().cloned().collect::<Vec<_>>();
        assert_eq!(paths(parts), paths(&expected), "{folder}");
        for (path, part) in parts {
            assert_eq!(*part, expected[path], "{folder}/{path}");
        }
    }
}

#[test]
fn the_project_has_something_of_every_generator() {
    let topology = topology(PROJECT);
    let index = Index::of(&topology);
    for generator in GENERATORS {
        let mut desired = Desired::default();
        for (id, _) in topology.clusters() {
            (generator.generate)(&Input { topology: &topology, index: &index, id }, &mut desired);
        }
        assert!(desired != Desired::default(), "{}", generator.name);
    }
}

#[test]
fn a_cluster_takes_only_its_own_with_it() {
    removed("apse1", &["apse1"]);
}

#[test]
fn so_does_a_region() {
    removed("home1", &["home1", " home"]);
}
