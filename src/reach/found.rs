//! The mesh that plain manifests are, without a topology.
//!
//! Every cluster is joined with every other one. What an object leaves unsaid is what the API
//! server would make of it; what nobody says (the version of Cilium, the labels of a namespace
//! that is not among the objects) is said to be assumed, or not checked.

pub mod files;
pub mod settings;

mod endpoints;
mod kustomization;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::mesh::{Endpoint, Member, Mesh};
use super::objects::{self, Objects, Unplaced};
use super::service::{self, Service};
use crate::diagnostic::NotChecked;
use crate::manifest::Manifest;
use crate::policy::label::NAMESPACE_LABELS;
use crate::policy::rule::{Peer, Peers};
use crate::policy::{Policy, Selector, Semantics};
use crate::source::Span;
use crate::topology::ClusterId;
use crate::yaml::Node;
use crate::yaml::json::json;
use settings::Because;

/// The label that every namespace has (Kubernetes, "Namespaces", Automatic labelling).
const OWN_NAME: &str = "kubernetes.io/metadata.name";
/// Most names that are listed in a reason.
const MAX_NAMES: usize = 3;

/// A cluster as its objects are.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Where its objects begin.
    pub span: Span,
    /// Its objects.
    pub objects: Vec<Manifest>,
    /// The version of its Cilium, if somebody says it.
    pub version: Option<Version>,
}

/// What is among the objects of some clusters.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The clusters with their policies, and everyone in them.
    pub mesh: Mesh,
    /// The Services, as the clients of each cluster see them.
    pub services: Vec<Service>,
    /// How the version of each cluster's Cilium is known.
    pub because: Vec<Because>,
}

/// Why some clusters are no mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong, as a phrase.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// Makes a mesh of the objects of clusters.
///
/// # Errors
/// Where a cluster calls itself otherwise, or its Cilium is not known.
pub fn mesh(clusters: &[Cluster]) -> Result<Found, Refused> {
    let mut found = Found::default();
    let mut unlabelled = Vec::new();
    let joined = (0..clusters.len()).map(ClusterId::new);
    for (at, cluster) in clusters.iter().enumerate() {
        let mut unread = Vec::new();
        let (semantics, because) = semantics(cluster)?;
        let distinct = distinct(&cluster.objects, &mut unread);
        let known = Objects::read(distinct.iter().copied(), Unplaced::Default);
        let policies = objects::policies(&known.policies, &semantics, &known.known());
        let id = ClusterId::new(at);
        let endpoints = endpoints::endpoints(id, &distinct, &known, &semantics);
        let labelled: BTreeSet<&str> = known.namespaces.keys().map(String::as_str).collect();
        unlabelled.extend(self::unlabelled(cluster, &endpoints, &labelled));
        unread.extend(known.unread);
        if cluster.objects.is_empty() {
            let what = format!("the cluster `{}`", cluster.name);
            let why = "there is no Kubernetes object that could be read".to_owned();
            unread.push(NotChecked { what, why, span: cluster.span });
        }
        found.mesh.endpoints.extend(endpoints);
        found.mesh.unread.extend(unread);
        found.because.push(because);
        found.mesh.clusters.push(Member {
            name: cluster.name.clone(),
            span: cluster.span,
            semantics,
            joined: joined.clone().collect(),
            policies,
        });
    }
    let policies = found.mesh.clusters.iter().flat_map(|member| &member.policies);
    if policies.map(|written| &*written.policy).any(asks_for_namespace_labels) {
        found.mesh.unread.extend(unlabelled);
    }
    let lists: Vec<&[Manifest]> = clusters.iter().map(|known| &*known.objects).collect();
    found.services = service::found(&lists, &found.mesh);
    Ok(found)
}

