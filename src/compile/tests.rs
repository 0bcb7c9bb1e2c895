//! What generators make of small topologies.

use serde_json::{Value, json};

use super::{GENERATORS, Index, cluster};
use crate::resource::{Desired, Resource, Role};
use crate::topology::Topology;
use crate::topology::sample::{ENTRYPOINT, TWO_CLUSTERS, resolved, topology};

#[test]
fn every_generator_has_a_name_of_its_own() {
    let mut names: Vec<_> = GENERATORS.iter().map(|generator| generator.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), GENERATORS.len());
}

fn compiled(topology: &Topology, name: &str) -> Desired {
    let index = Index::of(topology);
    let (id, _) = topology.clusters().find(|(_, c)| c.name.value == name).expect("the cluster");
    cluster(topology, &index, id)
}

/// The sample with one line replaced; it must have no findings.
fn changed(changes: &[(&str, &str)]) -> Topology {
    let text = changes.iter().fold(TWO_CLUSTERS.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the sample has no `{old}`");
        text.replace(old, new)
    });
    topology(&text)
}

/// The sample with the flows of its application replaced.
fn flows(flows: &str) -> Topology {
    changed(&[("    check-fraud: {from: [payment-frontend], to: [fraud-detection]}", flows)])
}

fn names(desired: &Desired, kind: &str) -> Vec<String> {
    let some = desired.resources.iter().filter(|resource| resource.kind() == kind);
    some.map(|resource| resource.name().to_owned()).collect()
}

fn find<'a>(desired: &'a Desired, kind: &str, name: &str) -> &'a Resource {
    let found = desired.resources.iter().find(|r| r.kind() == kind && r.name() == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {:?}", names(desired, kind)))
}

fn policy<'a>(desired: &'a Desired, name: &str) -> &'a Value {
    &find(desired, "CiliumNetworkPolicy", name).body["spec"]
}

fn grant<'a>(desired: &'a Desired, name: &str) -> &'a Value {
    &find(desired, "CiliumClusterwideNetworkPolicy", name).body["spec"]
}

fn annotations(resource: &Resource) -> &Value {
    &resource.body["metadata"]["annotations"]
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
fn every_resource_points_at_what_caused_it() {
    let topology = topology(TWO_CLUSTERS);
    for resource in compiled(&topology, "euw1").resources {
        let text = &TWO_CLUSTERS[resource.origin.range()];
        let caused = ["payments", "check-fraud", "fraud-detection", "euw1"];
        assert!(caused.contains(&text), "{} {}: `{text}`", resource.kind(), resource.name());
        let managed = &resource.body["metadata"]["labels"]["app.kubernetes.io/managed-by"];
        assert_eq!(*managed, "landbridge");
    }
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
fn a_global_service_stands_wherever_it_is_called() {
    let only_east = ("clusters: [use1, euw1], serviceAccount", "clusters: [use1], serviceAccount");
    let any = ("{affinity: local, shared: true}", "{shared: true}");
    let topology = changed(&[only_east, any]);
    let service = |name| find(&compiled(&topology, name), "Service", "fraud-detection").clone();
    let east = service("use1");
    let expected = json!({
        "service.cilium.io/global": "true",
        "service.cilium.io/shared": "true",
    });
    assert_eq!(*annotations(&east), expected);
    let spec = json!({
        "selector": {"app": "fraud-detection"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
    });
    assert_eq!(east.body["spec"], spec);
    let west = service("euw1");
    assert_eq!(annotations(&west)["service.cilium.io/shared"], "false");
    assert_eq!(west.body["spec"], spec);
    assert_eq!(names(&compiled(&topology, "use1"), "ServiceExport"), ["fraud-detection"]);
    assert_eq!(names(&compiled(&topology, "euw1"), "ServiceExport"), [""; 0]);
}

#[test]
fn a_service_of_a_team_is_patched() {
    let owned = ("      export: true\n", "      manage: annotations\n");
    let west = compiled(&changed(&[owned]), "euw1");
    let patch = find(&west, "Service", "fraud-detection");
    let body = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "namespace": "payments",
            "name": "fraud-detection",
            "annotations": {
                "service.cilium.io/affinity": "local",
                "service.cilium.io/global": "true",
                "service.cilium.io/shared": "true",
            },
        },
    });
    assert_eq!((&patch.body, patch.role), (&body, Role::Patch));
    let plain = ("      global: {affinity: local, shared: true}\n", "");
    assert_eq!(names(&compiled(&changed(&[owned, plain]), "euw1"), "Service"), [""; 0]);
    let nobody = ("      export: true\n", "      manage: none\n");
    assert_eq!(names(&compiled(&changed(&[nobody]), "euw1"), "Service"), [""; 0]);
}

