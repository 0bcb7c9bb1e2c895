//! Services for the mesh in a namespace that is kept to its cluster.

use std::collections::BTreeMap;

use super::written::{self, Name};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::source::Span;
use crate::topology::{Cluster, ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a global or exported service in a namespace that is not global: its Namespace has
    /// the annotation `clustermesh.cilium.io/global` with another value than `true`, or Cilium is
    /// told `clustermesh.defaultGlobalNamespace: false` and no Namespace says otherwise. What
    /// `compile` writes by `createNamespace` says so by itself.
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
type Written<'a> = BTreeMap<&'a str, Vec<(ClusterSet, &'a Manifest)>>;

/// Reports each service for the first such cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut namespaces: Written<'_> = BTreeMap::new();
    for set in &topology.manifests {
        for object in set.objects.iter().filter(|object| object.is("", "Namespace")) {
            // The last one counts; those of one name share no cluster.
            let known = namespaces.entry(&object.name.value).or_default();
            known.retain_mut(|(clusters, _)| {
                *clusters = clusters.without(&set.clusters);
                !clusters.is_empty()
            });
            known.push((set.clusters.clone(), object));
        }
    }
    let unsaid = topology.clusters.iter().all(|cluster| cluster.said(DEFAULT).is_none());
    if namespaces.is_empty() && unsaid {
        return;
    }
    for service in topology.services.iter().filter(|s| s.global.is_some() || s.export) {
        let namespace = topology.namespace(service.namespace);
        let name = (namespace.name.value.as_str(), service.name.value.as_str());
        let clusters = service.clusters.or(&service.client_clusters);
        let one = Shared { name, span: service.name.span, made: namespace.create };
        report(topology, &namespaces, &one, &clusters, found);
    }
    let declared = written::declared(topology);
    for (name, copies) in written::objects(topology, "", "Service") {
        let global = |object| written::flag(object, &written::GLOBAL) == Some(true);
        let known = declared.contains_key(&name);
        for copy in copies.iter().filter(|copy| !known && global(copy.object)) {
            let one = Shared { name, span: copy.object.name.span, made: false };
            report(topology, &namespaces, &one, &copy.clusters, found);
        }
    }
}

/// A service for the mesh.
struct Shared<'a> {
    name: Name<'a>,
    span: Span,
    /// Whether compile writes its Namespace, and says in it that it is global.
    made: bool,
}

fn report(
    topology: &Topology,
    namespaces: &Written<'_>,
    service: &Shared<'_>,
    clusters: &ClusterSet,
    found: &mut Diagnostics,
) {
    let (namespace, name) = service.name;
    let known = namespaces.get(namespace).map_or(&[][..], |known| &known[..]);
    for id in clusters.iter() {
        let cluster = topology.cluster(id);
        let at = &cluster.name.value;
        let object = known.iter().find(|(clusters, _)| clusters.contains(id));
        let (place, label) = match kept(cluster, object.map(|(_, object)| *object)) {
            Kept::No => continue,
            Kept::Unknown if service.made => continue,
            Kept::Unknown => {
                let what = format!("whether the namespace `{namespace}` is global in `{at}`");
                let why = "its Namespace is not among the manifests";
                return found.not_checked(service.span, what, why);
            }
            Kept::Yes(span, label) => (span, label),
        };
        let message = if cluster.cilium.minor == 19 {
            format!("`{at}` offers `{name}` and hides the identities of its pods")
        } else {
            format!("`{at}` keeps `{name}` to itself: the namespace `{namespace}` is not global")
        };
        let help = "annotate the Namespace with `clustermesh.cilium.io/global: \"true\"`";
        let finding = Diagnostic::new(&LOCAL_NAMESPACE, service.span, message);
        return found.push(finding.related(place, label).help(help));
    }
}

/// Whether a namespace is kept to a cluster, where that is said, and how.
enum Kept {
    No,
    Yes(Span, &'static str),
    /// Its Namespace is not known, and would have to say that it is not.
    Unknown,
}

fn kept(cluster: &Cluster, namespace: Option<&Manifest>) -> Kept {
    if !cluster.in_mesh || cluster.cilium.minor < 19 {
        return Kept::No;
    }
    if let Some(note) = namespace.and_then(|object| written::annotation(object, &ANNOTATION)) {
        return match written::said(&note) {
            Some(said) if said != "true" => {
                Kept::Yes(note.value.span, "the namespace is not global")
            }
            _ => Kept::No,
        };
    }
    // 1.19 has no default to set. Source: its chart.
    match cluster.said(DEFAULT).filter(|_| cluster.cilium.minor >= 20) {
        Some((_, said)) if said == false && namespace.is_none() => Kept::Unknown,
        Some((span, said)) if said == false => {
            Kept::Yes(span, "no namespace is global unless it says so")
        }
        _ => Kept::No,
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::with_manifests;

    fn findings(cilium: &str, values: &str, annotations: &str) -> Vec<String> {
        let changes = [
            ("cilium: 1.19.6", &*format!("cilium: {cilium}")),
            ("  id: 1\n", &*format!("  id: 1\n  {values}\n")),
        ];
        let namespace = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n  {annotations}\n"
        );
        with_manifests("LB2046", &changes, &namespace, "")
    }

    #[test]
    fn a_namespace_is_global_unless_it_or_the_default_says_otherwise() {
        let local = "annotations: {clustermesh.cilium.io/global: \"false\"}";
        let global = "annotations: {clustermesh.cilium.io/global: \"True\"}";
        let off = "ciliumValues: {clustermesh: {defaultGlobalNamespace: false}}";
        let kept =
            "`use1` keeps `fraud-detection` to itself: the namespace `payments` is not global";
        let hidden = "`use1` offers `fraud-detection` and hides the identities of its pods";
        for (cilium, values, annotations, expected) in [
            ("1.20.2", "", "", None),
            ("1.20.2", "", global, None),
            ("1.20.2", off, global, None),
            ("1.18.12", "", local, None),
            ("1.20.2", "", local, Some(kept)),
            ("1.20.2", off, "", Some(kept)),
            ("1.19.6", "", local, Some(hidden)),
        ] {
            let found = findings(cilium, values, annotations);
            assert_eq!(found, Vec::from_iter(expected), "{cilium} {values} {annotations}");
        }
    }
}
