//! Which flows an upgrade opens and closes, and which it does for a while only.
//!
//! What an end of a flow lets through depends on the version of its own cluster and of no other.
//! So only ends of upgraded clusters are looked at whose rules read otherwise or mean otherwise,
//! and of their peers only those that either end admits under either version: the work grows with
//! what changes, not with the pairs of the mesh.

mod ends;
mod outside;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::cause::Cause;
use super::plan::Move;
use super::policies::PolicyChange;
use crate::diagnostic::NotChecked;
use crate::policy::{Direction, Opening, Protocol};
use crate::reach::outside::Outsider;
use crate::reach::{EndpointId, Mesh, Party, Reach, Standing, possible};
use crate::source::Span;
use crate::topology::ClusterId;
use ends::{End, Ends};
use why::Why;

/// Most pairs of ends that are looked at, so that a hostile repository ends.
const MAX_PAIRS: usize = 4_000_000;
/// Most flows that are kept; those beyond are counted.
pub const MAX_FLOWS: usize = 10_000;

/// A flow that is not the same under two versions.
#[derive(Clone, Debug)]
pub struct FlowChange {
    /// Where it comes from.
    pub from: Side,
    /// Where it goes to.
    pub to: Side,
    /// What is open afterwards and was not before.
    pub opens: Opening,
    /// What was open before and is not afterwards.
    pub closes: Opening,
    /// What is open, and what closed, only while one of its clusters has the new version and the
    /// other has not.
    pub meanwhile: (Opening, Opening),
    /// The cluster whose upgrade makes the lasting change; of what is not lasting, the one that
    /// begins it.
    pub by: ClusterId,
    /// The policies that do it, as indices into the changes of policies.
    pub policies: Vec<usize>,
    /// What in Cilium does it.
    pub causes: Vec<&'static Cause>,
}

/// One side of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// Its rank: what is declared, what was found, what may be there, what is outside.
    pub standing: Place,
    /// What it is called: `namespace/workload`, or the name of a party outside.
    pub name: String,
    /// Its cluster; nothing for a party outside.
    pub cluster: Option<ClusterId>,
}

/// How sure it is that a side of a flow is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The topology declares it, or it is among the objects.
    There,
    /// Nothing keeps it from being there.
    Possible,
    /// It is no pod of the mesh.
    Outside,
}

impl Place {
    /// A word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::There => "there",
            Self::Possible => "possible",
            Self::Outside => "outside",
        }
    }
}

/// The flows that differ between two versions.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// Those between what is there first; at most [`MAX_FLOWS`].
    pub changes: Vec<FlowChange>,
    /// How many more there are.
    pub omitted: usize,
    /// How many open at least a port for good.
    pub opened: usize,
    /// How many close one for good.
    pub closed: usize,
    /// How many do either for a while only.
    pub passing: usize,
    /// What was not looked at.
    pub unread: Option<NotChecked>,
}

/// The flows that differ between two states of a mesh, when the clusters of `moves` go from the
/// one to the other in that order. Counts in `policies` how many each of them changes.
pub fn compare(
    before: &Mesh,
    after: &Mesh,
    moves: &[Move],
    policies: &mut [PolicyChange],
) -> Flows {
    let moved: Vec<ClusterId> = moves.iter().map(|one| one.cluster).collect();
    if !ends::may_differ(before, after, &moved, policies) {
        return Flows::default();
    }
    let (before, after) = side_by_side(before, after);
    let reaches = (Reach::new(&before), Reach::new(&after));
    let ends = Ends::new(&reaches.0, &reaches.1, &moved);
    let why = Why::new(&before, &after, &moved, policies);
    let (pairs, left_out) = ends.pairs(MAX_PAIRS);
    let comparison = Comparison { ends: &ends, why: &why, policies, moved: &moved };
    let inside = pairs.par_iter().filter_map(|pair| comparison.inside(pair.0, pair.1));
    let mut changes: Vec<FlowChange> = inside.collect();
    let parties = outside::parties(&before, &after, &moved);
    let outside = ends.changed().par_iter().flat_map_iter(|end| {
        let cluster = before.endpoint(end.endpoint).cluster;
        let parties = parties.get(&cluster).map_or(&[][..], Vec::as_slice);
        parties.iter().filter_map(|party| comparison.outside(*end, party))
    });
    changes.extend(outside.collect::<Vec<_>>());
    let unread = (left_out > 0).then(|| NotChecked {
        what: format!("{left_out} pairs of pods"),
        why: format!("more than {MAX_PAIRS} pairs may change"),
        span: first_span(&before, &moved),
    });
    collect(changes, unread, policies)
}

