//! A subject that names another namespace than its policy.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports a CiliumNetworkPolicy whose `endpointSelector` has the label
    /// `k8s:io.kubernetes.pod.namespace` of another namespace than its own.
    ///
    /// ## Why it matters
    /// A policy is about the pods of its own namespace alone. The agent replaces the label by the
    /// policy's namespace and writes that to its log, so the policy isolates other pods than it
    /// says, and those that it names stay open. Source: `getEndpointSelector` in
    /// `pkg/k8s/apis/cilium.io/utils/utils.go` of Cilium.
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {name: isolate, namespace: shop}
    /// spec:
    ///   endpointSelector: {matchLabels: {"k8s:io.kubernetes.pod.namespace": tools}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// metadata: {name: isolate, namespace: tools}
    /// spec:
    ///   endpointSelector: {}
    /// ```
    pub static REPLACED_NAMESPACE = { code: "LB4014", name: "replaced-namespace", summary: "a policy whose subject names another namespace", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::ReplacedNamespace(other) => Some(format!(
            "`{policy}` names pods of the namespace `{other}` and is about those of its own"
        )),
        _ => None,
    };
    let help = "move the policy to the namespace of the pods, or remove the label";
    remarks(&REPLACED_NAMESPACE, case, found, message, help);
}
