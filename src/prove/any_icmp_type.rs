//! ICMP type 0, which is every type.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports the ICMP type 0, which is `EchoReply` of IPv4, in `icmps`.
    ///
    /// ## Why it matters
    /// Types are kept as ports, and port 0 is every port: the rule is about every type of the family.
    /// Replies need no rule, as they belong to a connection that is allowed already. Source:
    /// `pkg/policy/api/icmp.go` of Cilium.
    ///
    /// ## Example
    /// ```yaml
    /// icmps: [{fields: [{type: EchoReply, family: IPv4}]}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// icmps: [{fields: [{type: EchoRequest, family: IPv4}]}]
    /// ```
    pub static ANY_ICMP_TYPE = { code: "LB4022", name: "any-icmp-type", summary: "ICMP type 0, which is every ICMP type", severity: Warning };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::AnyIcmpType => Some(format!("ICMP type 0 of `{policy}` is every type")),
        _ => None,
    };
    let help = "remove it, or list the types that are meant";
    remarks(&ANY_ICMP_TYPE, case, found, message, help);
}
