//! What flows and capabilities become.

use serde_json::{Value, json};

use super::{changed, compiled, find, names};
use crate::resource::Desired;
use crate::topology::Topology;
use crate::topology::sample::{TWO_CLUSTERS, resolved, topology};

/// The sample with the flows of its application replaced.
fn flows(flows: &str) -> Topology {
    changed(&[("    check-fraud: {from: [payment-frontend], to: [fraud-detection]}", flows)])
}

fn policy<'a>(desired: &'a Desired, name: &str) -> &'a Value {
    &find(desired, "CiliumNetworkPolicy", name).body["spec"]
}

fn grant<'a>(desired: &'a Desired, name: &str) -> &'a Value {
    &find(desired, "CiliumClusterwideNetworkPolicy", name).body["spec"]
}

#[test]
fn a_flow_has_a_half_where_each_side_runs() {
    let topology = topology(TWO_CLUSTERS);
    let (east, west) = (compiled(&topology, "use1"), compiled(&topology, "euw1"));
    let west_names = ["default-deny", "allow-dns", "payments.check-fraud.egress"];
    assert_eq!(names(&west, "CiliumNetworkPolicy")[..3], west_names);
    let east_names = ["default-deny", "allow-dns", "payments.check-fraud.ingress"];
    assert_eq!(names(&east, "CiliumNetworkPolicy"), east_names);

    let egress = json!({
        "description": "egress of flow payments/check-fraud",
        "endpointSelector": {"matchLabels": {"k8s:app": "payment-frontend"}},
        "egress": [{
            "toEndpoints": [{
                "matchLabels": {
                    "k8s:app": "fraud-detection",
                    "k8s:io.cilium.k8s.policy.serviceaccount": "fraud",
                    "k8s:io.kubernetes.pod.namespace": "payments",
                },
                "matchExpressions": [{
                    "key": "k8s:io.cilium.k8s.policy.cluster",
                    "operator": "In",
                    "values": ["euw1", "use1"],
                }],
            }],
            "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}],
        }],
    });
    assert_eq!(*policy(&west, "payments.check-fraud.egress"), egress);
    let ingress = json!({
        "description": "ingress of flow payments/check-fraud",
        "endpointSelector": {"matchLabels": {
            "k8s:app": "fraud-detection",
            "k8s:io.cilium.k8s.policy.serviceaccount": "fraud",
        }},
        "ingress": [{
            "fromEndpoints": [{"matchLabels": {
                "k8s:app": "payment-frontend",
                "k8s:io.cilium.k8s.policy.cluster": "euw1",
                "k8s:io.kubernetes.pod.namespace": "payments",
            }}],
            "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}],
        }],
    });
    assert_eq!(*policy(&east, "payments.check-fraud.ingress"), ingress);
}

#[test]
fn a_half_is_left_out_where_nothing_is_denied() {
    let open = changed(&[("defaultDeny: [ingress, egress]", "defaultDeny: [ingress]")]);
    let west = compiled(&open, "euw1");
    let expected = ["default-deny", "payments.check-fraud.ingress"];
    assert_eq!(names(&west, "CiliumNetworkPolicy"), expected);
    let deny = json!({
        "description": "default deny: ingress", "endpointSelector": {}, "ingress": [{}],
    });
    assert_eq!(*policy(&west, "default-deny"), deny);
    let none = changed(&[("defaultDeny: [ingress, egress]", "defaultDeny: []")]);
    assert_eq!(names(&compiled(&none, "euw1"), "CiliumNetworkPolicy"), [""; 0]);
}

#[test]
fn a_service_is_found_elsewhere_only_if_it_is_offered() {
    let clusters = |change: &[(&str, &str)]| {
        let west = compiled(&changed(change), "euw1");
        let egress = &policy(&west, "payments.check-fraud.egress")["egress"];
        let peer = &egress[0]["toEndpoints"][0];
        let one = &peer["matchLabels"]["k8s:io.cilium.k8s.policy.cluster"];
        one.as_str().map_or(peer["matchExpressions"][0]["values"].clone(), |one| json!([one]))
    };
    let both = json!(["euw1", "use1"]);
    let local = ("      export: true\n", "");
    let unshared = ("shared: true", "shared: [euw1]");
    let not_global = ("      global: {affinity: local, shared: true}\n", "");
    assert_eq!(clusters(&[]), both);
    assert_eq!(clusters(&[local]), both, "global and shared");
    assert_eq!(clusters(&[not_global]), both, "exported");
    assert_eq!(clusters(&[local, unshared]), json!(["euw1"]));
    assert_eq!(clusters(&[local, not_global]), json!(["euw1"]));
    let named = ("to: [fraud-detection]", "to: [{service: fraud-detection, clusters: [use1]}]");
    assert_eq!(clusters(&[local, not_global, named]), json!(["use1"]));
    let island = ("  mesh:\n", "  mesh:\n    networking: island\n");
    let off =
        ("discovery: {globalServices: true, mcs: true}", "discovery: {globalServices: false}");
    assert_eq!(clusters(&[island, off, local, not_global]), json!(["euw1"]));
}

