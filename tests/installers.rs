//! What the installers of clusters read of their bootstrap files: kubeadm, Talos and kind by their
//! own Go types, eksctl and k3s by what is known of theirs.
#![expect(clippy::disallowed_methods, reason = "the test runs the installers' own types")]

mod eksctl;
mod k3s;

use std::cell::RefCell;
use std::process::Command;

use landbridge::compile::{self, Index};
use landbridge::render;
use landbridge::source::Spanned;
use landbridge::spec::cluster::{Distribution, IpamMode, KubeProxy};
use landbridge::spec::value::Cidr;
use landbridge::topology::{Cluster, ClusterId, Topology};
use serde_json::{Value, json};

use crate::tools::{named_by, run};
use crate::{projects, random};

/// A bootstrap file and what it is for.
struct Stanza {
    cluster: Cluster,
    installer: &'static str,
    /// What the file says, as it is written.
    text: String,
    /// The same, as it was meant.
    bodies: Vec<Value>,
    /// The file of its nodes, where they have one of their own.
    nodes: Vec<Value>,
}

const INSTALLERS: [&str; 5] = ["kubeadm", "talos", "kind", "eksctl", "k3s"];

/// The bootstrap file of a cluster, where there is one.
fn stanza(topology: &Topology, index: &Index, id: ClusterId) -> Option<Stanza> {
    let desired = compile::cluster(topology, index, id);
    let path = |installer: &str| format!("bootstrap/{installer}.yaml");
    let (installer, document) = INSTALLERS.into_iter().find_map(|installer| {
        let path = path(installer);
        let document = desired.documents.iter().find(|document| *document.path == *path)?;
        Some((installer, document.clone()))
    })?;
    let files = render::files(&desired).expect("nothing collides");
    let text = String::from_utf8(files[&path(installer)].clone()).expect("UTF-8");
    let mut others = desired.documents.iter();
    let nodes = others.find(|other| *other.path == *format!("bootstrap/{installer}-nodes.yaml"));
    let nodes = nodes.map(|nodes| nodes.bodies.clone()).unwrap_or_default();
    let cluster = topology.cluster(id).clone();
    Some(Stanza { cluster, installer, text, bodies: document.bodies, nodes })
}

/// The bootstrap files of every project of the source tree, and of the first cluster of each
/// random one, for these installers.
fn stanzas(installers: &[&str]) -> Vec<Stanza> {
    let found = RefCell::new(Vec::new());
    let add = |topology: &Topology, most: usize| {
        let index = Index::of(topology);
        let ids = topology.clusters().map(|(id, _)| id).take(most);
        let stanzas = ids.filter_map(|id| stanza(topology, &index, id));
        found.borrow_mut().extend(stanzas.filter(|one| installers.contains(&one.installer)));
    };
    for project in projects::all() {
        if let Some(topology) = projects::read(&project) {
            add(&topology, usize::MAX);
        }
    }
    random::for_each_project(|project, _| add(&random::accepted(&project.whole()).0, 1));
    let found = found.into_inner();
    for installer in installers {
        assert!(found.iter().any(|one| one.installer == *installer), "none for {installer}");
    }
    found
}

