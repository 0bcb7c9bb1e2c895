//! What is written for each installer.

use serde_json::{Value, json};

use crate::compile::{self, Index};
use crate::resource::Document;
use crate::topology::sample::{TWO_CLUSTERS, resolved};

/// The files of `use1` where each `(old, new)` was replaced in the sample.
fn use1(changes: &[(&str, &str)]) -> Vec<Document> {
    let text = changes.iter().fold(TWO_CLUSTERS.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the sample has no `{old}`");
        text.replace(old, new)
    });
    // Old versions and dying values are chosen on purpose, and warned of.
    let topology = resolved(&text).0.expect("a topology");
    let (id, _) = topology.clusters().find(|(_, c)| c.name.value == "use1").expect("the cluster");
    let documents = compile::cluster(&topology, &Index::of(&topology), id).documents;
    documents.into_iter().filter(|document| document.path.starts_with("bootstrap/")).collect()
}

fn paths(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| &*document.path).collect()
}

/// The only file.
fn only(changes: &[(&str, &str)]) -> Vec<Value> {
    let mut documents = use1(changes);
    assert_eq!(documents.len(), 1, "{:?}", paths(&documents));
    documents.remove(0).bodies
}

const KUBEADM: &str = "distribution: kubeadm";
/// Versions that go with a kubeadm that knows no `v1beta4`.
const OLD: (&str, &str) =
    ("{kubernetes: 1.34.2, cilium: 1.19.6}", "{kubernetes: 1.30.14, cilium: 1.17.18}");
const V4_PODS: &str = "podCIDRs: [100.64.0.0/16]";

#[test]
fn each_distribution_has_its_own_file() {
    let eksctl = ["bootstrap/eksctl.yaml", "bootstrap/eksctl-nodes.yaml"];
    for (distribution, own) in [
        ("kubeadm", &["bootstrap/kubeadm.yaml"][..]),
        ("talos", &["bootstrap/talos.yaml"]),
        ("k3s", &["bootstrap/k3s.yaml"]),
        ("kind", &["bootstrap/kind.yaml"]),
        ("eks", &eksctl),
        ("aks", &[]),
        ("gke", &[]),
        ("other", &[]),
    ] {
        let documents = use1(&[(KUBEADM, &format!("distribution: {distribution}"))]);
        assert_eq!(paths(&documents), own);
    }
}

#[test]
fn an_older_kubeadm_skips_a_phase_instead_of_disabling_the_addon() {
    let [config, init] = &only(&[OLD])[..] else { panic!("two documents") };
    assert_eq!(config["apiVersion"], "kubeadm.k8s.io/v1beta3");
    assert_eq!(config["proxy"], Value::Null);
    assert_eq!(config["controllerManager"]["extraArgs"], json!({"allocate-node-cidrs": "false"}),);
    assert_eq!(init["apiVersion"], "kubeadm.k8s.io/v1beta3");
    assert_eq!(init["skipPhases"], json!(["addon/kube-proxy"]));
    let bodies = only(&[OLD, ("kubeProxy: replaced", "kubeProxy: nftables")]);
    let kinds: Vec<_> = bodies.iter().map(|body| body["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("ClusterConfiguration"), Some("KubeProxyConfiguration")]);
}

#[test]
fn a_version_that_is_not_exact_is_not_asked_of_the_network() {
    let config = &only(&[("kubernetes: 1.34.2, ", "")])[0];
    assert_eq!(config["apiVersion"], "kubeadm.k8s.io/v1beta4");
    assert_eq!(config["kubernetesVersion"], Value::Null);
}

#[test]
fn ranges_that_kubernetes_cannot_be_told_are_left_out() {
    let two = (V4_PODS, "podCIDRs: [100.64.0.0/17, 100.64.128.0/17]");
    let config = &only(&[two])[0];
    assert_eq!(config["networking"]["podSubnet"], Value::Null);
    let none = json!({"extraArgs": [{"name": "allocate-node-cidrs", "value": "false"}]});
    assert_eq!(config["controllerManager"], none, "some installers have a range by default");
    let talos = &only(&[two, (KUBEADM, "distribution: talos")])[0];
    assert_eq!(talos["cluster"]["network"]["podSubnets"], Value::Null);
}

#[test]
fn an_address_of_kube_prism_is_none_of_the_control_plane() {
    for host in ["localhost", "127.0.0.1", "\"::1\""] {
        let server = format!("host: {host}, port: 7445");
        let talos =
            [(KUBEADM, "distribution: talos"), ("host: api.use1.internal, port: 6443", &server)];
        assert_eq!(only(&talos)[0]["cluster"]["controlPlane"], Value::Null, "{host}");
    }
    let talos = only(&[(KUBEADM, "distribution: talos")]);
    let endpoint = &talos[0]["cluster"]["controlPlane"]["endpoint"];
    assert_eq!(endpoint, "https://api.use1.internal:6443");
}

#[test]
fn eksctl_makes_clusters_in_aws_with_ipv4_services_only() {
    let eks = (KUBEADM, "distribution: eks");
    let elsewhere =
        [eks, ("provider: aws", "provider: other"), ("aws-load-balancer-controller", "other")];
    assert_eq!(paths(&use1(&elsewhere)), Vec::<&str>::new());
    let ipv6 = [eks, ("serviceCIDRs: [10.96.0.0/16]", "serviceCIDRs: [\"fd96::/112\"]")];
    assert_eq!(paths(&use1(&ipv6)), Vec::<&str>::new());
}

#[test]
fn the_operator_may_do_what_its_minor_and_its_values_need() {
    let actions = |cilium: &str, values: &str| {
        let changes = [
            (
                "    encryption: {type: wireguard}",
                "    routing: {mode: native, nativeRoutingCIDR: 0.0.0.0/0}",
            ),
            ("cilium: 1.19.6", &format!("cilium: {cilium}")),
            (
                "    kubeProxy: replaced",
                &format!(
                    "    kubeProxy: replaced\n    ipam: {{mode: eni}}\n    ciliumValues: {values}"
                ),
            ),
        ];
        let documents = use1(&changes);
        assert_eq!(
            paths(&documents),
            ["bootstrap/kubeadm.yaml", "bootstrap/cilium-operator-policy.json"]
        );
        let statement = &documents[1].bodies[0]["Statement"][0];
        let actions = statement["Action"].as_array().expect("a list").clone();
        actions.iter().map(|a| a.as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let has = |actions: &[String], name: &str| actions.contains(&format!("ec2:{name}"));
    let (old, new) = (actions("1.17.18", "{}"), actions("1.18.12", "{}"));
    assert!(!has(&old, "DescribeRouteTables") && has(&new, "DescribeRouteTables"));
    assert!(has(&old, "DescribeInstanceTypes") && has(&new, "DescribeInstanceTypes"));
    let table = "{eni: {updateEC2AdapterLimitViaAPI: false}}";
    assert!(!has(&actions("1.17.18", table), "DescribeInstanceTypes"));
    assert!(!has(&new, "UnassignPrivateIpAddresses") && !has(&new, "DescribeInstances"));
    let asked = actions("1.19.6", "{eni: {awsReleaseExcessIPs: true, instanceTagsFilter: [a=b]}}");
    assert!(has(&asked, "UnassignPrivateIpAddresses") && has(&asked, "DescribeInstances"));
}
