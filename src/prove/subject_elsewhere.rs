//! A policy about pods of another cluster.

use super::Case;
use super::gathered::gathered;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports a policy whose subject wants the label `io.cilium.k8s.policy.cluster` to have the name
    /// of another cluster than all those that it is applied to.
    ///
    /// ## Why it matters
    /// Policies are not copied between clusters: each agent enforces those of its own cluster on the
    /// pods of its own node, none of which has that label. The policy is accepted, selects nothing
    /// and isolates nothing. Source: Cilium, "Cluster Mesh", Network policy.
    ///
    /// ## Example
    /// ```yaml
    /// # applied to use1
    /// endpointSelector: {matchLabels: {io.cilium.k8s.policy.cluster: euw1}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// # applied to use1
    /// endpointSelector: {matchLabels: {io.cilium.k8s.policy.cluster: use1}}
    /// ```
    pub static SUBJECT_ELSEWHERE = { code: "LB4015", name: "subject-elsewhere", summary: "a policy about pods of another cluster, so that it isolates nothing", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::SubjectElsewhere(other) => {
            Some(format!("`{policy}` is about pods of the cluster `{other}`, which are not here"))
        }
        _ => None,
    };
    let help = "apply the policy to that cluster, or remove the label";
    let gathered = gathered(case, message).everywhere(case);
    gathered.report(&SUBJECT_ELSEWHERE, case.mesh, found, |finding| finding.help(help));
}