#[test]
fn a_side_without_peers_has_no_rule() {
    let local = [
        ("      export: true\n", ""),
        ("      global: {affinity: local, shared: true}\n", ""),
        ("clusters: [use1, euw1], serviceAccount", "clusters: [use1], serviceAccount"),
    ];
    let mut text = TWO_CLUSTERS.to_owned();
    for (from, to) in local {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let (topology, found) = resolved(&text);
    assert!(found.iter().all(|finding| finding.contains(" LB2007 ")), "{found:#?}");
    let west = compiled(&topology.expect("a topology"), "euw1");
    assert_eq!(names(&west, "CiliumNetworkPolicy"), ["default-deny", "allow-dns"]);
}

#[test]
fn several_subjects_of_a_namespace_share_a_policy() {
    let topology = flows(
        "    both: {from: [fraud-detection, payment-frontend], to: [{entity: world}], ports: [443]}",
    );
    let west = compiled(&topology, "euw1");
    let body = &find(&west, "CiliumNetworkPolicy", "payments.both.egress").body;
    let subjects: Vec<_> = body["specs"]
        .as_array()
        .expect("several specs")
        .iter()
        .map(|spec| spec["endpointSelector"]["matchLabels"]["k8s:app"].clone())
        .collect();
    assert_eq!(subjects, ["fraud-detection", "payment-frontend"]);
    assert!(body.get("spec").is_none());
    let east = compiled(&topology, "use1");
    assert!(policy(&east, "payments.both.egress")["egress"][0]["toEntities"] == json!(["world"]));
}

#[test]
fn a_peer_that_no_pod_can_be_has_no_rule() {
    let flow = "    odd: {from: [payment-frontend], to: [{workload: fraud-detection, labels: {app: x}}], ports: [1]}";
    let check = "    check-fraud: {from: [payment-frontend], to: [fraud-detection]}";
    // It is an error of `check`; whoever compiles all the same opens nothing.
    let (topology, found) = resolved(&TWO_CLUSTERS.replace(check, flow));
    assert!(found.iter().all(|line| line.contains(" LB2042 ")), "{found:?}");
    let west = compiled(&topology.unwrap(), "euw1");
    assert_eq!(names(&west, "CiliumNetworkPolicy"), ["default-deny", "allow-dns"]);
}

#[test]
fn requests_are_compared_once() {
    let flow = "    get: {from: [payment-frontend], to: [{workload: fraud-detection}], ports: [80], http: [{method: GET}]}";
    let west = compiled(&flows(flow), "euw1");
    let rules =
        |name: &str, side: &str| policy(&west, name)[side][0]["toPorts"][0]["rules"].clone();
    let get = json!({"http": [{"method": "GET"}]});
    assert_eq!(rules("payments.get.egress", "egress"), Value::Null);
    assert_eq!(rules("payments.get.ingress", "ingress"), get);
    // Where the called accept everything, the callers are held to it.
    let open = ("defaultDeny: [ingress, egress]", "defaultDeny: [egress]");
    let old = "    check-fraud: {from: [payment-frontend], to: [fraud-detection]}";
    let west = compiled(&changed(&[open, (old, flow)]), "euw1");
    assert_eq!(policy(&west, "payments.get.egress")["egress"][0]["toPorts"][0]["rules"], get);
}

#[test]
fn dns_is_the_clusters_own() {
    let dns = |settings: &str, flow: &str| {
        let old = "    check-fraud: {from: [payment-frontend], to: [fraud-detection]}";
        let line = format!("    kubeProxy: replaced\n    dns: {settings}\n");
        let topology = changed(&[("    kubeProxy: replaced\n", &line), (old, flow)]);
        policy(&compiled(&topology, "euw1"), "allow-dns")["egress"].clone()
    };
    let flow = "    a: {from: [payment-frontend], to: [fraud-detection]}";
    let ports = json!([{"ports": [
        {"port": "53", "protocol": "UDP"}, {"port": "53", "protocol": "TCP"},
    ]}]);
    let pods = |labels: Value| {
        let mut labels = labels;
        labels["k8s:io.cilium.k8s.policy.cluster"] = "euw1".into();
        json!({"matchLabels": labels})
    };
    let named = json!({"k8s:app": "dns", "k8s:io.kubernetes.pod.namespace": "kube-system"});
    assert_eq!(
        dns("{selector: {app: dns}}", flow),
        json!([{"toEndpoints": [pods(named.clone())], "toPorts": ports}])
    );
    assert_eq!(
        dns("{selector: {app: dns}, nodeLocal: true}", flow),
        json!([
            {"toEndpoints": [pods(named.clone())], "toPorts": ports},
            {"toEntities": ["host"], "toPorts": ports},
            {"toCIDR": ["169.254.20.10/32"], "toPorts": ports},
        ])
    );
    let local =
        json!({"k8s:k8s-app": "node-local-dns", "k8s:io.kubernetes.pod.namespace": "kube-system"});
    assert_eq!(
        dns("{selector: {app: dns}, nodeLocal: redirect}", flow),
        json!([{"toEndpoints": [pods(named), pods(local)], "toPorts": ports}])
    );
    let names = "    a: {from: [payment-frontend], to: [{fqdn: api.example.com}], ports: [443]}";
    let watched = dns("{}", names);
    assert_eq!(watched[0]["toPorts"][0]["rules"], json!({"dns": [{"matchPattern": "*"}]}));
}

#[test]
fn dns_is_watched_only_where_names_are_called() {
    let topology =
        flows("    a: {from: [payment-frontend], to: [{fqdn: [api.example.com]}], ports: [443]}");
    let rules = |name| {
        policy(&compiled(&topology, name), "allow-dns")["egress"][0]["toPorts"][0]["rules"].clone()
    };
    assert_ne!(rules("euw1"), Value::Null);
    assert_eq!(rules("use1"), Value::Null);
}

const INTERNET: &str = "
---
apiVersion: landbridge.dev/v1alpha1
kind: Capability
metadata: {name: internet}
spec:
  labels: {egress.example.com/internet: allow}
  clusters: [euw1]
  flows:
    names: {to: [{fqdn: \"*.example.com\"}], ports: [443]}
    metrics: {from: [{namespace: monitoring}], ports: [9090]}
    ask: {to: [{service: payments/fraud-detection}]}
";

#[test]
fn a_capability_grants_and_does_not_isolate() {
    let topology = topology(&format!("{TWO_CLUSTERS}{INTERNET}"));
    let (east, west) = (compiled(&topology, "use1"), compiled(&topology, "euw1"));
    let kind = "CiliumClusterwideNetworkPolicy";
    let expected = [
        "internet.ask.grant-egress",
        "internet.metrics.grant-ingress",
        "internet.names.grant-egress",
        "landbridge-health",
    ];
    assert_eq!(names(&west, kind), expected);
    assert_eq!(names(&east, kind), ["landbridge-health"]);
    let names = grant(&west, "internet.names.grant-egress");
    let subject = json!({"matchLabels": {"k8s:egress.example.com/internet": "allow"}});
    assert_eq!(names["endpointSelector"], subject);
    assert_eq!(names["enableDefaultDeny"], json!({"ingress": false, "egress": false}));
    assert_eq!(names["egress"][0]["toFQDNs"], json!([{"matchPattern": "*.example.com"}]));
    let rules = &names["egress"][1]["toPorts"][0]["rules"];
    assert_eq!(*rules, json!({"dns": [{"matchPattern": "*"}]}));

    let ingress = policy(&east, "internet.ask.grant-ingress");
    let caller = json!([{
        "matchLabels": {
            "k8s:egress.example.com/internet": "allow",
            "k8s:io.cilium.k8s.policy.cluster": "euw1",
        },
        "matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}],
    }]);
    assert_eq!(ingress["ingress"][0]["fromEndpoints"], caller);
}

#[test]
fn names_of_policies_are_unique_and_valid() {
    let long = "x".repeat(300);
    let topology = flows(&format!(
        "    \"A b\": {{from: [{{entity: world}}], to: [{{namespace: same}}], ports: [1]}}\n    \
         \"a-b\": {{from: [{{entity: world}}], to: [{{namespace: same}}], ports: [1]}}\n    \
         \"a.b\": {{from: [{{entity: world}}], to: [{{namespace: same}}], ports: [1]}}\n    \
         {long}: {{from: [{{entity: world}}], to: [{{namespace: same}}], ports: [1]}}"
    ));
    let west = compiled(&topology, "euw1");
    let mut all = names(&west, "CiliumNetworkPolicy");
    assert_eq!(all.len(), 6);
    for name in &all {
        let part = |part: &str| crate::spec::value::is_label(part, 253);
        assert!(name.len() <= 253 && name.split('.').all(part), "{name}");
    }
    assert!(all.contains(&"payments.a-b.ingress".to_owned()), "{all:?}");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
}
