//! A flow that goes through and that nobody declares.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};

use super::compare::{Beyond, Differences};
use super::flows::{policies, sentence};

declare_rules! {
    /// ## What it does
    /// Reports a rule of a policy that lets something through which no flow declares, where the
    /// other end lets it through as well, with an example. Pods that nobody declares as workloads
    /// count: any other pod of a namespace, and those with labels that some policy names. A flow
    /// with `http` is exceeded by a rule that opens its port to all requests. Where a namespace has
    /// no default deny in a direction, everything in that direction is declared.
    ///
    /// ## Why it matters
    /// With a default deny the declared flows are what is reviewed. A hand-written policy that
    /// opens more is seen in no review of the topology, and a label is all that a pod needs to use
    /// it.
    ///
    /// ## Example
    /// ```yaml
    /// # a hand-written CiliumNetworkPolicy
    /// spec:
    ///   endpointSelector: {matchLabels: {app: ledger}}
    ///   ingress: [{fromEntities: [world]}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// # a flow of the application
    /// flows: {audit: {from: [{external: auditors}], to: [{workload: ledger}], ports: [443]}}
    /// ```
    pub static UNDECLARED_FLOW = { code: "LB4002", name: "undeclared-flow", summary: "a flow that goes through and that nobody declares", severity: Error };
}

/// Reports each cause once.
pub(super) fn report(differences: &Differences, found: &mut Diagnostics) {
    for one in differences.beyond.iter().filter(|one| one.through) {
        found.push(finding(one));
    }
}

fn finding(one: &Beyond) -> Diagnostic {
    let message = sentence(&one.example, ["can send to", "can receive from"]);
    let message = format!("{message}, which no flow declares");
    let finding = Diagnostic::new(&UNDECLARED_FLOW, one.span, message);
    if one.cause.rules.is_empty() {
        return finding
            .label("nothing isolates them in this direction")
            .help("keep the default deny of the namespace");
    }
    let others = one.cause.rules.iter().filter(|span| **span != one.span);
    let finding = finding.label(format!("opened by {}", policies(&one.cause)));
    others
        .fold(finding, |finding, span| finding.related(*span, "opened here as well"))
        .help("declare the flow, or narrow the rule")
}
