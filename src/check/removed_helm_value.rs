//! A value that the chart has no longer.

use super::dying_helm_value::dying;
use super::helm_values::{declaration, problems};
use crate::chart::ProblemKind;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a key of `ciliumValues` that an older Cilium chart had under that name, or that is
    /// often written although no chart ever had it, with what to write instead. A key that still
    /// works but is on its way out is a warning.
    ///
    /// ## Why it matters
    /// The chart refuses some of these keys and silently ignores the others. An ignored
    /// `encryption.strictMode.enabled` leaves strict mode off; an ignored
    /// `ipam.operator.clusterPoolIPv4PodCIDR` gives every cluster the pod range 10.0.0.0/8.
    /// Source: `values.yaml` and `templates/validate.yaml` of the charts; Cilium's upgrade notes.
    ///
    /// ## Example
    /// ```yaml
    /// ciliumValues:
    ///   ebpf: {xdpAcceleration: native}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ciliumValues:
    ///   loadBalancer: {acceleration: native}
    /// ```
    pub static REMOVED_HELM_VALUE = { code: "LB2011", name: "removed-helm-value", summary: "a Helm value that the Cilium chart has no longer", severity: Error };
}

/// Reports keys that were removed or renamed, or never were.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let kinds = [ProblemKind::Removed, ProblemKind::Refused, ProblemKind::Deprecated];
    let dying = dying(topology);
    for (key, problem) in problems(topology, &kinds, 0) {
        // What the next minor has no longer is said by LB3007, which knows when.
        if problem.kind == ProblemKind::Deprecated && dying.contains_key(&key) {
            continue;
        }
        let finding = Diagnostic::new(&REMOVED_HELM_VALUE, key, problem.message);
        let finding = match problem.kind {
            ProblemKind::Deprecated => finding.label("still works").warning(),
            ProblemKind::Refused => finding.label("rendering fails on it"),
            _ => finding.label("has no effect"),
        };
        let help = problem.help.unwrap_or_else(|| "remove it".to_owned());
        let mut finding = finding.help(help);
        finding.help.extend(declaration(&problem.path));
        found.push(finding);
    }
}
