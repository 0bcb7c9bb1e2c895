//! The pods that flows and guards speak of and nobody declares as workloads: without them a flow
//! whose policy is missing would have nobody to be missed by.

use std::collections::BTreeSet;

use crate::policy::Labels;
use crate::policy::label::{CLUSTER, NAMESPACE};
use crate::reach::{Endpoint, Mesh, possible};
use crate::topology::{ClusterId, Peer, PeerKind, Topology};

use super::intent::Terms;

/// The namespace of pods that may be in any.
const ANOTHER: &str = "another";

/// Adds a pod for each peer of flows and guards that is no workload, in each of its clusters, and
/// the DNS of each. Says by which labels flows and guards tell pods apart: where no policy names
/// them, pods with and without them are not the same.
pub(super) fn add(mesh: &mut Mesh, topology: &Topology) -> BTreeSet<Box<str>> {
    let mut keys: BTreeSet<Box<str>> = BTreeSet::from([NAMESPACE.into(), CLUSTER.into()]);
    let mut made = Made { seen: BTreeSet::new(), added: Vec::new() };
    let known = |endpoint: &Endpoint| (endpoint.cluster, endpoint.identity.labels.clone());
    made.seen.extend(mesh.endpoints.iter().map(known));
    let mut asked = BTreeSet::new();
    let flows = topology.flows.iter().flat_map(|flow| flow.from.iter().chain(&flow.to));
    let rules = topology.guards.iter().flat_map(|guard| &guard.rules);
    let guarded = rules.flat_map(|rule| rule.from.iter().chain(&rule.to));
    for peer in flows.chain(guarded) {
        let Some(terms) = Terms::of(topology, peer) else { continue };
        keys.extend(terms.labels.iter().map(|(key, _)| Box::from(&**key)));
        let whole = matches!(peer.kind, PeerKind::Workload(_) | PeerKind::Service(_))
            && peer.labels.is_empty()
            && peer.service_account.is_none();
        if whole {
            continue;
        }
        // Where a declared namespace is not, none of its pods are.
        let named = terms.namespace.and_then(|name| {
            let at = topology.namespaces.binary_search_by(|n| n.name.value.as_str().cmp(name));
            Some(&topology.namespaces[at.ok()?].clusters)
        });
        let there = |id: &ClusterId| named.is_none_or(|clusters| clusters.contains(*id));
        for cluster in peer.clusters.iter().filter(there) {
            let new = asked.insert((cluster, terms.namespace, terms.labels.clone()));
            if new && !mesh.cluster(cluster).joined.is_empty() {
                made.pods(mesh, topology, cluster, peer, &terms);
            }
        }
    }
    for (id, cluster) in topology.clusters() {
        let dns = &cluster.dns;
        let labels = dns.selector.iter().map(|(key, value)| (key.as_str().into(), value.as_str()));
        let terms = Terms { namespace: Some(&dns.namespace), labels: labels.collect() };
        keys.extend(dns.selector.iter().map(|(key, _)| Box::from(key.as_str())));
        made.pod(mesh, id, &dns.namespace, &terms);
    }
    mesh.endpoints.extend(made.added);
    keys
}

struct Made {
    seen: BTreeSet<(ClusterId, Labels)>,
    added: Vec<Endpoint>,
}

impl Made {
    /// A capability's pods may be in any namespace: in each declared one, and in another.
    fn pods(
        &mut self,
        mesh: &Mesh,
        topology: &Topology,
        cluster: ClusterId,
        peer: &Peer,
        terms: &Terms<'_>,
    ) {
        if let Some(namespace) = terms.namespace {
            return self.pod(mesh, cluster, namespace, terms);
        }
        self.pod(mesh, cluster, ANOTHER, terms);
        if let PeerKind::Capability(_) = peer.kind {
            for namespace in topology.namespaces.iter().filter(|n| n.clusters.contains(cluster)) {
                self.pod(mesh, cluster, &namespace.name.value, terms);
            }
        }
    }

    fn pod(&mut self, mesh: &Mesh, cluster: ClusterId, namespace: &str, terms: &Terms<'_>) {
        let labels: Vec<(&str, &str)> =
            terms.labels.iter().map(|(key, value)| (&**key, *value)).collect();
        let identity = possible::identity(&mesh.cluster(cluster).name, namespace, &labels, []);
        if self.seen.insert((cluster, identity.labels.clone())) {
            self.added.push(possible::endpoint(cluster, namespace, &labels, identity));
        }
    }
}
