//! By what address peers reach the ClusterMesh API server.

use serde_json::{Value, json};

use super::{assert_values, at, changed, use1, values_of};
use crate::topology::sample::{resolved, topology};

#[test]
fn a_host_name_is_the_address_of_a_peer() {
    let text = changed(&[
        ("endpoint: {ips: [10.0.1.20]}", "endpoint: {hostname: mesh.example.com, port: 443}"),
        ("endpoint: {ips: [10.1.1.20]}", "endpoint: {ips: [10.1.1.20, 10.1.1.21]}"),
    ]);
    let topology = topology(&text);
    let peers = "clustermesh.config.clusters";
    let (use1, euw1) = (values_of(&topology, "use1"), values_of(&topology, "euw1"));
    let address = json!([{"name": "use1", "address": "mesh.example.com", "port": 443}]);
    assert_eq!(at(&euw1, peers), &address);
    let ips = json!([{"name": "euw1", "ips": ["10.1.1.20", "10.1.1.21"], "port": 2379}]);
    assert_eq!(at(&use1, peers), &ips);
    assert_eq!(at(&euw1, "clustermesh.apiserver.tls.server"), &Value::Null);
}

#[test]
fn the_controller_decides_which_annotations_count() {
    let aws = "aws-load-balancer-controller}";
    let service = "{scheme: internet-facing, sourceRanges: [192.0.2.0/24]}";
    let facing = format!("{{ips: [10.0.1.20]}}, service: {service}");
    let facing = ("{ips: [10.0.1.20]}", &*facing);
    for (controller, internal, external) in [
        (
            "cloud-provider-aws}",
            json!({"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}),
            Value::Null,
        ),
        (
            "azure}",
            json!({"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}),
            Value::Null,
        ),
        ("gcp}", json!({"networking.gke.io/load-balancer-type": "Internal"}), Value::Null),
        (
            "lb-ipam, ranges: [10.0.1.16-10.0.1.31, 10.1.1.16/28]}",
            json!({"lbipam.cilium.io/ips": "10.0.1.20"}),
            json!({"lbipam.cilium.io/ips": "10.0.1.20"}),
        ),
        (
            "metallb, ranges: [10.0.1.16/28, 10.1.1.16/28]}",
            json!({"metallb.io/loadBalancerIPs": "10.0.1.20"}),
            json!({"metallb.io/loadBalancerIPs": "10.0.1.20"}),
        ),
        ("other}", Value::Null, Value::Null),
    ] {
        let key = "clustermesh.apiserver.service.annotations";
        assert_values(&use1(&[(aws, controller)]), &[(key, internal)]);
        assert_values(&use1(&[(aws, controller), facing]), &[(key, external)]);
    }
}

#[test]
fn an_address_that_no_pool_has_is_not_asked_for() {
    let own = ("aws-load-balancer-controller}", "metallb, ranges: [10.0.2.0/24, 10.1.1.16/28]}");
    let (topology, found) = resolved(&changed(&[own]));
    let outside = "LB2055 `metallb` gives no address 10.0.1.20";
    assert!(found.len() == 1 && found[0].contains(outside), "{found:#?}");
    let values = values_of(&topology.expect("a topology"), "use1");
    assert_values(&values, &[("clustermesh.apiserver.service.annotations", Value::Null)]);
}

#[test]
fn source_ranges_are_a_value_or_an_annotation() {
    let service = "{ips: [10.0.1.20]}, service: {sourceRanges: [192.0.2.0/24, 10.1.0.0/16]}";
    let own = ("{ips: [10.0.1.20]}", service);
    let key = "clustermesh.apiserver.service.loadBalancerSourceRanges";
    assert_values(&use1(&[own]), &[(key, json!(["192.0.2.0/24", "10.1.0.0/16"]))]);
    // The chart of 1.16 has no such key.
    let old = use1(&[
        own,
        ("cilium: 1.19.6", "cilium: 1.16.19"),
        ("mcs: true", "mcs: false"),
        ("export: true", "export: false"),
    ]);
    assert_values(&old, &[(key, Value::Null)]);
    let annotations = &at(&old, "clustermesh.apiserver.service")["annotations"];
    let ranges = &annotations["service.beta.kubernetes.io/load-balancer-source-ranges"];
    assert_eq!(ranges, "192.0.2.0/24,10.1.0.0/16");
}

#[test]
fn tailscale_has_a_class_and_a_machine_name() {
    let values = use1(&[
        ("aws-load-balancer-controller}", "tailscale}"),
        ("podCIDRs: [100.64.0.0/16]", "podCIDRs: [10.64.0.0/16]"),
        ("podCIDRs: [100.65.0.0/16]", "podCIDRs: [10.65.0.0/16]"),
        ("{ips: [10.0.1.20]}", "{hostname: mesh-use1.tail1234.ts.net}"),
    ]);
    let service = at(&values, "clustermesh.apiserver.service");
    assert_eq!(service["loadBalancerClass"], "tailscale");
    assert_eq!(service["annotations"], json!({"tailscale.com/hostname": "mesh-use1"}));
}

#[test]
fn own_annotations_win() {
    let scheme = "service.beta.kubernetes.io/aws-load-balancer-scheme";
    let own = format!("{{ips: [10.0.1.20]}}, service: {{annotations: {{{scheme}: x, a/b: c}}}}");
    let values = use1(&[("{ips: [10.0.1.20]}", &own)]);
    let annotations = &at(&values, "clustermesh.apiserver.service")["annotations"];
    assert_eq!((&annotations[scheme], &annotations["a/b"]), (&json!("x"), &json!("c")));
    assert_eq!(annotations.as_object().unwrap().len(), 4);
}
