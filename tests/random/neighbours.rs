//! What one cluster's output has to do with another's.

use std::collections::BTreeMap;

use landbridge::compile::{self, Index};
use serde_json::{Map, Value};

use super::project::{NEWCOMER, Project};
use super::{accepted_but, for_each_project};

/// What every folder holds, its objects and documents by what they are. The newcomer is a region
/// more, in which entrypoints have no target, and a cluster more, whose namespaces nobody named.
fn folders(project: &Project) -> BTreeMap<String, BTreeMap<String, Value>> {
    let (topology, _) = accepted_but(&project.whole(), &["LB2032", "LB5014"]);
    let index = Index::of(&topology);
    let mut folders = BTreeMap::new();
    for (id, _) in topology.clusters() {
        let own = compile::cluster(&topology, &index, id);
        for desired in [Some(own), compile::delivery(&topology, id)].into_iter().flatten() {
            let mut things = BTreeMap::new();
            for resource in desired.resources {
                let namespace = resource.namespace().unwrap_or_default().to_owned();
                let what = format!("{} {namespace}/{}", resource.kind(), resource.name());
                assert!(things.insert(what, resource.body).is_none());
            }
            for document in desired.documents {
                things.insert(document.path.to_string(), Value::Array(document.bodies));
            }
            folders.insert(desired.folder, things);
        }
    }
    folders
}

/// The same without the newcomer in any list.
fn without_newcomer(value: &Value) -> Value {
    let is_its_own = |item: &Value| match item {
        Value::String(text) => text == NEWCOMER.0,
        // A peer of Cilium's, or one that a role of AWS trusts.
        Value::Object(map) => {
            map.get("name").is_some_and(|name| name == NEWCOMER.0)
                || map.get("Principal").is_some_and(|who| who.to_string().contains(NEWCOMER.0))
        }
        _ => false,
    };
    match value {
        Value::Array(items) => {
            // Two peers may differ in the newcomer only.
            let mut kept: Vec<Value> = Vec::new();
            for item in items.iter().filter(|item| !is_its_own(item)).map(without_newcomer) {
                if !kept.contains(&item) {
                    kept.push(item);
                }
            }
            Value::Array(kept)
        }
        Value::Object(map) => {
            let others = map.iter().filter(|(key, _)| *key != NEWCOMER.0);
            let others = others.map(|(key, value)| (key.clone(), without_newcomer(value)));
            Value::Object(one_cluster_as_label(others.collect()))
        }
        scalar => scalar.clone(),
    }
}

/// A selector with one cluster, as it is written: a list of one is a label.
fn one_cluster_as_label(mut selector: Map<String, Value>) -> Map<String, Value> {
    const CLUSTER: &str = "k8s:io.cilium.k8s.policy.cluster";
    let Some(Value::Array(expressions)) = selector.get_mut("matchExpressions") else {
        return selector;
    };
    let one = |e: &Value| e["key"] == CLUSTER && e["values"].as_array().map(Vec::len) == Some(1);
    let Some(at) = expressions.iter().position(one) else { return selector };
    let name = expressions.remove(at)["values"][0].clone();
    if expressions.is_empty() {
        selector.remove("matchExpressions");
    }
    let labels = selector.entry("matchLabels").or_insert_with(|| Value::Object(Map::new()));
    labels[CLUSTER] = name;
    selector
}

#[test]
fn one_more_cluster_is_news_in_lists_of_peers_only() {
    for_each_project(|project, _| {
        let (before, mut after) = (folders(project), folders(&project.larger()));
        // Read the other way round: whoever removes a cluster removes its folders and its place
        // in the lists of the others, and nothing else.
        let own = |folder: &str| folder.rsplit('/').next() == Some(NEWCOMER.0);
        assert!(after.keys().any(|folder| own(folder)));
        after.retain(|folder, _| !own(folder));
        assert!(before.keys().eq(after.keys()), "{:?} {:?}", before.keys(), after.keys());
        for (folder, things) in &before {
            let larger = &after[folder];
            let names =
                |things: &BTreeMap<String, Value>| things.keys().cloned().collect::<Vec<_>>();
            let (smaller, larger_names) = (names(things), names(larger));
            assert_eq!(smaller, larger_names, "{folder}: other things");
            for (what, body) in things {
                let smaller = without_newcomer(&larger[what]);
                let body = &without_newcomer(body);
                assert!(*body == smaller, "{folder} {what}:\n{body:#}\n{:#}", larger[what]);
            }
        }
    });
}
