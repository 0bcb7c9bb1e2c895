//! The ends of flows that differ between two versions, and the pairs that they are part of.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::policy::rule::{L7, Peer, Rule};
use crate::policy::{Direction, Opening, Semantics};
use crate::reach::{Admitted, EndpointId, Mesh, Party, Reach};
use crate::topology::ClusterId;
use crate::upgrade::cause::{CAUSES, Cause, excludes_only, names_egress_port};
use crate::upgrade::policies::{Fate, PolicyChange};

/// A pod as the source or the target of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) endpoint: EndpointId,
    /// Egress for a source.
    pub(super) direction: Direction,
}

/// Two states of a mesh, with the ends that differ.
pub(super) struct Ends<'r, 'm> {
    pub(super) before: &'r Reach<'m>,
    pub(super) after: &'r Reach<'m>,
    changed: Vec<End>,
}

/// Whom ends of one direction admit, seen from the peers.
#[derive(Debug, Default)]
struct Inverse {
    /// The ends that may admit everyone.
    everyone: Vec<EndpointId>,
    /// Of each endpoint, the ends that admit it.
    of: Vec<Vec<EndpointId>>,
}

/// Whether any end may differ: whether a policy reads or means otherwise, or pods without rules
/// are treated otherwise.
pub(super) fn may_differ(
    before: &Mesh,
    after: &Mesh,
    moved: &[ClusterId],
    policies: &[PolicyChange],
) -> bool {
    policies.iter().any(|change| change.fate != Fate::Remarked)
        || moved.iter().any(|id| {
            let (old, new) = (before.cluster(*id), after.cluster(*id));
            unselected(&old.semantics, &new.semantics).is_some()
                || old.policies.len() != new.policies.len()
        })
}

/// The change that concerns endpoints without rules, if two versions differ in it.
pub(super) fn unselected(before: &Semantics, after: &Semantics) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.is_about_the_unselected() && cause.differs(before, after))
}

/// What two versions look up otherwise, when rules read the same.
struct LookedUp {
    named_ports: bool,
    aggregates: bool,
    groups: bool,
    parsers: bool,
    patterns: bool,
    pods_by_address: bool,
    unselected: bool,
}

impl LookedUp {
    fn new(before: &Semantics, after: &Semantics) -> Self {
        let differs = |what: fn(&Semantics) -> bool| what(before) != what(after);
        Self {
            named_ports: differs(Semantics::names_ports_per_peer),
            aggregates: differs(Semantics::aggregates),
            groups: differs(Semantics::groups_are_of_addresses)
                || differs(Semantics::groups_keep_every_value),
            parsers: differs(Semantics::one_parser_per_port),
            patterns: differs(Semantics::knows_subdomain_wildcard),
            pods_by_address: differs(Semantics::cidr_matches_pods),
            unselected: unselected(before, after).is_some(),
        }
    }

    /// Whether a rule, which reads the same, may mean something else.
    fn concerns(&self, rule: &Rule) -> bool {
        let has_l7 = || {
            let mut ports = rule.ports.iter().flatten();
            ports.any(|known| matches!(known.l7, Some(L7::Http(_) | L7::Dns(_))))
        };
        let has = |fits: fn(&Peer) -> bool| rule.peers.said().iter().any(fits);
        (self.named_ports && names_egress_port(rule))
            || (self.aggregates && excludes_only(rule))
            || (self.groups && has(|peer| matches!(peer, Peer::Groups(_))))
            || ((self.parsers || self.patterns) && has_l7())
            || (self.patterns && has(|peer| matches!(peer, Peer::Name(_))))
            || (self.pods_by_address && has(|peer| matches!(peer, Peer::Cidr { .. })))
    }
}

impl<'r, 'm> Ends<'r, 'm> {
    pub(super) fn new(before: &'r Reach<'m>, after: &'r Reach<'m>, moved: &[ClusterId]) -> Self {
        let moved: BTreeSet<ClusterId> = moved.iter().copied().collect();
        let ids: Vec<EndpointId> = before.mesh().endpoints().map(|(id, _)| id).collect();
        let changed = ids.par_iter().flat_map_iter(|id| {
            let cluster = before.mesh().endpoint(*id).cluster;
            let differs = moved.contains(&cluster).then(|| {
                let of = |reach: &Reach<'m>| reach.mesh().cluster(cluster).semantics.clone();
                LookedUp::new(&of(before), &of(after))
            });
            let directions = [Direction::Ingress, Direction::Egress].into_iter();
            directions.filter_map(move |direction| {
                let end = End { endpoint: *id, direction };
                let looked_up = differs.as_ref()?;
                let subjects = (before.subject(*id, direction), after.subject(*id, direction));
                let (old, new) = (subjects.0.rules(), subjects.1.rules());
                // Rules of one direction break the other, too.
                let differs = old != new
                    || subjects.0.is_broken() != subjects.1.is_broken()
                    || new.iter().any(|rule| looked_up.concerns(rule))
                    || (new.is_empty() && looked_up.unselected);
                differs.then_some(end)
            })
        });
        let changed: Vec<End> = changed.collect();
        Self { before, after, changed }
    }

