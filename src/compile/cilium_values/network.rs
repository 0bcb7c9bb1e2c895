//! Name and id, addresses, routing, masquerading, encryption, kube-proxy.

use serde_json::{Value, json};

use super::Site;
use super::values::{Values, texts};
use crate::compile::bootstrap::KUBE_PRISM;
use crate::source::Spanned;
use crate::spec::cluster::{Distribution, IpamMode, KubeProxy};
use crate::spec::mesh::{EncryptionType, RoutingMode};
use crate::spec::value::Cidr;

/// The first minor of the chart that switches masquerading off in ENI mode.
/// Source: `cilium-configmap.yaml`, "Default values when 1.18 was initially deployed".
const ENI_UNMASQUERADED: (u64, u64) = (1, 18);

/// Writes the part.
pub(super) fn write(site: &Site<'_>, values: &mut Values) {
    let cluster = site.cluster;
    values.set("cluster.name", cluster.name.value.as_str());
    values.set("cluster.id", cluster.id.value);
    values.set("upgradeCompatibility", installed(site));
    families(site, values);
    ipam(site, values);
    routing(site, values);
    masquerade(site, values);
    values.set_some("MTU", cluster.mtu.as_ref().map(|mtu| mtu.value));
    encryption(site, values);
    kube_proxy(site, values);
}

/// The minor that was installed first: what was declared, else the pinned one.
fn installed(site: &Site<'_>) -> String {
    let pinned = &site.cluster.cilium.value;
    let declared = site.cluster.upgrade_compatibility.clone();
    declared.unwrap_or_else(|| format!("{}.{}", pinned.major, pinned.minor))
}

fn families(site: &Site<'_>, values: &mut Values) {
    // Pods in ENI mode may be declared by their VPC alone; they have IPv4 addresses.
    let v6 = site.cluster.has_v6();
    values.set("ipv4.enabled", site.cluster.has_v4() || !v6);
    values.set("ipv6.enabled", v6);
}

fn ipam(site: &Site<'_>, values: &mut Values) {
    let (cluster, ipam) = (site.cluster, &site.cluster.ipam);
    match ipam.mode {
        IpamMode::ClusterPool => {
            values.set("ipam.mode", "cluster-pool");
            for (family, v4, mask) in [("IPv4", true, ipam.mask_v4), ("IPv6", false, ipam.mask_v6)]
            {
                let cidrs = of_family(&cluster.pod_cidrs, v4);
                if !cidrs.is_empty() {
                    values.set(
                        &format!("ipam.operator.clusterPool{family}PodCIDRList"),
                        texts(cidrs),
                    );
                    values.set(&format!("ipam.operator.clusterPool{family}MaskSize"), mask);
                }
            }
        }
        IpamMode::Kubernetes => values.set("ipam.mode", "kubernetes"),
        IpamMode::MultiPool => {
            values.set("ipam.mode", "multi-pool");
            values.set("ipam.operator.autoCreateCiliumPodIPPools", pools(site));
            // Source: "Multi-Pool", Limitations: no local node routes, per-endpoint routes instead.
            values.set("endpointRoutes.enabled", true);
        }
        IpamMode::Eni => {
            // 1.16 to 1.18 need all three keys; one of them alone renders an agent that stops.
            values.set("eni.enabled", true);
            values.set("ipam.mode", "eni");
        }
        IpamMode::Delegated => {
            values.set("ipam.mode", "delegated-plugin");
            // The agent has no address for a health endpoint and stops on it.
            // Source: `checkIPAMDelegatedPlugin` in pkg/option/config.go.
            values.set("endpointHealthChecking.enabled", false);
        }
    }
}

/// The pools of `multi-pool`.
fn pools(site: &Site<'_>) -> Value {
    let pool = |cidrs: &[Spanned<Cidr>], masks: (i64, i64)| {
        let mut pool = json!({});
        for (family, v4, mask) in [("ipv4", true, masks.0), ("ipv6", false, masks.1)] {
            let cidrs = of_family(cidrs, v4);
            if !cidrs.is_empty() {
                pool[family] = json!({"cidrs": texts(cidrs), "maskSize": mask});
            }
        }
        pool
    };
    let named = site.cluster.ipam.pools.iter().map(|declared| {
        (declared.name.value.clone(), pool(&declared.cidrs, (declared.mask_v4, declared.mask_v6)))
    });
    Value::Object(named.collect())
}

