//! A headless service of several clusters without the EndpointSlices of the others.

use std::collections::BTreeMap;

use super::written::{self, Copy, Name};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::{Cluster, ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports hand-written headless Services that are global or exported, and Services that ask
    /// for EndpointSlices of other clusters, in a cluster whose Cilium does not synchronise these.
    /// For declared headless services `compile` switches it on.
    ///
    /// ## Why it matters
    /// A headless service has no address of its own: what DNS answers are the addresses in its
    /// EndpointSlices, and without synchronisation these are the local pods only. A caller in
    /// another cluster gets no answer. Source: Cilium, "Load-balancing & Service Discovery",
    /// Synchronizing Kubernetes EndpointSlice; "Multi-Cluster Services API".
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {annotations: {service.cilium.io/global: "true"}}
    /// spec: {clusterIP: None}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh: {discovery: {globalServices: true, endpointSlices: true}}   # in the Topology
    /// ```
    pub static UNSYNCHRONISED_HEADLESS_SERVICE = { code: "LB2036", name: "unsynchronised-headless-service", summary: "a headless service of several clusters without EndpointSlice synchronisation", severity: Error };
}

/// Reports each Service for the first such cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let declared = written::declared(topology);
    let exports = written::objects(topology, "multicluster.x-k8s.io", "ServiceExport");
    for (name, copies) in written::objects(topology, "", "Service") {
        let made = declared.get(&name).is_some_and(|service| written::annotated(service));
        for copy in &copies {
            let Some((span, why)) = wants(name, copy, made, &exports) else { continue };
            let Some(cluster) = lacking(topology, &copy.clusters) else { continue };
            let cluster_name = &cluster.name.value;
            let message = format!(
                "{} finds no endpoints of other clusters: `{cluster_name}` does not synchronise EndpointSlices",
                copy.object.describe(),
            );
            found.push(
                Diagnostic::new(&UNSYNCHRONISED_HEADLESS_SERVICE, copy.object.name.span, message)
                    .related(span, why)
                    .help("write `discovery: {endpointSlices: true}` in the mesh"),
            );
        }
    }
}

/// Where it is said that a Service needs the EndpointSlices of other clusters.
fn wants(
    name: Name<'_>,
    copy: &Copy<'_>,
    made: bool,
    exports: &BTreeMap<Name<'_>, Vec<Copy<'_>>>,
) -> Option<(Span, &'static str)> {
    let object = copy.object;
    let global = made || written::flag(object, &written::GLOBAL) == Some(true);
    if let Some(note) = written::annotation(object, &written::SYNC).filter(|_| global) {
        let on = written::said(&note).is_some_and(|said| said == "true");
        return on.then_some((note.key_span, "asked for here"));
    }
    if !written::headless(object) {
        return None;
    }
    let headless = object.at(&["spec", "clusterIP"]).map(|node| node.span)?;
    if global {
        return Some((headless, "a global service without an address of its own"));
    }
    let exports = exports.get(&name)?;
    let same = exports.iter().find(|export| !export.clusters.and(&copy.clusters).is_empty())?;
    Some((same.object.name.span, "exported here"))
}

/// The first of the clusters that does not synchronise.
fn lacking<'a>(topology: &'a Topology, clusters: &ClusterSet) -> Option<&'a Cluster> {
    let mut clusters = clusters.iter().map(|id| topology.cluster(id));
    clusters.find(|cluster| {
        let said = cluster.said("clustermesh.enableEndpointSliceSynchronization");
        said.map_or(!topology.mesh.endpoint_slices, |(_, said)| said != true)
    })
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::with_manifests;

    fn findings(values: &str, annotations: &str, spec: &str, more: &str) -> usize {
        let service = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: api, namespace: shop, annotations: {{{annotations}}}}}\nspec: {{{spec}}}\n---\n{more}"
        );
        let values = format!("  id: 1\n  {values}\n");
        with_manifests("LB2036", &[("  id: 1\n", &values)], &service, "").len()
    }

    #[test]
    fn slices_are_needed_where_there_is_no_address() {
        let global = "service.cilium.io/global: \"true\"";
        let wanted = "service.cilium.io/global: \"true\", service.cilium.io/global-sync-endpoint-slices: \"true\"";
        let unwanted = "service.cilium.io/global: \"true\", service.cilium.io/global-sync-endpoint-slices: \"false\"";
        let on = "ciliumValues: {clustermesh: {enableEndpointSliceSynchronization: true}}";
        let export = "apiVersion: multicluster.x-k8s.io/v1alpha1\nkind: ServiceExport\nmetadata: {name: api, namespace: shop}\n";
        for (values, annotations, spec, more, expected) in [
            ("", global, "clusterIP: None", "", 1),
            (on, global, "clusterIP: None", "", 0),
            ("", global, "", "", 0),
            ("", "", "clusterIP: None", "", 0),
            ("", "", "clusterIP: None", export, 1),
            ("", wanted, "", "", 1),
            ("", unwanted, "clusterIP: None", "", 0),
        ] {
            let found = findings(values, annotations, spec, more);
            assert_eq!(found, expected, "{values} {annotations} {spec} {more}");
        }
    }
}
