//! An endpoint of the mesh that its load balancer cannot get.

use super::overlapping_pool::written;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::{LoadBalancerController, ServiceType};
use crate::spec::value::IpRange;
use crate::topology::{ClusterId, Topology};

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

/// Reports each address of an endpoint that no pool has.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
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
        for ip in &endpoint.ips {
            let mut ranges = cluster.load_balancer_ranges.iter().map(|range| &range.value);
            if ranges.any(|range| range.contains(&ip.value.0)) || by_hand(topology, id, ip) {
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

/// Whether a hand-written pool has the address, of Cilium's or of another controller's.
fn by_hand(topology: &Topology, id: ClusterId, ip: &crate::spec::value::Ip) -> bool {
    let sets = topology.manifests.iter().filter(|set| set.clusters.contains(id));
    sets.flat_map(|set| &set.objects).any(|object| {
        let inside = |range: &IpRange| range.contains(&ip.0);
        // What other controllers' pools have is not read.
        object.group() == "metallb.io" || written(object).iter().any(|(_, range)| inside(range))
    })
}
