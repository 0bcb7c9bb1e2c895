//! An endpoint of the mesh that its load balancer cannot get.

use super::overlapping_pool::written;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::{LoadBalancerController, ServiceType};
use crate::spec::value::IpRange;
use crate::topology::{ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports an endpoint of a ClusterMesh API server whose address lies outside of the ranges
    /// from which LB-IPAM or MetalLB gives addresses.
    ///
    /// ## Why it matters
    /// The Service then gets some other address, and the other clusters are told one at which
    /// nobody answers. An address inside of the ranges is asked for by an annotation of the
    /// Service. Pools among the hand-written manifests count too.
    ///
    /// ## Example
    /// ```yaml
    /// loadBalancers: {controller: lb-ipam, ranges: [10.2.0.200-10.2.0.219], announce: l2}
    /// clustermesh: {endpoint: {ips: [10.2.0.20]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// loadBalancers: {controller: lb-ipam, ranges: [10.2.0.200-10.2.0.219], announce: l2}
    /// clustermesh: {endpoint: {ips: [10.2.0.200]}}
    /// ```
    pub static ENDPOINT_OUTSIDE_POOL = { code: "LB2055", name: "endpoint-outside-pool", summary: "an endpoint of the mesh that its load balancer cannot get", severity: Warning };
}

/// Most pairs of an address and a range that are compared.
const MOST: usize = 20_000_000;

/// Reports each address of an endpoint that no pool has.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let by_hand = by_hand(topology);
    let mut left = MOST;
    for (id, cluster) in topology.clusters().filter(|(_, cluster)| cluster.in_mesh) {
        let Some(controller) = &cluster.load_balancer else { continue };
        let gives = matches!(
            controller.value,
            LoadBalancerController::LbIpam | LoadBalancerController::MetalLb
        );
        let Some(endpoint) = &cluster.clustermesh.endpoint else { continue };
        let Some(first) = cluster.load_balancer_ranges.first() else { continue };
        if !gives || cluster.clustermesh.service_type != ServiceType::LoadBalancer {
            continue;
        }
        let pools: Vec<_> = by_hand.iter().filter(|pools| pools.clusters.contains(id)).collect();
        let steps = pools.iter().map(|pools| pools.ranges.len()).sum::<usize>();
        let steps = (steps + cluster.load_balancer_ranges.len()) * endpoint.ips.len();
        let Some(rest) = left.checked_sub(steps) else {
            let what = "whether pools have the addresses of ClusterMesh API servers";
            let why = "there are more of them than are compared";
            return found.not_checked(endpoint.span, what, why);
        };
        left = rest;
        for ip in &endpoint.ips {
            let mut ranges = cluster.load_balancer_ranges.iter().map(|range| &range.value);
            if ranges.any(|range| range.contains(&ip.value.0))
                || pools.iter().any(|pools| {
                    pools.unread || pools.ranges.iter().any(|range| range.contains(&ip.value.0))
                })
            {
                continue;
            }
            let message = format!(
                "`{}` gives no address {} to the ClusterMesh API server of `{}`",
                controller.value.word(),
                ip.value.0,
                cluster.name.value
            );
            found.push(
                Diagnostic::new(&ENDPOINT_OUTSIDE_POOL, ip.span, message)
                    .related(first.span, "the addresses that it may give")
                    .help("use an address of the ranges, or add it to them"),
            );
        }
    }
}

/// The hand-written pools of an entry of the manifests.
struct ByHand<'a> {
    clusters: &'a ClusterSet,
    ranges: Vec<IpRange>,
    /// Whether another controller has pools there, which are not read.
    unread: bool,
}

fn by_hand(topology: &Topology) -> Vec<ByHand<'_>> {
    let all = topology.manifests.iter().map(|set| {
        let ranges = set.objects.iter().flat_map(written).map(|(_, range)| range).collect();
        let unread = set.objects.iter().any(|object| object.group() == "metallb.io");
        ByHand { clusters: &set.clusters, ranges, unread }
    });
    all.filter(|pools| pools.unread || !pools.ranges.is_empty()).collect()
}
