//! Answers for programs.

use serde::Serialize;

use super::answers::name;
use super::{Scene, names, ports};
use crate::policy::rule::Refusal;
use crate::policy::verdict::Because;
use crate::policy::{Direction, Policy};
use crate::reach::diff::Difference;
use crate::reach::explain::{Answer, End, Role, Step};
use crate::reach::matrix::{Matrix, Row};
use crate::reach::mesh::Origin;
use crate::source::Span;

/// The version of the format.
pub const VERSION: u32 = 1;
/// The JSON Schema of the format.
pub const SCHEMA: &str = include_str!("../../../schemas/reach.v1.json");

/// What stands around every sort of answer.
#[derive(Serialize)]
pub(super) struct Root<'a, T: Serialize> {
    version: u32,
    clusters: Vec<Cluster<'a>>,
    #[serde(flatten)]
    content: T,
    not_checked: Vec<Unchecked<'a>>,
}

#[derive(Serialize)]
struct Cluster<'a> {
    name: &'a str,
    cilium: String,
    /// How the version is known: `said`, `seen` or `assumed`.
    known: &'static str,
}

#[derive(Serialize)]
struct Unchecked<'a> {
    what: &'a str,
    why: &'a str,
    place: Place<'a>,
}

/// Where something begins.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

/// Writes what an answer has around it.
pub(super) fn text<T: Serialize>(scene: &Scene<'_>, content: T) -> String {
    let cluster = |at: usize| scene.because.get(at).map_or("said", |because| because.name());
    let clusters = scene.mesh.clusters.iter().enumerate();
    let clusters = clusters.map(|(at, member)| Cluster {
        name: &member.name,
        cilium: member.semantics.version().to_string(),
        known: cluster(at),
    });
    let unread = scene.unread.iter().map(|one| Unchecked {
        what: &one.what,
        why: &one.why,
        place: place(one.span, scene),
    });
    let root = Root {
        version: VERSION,
        clusters: clusters.collect(),
        content,
        not_checked: unread.collect(),
    };
    serde_json::to_string_pretty(&root).expect("internal error: answers are text") + "\n"
}

fn place<'a>(span: Span, scene: &Scene<'a>) -> Place<'a> {
    let source = scene.sources.get(span.source);
    let (line, column) = source.position(span.start as usize);
    Place { file: source.name(), line, column }
}

#[derive(Serialize)]
struct Answers<'a> {
    answers: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    from: &'a str,
    to: &'a str,
    protocol: String,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Called<'a>>,
    decision: &'static str,
    joined: bool,
    ends: Vec<Side<'a>>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    port: u16,
}

#[derive(Serialize)]
struct Side<'a> {
    direction: &'static str,
    decision: &'static str,
    because: &'static str,
    own_cluster_only: bool,
    /// What of the traffic goes through; empty for all of it.
    only: Vec<String>,
    rules: Vec<Rule<'a>>,
    refused: Vec<Refused<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    role: &'static str,
    policy: String,
    generated: bool,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Refused<'a> {
    policy: String,
    why: &'a str,
    place: Place<'a>,
}

/// Writes answers about single flows.
pub fn answers(answers: &[Answer<'_>], scene: &Scene<'_>) -> String {
    text(scene, Answers { answers: answers.iter().map(|answer| one(answer, scene)).collect() })
}

fn one<'a>(answer: &'a Answer<'a>, scene: &Scene<'a>) -> One<'a> {
    let called = answer.service.as_ref();
    let ends = answer.egress.iter().chain(&answer.ingress);
    One {
        from: &answer.from,
        to: &answer.to,
        protocol: answer.port.protocol.to_string(),
        port: answer.port.port,
        service: called.map(|(name, port)| Called { name, port: port.port }),
        decision: answer.decision().name(),
        joined: !answer.apart,
        ends: ends.map(|end| side(end, scene)).collect(),
    }
}

fn side<'a>(end: &'a End<'a>, scene: &Scene<'a>) -> Side<'a> {
    let because = match end.because {
        Because::NotEnforced => "not-enforced",
        Because::Rules => "rules",
        Because::DefaultDeny => "default-deny",
        Because::DefaultAllow => "default-allow",
        Because::LocalHost => "local-host",
        Because::Conflict => "conflict",
    };
    Side {
        direction: match end.direction {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        },
        decision: end.decision().name(),
        because,
        own_cluster_only: end.own_cluster_only,
        only: end.limits(),
        rules: end.steps.iter().map(|step| rule(step, scene)).collect(),
        refused: end.refused.iter().map(|(policy, why)| refused(policy, why, scene)).collect(),
    }
}

fn rule<'a>(step: &Step<'a>, scene: &Scene<'a>) -> Rule<'a> {
    Rule {
        role: match step.role {
            Role::Isolates => "isolates",
            Role::Allows => "allows",
            Role::Denies => "denies",
            Role::Conflicts => "conflicts",
        },
        policy: name(&step.policy.policy),
        generated: step.policy.origin == Origin::Generated,
        place: place(step.rule.span, scene),
    }
}

fn refused<'a>(policy: &Policy, refusal: &'a Refusal, scene: &Scene<'a>) -> Refused<'a> {
    Refused { policy: name(policy), why: &refusal.why, place: place(refusal.span, scene) }
}

#[derive(Serialize)]
struct Rows {
    matrix: Vec<Flow>,
}

#[derive(Serialize)]
struct Changed {
    opened: Vec<Flow>,
    closed: Vec<Flow>,
}

/// A row. One that is general is about all that no other row is about.
#[derive(Serialize)]
struct Flow {
    from: Vec<String>,
    to: Vec<String>,
    ports: Vec<ports::Ports>,
    general: bool,
}

/// Writes a matrix.
pub fn matrix(matrix: &Matrix, scene: &Scene<'_>) -> String {
    text(scene, Rows { matrix: flows(matrix, scene) })
}

/// Writes a difference; `scene` is that of what comes after.
pub fn difference(difference: &Difference, scene: &Scene<'_>) -> String {
    let Difference { opened, closed } = difference;
    text(scene, Changed { opened: flows(opened, scene), closed: flows(closed, scene) })
}

fn flows(matrix: &Matrix, scene: &Scene<'_>) -> Vec<Flow> {
    let flow = |row: &Row| Flow {
        from: names(&row.from, matrix),
        to: names(&row.to, matrix),
        ports: ports::list(&row.opening, scene.mesh),
        general: row.general,
    };
    matrix.rows.iter().map(flow).collect()
}
