//! A rule that opens one end of a flow that nobody declares.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};

use super::compare::{Beyond, Differences};
use super::flows::{policies, sentence};

declare_rules! {
    /// ## What it does
    /// Reports a rule of a policy that lets something through at its end which no flow declares,
    /// where only the other end keeps it out, with an example.
    ///
    /// ## Why it matters
    /// Nothing goes through today. The other end may belong to another team, and the day on which
    /// it is opened for another reason this door is open.
    ///
    /// ## Example
    /// ```yaml
    /// # a hand-written CiliumNetworkPolicy; `shop` has a default deny
    /// spec:
    ///   endpointSelector: {matchLabels: {app: ledger}}
    ///   ingress: [{fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: shop}}]}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// # a flow of the application
    /// flows: {book: {from: [{workload: shop/web}], to: [{workload: ledger}], ports: [443]}}
    /// ```
    pub static HALF_OPEN_DOOR = { code: "LB4003", name: "half-open-door", summary: "a rule that opens one end of a flow that nobody declares", severity: Warning };
}

/// Reports each cause once.
pub(super) fn report(differences: &Differences, found: &mut Diagnostics) {
    for one in differences.beyond.iter().filter(|one| !one.through) {
        found.push(finding(one));
    }
}

fn finding(one: &Beyond) -> Diagnostic {
    let message = sentence(&one.example, ["may send to", "may receive from"]);
    let message = format!("{message}, which no flow declares and only the other end blocks");
    let finding = Diagnostic::new(&HALF_OPEN_DOOR, one.span, message);
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
