//! What policies let through, compared with what is meant, end by end.
//!
//! A flow is open where both of its ends let it through. So each end is compared with what the
//! flows mean for it, and what it lets through beyond that is asked of the other end: either both
//! let it through, or only the other one keeps it out. Whom an end may let through is taken from
//! its rules, so that the work is proportional to what is open and not to all pairs.

mod differences;

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::policy::rule::Rule;
use crate::policy::verdict::{Because, Outcome};
use crate::policy::{Direction, Identity, OpenPorts, Opening, Protocol, Subject};
use crate::reach::budget::Budget;
use crate::reach::outside::Outsider;
use crate::reach::{EndpointId, Mesh, Origin, Party, Reach};
use crate::source::Span;
use crate::topology::ClusterId;

use super::cover::{Cover, Pods};
use super::gathered::describe;
use super::intent::{End, Intent, Meant, Names, Permitted, Roles, Why, missing, plain};
use super::outsiders;
use differences::Groups;

pub(super) use differences::{Beyond, Blocked, Cause, Differences, Example};

/// The most that all comparisons may take together: one is a peer or a port of a rule about an
/// end, or as many of them as `AT_ONCE` while an end is asked about someone. A mesh of 64 clusters
/// with 15,000 policies takes 230,000.
const MOST: usize = 30_000_000;
/// How many peers of rules are asked in the time in which one is taken in.
const AT_ONCE: usize = 8;
/// Most pods that are looked at beside an end that lets everyone through.
const MOST_PODS: usize = 2_000;

/// Compares what is open with what is meant; nothing where that is too much.
pub(super) fn compare(reach: &Reach<'_>, intent: &Intent<'_>) -> Option<Differences> {
    let sides = Sides::new(reach.mesh(), intent);
    let comparison = Comparison::new(reach, intent, &sides);
    let ids: Vec<EndpointId> = reach.mesh().endpoints().map(|(id, _)| id).collect();
    let pods = ids.par_iter().map(|id| comparison.pod(*id));
    let groups = pods.reduce(Groups::default, Groups::and);
    let clusters: Vec<ClusterId> = reach.mesh().clusters().map(|(id, _)| id).collect();
    let health = clusters.iter().map(|id| comparison.health(*id));
    let groups = health.fold(groups, Groups::and);
    (!comparison.budget.is_spent()).then(|| groups.into())
}

/// What the comparison of every end needs.
struct Comparison<'a, 'm> {
    reach: &'a Reach<'m>,
    mesh: &'a Mesh,
    intent: &'a Intent<'a>,
    names: Names,
    sides: &'a Sides,
    cover: Cover<'a, 'm>,
    /// The pods that are meant to ask the DNS of each cluster.
    askers: OnceLock<Vec<Vec<EndpointId>>>,
    /// What may be done.
    budget: Budget,
}

/// Who is on which side of the flows.
#[derive(Default)]
struct Sides {
    /// Of each pod.
    roles: Vec<Roles>,
    /// The pods of each peer of each flow.
    callers: Pods,
    called: Pods,
    /// The pods of the DNS of each cluster.
    dns: Vec<Vec<EndpointId>>,
}

impl Sides {
    fn new(mesh: &Mesh, intent: &Intent<'_>) -> Self {
        let roles: Vec<Roles> = mesh
            .endpoints
            .par_iter()
            .map(|known| intent.roles(&known.identity, known.cluster))
            .collect();
        let mut sides = Self { dns: vec![Vec::new(); mesh.clusters.len()], ..Self::default() };
        for ((id, endpoint), roles) in mesh.endpoints().zip(&roles) {
            for role in &roles.caller {
                sides.callers.entry(*role).or_default().push(id);
            }
            for role in &roles.called {
                sides.called.entry(*role).or_default().push(id);
            }
            if intent.answers(&endpoint.identity, endpoint.cluster) {
                sides.dns[endpoint.cluster.index()].push(id);
            }
        }
        Self { roles, ..sides }
    }
}

/// How much the rules about an end say: peers and ports. Where one port ends is asked of all.
fn size(subject: &Subject<'_>) -> usize {
    let rules = || subject.rules().iter();
    let ports = rules().flat_map(|rule| rule.ports.iter().flatten());
    let ports: usize = ports.map(|known| known.ports.len()).sum();
    let peers: usize = rules().map(|rule| 1 + rule.peers.said().len()).sum();
    peers + ports + ports.saturating_mul(ports) / (AT_ONCE * AT_ONCE)
}

