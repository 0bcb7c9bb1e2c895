//! Answers about single flows, for people: what each end decides, rule by rule.

use std::fmt::Write as _;

use annotate_snippets::renderer::{AnsiColor, Style};

use super::Scene;
use crate::policy::rule::{Action, Kind};
use crate::policy::verdict::Because;
use crate::policy::{Direction, Policy};
use crate::reach::explain::{Answer, Decision, End, Role, Step};
use crate::reach::mesh::Origin;
use crate::report::untrusted::line;

/// Most rules that are shown of one end.
const MAX_STEPS: usize = 10;

/// Writes answers: the whole path where there is one, a table where there are several.
pub fn write(answers: &[Answer<'_>], scene: &Scene<'_>) -> String {
    match answers {
        [answer] => path(answer, scene),
        several => table(several, scene),
    }
}

/// `CiliumNetworkPolicy/shop/web`.
pub(super) fn name(policy: &Policy) -> String {
    let kind = match policy.kind {
        Kind::Cilium => "CiliumNetworkPolicy",
        Kind::CiliumClusterwide => "CiliumClusterwideNetworkPolicy",
        Kind::Kubernetes => "NetworkPolicy",
        Kind::KubernetesCluster => "ClusterNetworkPolicy",
    };
    match &policy.namespace {
        Some(namespace) => format!("{kind}/{namespace}/{}", policy.name),
        None => format!("{kind}/{}", policy.name),
    }
}

fn painted(decision: Decision, text: &str) -> String {
    let color = match decision {
        Decision::Allowed => AnsiColor::Green,
        Decision::Unknown => AnsiColor::Yellow,
        Decision::Denied => AnsiColor::Red,
    };
    let style: Style = color.on_default().bold();
    format!("{style}{text}{style:#}")
}

/// What was asked, and what was called if that was a service.
fn asked(answer: &Answer<'_>) -> String {
    let Answer { from, to, port, .. } = answer;
    match &answer.service {
        Some((service, called)) => {
            format!("{from} → {to} on {port}, called as {service} on {called}")
        }
        None => format!("{from} → {to} on {port}"),
    }
}

fn path(answer: &Answer<'_>, scene: &Scene<'_>) -> String {
    let decision = answer.decision();
    let head = format!("{}: ", asked(answer));
    let mut text = format!("{}{}\n", line(&head), painted(decision, decision.name()));
    if answer.apart {
        text += "\n  the clusters are not joined: their pods do not reach each other\n";
        return text;
    }
    for (end, word) in [(&answer.egress, "egress of"), (&answer.ingress, "ingress of")] {
        let Some(end) = end else { continue };
        let endpoint = scene.mesh.describe(end.endpoint);
        let member = scene.mesh.cluster(scene.mesh.endpoint(end.endpoint).cluster);
        let version = member.semantics.version();
        let known = painted(end.decision(), end.decision().name());
        let head = format!("{word} {endpoint}, Cilium {version}: ");
        write!(text, "\n  {}{known}\n", line(&head)).expect("internal error: text takes text");
        text += &self::end(end, scene);
    }
    text
}

/// What one end decides, line by line.
fn end(end: &End<'_>, scene: &Scene<'_>) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    if let Some(why) = summary(end) {
        lines.push((why.to_owned(), String::new()));
    }
    for step in end.steps.iter().take(MAX_STEPS) {
        lines.push((verb(step), place(step, scene)));
    }
    let more = end.steps.len().saturating_sub(MAX_STEPS);
    if more > 0 {
        lines.push((format!("and {more} more rules"), String::new()));
    }
    for limit in end.limits() {
        lines.push(("only".to_owned(), limit));
    }
    if let Some(open) = &end.instead {
        lines.push(("open instead:".to_owned(), open.to_string()));
    }
    if end.own_cluster_only {
        let why = "the same pod in this cluster would be let through: from Cilium 1.19 a peer that \
                   says no `io.cilium.k8s.policy.cluster` is of the policy's own cluster";
        lines.push(("note:".to_owned(), why.to_owned()));
    }
    for (policy, refusal) in &end.refused {
        let place = scene.sources.location(refusal.span);
        let what =
            format!("{} does nothing, Cilium refuses it: {}  {place}", name(policy), refusal.why);
        lines.push(("note:".to_owned(), what));
    }
    let mut text = String::new();
    for (word, what) in lines {
        let shown = format!("{word} {what}");
        writeln!(text, "    {}", line(shown.trim_end())).expect("internal error: text takes text");
    }
    text
}

