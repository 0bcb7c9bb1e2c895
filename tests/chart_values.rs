//! The generated Helm values of Cilium against the charts themselves, where those are at hand.
//!
//! The schemas are files below `../shared/data/cilium`; the charts are `cilium-<version>.tgz` in
//! the folder that `LANDBRIDGE_CHARTS` names, rendered by the helm of `LANDBRIDGE_HELM`.
#![expect(clippy::disallowed_methods, reason = "the tests read charts and run helm")]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use landbridge::chart::Chart;
use landbridge::compile::{self, Index};
use landbridge::diagnostic::Diagnostics;
use landbridge::render;
use landbridge::source::SourceMap;
use landbridge::spec::mesh::EncryptionType;
use landbridge::topology::{Cluster, ClusterId, Topology};
use landbridge::yaml;
use landbridge::yaml::json::json;
use rayon::prelude::*;
use semver::Version;
use serde_json::Value;

use crate::tools::{named_by, run};
use crate::{golden, projects};

const VALUES: &str = "cilium/values.yaml";

/// The project's topology as if every cluster had this chart. The team's own values are for the
/// minor that it chose, and stay out of the others.
fn pinned(project: &Path, version: &Version) -> Topology {
    let mut topology = projects::read(project).expect("a project has a topology");
    for cluster in &mut topology.clusters {
        if cluster.cilium.value.minor != version.minor {
            cluster.values.clear();
        }
        cluster.cilium.value = version.clone();
    }
    topology
}

fn values_of(topology: &Topology, id: ClusterId) -> Value {
    let desired = compile::cluster(topology, &Index::of(topology), id);
    let values = desired.documents.into_iter().find(|document| document.path == VALUES);
    values.expect("every cluster has values").bodies.remove(0)
}

/// What Helm holds against the schema: it takes nulls out first, and the defaults with them.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn values_fit_the_schema_of_their_chart() {
    let data = golden::path("../shared/data/cilium");
    if !data.is_dir() {
        let why = "skipped: there is no ../shared/data/cilium";
        return writeln!(io::stderr(), "{why}").expect("standard error takes a line");
    }
    for (major, minor) in Chart::MINORS {
        let folder = data.join(format!("{major}.{minor}"));
        let text = |name| fs::read_to_string(folder.join(name)).expect("the folder has the file");
        let version: Version = text("VERSION").trim().parse().expect("a version");
        let schema = serde_json::from_str(&text("values.schema.json")).expect("a schema");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        let chart = Chart::of(&version).expect("a chart of the table");
        for project in projects::all() {
            let topology = pinned(&project, &version);
            for (id, cluster) in topology.clusters() {
                let values = without_nulls(&values_of(&topology, id));
                let place = format!("{} {} {version}", project.display(), cluster.name.value);
                let problems: Vec<_> = schema.iter_errors(&values).map(|e| e.to_string()).collect();
                assert_eq!(problems, Vec::<String>::new(), "{place}");
                assert_eq!(chart.check(&values), [], "{place}");
            }
        }
    }
}

/// helm, and the charts that it may render.
pub(crate) struct Charts {
    helm: PathBuf,
    by_version: Vec<(Version, PathBuf)>,
}

impl Charts {
    /// Those that the environment names; says so where it names none.
    pub(crate) fn provided() -> Option<Self> {
        let folder = named_by("LANDBRIDGE_CHARTS")?;
        let helm = named_by("LANDBRIDGE_HELM")?;
        let entries = fs::read_dir(&folder).expect("LANDBRIDGE_CHARTS is a folder");
        let mut by_version: Vec<_> = entries
            .filter_map(|entry| {
                let path = entry.expect("the folder is readable").path();
                let name = path.file_name()?.to_str()?.strip_prefix("cilium-")?;
                let version = name.strip_suffix(".tgz")?.parse().ok()?;
                Chart::of(&version).is_some().then_some((version, path))
            })
            .collect();
        by_version.sort();
        assert!(!by_version.is_empty(), "there is no chart in {}", folder.display());
        Some(Self { helm, by_version })
    }

    /// The newest chart of a minor.
    pub(crate) fn of_minor(&self, minor: u64) -> Option<&Version> {
        self.by_version.iter().map(|(version, _)| version).rfind(|chart| chart.minor == minor)
    }

    /// Renders a cluster's values with its own chart and holds that the mesh is in what comes out.
    pub(crate) fn hold(&self, topology: &Topology, id: ClusterId) {
        let cluster = topology.cluster(id);
        let version = &cluster.cilium.value;
        let place = format!("{} {version}", cluster.name.value);
        let chart = self.by_version.iter().find(|(own, _)| own == version).expect("a chart");
        let render = || rendered(&self.helm, &chart.1, topology, id, &place);
        let first = render();
        assert!(first == render(), "{place}: two renders differ");
        let objects = Objects::read(&first);
        config(&objects, topology, cluster, &place);
        mesh(&objects, topology, id, &place);
    }
}

#[test]
fn the_chart_makes_the_mesh_of_the_topology() {
    let Some(charts) = Charts::provided() else { return };
    let mut runs = Vec::new();
    for (version, _) in &charts.by_version {
        for project in projects::examples() {
            let topology = pinned(&project, version);
            let ids: Vec<_> = topology.clusters().map(|(id, _)| id).collect();
            runs.extend(ids.into_iter().map(|id| (topology.clone(), id)));
        }
    }
    runs.par_iter().for_each(|(topology, id)| charts.hold(topology, *id));
}

