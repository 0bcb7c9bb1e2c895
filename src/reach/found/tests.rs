//! Objects of small clusters, and what they make.

use super::files::Place;
use super::*;
use crate::diagnostic::Diagnostics;
use crate::source::SourceMap;
use crate::system::memory::MemorySystem;

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, annotations: {service.cilium.io/global: \"true\"}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
";

struct Outcome {
    found: Result<Found, Refused>,
    problems: Vec<String>,
}

impl Outcome {
    fn names(&self) -> Vec<String> {
        let mesh = &self.found.as_ref().expect("a mesh").mesh;
        mesh.endpoints().map(|(id, _)| mesh.describe(id)).collect()
    }

    fn unread(&self) -> Vec<String> {
        let mesh = &self.found.as_ref().expect("a mesh").mesh;
        mesh.unread.iter().map(|one| format!("{}: {}", one.what, one.why)).collect()
    }
}

/// Reads one folder for each cluster.
fn mesh(system: &MemorySystem, clusters: &[&str]) -> Outcome {
    let (mut sources, mut problems) = (SourceMap::new(), Diagnostics::new());
    let mut all = Vec::new();
    for name in clusters {
        let place = Place { system, shown: "", cluster: name };
        let objects = files::read(place, name, &mut sources, &mut problems);
        let span = Span::start_of(sources.add(*name, ""));
        all.push(Cluster { name: (*name).to_owned(), span, objects, version: None });
    }
    let line = |what: &str, why: &str| format!("{what}: {why}");
    let unchecked = problems.unchecked().iter().map(|one| line(&one.what, &one.why));
    let found = problems.iter().map(|one| line(&sources.location(one.primary.span), &one.message));
    Outcome { problems: found.chain(unchecked).collect(), found: super::mesh(&all) }
}

#[test]
fn workloads_services_and_versions_are_found() {
    let system = MemorySystem::new().with("use1/a.yaml", WEB).with("euw1/b/c.yml", WEB);
    let outcome = mesh(&system, &["use1", "euw1"]);
    assert_eq!(outcome.names(), ["shop/web@use1", "shop/web@euw1"]);
    assert!(outcome.problems.is_empty() && outcome.unread().is_empty());
    let found = outcome.found.expect("a mesh");
    assert_eq!(found.because, [Because::Assumed; 2]);
    let service = &found.services[0];
    assert_eq!(service.backends.len(), 2, "it is global in both");
    let ports = service
        .backends
        .iter()
        .map(|id| service.translate(&found.mesh, *id, crate::policy::Protocol::TCP, 80));
    assert_eq!(ports.collect::<Vec<_>>(), [Some(8080); 2]);
}

#[test]
fn pods_that_belong_to_something_are_one_with_it() {
    let pods = "
apiVersion: v1
kind: Pod
metadata:
  name: web-6d4-x
  namespace: shop
  labels: {app: web, pod-template-hash: 6d4}
  ownerReferences: [{kind: ReplicaSet, name: web-6d4}]
---
apiVersion: v1
kind: Pod
metadata:
  name: api-77-x
  namespace: shop
  labels: {app: api, pod-template-hash: \"77\"}
  ownerReferences: [{kind: ReplicaSet, name: api-77}]
---
apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: shop, labels: {app: web}}
---
apiVersion: cilium.io/v2
kind: CiliumIdentity
metadata: {name: \"12345\"}
security-labels:
  k8s:app: old
  k8s:io.cilium.k8s.policy.cluster: use1
  k8s:io.kubernetes.pod.namespace: shop
";
    let system = MemorySystem::new().with("use1/a.yaml", WEB).with("use1/pods.yaml", pods);
    let outcome = mesh(&system, &["use1"]);
    let names = ["shop/web@use1", "shop/debug@use1", "shop/api@use1", "shop/identity-12345@use1"];
    assert_eq!(outcome.names(), names);
}

#[test]
fn what_cannot_be_read_is_said() {
    let cases = [
        ("a.yaml", "a: [\n", "a.yaml"),
        ("templates/a.yaml", "{{ if .Values.x }}\nkind: {{ x }}\n", "a.yaml"),
        ("Chart.yaml", "name: x\n", "helm template use1 | landbridge reach --manifests use1=-"),
        ("kustomization.yaml", "patches: []\n", "`patches` is not applied"),
        ("kustomization.yaml", "resources: [../../x]\n", "it lies outside, or elsewhere"),
        ("kustomization.yaml", "resources: [gone.yaml]\n", "it does not exist"),
    ];
    for (path, text, expected) in cases {
        let system = MemorySystem::new().with(format!("use1/{path}"), text);
        let outcome = mesh(&system, &["use1"]);
        let said = outcome.problems.join("\n");
        assert!(said.contains(expected), "{path}: {said}");
        assert!(outcome.unread()[0].contains("no Kubernetes object"), "{path}");
    }
    let binary = MemorySystem::new().with("use1/a.yaml", vec![0xff_u8; 100]);
    assert_eq!(mesh(&binary, &["use1"]).problems, ["`use1/a.yaml`: it is not UTF-8"]);
    let empty = mesh(&MemorySystem::new(), &["use1"]);
    assert_eq!(empty.problems, ["`use1`: it does not exist"]);
}

#[test]
fn a_kustomization_is_what_it_lists() {
    let system = MemorySystem::new()
        .with("use1/kustomization.yaml", "resources: [base, ./web.yaml]\n")
        .with("use1/web.yaml", WEB)
        .with("use1/left-out.yaml", "not: an object\n")
        .with("use1/base/kustomization.yaml", "resources: [pod.yaml]\n")
        .with("use1/base/pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: x}}\n");
    let outcome = mesh(&system, &["use1"]);
    assert_eq!(outcome.problems, [""; 0]);
    assert_eq!(outcome.names(), ["default/x@use1", "shop/web@use1"]);
}

#[test]
fn a_cluster_is_called_as_it_calls_itself() {
    let config = "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: \
                  kube-system}, data: {cluster-name: prod}}\n";
    let system = MemorySystem::new().with("use1/a.yaml", config);
    let refused = mesh(&system, &["use1"]).found.expect_err("another name");
    assert_eq!(refused.why, "the objects of `use1` say that the cluster is called `prod`");
}

#[test]
fn only_one_object_of_a_name_is_there() {
    let again = WEB.replace("app: web", "app: other");
    let system = MemorySystem::new().with("use1/a.yaml", WEB).with("use1/b.yaml", again);
    let outcome = mesh(&system, &["use1"]);
    let expected = [
        "a second Deployment/shop/web: another one of this name is read, and only one can be there",
        "a second Service/shop/web: another one of this name is read, and only one can be there",
    ];
    assert_eq!(outcome.unread(), expected);
    let twice = MemorySystem::new().with("use1/a.yaml", WEB).with("use1/b.yaml", WEB);
    assert_eq!(mesh(&twice, &["use1"]).unread(), [""; 0]);
}

#[test]
fn labels_of_namespaces_are_not_guessed() {
    let policy = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: shop}
spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]}
";
    let system = MemorySystem::new().with("use1/a.yaml", WEB).with("use1/b.yaml", policy);
    let unread = mesh(&system, &["use1"]).unread();
    let why = "the Namespace of `shop` is not among the objects";
    assert_eq!(unread, [format!("what policies say of namespaces' labels in `use1`: {why}")]);
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n";
    let known = system.with("use1/c.yaml", namespace);
    assert_eq!(mesh(&known, &["use1"]).unread(), [""; 0]);
}
