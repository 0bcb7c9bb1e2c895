//! Addresses of pods as peers, which no pod has for Cilium.

use ipnet::IpNet;

use super::Case;
use super::gathered::{Gathered, describe};
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::Peer;
use crate::reach::{Member, Origin};
use crate::spec::cluster::IpamMode;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a hand-written rule whose peers are addresses in the pod range of a cluster that
    /// the pods reach by their own identity, the own one included. Ranges that nodes or networks
    /// share are left out, and clusters whose `policyCIDRMatchMode` has `pods`.
    ///
    /// ## Why it matters
    /// Rules by address never match pods that Cilium manages, in whichever cluster of the mesh
    /// they run: an allow allows nothing and a deny denies nothing. Source: Cilium, "Policy
    /// language", Layer 3, CIDR based; `CIDRSelector.Matches` in
    /// `pkg/policy/types/selector.go`.
    ///
    /// ## Example
    /// ```yaml
    /// ingress:
    ///   - fromCIDR: [100.65.0.0/16]   # the pods of euw1
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ingress:
    ///   - fromEndpoints:
    ///       - matchLabels: {app: web, io.cilium.k8s.policy.cluster: euw1}
    /// ```
    pub static CIDR_OF_PODS = { code: "LB4024", name: "cidr-of-pods", summary: "addresses of pods as peers, which match no pod", severity: Warning };
}

/// Reports each range of a rule once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let shared = shared(case.topology);
    let mut gathered = Gathered::default();
    for (id, member) in case.mesh.clusters() {
        let written = || member.policies.iter().filter(|known| known.origin == Origin::Written);
        if member.semantics.cidr_matches_pods() || written().next().is_none() {
            continue;
        }
        let ranges = pods(case.topology, member, &shared);
        for known in written() {
            for rule in &known.policy.rules {
                for peer in rule.peers.said() {
                    let Peer::Cidr { net, .. } = peer else { continue };
                    let range = ranges.iter().find(|(range, _)| range.contains(net));
                    let Some((_, cluster)) = range else { continue };
                    let policy = describe(&known.policy);
                    let message = format!(
                        "`{net}` of `{policy}` is in the pod range of `{cluster}` and matches no pod"
                    );
                    gathered.add(&known.policy, rule.span, message, id);
                }
            }
        }
    }
    gathered.report(&CIDR_OF_PODS, case.mesh, found, |finding| {
        finding.help("name the pods by their labels, their namespace and their cluster")
    });
}

/// The ranges of pods that a cluster's pods reach by their own identity, with their clusters.
fn pods<'t>(topology: &'t Topology, member: &Member, shared: &[IpNet]) -> Vec<(IpNet, &'t str)> {
    let joined = member.joined.iter().map(|id| topology.cluster(id));
    let joined = joined.filter(|cluster| cluster.ipam.mode != IpamMode::Eni);
    let ranges = joined.flat_map(|cluster| {
        cluster.pod_cidrs.iter().map(|cidr| (cidr.value.0, cluster.name.value.as_str()))
    });
    let meets = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
    ranges.filter(|(range, _)| !shared.iter().any(|other| meets(range, other))).collect()
}

/// The ranges in which there is something else than pods.
fn shared(topology: &Topology) -> Vec<IpNet> {
    let networks = topology.networks.iter().flat_map(|network| &network.cidrs);
    let nodes = topology.clusters.iter().flat_map(|cluster| &cluster.node_cidrs);
    networks.chain(nodes).map(|cidr| cidr.value.0).collect()
}
