//! Services for the mesh in a namespace that is kept to its cluster.

use std::collections::BTreeMap;

use super::written::{self, Name};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::source::Span;
use crate::topology::{Cluster, ClusterId, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a global or exported service in a namespace that is not global: its Namespace has
    /// the annotation `clustermesh.cilium.io/global` with another value than `true`, or Cilium is
    /// told `clustermesh.defaultGlobalNamespace: false` and no Namespace says otherwise.
    ///
    /// ## Why it matters
    /// From Cilium 1.20 on a cluster keeps identities, endpoints and services of such a namespace
    /// to itself: the service has no remote endpoints, and its export is not valid, with the reason
    /// `NamespaceNotGlobal`. Cilium 1.19 reads the annotation for identities and endpoints but not
    /// for Services: the others still send traffic, and their policies take the pods for strangers
    /// (cilium/cilium#42905). Source: `clustermesh.defaultGlobalNamespace` in the chart of 1.20.
    ///
    /// ## Example
    /// ```yaml
    /// kind: Namespace
    /// metadata: {name: shop, annotations: {clustermesh.cilium.io/global: "false"}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: Namespace
    /// metadata: {name: shop, annotations: {clustermesh.cilium.io/global: "true"}}
    /// ```
    pub static LOCAL_NAMESPACE = { code: "LB2046", name: "local-namespace", summary: "a service for the mesh in a namespace that is kept to its cluster", severity: Error };
}

const ANNOTATION: [&str; 1] = ["clustermesh.cilium.io/global"];

const DEFAULT: &str = "clustermesh.defaultGlobalNamespace";

/// The Namespace objects of each cluster.
type Written<'a> = BTreeMap<(ClusterId, &'a str), &'a Manifest>;

/// Reports each service for the first such cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut namespaces: Written<'_> = BTreeMap::new();
    for set in &topology.manifests {
        for object in set.objects.iter().filter(|object| object.is("", "Namespace")) {
            for cluster in set.clusters.iter() {
                namespaces.insert((cluster, &object.name.value), object);
            }
        }
    }
    let unsaid = topology.clusters.iter().all(|cluster| cluster.said(DEFAULT).is_none());
    if namespaces.is_empty() && unsaid {
        return;
    }
    for service in &topology.services {
        if service.global.is_some() || service.export {
            let namespace = topology.namespace(service.namespace).name.value.as_str();
            let clusters = service.clusters.or(&service.client_clusters);
            let name = (namespace, service.name.value.as_str());
            report(topology, &namespaces, name, service.name.span, clusters.iter(), found);
        }
    }
    let declared = written::declared(topology);
    for (name, copies) in written::objects(topology, "", "Service") {
        let global = |object| written::flag(object, &written::GLOBAL) == Some(true);
        let known = declared.contains_key(&name);
        for copy in copies.iter().filter(|copy| !known && global(copy.object)) {
            let span = copy.object.name.span;
            report(topology, &namespaces, name, span, copy.clusters.iter(), found);
        }
    }
}

fn report(
    topology: &Topology,
    namespaces: &Written<'_>,
    name: Name<'_>,
    span: Span,
    clusters: impl Iterator<Item = ClusterId>,
    found: &mut Diagnostics,
) {
    for id in clusters {
        let cluster = topology.cluster(id);
        let Some((place, label)) = kept(cluster, namespaces.get(&(id, name.0)).copied()) else {
            continue;
        };
        let at = &cluster.name.value;
        let message = if cluster.cilium.minor == 19 {
            format!("`{at}` offers `{}` and hides the identities of its pods", name.1)
        } else {
            format!("`{at}` keeps `{}` to itself: the namespace `{}` is not global", name.1, name.0)
        };
        found.push(
            Diagnostic::new(&LOCAL_NAMESPACE, span, message)
                .related(place, label)
                .help("annotate the Namespace with `clustermesh.cilium.io/global: \"true\"`"),
        );
        return;
    }
}

/// Where it is said that a namespace is kept to a cluster.
fn kept(cluster: &Cluster, namespace: Option<&Manifest>) -> Option<(Span, &'static str)> {
    if !cluster.in_mesh || cluster.cilium.minor < 19 {
        return None;
    }
    if let Some(note) = namespace.and_then(|object| written::annotation(object, &ANNOTATION)) {
        let local = written::said(&note).is_some_and(|said| said != "true");
        return local.then_some((note.value.span, "the namespace is not global"));
    }
    // 1.19 has no default to set. Source: its chart.
    let (span, said) = cluster.said(DEFAULT).filter(|_| cluster.cilium.minor >= 20)?;
    (said == false).then_some((span, "no namespace is global unless it says so"))
}
