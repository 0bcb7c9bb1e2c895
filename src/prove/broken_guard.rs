//! A guard that does not hold.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::Direction;
use crate::reach::Reach;
use crate::source::Span;
use crate::topology::guard::{Demand, Guard, GuardRule};

use super::guards::{Broken, Guards};
use super::intent::Intent;

declare_rules! {
    /// ## What it does
    /// Proves the `guards` of the topology over all clusters, and reports a rule of one that does
    /// not hold, with a counter-example. `never` is refuted by anything that can go through, `only`
    /// by anybody else who gets there. What counts is what all policies let through, declared or
    /// not: pods that nobody declares, namespaces without a default deny, and who is outside.
    ///
    /// ## Why it matters
    /// A guard is what must hold whatever anyone declares, such as that personal data stays where
    /// it may be. A single flow, capability or hand-written policy of any team can undo it.
    ///
    /// ## Example
    /// ```yaml
    /// guards:
    ///   pii-stays-in-eu:
    ///     never: [{from: {namespace: pii}, to: {notRegions: [eu-*]}}]
    /// ---
    /// flows: {copy: {from: [{workload: pii/database}], to: [{workload: backup}], ports: [5432]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// flows:
    ///   copy: {from: [{workload: pii/database}], to: [{workload: backup, regions: [eu-*]}], ports: [5432]}
    /// ```
    pub static BROKEN_GUARD = { code: "LB4004", name: "broken-guard", summary: "a guard that does not hold", severity: Error };
}

/// Asks every rule of every guard.
pub(super) fn report(reach: &Reach<'_>, intent: &Intent<'_>, found: &mut Diagnostics) {
    if intent.topology.guards.iter().all(|guard| guard.rules.is_empty()) {
        return;
    }
    let guards = Guards::new(reach, intent);
    for guard in &intent.topology.guards {
        let mut holds = true;
        for rule in &guard.rules {
            if let Some(broken) = guards.broken(rule) {
                holds = false;
                found.push(finding(guard, rule, &broken));
            }
        }
        if holds && !reach.mesh().unread.is_empty() {
            let what = format!("the guard `{}`", guard.name.value);
            found.not_checked(guard.name.span, what, "some policies could not be read");
        }
    }
}

fn finding(guard: &Guard, rule: &GuardRule, broken: &Broken) -> Diagnostic {
    let Broken { from, to, ports, .. } = broken;
    let name = &guard.name.value;
    let message = format!("the guard `{name}` does not hold: {from} reaches {to} on {ports}");
    let mut finding = Diagnostic::new(&BROKEN_GUARD, rule.span, message).label(match rule.demand {
        Demand::Never => "must never be possible",
        Demand::Only => "nobody else may",
    });
    let mut places: Vec<Span> = vec![rule.span];
    for (span, text) in
        broken.flows.iter().map(|(span, name)| (span, format!("the flow `{name}` declares it")))
    {
        finding = finding.related(*span, text);
        places.push(*span);
    }
    for (direction, spans) in &broken.rules {
        let text = match direction {
            Direction::Egress => "the source lets it out by this",
            Direction::Ingress => "the target lets it in by this",
        };
        for span in spans {
            if !places.contains(span) {
                finding = finding.related(*span, text);
                places.push(*span);
            }
        }
    }
    for end in &broken.open {
        finding = finding.note(format!("nothing isolates {end} in this direction"));
    }
    if let Some(because) = &guard.because {
        finding = finding.note(because.clone());
    }
    finding.help("narrow what lets it through, or change the guard")
}
