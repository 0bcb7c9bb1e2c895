//! The rules of one half of a flow in one cluster.

use serde_json::{Map, Value};

use super::{Context, Side, home, peers, ports};
use crate::spec::ports::Ports;
use crate::topology::{ClusterId, ClusterSet, Flow, HttpMatch, Peer};

/// For each peer on the other side of a half the clusters whose pods are meant, of those that this
/// one's pods can reach; nothing for a peer that is not there.
pub(super) fn others(
    context: &Context<'_>,
    flow: &Flow,
    side: Side,
    subject: &Peer,
) -> Vec<Option<ClusterSet>> {
    let others = match side {
        Side::Egress => &flow.to,
        Side::Ingress => &flow.from,
    };
    let found = |other: &Peer, id: ClusterId| match side {
        Side::Egress => context.topology.finds(other, context.id, id),
        Side::Ingress => context.topology.finds(subject, id, context.id),
    };
    let clusters = |other: &Peer| {
        if other.kind.is_pods() {
            let reached = other.clusters.and(context.joined);
            return Some(reached.iter().filter(|id| found(other, *id)).collect());
        }
        other.clusters.contains(context.id).then(ClusterSet::new)
    };
    others.iter().map(clusters).collect()
}

/// What callers in this cluster may send.
pub(super) fn egress(
    context: &Context<'_>,
    flow: &Flow,
    others: &[Option<ClusterSet>],
) -> Vec<Value> {
    let mut rules = Rules::default();
    for (called, clusters) in flow.to.iter().zip(others) {
        let Some(clusters) = clusters else { continue };
        let Some(opened) = ports::opened(context.topology, flow, called) else { continue };
        // Requests are compared where they are answered, once; here only if they are not there.
        // A capability's pods may be anywhere, and where nothing isolates them HTTP rules let
        // every request through (`createL4Filter` in Cilium's `pkg/policy/l4.go`).
        let answered = matches!(home(context.topology, called, Side::Ingress), Some(Some(_)));
        let requests = if answered { &[] } else { &flow.http[..] };
        for (key, items) in peers::lists(context, Side::Egress, called, clusters) {
            rules.add(key, items, &opened, requests);
        }
    }
    rules.finish()
}

/// What the pods of `called` in this cluster may receive.
pub(super) fn ingress(
    context: &Context<'_>,
    flow: &Flow,
    called: &Peer,
    others: &[Option<ClusterSet>],
) -> Vec<Value> {
    let Some(opened) = ports::opened(context.topology, flow, called) else { return Vec::new() };
    let mut rules = Rules::default();
    for (caller, clusters) in flow.from.iter().zip(others) {
        let Some(clusters) = clusters else { continue };
        for (key, items) in peers::lists(context, Side::Ingress, caller, clusters) {
            rules.add(key, items, &opened, &flow.http);
        }
    }
    rules.finish()
}

/// Rules in the making: peers of one kind on the same ports share a rule.
#[derive(Default)]
struct Rules<'a> {
    groups: Vec<Group<'a>>,
}

struct Group<'a> {
    key: &'static str,
    peers: Vec<Value>,
    ports: Ports,
    requests: &'a [HttpMatch],
}

impl<'a> Rules<'a> {
    fn add(
        &mut self,
        key: &'static str,
        peers: Vec<Value>,
        ports: &Ports,
        requests: &'a [HttpMatch],
    ) {
        let same = |group: &&mut Group<'_>| {
            group.key == key && group.ports == *ports && group.requests == requests
        };
        let Some(group) = self.groups.iter_mut().find(same) else {
            self.groups.push(Group { key, peers, ports: ports.clone(), requests });
            return;
        };
        for peer in peers {
            if !group.peers.contains(&peer) {
                group.peers.push(peer);
            }
        }
    }

    fn finish(self) -> Vec<Value> {
        let mut rules = Vec::new();
        for Group { key, mut peers, ports, requests } in self.groups {
            let mut tails = ports::tails(&ports, requests).into_iter().peekable();
            while let Some(tail) = tails.next() {
                let last = tails.peek().is_none();
                let own = if last { std::mem::take(&mut peers) } else { peers.clone() };
                let mut rule = Map::with_capacity(2);
                rule.insert(key.to_owned(), own.into());
                rule.extend(tail);
                rules.push(rule.into());
            }
        }
        rules
    }
}
