//! The Helm values of Cilium that follow from the topology and must stay as they are.
//!
//! The generator writes the same values; a test of it holds the two against each other.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::source::Span;
use crate::spec::cluster::IpamMode;
use crate::spec::mesh::{CertificateMethod, EncryptionType, RoutingMode};
use crate::topology::{Cluster, ClusterId, Topology};

/// A value that follows from the topology.
#[derive(Clone, Debug)]
pub struct Invariant {
    /// Its key, as for Helm's `--set`.
    pub key: &'static str,
    /// What the topology makes of it.
    pub declared: Json,
    /// Where that is declared, if one place says it.
    pub span: Option<Span>,
    /// What declares it, in words for a help.
    pub source: &'static str,
}

/// The values of a cluster that its overrides may not change. A switch that the topology leaves
/// off is not among them where the mesh does not break when it is on.
pub fn invariants(topology: &Topology, cluster: &Cluster) -> Vec<Invariant> {
    let mut list = List(Vec::new());
    let own = cluster.name.span;
    list.add("cluster.name", cluster.name.value.as_str(), own, "the name of the cluster");
    list.add("cluster.id", cluster.id.value, cluster.id.span, "`id` of the cluster");
    addresses(cluster, &mut list);
    datapath(topology, cluster, &mut list);
    if cluster.in_mesh {
        discovery(topology, &mut list);
    }
    list.0
}

struct List(Vec<Invariant>);

impl List {
    fn add(
        &mut self,
        key: &'static str,
        declared: impl Into<Json>,
        span: impl Into<Option<Span>>,
        source: &'static str,
    ) {
        self.0.push(Invariant { key, declared: declared.into(), span: span.into(), source });
    }
}

fn addresses(cluster: &Cluster, list: &mut List) {
    let ipam = &cluster.ipam;
    let at = (ipam.span != cluster.span).then_some(ipam.span);
    let mode = match ipam.mode {
        IpamMode::Delegated => "delegated-plugin",
        mode => mode.word(),
    };
    list.add("ipam.mode", mode, at, "`ipam.mode` of the cluster");
    let pods = cluster.pod_cidrs.first().map(|cidr| cidr.span);
    list.add("ipv6.enabled", cluster.has_v6(), pods, "`podCIDRs` of the cluster");
    if cluster.has_v4() {
        list.add("ipv4.enabled", true, pods, "`podCIDRs` of the cluster");
    }
    match ipam.mode {
        IpamMode::ClusterPool => {
            for (v4, cidrs, size, mask) in [
                (
                    true,
                    "ipam.operator.clusterPoolIPv4PodCIDRList",
                    "ipam.operator.clusterPoolIPv4MaskSize",
                    ipam.mask_v4,
                ),
                (
                    false,
                    "ipam.operator.clusterPoolIPv6PodCIDRList",
                    "ipam.operator.clusterPoolIPv6MaskSize",
                    ipam.mask_v6,
                ),
            ] {
                let mut own = cluster.pod_cidrs.iter().filter(|c| c.0.addr().is_ipv4() == v4);
                let Some(first) = own.clone().next() else { continue };
                let declared = own.by_ref().map(|cidr| Json::String(cidr.0.to_string()));
                let declared = Json::Array(declared.collect());
                list.add(cidrs, declared, first.span, "`podCIDRs` of the cluster");
                list.add(size, mask, at, "`ipam.maskSize` of the cluster");
            }
        }
        IpamMode::Eni => list.add("eni.enabled", true, at, "`ipam.mode` of the cluster"),
        IpamMode::Kubernetes | IpamMode::MultiPool | IpamMode::Delegated => {}
    }
}

fn datapath(topology: &Topology, cluster: &Cluster, list: &mut List) {
    let (mesh, routing) = (&topology.mesh, &topology.mesh.routing);
    let at = (routing.span != mesh.span).then_some(routing.span);
    let native = routing.mode == RoutingMode::Native || cluster.ipam.mode == IpamMode::Eni;
    let mode = if native { "native" } else { "tunnel" };
    list.add("routingMode", mode, at, "`routing.mode` of the mesh");
    if !native {
        let protocol = routing.tunnel_protocol.word();
        list.add("tunnelProtocol", protocol, at, "`routing.tunnelProtocol` of the mesh");
    } else if cluster.in_mesh {
        let source = "`routing.nativeRoutingCIDR` of the mesh";
        if let Some(range) = routing.native_v4 {
            list.add("ipv4NativeRoutingCIDR", range.to_string(), at, source);
        }
        if let Some(range) = routing.native_v6 {
            list.add("ipv6NativeRoutingCIDR", range.to_string(), at, source);
        }
    }
    let source = "`encryption` of the mesh";
    let on = mesh.encryption.kind != EncryptionType::None;
    list.add("encryption.enabled", on, None, source);
    if on {
        list.add("encryption.type", mesh.encryption.kind.word(), None, source);
    }
    if mesh.encryption.kind == EncryptionType::Wireguard {
        let nodes = mesh.encryption.node_encryption;
        list.add("encryption.nodeEncryption", nodes, None, source);
    }
}

fn discovery(topology: &Topology, list: &mut List) {
    let mesh = &topology.mesh;
    let most = &mesh.max_connected_clusters;
    let source = "`maxConnectedClusters` of the mesh";
    list.add("clustermesh.maxConnectedClusters", most.value, most.span, source);
    list.add("clustermesh.useAPIServer", true, None, "`mesh` of the cluster");
    list.add("clustermesh.config.enabled", true, None, "`mesh` of the cluster");
    if mesh.endpoint_slices {
        let source = "`discovery.endpointSlices` of the mesh";
        list.add("clustermesh.enableEndpointSliceSynchronization", true, None, source);
    }
    if mesh.mcs {
        for key in ["clustermesh.mcsapi.enabled", "clustermesh.enableMCSAPISupport"] {
            list.add(key, true, None, "`discovery.mcs` of the mesh");
        }
    }
    let source = "`certificates.method` of the mesh";
    let auto = |list: &mut List, key, value: Json| list.add(key, value, None, source);
    match mesh.certificates.method {
        CertificateMethod::External => {
            auto(list, "clustermesh.apiserver.tls.auto.enabled", json!(false));
        }
        method => {
            auto(list, "clustermesh.apiserver.tls.auto.method", json!(method.word()));
            if method == CertificateMethod::CronJob {
                auto(list, "certgen.generateCA", json!(false));
            }
        }
    }
}

/// The members of the mesh that an override of `clustermesh.config.clusters` leaves out, by name.
/// The addresses are not compared: one cluster may reach another in its own way. Its own entry and
/// those of strangers do no harm.
pub fn missing_peers<'a>(topology: &'a Topology, own: ClusterId, value: &Json) -> Vec<&'a str> {
    let listed: BTreeSet<&str> = match value {
        Json::Array(items) => items.iter().filter_map(|item| item["name"].as_str()).collect(),
        Json::Object(map) => map
            .iter()
            .filter(|(_, peer)| peer["enabled"] != false && !peer.is_null())
            .map(|(name, _)| name.as_str())
            .collect(),
        _ => BTreeSet::new(),
    };
    let others = topology.clusters().filter(|(id, other)| *id != own && other.in_mesh);
    let names = others.map(|(_, other)| other.name.value.as_str());
    names.filter(|name| !listed.contains(name)).collect()
}