/// Counts the changes, sorts them, and keeps the first.
fn collect(
    mut changes: Vec<FlowChange>,
    unread: Option<NotChecked>,
    policies: &mut [PolicyChange],
) -> Flows {
    let mut flows = Flows { unread, ..Flows::default() };
    for change in &changes {
        let (opens, closes) = (!change.opens.is_closed(), !change.closes.is_closed());
        flows.opened += usize::from(opens);
        flows.closed += usize::from(closes);
        flows.passing += usize::from(!opens && !closes);
        for at in &change.policies {
            policies[*at].flows.0 += usize::from(opens);
            policies[*at].flows.1 += usize::from(closes);
        }
    }
    let rank = |change: &FlowChange| change.from.standing.max(change.to.standing);
    changes.sort_by(|one, other| {
        (rank(one), &one.from, &one.to).cmp(&(rank(other), &other.from, &other.to))
    });
    flows.omitted = changes.len().saturating_sub(MAX_FLOWS);
    changes.truncate(MAX_FLOWS);
    flows.changes = changes;
    flows
}

fn first_span(mesh: &Mesh, moved: &[ClusterId]) -> Span {
    let first = moved.iter().min().expect("internal error: a step without moves");
    mesh.cluster(*first).span
}

/// Two states with the same endpoints: those of the mesh, and those that may be there as the
/// policies of either tell them apart.
fn side_by_side(before: &Mesh, after: &Mesh) -> (Mesh, Mesh) {
    let mut joint = before.clone();
    for (member, later) in joint.clusters.iter_mut().zip(&after.clusters) {
        member.policies.extend(later.policies.iter().cloned());
    }
    possible::add(&mut joint);
    name_ports(&mut joint);
    let of = |mesh: &Mesh| Mesh { endpoints: joint.endpoints.clone(), ..mesh.clone() };
    (of(before), of(after))
}

/// Gives pods that may be there the ports that have one number in the whole mesh: what they call
/// theirs nobody says, and a name that only they lack is no news of an upgrade.
fn name_ports(mesh: &mut Mesh) {
    let mut names: BTreeMap<String, BTreeSet<(Protocol, u16)>> = BTreeMap::new();
    for (name, ports) in mesh.endpoints.iter().flat_map(|one| &one.identity.ports) {
        names.entry(name.clone()).or_default().extend(ports);
    }
    names.retain(|_, ports| {
        let protocols: BTreeSet<Protocol> = ports.iter().map(|port| port.0).collect();
        protocols.len() == ports.len()
    });
    let possible = mesh.endpoints.iter_mut().filter(|one| one.standing == Standing::Possible);
    for endpoint in possible.filter(|one| one.identity.ports.is_empty()) {
        endpoint.identity.ports.clone_from(&names);
    }
}

/// What a comparison of pairs needs.
#[derive(Clone, Copy)]
struct Comparison<'c, 'm> {
    ends: &'c Ends<'c, 'm>,
    why: &'c Why,
    policies: &'c [PolicyChange],
    moved: &'c [ClusterId],
}

