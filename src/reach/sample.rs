//! Small meshes for tests.

use std::net::IpAddr;

use semver::Version;

use super::mesh::{Endpoint, Member, Mesh, Origin, Standing, WrittenPolicy};
use crate::diagnostic::Diagnostics;
use crate::policy::parse::{Known, read};
use crate::policy::{Identity, Pod, Protocol, Semantics, Settings};
use crate::source::{SourceMap, Span};
use crate::topology::ClusterId;

/// Clusters of one mesh with a version each, without policies and endpoints.
pub(crate) fn mesh(clusters: &[(&str, &str)]) -> Mesh {
    let joined = || (0..clusters.len()).map(ClusterId::new).collect();
    let member = |(name, version): &(&str, &str)| Member {
        name: (*name).to_owned(),
        span: Span::default(),
        semantics: semantics(name, version),
        joined: joined(),
        policies: Vec::new(),
    };
    Mesh { clusters: clusters.iter().map(member).collect(), ..Mesh::default() }
}

fn semantics(cluster: &str, version: &str) -> Semantics {
    let version = Version::parse(version).expect("a version");
    Semantics::new(version, Settings::of(cluster)).expect("a known minor")
}

/// Adds a workload `namespace/name` with the label `app`.
pub(crate) fn workload(mesh: &mut Mesh, cluster: usize, name: &str) {
    let (namespace, app) = name.split_once('/').expect("namespace/name");
    let identity = Identity::pod(&Pod {
        cluster: &mesh.clusters[cluster].name,
        namespace,
        labels: &[("app", app)],
        namespace_labels: &[("kubernetes.io/metadata.name", namespace)],
        ..Pod::default()
    });
    mesh.endpoints.push(Endpoint {
        cluster: ClusterId::new(cluster),
        name: name.to_owned(),
        identity,
        standing: Standing::Found,
        span: None,
        serves: Vec::new(),
    });
}

/// Adds a CiliumNetworkPolicy: its namespace, its name, and its `spec` in YAML.
pub(crate) fn policy(mesh: &mut Mesh, cluster: usize, name: &str, spec: &str) {
    let (namespace, name) = name.split_once('/').expect("namespace/name");
    let text = format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n\
         metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    );
    let mut sources = SourceMap::new();
    let id = sources.add("policy.yaml", text);
    let mut found = Diagnostics::new();
    let documents = crate::yaml::parse(&sources, id, &mut found);
    let object = documents.first().expect("a document");
    let semantics = &mesh.clusters[cluster].semantics;
    let policy = read(object, semantics, &Known::default()).expect("a policy");
    assert_eq!(policy.refused, None);
    let written = WrittenPolicy { policy: policy.into(), origin: Origin::Written };
    mesh.clusters[cluster].policies.push(written);
}

/// Meshes with rules that look at more of a peer than whether their selectors select it: at other
/// rules, at its address, at the ports that it names, at what stands for it in policy maps.
pub(crate) fn irregular() -> Vec<Mesh> {
    let small = |version: &str, change: &dyn Fn(&mut Settings)| {
        let mut mesh = mesh(&[("euw1", version), ("use1", version)]);
        for cluster in 0..2 {
            let mut settings = Settings::of(&mesh.clusters[cluster].name);
            change(&mut settings);
            let version = Version::parse(version).expect("a version");
            let semantics = Semantics::new(version, settings);
            mesh.clusters[cluster].semantics = semantics.expect("a known minor");
            for name in ["shop/web", "shop/api", "ops/log"] {
                workload(&mut mesh, cluster, name);
            }
        }
        for (at, endpoint) in (1..).zip(&mut mesh.endpoints) {
            let address = IpAddr::from([10, at, 0, 1]).into();
            let identity = endpoint.identity.clone().at(address);
            endpoint.identity = identity.port("http", Protocol::TCP, 8000 + u16::from(at));
        }
        mesh
    };
    let requires = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromRequires: \
         [{matchLabels: {app: web}}]}, {fromEndpoints: [{}]}]}";
    let by_lack = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: \
         [{matchExpressions: [{key: 'reserved:host', operator: DoesNotExist}, {key: app, operator: \
         NotIn, values: [web]}]}]}]}";
    let cidr = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromCIDR: [10.1.0.0/16]}, \
         {fromEndpoints: [{matchLabels: {app: log}}]}]}";
    let named = "{endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: [{}], toPorts: \
         [{ports: [{port: http}]}]}]}";
    let pods = |settings: &mut Settings| settings.cidr_matches_pods = true;
    let none = |_: &mut Settings| {};
    let mut meshes = Vec::new();
    for (version, change, spec) in [
        ("1.18.6", &none as &dyn Fn(&mut Settings), requires),
        ("1.18.6", &none, by_lack),
        ("1.20.2", &none, by_lack),
        ("1.20.2", &none, cidr),
        ("1.20.2", &pods, cidr),
        ("1.18.6", &none, named),
        ("1.20.2", &none, named),
    ] {
        let mut mesh = small(version, change);
        policy(&mut mesh, 0, "shop/one", spec);
        meshes.push(mesh);
    }
    meshes
}
