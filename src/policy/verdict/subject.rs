//! One endpoint in one direction: what the rules about it decide about its peers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::identity::{Identity, Sort};
use super::super::opening::Opening;
use super::super::rule::{
    Action, Direction, L7, Level, Pattern, Peer, Peers, PortRule, Ports, Protocol, Rule, Which,
};
use super::super::selector::Selector;
use super::super::semantics::{Enforcement, Semantics};
use super::{Because, Names, Outcome, Verdict};

/// Whether anything is enforced on an endpoint in a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is.
    Open,
    /// The agent cannot make a policy of the rules.
    Broken,
    /// Rules decide, and what none decides goes through.
    Limited,
    /// Rules decide, and what none decides is dropped.
    Isolated,
}

/// An endpoint in one direction, with the rules about it.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    semantics: &'a Semantics,
    names: Arc<Names<'a>>,
    identity: &'a Identity,
    direction: Direction,
    rules: Vec<&'a Rule>,
    conflicting: Vec<&'a Rule>,
    state: State,
}

/// A rule that fits a flow, with the L7 limits of its ports that do.
type Fitting<'a> = (&'a Rule, Vec<Option<&'a L7>>);

impl<'a> Subject<'a> {
    pub(super) fn new(
        semantics: &'a Semantics,
        names: Arc<Names<'a>>,
        identity: &'a Identity,
        direction: Direction,
        rules: Vec<&'a Rule>,
        conflicting: Vec<&'a Rule>,
    ) -> Self {
        let host = identity.sort == Sort::Host;
        let firewall = semantics.settings().host_firewall;
        let forced =
            semantics.enforcement() == Enforcement::Always || identity.labels.is_reserved("init");
        let nothing = rules.is_empty() && !forced;
        let never = semantics.enforcement() == Enforcement::Never;
        let state = if never || (host && !firewall) {
            State::Open
        } else if !conflicting.is_empty() {
            State::Broken
        } else if nothing {
            State::Open
        } else if forced || rules.iter().any(|rule| rule.default_deny) {
            State::Isolated
        } else {
            State::Limited
        };
        Self { semantics, names, identity, direction, rules, conflicting, state }
    }

    /// The endpoint.
    pub fn identity(&self) -> &'a Identity {
        self.identity
    }

    /// Which way.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The rules about it, in the order in which policies and their rules are.
    pub fn rules(&self) -> &[&'a Rule] {
        &self.rules
    }

    /// The rules that isolate it.
    pub fn isolating(&self) -> impl Iterator<Item = &'a Rule> + '_ {
        self.rules.iter().copied().filter(|rule| rule.default_deny)
    }

    /// Whether what no rule decides is dropped.
    pub fn is_isolated(&self) -> bool {
        self.state == State::Isolated
    }

    /// Whether nothing at all is enforced.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether the agent cannot make a policy of the rules, and keeps what it had before.
    pub fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// What the rules say of one peer.
    pub fn toward<'s>(&'s self, peer: &'s Identity) -> Toward<'s, 'a> {
        let fitting = match self.state {
            State::Open | State::Broken => Vec::new(),
            State::Limited | State::Isolated => {
                let fits = |rule: &&Rule| self.fits(rule, peer, false);
                self.rules.iter().copied().filter(fits).collect()
            }
        };
        Toward { subject: self, peer, fitting }
    }

    /// As [`Self::toward`], where the rules among whose peers it is are known: indices into
    /// [`Self::rules`], sorted.
    pub fn toward_by<'s>(&'s self, peer: &'s Identity, rules: &[u32]) -> Toward<'s, 'a> {
        let fitting = rules.iter().map(|at| self.rules[*at as usize]).collect();
        Toward { subject: self, peer, fitting }
    }

    /// Whether labels alone say which peers a rule has, and what it opens to them: no rule looks
    /// at other rules, addresses or the ports that a peer names.
    pub fn goes_by_labels(&self) -> bool {
        self.rules.iter().all(|rule| {
            let cidrs = self.semantics.cidr_matches_pods();
            let aggregates = self.semantics.aggregates();
            let by_labels = |peer: &Peer| match peer {
                Peer::Labels { selector, .. } => !(aggregates && selector.selects_aggregates()),
                Peer::Name(_) => true,
                Peer::Cidr { .. } => !cidrs,
                Peer::Groups(_) => false,
            };
            let ports = rule.ports.iter().flatten().flat_map(|known| &known.ports);
            let named = |ports: &Ports| matches!(ports.which, Which::Named(_));
            rule.requires.is_empty()
                && rule.peers.said().iter().all(by_labels)
                && (self.direction == Direction::Ingress || !ports.into_iter().any(named))
        })
    }

    /// Whether a peer is among those of a rule; `itself`, and not only by what stands for it.
    fn fits(&self, rule: &Rule, peer: &Identity, itself: bool) -> bool {
        let requires = || -> Vec<&Selector> {
            let deny = rule.action == Action::Deny;
            let same = self.rules.iter().filter(|other| (other.action == Action::Deny) == deny);
            same.flat_map(|other| &other.requires).collect()
        };
        match (&rule.peers, &rule.ports) {
            (Peers::Nobody, _) | (Peers::Unsaid, None) => false,
            (Peers::Unsaid, Some(_)) => true,
            (Peers::Of(peers), _) => {
                let requires = requires();
                peers.iter().any(|one| {
                    if itself && !one.matches_itself(peer, self.semantics, &requires) {
                        return false;
                    }
                    let seen = match one {
                        Peer::Name(pattern) => self.sees_answers(peer, pattern),
                        Peer::Labels { .. } | Peer::Cidr { .. } | Peer::Groups(_) => true,
                    };
                    seen && one.matches(peer, self.semantics, &requires)
                })
            }
        }
    }

    /// Whether the agent sees the answers to queries for a peer's names that a pattern matches: a
    /// rule about the subject has to send them through the DNS proxy.
    fn sees_answers(&self, peer: &Identity, pattern: &Pattern) -> bool {
        let ports = self.rules.iter().filter_map(|rule| rule.ports.as_ref()).flatten();
        let queries: Vec<&Pattern> = ports
            .filter_map(|known| match &known.l7 {
                Some(L7::Dns(patterns)) => Some(patterns),
                _ => None,
            })
            .flatten()
            .collect();
        let mut known = peer.names.iter().filter(|name| pattern.matches(name, self.semantics));
        known.any(|name| queries.iter().any(|query| query.matches(name, self.semantics)))
    }
}