impl Comparison<'_, '_> {
    /// What becomes of a flow between two pods.
    fn inside(&self, source: EndpointId, target: EndpointId) -> Option<FlowChange> {
        if !self.ends.before.joined(source, target) {
            return None;
        }
        let egress = self.ends.openings(source, Direction::Egress, Party::Endpoint(target));
        let ingress = self.ends.openings(target, Direction::Ingress, Party::Endpoint(source));
        let (start, end) = (egress.0.and(&ingress.0), egress.1.and(&ingress.1));
        let (opens, closes) = (end.without(&start), start.without(&end));
        let turns = [source, target].map(|id| self.turn(id));
        let source_first = turns[0] < turns[1];
        let middle = match turns {
            [Some(one), Some(other)] if one != other => {
                let (first, second) =
                    if source_first { (&egress.1, &ingress.0) } else { (&ingress.1, &egress.0) };
                Some(first.and(second))
            }
            _ => None,
        };
        let meanwhile = middle.as_ref().map_or_else(
            || (Opening::closed(), Opening::closed()),
            |middle| {
                let lasting = (start.or(&end), start.and(&end));
                (middle.without(&lasting.0), lasting.1.without(middle))
            },
        );
        let openings = [&opens, &closes, &meanwhile.0, &meanwhile.1];
        if openings.iter().all(|opening| opening.is_closed()) {
            return None;
        }
        let lasting = !opens.is_closed() || !closes.is_closed();
        // Whose turn it is when the change begins, or becomes what it stays.
        let at_first = match &middle {
            Some(middle) if lasting => *middle == end,
            _ => true,
        };
        let order = [turns[0], turns[1]].into_iter().flatten();
        let turn = if at_first { order.min() } else { order.max() };
        let sides = [
            (source, Direction::Egress, target, &egress),
            (target, Direction::Ingress, source, &ingress),
        ];
        let mut policies = Vec::new();
        let mut causes = Vec::new();
        for (endpoint, direction, peer, ends) in sides {
            let end = End { endpoint, direction };
            let found = self.why.of(self.ends, end, Party::Endpoint(peer), ends);
            policies.extend(found.0);
            causes.extend(found.1);
        }
        let (from, to) = (self.side(source), self.side(target));
        let by = self.moved[turn?];
        Some(self.change((from, to), (opens, closes), meanwhile, by, (policies, causes)))
    }

    /// What becomes of a flow between a pod and a party outside.
    fn outside(&self, end: End, party: &Outsider) -> Option<FlowChange> {
        let side = Party::Outside(&party.identity);
        let ends = self.ends.openings(end.endpoint, end.direction, side);
        let (opens, closes) = (ends.1.without(&ends.0), ends.0.without(&ends.1));
        if opens.is_closed() && closes.is_closed() {
            return None;
        }
        let why = self.why.of(self.ends, end, side, &ends);
        let pod = self.side(end.endpoint);
        let other = Side { standing: Place::Outside, name: party.name.clone(), cluster: None };
        let sides = match end.direction {
            Direction::Ingress => (other, pod),
            Direction::Egress => (pod, other),
        };
        let meanwhile = (Opening::closed(), Opening::closed());
        let by = self.moved[self.turn(end.endpoint)?];
        Some(self.change(sides, (opens, closes), meanwhile, by, why))
    }

    fn change(
        &self,
        (from, to): (Side, Side),
        (opens, closes): (Opening, Opening),
        meanwhile: (Opening, Opening),
        by: ClusterId,
        (mut policies, mut causes): (Vec<usize>, Vec<&'static Cause>),
    ) -> FlowChange {
        policies.sort_unstable();
        policies.dedup();
        causes.extend(policies.iter().flat_map(|at| &self.policies[*at].causes));
        causes.sort_by_key(|cause| cause.name);
        causes.dedup_by_key(|cause| cause.name);
        FlowChange { from, to, opens, closes, meanwhile, by, policies, causes }
    }

    /// When the cluster of an endpoint is upgraded.
    fn turn(&self, endpoint: EndpointId) -> Option<usize> {
        let cluster = self.ends.before.mesh().endpoint(endpoint).cluster;
        self.moved.iter().position(|moved| *moved == cluster)
    }

    fn side(&self, id: EndpointId) -> Side {
        let endpoint = self.ends.before.mesh().endpoint(id);
        let standing = match endpoint.standing {
            Standing::Declared(_) | Standing::Found => Place::There,
            Standing::Possible => Place::Possible,
        };
        Side { standing, name: endpoint.name.clone(), cluster: Some(endpoint.cluster) }
    }
}

#[cfg(test)]
mod tests;
