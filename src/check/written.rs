//! Services and their company among the hand-written manifests, by the names under which the
//! clusters of a mesh find each other's.

use std::collections::BTreeMap;

use crate::manifest::{Manifest, Note};
use crate::spec::application::Manage;
use crate::topology::{ClusterSet, Service, Topology};
use crate::yaml::{Node, scalar};

/// The new name of each of Cilium's annotations with its old one. Source: `pkg/annotation/k8s.go`;
/// the old names are honoured up to 1.20, and the new one wins.
pub(super) const GLOBAL: [&str; 2] = ["service.cilium.io/global", "io.cilium/global-service"];
/// Whether a cluster offers its endpoints.
pub(super) const SHARED: [&str; 2] = ["service.cilium.io/shared", "io.cilium/shared-service"];
/// Which endpoints are preferred.
pub(super) const AFFINITY: [&str; 2] = ["service.cilium.io/affinity", "io.cilium/service-affinity"];
/// Whether EndpointSlices of other clusters are made; the old name is not read.
pub(super) const SYNC: [&str; 1] = ["service.cilium.io/global-sync-endpoint-slices"];

/// Namespace and name.
pub(super) type Name<'a> = (&'a str, &'a str);

/// An object with the members of the mesh that it is applied to.
#[derive(Clone, Debug)]
pub(super) struct Copy<'a> {
    /// The object.
    pub(super) object: &'a Manifest,
    /// The members of the mesh; none where it is applied to others only.
    pub(super) clusters: ClusterSet,
}

/// The objects of one kind by their names. Those that leave their namespace to whoever applies
/// them are not known by name.
pub(super) fn objects<'a>(
    topology: &'a Topology,
    group: &str,
    kind: &str,
) -> BTreeMap<Name<'a>, Vec<Copy<'a>>> {
    let mut all: BTreeMap<Name<'a>, Vec<Copy<'a>>> = BTreeMap::new();
    for set in &topology.manifests {
        let members = set.clusters.iter().filter(|id| topology.cluster(*id).in_mesh);
        let clusters: ClusterSet = members.collect();
        for object in set.objects.iter().filter(|object| object.is(group, kind)) {
            let Some(namespace) = &object.namespace else { continue };
            let name = (namespace.value.as_str(), object.name.value.as_str());
            let copy = Copy { object, clusters: clusters.clone() };
            all.entry(name).or_default().push(copy);
        }
    }
    all
}

/// The declared services by their names.
pub(super) fn declared(topology: &Topology) -> BTreeMap<Name<'_>, &Service> {
    topology
        .services
        .iter()
        .map(|service| {
            let namespace = topology.namespace(service.namespace);
            ((namespace.name.value.as_str(), service.name.value.as_str()), service)
        })
        .collect()
}

/// Whether compile writes a service's annotations, or knows of none of its own.
pub(super) fn annotated(service: &Service) -> bool {
    service.global.is_some() && service.manage != Manage::None
}

/// An annotation under its new name or, where that is missing, its old one.
pub(super) fn annotation<'a>(object: &'a Manifest, names: &[&str]) -> Option<Note<'a>> {
    names.iter().find_map(|name| object.annotations().find(|note| note.key == *name))
}

/// What an annotation says, in small letters; nothing where a variable hides it.
pub(super) fn said(note: &Note<'_>) -> Option<String> {
    let text = note.value.text()?;
    (!text.contains("${")).then(|| text.to_ascii_lowercase())
}

/// Whether an annotation says `true`; nothing where it cannot be known.
pub(super) fn flag(object: &Manifest, names: &[&str]) -> Option<bool> {
    match annotation(object, names) {
        None => Some(false),
        Some(note) => said(&note).map(|said| said == "true"),
    }
}

/// Whether a Service offers its endpoints to other clusters, if it is global: unless it says
/// otherwise. Nothing where it cannot be known.
pub(super) fn shares(object: &Manifest) -> Option<bool> {
    match annotation(object, &SHARED) {
        None => Some(true),
        Some(note) => said(&note).map(|said| said == "true"),
    }
}

/// Whether a Service has no address of its own.
pub(super) fn headless(object: &Manifest) -> bool {
    object.at(&["spec", "clusterIP"]).and_then(Node::text) == Some("None")
}

/// Whether a value is text to the API server, which refuses any other value of an annotation.
pub(super) fn is_text(node: &Node) -> bool {
    match &node.value {
        crate::yaml::Value::Scalar(written) => {
            !written.plain
                || written.tag.is_some()
                || matches!(scalar::go(&written.text), scalar::Resolved::Text)
        }
        crate::yaml::Value::Sequence(_) | crate::yaml::Value::Mapping(_) => false,
    }
}

/// The names of clusters in backquotes, at most three of them.
pub(super) fn names(topology: &Topology, clusters: &ClusterSet) -> String {
    let all: Vec<_> =
        clusters.iter().map(|id| format!("`{}`", topology.cluster(id).name.value)).collect();
    match &all[..] {
        [] => "no cluster".to_owned(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, second, third] => format!("{first}, {second} and {third}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}