#[test]
fn headless_services_are_synchronised_and_exports_follow_the_version() {
    let headless = ("      export: true\n", "      export: true\n      headless: true\n");
    for (version, api, exported) in [
        ("1.17.6", "multicluster.x-k8s.io/v1alpha1", Value::Null),
        ("1.19.6", "multicluster.x-k8s.io/v1alpha1", "local".into()),
        ("1.20.2", "multicluster.x-k8s.io/v1beta1", "local".into()),
    ] {
        let cilium = format!("cilium: {version}");
        let west = compiled(&changed(&[headless, ("cilium: 1.19.6", &cilium)]), "euw1");
        let service = find(&west, "Service", "fraud-detection");
        assert_eq!(service.body["spec"]["clusterIP"], "None");
        let sync = "service.cilium.io/global-sync-endpoint-slices";
        assert_eq!(annotations(service)[sync], "true");
        let export = find(&west, "ServiceExport", "fraud-detection");
        assert_eq!(export.api_version(), api);
        let annotations = &export.body["spec"]["exportedAnnotations"];
        assert_eq!(annotations["service.cilium.io/affinity"], exported, "{version}");
    }
}

#[test]
fn namespaces_are_written_where_asked_and_never_pruned() {
    assert_eq!(names(&compiled(&topology(TWO_CLUSTERS), "euw1"), "Namespace"), [""; 0]);
    let create = (
        "  namespace: payments\n",
        "  namespace: payments\n  createNamespace: true\n  namespaceLabels: {team: pay}\n",
    );
    let flux = ("  versions:", "  gitops: {tool: flux}\n  versions:");
    let west = compiled(&changed(&[create, flux]), "euw1");
    let expected = json!({
        "name": "payments",
        "labels": {"app.kubernetes.io/managed-by": "landbridge", "team": "pay"},
        "annotations": {
            "argocd.argoproj.io/sync-options": "Prune=false",
            "kustomize.toolkit.fluxcd.io/prune": "disabled",
            "kustomize.toolkit.fluxcd.io/substitute": "disabled",
        },
    });
    assert_eq!(find(&west, "Namespace", "payments").body["metadata"], expected);
}

