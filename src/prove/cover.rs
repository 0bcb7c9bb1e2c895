//! Whole rules held against whole flows, so that most pairs of pods need no look.
//!
//! A rule lets a set of pods through on some ports, and a flow means a set of pods and some ports.
//! Where the one set lies in the other, and the ports too, no pair of them can differ. The sets are
//! the same for many ends, so that each two are compared once: a large mesh has thousands of rules
//! that list the pods of hundreds of clusters.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use crate::policy::rule::{Action, Level, Peers, PortRule, Rule, Which};
use crate::policy::{Direction, Opening, Subject};
use crate::reach::{EndpointId, Reach};
use crate::source::Span;
use crate::spec::ports::{self, PortRef, Ports};
use crate::topology::{ClusterId, Flow, Peer, PeerKind};

use super::intent::{End, Intent, Meant, Names, Permitted, Role, Why, is_pods, missing, plain};

/// The pods of roles, each set once, and which sets lie in which.
#[derive(Debug)]
pub(super) struct Cover<'a, 'm> {
    reach: &'a Reach<'m>,
    intent: &'a Intent<'a>,
    sets: Vec<&'a [EndpointId]>,
    /// Of the callers and of the called of flows, and of the DNS of clusters.
    callers: BTreeMap<Role, u32>,
    called: BTreeMap<Role, u32>,
    dns: Vec<u32>,
    /// By selector and set: whether all that is selected is in the set, and the other way.
    compared: Mutex<BTreeMap<(u32, u32), (bool, bool)>>,
    /// By rule, where it is in memory, and part of a flow: whether all that the rule opens is meant,
    /// and the other way. Clusters share rules, and all pods of a workload have the same.
    ports: Mutex<BTreeMap<(usize, Part), (bool, bool)>>,
}

/// A peer of a flow in a role of an end, in a direction; no role for the way to DNS.
type Part = (Option<Role>, u32, Direction);

/// The pods of each peer of each flow, by its role.
pub(super) type Pods = BTreeMap<Role, Vec<EndpointId>>;

/// A rule with the pods that one of its selectors selects.
struct Opened<'a> {
    rule: &'a Rule,
    selector: u32,
    pods: &'a [EndpointId],
    opening: Rc<OnceCell<Opening>>,
    /// The place of the rule among those of its end.
    at: u32,
}

/// What a flow means for the pods of one peer.
struct Wanted<'a> {
    /// Where the flow stands.
    span: Span,
    set: u32,
    /// The part of the flow, where it means the same for every end.
    part: Option<Part>,
    called: Option<(&'a Flow, &'a Peer)>,
    said: OnceCell<(Meant<'a>, Permitted<'a>)>,
}

