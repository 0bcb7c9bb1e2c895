//! `bootstrap/kind.yaml`, for `kind create cluster --config`.
//!
//! Source: `pkg/apis/config/v1alpha4/types.go` of kind. Its nodes are not declared: one unless
//! somebody adds more.

use serde_json::{Map, Value, json};

use super::{is_proxy_replaced, pod_ranges, service_ranges, share_args};
use crate::resource::Document;
use crate::topology::Cluster;

/// The cluster domain of kubeadm, which kind has no key for.
const DOMAIN: &str = "cluster.local";

/// The configuration of a cluster.
pub(super) fn document(cluster: &Cluster) -> Document {
    let mut networking = Map::new();
    networking.insert("disableDefaultCNI".into(), true.into());
    let family = match (cluster.has_v4(), cluster.has_v6()) {
        (true, true) => "dual",
        (false, true) => "ipv6",
        (_, false) => "ipv4",
    };
    networking.insert("ipFamily".into(), family.into());
    let proxy = if is_proxy_replaced(cluster) { "none" } else { cluster.kube_proxy.word() };
    networking.insert("kubeProxyMode".into(), proxy.into());
    for (key, ranges) in
        [("podSubnet", pod_ranges(cluster)), ("serviceSubnet", service_ranges(cluster))]
    {
        networking.extend(ranges.map(|ranges| (key.into(), ranges.join(",").into())));
    }
    let mut config = Map::new();
    config.insert("apiVersion".into(), "kind.x-k8s.io/v1alpha4".into());
    config.insert("kind".into(), "Cluster".into());
    config.insert("name".into(), cluster.name.value.as_str().into());
    config.insert("networking".into(), networking.into());
    if cluster.dns.domain != DOMAIN {
        let patch = json!({
            "kind": "ClusterConfiguration",
            "networking": {"dnsDomain": cluster.dns.domain},
        });
        config.insert("kubeadmConfigPatches".into(), json!([patch.to_string()]));
    }
    let patches = patches(cluster);
    if !patches.is_empty() {
        config.insert("kubeadmConfigPatchesJSON6902".into(), patches.into());
    }
    let header = vec!["for `kind create cluster --config`".to_owned()];
    Document::new("bootstrap/kind.yaml", config.into(), cluster.span).header(header)
}

/// Arguments of the controller manager, added to those that kind gives it: in a mapping or in a
/// list, by the version of kubeadm's configuration, which kind chooses.
/// Source: `pkg/cluster/internal/kubeadm/config.go` of kind.
fn patches(cluster: &Cluster) -> Vec<Value> {
    let args = share_args(cluster);
    if args.is_empty() {
        return Vec::new();
    }
    let add = |path: &str, value: Value| json!({"op": "add", "path": format!("/controllerManager/extraArgs/{path}"), "value": value});
    let map: Vec<Value> =
        args.iter().map(|(name, value)| add(name, value.as_str().into())).collect();
    let list: Vec<Value> =
        args.iter().map(|(name, value)| add("-", json!({"name": name, "value": value}))).collect();
    let patch = |version: &str, operations: Vec<Value>| {
        json!({
            "group": "kubeadm.k8s.io",
            "version": version,
            "kind": "ClusterConfiguration",
            "patch": Value::Array(operations).to_string(),
        })
    };
    vec![patch("v1beta3", map), patch("v1beta4", list)]
}
