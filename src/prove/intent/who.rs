//! Which peers of flows a pod is, found by its labels.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::policy::label::{NAMESPACE_LABELS, SERVICE_ACCOUNT, Source};
use crate::policy::{Identity, Protocol};
use crate::reach::Mesh;
use crate::topology::pods::{NAMESPACE_NAME, Pods};
use crate::topology::{ClusterId, ClusterSet, Peer, Topology};

use super::Role;

/// What a pod must have to be meant, as Cilium labels pods.
#[derive(Clone, Debug)]
pub(in crate::prove) struct Terms<'a> {
    /// Its namespace.
    pub(in crate::prove) namespace: Option<&'a str>,
    /// Its labels.
    pub(in crate::prove) labels: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Terms<'a> {
    /// The terms of a peer; nothing where it is no pods, or no pod can be it.
    pub(in crate::prove) fn of(topology: &'a Topology, peer: &'a Peer) -> Option<Self> {
        let pods = Pods::of(topology, peer)?;
        if pods.is_nobody() {
            return None;
        }
        let mut namespace = pods.namespace;
        let mut labels: Vec<(Cow<'a, str>, &str)> =
            pods.labels.iter().map(|(key, value)| (Cow::from(*key), *value)).collect();
        for (key, value) in pods.namespace_labels {
            if key == NAMESPACE_NAME {
                namespace = Some(value);
            } else {
                labels.push((Cow::from(format!("{NAMESPACE_LABELS}.{key}")), value));
            }
        }
        labels.extend(pods.accounts.iter().map(|name| (Cow::from(SERVICE_ACCOUNT), *name)));
        Some(Self { namespace, labels })
    }

    /// Whether a pod has it all.
    pub(in crate::prove) fn fit(&self, identity: &Identity) -> bool {
        let namespace = || identity.namespace();
        self.namespace.is_none_or(|name| namespace() == Some(name))
            && self.labels.iter().all(|(key, value)| {
                identity.labels.iter().any(|label| {
                    label.source == Source::K8s && *label.key == **key && *label.value == **value
                })
            })
    }
}

type Place<'a> = (Option<Cow<'a, str>>, Option<(Cow<'a, str>, Cow<'a, str>)>);

/// The peers of one side of all flows, by their namespace and the rarest of their labels.
#[derive(Debug)]
pub(in crate::prove) struct Index<'a> {
    known: BTreeMap<Place<'a>, Vec<(Role, Terms<'a>, &'a ClusterSet)>>,
}

impl<'a> Index<'a> {
    pub(in crate::prove) fn new(
        topology: &'a Topology,
        peers: impl Iterator<Item = (Role, &'a Peer)>,
    ) -> Self {
        let all: Vec<(Role, Terms<'a>, &ClusterSet)> = peers
            .filter_map(|(role, peer)| Some((role, Terms::of(topology, peer)?, &peer.clusters)))
            .collect();
        let mut counts: BTreeMap<(Cow<'a, str>, &str), usize> = BTreeMap::new();
        for pair in all.iter().flat_map(|(_, terms, _)| &terms.labels) {
            *counts.entry(pair.clone()).or_default() += 1;
        }
        let mut known: BTreeMap<Place<'a>, Vec<_>> = BTreeMap::new();
        for (role, terms, clusters) in all {
            let rarest = terms.labels.iter().min_by_key(|pair| counts.get(*pair).copied());
            let rarest = rarest.map(|(key, value)| (key.clone(), Cow::from(*value)));
            let place = (terms.namespace.map(Cow::from), rarest);
            known.entry(place).or_default().push((role, terms, clusters));
        }
        Self { known }
    }

    /// The roles of a pod, sorted.
    pub(in crate::prove) fn roles(&self, identity: &Identity, cluster: ClusterId) -> Vec<Role> {
        let mut roles = Vec::new();
        let namespace = identity.namespace();
        let places = [None, namespace];
        for place in &places[..if namespace.is_some() { 2 } else { 1 }] {
            let labels = identity.labels.iter().filter(|label| label.source == Source::K8s);
            let labels =
                labels.map(|label| Some((Cow::from(&*label.key), Cow::from(&*label.value))));
            for label in labels.chain([None]) {
                let key: Place<'_> = (place.map(Cow::from), label);
                let Some(known) = get(&self.known, &key) else { continue };
                let fit = known.iter().filter(|(_, terms, clusters)| {
                    clusters.contains(cluster) && terms.fit(identity)
                });
                roles.extend(fit.map(|(role, ..)| *role));
            }
        }
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}

/// Looks up with a key that lives shorter than those of the map.
fn get<'m, 'k, V>(map: &'m BTreeMap<Place<'k>, V>, key: &Place<'k>) -> Option<&'m V> {
    map.get(key)
}

/// The numbers of the ports that pods of the mesh give names.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, BTreeSet<(Protocol, u16)>>);

impl Names {
    /// Those of a mesh.
    pub fn of(mesh: &Mesh) -> Self {
        let mut names: BTreeMap<String, BTreeSet<(Protocol, u16)>> = BTreeMap::new();
        for (name, ports) in mesh.endpoints.iter().flat_map(|known| &known.identity.ports) {
            names.entry(name.clone()).or_default().extend(ports);
        }
        Self(names)
    }

    /// The ports of a name, whichever pod has it.
    pub fn get(&self, name: &str) -> impl Iterator<Item = (Protocol, u16)> {
        self.0.get(name).into_iter().flatten().copied()
    }
}