/// What the installers read, in the same order.
fn read(goinstallers: &std::path::Path, stanzas: &[Stanza]) -> Vec<Value> {
    let question =
        |one: &Stanza| format!("{}\n", json!({"installer": one.installer, "text": one.text}));
    let questions = stanzas.iter().map(question).collect::<String>();
    let output = run(&mut Command::new(goinstallers), questions.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    answers.map(|answer| answer.expect("goinstallers writes JSON")).collect()
}

/// The ranges that Kubernetes can be told: one of each family.
fn told(cidrs: &[Spanned<Cidr>]) -> Option<Vec<String>> {
    let families: Vec<bool> = cidrs.iter().map(|cidr| cidr.0.addr().is_ipv4()).collect();
    let possible = matches!(families[..], [_] | [true, false] | [false, true]);
    possible.then(|| cidrs.iter().map(|cidr| cidr.value.0.to_string()).collect())
}

fn pods(cluster: &Cluster) -> Option<Vec<String>> {
    told(&cluster.pod_cidrs).filter(|_| cluster.ipam.mode != IpamMode::Eni)
}

fn joined(ranges: Option<Vec<String>>) -> Value {
    ranges.map_or(Value::Null, |ranges| ranges.join(",").into())
}

fn replaced(cluster: &Cluster) -> bool {
    cluster.kube_proxy == KubeProxy::Replaced
}

/// An argument of the controller manager that follows from the IPAM mode.
fn shares(cluster: &Cluster) -> (&'static str, Value) {
    match cluster.ipam.mode {
        IpamMode::Kubernetes if cluster.has_v4() => {
            ("node-cidr-mask-size-ipv4", cluster.ipam.mask_v4.to_string().into())
        }
        IpamMode::Kubernetes => {
            ("node-cidr-mask-size-ipv6", cluster.ipam.mask_v6.to_string().into())
        }
        IpamMode::Delegated if cluster.pod_cidrs.iter().all(|range| by_default(range)) => {
            ("allocate-node-cidrs", Value::Null)
        }
        IpamMode::Delegated | IpamMode::ClusterPool | IpamMode::MultiPool | IpamMode::Eni => {
            ("allocate-node-cidrs", "false".into())
        }
    }
}

/// Whether the shares that Kubernetes gives by default fit into a range, and are not too many.
fn by_default(range: &Cidr) -> bool {
    let share = if range.0.addr().is_ipv4() { 24 } else { 64 };
    let bits = share - i32::from(range.0.prefix_len());
    (0..=16).contains(&bits)
}

#[test]
fn installers_read_what_was_declared() {
    let Some(goinstallers) = named_by("LANDBRIDGE_GOINSTALLERS") else { return };
    let stanzas = stanzas(&["kubeadm", "talos", "kind"]);
    let answers = read(&goinstallers, &stanzas);
    assert_eq!(answers.len(), stanzas.len());
    for (one, answer) in stanzas.iter().zip(&answers) {
        assert_eq!(answer["error"], Value::Null, "{}", one.text);
        let (cluster, read) = (&one.cluster, &answer["read"]);
        match cluster.distribution {
            Distribution::Kubeadm => kubeadm(cluster, read),
            Distribution::Talos => talos(cluster, read),
            _ => kind(cluster, read),
        }
    }
}

#[test]
fn installers_refuse_unknown_fields() {
    let Some(goinstallers) = named_by("LANDBRIDGE_GOINSTALLERS") else { return };
    let mut stanzas = stanzas(&["kubeadm", "talos", "kind"]);
    stanzas.truncate(40);
    for one in &mut stanzas {
        let known = ["proxy:", "networking:", "network:"];
        let key = known.into_iter().find(|key| one.text.contains(key)).expect("a known key");
        one.text = one.text.replacen(key, &format!("x{key}"), 1);
    }
    for (one, answer) in stanzas.iter().zip(read(&goinstallers, &stanzas)) {
        assert!(answer["error"].is_string(), "{}", one.text);
    }
}

fn host_and_port(cluster: &Cluster) -> Value {
    cluster.api_server.as_ref().map_or(Value::Null, |(host, port)| {
        let ipv6 = host.parse::<std::net::Ipv6Addr>().is_ok();
        if ipv6 { format!("[{host}]:{port}").into() } else { format!("{host}:{port}").into() }
    })
}

fn kubeadm(cluster: &Cluster, read: &Value) {
    let config = &read["cluster"];
    assert_eq!(config["clusterName"], cluster.name.value);
    assert_eq!(config["controlPlaneEndpoint"], host_and_port(cluster));
    let version = cluster.kubernetes.as_ref().map(|version| format!("v{}", version.value));
    if version.as_ref().is_some_and(|version| version.matches('.').count() == 2) {
        assert_eq!(config["kubernetesVersion"], json!(version));
    }
    let networking = &config["networking"];
    assert_eq!(networking["podSubnet"], joined(pods(cluster)));
    assert_eq!(networking["serviceSubnet"], joined(told(&cluster.service_cidrs)));
    assert_eq!(networking["dnsDomain"], cluster.dns.domain);
    let skips = read["skipPhases"] == json!(["addon/kube-proxy"]);
    assert_eq!(config["proxy"]["disabled"] == true || skips, replaced(cluster));
    if !replaced(cluster) {
        assert_eq!(read["proxy"]["mode"], cluster.kube_proxy.word());
    }
    let (name, value) = shares(cluster);
    let args = config["controllerManager"]["extraArgs"].as_array();
    let argument = args.into_iter().flatten().find(|argument| argument["name"] == name);
    assert_eq!(argument.map_or(Value::Null, |argument| argument["value"].clone()), value);
}

/// The whole machine configuration, with the patch applied.
fn talos(cluster: &Cluster, read: &Value) {
    let (machine, config) = (&read["machine"], &read["cluster"]);
    assert_eq!(machine["features"]["kubePrism"], json!({"enabled": true, "port": 7445}));
    if !cluster.node_cidrs.is_empty() {
        let nodes: Vec<_> = cluster.node_cidrs.iter().map(|c| c.value.0.to_string()).collect();
        assert_eq!(machine["kubelet"]["nodeIP"]["validSubnets"], json!(nodes));
    }
    assert_eq!(config["clusterName"], cluster.name.value);
    if let Some(server) = host_and_port(cluster).as_str().filter(|s| !s.starts_with("localhost:")) {
        assert_eq!(config["controlPlane"]["endpoint"], format!("https://{server}"));
    }
    let network = &config["network"];
    assert_eq!(network["cni"], json!({"name": "none"}));
    assert_eq!(network["dnsDomain"], cluster.dns.domain);
    if let Some(pods) = pods(cluster) {
        assert_eq!(network["podSubnets"], json!(pods));
    }
    if let Some(services) = told(&cluster.service_cidrs) {
        assert_eq!(network["serviceSubnets"], json!(services));
    }
    assert_eq!(config["proxy"]["disabled"] == true, replaced(cluster));
    if !replaced(cluster) {
        assert_eq!(config["proxy"]["mode"], cluster.kube_proxy.word());
    }
    let (name, value) = shares(cluster);
    assert_eq!(config["controllerManager"]["extraArgs"][name], value);
}

/// The configuration with kind's defaults.
fn kind(cluster: &Cluster, read: &Value) {
    assert_eq!(read["name"], cluster.name.value);
    let networking = &read["networking"];
    assert_eq!(networking["disableDefaultCNI"], true);
    let mode = if replaced(cluster) { "none" } else { cluster.kube_proxy.word() };
    assert_eq!(networking["kubeProxyMode"], mode);
    let family = match (cluster.has_v4(), cluster.has_v6()) {
        (true, true) => "dual",
        (false, true) => "ipv6",
        _ => "ipv4",
    };
    assert_eq!(networking["ipFamily"], family);
    if let Some(pods) = pods(cluster) {
        assert_eq!(networking["podSubnet"], pods.join(","));
    }
    if let Some(services) = told(&cluster.service_cidrs) {
        assert_eq!(networking["serviceSubnet"], services.join(","));
    }
    let patched = read["kubeadmConfigPatches"].to_string();
    let domain = &cluster.dns.domain;
    assert_eq!(
        domain != "cluster.local",
        patched.contains(&format!(r#"\"dnsDomain\":\"{domain}\""#))
    );
    let (name, value) = shares(cluster);
    let patches = read["kubeadmConfigPatchesJSON6902"].as_array().cloned().unwrap_or_default();
    assert_eq!(patches.len(), if value.is_null() { 0 } else { 2 });
    for patch in patches {
        let text = patch["patch"].as_str().expect("a text");
        let operations: Vec<Value> = serde_json::from_str(text).expect("a patch is JSON");
        let new = patch["version"] == "v1beta4";
        let in_list = |one: &Value| one["value"] == json!({"name": name, "value": value});
        let in_map = |one: &Value| {
            let path = format!("/controllerManager/extraArgs/{name}");
            one["path"] == path && one["value"] == value
        };
        let written = operations.iter().any(|one| if new { in_list(one) } else { in_map(one) });
        assert!(written, "{text}");
    }
}
