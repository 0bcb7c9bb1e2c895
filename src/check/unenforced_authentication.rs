//! Policies that require an authentication that nobody does.

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::source::Span;
use crate::topology::{Cluster, Topology};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports policies among the hand-written manifests that require mutual authentication
    /// (`authentication.mode: required`) in a cluster with Cilium 1.19 or later where
    /// `authentication.enabled` is not switched on.
    ///
    /// ## Why it matters
    /// Up to 1.18 authentication is on by default, from 1.19 on it is off. Such a policy then lets
    /// its traffic through without any authentication, and a line in the agent's log is all that
    /// says so: an upgrade takes the protection away. In a mesh mutual authentication does not
    /// work at all. Source: `authentication.enabled` in the charts' `values.yaml`; Cilium, "Mutual
    /// Authentication", Limitations.
    ///
    /// ## Example
    /// ```yaml
    /// kind: CiliumNetworkPolicy
    /// spec:
    ///   endpointSelector: {matchLabels: {app: orders}}
    ///   ingress:
    ///     - fromEndpoints: [{matchLabels: {app: web}}]
    ///       authentication: {mode: required}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh: {encryption: {type: wireguard}}
    /// ```
    pub static UNENFORCED_AUTHENTICATION = { code: "LB2029", name: "unenforced-authentication", summary: "a policy that requires an authentication that nobody does", severity: Error };
}

/// The first minor whose chart switches authentication off.
const OFF_SINCE: u64 = 19;

/// Reports each such rule once, with the first cluster in which nobody enforces it.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for set in &topology.manifests {
        let mut clusters = set.clusters.iter().map(|id| topology.cluster(id));
        let Some(cluster) = clusters.find(|cluster| is_off(cluster)) else { continue };
        for span in set.objects.iter().filter(|object| is_policy(object)).flat_map(required) {
            let message =
                format!("nobody authenticates what this requires in `{}`", cluster.name.value);
            found.push(
                Diagnostic::new(&UNENFORCED_AUTHENTICATION, span, message)
                    .related(cluster.cilium.span, "authentication is off from Cilium 1.19 on")
                    .help("remove it and encrypt between nodes; or, outside of a mesh, switch `authentication.enabled` on in `ciliumValues`"),
            );
        }
    }
}

fn is_off(cluster: &Cluster) -> bool {
    let said = cluster.said("authentication.enabled").map(|(_, value)| value);
    cluster.cilium.minor >= OFF_SINCE && said != Some(Json::Bool(true))
}

fn is_policy(object: &Manifest) -> bool {
    object.is("cilium.io", "CiliumNetworkPolicy")
        || object.is("cilium.io", "CiliumClusterwideNetworkPolicy")
}

/// Where a policy requires authentication.
fn required(policy: &Manifest) -> Vec<Span> {
    let one = policy.at(&["spec"]);
    let several = policy.at(&["specs"]).and_then(Node::items).unwrap_or_default();
    let specs = one.into_iter().chain(several);
    let rules = specs.flat_map(|spec| {
        ["ingress", "egress"]
            .into_iter()
            .filter_map(|direction| spec.get(direction)?.items())
            .flatten()
    });
    let modes = rules.filter_map(|rule| rule.get("authentication")?.entry("mode"));
    modes.filter(|mode| mode.value.text() == Some("required")).map(|mode| mode.key_span).collect()
}
