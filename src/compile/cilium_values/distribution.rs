//! What an installer needs from Cilium, and what Cilium needs for what the cluster runs.

use super::Site;
use super::values::{Values, texts};
use crate::spec::cluster::{
    Announce, Distribution, IpamMode, LoadBalancerController as Controller, NodeLocalMode,
};
use crate::spec::mesh::RoutingMode;

/// The capabilities of the agent that the charts have, but for `SYS_MODULE`.
const AGENT: [&str; 11] = [
    "CHOWN",
    "KILL",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "SYS_ADMIN",
    "SYS_RESOURCE",
    "DAC_OVERRIDE",
    "FOWNER",
    "SETGID",
    "SETUID",
];
/// The same for the container that cleans up.
const CLEAN: [&str; 3] = ["NET_ADMIN", "SYS_ADMIN", "SYS_RESOURCE"];

/// The seconds between two renewals of a lease (`l2announcements.leaseRenewDeadline`).
const RENEWAL: u64 = 5;
/// The requests per second that an agent makes at most (`k8sClientRateLimit.qps`).
const DEFAULT_RATE: u64 = 10;
/// A range of more addresses is not there to be used up.
const MOST_LEASES: u64 = 500;

/// Writes the part.
pub(super) fn write(site: &Site<'_>, values: &mut Values) {
    match site.cluster.distribution {
        Distribution::Talos => talos(values),
        Distribution::Gke => gke(site, values),
        // `aksbyocni.enabled` only chooses the tunnel and the IPAM mode, which are always said here;
        // the chart of 1.16 then has `tunnel-protocol` twice. Source: `cilium-configmap.yaml`.
        Distribution::Kubeadm
        | Distribution::Eks
        | Distribution::Aks
        | Distribution::K3s
        | Distribution::Kind
        | Distribution::Other => {}
    }
    // The second of two operators finds no node of its own.
    if site.cluster.max_nodes.as_ref().is_some_and(|nodes| nodes.value == 1) {
        values.set("operator.replicas", 1);
    }
    let controller = site.cluster.load_balancer.as_ref().map(|controller| controller.value);
    let announce = site.cluster.announce.as_ref().map(|announce| announce.value);
    match announce.filter(|_| controller == Some(Controller::LbIpam)) {
        Some(Announce::L2) => {
            values.set("l2announcements.enabled", true);
            leases(site, values);
        }
        Some(Announce::Bgp) => values.set("bgpControlPlane.enabled", true),
        None => {}
    }
    // Without it Cilium makes no GatewayClass. Source: Cilium, "Gateway API Support", Installation.
    let mut gateways = site.topology.gateways.iter().filter(|gateway| gateway.is_cilium());
    if gateways.any(|gateway| gateway.clusters.contains(site.id)) {
        values.set("gatewayAPI.enabled", true);
    }
    if site.cluster.dns.node_local == Some(NodeLocalMode::Redirect) {
        let renamed = "localRedirectPolicies.enabled";
        let key = if site.chart.has(renamed) { renamed } else { "localRedirectPolicy" };
        values.set(key, true);
    }
}

/// The agents' rate of requests, where they could have more leases to renew than the default of
/// 10 per second allows: one every 5 seconds for each announced Service, of which there are no
/// more than addresses. Source: Cilium, "L2 Announcements", Sizing client rate limit.
fn leases(site: &Site<'_>, values: &mut Values) {
    let ranges = site.cluster.load_balancer_ranges.iter();
    let services = ranges.map(|range| range.value.size()).fold(0, u64::saturating_add);
    let rate = services.min(MOST_LEASES).div_ceil(RENEWAL);
    if rate > DEFAULT_RATE {
        values.set("k8sClientRateLimit.qps", rate);
        values.set("k8sClientRateLimit.burst", 2 * rate);
    }
}

/// Talos mounts the cgroup file system itself and lets no pod load kernel modules.
/// Source: Talos, "Deploying Cilium CNI".
fn talos(values: &mut Values) {
    values.set("cgroup.autoMount.enabled", false);
    values.set("cgroup.hostRoot", "/sys/fs/cgroup");
    values.set("securityContext.capabilities.ciliumAgent", texts(AGENT));
    values.set("securityContext.capabilities.cleanCiliumState", texts(CLEAN));
}

/// `gke.enabled` is for pods with addresses of the network, which the nodes get from Kubernetes.
/// The nodes are to be prepared in any case. Source: Cilium, "Installation using Helm", GKE.
fn gke(site: &Site<'_>, values: &mut Values) {
    values.set("nodeinit.enabled", true);
    values.set("nodeinit.reconfigureKubelet", true);
    values.set("nodeinit.removeCbrBridge", true);
    values.set("cni.binPath", "/home/kubernetes/bin");
    let native = site.topology.mesh.routing.mode == RoutingMode::Native;
    if native && site.cluster.ipam.mode == IpamMode::Kubernetes {
        values.set("gke.enabled", true);
    }
}
