//! Flux: what its kustomize-controller applies in each cluster.
//!
//! Source: fluxcd.io, "Kustomization" (`kustomize.toolkit.fluxcd.io/v1`) and "Git Repositories"
//! (`source.toolkit.fluxcd.io/v1`).

use serde_json::{Value, json};

use super::{Site, settings};
use crate::compile::metadata::{Object, object};
use crate::resource::Resource;

/// The `GitRepository` that `flux bootstrap` makes, and the namespace where it does.
const BOOTSTRAP: &str = "flux-system";
/// The `GitRepository` that is written where the topology says its URL, and the Kustomization of
/// the cluster's manifests.
const OWN: &str = "landbridge";
/// The Kustomization of Cilium's release.
const CILIUM: &str = "landbridge-cilium";

/// The cluster's variables, the repository where one is declared, the Kustomization of Cilium's release, and that of the
/// cluster's manifests, which waits for Cilium: its policies are kinds that Cilium brings.
pub(super) fn objects(site: &Site<'_>) -> Vec<Resource> {
    let mut objects = Vec::with_capacity(4);
    objects.push(settings::config_map(site));
    if let Some(url) = &site.gitops.url {
        objects.push(repository(site, url));
    }
    let release = kustomization(site, CILIUM, &format!("./{}/cilium", site.path()), false, &[]);
    objects.push(release);
    objects.push(kustomization(site, OWN, &format!("./{}", site.path()), true, &[CILIUM]));
    objects
}

fn named(
    site: &Site<'_>,
    api: &'static str,
    kind: &'static str,
    name: &str,
    spec: Value,
) -> Resource {
    let object = Object {
        api_version: api,
        kind,
        namespace: Some(&site.gitops.namespace),
        name,
        labels: &[],
        annotations: Vec::new(),
        origin: site.cluster.name.span,
    };
    object.with(site.topology, Some(("spec", spec)))
}

fn repository(site: &Site<'_>, url: &str) -> Resource {
    let mut spec = json!({
        "interval": "5m",
        "url": url,
        "ref": {"branch": site.gitops.branch},
    });
    if let Some(secret) = &site.gitops.secret_name {
        spec["secretRef"] = json!({"name": secret});
    }
    named(site, "source.toolkit.fluxcd.io/v1", "GitRepository", OWN, spec)
}

/// Only the release is waited for: a Certificate or a ServiceExport is ready when others have done
/// their part. Pruning the release of Cilium would uninstall it from under the pods, so only manifests are
/// pruned; Namespaces carry an annotation that exempts them.
fn kustomization(site: &Site<'_>, name: &str, path: &str, prune: bool, after: &[&str]) -> Resource {
    let source = if site.gitops.url.is_some() { OWN } else { BOOTSTRAP };
    let mut spec = object([
        ("interval", "10m".into()),
        ("retryInterval", "1m".into()),
        ("timeout", "10m".into()),
        ("path", path.into()),
        ("prune", prune.into()),
        ("wait", (!prune).into()),
        ("sourceRef", json!({"kind": "GitRepository", "name": source})),
    ]);
    if !after.is_empty() {
        spec["dependsOn"] = after.iter().map(|name| json!({"name": name})).collect();
    }
    named(site, "kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, spec)
}