impl<'a, 'm> Cover<'a, 'm> {
    pub(super) fn new(
        reach: &'a Reach<'m>,
        intent: &'a Intent<'a>,
        callers: &'a Pods,
        called: &'a Pods,
        dns: &'a [Vec<EndpointId>],
    ) -> Self {
        let mut known: BTreeMap<&[EndpointId], u32> = BTreeMap::new();
        let mut sets = Vec::new();
        let mut place = |pods: &'a Vec<EndpointId>| {
            *known.entry(pods.as_slice()).or_insert_with(|| {
                sets.push(pods.as_slice());
                u32::try_from(sets.len() - 1).expect("internal error: 2^32 sets")
            })
        };
        let mut places =
            |pods: &'a Pods| pods.iter().map(|(role, set)| (*role, place(set))).collect();
        let (callers, called) = (places(callers), places(called));
        let dns = dns.iter().map(place).collect();
        let (compared, ports) = (Mutex::default(), Mutex::default());
        Self { reach, intent, sets, callers, called, dns, compared, ports }
    }

    /// The pods that have to be looked at one by one for an end, sorted; nothing where its rules
    /// depend on more than labels. `closed` says that what is not meant is to be closed.
    pub(super) fn rest(
        &self,
        end: &End<'_>,
        subject: &Subject<'_>,
        names: &Names,
        closed: bool,
    ) -> Option<Vec<EndpointId>> {
        if subject.is_open() && !closed {
            return Some(Vec::new());
        }
        let simple = !self.intent.is_asked(end)
            && subject.is_isolated()
            && subject.goes_by_labels()
            && subject.rules().iter().all(|rule| {
                let unsaid = matches!((&rule.peers, &rule.ports), (Peers::Unsaid, Some(_)));
                let normal = rule.action == Action::Allow && rule.level == Level::NORMAL;
                (normal || rule.action == Action::Deny) && !unsaid
            });
        if !simple {
            return None;
        }
        let opened = self.opened(subject);
        let (wanted, mut rest) = self.wanted(end)?;
        let ports =
            |rule: &Opened<'_>, one: &Wanted<'a>| self.ports(end, subject, names, rule, one);
        // Compile writes a rule where its flow stands, so that one is asked first.
        for one in &wanted {
            let own = |rule: &&Opened<'_>| rule.rule.span == one.span;
            let mut first = opened.iter().filter(own).chain(opened.iter().filter(|r| !own(r)));
            if !first.any(|rule| self.compare(rule, one).1 && ports(rule, one).1) {
                rest.extend(self.sets[one.set as usize]);
            }
        }
        for rule in opened.iter().filter(|_| closed) {
            let own = |one: &&Wanted<'_>| rule.rule.span == one.span;
            let mut first = wanted.iter().filter(own).chain(wanted.iter().filter(|w| !own(w)));
            if !first.any(|one| self.compare(rule, one).0 && ports(rule, one).0) {
                rest.extend(rule.pods);
            }
        }
        rest.extend(self.denied(subject, &opened, &wanted));
        rest.sort_unstable();
        rest.dedup();
        Some(rest)
    }

    /// What the rules of an end open, and to whom.
    fn opened<'s>(&'s self, subject: &Subject<'s>) -> Vec<Opened<'s>> {
        let mut opened = Vec::new();
        let allows = |(_, rule): &(u32, &&Rule)| rule.action == Action::Allow;
        for (at, rule) in (0..).zip(subject.rules()).filter(allows) {
            // Labels alone say who a rule's peers are, so that it opens the same to all of them.
            let opening = Rc::default();
            let known = rule.peers.selectors().filter_map(|one| self.reach.known(one));
            for (selector, pods) in known.filter(|(_, pods)| !pods.is_empty()) {
                let opening = Rc::clone(&opening);
                opened.push(Opened { rule, selector, pods, opening, at });
            }
        }
        opened
    }

    /// Those that rules let through or flows mean, and that some rule denies something.
    fn denied(
        &self,
        subject: &Subject<'_>,
        opened: &[Opened<'_>],
        wanted: &[Wanted<'_>],
    ) -> Vec<EndpointId> {
        let denies = subject.rules().iter().filter(|rule| rule.action == Action::Deny);
        let selectors = denies.flat_map(|rule| rule.peers.selectors());
        let known = selectors.filter_map(|one| self.reach.known(one));
        let mut denied: Vec<EndpointId> = known.flat_map(|(_, pods)| pods).copied().collect();
        if denied.is_empty() {
            return denied;
        }
        denied.sort_unstable();
        denied.dedup();
        let sets = wanted.iter().map(|one| self.sets[one.set as usize]);
        let concerned = opened.iter().map(|rule| rule.pods).chain(sets).flatten();
        concerned.filter(|id| denied.binary_search(id).is_ok()).copied().collect()
    }

    /// Whether all ports that a rule opens are meant, and whether it opens all that are meant.
    fn ports(
        &self,
        end: &End<'_>,
        subject: &Subject<'_>,
        names: &Names,
        rule: &Opened<'_>,
        wanted: &Wanted<'a>,
    ) -> (bool, bool) {
        let named = |known: &PortRule| {
            known.ports.iter().any(|ports| matches!(ports.which, Which::Named(_)))
        };
        let part = wanted.part.filter(|_| !rule.rule.ports.iter().flatten().any(named));
        let key = part.map(|part| (std::ptr::from_ref(rule.rule).addr(), part));
        let lock = || self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = key.and_then(|key| lock().get(&key).copied()) {
            return known;
        }
        let opening = rule.opening.get_or_init(|| {
            let first = rule.pods.first().expect("internal error: a rule without pods");
            let peer = &self.reach.mesh().endpoint(*first).identity;
            subject.toward_by(peer, &[rule.at]).opening()
        });
        let (meant, permitted) = wanted.said.get_or_init(|| {
            let target = (end.direction == Direction::Ingress).then_some(end.identity);
            let meant = match wanted.called {
                Some((flow, peer)) => Meant::new(self.intent.topology, flow, peer, target, names),
                None => Meant::dns(),
            };
            let mut permitted = Permitted::nothing();
            permitted.add(&meant);
            (meant, permitted)
        });
        let within = plain(opening).without(&permitted.ports()).is_closed()
            && permitted.requests_beyond(opening).is_closed();
        let answer = (within, missing(meant, opening).is_closed());
        if let Some(key) = key {
            lock().insert(key, answer);
        }
        answer
    }

    /// What the flows of an end mean, and the pods about which they mean different things; nothing
    /// where a flow means pods that are no set of their own.
    fn wanted(&self, end: &End<'_>) -> Option<(Vec<Wanted<'a>>, Vec<EndpointId>)> {
        let (mut wanted, mut rest) = (Vec::new(), Vec::new());
        let said = OnceCell::new;
        let others = match end.direction {
            Direction::Egress => &self.called,
            Direction::Ingress => &self.callers,
        };
        for role in end.roles.own(end.direction) {
            let flow = &self.intent.topology.flows[role.0 as usize];
            for (index, other) in (0..).zip(self.intent.others(*role, end.direction)) {
                if let PeerKind::Entities(entities) = &other.kind {
                    if entities.iter().any(|one| is_pods(*one, true)) {
                        return None;
                    }
                    continue;
                }
                let Some(set) = others.get(&(role.0, index)) else { continue };
                let called = match end.direction {
                    Direction::Egress => &flow.to[index as usize],
                    Direction::Ingress => &flow.to[role.1 as usize],
                };
                let named = self.names_ports(flow, called);
                // The numbers of ports with a name are those of each pod.
                let same = end.direction == Direction::Ingress || !named;
                if same && self.is_found(called, end) {
                    let part = (!named).then_some((Some(*role), index, end.direction));
                    let (span, set, called) = (flow.name.span, *set, Some((flow, called)));
                    wanted.push(Wanted { span, set, part, called, said: said() });
                } else {
                    rest.extend(self.sets[*set as usize]);
                }
            }
        }
        if end.direction == Direction::Egress && self.intent.asks(end) {
            let (span, set) = (self.intent.span(Why::Dns, end), self.dns[end.cluster.index()]);
            let part = Some((None, 0, end.direction));
            wanted.push(Wanted { span, set, part, called: None, said: said() });
        }
        Some((wanted, rest))
    }

    /// Whether the clients in every cluster find all pods of who is called.
    fn is_found(&self, called: &Peer, end: &End<'_>) -> bool {
        let found = |server: ClusterId| self.intent.topology.is_found_elsewhere(called, server);
        match end.direction {
            Direction::Ingress => found(end.cluster),
            Direction::Egress => called.clusters.iter().all(found),
        }
    }

    /// Whether a flow opens ports by their names.
    fn names_ports(&self, flow: &Flow, called: &Peer) -> bool {
        let named = |port: &PortRef| matches!(port, PortRef::Name(_));
        match (&called.kind, &flow.ports) {
            (PeerKind::Service(service), _) => {
                let ports = &self.intent.topology.service(*service).ports;
                ports.iter().any(|port| named(&port.target))
            }
            (_, Some(Ports::Some(ports))) => ports.iter().any(|port| match port {
                ports::Opening::Port { port, .. } => named(port),
                ports::Opening::Icmp { .. } => false,
            }),
            (_, Some(Ports::All) | None) => false,
        }
    }

    fn compare(&self, rule: &Opened<'_>, wanted: &Wanted<'_>) -> (bool, bool) {
        let key = (rule.selector, wanted.set);
        let lock = || self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return *known;
        }
        let (selected, set) = (rule.pods, self.sets[wanted.set as usize]);
        let answer = (lies_in(selected, set), lies_in(set, selected));
        lock().insert(key, answer);
        answer
    }
}

/// Whether a sorted list has all of another one.
fn lies_in(few: &[EndpointId], many: &[EndpointId]) -> bool {
    let mut many = many.iter();
    few.len() <= many.len() && few.iter().all(|one| many.by_ref().any(|other| other == one))
}
