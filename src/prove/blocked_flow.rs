//! A flow that is declared and does not go through.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::Direction;

use super::compare::{Blocked, Differences};
use super::flows::{policies, sentence};
use super::intent::Intent;

declare_rules! {
    /// ## What it does
    /// Reports a declared flow that a policy keeps from going through at one of its ends, with an
    /// example: a rule denies it, or pods are isolated and nothing allows it. What is generated and
    /// what is written by hand are read together, as the cluster's Cilium reads them. The way to
    /// the cluster's DNS, which pods need to find anybody, counts as declared, at the pods that
    /// answer too.
    ///
    /// ## Why it matters
    /// A deny rule wins over every rule that allows, wherever it stands. And a policy that isolates
    /// pods of a namespace without a default deny closes them for everything that it does not
    /// name, declared flows too. A flow opens both of its ends where it names a workload, a service,
    /// a capability or a declared namespace: `namespaceLabels` opens nothing in a namespace with a
    /// default deny, and the flow ends there.
    ///
    /// ## Example
    /// ```yaml
    /// # a hand-written CiliumNetworkPolicy
    /// spec:
    ///   endpointSelector: {matchLabels: {app: fraud-detection}}
    ///   ingressDeny: [{fromEndpoints: [{}]}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// spec:
    ///   endpointSelector: {matchLabels: {app: fraud-detection}}
    ///   ingressDeny: [{fromEndpoints: [{matchLabels: {tier: debug}}]}]
    /// ```
    pub static BLOCKED_FLOW = { code: "LB4001", name: "blocked-flow", summary: "a flow that is declared and does not go through", severity: Error };
}

/// Reports each flow once for each end and cause.
pub(super) fn report(intent: &Intent<'_>, differences: &Differences, found: &mut Diagnostics) {
    for one in &differences.blocked {
        found.push(finding(intent, one));
    }
}

fn finding(intent: &Intent<'_>, one: &Blocked) -> Diagnostic {
    let what = intent.describe(one.why);
    let message = format!("{what} is blocked: {}", example(one));
    let mut finding = Diagnostic::new(&BLOCKED_FLOW, one.span, message);
    let end = match one.example.direction {
        Direction::Egress => "leave",
        Direction::Ingress => "reach",
    };
    let by = policies(&one.cause);
    let why = match (one.cause.denied, one.cause.rules.is_empty()) {
        (true, _) => format!("denied by {by}"),
        (false, true) => "nothing allows it".to_owned(),
        (false, false) => format!("isolated by {by}, and no rule lets it {end} them"),
    };
    let places: Vec<_> = one.cause.rules.iter().filter(|span| **span != one.span).collect();
    for span in &places {
        finding = finding.related(**span, why.clone());
    }
    if places.is_empty() {
        finding = finding.note(why);
    }
    let help = if one.cause.denied {
        "narrow the rule that denies it, or remove the flow"
    } else {
        "allow it in a policy, or do not isolate these pods by hand"
    };
    finding.help(help)
}

fn example(one: &Blocked) -> String {
    sentence(&one.example, ["may not send to", "may not receive from"])
}
