//! `bootstrap/talos.yaml`, a patch for every machine of a Talos cluster.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::super::metadata::object;
use super::{api_server, is_proxy_replaced, pod_ranges, service_ranges, share_args};
use crate::resource::Document;
use crate::spec::cluster::KubeProxy;
use crate::topology::Cluster;

/// The port of KubePrism, the API servers' load balancer on every node, which Cilium's values
/// name. Source: Talos, "Deploying Cilium CNI" and "`KubePrism`".
pub(in super::super) const KUBE_PRISM: i64 = 7445;

/// The patch.
pub(super) fn document(cluster: &Cluster) -> Document {
    let body = object([("machine", machine(cluster)), ("cluster", of_cluster(cluster))]);
    let header = vec![
        "for `talosctl gen config --config-patch` and `talosctl patch machineconfig`".to_owned(),
    ];
    Document::new("bootstrap/talos.yaml", body, cluster.span).header(header)
}

fn machine(cluster: &Cluster) -> Value {
    let mut machine = Map::new();
    machine.insert("features".into(), json!({"kubePrism": {"enabled": true, "port": KUBE_PRISM}}));
    // Nodes meet by these addresses: of several, the kubelet is to announce one of the mesh.
    let nodes: Vec<String> = cluster.node_cidrs.iter().map(|c| c.value.0.to_string()).collect();
    if !nodes.is_empty() {
        machine.insert("kubelet".into(), json!({"nodeIP": {"validSubnets": nodes}}));
    }
    machine.into()
}

/// Source: Talos, machine configuration, `ClusterConfig`.
fn of_cluster(cluster: &Cluster) -> Value {
    let mut out = Map::new();
    out.insert("clusterName".into(), cluster.name.value.as_str().into());
    // KubePrism's own address is no address of the control plane.
    if let Some(at) = api_server(cluster).filter(|_| !is_local(cluster)) {
        out.insert("controlPlane".into(), json!({"endpoint": format!("https://{at}")}));
    }
    let mut network = Map::new();
    network.insert("cni".into(), json!({"name": "none"}));
    network.insert("dnsDomain".into(), cluster.dns.domain.as_str().into());
    for (key, ranges) in
        [("podSubnets", pod_ranges(cluster)), ("serviceSubnets", service_ranges(cluster))]
    {
        network.extend(ranges.map(|ranges| (key.into(), ranges.into())));
    }
    out.insert("network".into(), network.into());
    let proxy = match cluster.kube_proxy {
        KubeProxy::Replaced => json!({"disabled": true}),
        KubeProxy::Iptables | KubeProxy::Nftables => json!({"mode": cluster.kube_proxy.word()}),
    };
    debug_assert_eq!(proxy["disabled"] == true, is_proxy_replaced(cluster));
    out.insert("proxy".into(), proxy);
    let args = share_args(cluster);
    if !args.is_empty() {
        let args: Map<_, _> =
            args.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        out.insert("controllerManager".into(), json!({ "extraArgs": args }));
    }
    out.into()
}

fn is_local(cluster: &Cluster) -> bool {
    cluster.api_server.as_ref().is_some_and(|(host, _)| {
        host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback())
    })
}