/// An endpoint in one direction and one peer of it.
#[derive(Clone, Debug)]
pub struct Toward<'s, 'a> {
    subject: &'s Subject<'a>,
    peer: &'s Identity,
    fitting: Vec<&'a Rule>,
}

impl<'a> Toward<'_, 'a> {
    /// The rules among whose peers it is.
    pub fn rules(&self) -> &[&'a Rule] {
        &self.fitting
    }

    /// What is decided about a port, after service translation; for ICMP about a type.
    pub fn at(&self, protocol: Protocol, port: u16) -> Verdict<'a> {
        let decided = |outcome, because, rules| Verdict { outcome, because, rules, proxied: false };
        let allowed = |because| decided(Outcome::Allowed(None), because, Vec::new());
        let Subject { semantics, identity, direction, rules, conflicting, state, .. } =
            self.subject;
        let isolated = match state {
            State::Open => return allowed(Because::NotEnforced),
            State::Broken => {
                return decided(Outcome::Broken, Because::Conflict, conflicting.clone());
            }
            State::Limited => false,
            State::Isolated => true,
        };
        if let Some(verdict) = self.decide((protocol, port), isolated) {
            return verdict;
        }
        if !isolated {
            return allowed(Because::DefaultAllow);
        }
        // `AllowLocalhost` is `always` under Kubernetes.
        let host = identity.sort == Sort::Host;
        let local = *direction == Direction::Ingress && self.peer.labels.is_reserved("host");
        if local && !host && (!rules.is_empty() || semantics.admits_host_without_rules()) {
            return allowed(Because::LocalHost);
        }
        decided(Outcome::Denied, Because::DefaultDeny, self.subject.isolating().collect())
    }

    /// Every port that is open, after service translation.
    pub fn opening(&self) -> Opening {
        let open = |protocol, first| match self.at(protocol, first).outcome {
            Outcome::Allowed(limits) => Some(limits),
            Outcome::Denied | Outcome::Broken => None,
        };
        if self.fitting.is_empty() {
            let all = open(Protocol::TCP, 1).is_some();
            return if all { Opening::everything() } else { Opening::closed() };
        }
        let mut starts: BTreeMap<Protocol, BTreeSet<u16>> = BTreeMap::new();
        let ports = |rule: &&'a Rule| {
            let rule: &'a Rule = rule;
            let known = rule.ports.iter().flatten().flat_map(|known| &known.ports);
            known.map(move |ports| (rule, ports)).collect::<Vec<_>>()
        };
        for (rule, ports) in self.fitting.iter().flat_map(ports) {
            {
                for protocol in &ports.protocols {
                    let starts = starts.entry(*protocol).or_default();
                    for (first, last) in self.numbers(rule, ports, *protocol) {
                        starts.extend([Some(first), last.checked_add(1)].into_iter().flatten());
                    }
                }
            }
        }
        Opening::of(&starts, open)
    }

    /// Asks the rules, level by level. Where nothing isolates the subject, HTTP and DNS rules let
    /// everything through (`createL4Filter` in `pkg/policy/l4.go`).
    fn decide(&self, port: (Protocol, u16), isolated: bool) -> Option<Verdict<'a>> {
        let mut levels: BTreeMap<Level, Vec<Fitting<'a>>> = BTreeMap::new();
        for rule in &self.fitting {
            let l7 = self.limits(rule, port);
            if !l7.is_empty() {
                levels.entry(rule.level).or_default().push((rule, l7));
            }
        }
        let mut passed = None;
        for (level, fitting) in levels {
            if passed == Some(level.tier) {
                continue;
            }
            let of = |action| fitting.iter().filter(move |(rule, _)| rule.action == action);
            let rules = |action| of(action).map(|(rule, _)| *rule).collect::<Vec<_>>();
            let because = Because::Rules;
            if of(Action::Deny).next().is_some() {
                let (outcome, rules) = (Outcome::Denied, rules(Action::Deny));
                return Some(Verdict { outcome, because, rules, proxied: false });
            }
            if of(Action::Allow).next().is_some() {
                let proxied = of(Action::Allow).any(|(_, l7)| l7.iter().any(Option::is_some));
                let counts = |l7: &&L7| isolated || matches!(l7, L7::Other(_));
                let limited = of(Action::Allow).flat_map(|(rule, l7)| {
                    let free = self.is_free_of_limits(rule);
                    l7.iter().map(move |l7| l7.filter(|l7| !free && counts(l7)))
                });
                let limits = together(limited);
                let (outcome, rules) = (Outcome::Allowed(limits), rules(Action::Allow));
                return Some(Verdict { outcome, because, rules, proxied });
            }
            passed = Some(level.tier);
        }
        None
    }

    /// Whether the peer is the subject's own node, which the L7 rules of a rule do not limit.
    fn is_free_of_limits(&self, rule: &Rule) -> bool {
        let Subject { semantics, direction, .. } = self.subject;
        let host = Peer::Labels { selector: Selector::reserved("host"), endpoints: false };
        semantics.frees_own_host()
            && *direction == Direction::Ingress
            && self.peer.labels.is_reserved("host")
            && !rule.peers.cached(&[]).contains(&host)
    }

    /// The L7 limits of the ports of a rule that fit; none if none does.
    fn limits(&self, rule: &'a Rule, port: (Protocol, u16)) -> Vec<Option<&'a L7>> {
        match &rule.ports {
            None => vec![None],
            Some(rules) => {
                let has =
                    |known: &&PortRule| known.ports.iter().any(|ports| self.has(rule, ports, port));
                rules.iter().filter(has).map(|known| known.l7.as_ref()).collect()
            }
        }
    }

    fn has(&self, rule: &Rule, ports: &Ports, (protocol, port): (Protocol, u16)) -> bool {
        ports.protocols.contains(&protocol)
            && (ports.which == Which::All
                || self
                    .numbers(rule, ports, protocol)
                    .any(|(first, last)| (first..=last).contains(&port)))
    }

    /// The ranges of numbers that ports stand for here; every one is none.
    fn numbers(
        &self,
        rule: &Rule,
        ports: &Ports,
        protocol: Protocol,
    ) -> impl Iterator<Item = (u16, u16)> {
        let subject = self.subject;
        match &ports.which {
            Which::All => None,
            Which::Range(first, last) => Some((*first, *last)),
            Which::Named(name) => {
                let known = match subject.direction {
                    Direction::Ingress => subject.identity.ports.get(name),
                    // What stands for many identities has no ports with names.
                    Direction::Egress if subject.semantics.names_ports_per_peer() => {
                        let known = self.peer.ports.get(name);
                        known.filter(|_| subject.fits(rule, self.peer, true))
                    }
                    Direction::Egress => subject.names.get(name.as_str()),
                };
                one(known, protocol).map(|number| (number, number))
            }
        }
        .into_iter()
    }
}

/// The port that a name stands for, if it is one of the protocol
/// (`GetNamedPort` in `pkg/types/portmap.go`).
fn one(known: Option<&BTreeSet<(Protocol, u16)>>, protocol: Protocol) -> Option<u16> {
    let mut numbers = known?.iter().filter(|port| port.0 == protocol);
    let (number, other) = (numbers.next()?.1, numbers.next());
    other.is_none().then_some(number)
}

/// What several allows let through together; nothing if one of them has no limit.
fn together<'l>(all: impl Iterator<Item = Option<&'l L7>>) -> Option<Vec<L7>> {
    let limits: Option<BTreeSet<&L7>> = all.collect();
    Some(limits?.into_iter().cloned().collect())
}
