//! L7 rules that Cilium no longer reads.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports `kafka` and `l7proto` rules in policies for Cilium 1.20.
    ///
    /// ## Why it matters
    /// 1.20 does not have the keys any more. They are dropped when the policy is read, and what is
    /// left allows everything on the port. Source: the upgrade notes of Cilium 1.20.
    ///
    /// ## Example
    /// ```yaml
    /// toPorts:
    ///   - ports: [{port: "9092", protocol: TCP}]
    ///     rules: {kafka: [{role: consume, topic: orders}]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// toPorts:
    ///   - ports: [{port: "9092", protocol: TCP}]
    /// ```
    pub static DROPPED_L7 = { code: "LB4020", name: "dropped-l7", summary: "L7 rules that are dropped, so that all of the port is open", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::DroppedL7(key) => Some(format!(
            "`{key}` rules of `{policy}` are dropped, so that all of the port is open"
        )),
        _ => None,
    };
    let help = "remove the rules, and limit clients in the server itself";
    remarks(&DROPPED_L7, case, found, message, help);
}
