//! What the agents of one cluster decide about one subject, one peer and one port.
//!
//! The order is that of the policy maps (`pkg/policy/mapstate.go`): levels from the first on; in
//! a level deny before allow before pass; what nothing decides is denied where a rule isolates the
//! subject, and allowed elsewhere.

mod bucket;
mod conflict;
mod subject;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::identity::Identity;
use super::rule::{Direction, L7, Policy, Protocol, Rule};
use super::semantics::Semantics;
use bucket::Buckets;
use conflict::conflicts;

pub use subject::{Subject, Toward};

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
    /// Whether it goes through a proxy, which may let everything through.
    pub proxied: bool,
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
    /// Rules of several L7 protocols meet on one port.
    Conflict,
}

/// The numbers of every name of a port.
type Names<'a> = BTreeMap<&'a str, BTreeSet<(Protocol, u16)>>;

/// What the agents of one cluster know: the policies of the cluster, and the ports with names of
/// every endpoint of the mesh.
#[derive(Clone, Debug)]
pub struct Agent<'a> {
    semantics: &'a Semantics,
    rules: Buckets<'a>,
    names: Arc<Names<'a>>,
}

impl<'a> Agent<'a> {
    /// The agents of a cluster. `endpoints` are those whose named ports they know.
    pub fn new(
        semantics: &'a Semantics,
        policies: impl IntoIterator<Item = &'a Policy>,
        endpoints: impl IntoIterator<Item = &'a Identity>,
    ) -> Self {
        let rules = Buckets::new(policies.into_iter().flat_map(|known| &known.rules));
        let mut names: Names<'a> = BTreeMap::new();
        // They are many, and hardly any policy names a port.
        if rules.name_ports() {
            for (name, ports) in endpoints.into_iter().flat_map(|known| &known.ports) {
                names.entry(name).or_default().extend(ports);
            }
        }
        Self { semantics, rules, names: Arc::new(names) }
    }

    /// The rules about an endpoint in one direction.
    pub fn subject(&self, identity: &'a Identity, direction: Direction) -> Subject<'a> {
        let [ingress, egress] = self.subjects(identity);
        match direction {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
        }
    }

    /// The rules about an endpoint, ingress and egress.
    pub fn subjects(&self, identity: &'a Identity) -> [Subject<'a>; 2] {
        let directions = [Direction::Ingress, Direction::Egress];
        let about = directions.map(|direction| self.rules.about(identity, direction));
        // One map is made for both directions.
        let mut conflicting: Vec<&Rule> = Vec::new();
        if self.rules.limit() {
            let broken = about.iter().filter(|rules| conflicts(rules, self.semantics));
            conflicting.extend(broken.flatten());
        }
        let [ingress, egress] = about;
        let subject = |direction, rules| {
            let (names, conflicting) = (Arc::clone(&self.names), conflicting.clone());
            Subject::new(self.semantics, names, identity, direction, rules, conflicting)
        };
        [subject(Direction::Ingress, ingress), subject(Direction::Egress, egress)]
    }

    /// What is decided about a flow.
    pub fn verdict<'f>(&self, flow: &Flow<'f>) -> Verdict<'f>
    where
        'a: 'f,
    {
        let agent: &Agent<'f> = self;
        agent.subject(flow.subject, flow.direction).toward(flow.peer).at(flow.protocol, flow.port)
    }
}

#[cfg(test)]
mod tests;
