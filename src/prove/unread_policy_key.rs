//! A key in a policy that Cilium does not read.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports a key in a network policy that the kind of policy does not have: one that is
    /// misspelt, stands at the wrong place, or belongs to another kind.
    ///
    /// ## Why it matters
    /// The API server drops such a key unless whoever applies the object asks for strict
    /// validation, and the agents never see it. What is left may say much more or much less than
    /// what was written: an item without its misspelt `toPorts` allows every port. Source:
    /// Kubernetes, "API concepts", Field validation.
    ///
    /// ## Example
    /// ```yaml
    /// ingress:
    ///   - fromEndpoints: [{}]
    ///     toPort: [{ports: [{port: "80", protocol: TCP}]}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ingress:
    ///   - fromEndpoints: [{}]
    ///     toPorts: [{ports: [{port: "80", protocol: TCP}]}]
    /// ```
    pub static UNREAD_POLICY_KEY = { code: "LB4011", name: "unread-policy-key", summary: "a key in a policy that nothing reads", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::Unread(key) => Some(format!("nothing reads `{key}` of `{policy}`")),
        _ => None,
    };
    let help = "correct the key, or remove it";
    remarks(&UNREAD_POLICY_KEY, case, found, message, help);
}
