//! What the agents of one cluster decide about one subject, one peer and one port.
//!
//! The order is that of the policy maps (`pkg/policy/mapstate.go`): levels from the first on; in
//! a level deny before allow before pass; what nothing decides is denied where a rule isolates the
//! subject, and allowed elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{Identity, Sort};
use super::rule::{
    Action, Direction, L7, Level, Pattern, Peer, Peers, Policy, PortRule, Ports, Protocol, Rule,
    Which,
};
use super::selector::Selector;
use super::semantics::{Enforcement, Semantics};

/// A connection, seen from the endpoint that policies are about.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    /// The endpoint that policies are about.
    pub subject: &'a Identity,
    /// The other side.
    pub peer: &'a Identity,
    /// Which way the connection goes.
    pub direction: Direction,
    /// Its protocol.
    pub protocol: Protocol,
    /// The port at its target, after service translation; the type for ICMP.
    pub port: u16,
}

/// What is decided about a flow, and by which rules.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// What is decided.
    pub outcome: Outcome,
    /// Why.
    pub because: Because,
    /// The rules that decide it; for a default deny those that isolate the subject.
    pub rules: Vec<&'a Rule>,
}

/// What is decided about a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes through as far as this allows; nothing said is everything.
    Allowed(Option<Vec<L7>>),
    /// It is dropped.
    Denied,
    /// The agent cannot make a policy of what is written, and keeps what it had before.
    Broken,
}

impl Outcome {
    /// Whether at least some of the traffic goes through.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// Why something is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// Nothing is enforced on the subject in this direction.
    NotEnforced,
    /// Rules say so.
    Rules,
    /// The subject is isolated and nothing allows it.
    DefaultDeny,
    /// Rules are about the subject, none isolates it, and none denies it.
    DefaultAllow,
    /// It comes from the subject's own node.
    LocalHost,
    /// HTTP and DNS rules meet on one port.
    Conflict,
}

/// A rule that fits a flow, with the L7 limits of its ports that do.
type Fitting<'a> = (&'a Rule, Vec<Option<&'a L7>>);

/// What the agents of one cluster know: the policies of the cluster, and the ports with names of
/// every endpoint of the mesh.
#[derive(Clone, Debug)]
pub struct Agent<'a> {
    semantics: &'a Semantics,
    rules: Vec<&'a Rule>,
    names: BTreeMap<&'a str, BTreeSet<(Protocol, u16)>>,
}

impl<'a> Agent<'a> {
    /// The agents of a cluster. `endpoints` are those whose named ports they know.
    pub fn new(
        semantics: &'a Semantics,
        policies: impl IntoIterator<Item = &'a Policy>,
        endpoints: impl IntoIterator<Item = &'a Identity>,
    ) -> Self {
        let mut names: BTreeMap<&str, BTreeSet<(Protocol, u16)>> = BTreeMap::new();
        for (name, ports) in endpoints.into_iter().flat_map(|known| &known.ports) {
            names.entry(name).or_default().extend(ports);
        }
        Self {
            semantics,
            rules: policies.into_iter().flat_map(|known| &known.rules).collect(),
            names,
        }
    }

