//! Peers by namespace that reach into every cluster.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports `namespaces` peers of a Kubernetes ClusterNetworkPolicy in a cluster whose other
    /// policies are kept to their own cluster.
    ///
    /// ## Why it matters
    /// With `policyDefaultLocalCluster`, which is the default from Cilium 1.19, `pods` peers are
    /// those of the own cluster, and so are the peers of every other kind of policy. `namespaces`
    /// peers are not: they are the namespaces of that name in every cluster. Source:
    /// `pkg/k8s/cluster_network_policy.go` of Cilium 1.20.
    ///
    /// ## Example
    /// ```yaml
    /// from: [{namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// from:
    ///   - pods:
    ///       namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}
    ///       podSelector: {}
    /// ```
    pub static NAMESPACES_OF_EVERY_CLUSTER = { code: "LB4021", name: "namespaces-of-every-cluster", summary: "peers of a ClusterNetworkPolicy that are pods of every cluster", severity: Warning };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::NamespacesOfEveryCluster => {
            Some(format!("`namespaces` of `{policy}` are those of every cluster"))
        }
        _ => None,
    };
    let help = "use `pods` with a `namespaceSelector`, and the label of a cluster where another one is meant";
    remarks(&NAMESPACES_OF_EVERY_CLUSTER, case, found, message, help);
}
