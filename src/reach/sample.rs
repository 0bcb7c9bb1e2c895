//! Small meshes for tests.

use semver::Version;

use super::mesh::{Endpoint, Member, Mesh, Origin, Standing, WrittenPolicy};
use crate::diagnostic::Diagnostics;
use crate::policy::parse::{Known, read};
use crate::policy::{Identity, Pod, Semantics, Settings};
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
