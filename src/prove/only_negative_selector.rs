//! A selector that says only what it excludes.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports a selector whose requirements are all `NotIn` or `DoesNotExist`, also after the
    /// namespace and cluster that Cilium adds where nothing is said.
    ///
    /// ## Why it matters
    /// The world and the nodes lack the label as well, so they are selected. From Cilium 1.20 such a
    /// selector also selects the placeholders that stand for groups of identities, and with them
    /// those that it excludes. Sources: `pkg/policy/aggregate.go` of Cilium 1.20;
    /// cilium/cilium#46949, #47035, #47216.
    ///
    /// ## Example
    /// ```yaml
    /// fromEndpoints:
    ///   - matchExpressions:
    ///       - {key: "k8s:io.kubernetes.pod.namespace", operator: NotIn, values: [tools]}
    ///       - {key: io.cilium.k8s.policy.cluster, operator: NotIn, values: [euw1]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// fromEndpoints:
    ///   - matchExpressions:
    ///       - {key: "k8s:io.kubernetes.pod.namespace", operator: NotIn, values: [tools]}
    ///       - {key: io.cilium.k8s.policy.cluster, operator: Exists}
    /// ```
    pub static ONLY_NEGATIVE_SELECTOR = { code: "LB4016", name: "only-negative-selector", summary: "a selector that says only what it excludes", severity: Warning };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::OnlyNegative => {
            Some(format!("a selector of `{policy}` says only what it excludes"))
        }
        _ => None,
    };
    let help = "add a requirement that pods fulfil: `Exists` of `io.cilium.k8s.policy.cluster`, or a label";
    remarks(&ONLY_NEGATIVE_SELECTOR, case, found, message, help);
}
