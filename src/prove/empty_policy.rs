//! A policy without any section.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports a rule of a CiliumNetworkPolicy in which `ingress`, `egress` and their deny lists are
    /// all empty or missing, under Cilium 1.16. Later versions refuse it (LB4010).
    ///
    /// ## Why it matters
    /// Such a policy looks like one that isolates pods, and 1.16 loads it without any effect.
    /// `ingress: []` is no item; a rule with one empty item, `ingress: [{}]`, is what isolates.
    /// Source: `Rule.Sanitize` in `pkg/policy/api/rule_validation.go` of Cilium 1.16 and 1.17.
    ///
    /// ## Example
    /// ```yaml
    /// spec: {endpointSelector: {}, ingress: []}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// spec: {endpointSelector: {}, ingress: [{}]}
    /// ```
    pub static EMPTY_POLICY = { code: "LB4012", name: "empty-policy", summary: "a policy that says nothing, so that it isolates nothing", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::Nothing => {
            Some(format!("a rule of `{policy}` has no items, so it does nothing"))
        }
        _ => None,
    };
    let help = "write `ingress: [{}]` or `egress: [{}]` to isolate the pods";
    remarks(&EMPTY_POLICY, case, found, message, help);
}