    /// The ends that differ, sorted.
    pub(super) fn changed(&self) -> &[End] {
        &self.changed
    }

    /// What an end lets through from or to a party, before and after.
    pub(super) fn openings(
        &self,
        endpoint: EndpointId,
        direction: Direction,
        party: Party<'_>,
    ) -> (Opening, Opening) {
        let before = self.before.end(endpoint, direction, party);
        let same = self.changed.binary_search(&End { endpoint, direction }).is_err();
        let after = if same { before.clone() } else { self.after.end(endpoint, direction, party) };
        (before, after)
    }

    /// The pairs of source and target that may differ, sorted and at most so many, and how many
    /// more there are.
    pub(super) fn pairs(&self, most: usize) -> (Vec<(EndpointId, EndpointId)>, usize) {
        let ends = self.changed.par_iter();
        let admitted: Vec<Admitted> =
            ends.map(|end| self.admitted(end.endpoint, end.direction)).collect();
        // Of everyone those count that admit the end themselves.
        let everyone = |direction| {
            let mut ends = self.changed.iter().zip(&admitted);
            ends.any(|(end, known)| end.direction == direction && *known == Admitted::Everyone)
        };
        let called = everyone(Direction::Egress).then(|| self.inverse(Direction::Ingress));
        let callers = everyone(Direction::Ingress).then(|| self.inverse(Direction::Egress));
        let (mut pairs, mut left_out) = (Vec::new(), 0);
        for (end, admitted) in self.changed.iter().zip(admitted) {
            let others = match end.direction {
                Direction::Egress => &called,
                Direction::Ingress => &callers,
            };
            let peers = match (admitted, others) {
                (Admitted::Some(ids), _) => ids,
                (Admitted::Everyone, Some(others)) => others.of(end.endpoint),
                (Admitted::Everyone, None) => Vec::new(),
            };
            if pairs.len() + peers.len() > most {
                left_out += peers.len();
                continue;
            }
            pairs.extend(peers.into_iter().map(|peer| match end.direction {
                Direction::Egress => (end.endpoint, peer),
                Direction::Ingress => (peer, end.endpoint),
            }));
        }
        pairs.sort_unstable();
        pairs.dedup();
        (pairs, left_out)
    }

    /// Whom an end may admit under one version or the other.
    fn admitted(&self, endpoint: EndpointId, direction: Direction) -> Admitted {
        let before = self.before.admitted(endpoint, direction);
        if self.changed.binary_search(&End { endpoint, direction }).is_err() {
            return before;
        }
        match (before, self.after.admitted(endpoint, direction)) {
            (Admitted::Some(mut ids), Admitted::Some(more)) => {
                ids.extend(more);
                ids.sort_unstable();
                ids.dedup();
                Admitted::Some(ids)
            }
            _ => Admitted::Everyone,
        }
    }

    /// Whom the ends of a direction admit, seen from the peers.
    fn inverse(&self, direction: Direction) -> Inverse {
        let ids: Vec<EndpointId> = self.before.mesh().endpoints().map(|(id, _)| id).collect();
        let admitted: Vec<Admitted> =
            ids.par_iter().map(|id| self.admitted(*id, direction)).collect();
        let mut inverse = Inverse { of: vec![Vec::new(); ids.len()], ..Inverse::default() };
        for (id, admitted) in ids.into_iter().zip(admitted) {
            match admitted {
                Admitted::Everyone => inverse.everyone.push(id),
                Admitted::Some(peers) => {
                    for peer in peers {
                        inverse.of[peer.index()].push(id);
                    }
                }
            }
        }
        inverse
    }
}

impl Inverse {
    fn of(&self, peer: EndpointId) -> Vec<EndpointId> {
        let mut ids = self.everyone.clone();
        ids.extend(&self.of[peer.index()]);
        ids
    }
}
