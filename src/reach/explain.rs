//! Why a flow goes through, or does not: at each end the policies that decide it, rule by rule.

use super::engine::{Party, Reach};
use super::mesh::{EndpointId, Mesh, WrittenPolicy};
use super::question::{AskedPort, Meant};
use super::service::Service;
use crate::policy::label::CLUSTER;
use crate::policy::rule::{Http, L7, Refusal};
use crate::policy::verdict::{Because, Outcome};
use crate::policy::{Direction, Identity, Label, Opening, Policy, Rule};
use crate::topology::ClusterId;

/// What is decided about one flow.
#[derive(Clone, Debug)]
pub struct Answer<'m> {
    /// The source.
    pub from: String,
    /// The target.
    pub to: String,
    /// The service that was called, if one was, with the port of it.
    pub service: Option<(String, AskedPort)>,
    /// The port at the target.
    pub port: AskedPort,
    /// What is decided at the source, if it is a pod.
    pub egress: Option<End<'m>>,
    /// What is decided at the target, if it is a pod.
    pub ingress: Option<End<'m>>,
    /// Whether both are pods of clusters that are not joined.
    pub apart: bool,
}

/// What one end decides about one flow.
#[derive(Clone, Debug)]
pub struct End<'m> {
    /// Which way, seen from this end.
    pub direction: Direction,
    /// The pod.
    pub endpoint: EndpointId,
    /// What is decided.
    pub outcome: Outcome,
    /// Why.
    pub because: Because,
    /// The rules on the way to that, in the order in which they are worth reading.
    pub steps: Vec<Step<'m>>,
    /// What else is open towards the other end, if this port is not.
    pub instead: Option<Opening>,
    /// Whether the same peer in the end's own cluster would be let through: a peer that says no
    /// cluster is kept to the policy's own from Cilium 1.19 on.
    pub own_cluster_only: bool,
    /// Policies of the pod's namespace, or of the cluster, that Cilium refuses.
    pub refused: Vec<(&'m Policy, &'m Refusal)>,
}

/// A rule on the way to a decision.
#[derive(Clone, Copy, Debug)]
pub struct Step<'m> {
    /// Its policy.
    pub policy: &'m WrittenPolicy,
    /// The rule.
    pub rule: &'m Rule,
    /// What it does here.
    pub role: Role,
}

/// What a rule does to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It isolates the pod.
    Isolates,
    /// It allows the flow.
    Allows,
    /// It denies the flow.
    Denies,
    /// It is one of those that cannot be brought together.
    Conflicts,
}

/// What is known in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It goes through.
    Allowed,
    /// An agent cannot read what is written.
    Unknown,
    /// It does not.
    Denied,
}

impl Decision {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Unknown => "unknown",
            Self::Denied => "denied",
        }
    }
}

impl Answer<'_> {
    /// What both ends decide together.
    pub fn decision(&self) -> Decision {
        if self.apart {
            return Decision::Denied;
        }
        let ends = self.egress.iter().chain(&self.ingress).map(End::decision);
        ends.max().unwrap_or(Decision::Allowed)
    }
}

impl End<'_> {
    /// What this end decides.
    pub fn decision(&self) -> Decision {
        match self.outcome {
            Outcome::Allowed(_) => Decision::Allowed,
            Outcome::Denied => Decision::Denied,
            Outcome::Broken => Decision::Unknown,
        }
    }

    /// What of the traffic goes through; empty for all of it.
    pub fn limits(&self) -> Vec<String> {
        match &self.outcome {
            Outcome::Allowed(Some(limits)) => limits.iter().flat_map(spoken).collect(),
            Outcome::Allowed(None) | Outcome::Denied | Outcome::Broken => Vec::new(),
        }
    }
}

/// The parts of an L7 limit, in words.
pub fn spoken(limit: &L7) -> Vec<String> {
    match limit {
        L7::Http(rules) => rules.iter().map(http).collect(),
        L7::Dns(patterns) => patterns.iter().map(|name| format!("DNS {}", name.0)).collect(),
        L7::Other(texts) => texts.iter().cloned().collect(),
    }
}

fn http(rule: &Http) -> String {
    let mut text = format!("HTTP {}", rule.method.as_deref().unwrap_or("any method"));
    for (before, part) in [(" ", &rule.path), (" on host ", &rule.host)] {
        if let Some(part) = part {
            text.push_str(before);
            text.push_str(part);
        }
    }
    if !rule.headers.is_empty() {
        text.push_str(" with ");
        text.push_str(&rule.headers.join(", "));
    }
    text
}

/// Answers for every pair of parties. A pair of two parties outside has no answer, and neither has
/// a target outside the cluster of the service that was named.
pub fn answers<'m>(
    reach: &Reach<'m>,
    services: &[Service],
    from: &Meant,
    to: &Meant,
    port: Option<AskedPort>,
) -> Vec<Answer<'m>> {
    let mesh = reach.mesh();
    let mut answers = Vec::new();
    for (source_name, source) in from.parties(mesh) {
        if let Some(port) = port {
            for (target_name, target) in to.parties(mesh) {
                answers.extend(answer(reach, (&source_name, source), (&target_name, target), port));
            }
        }
        let Party::Endpoint(id) = source else { continue };
        for service in to.services.iter().map(|at| &services[*at]) {
            if service.cluster == mesh.endpoint(id).cluster {
                let of = (&*source_name, source);
                answers.extend(through(reach, service, of, port));
            }
        }
    }
    answers
}

