//! The ports that flows and policies know by a name alone, given to the pods that have them:
//! without a number nothing could be open or closed on them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::diagnostic::NotChecked;
use crate::policy::Protocol;
use crate::policy::rule::Which;
use crate::reach::declared::Free;
use crate::reach::{Mesh, Standing};
use crate::spec::ports::{Opening, PortRef, Ports};
use crate::topology::{Flow, PeerKind, Topology};

use super::intent::{Index, protocols};

/// Most names of ports in policies that pods which nobody declares are given.
const MOST: usize = 64;

/// A name of a port, which may stand for another number in each protocol.
type Name<'a> = (&'a str, Protocol);

/// Gives every pod that a flow calls on a port with a name such a port, and every pod that only
/// may be there one for each name in policies: what it calls its ports nobody says. A number is
/// the one that all who have the name give it, or else one that no policy names.
pub(super) fn add(mesh: &mut Mesh, topology: &Topology) {
    let flows: BTreeMap<u32, BTreeSet<Name<'_>>> = topology
        .flows
        .iter()
        .zip(0..)
        .map(|(flow, at)| (at, of_flow(flow)))
        .filter(|(_, names)| !names.is_empty())
        .collect();
    let said: BTreeSet<(String, Protocol)> =
        mesh.clusters.par_iter().flat_map_iter(of_policies).collect();
    if flows.is_empty() && said.is_empty() {
        return;
    }
    let called = flows.keys().flat_map(|at| {
        let peers = topology.flows[*at as usize].to.iter().zip(0..);
        let pods = peers.filter(|(peer, _)| !matches!(peer.kind, PeerKind::Service(_)));
        pods.map(move |(peer, index)| ((*at, index), peer))
    });
    let called = Index::new(topology, called);
    let wanted: BTreeSet<Name<'_>> = flows
        .values()
        .flatten()
        .copied()
        .chain(said.iter().take(MOST).map(|(name, protocol)| (&**name, *protocol)))
        .collect();
    let numbers = numbers(mesh, wanted);
    mesh.endpoints.par_iter_mut().for_each(|endpoint| {
        let possible = endpoint.standing == Standing::Possible;
        let roles = called.roles(&endpoint.identity, endpoint.cluster);
        let of_flows = roles.iter().flat_map(|role| &flows[&role.0]).copied();
        let of_policies = said.iter().filter(|_| possible).take(MOST);
        let of_policies = of_policies.map(|(name, protocol)| (&**name, *protocol));
        for (name, protocol) in of_flows.chain(of_policies).collect::<BTreeSet<_>>() {
            let own = endpoint.identity.ports.entry(name.to_owned()).or_default();
            if !own.iter().any(|port| port.0 == protocol) {
                own.insert((protocol, numbers[&(name, protocol)]));
            }
        }
    });
    if said.len() > MOST
        && let Some(member) = mesh.clusters.first()
    {
        mesh.unread.push(NotChecked {
            what: "ports with names of pods that nobody declares".to_owned(),
            why: format!("policies name more than {MOST} ports"),
            span: member.span,
        });
    }
}

/// The names of ports that a flow says. Containers that say no protocol mean TCP
/// (`ContainerPort` in `k8s.io/api/core/v1/types.go`).
fn of_flow(flow: &Flow) -> BTreeSet<Name<'_>> {
    let Some(Ports::Some(openings)) = &flow.ports else { return BTreeSet::new() };
    let named = openings.iter().filter_map(|opening| match opening {
        Opening::Port { port: PortRef::Name(name), protocol, .. } => {
            Some((name.as_str(), protocols(*protocol)[0]))
        }
        _ => None,
    });
    named.collect()
}

/// The names of ports that the policies of a cluster say.
fn of_policies(member: &crate::reach::Member) -> BTreeSet<(String, Protocol)> {
    let rules = member.policies.iter().flat_map(|written| &written.policy.rules);
    let ports = rules.flat_map(|rule| rule.ports.iter().flatten()).flat_map(|one| &one.ports);
    let named = ports.filter_map(|ports| match &ports.which {
        Which::Named(name) => Some((name.clone(), *ports.protocols.first()?)),
        Which::All | Which::Range(..) => None,
    });
    named.collect()
}

/// The number of each name.
fn numbers<'a>(mesh: &mut Mesh, wanted: BTreeSet<Name<'a>>) -> BTreeMap<Name<'a>, u16> {
    let mut known: BTreeMap<Name<'_>, BTreeSet<u16>> = BTreeMap::new();
    for (name, ports) in mesh.endpoints.iter().flat_map(|one| &one.identity.ports) {
        for (protocol, port) in ports {
            known.entry((name, *protocol)).or_default().insert(*port);
        }
    }
    let mut made: BTreeMap<&str, u16> = BTreeMap::new();
    let mut free = Free::new(mesh.clusters.iter().flat_map(|member| &member.policies));
    let taken = |port: &u16| mesh.unnumbered.contains_key(port);
    let number = |name: Name<'a>| {
        let agreed = known.get(&name).filter(|ports| ports.len() == 1);
        let agreed = agreed.and_then(|ports| ports.first().copied());
        let port = agreed.unwrap_or_else(|| {
            let own = mesh.unnumbered.iter().find(|(_, known)| **known == *name.0);
            let new = || (0..u16::MAX).map(|_| free.take()).find(|port| !taken(port));
            let port = || own.map(|(port, _)| *port).or_else(new).unwrap_or(u16::MAX);
            *made.entry(name.0).or_insert_with(port)
        });
        (name, port)
    };
    let numbers = wanted.into_iter().map(number).collect();
    let made = made.into_iter().map(|(name, port)| (port, name.to_owned()));
    mesh.unnumbered.extend(made.collect::<Vec<_>>());
    numbers
}

#[cfg(test)]
mod tests;
