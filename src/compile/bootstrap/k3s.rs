//! `bootstrap/k3s.yaml`, for `/etc/rancher/k3s/config.yaml` of every server.
//!
//! Its keys are the flags of `k3s server`. Source: k3s, "Configuration File"; `pkg/cli/cmds/server.go`
//! and `agent.go`.

use serde_json::{Map, Value, json};

use super::{is_proxy_replaced, pod_ranges, service_ranges, share_args};
use crate::resource::Document;
use crate::topology::Cluster;

/// The configuration of a server.
pub(super) fn document(cluster: &Cluster) -> Document {
    let mut config = Map::new();
    config.insert("flannel-backend".into(), "none".into());
    config.insert("disable-network-policy".into(), true.into());
    for (key, ranges) in
        [("cluster-cidr", pod_ranges(cluster)), ("service-cidr", service_ranges(cluster))]
    {
        config.extend(ranges.map(|ranges| (key.into(), ranges.join(",").into())));
    }
    config.insert("cluster-domain".into(), cluster.dns.domain.as_str().into());
    if let Some((host, _)) = &cluster.api_server {
        config.insert("tls-san".into(), json!([host]));
    }
    // Two controllers would give one Service two addresses. Source: k3s, "Networking Services",
    // ServiceLB.
    if cluster.load_balancer.is_some() {
        config.insert("disable".into(), json!(["servicelb"]));
    }
    if is_proxy_replaced(cluster) {
        config.insert("disable-kube-proxy".into(), true.into());
    } else {
        let mode = format!("proxy-mode={}", cluster.kube_proxy.word());
        config.insert("kube-proxy-arg".into(), json!([mode]));
    }
    let args = share_args(cluster);
    if !args.is_empty() {
        let args: Vec<Value> =
            args.iter().map(|(name, value)| format!("{name}={value}").into()).collect();
        config.insert("kube-controller-manager-arg".into(), args.into());
    }
    let header = vec!["for /etc/rancher/k3s/config.yaml of every server".to_owned()];
    Document::new("bootstrap/k3s.yaml", config.into(), cluster.span).header(header)
}
