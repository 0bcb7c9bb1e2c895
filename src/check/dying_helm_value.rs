//! A value that the next minor's chart has no longer.

use std::collections::{BTreeMap, BTreeSet};

use super::helm_values::{declaration, place};
use crate::chart::{Chart, Key, Problem, ProblemKind};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::Topology;
use crate::yaml::json::json;

declare_rules! {
    /// ## What it does
    /// Reports a key of `ciliumValues` that works with the cluster's Cilium and that the chart of
    /// the next minor refuses or ignores. What compile writes by itself follows the version.
    ///
    /// ## Why it matters
    /// The chart says nothing of a key that it does not have. With
    /// `clustermesh.enableMCSAPISupport` the upgrade to 1.20 turns the Multi-Cluster Services API
    /// off; with `encryption.strictMode.enabled` it turns strict mode off, and traffic may leave a
    /// node unencrypted. It is found before the upgrade, when there is time.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: 1.19.6}
    /// # …
    /// ciliumValues:
    ///   encryption: {strictMode: {enabled: true, cidr: 100.64.0.0/16}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {cilium: 1.19.6}
    /// # …
    /// ciliumValues:
    ///   encryption: {strictMode: {egress: {enabled: true, cidr: 100.64.0.0/16}}}
    /// ```
    pub static DYING_HELM_VALUE = { code: "LB3007", name: "dying-helm-value", summary: "a Helm value that the next Cilium minor has no longer", severity: Warning };
}

/// Reports each such key once, however many clusters inherit it.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for (key, (version, problem)) in dying(topology) {
        let does = if problem.kind == ProblemKind::Refused { "refuses" } else { "ignores" };
        let message = format!("the next Cilium minor {does} `{}`", problem.path.join("."));
        let finding = Diagnostic::new(&DYING_HELM_VALUE, key, message);
        let finding = finding.label(format!("works with {version}")).note(problem.message);
        let finding = finding.help(problem.help.unwrap_or_else(|| "remove it".to_owned()));
        let declared = declaration(&problem.path).into_iter();
        found.push(declared.fold(finding, Diagnostic::help));
    }
}

/// The keys that the cluster's own chart has and the next minor's has not: where each stands,
/// which version has it, and what the next chart makes of it.
pub(super) fn dying(topology: &Topology) -> BTreeMap<Span, (String, Problem)> {
    let (mut seen, mut keys) = (BTreeSet::new(), BTreeMap::new());
    for cluster in topology.clusters.iter().filter(|cluster| !cluster.values.is_empty()) {
        let Some(chart) = Chart::of(&cluster.cilium) else { continue };
        let Some(next) = chart.next_minor() else { continue };
        for layer in &cluster.values {
            if !seen.insert((layer.span, &cluster.cilium.value)) {
                continue;
            }
            for problem in next.check_within(&json(layer), &mut 0) {
                let gone = matches!(problem.kind, ProblemKind::Removed | ProblemKind::Refused);
                if gone && matches!(chart.key_at(&problem.path), Key::Known(_)) {
                    let key = place(layer, &problem.path);
                    keys.entry(key).or_insert_with(|| (chart.version().to_string(), problem));
                }
            }
        }
    }
    keys
}