/// What it takes to ask an end about so many.
fn asking(count: usize, subject: &Subject<'_>) -> usize {
    count.saturating_mul(1 + size(subject) / AT_ONCE)
}

/// One end in one direction.
struct Asked<'a, 'b> {
    end: End<'b>,
    name: String,
    subject: &'b Subject<'a>,
    /// Whether what is not meant is meant to be closed.
    closed: bool,
    id: Option<EndpointId>,
}

impl<'a, 'm> Comparison<'a, 'm> {
    fn new(reach: &'a Reach<'m>, intent: &'a Intent<'a>, sides: &'a Sides) -> Self {
        let mesh = reach.mesh();
        let names = Names::of(mesh);
        let cover = Cover::new(reach, intent, &sides.callers, &sides.called, &sides.dns);
        Self {
            reach,
            mesh,
            intent,
            names,
            sides,
            cover,
            askers: OnceLock::new(),
            budget: Budget::new(MOST),
        }
    }

    /// Compares both directions of a pod.
    fn pod(&self, id: EndpointId) -> Groups {
        let endpoint = self.mesh.endpoint(id);
        let mut groups = Groups::default();
        if self.budget.is_spent() {
            return groups;
        }
        for direction in [Direction::Egress, Direction::Ingress] {
            let end = End {
                identity: &endpoint.identity,
                roles: &self.sides.roles[id.index()],
                cluster: endpoint.cluster,
                direction,
            };
            let closed = self.intent.denies(&endpoint.identity, endpoint.cluster, direction);
            if !closed && end.roles.own(direction).is_empty() && !self.intent.is_asked(&end) {
                continue;
            }
            let subject = self.reach.subject(id, direction);
            if !self.budget.take(size(subject)) {
                return Groups::default();
            }
            let name = self.mesh.describe(id);
            let asked = Asked { end, name, subject, closed, id: Some(id) };
            self.outsiders(&asked, &mut groups);
            let Some(peers) = self.peers(&asked, id) else { return Groups::default() };
            for (peer, open) in peers {
                self.peer(&asked, peer, &open, &mut groups);
            }
        }
        groups
    }

    /// The pods that a pod may let through, and those that it has to, with what is open to them;
    /// nothing where these are too many.
    fn peers(
        &self,
        asked: &Asked<'_, '_>,
        id: EndpointId,
    ) -> Option<Vec<(EndpointId, Arc<Opening>)>> {
        let end = &asked.end;
        if let Some(rest) = self.cover.rest(end, asked.subject, &self.names, asked.closed) {
            if !self.budget.take(asking(rest.len(), asked.subject)) {
                return None;
            }
            let joined = rest.into_iter().filter(|peer| self.reach.joined(id, *peer));
            let open = |peer| Arc::new(self.reach.end(id, end.direction, Party::Endpoint(peer)));
            return Some(joined.map(|peer| (peer, open(peer))).collect());
        }
        let others = match end.direction {
            Direction::Egress => &self.sides.called,
            Direction::Ingress => &self.sides.callers,
        };
        let mut peers: Vec<EndpointId> = Vec::new();
        for role in end.roles.own(end.direction) {
            let count = self.intent.others(*role, end.direction).len();
            for index in (0..).take(count) {
                peers.extend(others.get(&(role.0, index)).into_iter().flatten());
            }
        }
        if end.direction == Direction::Egress {
            peers.extend(&self.sides.dns[end.cluster.index()]);
        }
        if self.intent.is_asked(end) {
            peers.extend(&self.askers()[end.cluster.index()]);
        }
        let known = self.reach.openings(id, end.direction);
        match &known {
            Some(known) if asked.closed => peers.extend(known.iter().map(|(id, _)| *id)),
            None if asked.closed => {
                let joined = self.mesh.endpoints().map(|(other, _)| other);
                let joined = joined.filter(|other| self.reach.joined(id, *other));
                peers.extend(joined.take(MOST_PODS));
            }
            _ => {}
        }
        peers.sort_unstable();
        peers.dedup();
        peers.retain(|peer| self.reach.joined(id, *peer));
        if !self.budget.take(asking(peers.len(), asked.subject)) {
            return None;
        }
        let nothing = Arc::new(Opening::closed());
        let open = |peer: EndpointId| match &known {
            Some(known) => match known.binary_search_by_key(&peer, |(id, _)| *id) {
                Ok(at) => Arc::clone(&known[at].1),
                Err(_) => Arc::clone(&nothing),
            },
            None => Arc::new(self.reach.end(id, end.direction, Party::Endpoint(peer))),
        };
        Some(peers.into_iter().map(|peer| (peer, open(peer))).collect())
    }

