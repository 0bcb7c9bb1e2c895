//! The way to DNS, which an egress default deny would close.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::Input;
use super::metadata::{Object, object};
use super::network_policy::callers_of_names;
use super::network_policy::selector::Selector;
use crate::resource::Desired;
use crate::spec::cluster::NodeLocalMode;
use crate::topology::{ClusterId, NamespaceId, Topology};

/// Adds a policy that lets the pods of each namespace with an egress default deny ask the
/// cluster's own DNS.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    let flows = index.flows[id.index()].iter().map(|at| &topology.flows[*at]);
    // Only where names are allowed: the proxy costs latency, and fails with its agent.
    let watched: BTreeSet<NamespaceId> =
        flows.flat_map(|flow| callers_of_names(topology, flow, id)).collect();
    for namespace_id in &index.namespaces[id.index()] {
        let namespace = topology.namespace(*namespace_id);
        if !namespace.deny_egress {
            continue;
        }
        let spec = object([
            ("description", "DNS of the cluster".into()),
            ("endpointSelector", json!({})),
            ("egress", rules(topology, id, watched.contains(namespace_id)).into()),
        ]);
        let object = Object {
            api_version: "cilium.io/v2",
            kind: "CiliumNetworkPolicy",
            namespace: Some(&namespace.name.value),
            name: "allow-dns",
            labels: &[],
            annotations: Vec::new(),
            origin: namespace.name.span,
        };
        desired.resources.push(object.with(topology, Some(("spec", spec))));
    }
}

/// The egress rules to the cluster's DNS. `watch` sends the questions through Cilium's DNS proxy,
/// without which `toFQDNs` matches nothing.
/// Source: Cilium's documentation, "DNS Policy and IP Discovery".
pub(super) fn rules(topology: &Topology, id: ClusterId, watch: bool) -> Vec<Value> {
    let dns = &topology.cluster(id).dns;
    let own = [id].into_iter().collect();
    let pods = |namespace: &str, labels: &[(String, String)]| {
        Selector::default().labels(labels).namespace(namespace).clusters(topology, &own).build()
    };
    let mut endpoints: Vec<Value> = pods(&dns.namespace, &dns.selector).into_iter().collect();
    let mut rules = Vec::new();
    match dns.node_local {
        // It listens in the node's network, on an address that is the node's own.
        Some(NodeLocalMode::Host) => {
            rules.push(rule("toEntities", json!(["host"]), watch));
            let bits = if matches!(dns.node_local_ip, IpAddr::V4(_)) { 32 } else { 128 };
            let address = format!("{}/{bits}", dns.node_local_ip);
            rules.push(rule("toCIDR", json!([address]), watch));
        }
        // Policies are compared with the pod to which the redirect policy sends the question.
        // Source: Cilium's documentation, "Local Redirect Policy", Node-local DNS cache.
        Some(NodeLocalMode::Redirect) => {
            let labels = [("k8s-app".to_owned(), "node-local-dns".to_owned())];
            endpoints.extend(pods("kube-system", &labels));
        }
        None => {}
    }
    if !endpoints.is_empty() {
        rules.insert(0, rule("toEndpoints", endpoints.into(), watch));
    }
    rules
}

fn rule(key: &str, peers: Value, watch: bool) -> Value {
    let port = |protocol: &str| object([("port", "53".into()), ("protocol", protocol.into())]);
    let mut entry = Map::with_capacity(2);
    entry.insert("ports".to_owned(), vec![port("UDP"), port("TCP")].into());
    if watch {
        entry.insert("rules".to_owned(), json!({"dns": [{"matchPattern": "*"}]}));
    }
    object([(key, peers), ("toPorts", vec![Value::Object(entry)].into())])
}
