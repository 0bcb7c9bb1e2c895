//! A value that the chart does not have and ignores.

use super::helm_values::problems;
use crate::chart::{ProblemKind, SUGGESTIONS};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a key of `ciliumValues` that the cluster's Cilium chart does not have: misspelt, or
    /// of a later chart. What is known of the charts is by patch version, since keys come and go
    /// between patches.
    ///
    /// ## Why it matters
    /// No Cilium chart refuses a key that it does not know (its schema has no
    /// `additionalProperties: false`): the setting is silently absent. Source: `values.yaml` and
    /// `values.schema.json` of the charts.
    ///
    /// ## Example
    /// ```yaml
    /// ciliumValues:
    ///   bpf: {masquarade: true}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ciliumValues:
    ///   bpf: {masquerade: true}
    /// ```
    pub static UNKNOWN_HELM_VALUE = { code: "LB2010", name: "unknown-helm-value", summary: "a Helm value that the Cilium chart does not have", severity: Error };
}

/// Reports keys that the chart ignores because it does not have them, or not yet.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let kinds = [ProblemKind::Unknown, ProblemKind::NotYet];
    for (key, problem) in problems(topology, &kinds, SUGGESTIONS) {
        let label = match problem.kind {
            ProblemKind::NotYet => "comes in a later chart",
            _ => "has no effect",
        };
        let finding = Diagnostic::new(&UNKNOWN_HELM_VALUE, key, problem.message).label(label);
        let help = problem.help.unwrap_or_else(|| "remove it".to_owned());
        found.push(finding.help(help));
    }
}