    fn askers(&self) -> &[Vec<EndpointId>] {
        self.askers.get_or_init(|| {
            let mut askers = vec![Vec::new(); self.mesh.clusters.len()];
            for ((id, endpoint), roles) in self.mesh.endpoints().zip(&self.sides.roles) {
                let (identity, cluster) = (&endpoint.identity, endpoint.cluster);
                let end = End { identity, roles, cluster, direction: Direction::Egress };
                if self.intent.asks(&end) {
                    askers[cluster.index()].push(id);
                }
            }
            askers
        })
    }

    /// Compares an end with one pod.
    fn peer(&self, asked: &Asked<'_, '_>, peer: EndpointId, open: &Opening, groups: &mut Groups) {
        let other = self.mesh.endpoint(peer);
        let roles = &self.sides.roles[peer.index()];
        let mut permitted = Permitted::nothing();
        let mut parts = Vec::new();
        self.intent.with_pod(
            &asked.end,
            &other.identity,
            other.cluster,
            roles,
            &self.names,
            &mut |why, meant| {
                permitted.add(&meant);
                parts.push((why, meant));
            },
        );
        let name = || self.mesh.describe(peer);
        self.blocked(asked, &other.identity, &name, &parts, open, groups);
        if !asked.closed {
            return;
        }
        let mut beyond = plain(open).without(&permitted.ports());
        // Requests are compared where they are answered, unless that end is open to all.
        let there = match asked.end.direction {
            Direction::Ingress => Direction::Egress,
            Direction::Egress => Direction::Ingress,
        };
        let answered = asked.end.direction == Direction::Ingress
            || !self.intent.denies(&other.identity, other.cluster, there);
        let ends = (asked.id.map(Party::Endpoint), Party::Endpoint(peer));
        let both = |ends: (Option<Party<'_>>, Party<'_>)| match (ends, asked.end.direction) {
            ((Some(own), other), Direction::Egress) => self.reach.opening(own, other),
            ((Some(own), other), Direction::Ingress) => self.reach.opening(other, own),
            ((None, _), _) => open.clone(),
        };
        let mut through = None;
        if answered && !permitted.requests_beyond(open).is_closed() {
            let both = both(ends);
            beyond = beyond.or(&permitted.requests_beyond(&both));
            through = Some(both);
        }
        if beyond.is_closed() {
            return;
        }
        let both = through.unwrap_or_else(|| both(ends)).and(&beyond);
        let is_through = !both.is_closed();
        let ports = if is_through { both } else { beyond };
        self.beyond(asked, &other.identity, &name, &ports, is_through, groups);
    }

