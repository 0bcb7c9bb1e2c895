//! `cluster-settings`: what is known of a cluster, as variables for Flux.
//!
//! A team's own Kustomization takes them by `postBuild.substituteFrom`, so that no address is
//! written a second time. They stand beside Flux's own objects, and wait for nothing: what brings
//! the kinds of the cluster's manifests, such as cert-manager, may be installed with them.

use std::fmt::Display;

use serde_json::Value;

use super::Site;
use crate::compile::metadata::{Object, texts};
use crate::resource::Resource;
use crate::source::Spanned;
use crate::spec::value::Cidr;
use crate::topology::{Cluster, Topology};

/// The variables of one cluster.
pub(super) fn config_map(site: &Site<'_>) -> Resource {
    let Site { topology, gitops, cluster } = *site;
    let object = Object {
        api_version: "v1",
        kind: "ConfigMap",
        // A Kustomization takes variables from its own namespace only.
        // Source: fluxcd.io, Kustomization, `.spec.postBuild.substituteFrom`.
        namespace: Some(&gitops.namespace),
        name: "cluster-settings",
        labels: &[],
        annotations: Vec::new(),
        origin: cluster.name.span,
    };
    object.with(topology, Some(("data", variables(topology, cluster))))
}

/// The variables; what is not known has none. A list is joined by commas.
fn variables(topology: &Topology, cluster: &Cluster) -> Value {
    let mut out: Vec<(&str, String)> = vec![
        ("CLUSTER_NAME", cluster.name.value.clone()),
        ("CLUSTER_REGION", topology.region_of(cluster).name.value.clone()),
        ("CLUSTER_NETWORK", topology.networks[cluster.network.index()].name.value.clone()),
        ("CLUSTER_ROLE", cluster.role.word().to_owned()),
        ("CLUSTER_DISTRIBUTION", cluster.distribution.word().to_owned()),
        ("CLUSTER_DOMAIN", cluster.dns.domain.clone()),
        ("CILIUM_VERSION", cluster.cilium.value.to_string()),
    ];
    if cluster.id.value != 0 {
        out.push(("CLUSTER_ID", cluster.id.value.to_string()));
    }
    let mut add = |key, value: Option<String>| out.extend(value.map(|value| (key, value)));
    add("KUBERNETES_VERSION", cluster.kubernetes.as_ref().map(|version| version.value.clone()));
    add("API_SERVER_HOST", cluster.api_server.as_ref().map(|(host, _)| host.clone()));
    add("API_SERVER_PORT", cluster.api_server.as_ref().map(|(_, port)| port.to_string()));
    for (v4, v6, cidrs) in [
        ("POD_CIDRS_IPV4", "POD_CIDRS_IPV6", &cluster.pod_cidrs),
        ("SERVICE_CIDRS_IPV4", "SERVICE_CIDRS_IPV6", &cluster.service_cidrs),
        ("NODE_CIDRS_IPV4", "NODE_CIDRS_IPV6", &cluster.node_cidrs),
    ] {
        add(v4, of_family(cidrs, true));
        add(v6, of_family(cidrs, false));
    }
    let ranges = cluster.load_balancer_ranges.iter().map(|range| &range.value);
    let ranges = ranges.map(|range| format!("{}-{}", range.first, range.last));
    add("LOAD_BALANCER_RANGES", list(ranges));
    texts(out)
}

fn of_family(cidrs: &[Spanned<Cidr>], v4: bool) -> Option<String> {
    list(cidrs.iter().map(|cidr| cidr.value.0).filter(|cidr| cidr.addr().is_ipv4() == v4))
}

/// The items, joined; nothing where there are none.
fn list<T: Display>(items: impl Iterator<Item = T>) -> Option<String> {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| items.join(","))
}