    /// What is decided about a flow.
    pub fn verdict(&self, flow: &Flow<'_>) -> Verdict<'a> {
        let decided = |outcome, because, rules| Verdict { outcome, because, rules };
        let allowed = |because| decided(Outcome::Allowed(None), because, Vec::new());
        let host = flow.subject.sort == Sort::Host;
        let firewall = self.semantics.settings().host_firewall;
        if self.semantics.enforcement() == Enforcement::Never || (host && !firewall) {
            return allowed(Because::NotEnforced);
        }
        let rules = self.about(flow);
        let forced = self.semantics.enforcement() == Enforcement::Always
            || flow.subject.labels.is_reserved("init");
        if rules.is_empty() && !forced {
            return allowed(Because::NotEnforced);
        }
        if self.conflicts(&rules) {
            return decided(Outcome::Broken, Because::Conflict, rules);
        }
        let isolating: Vec<_> = rules.iter().copied().filter(|rule| rule.default_deny).collect();
        let isolated = forced || !isolating.is_empty();
        if let Some(verdict) = self.decide(flow, &rules, isolated) {
            return verdict;
        }
        if !isolated {
            return allowed(Because::DefaultAllow);
        }
        // `AllowLocalhost` is `always` under Kubernetes.
        let local = flow.direction == Direction::Ingress && flow.peer.labels.is_reserved("host");
        if local && !host && (!rules.is_empty() || self.semantics.admits_host_without_rules()) {
            return allowed(Because::LocalHost);
        }
        decided(Outcome::Denied, Because::DefaultDeny, isolating)
    }

    /// The rules about the subject in the direction of a flow.
    fn about(&self, flow: &Flow<'_>) -> Vec<&'a Rule> {
        let host = flow.subject.sort == Sort::Host;
        let about = |rule: &&Rule| {
            rule.direction == flow.direction
                && rule.node == host
                && rule.subject.matches(&flow.subject.labels)
        };
        self.rules.iter().copied().filter(about).collect()
    }

    /// Asks the rules, level by level. Where nothing isolates the subject, HTTP and DNS rules let
    /// everything through (`createL4Filter` in `pkg/policy/l4.go`).
    fn decide(&self, flow: &Flow<'_>, rules: &[&'a Rule], isolated: bool) -> Option<Verdict<'a>> {
        let mut levels: BTreeMap<Level, Vec<Fitting<'a>>> = BTreeMap::new();
        for rule in rules {
            let l7 = self.fits(flow, rule, rules);
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
                return Some(Verdict { outcome, because, rules });
            }
            if of(Action::Allow).next().is_some() {
                let l7 = of(Action::Allow).flat_map(|(_, l7)| l7.iter().copied());
                let counts = |l7: &&L7| isolated || matches!(l7, L7::Other(_));
                let limits = limits(l7.map(|l7| l7.filter(counts)));
                let (outcome, rules) = (Outcome::Allowed(limits), rules(Action::Allow));
                return Some(Verdict { outcome, because, rules });
            }
            passed = Some(level.tier);
        }
        None
    }

    /// The L7 limits of what of a rule fits a flow; none if nothing does.
    fn fits(&self, flow: &Flow<'_>, rule: &'a Rule, about: &[&'a Rule]) -> Vec<Option<&'a L7>> {
        let requires: Vec<&Selector> = about
            .iter()
            .filter(|other| (other.action == Action::Deny) == (rule.action == Action::Deny))
            .flat_map(|other| &other.requires)
            .collect();
        let fits = match (&rule.peers, &rule.ports) {
            (Peers::Nobody, _) | (Peers::Unsaid, None) => false,
            (Peers::Unsaid, Some(_)) => true,
            (Peers::Of(peers), _) => peers.iter().any(|peer| {
                let seen = match peer {
                    Peer::Name(pattern) => sees_answers(flow.peer, pattern, about, self.semantics),
                    Peer::Labels { .. } | Peer::Cidr { .. } => true,
                };
                seen && peer.matches(flow.peer, self.semantics, &requires)
            }),
        };
        match &rule.ports {
            _ if !fits => Vec::new(),
            None => vec![None],
            Some(rules) => {
                let has = |known: &&PortRule| known.ports.iter().any(|port| self.has(flow, port));
                rules.iter().filter(has).map(|known| known.l7.as_ref()).collect()
            }
        }
    }

    /// Whether a flow's port is among some.
    fn has(&self, flow: &Flow<'_>, ports: &Ports) -> bool {
        let port = (flow.protocol, flow.port);
        ports.protocols.contains(&flow.protocol)
            && match &ports.which {
                Which::All => true,
                Which::Range(first, last) => (*first..=*last).contains(&flow.port),
                Which::Named(name) => match flow.direction {
                    Direction::Ingress => one(flow.subject.ports.get(name), port),
                    Direction::Egress if self.semantics.names_ports_per_peer() => {
                        one(flow.peer.ports.get(name), port)
                    }
                    Direction::Egress => one(self.names.get(name.as_str()), port),
                },
            }
    }

    /// Whether rules of two L7 protocols meet on one port (`mergePortProto` in
    /// `pkg/policy/rule.go`): for any peers up to 1.17, later for the same ones.
    fn conflicts(&self, rules: &[&Rule]) -> bool {
        let mut parsers: BTreeMap<(Protocol, &Which), Vec<(&Peers, bool)>> = BTreeMap::new();
        for rule in rules.iter().filter(|rule| rule.action == Action::Allow) {
            for known in rule.ports.iter().flatten() {
                let dns = match &known.l7 {
                    Some(L7::Dns(_)) => true,
                    Some(L7::Http(_)) => false,
                    Some(L7::Other(_)) | None => continue,
                };
                for ports in &known.ports {
                    for protocol in &ports.protocols {
                        let seen = parsers.entry((*protocol, &ports.which)).or_default();
                        seen.push((&rule.peers, dns));
                    }
                }
            }
        }
        parsers.values().any(|seen| {
            seen.iter().any(|(peers, dns)| {
                let meets =
                    |other: &Peers| self.semantics.one_parser_per_port() || share(peers, other);
                *dns && seen.iter().any(|(other, dns)| !*dns && meets(other))
            })
        })
    }
}

/// Whether a name stands for this port and no other one of the protocol
/// (`GetNamedPort` in `pkg/types/portmap.go`).
fn one(known: Option<&BTreeSet<(Protocol, u16)>>, port: (Protocol, u16)) -> bool {
    let of = |known: &&(Protocol, u16)| known.0 == port.0;
    known.is_some_and(|known| known.iter().filter(of).eq([&port]))
}

/// Whether two rules have a peer in common, as written.
fn share(one: &Peers, other: &Peers) -> bool {
    match (one, other) {
        (Peers::Of(one), Peers::Of(other)) => one.iter().any(|peer| other.contains(peer)),
        (Peers::Unsaid, Peers::Unsaid) => true,
        _ => false,
    }
}

/// Whether the agent sees the answers to queries for a peer's names that a pattern matches: a rule
/// about the subject has to send them through the DNS proxy.
fn sees_answers(
    peer: &Identity,
    pattern: &Pattern,
    about: &[&Rule],
    semantics: &Semantics,
) -> bool {
    let ports = about.iter().filter_map(|rule| rule.ports.as_ref()).flatten();
    let queries: Vec<&Pattern> = ports
        .filter_map(|known| match &known.l7 {
            Some(L7::Dns(patterns)) => Some(patterns),
            _ => None,
        })
        .flatten()
        .collect();
    let known = peer.names.iter().filter(|name| pattern.matches(name, semantics));
    known.into_iter().any(|name| queries.iter().any(|query| query.matches(name, semantics)))
}

/// What several allows let through together; nothing if one of them has no limit.
fn limits<'l>(all: impl Iterator<Item = Option<&'l L7>>) -> Option<Vec<L7>> {
    let limits: Option<BTreeSet<&L7>> = all.collect();
    Some(limits?.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests;
