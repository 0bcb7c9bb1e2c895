//! A group of addresses that is not there.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports a `cidrGroupRef` for which the cluster has no CiliumCIDRGroup among the hand-written
    /// manifests.
    ///
    /// ## Why it matters
    /// A group that is missing has no addresses: what the rule should allow is denied, and what it
    /// should deny is allowed. Under Cilium 1.16 the rule is even about every peer on its ports.
    /// Source: Cilium, "Policy", CIDR groups.
    ///
    /// ## Example
    /// ```yaml
    /// fromCIDRSet: [{cidrGroupRef: partner}]   # the group is called partners
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// fromCIDRSet: [{cidrGroupRef: partners}]
    /// ```
    pub static UNKNOWN_CIDR_GROUP = { code: "LB4018", name: "unknown-cidr-group", summary: "a reference to a group of addresses that is not among the manifests", severity: Warning };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::UnknownGroup(name) => {
            Some(format!("`{policy}` names the group `{name}`, which is not among the manifests"))
        }
        _ => None,
    };
    let help = "correct the name, or add the CiliumCIDRGroup to `spec.manifests` of the topology";
    remarks(&UNKNOWN_CIDR_GROUP, case, found, message, help);
}
