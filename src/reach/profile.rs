//! What one end says of every peer: one thing of most, and something else of a few.
//!
//! A peer that no selector of the rules about an endpoint selects is to it as any other such peer.
//! So the whole matrix takes the time and the space of those that rules speak of, not of all pairs.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::engine::{Party, Reach};
use super::mesh::EndpointId;
use crate::policy::rule::{Peer, Peers, Which};
use crate::policy::{Direction, Opening, Rule, Selector, Semantics};

/// What one end says of every peer.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What it says of a peer that no rule speaks of.
    base: Opening,
    /// The others.
    special: BTreeMap<EndpointId, u32>,
    openings: Vec<Opening>,
}

/// What every endpoint says of its peers, in both directions.
#[derive(Clone, Debug)]
pub struct Profiles {
    ingress: Vec<Profile>,
    egress: Vec<Profile>,
}

impl Profiles {
    /// Asks every endpoint.
    pub fn new(reach: &Reach<'_>) -> Self {
        let all = |direction| {
            let count = u32::try_from(reach.mesh().endpoints.len());
            let count = count.expect("internal error: 2^32 endpoints");
            let ids = (0..count).into_par_iter().map(EndpointId);
            ids.map(|id| Profile::new(reach, id, direction)).collect()
        };
        Self { ingress: all(Direction::Ingress), egress: all(Direction::Egress) }
    }

    /// That of an endpoint.
    pub fn of(&self, id: EndpointId, direction: Direction) -> &Profile {
        match direction {
            Direction::Ingress => &self.ingress[id.index()],
            Direction::Egress => &self.egress[id.index()],
        }
    }
}

impl Profile {
    fn new(reach: &Reach<'_>, id: EndpointId, direction: Direction) -> Self {
        let mesh = reach.mesh();
        let end = |peer| reach.end(id, direction, Party::Endpoint(peer));
        let subject = reach.subject(id, direction);
        let semantics = &mesh.cluster(mesh.endpoint(id).cluster).semantics;
        let mut classes: BTreeMap<EndpointId, BTreeSet<usize>> = BTreeMap::new();
        let irregular = subject.rules().iter().any(|rule| is_irregular(rule, direction, semantics));
        if irregular {
            // Each peer is one of its own.
            classes = mesh.endpoints().map(|(id, _)| (id, BTreeSet::from([id.index()]))).collect();
        } else {
            for (at, rule) in subject.rules().iter().enumerate() {
                for selector in rule.peers.selectors() {
                    for peer in reach.selected(selector) {
                        classes.entry(peer).or_default().insert(at);
                    }
                }
            }
        }
        let mut other = mesh.endpoints().map(|(id, _)| id).filter(|id| !classes.contains_key(id));
        let base = other.next().map_or(Opening::closed(), end);
        let mut known: BTreeMap<&BTreeSet<usize>, u32> = BTreeMap::new();
        let mut openings: Vec<Opening> = Vec::new();
        let mut special = BTreeMap::new();
        for (peer, class) in &classes {
            let at = *known.entry(class).or_insert_with(|| {
                let opening = end(*peer);
                let same = openings.iter().position(|one| *one == opening);
                let at = same.unwrap_or(openings.len());
                if same.is_none() {
                    openings.push(opening);
                }
                u32::try_from(at).expect("internal error: 2^32 rules")
            });
            if openings[at as usize] != base {
                special.insert(*peer, at);
            }
        }
        Self { base, special, openings }
    }

    /// What it says of a peer that no rule speaks of.
    pub fn base(&self) -> &Opening {
        &self.base
    }

    /// The peers of which it says something else.
    pub fn special(&self) -> impl Iterator<Item = EndpointId> {
        self.special.keys().copied()
    }

    /// What it says of a peer.
    pub fn toward(&self, peer: EndpointId) -> &Opening {
        self.special.get(&peer).map_or(&self.base, |at| &self.openings[*at as usize])
    }
}

/// Whether what a rule says of a peer depends on more than whether its selectors select it.
fn is_irregular(rule: &Rule, direction: Direction, semantics: &Semantics) -> bool {
    let aggregates =
        || semantics.aggregates() && rule.peers.selectors().any(Selector::selects_aggregates);
    let by_address = || {
        let cidr = |peer: &Peer| matches!(peer, Peer::Cidr { .. });
        semantics.cidr_matches_pods()
            && matches!(&rule.peers, Peers::Of(peers) if peers.iter().any(cidr))
    };
    let named = || {
        let ports = rule.ports.iter().flatten().flat_map(|known| &known.ports);
        direction == Direction::Egress
            && semantics.names_ports_per_peer()
            && ports.into_iter().any(|port| matches!(port.which, Which::Named(_)))
    };
    !rule.requires.is_empty() || aggregates() || by_address() || named()
}