/// How a cluster's Cilium reads policies, and how that is known.
fn semantics(cluster: &Cluster) -> Result<(Semantics, Because), Refused> {
    let name = &cluster.name;
    let config = settings::config(&cluster.objects);
    let own = config.and_then(|config| config.at(&["data", "cluster-name"]));
    let own = own.and_then(Node::text).filter(|own| own != name);
    let own = own.or_else(|| {
        let mut said = cluster.objects.iter().filter_map(endpoints::says_cluster);
        said.find(|said| said != name)
    });
    if let Some(own) = own {
        let why = format!("the objects of `{name}` say that the cluster is called `{own}`");
        let help = format!("call it so, as policies do: `--manifests {own}=…`");
        return Err(Refused { why, help });
    }
    let seen = settings::running(&cluster.objects);
    let seen = seen.map(|tag| settings::version(&tag).map_err(|_| tag)).transpose();
    let (version, because) = match (&cluster.version, seen) {
        (Some(version), _) => (version.clone(), Because::Said),
        (None, Ok(Some(version))) => (version, Because::Seen),
        (None, Ok(None)) => (settings::newest(), Because::Assumed),
        (None, Err(tag)) => {
            let why = format!("`{name}` runs Cilium `{tag}`, whose policy engine is not known");
            let help = format!("name the version to read it as: `--cilium {name}=1.16`");
            return Err(Refused { why, help });
        }
    };
    let refused = || Refused {
        why: format!("the policy engine of Cilium {version} is not known"),
        help: "name another version with `--cilium`".to_owned(),
    };
    let settings = settings::settings(name, config);
    let semantics = Semantics::new(version.clone(), settings).ok_or_else(refused)?;
    Ok((semantics, because))
}

/// The objects, each once. Of two with one name only one can be there, and which is not known.
fn distinct<'a>(objects: &'a [Manifest], unread: &mut Vec<NotChecked>) -> Vec<&'a Manifest> {
    let mut seen: BTreeMap<_, &Manifest> = BTreeMap::new();
    let mut kept = Vec::new();
    for object in objects {
        let namespace = object.namespace.as_ref().map(|known| known.value.as_str());
        let key = (object.group(), &object.kind.value, namespace, &object.name.value);
        let Some(first) = seen.get(&key) else {
            seen.insert(key, object);
            kept.push(object);
            continue;
        };
        if json(&first.node) != json(&object.node) {
            let what = format!("a second {}", object.describe());
            let why = "another one of this name is read, and only one can be there".to_owned();
            unread.push(NotChecked { what, why, span: object.name.span });
        }
    }
    kept
}

/// Says which namespaces have no Namespace among the objects, so that their labels are not known.
fn unlabelled(
    cluster: &Cluster,
    endpoints: &[Endpoint],
    labelled: &BTreeSet<&str>,
) -> Option<NotChecked> {
    let noted = |endpoint: &Endpoint| {
        let own = format!("{NAMESPACE_LABELS}.{OWN_NAME}");
        let of_namespace = |label: &crate::policy::Label| {
            label.key.starts_with(NAMESPACE_LABELS) && *label.key != *own
        };
        endpoint.identity.labels.iter().any(of_namespace)
    };
    let unknown = endpoints.iter().filter(|endpoint| !noted(endpoint));
    let unknown: BTreeSet<&str> = unknown
        .filter_map(|endpoint| endpoint.identity.namespace())
        .filter(|name| !labelled.contains(name))
        .collect();
    if unknown.is_empty() {
        return None;
    }
    let names: Vec<_> = unknown.iter().take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
    let more = unknown.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(NotChecked {
        what: format!("what policies say of namespaces' labels in `{}`", cluster.name),
        why: format!("the Namespace of {}{more} is not among the objects", names.join(", ")),
        span: cluster.span,
    })
}

/// Whether a policy tells namespaces apart by other labels than their name.
fn asks_for_namespace_labels(policy: &Policy) -> bool {
    let own = format!("{NAMESPACE_LABELS}.{OWN_NAME}");
    let asks = |selector: &Selector| {
        let mut keys = selector.requirements().map(|known| &*known.key.key);
        keys.any(|key| key.starts_with(NAMESPACE_LABELS) && *key != *own)
    };
    policy.rules.iter().any(|rule| {
        let peers = match &rule.peers {
            Peers::Of(peers) => &peers[..],
            Peers::Nobody | Peers::Unsaid => &[],
        };
        asks(&rule.subject)
            || rule.requires.iter().any(asks)
            || peers.iter().any(|peer| match peer {
                Peer::Labels { selector, .. } => asks(selector),
                Peer::Cidr { .. } | Peer::Groups(_) | Peer::Name(_) => false,
            })
    })
}

#[cfg(test)]
mod tests;
