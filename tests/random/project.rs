//! A world written as the files of a project, in more than one way.

use std::collections::BTreeMap;

use landbridge::render::yaml;
use landbridge::spec::load::ENTRY;
use landbridge::system::memory::MemorySystem;
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::flow::Flows;
use super::world::{Network, Place, World};
use super::{application, cluster, entrypoint, gateway, topology};

/// The documents of a project, the Topology first.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    documents: Vec<Value>,
    /// The same with one more region, and a cluster in it that nobody names.
    larger: Vec<Value>,
    /// The hand-written files.
    files: BTreeMap<String, String>,
}

/// The cluster that a larger project has, and its region.
pub(crate) const NEWCOMER: (&str, &str) = ("zz-newcomer", "zz-region");

impl Project {
    /// The project of a seed, with at most `size` clusters and namespaces.
    pub(crate) fn new(seed: u64, size: usize) -> Self {
        let dice = &mut Dice::new(seed);
        let world = World::new(dice, size);
        let mut declared = application::Declared::default();
        let mut documents = vec![topology::document(&world, dice)];
        documents.extend((0..world.clusters.len()).map(|c| cluster::document(&world, c, dice)));
        entrypoint::add(&world, &mut documents, dice);
        let applications = application::documents(&world, dice, size, &mut declared);
        let capabilities = application::capabilities(&world, dice, &mut declared);
        let flows = Flows { world: &world, declared: &declared };
        for (namespace, mut document) in applications {
            document["spec"]["flows"] = flows.of_application(dice, namespace).into();
            documents.push(document);
        }
        for (number, mut document) in capabilities.into_iter().enumerate() {
            document["spec"]["flows"] = flows.of_capability(dice, number).into();
            documents.push(document);
        }
        gateway::add(&world, &declared, &mut documents, dice);
        documents.extend(dice.chance(30).then(|| policy(dice)));
        let larger = larger(world, &documents);
        Self { documents, larger, files: BTreeMap::new() }
    }

    /// The project with the newcomer.
    pub(crate) fn larger(&self) -> Self {
        Self { documents: self.larger.clone(), ..self.clone() }
    }

    pub(crate) fn documents(&self) -> &[Value] {
        &self.documents
    }

    /// The project with hand-written files beside it: each with its objects and the clusters that
    /// it is applied to, or all of them.
    pub(crate) fn with_files(&self, files: &[(&str, Vec<String>, Vec<Value>)]) -> Self {
        let mut project = self.clone();
        let entries = files.iter().map(|(path, clusters, _)| {
            let mut entry = json!({"files": [path]});
            if !clusters.is_empty() {
                entry["clusters"] = json!(clusters);
            }
            entry
        });
        project.documents[0]["spec"]["manifests"] = entries.collect();
        project.files = files
            .iter()
            .map(|(path, _, objects)| {
                let mut text = String::new();
                for object in objects {
                    yaml::separator(&mut text);
                    yaml::document(&mut text, object);
                }
                ((*path).to_owned(), text)
            })
            .collect();
        project
    }

    /// Everything in one file, in the order in which it was made.
    pub(crate) fn whole(&self) -> BTreeMap<String, String> {
        let mut text = String::new();
        for document in &self.documents {
            yaml::separator(&mut text);
            yaml::document(&mut text, document);
        }
        let mut files = self.files.clone();
        files.insert(ENTRY.to_owned(), text);
        files
    }

    /// The same over several files: documents, keys and globs in any order, in any notation.
    pub(crate) fn shuffled(&self, dice: &mut Dice) -> BTreeMap<String, String> {
        let paths = [ENTRY, "clusters/b.yaml", "a/deep/er/x.yaml", "a/one.yaml", "zz é.yml"];
        let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for document in &self.documents[1..] {
            files.entry(*dice.pick(&paths)).or_default().push(mixed(document, dice));
        }
        let include = include(files.keys().copied().filter(|path| *path != ENTRY), dice);
        let mut topology = self.documents[0].clone();
        if !include.is_empty() || dice.chance(50) {
            topology["spec"]["include"] = include.into();
        }
        files.entry(ENTRY).or_default().push(mixed(&topology, dice));
        let written = files.into_iter().map(|(path, mut documents)| {
            dice.shuffle(&mut documents);
            (path.to_owned(), stream(&documents, dice))
        });
        written.chain(self.files.clone()).collect()
    }
}