/// What is to be said before any rule.
fn summary(end: &End<'_>) -> Option<&'static str> {
    match end.because {
        Because::NotEnforced => Some("no policy is about it in this direction"),
        Because::DefaultAllow => Some("policies are about it, none isolates it, none denies this"),
        Because::LocalHost => Some("the pod's own node always reaches it"),
        Because::DefaultDeny if end.steps.is_empty() => {
            Some("it is isolated by the agents' settings, and nothing allows this")
        }
        Because::DefaultDeny => Some("nothing allows this"),
        Because::Conflict => Some(
            "HTTP and DNS rules meet on one port: the agent keeps the policy that it had before",
        ),
        Because::Rules => None,
    }
}

fn verb(step: &Step<'_>) -> String {
    match step.role {
        Role::Isolates => "isolated by",
        Role::Allows => "allowed by",
        Role::Denies => "denied by",
        Role::Conflicts => "in conflict:",
    }
    .to_owned()
}

/// A rule with its place; that of the topology's line for a generated one.
fn place(step: &Step<'_>, scene: &Scene<'_>) -> String {
    let policy = &step.policy.policy;
    let place = scene.sources.location(step.rule.span);
    let generated = match step.policy.origin {
        Origin::Generated => " (generated)",
        Origin::Written => "",
    };
    let tier = match step.rule.level.tier {
        100 => ", tier Admin",
        250 => ", tier Baseline",
        _ => "",
    };
    format!("{}{generated}{tier}  {place}", name(policy))
}

/// One line for each answer.
fn table(answers: &[Answer<'_>], scene: &Scene<'_>) -> String {
    let rows: Vec<_> = answers.iter().map(|answer| (answer, row(answer, scene))).collect();
    let width = |at: usize| rows.iter().map(|(_, row)| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for (answer, row) in &rows {
        for (cell, width) in row.iter().zip(widths) {
            let cell = line(cell);
            write!(text, "{cell:width$}  ").expect("internal error: text takes text");
        }
        let decision = answer.decision();
        let known = painted(decision, &format!("{:7}", decision.name()));
        writeln!(text, "{known}  {}", line(&row[3])).expect("internal error: text takes text");
    }
    text.lines().map(str::trim_end).fold(String::new(), |text, line| text + line + "\n")
}

fn row(answer: &Answer<'_>, scene: &Scene<'_>) -> [String; 4] {
    let port = match &answer.service {
        Some((service, port)) => format!("{} ({service} {port})", answer.port),
        None => answer.port.to_string(),
    };
    [answer.from.clone(), answer.to.clone(), port, why(answer, scene)]
}

/// The reason in a few words.
fn why(answer: &Answer<'_>, scene: &Scene<'_>) -> String {
    if answer.apart {
        return "the clusters are not joined".to_owned();
    }
    let decision = answer.decision();
    let decisive = answer.egress.iter().chain(&answer.ingress);
    let Some(end) = decisive.clone().find(|end| end.decision() == decision) else {
        return String::new();
    };
    if decision == Decision::Allowed {
        let limits: Vec<String> = decisive.flat_map(End::limits).collect();
        return if limits.is_empty() { String::new() } else { limits.join("; ") };
    }
    let direction = match end.direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    };
    let last = end.steps.last();
    let rule = last.map(|step| {
        let verb = if step.rule.action == Action::Deny { "denied by" } else { "isolated by" };
        format!("{verb} {}", place(step, scene))
    });
    format!("{direction} {}", rule.unwrap_or_else(|| summary(end).unwrap_or_default().to_owned()))
}