    /// Compares an end with those outside that its rules and flows tell apart.
    fn outsiders(&self, asked: &Asked<'_, '_>, groups: &mut Groups) {
        if asked.id.is_some() && outsiders::are_none(self.intent, &asked.end, asked.subject) {
            return;
        }
        let semantics = &self.mesh.cluster(asked.end.cluster).semantics;
        let told = outsiders::told_apart(self.intent, &asked.end, asked.subject, []);
        if !self.budget.take(asking(told.iter().count(), asked.subject)) {
            return;
        }
        for Outsider { name, identity } in told.iter() {
            let open = asked.subject.toward(identity).opening();
            let mut permitted = Permitted::nothing();
            let mut parts = Vec::new();
            let mut add = |why, meant: Meant<'a>| {
                permitted.add(&meant);
                parts.push((why, meant));
            };
            let (ingress, is) = (asked.end.direction == Direction::Ingress, |word: &str| {
                identity.labels.is_reserved(word)
            });
            if asked.id.is_some() {
                self.intent.with_outsider(&asked.end, identity, semantics, &self.names, &mut add);
            } else if is("remote-node") {
                add(Why::Health, Meant::everything());
            }
            self.blocked(asked, identity, &|| name.clone(), &parts, &open, groups);
            // Cilium always admits a pod's own node (`AllowLocalhost`).
            if !asked.closed || (ingress && is("host")) {
                continue;
            }
            let beyond = plain(&open).without(&permitted.ports());
            let beyond = beyond.or(&permitted.requests_beyond(&open));
            if !beyond.is_closed() {
                self.beyond(asked, identity, &|| name.clone(), &beyond, true, groups);
            }
        }
    }

    /// The health endpoint of a cluster, which only nodes reach.
    fn health(&self, id: ClusterId) -> Groups {
        let mut groups = Groups::default();
        if !self.intent.topology.cluster(id).member || self.mesh.cluster(id).policies.is_empty() {
            return groups;
        }
        let identity = Identity::reserved("health");
        let roles = Roles::default();
        for direction in [Direction::Egress, Direction::Ingress] {
            let end = End { identity: &identity, roles: &roles, cluster: id, direction };
            let subject = self.reach.agent(id).subject(&identity, direction);
            let name = format!("health endpoint@{}", self.mesh.cluster(id).name);
            let asked = Asked { end, name, subject: &subject, closed: true, id: None };
            self.outsiders(&asked, &mut groups);
        }
        groups
    }

    fn blocked(
        &self,
        asked: &Asked<'_, '_>,
        other: &Identity,
        name: &dyn Fn() -> String,
        parts: &[(Why, Meant<'_>)],
        open: &Opening,
        groups: &mut Groups,
    ) {
        for (why, meant) in parts {
            let missing = missing(meant, open);
            let Some(ports) = missing.first() else { continue };
            let verdict = asked.subject.toward(other).at(ports.protocol, ports.first);
            let denied = verdict.outcome == Outcome::Denied && verdict.because == Because::Rules;
            let cause = self.cause(asked.end.cluster, &verdict.rules, denied);
            let example = self.example(asked, name(), ports);
            let span = self.intent.span(*why, &asked.end);
            groups.blocked(Blocked { why: *why, span, example, cause });
        }
    }

    fn beyond(
        &self,
        asked: &Asked<'_, '_>,
        other: &Identity,
        name: &dyn Fn() -> String,
        ports: &Opening,
        through: bool,
        groups: &mut Groups,
    ) {
        let tcp = |ports: &&OpenPorts| ports.protocol == Protocol::TCP;
        let others = ports.iter().filter(|ports| !tcp(ports));
        for ports in ports.iter().filter(tcp).chain(others) {
            let toward = asked.subject.toward(other);
            let verdict = toward.at(ports.protocol, ports.first);
            // Where rules that somebody wrote are among them, these open what is not declared.
            let policies = &self.mesh.cluster(asked.end.cluster).policies;
            let by_hand = |rule: &&&Rule| {
                let mut written = policies.iter().filter(|one| one.origin == Origin::Written);
                written.any(|one| one.policy.rules.iter().any(|own| std::ptr::eq(own, **rule)))
            };
            let written: Vec<&Rule> = verdict.rules.iter().filter(by_hand).copied().collect();
            let rules = if written.is_empty() { &verdict.rules } else { &written };
            let cause = self.cause(asked.end.cluster, rules, false);
            let example = self.example(asked, name(), ports);
            let span = match cause.rules.first() {
                Some(span) => *span,
                None => self.intent.span(Why::Dns, &asked.end),
            };
            groups.beyond(Beyond { span, example, cause, through });
        }
    }

    fn cause(&self, cluster: ClusterId, rules: &[&Rule], denied: bool) -> Cause {
        let policies = &self.mesh.cluster(cluster).policies;
        let mut spans: Vec<Span> = rules.iter().map(|rule| rule.span).collect();
        spans.sort_unstable();
        spans.dedup();
        spans.truncate(4);
        let of = |rule: &&&Rule| {
            policies
                .iter()
                .find(|known| known.policy.rules.iter().any(|own| std::ptr::eq(own, **rule)))
        };
        let mut names: Vec<String> = rules
            .iter()
            .take(4)
            .filter_map(|rule| of(&rule))
            .map(|known| describe(&known.policy))
            .collect();
        names.sort_unstable();
        names.dedup();
        Cause { rules: spans, policies: names, denied }
    }

    fn example(&self, asked: &Asked<'_, '_>, other: String, ports: &OpenPorts) -> Example {
        Example {
            end: asked.name.clone(),
            other,
            direction: asked.end.direction,
            ports: self.mesh.describe_ports(ports),
            cluster: asked.end.cluster,
        }
    }
}
