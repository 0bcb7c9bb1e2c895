//! The release of Cilium's chart, where Flux applies it.
//!
//! Beside the values stand a `HelmRelease` and a kustomization that makes a ConfigMap of them, as
//! Flux's guide "Refer to values in `ConfigMaps` generated with Kustomize" has it: the name of
//! the ConfigMap ends with a hash of its content, so that a change of a value is a change of the
//! release. Nothing of the values is written twice.

use serde_json::{Value, json};

use super::Input;
use super::metadata::Object;
use crate::resource::{Desired, Document};
use crate::spec::delivery::GitOpsTool;
use crate::topology::{Cluster, GitOps, Topology};

/// The namespace of Cilium, its release and its values.
const NAMESPACE: &str = "kube-system";
const VALUES: &str = "cilium-values";

/// Adds the release, where Flux is the tool.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Some(gitops) = input.topology.gitops.as_ref().filter(|g| g.tool == GitOpsTool::Flux) else {
        return;
    };
    let cluster = input.topology.cluster(input.id);
    let mut write = |path: &'static str, body: Value| {
        let origin = cluster.cilium.span;
        desired.documents.push(Document::new(path, body, origin));
    };
    write(
        "cilium/kustomization.yaml",
        json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": NAMESPACE,
            "resources": ["repository.yaml", "release.yaml"],
            "configMapGenerator": [{"name": VALUES, "files": ["values.yaml"]}],
            // What is made here is marked as what compile writes itself is.
            "generatorOptions": {
                "labels": {"app.kubernetes.io/managed-by": "landbridge"},
                "annotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"},
            },
            "configurations": ["kustomizeconfig.yaml"],
        }),
    );
    // Kustomize does not know that a HelmRelease names a ConfigMap.
    write(
        "cilium/kustomizeconfig.yaml",
        json!({
            "nameReference": [{
                "kind": "ConfigMap",
                "version": "v1",
                "fieldSpecs": [{"path": "spec/valuesFrom/name", "kind": "HelmRelease"}],
            }],
        }),
    );
    write("cilium/repository.yaml", repository(input.topology, gitops, cluster));
    write("cilium/release.yaml", release(input.topology, gitops, cluster));
}

fn named(
    topology: &Topology,
    cluster: &Cluster,
    (api_version, kind): (&'static str, &'static str),
    spec: Value,
) -> Value {
    let object = Object {
        api_version,
        kind,
        namespace: Some(NAMESPACE),
        name: "cilium",
        labels: &[],
        annotations: Vec::new(),
        origin: cluster.cilium.span,
    };
    object.with(topology, Some(("spec", spec))).body
}

/// Source: fluxcd.io, "Helm Repositories" and "OCI Repositories"
/// (`source.toolkit.fluxcd.io/v1`). A registry's tag is pinned exactly as a chart's version is.
fn repository(topology: &Topology, gitops: &GitOps, cluster: &Cluster) -> Value {
    let api = "source.toolkit.fluxcd.io/v1";
    let url = &gitops.chart_repository;
    if !url.starts_with("oci://") {
        let spec = json!({"interval": "1h", "url": url});
        return named(topology, cluster, (api, "HelmRepository"), spec);
    }
    let spec = json!({
        "interval": "1h",
        "url": format!("{url}/cilium"),
        "ref": {"tag": cluster.cilium.value.to_string()},
        "layerSelector": {
            "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "operation": "copy",
        },
    });
    named(topology, cluster, (api, "OCIRepository"), spec)
}

/// Source: fluxcd.io, "Helm Releases" (`helm.toolkit.fluxcd.io/v2`). It is named like the release
/// that a first `helm install cilium` makes, which is how most clusters get their network, so
/// that Flux takes that release over.
///
/// Nothing is waited for. The API server of the mesh is not ready before its load balancer has an
/// address, which may come from a pool that is applied after Cilium, nor, up to 1.18, before the
/// hook has run that makes its certificates, which Helm runs after the wait.
/// Source: flux2#5052, cilium#27000, cilium#42045.
fn release(topology: &Topology, gitops: &GitOps, cluster: &Cluster) -> Value {
    let mut spec = json!({
        "interval": "1h",
        "releaseName": "cilium",
        "install": {"disableWait": true},
        "upgrade": {"disableWait": true},
        "rollback": {"disableWait": true},
        "valuesFrom": [{"kind": "ConfigMap", "name": VALUES}],
    });
    if gitops.chart_repository.starts_with("oci://") {
        spec["chartRef"] = json!({"kind": "OCIRepository", "name": "cilium"});
    } else {
        spec["chart"] = json!({"spec": {
            "chart": "cilium",
            "version": cluster.cilium.value.to_string(),
            "sourceRef": {"kind": "HelmRepository", "name": "cilium"},
        }});
    }
    named(topology, cluster, ("helm.toolkit.fluxcd.io/v2", "HelmRelease"), spec)
}
