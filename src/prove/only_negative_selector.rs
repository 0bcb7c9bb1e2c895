//! A peer that says only what it excludes.

use super::Case;
use super::gathered::{Gathered, describe};
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::Selector;

declare_rules! {
    /// ## What it does
    /// Reports a peer whose requirements are all `NotIn` or `DoesNotExist`, also after the
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
    pub static ONLY_NEGATIVE_SELECTOR = { code: "LB4016", name: "only-negative-selector", summary: "a peer that says only what it excludes", severity: Warning };
}

/// Reports each item with such a peer once. As a subject such a selector is common, and has no more
/// than the pods and the health endpoints of the cluster.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let mut gathered = Gathered::default();
    for (id, policy) in case.remarked {
        for rule in &policy.rules {
            if rule.peers.selectors().any(Selector::is_only_negative) {
                let name = describe(policy);
                let message = format!("a peer of `{name}` says only what it excludes");
                gathered.add(policy, rule.span, message, *id);
            }
        }
    }
    let help = "add a requirement that pods fulfil: `Exists` of `io.cilium.k8s.policy.cluster`, or a label";
    gathered.report(&ONLY_NEGATIVE_SELECTOR, case.mesh, found, |finding| finding.help(help));
}
