//! The address plan for Terraform, so that networks, routes and security groups are made of the
//! same numbers as the manifests.
//!
//! A file `*.auto.tfvars.json` sets variables of the root module; every key must be a declared
//! variable there (source: developer.hashicorp.com, "Input Variables"). It is one variable,
//! `landbridge`, so that it meets no other.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::metadata::object;
use crate::source::Spanned;
use crate::spec::cluster::ServiceType;
use crate::spec::mesh::{EncryptionType, RoutingMode, TunnelProtocol};
use crate::spec::value::{Cidr, IpRange};
use crate::topology::{Cluster, ClusterId, Network, Subnet, Topology};

/// The JSON Schema of [`vars`].
pub const SCHEMA: &str = include_str!("../../schemas/terraform.v1.json");

/// The variable with the plan.
pub fn vars(topology: &Topology) -> Value {
    let networks =
        topology.networks.iter().map(|one| (network_name(topology, one), network(topology, one)));
    let networks: BTreeMap<_, _> = networks.collect();
    let clusters = topology.clusters();
    let clusters: BTreeMap<_, _> =
        clusters.map(|(id, one)| (one.name.value.clone(), cluster(topology, id, one))).collect();
    let interconnects = topology.interconnects.iter().map(|interconnect| {
        let ends = interconnect.networks.iter();
        let ends = ends.map(|id| network_name(topology, &topology.networks[id.index()]));
        json!({"networks": ends.collect::<Vec<_>>(), "type": interconnect.kind.word()})
    });
    let reserved = topology.reserved.iter();
    let reserved =
        reserved.map(|(cidr, why)| json!({"cidr": cidr.value.0.to_string(), "because": why}));
    json!({"landbridge": {
        "mesh": topology.name.value,
        "networks": networks,
        "clusters": clusters,
        "interconnects": interconnects.collect::<Vec<_>>(),
        "reserved": reserved.collect::<Vec<_>>(),
    }})
}

fn network_name(topology: &Topology, network: &Network) -> String {
    format!("{}/{}", topology.regions[network.region.index()].name.value, network.name.value)
}

fn network(topology: &Topology, network: &Network) -> Value {
    let region = &topology.regions[network.region.index()];
    object([
        ("region", region.name.value.clone().into()),
        ("provider", region.provider.word().into()),
        ("account", region.account.clone().into()),
        ("vpc_id", network.vpc_id.clone().into()),
        ("cidrs", cidrs(&network.cidrs)),
        ("subnets", network.subnets.iter().map(subnet).collect()),
    ])
}

fn cluster(topology: &Topology, id: ClusterId, cluster: &Cluster) -> Value {
    let network = network_name(topology, &topology.networks[cluster.network.index()]);
    let peers = topology.joined_to(id);
    let peers: Vec<_> =
        peers.iter().filter(|peer| *peer != id).map(|peer| topology.cluster(peer)).collect();
    object([
        ("region", topology.region_of(cluster).name.value.clone().into()),
        ("network", network.into()),
        ("cluster_id", cluster.id.value.into()),
        ("kubernetes_version", cluster.kubernetes.as_ref().map(|v| v.value.clone()).into()),
        ("node_cidrs", cidrs(&cluster.node_cidrs)),
        ("pod_cidrs", cidrs(&cluster.pod_cidrs)),
        ("service_cidrs", cidrs(&cluster.service_cidrs)),
        (
            "load_balancer_ranges",
            cluster.load_balancer_ranges.iter().map(|one| range(&one.value)).collect(),
        ),
        ("peers", peers.iter().map(|peer| peer.name.value.as_str()).collect()),
        ("ingress", ingress(topology, cluster, &peers)),
    ])
}

fn subnet(subnet: &Subnet) -> Value {
    json!({"cidr": subnet.cidr.value.0.to_string(), "zone": subnet.zone})
}

fn cidrs(cidrs: &[Spanned<Cidr>]) -> Value {
    cidrs.iter().map(|cidr| cidr.value.0.to_string()).collect()
}

fn range(range: &IpRange) -> String {
    format!("{}-{}", range.first, range.last)
}

/// What a cluster's nodes must let in from the nodes of its peers.
///
/// Source: Cilium, "System Requirements", "Firewall Rules", the same from 1.16 to 1.20; the port
/// of the ClusterMesh API server is the chart's.
fn ingress(topology: &Topology, cluster: &Cluster, peers: &[&Cluster]) -> Value {
    if peers.is_empty() {
        return json!([]);
    }
    let mesh = &topology.mesh;
    let mut ports: Vec<(&str, Option<i64>, &str)> = Vec::new();
    let api = match cluster.clustermesh.service_type {
        ServiceType::NodePort => cluster.clustermesh.node_port.unwrap_or(32379),
        ServiceType::LoadBalancer | ServiceType::ClusterIp => 2379,
    };
    ports.push(("tcp", Some(api), "ClusterMesh API server"));
    ports.push(("tcp", Some(4240), "cilium-health"));
    ports.push(("icmp", None, "cilium-health"));
    match (mesh.routing.mode, mesh.routing.tunnel_protocol) {
        (RoutingMode::Tunnel, TunnelProtocol::Vxlan) => ports.push(("udp", Some(8472), "VXLAN")),
        (RoutingMode::Tunnel, TunnelProtocol::Geneve) => ports.push(("udp", Some(6081), "Geneve")),
        (RoutingMode::Native, _) => ports.push(("all", None, "pods, natively routed")),
    }
    match mesh.encryption.kind {
        EncryptionType::Wireguard => ports.push(("udp", Some(51871), "WireGuard")),
        EncryptionType::Ipsec => ports.push(("esp", None, "IPsec")),
        EncryptionType::None => {}
    }
    let nodes: Vec<_> = peers.iter().flat_map(|peer| peer.node_cidrs.iter()).cloned().collect();
    // In ENI mode pods have addresses of their network.
    let pods = peers.iter().flat_map(|peer| match &peer.pod_cidrs[..] {
        [] => &topology.networks[peer.network.index()].cidrs[..],
        own => own,
    });
    let pods: Vec<_> = pods.cloned().collect();
    let rules = ports.into_iter().map(|(protocol, port, why)| {
        let from = if protocol == "all" { &pods } else { &nodes };
        object([
            ("protocol", protocol.into()),
            ("port", port.into()),
            ("from", cidrs(from)),
            ("because", why.into()),
        ])
    });
    rules.collect()
}
