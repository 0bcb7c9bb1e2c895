//! `bootstrap/eksctl.yaml`, for `eksctl create cluster --config-file`, and
//! `bootstrap/eksctl-nodes.yaml`, for `eksctl create nodegroup --config-file` once Cilium is
//! installed: without the VPC CNI eksctl makes no cluster from a file with nodes, which would never
//! be ready (`pkg/apis/eksctl.io/v1alpha5/bare_cluster.go`).
//!
//! Source: eksctl, `pkg/apis/eksctl.io/v1alpha5/assets/schema.json`; Cilium, "Quick Installation",
//! EKS. A cluster whose Services have IPv6 addresses is left out: eksctl refuses it without the
//! VPC CNI (`validateKubernetesNetworkConfig`).

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::{is_proxy_replaced, operator};
use crate::resource::Document;
use crate::spec::region::Provider;
use crate::topology::{Cluster, Network, Subnet, Topology};

/// The addons of EKS that run beside Cilium, and the key of their pinned version.
const DNS: &str = "coredns";
const PROXY: &str = "kube-proxy";

/// The configuration of a cluster, and that of its nodes.
pub(super) fn documents(topology: &Topology, cluster: &Cluster) -> Vec<Document> {
    let region = topology.region_of(cluster);
    let service = cluster.service_cidrs.iter().find(|cidr| cidr.0.addr().is_ipv4());
    let ipv6 = service.is_none() && !cluster.service_cidrs.is_empty();
    if region.provider != Provider::Aws || ipv6 {
        return Vec::new();
    }
    let network = &topology.networks[cluster.network.index()];
    let mut metadata = self::metadata(cluster, &region.name.value);
    let mut of_nodes = self::config(metadata.clone());
    metadata.extend(minor(cluster).map(|minor| ("version".into(), minor.into())));
    let mut config = self::config(metadata);
    if let Some(service) = service {
        let range = json!({"serviceIPv4CIDR": service.value.0.to_string()});
        config.insert("kubernetesNetworkConfig".into(), range);
    }
    let (vpc, private) = vpc(cluster, network);
    config.extend(vpc.map(|vpc| ("vpc".into(), vpc)));
    // Service accounts take roles by it.
    config.insert("iam".into(), json!({"withOIDC": true}));
    // The VPC CNI would give pods addresses beside Cilium, and its DaemonSet come back with every
    // update. Source: Cilium, "Preparing AWS EKS clusters for Cluster Mesh".
    config.insert("addonsConfig".into(), json!({"disableDefaultAddons": true}));
    let names: &[&str] = if is_proxy_replaced(cluster) { &[DNS] } else { &[DNS, PROXY] };
    config.insert("addons".into(), names.iter().map(|name| addon(cluster, name)).collect());
    of_nodes.insert("managedNodeGroups".into(), json!([nodes(cluster, private)]));
    let file = |path: &'static str, body: Map<String, Value>, what: &str| {
        Document::new(path, body.into(), cluster.span).header(vec![what.to_owned()])
    };
    let after = "for `eksctl create nodegroup --config-file`, after Cilium is installed";
    vec![
        file("bootstrap/eksctl.yaml", config, "for `eksctl create cluster --config-file`"),
        file("bootstrap/eksctl-nodes.yaml", of_nodes, after),
    ]
}

/// A configuration about one cluster.
fn config(metadata: Map<String, Value>) -> Map<String, Value> {
    let mut config = Map::new();
    config.insert("apiVersion".into(), "eksctl.io/v1alpha5".into());
    config.insert("kind".into(), "ClusterConfig".into());
    config.insert("metadata".into(), metadata.into());
    config
}

fn metadata(cluster: &Cluster, region: &str) -> Map<String, Value> {
    let mut metadata = Map::new();
    let name = cluster.eks_name.as_ref().unwrap_or(&cluster.name.value);
    metadata.insert("name".into(), name.as_str().into());
    metadata.insert("region".into(), region.into());
    metadata
}

/// The minor of Kubernetes, where one is pinned.
fn minor(cluster: &Cluster) -> Option<String> {
    let version = &cluster.kubernetes.as_ref()?.value;
    Some(version.split('.').take(2).collect::<Vec<_>>().join("."))
}

fn addon(cluster: &Cluster, name: &str) -> Value {
    let mut addon = Map::new();
    addon.insert("name".into(), name.into());
    let pinned = cluster.components.iter().find(|(component, _)| component == name);
    // EKS writes the `v` that a pinned version is read without.
    let version = pinned.map(|(_, version)| format!("v{}", version.value.trim_start_matches('v')));
    addon.extend(version.map(|version| ("version".into(), version.into())));
    addon.into()
}

/// The VPC, and whether nodes stand in private subnets. eksctl makes a VPC that has no id.
fn vpc(cluster: &Cluster, network: &Network) -> (Option<Value>, bool) {
    let Some(id) = &network.vpc_id else {
        let range = network.cidrs.iter().find(|cidr| cidr.0.addr().is_ipv4());
        return (range.map(|range| json!({"cidr": range.value.0.to_string()})), true);
    };
    let mut vpc = Map::new();
    vpc.insert("id".into(), id.as_str().into());
    let own: Vec<_> = network.subnets.iter().filter(|subnet| is_own(cluster, subnet)).collect();
    let (mut public, mut private) = (Map::new(), Map::new());
    for subnet in own {
        let side = if subnet.public { &mut public } else { &mut private };
        side.extend(subnet_of(subnet, side));
    }
    let only_public = private.is_empty() && !public.is_empty();
    let mut subnets = Map::new();
    for (key, side) in [("private", private), ("public", public)] {
        if !side.is_empty() {
            subnets.insert(key.into(), side.into());
        }
    }
    if !subnets.is_empty() {
        vpc.insert("subnets".into(), subnets.into());
    }
    (Some(vpc.into()), !only_public)
}

/// Whether nodes of the cluster may stand in a subnet: it is not for pods alone, and lies in the
/// nodes' ranges where there are some.
fn is_own(cluster: &Cluster, subnet: &Subnet) -> bool {
    let meets = |nodes: &IpNet| nodes.contains(&subnet.cidr.0) || subnet.cidr.0.contains(nodes);
    let nodes = &cluster.node_cidrs;
    !subnet.pods && (nodes.is_empty() || nodes.iter().any(|range| meets(&range.value.0)))
}

/// A subnet as eksctl finds it: by its id, else by its zone and range. The key is its zone, which
/// the second of a zone cannot have.
fn subnet_of(subnet: &Subnet, others: &Map<String, Value>) -> Option<(String, Value)> {
    let zone = subnet.zone.as_ref()?;
    let taken = others.keys().filter(|key| key.starts_with(zone.as_str())).count();
    let key = if taken == 0 { zone.clone() } else { format!("{zone}-{}", taken + 1) };
    let value = match &subnet.id {
        Some(id) => json!({"id": id}),
        None => json!({"az": zone, "cidr": subnet.cidr.value.0.to_string()}),
    };
    Some((key, value))
}

/// Nodes on which nothing runs before Cilium does. The operator runs with the role of its node.
fn nodes(cluster: &Cluster, private: bool) -> Value {
    let mut group = Map::new();
    group.insert("name".into(), "nodes".into());
    group.insert("privateNetworking".into(), private.into());
    let taint =
        json!({"key": "node.cilium.io/agent-not-ready", "value": "true", "effect": "NoExecute"});
    group.insert("taints".into(), json!([taint]));
    if let Some(policy) = operator::policy(cluster) {
        group.insert("iam".into(), json!({ "attachPolicy": policy }));
    }
    group.into()
}
