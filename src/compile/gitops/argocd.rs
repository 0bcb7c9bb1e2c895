//! Argo CD: a project and two applications for each cluster.
//!
//! Source: argo-cd.readthedocs.io, "Application Specification", "Projects", "Sync Phases and
//! Waves", "Multiple Sources for an Application" (a chart with a values file of another source,
//! from Argo CD 2.6 on).

use serde_json::{Value, json};

use super::Site;
use crate::compile::metadata::{Object, object};
use crate::resource::Resource;

const API: &str = "argoproj.io/v1alpha1";

/// The project, the application of Cilium's chart, and that of the cluster's manifests. They are
/// applied in this order where one application holds all of them.
///
/// No application has the finalizer that deletes what it made: whoever removes a cluster from the
/// topology does not mean to take Cilium from under its pods.
pub(super) fn objects(site: &Site<'_>) -> Vec<Resource> {
    // Without a URL there is nothing to point at; that has been reported.
    let Some(url) = &site.gitops.url else { return Vec::new() };
    vec![project(site, url), cilium(site, url), manifests(site, url)]
}

fn named(site: &Site<'_>, kind: &'static str, name: &str, wave: &str, spec: Value) -> Resource {
    let object = Object {
        api_version: API,
        kind,
        namespace: Some(&site.gitops.namespace),
        name,
        labels: &[],
        annotations: vec![("argocd.argoproj.io/sync-wave", wave.to_owned())],
        origin: site.cluster.name.span,
    };
    object.with(site.topology, Some(("spec", spec)))
}

fn project(site: &Site<'_>, url: &str) -> Resource {
    let spec = json!({
        "description": format!(
            "What landbridge writes for the cluster {}", site.cluster.name.value
        ),
        "sourceRepos": [url, site.charts()],
        "destinations": [destination(site, "*")],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    });
    named(site, "AppProject", &site.project(), "-2", spec)
}

/// Cilium is never pruned: a chart that drops an object in an upgrade is looked at first.
fn cilium(site: &Site<'_>, url: &str) -> Resource {
    let values = format!("$values/{}/cilium/values.yaml", site.path());
    let spec = object([
        ("project", site.project().into()),
        ("destination", destination(site, "kube-system")),
        (
            "sources",
            json!([
                {
                    "chart": "cilium",
                    "repoURL": site.charts(),
                    "targetRevision": site.cluster.cilium.value.to_string(),
                    "helm": {"releaseName": "cilium", "valueFiles": [values]},
                },
                {"repoURL": url, "targetRevision": site.gitops.branch, "ref": "values"},
            ]),
        ),
        ("syncPolicy", policy(false)),
    ]);
    named(site, "Application", &format!("{}-cilium", site.cluster.name.value), "-1", spec)
}

fn manifests(site: &Site<'_>, url: &str) -> Resource {
    let spec = object([
        ("project", site.project().into()),
        ("destination", destination(site, "default")),
        (
            "source",
            json!({
                "repoURL": url,
                "targetRevision": site.gitops.branch,
                "path": site.path(),
            }),
        ),
        ("syncPolicy", policy(true)),
    ]);
    named(site, "Application", &format!("{}-mesh", site.cluster.name.value), "0", spec)
}

/// Changes of git and changes in the cluster are both applied; server-side, since policies grow
/// past what the annotation of a client-side apply may hold (262,144 bytes).
///
/// Kinds that Cilium, cert-manager or `ExternalDNS` bring may come later: they hold nothing else
/// up, and a sync that fails for them is tried again for 20 minutes. Argo CD tries 5 times within
/// 3 minutes unless told, and then no more before the next commit; while it tries, it does not
/// take a newer one. Source: its user guide, "Automated Sync Policy" and "Sync Options".
fn policy(prune: bool) -> Value {
    json!({
        "automated": {"prune": prune, "selfHeal": true},
        "syncOptions": ["ServerSideApply=true", "SkipDryRunOnMissingResource=true"],
        "retry": {
            "limit": 10,
            "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"},
        },
    })
}

/// Argo CD knows a cluster by the name under which it was added.
fn destination(site: &Site<'_>, namespace: &str) -> Value {
    json!({"name": site.cluster.name.value, "namespace": namespace})
}

impl Site<'_> {
    fn project(&self) -> String {
        format!("mesh-{}", self.cluster.name.value)
    }

    /// Where Argo CD finds the chart: it takes a registry without its scheme, and refuses it with.
    /// Source: its user guide, "OCI" and "Helm".
    fn charts(&self) -> &str {
        let url = &self.gitops.chart_repository;
        url.strip_prefix("oci://").unwrap_or(url)
    }
}
