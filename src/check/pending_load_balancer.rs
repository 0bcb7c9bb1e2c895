//! A ClusterMesh API server whose load balancer never gets an address.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::{LoadBalancerController, ServiceType};
use crate::spec::region::Provider;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a member of the mesh whose ClusterMesh API server has a Service of type
    /// LoadBalancer where nobody gives it an address: no controller is declared on bare metal, or
    /// LB-IPAM or MetalLB has no address range.
    ///
    /// ## Why it matters
    /// The Service stays `<pending>`, and the other clusters never connect. Clouds bring a
    /// controller; bare metal does not.
    ///
    /// ## Example
    /// ```yaml
    /// loadBalancers: {controller: lb-ipam}
    /// clustermesh: {service: {type: LoadBalancer}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// loadBalancers: {controller: lb-ipam, ranges: [10.25.11.100-10.25.11.119], announce: l2}
    /// clustermesh: {service: {type: LoadBalancer}}
    /// ```
    pub static PENDING_LOAD_BALANCER = { code: "LB2005", name: "pending-load-balancer", summary: "a load balancer that never gets an address", severity: Error };
}

/// Reports members whose load balancer has neither controller nor addresses.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in topology.clusters.iter().filter(|cluster| cluster.in_mesh) {
        if cluster.clustermesh.service_type != ServiceType::LoadBalancer {
            continue;
        }
        let provider = topology.region_of(cluster).provider;
        let own = matches!(provider, Provider::BareMetal | Provider::Kind | Provider::Other);
        let (span, message) = match &cluster.load_balancer {
            Some(controller)
                if matches!(
                    controller.value,
                    LoadBalancerController::LbIpam | LoadBalancerController::MetalLb
                ) && cluster.load_balancer_ranges.is_empty() =>
            {
                (controller.span, format!("`{}` has no addresses to give", controller.value.word()))
            }
            None if own => {
                let name = &cluster.name;
                let message =
                    format!("nobody gives the load balancers of `{}` an address", name.value);
                (name.span, message)
            }
            _ => continue,
        };
        found.push(
            Diagnostic::new(&PENDING_LOAD_BALANCER, span, message)
                .related(cluster.clustermesh.span, "its ClusterMesh API server waits for one")
                .help("declare `loadBalancers: {controller: lb-ipam, ranges: […], announce: l2}`, or a NodePort"),
        );
    }
}
