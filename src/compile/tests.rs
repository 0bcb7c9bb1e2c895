//! What generators make of small topologies.

mod policies;

use serde_json::{Value, json};

use super::{GENERATORS, Index, cluster};
use crate::resource::{Desired, Resource, Role};
use crate::topology::Topology;
use crate::topology::sample::{ENTRYPOINT, TWO_CLUSTERS, topology};

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

fn names(desired: &Desired, kind: &str) -> Vec<String> {
    let some = desired.resources.iter().filter(|resource| resource.kind() == kind);
    some.map(|resource| resource.name().to_owned()).collect()
}

fn find<'a>(desired: &'a Desired, kind: &str, name: &str) -> &'a Resource {
    let found = desired.resources.iter().find(|r| r.kind() == kind && r.name() == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {:?}", names(desired, kind)))
}

fn annotations(resource: &Resource) -> &Value {
    &resource.body["metadata"]["annotations"]
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
