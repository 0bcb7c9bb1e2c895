//! `ServiceExport`s that Cilium does not read.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::topology::{Cluster, Topology};
use crate::yaml::Node;

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

const GKE: &str = "net.gke.io";

/// Reports each such object, and routes to one.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for set in &topology.manifests {
        let mut clusters = set.clusters.iter().map(|id| topology.cluster(id));
        let old = clusters.find(|cluster| cluster.cilium.minor < 20);
        // Every Cilium serves the older version; the newer one only from 1.20 on.
        let newest = old.is_none() && !set.clusters.is_empty();
        let version = if newest { "v1beta1" } else { "v1alpha1" };
        for object in &set.objects {
            match &*object.kind.value {
                "ServiceExport" | "ServiceImport" => exported(object, old, version, found),
                "HTTPRoute" | "GRPCRoute" | "TLSRoute" => routed(object, found),
                _ => {}
            }
        }
    }
}

fn exported(object: &Manifest, old: Option<&Cluster>, version: &str, found: &mut Diagnostics) {
    let (span, written) = (object.api_version.span, &object.api_version.value);
    if object.group() == GKE {
        let kind = &object.kind.value;
        let message = format!("Cilium does not read a {kind} of `{written}`");
        let finding = Diagnostic::new(&FOREIGN_SERVICE_EXPORT, span, message);
        let help = format!("write `{GROUP}/{version}`, or declare `export: true` for the service");
        found.push(finding.label("this group is GKE's own").help(help));
    }
    let newer = object.group() == GROUP && object.version() == "v1beta1";
    if let Some(cluster) = old.filter(|_| newer) {
        let message = format!("Cilium {} does not serve `{written}`", *cluster.cilium);
        let whose = format!("the version of `{}`", cluster.name.value);
        found.push(
            Diagnostic::new(&FOREIGN_SERVICE_EXPORT, span, message)
                .related(cluster.cilium.span, whose)
                .help(format!("write `{GROUP}/v1alpha1`")),
        );
    }
}

fn routed(route: &Manifest, found: &mut Diagnostics) {
    let rules = route.at(&["spec", "rules"]).and_then(Node::items).unwrap_or_default();
    let backends = rules.iter().filter_map(|rule| rule.get("backendRefs")?.items()).flatten();
    for group in backends.filter_map(|backend| backend.get("group")) {
        if group.text() == Some(GKE) {
            let message = format!("Cilium does not know the ServiceImports of `{GKE}`");
            let finding = Diagnostic::new(&FOREIGN_SERVICE_EXPORT, group.span, message);
            found.push(finding.label("this group is GKE's own").help(format!("write `{GROUP}`")));
        }
    }
}