#[test]
fn the_namespace_of_an_import_stands_where_it_is_called() {
    let text = format!(
        "{}\n---\napiVersion: landbridge.dev/v1alpha1\nkind: MeshApplication\nmetadata: {{name: web}}\nspec:\n  namespace: web\n  workloads: {{shop: {{labels: {{app: shop}}, clusters: [euw1]}}}}\n  flows: {{pay: {{from: [shop], to: [payments/fraud-detection]}}}}\n",
        TWO_CLUSTERS
            .replace("  namespace: payments\n", "  namespace: payments\n  createNamespace: true\n")
            .replace("      global: {affinity: local, shared: true}\n", "")
            .replace("clusters: [euw1]}\n", "clusters: [use1]}\n")
            .replace("clusters: [use1, euw1], serviceAccount", "clusters: [use1], serviceAccount"),
    );
    let west = compiled(&topology(&text), "euw1");
    assert_eq!(names(&west, "Namespace"), ["payments"]);
    assert_eq!(names(&west, "Service"), [""; 0]);
    assert_eq!(
        names(&west, "CiliumNetworkPolicy"),
        ["default-deny", "allow-dns", "web.pay.egress"]
    );
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

#[test]
fn namespaces_are_global_where_the_default_keeps_them() {
    let made = ("  namespace: payments\n", "  namespace: payments\n  createNamespace: true\n");
    let later = ("cilium: 1.19.6", "cilium: 1.20.2");
    let off =
        ("  id: 1\n", "  id: 1\n  ciliumValues: {clustermesh: {defaultGlobalNamespace: false}}\n");
    let topology = changed(&[made, later, off]);
    let said = |name| {
        let desired = compiled(&topology, name);
        annotations(find(&desired, "Namespace", "payments"))["clustermesh.cilium.io/global"].clone()
    };
    assert_eq!((said("use1"), said("euw1")), (json!("true"), Value::Null));
}

/// What is made of a cluster's entrypoints: paths or names, and contents.
fn of_entrypoints(topology: &Topology, name: &str) -> Vec<(String, Value)> {
    let desired = compiled(topology, name);
    let documents =
        desired.documents.into_iter().map(|one| (one.path.into_owned(), one.bodies.into()));
    let documents = documents.filter(|(path, _)| path.contains("dns"));
    let resources = desired.resources.into_iter().filter(|one| one.kind() == "DNSEndpoint");
    documents.chain(resources.map(|one| (one.name().to_owned(), one.body))).collect()
}

#[test]
fn one_more_target_changes_nothing_of_the_others() {
    let pinned = ENTRYPOINT
        .replace("cilium: 1.19.6}", "cilium: 1.19.6, components: {external-dns: {chart: 1.19.0}}}");
    let targets = |routing: &str, key: &str| {
        let extra = |value: &str| format!("{key}: {value}, ");
        let values = match key {
            "weight" => ["1", "2", "3"],
            "geolocation" => ["{country: \"*\"}", "{continent: EU}", "{continent: AS}"],
            _ => ["us-east-1", "eu-west-1", "ap-southeast-1"],
        };
        let text = pinned.replace("routing: latency", &format!("routing: {routing}"));
        let text = text.replace("use1: {host", &format!("use1: {{{}host", extra(values[0])));
        let text = text.replace("euw1: {host", &format!("euw1: {{{}host", extra(values[1])));
        let third = format!(
            "\n        apse1: {{{}hostname: lb.example.org, healthCheckID: 5555-6666}}\n---",
            extra(values[2])
        );
        let place = "apiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: use1}";
        let (topology, clusters) = text.split_once(place).expect("the first cluster");
        let topology = topology.trim_end().trim_end_matches("---").trim_end();
        let topology = topology.replace(
            "  interconnects:",
            "    ap-southeast-1: {provider: aws, networks: {main: {cidrs: [10.2.0.0/16]}}}\n  \
             interconnects:\n    - {between: [us-east-1, ap-southeast-1], type: vpc-peering}\n    \
             - {between: [eu-west-1, ap-southeast-1], type: vpc-peering}",
        );
        let own = clusters.split("---").next().expect("the first cluster's content");
        let own = own.replace("us-east-1", "ap-southeast-1").replace("id: 1", "id: 3");
        let own =
            own.replace("10.0.", "10.2.").replace("100.64", "100.66").replace("10.96", "10.98");
        let own = own.replace("use1", "apse1");
        let more = format!(
            "{topology}{third}\n{place}{clusters}---\n{}{own}",
            place.replace("use1", "apse1")
        );
        (text, more)
    };
    for (routing, key) in
        [("latency", "awsRegion"), ("weighted", "weight"), ("geolocation", "geolocation")]
    {
        let (text, more) = targets(routing, key);
        let (two, three) = (topology(&text), topology(&more));
        for name in ["use1", "euw1"] {
            let own = of_entrypoints(&two, name);
            assert_eq!(own.len(), 4, "{routing}: {own:#?}");
            assert_eq!(own, of_entrypoints(&three, name), "{routing}");
        }
        assert_eq!(of_entrypoints(&three, "apse1").len(), 4, "{routing}");
    }
}
