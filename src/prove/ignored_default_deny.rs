//! A policy that isolates although it says that it does not.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports `enableDefaultDeny` with `false` where the cluster has
    /// `enableNonDefaultDenyPolicies: false` and a Cilium that obeys it, which is 1.20.2 or later.
    ///
    /// ## Why it matters
    /// Every policy then isolates the pods in the directions that it has rules for: a policy that
    /// was meant to add one deny closes everything else as well. Up to 1.20.1 the setting is
    /// read by nothing, so an upgrade switches it on. Source: cilium/cilium#48391.
    ///
    /// ## Example
    /// ```yaml
    /// # with enableNonDefaultDenyPolicies: false
    /// enableDefaultDeny: {egress: false}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// # with enableNonDefaultDenyPolicies: true
    /// enableDefaultDeny: {egress: false}
    /// ```
    pub static IGNORED_DEFAULT_DENY = { code: "LB4019", name: "ignored-default-deny", summary: "a policy that isolates pods although it says that it does not", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::IgnoredDefaultDeny => {
            Some(format!("`{policy}` isolates its pods: the cluster overrules `enableDefaultDeny`"))
        }
        _ => None,
    };
    let help =
        "remove `enableNonDefaultDenyPolicies` from the Helm values, or the key from the policy";
    remarks(&IGNORED_DEFAULT_DENY, case, found, message, help);
}