/// The answers for every pod behind a service, on one of its ports or on all.
fn through<'m>(
    reach: &Reach<'m>,
    service: &Service,
    source: (&str, Party<'_>),
    port: Option<AskedPort>,
) -> Vec<Answer<'m>> {
    let mesh = reach.mesh();
    let all =
        service.ports.iter().map(|known| AskedPort { protocol: known.protocol, port: known.port });
    let ports: Vec<AskedPort> = port.map_or_else(|| all.collect(), |port| vec![port]);
    let mut answers = Vec::new();
    for backend in &service.backends {
        let name = mesh.describe(*backend);
        for port in &ports {
            let target = service.translate(mesh, *backend, port.protocol, port.port);
            let Some(target) = target.map(|number| AskedPort { port: number, ..*port }) else {
                continue;
            };
            let to = (&*name, Party::Endpoint(*backend));
            let known = answer(reach, source, to, target);
            let of = Some((service.name.clone(), *port));
            answers.extend(known.map(|known| Answer { service: of, ..known }));
        }
    }
    answers
}

/// The answer for one pair; nothing where both are outside.
pub fn answer<'m>(
    reach: &Reach<'m>,
    (source_name, source): (&str, Party<'_>),
    (target_name, target): (&str, Party<'_>),
    port: AskedPort,
) -> Option<Answer<'m>> {
    let apart = match (source, target) {
        (Party::Outside(_), Party::Outside(_)) => return None,
        (Party::Endpoint(source), Party::Endpoint(target)) => !reach.joined(source, target),
        _ => false,
    };
    let of = |party, other, direction| match party {
        Party::Endpoint(id) => Some(end(reach, id, direction, other, port)),
        Party::Outside(_) => None,
    };
    Some(Answer {
        from: source_name.to_owned(),
        to: target_name.to_owned(),
        service: None,
        port,
        egress: of(source, target, Direction::Egress),
        ingress: of(target, source, Direction::Ingress),
        apart,
    })
}

fn end<'m>(
    reach: &Reach<'m>,
    endpoint: EndpointId,
    direction: Direction,
    other: Party<'_>,
    port: AskedPort,
) -> End<'m> {
    let mesh = reach.mesh();
    let subject = reach.subject(endpoint, direction);
    let toward = subject.toward(reach.identity(other));
    let verdict = toward.at(port.protocol, port.port);
    let cluster = mesh.endpoint(endpoint).cluster;
    let mut steps = Vec::new();
    let mut add = |rules: &[&'m Rule], role: Role| {
        let known = rules.iter().filter_map(|rule| Some((written(mesh, cluster, rule)?, *rule)));
        steps.extend(known.map(|(policy, rule)| Step { policy, rule, role }));
    };
    let role = match verdict.outcome {
        Outcome::Broken => Role::Conflicts,
        Outcome::Allowed(_) => Role::Allows,
        Outcome::Denied => Role::Denies,
    };
    let isolating: Vec<&'m Rule> = subject.isolating().take(1).collect();
    match verdict.because {
        Because::DefaultDeny => add(&verdict.rules, Role::Isolates),
        Because::Rules => {
            if role == Role::Allows {
                add(&isolating, Role::Isolates);
            }
            add(&verdict.rules, role);
        }
        Because::LocalHost => add(&isolating, Role::Isolates),
        Because::Conflict => add(&verdict.rules, role),
        Because::NotEnforced | Because::DefaultAllow => {}
    }
    let denied = verdict.outcome == Outcome::Denied;
    let nearer = nearer(reach.identity(other), &mesh.cluster(cluster).name);
    let own_cluster_only = denied
        && nearer.is_some_and(|peer| {
            subject.toward(&peer).at(port.protocol, port.port).outcome.is_allowed()
        });
    End {
        direction,
        endpoint,
        instead: denied.then(|| toward.opening()).filter(|open| !open.is_closed()),
        outcome: verdict.outcome,
        because: verdict.because,
        steps,
        own_cluster_only,
        refused: refused(mesh, endpoint),
    }
}

/// A peer of another cluster as if it were in this one.
fn nearer(peer: &Identity, cluster: &str) -> Option<Identity> {
    peer.cluster().filter(|own| *own != cluster)?;
    let moved = peer.labels.iter().map(|label| {
        if *label.key == *CLUSTER {
            Label::new(label.source.clone(), CLUSTER, cluster)
        } else {
            label.clone()
        }
    });
    Some(Identity { labels: moved.collect(), ..peer.clone() })
}

/// The policy that a rule is of.
fn written<'m>(mesh: &'m Mesh, cluster: ClusterId, rule: &Rule) -> Option<&'m WrittenPolicy> {
    let has = |written: &&WrittenPolicy| {
        written.policy.rules.iter().any(|known| std::ptr::eq(known, rule))
    };
    mesh.cluster(cluster).policies.iter().find(has)
}

fn refused(mesh: &Mesh, endpoint: EndpointId) -> Vec<(&Policy, &Refusal)> {
    let endpoint = mesh.endpoint(endpoint);
    let policies = mesh.cluster(endpoint.cluster).policies.iter();
    let policies = policies.map(|written| &*written.policy);
    let beside = policies.filter(|policy| {
        policy.namespace.as_deref().is_none_or(|of| Some(of) == endpoint.identity.namespace())
    });
    beside.filter_map(|policy| Some((policy, policy.refused.as_ref()?))).collect()
}

#[cfg(test)]
mod tests;