fn of_family(cidrs: &[Spanned<Cidr>], v4: bool) -> Vec<ipnet::IpNet> {
    cidrs.iter().map(|cidr| cidr.value.0).filter(|cidr| cidr.addr().is_ipv4() == v4).collect()
}

fn routing(site: &Site<'_>, values: &mut Values) {
    let (cluster, routing) = (site.cluster, &site.topology.mesh.routing);
    if routing.mode == RoutingMode::Tunnel && cluster.ipam.mode != IpamMode::Eni {
        values.set("routingMode", "tunnel");
        values.set("tunnelProtocol", routing.tunnel_protocol.word());
        return;
    }
    values.set("routingMode", "native");
    values.set_some("ipv4NativeRoutingCIDR", native(site, true, routing.native_v4));
    values.set_some("ipv6NativeRoutingCIDR", native(site, false, routing.native_v6));
    if routing.auto_direct_node_routes {
        values.set("autoDirectNodeRoutes", true);
    }
}

/// What is reached without masquerading: the mesh's pods. A cluster outside of the mesh reaches
/// its own pods only.
fn native<T: ToString>(site: &Site<'_>, v4: bool, mesh: Option<T>) -> Option<String> {
    match &*of_family(&site.cluster.pod_cidrs, v4) {
        [own] if !site.cluster.in_mesh => Some(own.to_string()),
        _ => mesh.map(|range| range.to_string()),
    }
}

fn masquerade(site: &Site<'_>, values: &mut Values) {
    let cluster = site.cluster;
    // In ENI mode the default depends on the chart and on the minor that was installed first, and
    // decides whether pods of public subnets reach the internet: what the chart would do is said.
    let default = (cluster.ipam.mode == IpamMode::Eni).then(|| {
        let pinned = (cluster.cilium.value.major, cluster.cilium.value.minor);
        let first = minor(&installed(site)).unwrap_or(pinned);
        pinned < ENI_UNMASQUERADED || first < ENI_UNMASQUERADED
    });
    values.set_some("enableIPv4Masquerade", cluster.masquerade_v4.or(default));
    values.set_some("enableIPv6Masquerade", cluster.masquerade_v6);
    values.set_some("bpf.masquerade", cluster.masquerade_bpf);
}

fn minor(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn encryption(site: &Site<'_>, values: &mut Values) {
    let encryption = site.topology.mesh.encryption;
    let kind = match encryption.kind {
        EncryptionType::None => return values.set("encryption.enabled", false),
        EncryptionType::Wireguard => "wireguard",
        EncryptionType::Ipsec => "ipsec",
    };
    values.set("encryption.enabled", true);
    values.set("encryption.type", kind);
    if encryption.kind == EncryptionType::Wireguard {
        values.set("encryption.nodeEncryption", encryption.node_encryption);
    }
}

fn kube_proxy(site: &Site<'_>, values: &mut Values) {
    let cluster = site.cluster;
    let replaced = cluster.kube_proxy == KubeProxy::Replaced;
    values.set("kubeProxyReplacement", if replaced { "true" } else { "false" });
    // KubePrism, Talos' own load balancer of the API servers on every node.
    // Source: Talos, "Deploying Cilium CNI".
    let kube_prism = (replaced && cluster.distribution == Distribution::Talos)
        .then(|| ("localhost".into(), KUBE_PRISM));
    if let Some((host, port)) = cluster.api_server.clone().or(kube_prism) {
        let host: String = host;
        values.set("k8sServiceHost", host);
        values.set("k8sServicePort", port);
    }
    // Topology-aware routing and `trafficDistribution` do nothing in Cilium's own service handling
    // without it. Source: pkg/loadbalancer/reflectors/conversions.go.
    if replaced && site.topology.mesh.service_topology {
        values.set("loadBalancer.serviceTopology", true);
    }
}
