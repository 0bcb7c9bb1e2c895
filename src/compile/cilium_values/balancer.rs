//! What the declared load-balancer controller reads from the ClusterMesh API server's Service.

use std::net::IpAddr;

use super::Site;
use crate::spec::cluster::{IpamMode, LoadBalancerController as Controller, Scheme};
use crate::topology::Cluster;

/// The annotations with which the controller makes a load balancer of the declared scheme and
/// address. What counts is the controller, not the cloud.
pub(super) fn annotations(site: &Site<'_>) -> Vec<(&'static str, String)> {
    let Some(controller) = &site.cluster.load_balancer else { return Vec::new() };
    match controller.value {
        // Source: Cilium, "LoadBalancer IP Address Management", Requesting IPs.
        Controller::LbIpam => addresses(site, "lbipam.cilium.io/ips"),
        // Source: MetalLB, "Usage", Requesting specific IPs.
        Controller::MetalLb => addresses(site, "metallb.io/loadBalancerIPs"),
        Controller::Tailscale => tailscale(site),
        _ => scheme(site.cluster, site.cluster.clustermesh.scheme),
    }
}

/// The annotations with which the controller makes a load balancer that faces whom it should.
pub(in crate::compile) fn scheme(cluster: &Cluster, scheme: Scheme) -> Vec<(&'static str, String)> {
    let Some(controller) = &cluster.load_balancer else { return Vec::new() };
    let internal = scheme == Scheme::Internal;
    let one = |key: &'static str, value: &str| vec![(key, value.to_owned())];
    match controller.value {
        Controller::AwsLoadBalancerController => aws(cluster, internal),
        // It knows no other scheme annotation, and faces the internet without this one.
        // Source: cloud-provider-aws, "The Service Controller".
        Controller::CloudProviderAws if internal => {
            one("service.beta.kubernetes.io/aws-load-balancer-internal", "true")
        }
        // Source: Azure, "Use an internal load balancer with Azure Kubernetes Service".
        Controller::Azure if internal => {
            one("service.beta.kubernetes.io/azure-load-balancer-internal", "true")
        }
        // Source: Google, "Create an internal load balancer".
        Controller::Gcp if internal => one("networking.gke.io/load-balancer-type", "Internal"),
        Controller::CloudProviderAws
        | Controller::Azure
        | Controller::Gcp
        | Controller::LbIpam
        | Controller::MetalLb
        | Controller::Tailscale
        | Controller::Other => Vec::new(),
    }
}

/// The class by which the controller knows its Services, where it takes no others.
pub(super) fn class(site: &Site<'_>) -> Option<&'static str> {
    let controller = site.cluster.load_balancer.as_ref()?;
    // Source: Tailscale, "Expose a Kubernetes cluster workload to your tailnet".
    (controller.value == Controller::Tailscale).then_some("tailscale")
}

/// `external` keeps the cloud provider away. Targets are pods where these have addresses of the
/// VPC, and nodes elsewhere.
/// Source: AWS Load Balancer Controller, "Network Load Balancer".
fn aws(cluster: &Cluster, internal: bool) -> Vec<(&'static str, String)> {
    let routable = cluster.ipam.mode == IpamMode::Eni;
    let annotation = |key, value: &str| (key, value.to_owned());
    vec![
        annotation("service.beta.kubernetes.io/aws-load-balancer-type", "external"),
        annotation(
            "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type",
            if routable { "ip" } else { "instance" },
        ),
        annotation(
            "service.beta.kubernetes.io/aws-load-balancer-scheme",
            if internal { "internal" } else { "internet-facing" },
        ),
    ]
}

/// The declared endpoint, so that the Service gets the address that the other clusters are told;
/// nothing where it lies outside of what the controller may give.
fn addresses(site: &Site<'_>, key: &'static str) -> Vec<(&'static str, String)> {
    let ips = site.cluster.clustermesh.endpoint.as_ref().map(|endpoint| &*endpoint.ips);
    let wanted: Vec<IpAddr> = ips.unwrap_or_default().iter().map(|ip| ip.value.0).collect();
    let given = |ip: &IpAddr| {
        site.cluster.load_balancer_ranges.iter().any(|range| range.value.contains(ip))
    };
    if wanted.is_empty() || !wanted.iter().all(given) {
        return Vec::new();
    }
    let list: Vec<_> = wanted.iter().map(ToString::to_string).collect();
    vec![(key, list.join(","))]
}

/// The machine's name in the tailnet is the first label of the name that the others resolve.
fn tailscale(site: &Site<'_>) -> Vec<(&'static str, String)> {
    let endpoint = site.cluster.clustermesh.endpoint.as_ref();
    let machine = endpoint
        .and_then(|endpoint| endpoint.hostname.as_deref())
        .and_then(|hostname| hostname.split('.').next());
    machine.map(|name| ("tailscale.com/hostname", name.to_owned())).into_iter().collect()
}
