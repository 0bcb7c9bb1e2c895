//! `bootstrap/kubeadm.yaml`, for `kubeadm init --config`.

use serde_json::{Map, Value, json};

use super::{api_server, is_proxy_replaced, pod_ranges, service_ranges, share_args};
use crate::resource::Document;
use crate::topology::Cluster;

/// The first minor whose kubeadm reads `v1beta4`, in which an addon can be disabled and arguments
/// are a list. Source: `cmd/kubeadm/app/apis/kubeadm/v1beta4/doc.go`, changes of v1.31.
const FIRST_V1BETA4: u64 = 31;

/// The configuration of a cluster.
pub(super) fn document(cluster: &Cluster) -> Document {
    let version = cluster.kubernetes.as_ref().map(|version| version.value.as_str());
    // Without a version it is one that is supported, and those read the newer form.
    let new = version.and_then(minor).is_none_or(|minor| minor >= FIRST_V1BETA4);
    let api = if new { "kubeadm.k8s.io/v1beta4" } else { "kubeadm.k8s.io/v1beta3" };
    let mut config = Map::new();
    config.insert("apiVersion".into(), api.into());
    config.insert("kind".into(), "ClusterConfiguration".into());
    config.insert("clusterName".into(), cluster.name.value.as_str().into());
    config.extend(api_server(cluster).map(|at| ("controlPlaneEndpoint".into(), at.into())));
    // A minor alone would be looked up on the network.
    let exact = version.filter(|version| version.matches('.').count() == 2);
    config.extend(exact.map(|version| ("kubernetesVersion".into(), format!("v{version}").into())));
    config.insert("networking".into(), networking(cluster));
    let shares = share_args(cluster);
    if !shares.is_empty() {
        config.insert("controllerManager".into(), json!({ "extraArgs": args(shares, new) }));
    }
    let replaced = is_proxy_replaced(cluster);
    if replaced && new {
        config.insert("proxy".into(), json!({"disabled": true}));
    }
    let header = vec!["for `kubeadm init --config`".to_owned()];
    let document = Document::new("bootstrap/kubeadm.yaml", config.into(), cluster.span);
    let mut document = document.header(header);
    document.bodies.extend(other(cluster, replaced, new));
    document
}

fn minor(version: &str) -> Option<u64> {
    version.split('.').nth(1)?.parse().ok()
}

fn networking(cluster: &Cluster) -> Value {
    let mut networking = Map::new();
    networking.insert("dnsDomain".into(), cluster.dns.domain.as_str().into());
    for (key, ranges) in
        [("podSubnet", pod_ranges(cluster)), ("serviceSubnet", service_ranges(cluster))]
    {
        networking.extend(ranges.map(|ranges| (key.into(), ranges.join(",").into())));
    }
    networking.into()
}

/// Arguments of a component: a list since `v1beta4`, a mapping before.
fn args(args: Vec<(&'static str, String)>, new: bool) -> Value {
    if new {
        return args.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    }
    Value::Object(args.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

/// The document beside the configuration: how kube-proxy runs, or how to leave it out where the
/// configuration cannot say it.
fn other(cluster: &Cluster, replaced: bool, new: bool) -> Option<Value> {
    if !replaced {
        return Some(json!({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": cluster.kube_proxy.word(),
        }));
    }
    let skip = json!({
        "apiVersion": "kubeadm.k8s.io/v1beta3",
        "kind": "InitConfiguration",
        "skipPhases": ["addon/kube-proxy"],
    });
    (!new).then_some(skip)
}
