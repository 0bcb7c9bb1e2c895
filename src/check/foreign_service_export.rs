//! `ServiceExport`s that Cilium does not read.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports `ServiceExport`s and `ServiceImport`s among the hand-written manifests that Cilium
    /// does not read: those of GKE (`net.gke.io`), and `multicluster.x-k8s.io/v1beta1` for a
    /// Cilium before 1.20.
    ///
    /// ## Why it matters
    /// The groups are not interchangeable: an export of GKE's group is applied without an error
    /// where its CRD is there, and exports nothing to the mesh. Up to 1.19 Cilium installs CRDs
    /// that serve `v1alpha1` only. Source: KEP-1645; mcs-api 0.5.0; Cilium 1.20's release notes.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: net.gke.io/v1
    /// kind: ServiceExport
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// apiVersion: multicluster.x-k8s.io/v1alpha1
    /// kind: ServiceExport
    /// ```
    pub static FOREIGN_SERVICE_EXPORT = { code: "LB2015", name: "foreign-service-export", summary: "a ServiceExport that Cilium does not read", severity: Error };
}

const GROUP: &str = "multicluster.x-k8s.io";

/// Reports each such object.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for set in &topology.manifests {
        let multi = |kind: &str| matches!(kind, "ServiceExport" | "ServiceImport");
        for object in set.objects.iter().filter(|object| multi(&object.kind.value)) {
            let mut clusters = set.clusters.iter().map(|id| topology.cluster(id));
            let old = clusters.find(|cluster| cluster.cilium.minor < 20);
            let span = object.api_version.span;
            let written = &object.api_version.value;
            let kind = &object.kind.value;
            if object.group() == "net.gke.io" {
                // Every Cilium serves the older version; the newer one only from 1.20 on.
                let new = old.is_none() && !set.clusters.is_empty();
                let version = if new { "v1beta1" } else { "v1alpha1" };
                let message = format!("Cilium does not read a {kind} of `{written}`");
                let finding = Diagnostic::new(&FOREIGN_SERVICE_EXPORT, span, message);
                let help =
                    format!("write `{GROUP}/{version}`, or declare `export: true` for the service");
                found.push(finding.label("this group is GKE's own").help(help));
            } else if let Some(cluster) =
                old.filter(|_| object.group() == GROUP && object.version() == "v1beta1")
            {
                let version = &*cluster.cilium;
                let message = format!("Cilium {version} does not serve `{written}`");
                found.push(
                    Diagnostic::new(&FOREIGN_SERVICE_EXPORT, span, message)
                        .related(
                            cluster.cilium.span,
                            format!("the version of `{}`", cluster.name.value),
                        )
                        .help(format!("write `{GROUP}/v1alpha1`")),
                );
            }
        }
    }
}
