//! A list of peers that is no one and means anyone.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports `toServices`, `toFQDNs`, `toGroups` and `fromGroups` beside ports where the list is
    /// empty, where no Service of the project fits, or where Cilium never resolves it, as in
    /// `egressDeny`; a `cidrGroupSelector` that requires nothing; and under Cilium 1.16 a prefix whose
    /// exceptions are all of it.
    ///
    /// ## Why it matters
    /// What remains is a rule with ports and no peers, and that is a rule about every peer: an allow
    /// opens the ports to all, a deny closes them to all. Source: the engines of 1.16 to 1.20
    /// answer so; `pkg/policy/k8s/service.go` and `mergeL4Filter` in `pkg/policy/rule.go` of
    /// Cilium.
    ///
    /// ## Example
    /// ```yaml
    /// egress:
    ///   - toServices: [{k8sService: {serviceName: gone, namespace: shop}}]
    ///     toPorts: [{ports: [{port: "443", protocol: TCP}]}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// egress:
    ///   - toEndpoints: [{matchLabels: {app: api}}]
    ///     toPorts: [{ports: [{port: "443", protocol: TCP}]}]
    /// ```
    pub static OPEN_PEER_LIST = { code: "LB4017", name: "open-peer-list", summary: "a list of peers without any peer, which is every peer on the ports", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::OpenToAll(key) => Some(format!(
            "`{key}` of `{policy}` is no peer, so the rule is about every peer on its ports"
        )),
        _ => None,
    };
    let help = "name the peers by their labels with `toEndpoints` or `fromEndpoints`";
    remarks(&OPEN_PEER_LIST, case, found, message, help);
}