/// A policy that reads what every thing of its kind has, and that all of them fulfil.
fn policy(dice: &mut Dice) -> Value {
    let (over, subject, expression) = *dice.pick(&[
        ("region", "region", "region.networks.all(n, n.cidrs.all(c, isCIDR(c)))"),
        ("cluster", "cluster", "cluster.podCIDRs.size() >= 0 && cluster.versions.cilium != ''"),
        (
            "topology",
            "topology",
            "topology.services.all(s, s.workload.name != '') && topology.flows.all(f, f.from.size() > 0)",
        ),
        ("topology", "topology", "topology.clusters.size() > 0 && topology.mesh.mcs in [true, false]"),
    ]);
    let right = json!({
        "networks": [], "podCIDRs": [], "versions": {"cilium": "1"}, "apiVersion": "v1",
        "kind": "a", "clusters": [1], "mesh": {"mcs": true}, "services": [], "flows": [],
    });
    let wrong = json!({
        "networks": [{"cidrs": ["x"]}], "podCIDRs": [], "versions": {"cilium": ""},
        "apiVersion": "", "kind": "a", "clusters": [], "mesh": {"mcs": true},
        "services": [{"workload": {"name": ""}}], "flows": [],
    });
    json!({
        "apiVersion": "landbridge.dev/v1alpha1",
        "kind": "Policy",
        "metadata": {"name": "always-right"},
        "spec": {
            "over": over,
            "variables": {"it": subject},
            "expression": expression,
            "message": format!("{{variables.it}} of {{topology.name}}"),
            "samples": {
                "pass": [{subject: right, "cluster": {"name": "use1", "podCIDRs": [], "versions": {"cilium": "1"}}}],
                "fail": [{subject: wrong}],
            },
        },
    })
}

fn larger(mut world: World, documents: &[Value]) -> Vec<Value> {
    let (name, region) = NEWCOMER;
    let network = world.networks.len();
    world.regions.push((region.to_owned(), "other"));
    world.networks.push(Network { region: world.regions.len() - 1, name: "main".to_owned() });
    let ids = 1..world.most;
    let free = ids.into_iter().find(|id| world.clusters.iter().all(|other| other.id != *id));
    // A version that is there: some of what the project says needs a minor, all clusters' own.
    let Place { minor, cilium, .. } = world.clusters[0];
    let id = free.expect("there are more ids than clusters");
    world.clusters.push(Place {
        name: name.to_owned(),
        network,
        slot: 0,
        id,
        member: true,
        minor,
        cilium,
        eni: false,
        passive: false,
    });
    let mut documents = documents.to_vec();
    let spec = &mut documents[0]["spec"];
    let cidrs =
        world.family.ranges(format!("10.{network}.0.0/16"), format!("fd00:{network:x}::/48"));
    spec["regions"][region] = json!({"provider": "other", "networks": {"main": {"cidrs": cidrs}}});
    if spec["interconnects"].is_null() {
        let first = spec["regions"].as_object().and_then(|all| all.keys().next().cloned());
        spec["interconnects"] =
            json!([{"between": [first], "type": "vpn", "roundTrip": "1ms", "mtu": 9001}]);
    }
    let ends = spec["interconnects"][0]["between"].as_array_mut();
    ends.expect("an interconnect has ends").push(region.into());
    let cluster = world.clusters.len() - 1;
    let mut newcomer = cluster::document(&world, cluster, &mut Dice::new(1));
    newcomer["spec"]["identity"] =
        json!({"oidcIssuer": format!("https://oidc.example.com/{name}")});
    documents.push(newcomer);
    documents
}

/// A file system with these files.
pub(crate) fn system(files: &BTreeMap<String, String>) -> MemorySystem {
    files.iter().fold(MemorySystem::new(), |system, (path, text)| system.with(path, text.as_str()))
}

/// Globs that match exactly the files that there are, each at least once.
fn include<'a>(paths: impl Iterator<Item = &'a str>, dice: &mut Dice) -> Vec<Value> {
    let mut globs: Vec<Value> = Vec::new();
    for path in paths {
        let glob = match path {
            "a/deep/er/x.yaml" => *dice.pick(&["a/**/x.yaml", "a/deep/*/*.yaml", "./a/d*/**/*"]),
            "a/one.yaml" => *dice.pick(&["a/*.yaml", "a/{one,two}.yaml", "a/on[a-f].yaml"]),
            "clusters/b.yaml" => *dice.pick(&["clusters/**/*.yaml", "clusters/?.yaml"]),
            path => path,
        };
        globs.push(json!(glob));
        if dice.chance(30) {
            globs.push(json!(path));
        }
    }
    dice.shuffle(&mut globs);
    globs
}

/// The same value with the keys of its mappings in another order.
fn mixed(value: &Value, dice: &mut Dice) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            dice.shuffle(&mut entries);
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), mixed(value, dice)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| mixed(item, dice)).collect(),
        scalar => scalar.clone(),
    }
}

fn stream(documents: &[Value], dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.chance(20) {
        text.push('\u{feff}');
    }
    let lines = if dice.chance(20) { "\r\n" } else { "\n" };
    for document in documents {
        yaml::separator(&mut text);
        if dice.chance(30) {
            yaml::comment(&mut text, "one of the documents: [not closed");
        }
        match dice.below(3) {
            // JSON is YAML in flow style.
            0 => text.push_str(&serde_json::to_string_pretty(document).expect("JSON")),
            1 => text.push_str(&serde_json::to_string(document).expect("JSON")),
            _ => yaml::document(&mut text, document),
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if dice.chance(20) {
            text.push_str("...\n");
        }
    }
    text.replace('\n', lines)
}
