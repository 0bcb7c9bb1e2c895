//! Whole rules held against whole flows, so that most pairs of pods need no look.
//!
//! A rule lets a set of pods through on some ports, and a flow means a set of pods and some ports.
//! Where the one set lies in the other, and the ports too, no pair of them can differ. The sets are
//! the same for many ends, so that each two are compared once: a large mesh has thousands of rules
//! that list the pods of hundreds of clusters.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use crate::policy::rule::{Action, Level, Peers};
use crate::policy::{Direction, Opening, Subject};
use crate::reach::{EndpointId, Reach};
use crate::source::Span;
use crate::topology::{ClusterId, PeerKind};

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
}

/// The pods of each peer of each flow, by its role.
pub(super) type Pods = BTreeMap<Role, Vec<EndpointId>>;

/// What a rule opens to the pods that one of its selectors selects.
struct Opened<'a> {
    /// Where the rule stands.
    span: Span,
    selector: u32,
    pods: &'a [EndpointId],
    opening: Rc<Opening>,
}

/// What a flow means for the pods of one peer.
struct Wanted<'a> {
    /// Where the flow stands.
    span: Span,
    set: u32,
    meant: Meant<'a>,
    permitted: Permitted<'a>,
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
        Self { reach, intent, sets, callers, called, dns, compared: Mutex::default() }
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
                rule.action == Action::Allow && rule.level == Level::NORMAL && !unsaid
            });
        if !simple {
            return None;
        }
        let opened = self.opened(subject);
        let (wanted, mut rest) = self.wanted(end, names)?;
        // Compile writes a rule where its flow stands, so that one is asked first.
        for one in &wanted {
            let covers = |rule: &&Opened<'_>| {
                self.compare(rule, one).1 && missing(&one.meant, &rule.opening).is_closed()
            };
            let own = |rule: &&Opened<'_>| rule.span == one.span;
            let mut first = opened.iter().filter(own).chain(opened.iter().filter(|r| !own(r)));
            if !first.any(|rule| covers(&rule)) {
                rest.extend(self.sets[one.set as usize]);
            }
        }
        for rule in opened.iter().filter(|_| closed) {
            let covers = |one: &&Wanted<'_>| {
                self.compare(rule, one).0
                    && plain(&rule.opening).without(&one.permitted.ports()).is_closed()
                    && one.permitted.requests_beyond(&rule.opening).is_closed()
            };
            let own = |one: &&Wanted<'_>| rule.span == one.span;
            let mut first = wanted.iter().filter(own).chain(wanted.iter().filter(|w| !own(w)));
            if !first.any(|one| covers(&one)) {
                rest.extend(rule.pods);
            }
        }
        rest.sort_unstable();
        rest.dedup();
        Some(rest)
    }

    /// What the rules of an end open, and to whom.
    fn opened(&self, subject: &Subject<'_>) -> Vec<Opened<'_>> {
        let mut opened = Vec::new();
        for (at, rule) in (0..).zip(subject.rules()) {
            // Labels alone say who a rule's peers are, so that it opens the same to all of them.
            let mut same = None;
            for (selector, pods) in rule.peers.selectors().filter_map(|one| self.reach.known(one)) {
                let Some(first) = pods.first() else { continue };
                let opening = same.get_or_insert_with(|| {
                    let peer = &self.reach.mesh().endpoint(*first).identity;
                    Rc::new(subject.toward_by(peer, &[at]).opening())
                });
                let opening = Rc::clone(opening);
                opened.push(Opened { span: rule.span, selector, pods, opening });
            }
        }
        opened
    }

    /// What the flows of an end mean, and the pods about which they mean different things; nothing
    /// where a flow means pods that are no set of their own.
    fn wanted(&self, end: &End<'_>, names: &Names) -> Option<(Vec<Wanted<'a>>, Vec<EndpointId>)> {
        let (mut wanted, mut rest) = (Vec::new(), Vec::new());
        let others = match end.direction {
            Direction::Egress => &self.called,
            Direction::Ingress => &self.callers,
        };
        for role in end.roles.own(end.direction) {
            let span = self.intent.topology.flows[role.0 as usize].name.span;
            for (index, other) in (0..).zip(self.intent.others(*role, end.direction)) {
                if let PeerKind::Entities(entities) = &other.kind {
                    if entities.iter().any(|one| is_pods(*one, true)) {
                        return None;
                    }
                    continue;
                }
                let Some(set) = others.get(&(role.0, index)) else { continue };
                match self.meant(end, *role, index, names) {
                    Some(meant) => wanted.push(Wanted::new(span, *set, meant)),
                    None => rest.extend(self.sets[*set as usize]),
                }
            }
        }
        if end.direction == Direction::Egress && self.intent.asks(end) {
            let span = self.intent.span(Why::Dns, end);
            wanted.push(Wanted::new(span, self.dns[end.cluster.index()], Meant::dns()));
        }
        Some((wanted, rest))
    }

    /// What a flow means for all pods of a peer; nothing where that depends on the pod.
    fn meant(&self, end: &End<'_>, role: Role, index: u32, names: &Names) -> Option<Meant<'a>> {
        let topology = self.intent.topology;
        let flow = &topology.flows[role.0 as usize];
        let (called, target) = match end.direction {
            Direction::Egress => (&flow.to[index as usize], None),
            Direction::Ingress => (&flow.to[role.1 as usize], Some(end.identity)),
        };
        let anywhere = |server: ClusterId| match called.kind {
            PeerKind::Service(service) => {
                let service = topology.service(service);
                let shared = |known: &crate::topology::Global| known.shared.contains(server);
                called.limited || service.export || service.global.as_ref().is_some_and(shared)
            }
            _ => true,
        };
        let found = match end.direction {
            Direction::Ingress => anywhere(end.cluster),
            Direction::Egress => called.clusters.iter().all(anywhere),
        };
        let meant = Meant::new(topology, flow, called, target, names);
        // The numbers of ports with a name are those of each pod.
        let same = end.direction == Direction::Ingress || meant.may.is_closed();
        (found && same).then_some(meant)
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

impl<'a> Wanted<'a> {
    fn new(span: Span, set: u32, meant: Meant<'a>) -> Self {
        let mut permitted = Permitted::nothing();
        permitted.add(&meant);
        Self { span, set, meant, permitted }
    }
}

/// Whether a sorted list has all of another one.
fn lies_in(few: &[EndpointId], many: &[EndpointId]) -> bool {
    let mut many = many.iter();
    few.len() <= many.len() && few.iter().all(|one| many.by_ref().any(|other| other == one))
}
