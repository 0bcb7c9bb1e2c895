//! Hand-written `ServiceExport`s that export nothing.

use std::collections::BTreeMap;

use super::written::{self, Copy, Name};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{Cluster, ClusterSet, Topology};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports a hand-written `ServiceExport` of which nothing comes: its cluster's Cilium does not
    /// run the Multi-Cluster Services API, because the mesh does not ask for it or because it is
    /// older than 1.17, or its Service is of type `ExternalName`.
    ///
    /// ## Why it matters
    /// The export is applied without an error where the CRD is there, and no cluster imports the
    /// service. One of type `ExternalName` has no endpoints to export, and gets the condition
    /// `Valid: False` with the reason `InvalidServiceType`. Source: Cilium, "Multi-Cluster Services
    /// API"; KEP-1645, "Exporting Services".
    ///
    /// ## Example
    /// ```yaml
    /// mesh: {discovery: {globalServices: true}}         # beside a ServiceExport
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh: {discovery: {globalServices: true, mcs: true}}
    /// ```
    pub static INERT_SERVICE_EXPORT = { code: "LB2044", name: "inert-service-export", summary: "a ServiceExport that exports nothing", severity: Error };
}

/// Reports each such export.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let exports = written::objects(topology, "multicluster.x-k8s.io", "ServiceExport");
    let services = written::objects(topology, "", "Service");
    for (name, copies) in &exports {
        for export in copies {
            if let Some(finding) = unread(topology, export) {
                found.push(finding);
            } else if let Some(finding) = external(*name, export, &services) {
                found.push(finding);
            }
        }
    }
    let declared = topology.services.iter().filter(|service| service.export);
    for service in declared {
        let namespace = topology.namespace(service.namespace).name.value.as_str();
        let copies = services.get(&(namespace, service.name.value.as_str()));
        for copy in copies.into_iter().flatten().filter(|copy| is_external(copy)) {
            let message = format!("{} has no endpoints to export", copy.object.describe());
            found.push(
                Diagnostic::new(&INERT_SERVICE_EXPORT, service.name.span, message)
                    .related(copy.object.name.span, "a Service of type `ExternalName`")
                    .help("remove `export`"),
            );
        }
    }
}

fn unread(topology: &Topology, export: &Copy<'_>) -> Option<Diagnostic> {
    let mut clusters = export.clusters.iter().map(|id| topology.cluster(id));
    let off = |cluster: &&Cluster| !runs(topology, cluster);
    let cluster = clusters.find(off)?;
    let (span, name) = (export.object.name.span, &cluster.name.value);
    let old = cluster.cilium.minor < 17;
    let message = if old {
        format!("Cilium {} of `{name}` has no Multi-Cluster Services API to use", *cluster.cilium)
    } else {
        format!("Cilium of `{name}` does not run the Multi-Cluster Services API")
    };
    let (place, label, help) = if old {
        (cluster.cilium.span, "its version", "use Cilium 1.17 or later")
    } else {
        (topology.mesh.span, "`discovery.mcs` is off", "write `discovery: {mcs: true}` in the mesh")
    };
    let finding = Diagnostic::new(&INERT_SERVICE_EXPORT, span, message);
    Some(finding.related(place, label).help(help))
}

/// Whether a cluster runs the API: `ciliumValues` may have it as well.
fn runs(topology: &Topology, cluster: &Cluster) -> bool {
    let said = ["clustermesh.mcsapi.enabled", "clustermesh.enableMCSAPISupport"]
        .iter()
        .find_map(|key| cluster.said(key));
    cluster.cilium.minor >= 17 && said.map_or(topology.mesh.mcs, |(_, said)| said == true)
}

fn external(
    name: Name<'_>,
    export: &Copy<'_>,
    services: &BTreeMap<Name<'_>, Vec<Copy<'_>>>,
) -> Option<Diagnostic> {
    let same = |copy: &&Copy<'_>| -> bool {
        let both: ClusterSet = copy.clusters.and(&export.clusters);
        is_external(copy) && !both.is_empty()
    };
    let service = services.get(&name)?.iter().find(same)?;
    let message = format!("{} has no endpoints to export", service.object.describe());
    let finding = Diagnostic::new(&INERT_SERVICE_EXPORT, export.object.name.span, message);
    let label = "a Service of type `ExternalName`";
    Some(finding.related(service.object.name.span, label).help("remove the ServiceExport"))
}

fn is_external(copy: &Copy<'_>) -> bool {
    copy.object.at(&["spec", "type"]).and_then(Node::text) == Some("ExternalName")
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::with_manifests;

    const EXPORT: &str = "apiVersion: multicluster.x-k8s.io/v1alpha1\nkind: ServiceExport\nmetadata: {name: api, namespace: shop}\n---\n";

    fn findings(changes: &[(&str, &str)], kind: &str) -> Vec<String> {
        let service = format!(
            "{EXPORT}apiVersion: v1\nkind: Service\nmetadata: {{name: api, namespace: shop}}\nspec: {{type: {kind}}}\n"
        );
        with_manifests("LB2044", changes, &service, "")
    }

    #[test]
    fn an_export_needs_the_api_and_endpoints() {
        let off = ("mcs: true", "mcs: false");
        let unread = "Cilium of `use1` does not run the Multi-Cluster Services API";
        assert_eq!(findings(&[], "ClusterIP"), [""; 0]);
        assert_eq!(findings(&[], "ExternalName"), ["Service/shop/api has no endpoints to export"]);
        assert_eq!(findings(&[off], "ClusterIP"), [unread]);
        let values = "  id: 1\n  ciliumValues: {clustermesh: {mcsapi: {enabled: true}}}\n";
        assert_eq!(findings(&[off, ("  id: 1\n", values)], "ClusterIP"), [""; 0]);
        let old = [off, ("cilium: 1.19.6", "cilium: 1.16.19")];
        let message = "Cilium 1.16.19 of `use1` has no Multi-Cluster Services API to use";
        assert_eq!(findings(&old, "ClusterIP"), [message]);
    }

    #[test]
    fn what_is_declared_is_exported_too() {
        let service = "apiVersion: v1\nkind: Service\nmetadata: {name: fraud-detection, namespace: payments}\nspec: {type: ExternalName}\n";
        let own = [("      export: true", "      export: true\n      manage: none")];
        let found = with_manifests("LB2044", &own, "", service);
        assert_eq!(found, ["Service/payments/fraud-detection has no endpoints to export"]);
    }
}
