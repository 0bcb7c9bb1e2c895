//! What kustomize is told: the objects of a cluster, and the patches for a team's own.

use serde_json::{Value, json};

/// The kustomization of a cluster that lists these files.
///
/// An empty list builds to nothing; a kustomization without the key is an error to kustomize 5.8
/// ("kustomization.yaml is empty").
pub(super) fn of(resources: impl Iterator<Item = String>) -> Value {
    json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources.collect::<Vec<_>>(),
    })
}

/// The component that applies these patches, which stand beside it.
///
/// The patches name no target: kustomize then finds each by its own kind, namespace and name, and
/// fails where there is none. With a target it would pass over a Service that is missing or that
/// gets its namespace later (kustomize 5.8), and nobody would see that the patch does nothing.
pub(super) fn component(patches: impl Iterator<Item = String>) -> Value {
    json!({
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "patches": patches.map(|path| json!({ "path": path })).collect::<Vec<_>>(),
    })
}
