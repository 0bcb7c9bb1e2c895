//! What one end says of every peer: one thing of most, and something else of a few.
//!
//! A peer that no selector of the rules about an endpoint selects is to it as any other such peer.
//! So the whole matrix takes the time and the space of those that rules speak of, not of all pairs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::engine::{Party, Reach};
use super::mesh::{EndpointId, Mesh};
use crate::policy::rule::{Peer, Peers, Which};
use crate::policy::{Direction, Opening, Rule, Selector, Semantics};

/// Most pairs of an endpoint and a peer that are kept, so that a hostile repository ends.
const MOST_PAIRS: usize = 50_000_000;
/// Up to so many peers a profile says of each what it says, however many are alike: rows then name
/// those who are let through, and not those who are not.
const FEW: usize = 256;

/// Rules that speak of too many pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// What one end says of every peer.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// What it says of a peer that is not special.
    base: Opening,
    /// The others, sorted, with an index into the openings.
    special: Vec<(EndpointId, u32)>,
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
    ///
    /// # Errors
    /// Where rules speak of too many pairs.
    pub fn new(reach: &Reach<'_>) -> Result<Self, TooLarge> {
        let pairs = AtomicUsize::new(0);
        let all = |direction| -> Vec<Profile> {
            let count = u32::try_from(reach.mesh().endpoints.len());
            let count = count.expect("internal error: 2^32 endpoints");
            let ids = (0..count).into_par_iter().map(EndpointId);
            ids.map(|id| {
                if pairs.load(Ordering::Relaxed) > MOST_PAIRS {
                    return Profile::default();
                }
                let profile = Profile::new(reach, id, direction);
                pairs.fetch_add(profile.special.len(), Ordering::Relaxed);
                profile
            })
            .collect()
        };
        let (ingress, egress) = (all(Direction::Ingress), all(Direction::Egress));
        if pairs.into_inner() > MOST_PAIRS {
            return Err(TooLarge);
        }
        Ok(Self { ingress, egress })
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
        let spoken = spoken(reach, id, direction);
        let peers = spoken.chunk_by(|one, other| one.0 == other.0);
        let mut known: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
        let mut openings: Vec<Opening> = Vec::new();
        let mut special: Vec<(EndpointId, u32)> = Vec::new();
        for rules in peers {
            let Some((peer, _)) = rules.first() else { continue };
            let class = rules.iter().map(|(_, rule)| *rule).collect();
            let at = *known.entry(class).or_insert_with(|| {
                let opening = end(*peer);
                let same = openings.iter().position(|one| *one == opening);
                let at = same.unwrap_or(openings.len());
                if same.is_none() {
                    openings.push(opening);
                }
                u32::try_from(at).expect("internal error: 2^32 rules")
            });
            special.push((*peer, at));
        }
        let mut left = special.iter().map(|(peer, _)| *peer).peekable();
        let mut others = mesh.endpoints().map(|(id, _)| id);
        let other = others.find(|id| left.next_if_eq(id).is_none());
        let mut base = other.map_or(Opening::closed(), end);
        if special.len() > FEW {
            let mut counts = vec![0_usize; openings.len()];
            for (_, at) in &special {
                counts[*at as usize] += 1;
            }
            let rest = mesh.endpoints.len() - special.len();
            let most = counts.iter().zip(&openings).max_by_key(|(count, _)| **count);
            if let Some((_, opening)) = most.filter(|(count, _)| **count > rest) {
                let before = std::mem::replace(&mut base, opening.clone());
                special = beside(mesh, special, &mut openings, before);
            }
        }
        special.retain(|(_, at)| openings[*at as usize] != base);
        Self { base, special, openings }
    }

    /// What it says of a peer that is not special.
    pub fn base(&self) -> &Opening {
        &self.base
    }

    /// The peers of which it says something else.
    pub fn special(&self) -> impl Iterator<Item = EndpointId> {
        self.special.iter().map(|(peer, _)| *peer)
    }

    /// What it says of a peer.
    pub fn toward(&self, peer: EndpointId) -> &Opening {
        let at = self.special.binary_search_by_key(&peer, |(known, _)| *known);
        at.map_or(&self.base, |at| &self.openings[self.special[at].1 as usize])
    }
}

/// All peers, those that are not among some with what is said of them.
fn beside(
    mesh: &Mesh,
    some: Vec<(EndpointId, u32)>,
    openings: &mut Vec<Opening>,
    rest: Opening,
) -> Vec<(EndpointId, u32)> {
    openings.push(rest);
    let last = u32::try_from(openings.len() - 1).expect("internal error: 2^32 rules");
    let mut some = some.into_iter().peekable();
    let all = mesh.endpoints().map(|(id, _)| id);
    all.map(|id| some.next_if(|known| known.0 == id).unwrap_or((id, last))).collect()
}

/// Every peer that a rule speaks of, with the rule; sorted. Where what a rule says of a peer
/// depends on more than its selectors, that is every peer, each with a number of its own.
fn spoken(reach: &Reach<'_>, id: EndpointId, direction: Direction) -> Vec<(EndpointId, u32)> {
    let mesh = reach.mesh();
    let subject = reach.subject(id, direction);
    let semantics = &mesh.cluster(mesh.endpoint(id).cluster).semantics;
    if subject.rules().iter().any(|rule| is_irregular(rule, direction, semantics)) {
        return mesh.endpoints().map(|(id, _)| (id, id.0)).collect();
    }
    let mut spoken = Vec::new();
    for (at, rule) in (0..).zip(subject.rules()) {
        for selector in rule.peers.selectors() {
            spoken.extend(reach.selected(selector).into_iter().map(|peer| (peer, at)));
        }
    }
    spoken.sort_unstable();
    spoken.dedup();
    spoken
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
