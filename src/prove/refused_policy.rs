//! A policy that Cilium refuses.

use super::Case;
use super::gathered::{Gathered, describe};
use crate::declare_rules;
use crate::diagnostic::Diagnostics;

declare_rules! {
    /// ## What it does
    /// Reports a network policy that the API server or the agents of the cluster's Cilium refuse,
    /// with the reason.
    ///
    /// ## Why it matters
    /// A policy that agents refuse is in the cluster and enforces nothing: it isolates no pod. Its
    /// condition `Valid` is `False`, and nothing else says so. Sources: `Rule.Sanitize` in
    /// `pkg/policy/api/rule_validation.go`, `Parse` in `pkg/k8s/apis/cilium.io/v2/cnp_types.go` and
    /// `pkg/k8s/network_policy.go` of Cilium; one public cluster had 39 policies with
    /// `ingress: []` for 101 days (devantler-tech/platform#3501).
    ///
    /// ## Example
    /// ```yaml
    /// kind: CiliumNetworkPolicy
    /// metadata: {name: isolate, namespace: shop}
    /// spec: {endpointSelector: {}, ingress: []}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: CiliumNetworkPolicy
    /// metadata: {name: isolate, namespace: shop}
    /// spec: {endpointSelector: {}, ingress: [{}]}
    /// ```
    pub static REFUSED_POLICY = { code: "LB4010", name: "refused-policy", summary: "a policy that Cilium refuses, so that it enforces nothing", severity: Error };
}

/// Reports each refused policy where the reason stands.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let mut gathered = Gathered::default();
    for (id, policy) in case.remarked {
        if let Some(refused) = &policy.refused {
            let message = format!("Cilium refuses `{}`: {}", describe(policy), refused.why);
            gathered.add(policy, refused.span, message, *id);
        }
    }
    gathered.report(&REFUSED_POLICY, case.mesh, found, |finding| {
        finding.help("mend it; until then it enforces nothing")
    });
}