/// What `helm template` makes of the values as they are written.
fn rendered(helm: &Path, chart: &Path, topology: &Topology, id: ClusterId, place: &str) -> String {
    let desired = compile::cluster(topology, &Index::of(topology), id);
    let files = render::files(&desired).expect("nothing collides");
    let content = files.get(VALUES).expect("every cluster has values");
    let folder = tempfile::tempdir().expect("a folder");
    let values = folder.path().join("values.yaml");
    fs::write(&values, content).expect("the folder is writable");
    let mut command = Command::new(helm);
    command.args(["template", "cilium"]).arg(chart).args([
        "--namespace",
        "kube-system",
        "--values",
    ]);
    // What its own files are called in would differ between machines.
    command.arg(&values).env("HELM_CACHE_HOME", folder.path());
    let output = run(&mut command, b"");
    assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("YAML is UTF-8")
}

/// The objects that a chart made.
struct Objects(Vec<Value>);

impl Objects {
    fn read(text: &str) -> Self {
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let id = sources.add("rendered.yaml", text);
        let objects = yaml::parse(&sources, id, &mut found).iter().map(json).collect();
        let problems: Vec<_> = found.iter().map(|problem| &*problem.message).collect();
        assert_eq!(problems, Vec::<&str>::new());
        Self(objects)
    }

    fn get(&self, kind: &str, name: &str) -> Option<&Value> {
        self.0.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }
}

/// Holds what the agents read.
fn config(objects: &Objects, topology: &Topology, cluster: &Cluster, place: &str) {
    let data = &objects.get("ConfigMap", "cilium-config").expect("the agents' settings")["data"];
    let holds = |key: &str, value: &str| assert_eq!(data[key], value, "{key} of {place}");
    holds("cluster-name", &cluster.name.value);
    holds("cluster-id", &cluster.id.value.to_string());
    holds("enable-ipv4", &(cluster.has_v4() || !cluster.has_v6()).to_string());
    holds("enable-ipv6", &cluster.has_v6().to_string());
    let written = values_of_chart(topology, cluster);
    holds("ipam", written["ipam"]["mode"].as_str().expect("a mode"));
    holds("routing-mode", written["routingMode"].as_str().expect("a mode"));
    holds("kube-proxy-replacement", written["kubeProxyReplacement"].as_str().expect("text"));
    if let Some(range) = written["ipv4NativeRoutingCIDR"].as_str() {
        holds("ipv4-native-routing-cidr", range);
    }
    if let Some(masquerade) = written["enableIPv4Masquerade"].as_bool() {
        holds("enable-ipv4-masquerade", &masquerade.to_string());
    }
    let kind = topology.mesh.encryption.kind;
    let on = |kind_is: bool| if kind_is { Value::from("true") } else { Value::Null };
    assert_eq!(data["enable-wireguard"], on(kind == EncryptionType::Wireguard), "{place}");
    assert_eq!(data["enable-ipsec"], on(kind == EncryptionType::Ipsec), "{place}");
    if cluster.in_mesh {
        holds("max-connected-clusters", &topology.mesh.max_connected_clusters.value.to_string());
        holds("clustermesh-enable-endpoint-sync", &topology.mesh.endpoint_slices.to_string());
        holds("clustermesh-enable-mcs-api", &topology.mesh.mcs.to_string());
    }
}

fn values_of_chart(topology: &Topology, cluster: &Cluster) -> Value {
    let own = topology.clusters().find(|(_, other)| other.name.value == cluster.name.value);
    values_of(topology, own.expect("a cluster of the topology").0)
}

/// Holds that the cluster reaches every other one and nobody else, and that no render makes keys.
fn mesh(objects: &Objects, topology: &Topology, id: ClusterId, place: &str) {
    let cluster = topology.cluster(id);
    let secrets = objects.0.iter().filter(|object| object["kind"] == "Secret");
    let names: Vec<_> = secrets.filter_map(|secret| secret["metadata"]["name"].as_str()).collect();
    if !cluster.in_mesh {
        return assert_eq!(names, Vec::<&str>::new(), "{place}");
    }
    assert_eq!(names, ["cilium-clustermesh", "cilium-kvstoremesh"], "{place}");
    let data = &objects.get("Secret", "cilium-kvstoremesh").expect("the endpoints")["data"];
    // A mesh of one has nothing there.
    let data = data.as_object().cloned().unwrap_or_default();
    let others = topology.clusters().filter(|(other, cluster)| *other != id && cluster.in_mesh);
    let mut expected = Vec::new();
    for (_, other) in others {
        let name = &other.name.value;
        let endpoint = other.clustermesh.endpoint.as_ref().expect("a member has an endpoint");
        let host = endpoint.hostname.clone().unwrap_or(format!("{name}.mesh.cilium.io"));
        let text = decoded(data[name].as_str().expect("text"));
        let url = format!("https://{host}:{}", endpoint.port);
        assert!(text.contains(&url), "{place}: {url} is not in {text}");
        expected.push(name.as_str());
    }
    let named: Vec<_> = data.keys().map(String::as_str).collect();
    assert_eq!(named, expected, "{place}");
    let service = objects.get("Service", "clustermesh-apiserver").expect("the API server");
    let declared = &values_of(topology, id)["clustermesh"]["apiserver"]["service"];
    assert_eq!(service["spec"]["type"], declared["type"], "{place}");
    assert_eq!(service["metadata"]["annotations"], declared["annotations"], "{place}");
}

/// The text of a Secret's value. Source: RFC 4648, section 4.
fn decoded(base64: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for digit in base64.bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET.iter().position(|known| *known == digit).expect("base64");
        bits = bits << 6 | u32::try_from(value).expect("six bits");
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).expect("eight bits"));
        }
    }
    String::from_utf8(bytes).expect("text")
}
