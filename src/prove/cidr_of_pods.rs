//! Addresses of pods as peers, which no pod has for Cilium.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::Case;
use super::gathered::{Gathered, describe, written};
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::Peer;
use crate::spec::cluster::IpamMode;
use crate::topology::{ClusterId, Topology};

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
    let ranges = pods(case.topology);
    let mut gathered = Gathered::default();
    for (id, policy) in written(case) {
        let member = case.mesh.cluster(id);
        if member.semantics.cidr_matches_pods() {
            continue;
        }
        for rule in &policy.rules {
            for peer in rule.peers.said() {
                let Peer::Cidr { net, .. } = peer else { continue };
                let mut around = around(*net).filter_map(|wide| ranges.get(&wide)).flatten();
                let Some(cluster) = around.find(|id| member.joined.contains(**id)) else {
                    continue;
                };
                let cluster = &case.mesh.cluster(*cluster).name;
                let name = describe(policy);
                let message = format!(
                    "`{net}` of `{name}` is in the pod range of `{cluster}` and matches no pod"
                );
                gathered.add(policy, rule.span, message, id);
            }
        }
    }
    gathered.report(&CIDR_OF_PODS, case.mesh, found, |finding| {
        finding.help("name the pods by their labels, their namespace and their cluster")
    });
}

/// A prefix and all that are around it.
fn around(net: IpNet) -> impl Iterator<Item = IpNet> {
    std::iter::successors(Some(net), IpNet::supernet)
}

/// The ranges in which there are only pods, with their clusters.
fn pods(topology: &Topology) -> BTreeMap<IpNet, Vec<ClusterId>> {
    let shared = shared(topology);
    let meets = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
    let mut ranges: BTreeMap<IpNet, Vec<ClusterId>> = BTreeMap::new();
    for (id, cluster) in topology.clusters().filter(|(_, c)| c.ipam.mode != IpamMode::Eni) {
        for range in cluster.pod_cidrs.iter().map(|cidr| cidr.value.0.trunc()) {
            if !shared.iter().any(|other| meets(&range, other)) {
                ranges.entry(range).or_default().push(id);
            }
        }
    }
    ranges
}

/// The ranges in which there is something else than pods.
fn shared(topology: &Topology) -> Vec<IpNet> {
    let networks = topology.networks.iter().flat_map(|network| &network.cidrs);
    let nodes = topology.clusters.iter().flat_map(|cluster| &cluster.node_cidrs);
    networks.chain(nodes).map(|cidr| cidr.value.0).collect()
}
