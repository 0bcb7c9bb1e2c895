mod mesh_service;

use serde_json::{Value, json};

use crate::chart::Chart;
use crate::check::invariant::invariants;
use crate::compile::{self, Index};
use crate::topology::Topology;
use crate::topology::sample::{TWO_CLUSTERS, topology};

/// The newest chart of each minor that is known, and the first of some.
const CHARTS: [&str; 9] =
    ["1.16.0", "1.16.19", "1.17.0", "1.17.18", "1.18.0", "1.18.12", "1.19.0", "1.19.6", "1.20.0"];

/// The values of a cluster.
fn values_of(topology: &Topology, name: &str) -> Value {
    let found = topology.clusters().find(|(_, cluster)| cluster.name.value == name);
    let (id, _) = found.expect("no such cluster");
    let desired = compile::cluster(topology, &Index::of(topology), id);
    let mut documents = desired.documents.into_iter();
    documents
        .find(|document| document.path == "cilium/values.yaml")
        .expect("no values")
        .bodies
        .remove(0)
}

/// The values of `use1` where each `(old, new)` was replaced in the sample, once.
fn use1(changes: &[(&str, &str)]) -> Value {
    values_of(&topology(&changed(changes)), "use1")
}

fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(TWO_CLUSTERS.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

/// The changes, and the pin of a chart. 1.16 has no Multi-Cluster Services API to switch on.
fn pinned(changes: &[(&str, &str)], version: &str) -> String {
    let pin = format!("cilium: {version}");
    let mut changes = changes.to_vec();
    changes.push(("cilium: 1.19.6", &pin));
    if version.starts_with("1.16") {
        changes.extend([("mcs: true", "mcs: false"), ("      export: true\n", "")]);
    }
    changed(&changes)
}

fn at<'a>(values: &'a Value, key: &str) -> &'a Value {
    key.split('.').fold(values, |values, name| &values[name])
}

/// Holds that some keys of the values are these.
fn assert_values(values: &Value, expected: &[(&str, Value)]) {
    for (key, value) in expected {
        assert_eq!(at(values, key), value, "{key} of {values:#}");
    }
}

const NATIVE: (&str, &str) = (
    "    encryption: {type: wireguard}\n",
    "    routing: {mode: native, nativeRoutingCIDR: 100.64.0.0/15}\n    encryption: {type: none}\n",
);

#[test]
fn a_member_of_a_mesh() {
    let values = use1(&[]);
    let expected = json!({
        "cluster": {"name": "use1", "id": 1},
        "upgradeCompatibility": "1.19",
        "ipv4": {"enabled": true},
        "ipv6": {"enabled": false},
        "ipam": {
            "mode": "cluster-pool",
            "operator": {
                "clusterPoolIPv4PodCIDRList": ["100.64.0.0/16"],
                "clusterPoolIPv4MaskSize": 24,
            },
        },
        "routingMode": "tunnel",
        "tunnelProtocol": "vxlan",
        "encryption": {"enabled": true, "type": "wireguard", "nodeEncryption": false},
        "kubeProxyReplacement": "true",
        "k8sServiceHost": "api.use1.internal",
        "k8sServicePort": 6443,
        "clustermesh": {
            "maxConnectedClusters": 255,
            "useAPIServer": true,
            "mcsapi": {"enabled": true},
            "config": {
                "enabled": true,
                "clusters": [{"name": "euw1", "ips": ["10.1.1.20"], "port": 2379}],
            },
            "apiserver": {
                "replicas": 1,
                "service": {
                    "type": "LoadBalancer",
                    "annotations": {
                        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
                        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "instance",
                        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
                    },
                },
                "tls": {"auto": {"method": "cronJob", "schedule": "0 0 1 */4 *"}},
            },
        },
        "certgen": {"generateCA": false},
        "hubble": {
            "enabled": true,
            "relay": {"enabled": false},
            "ui": {"enabled": false},
            "tls": {"auto": {"method": "cronJob", "schedule": "0 0 1 */4 *"}},
        },
    });
    assert_eq!(values, expected, "{values:#}");
}

/// Changes of the sample that together need every key that is ever written.
fn variants() -> Vec<Vec<(&'static str, &'static str)>> {
    let external = ("    defaultDeny", "    certificates: {method: external}\n    defaultDeny");
    let certmanager = (
        "    defaultDeny",
        "    certificates: {method: certmanager, issuer: {name: mesh-ca}}\n    defaultDeny",
    );
    let slices = ("mcs: true}", "mcs: true, endpointSlices: true}");
    let kubeadm = "    distribution: kubeadm\n";
    let use1_pods = "  podCIDRs: [100.64.0.0/16]\n";
    vec![
        vec![],
        vec![
            external,
            slices,
            ("kubeProxy: replaced", "hubble: {relay: true, ui: true}\n    kubeProxy: replaced"),
        ],
        vec![certmanager, (kubeadm, "    distribution: gke\n"), NATIVE],
        vec![(
            kubeadm,
            "    distribution: talos\n    masquerade: {ipv4: true, ipv6: true, bpf: true}\n    mtu: 1400\n",
        )],
        vec![(
            kubeadm,
            "    distribution: aks\n    maxNodes: 1\n    dns: {domain: mesh.local, nodeLocal: redirect}\n",
        )],
        vec![(
            "loadBalancers: {controller: aws-load-balancer-controller}",
            "loadBalancers: {controller: lb-ipam, ranges: [10.0.1.16/28, 10.1.1.16/28], announce: l2}",
        )],
        vec![
            NATIVE,
            (
                use1_pods,
                "  podCIDRs: [100.64.0.0/16, \"fd00:1::/104\"]\n  ipam: {mode: multi-pool, pools: {default: {cidrs: [100.64.0.0/17]}}}\n",
            ),
        ],
        vec![NATIVE, (use1_pods, "  ipam: {mode: eni}\n  podCIDRs: [100.64.0.0/16]\n")],
        vec![(use1_pods, "  ipam: {mode: delegated}\n")],
        vec![(
            "clustermesh: {endpoint: {ips: [10.0.1.20]}}",
            "clustermesh: {replicas: 2, service: {type: NodePort, nodePort: 32380}, endpoint: {hostname: mesh.example.com}}",
        )],
    ]
}

#[test]
fn no_chart_misses_a_key_that_is_written_for_it() {
    for version in CHARTS {
        for changes in variants() {
            let topology = topology(&pinned(&changes, version));
            let chart = Chart::of(&topology.clusters[0].cilium).unwrap();
            for cluster in &topology.clusters {
                let values = values_of(&topology, &cluster.name.value);
                assert_eq!(chart.check(&values), [], "{version} {changes:?}");
                let old: Vec<_> = chart.deprecated(&values).into_iter().map(|p| p.path).collect();
                let secrets = ["clustermesh", "apiserver", "tls", "enableSecrets"];
                // 1.19 has no other way to say that somebody else puts the certificates there.
                assert!(old.iter().all(|path| *path == secrets), "{version} {old:?}");
            }
        }
    }
}

#[test]
fn what_must_not_be_overridden_is_what_is_written() {
    for version in CHARTS {
        for changes in variants() {
            let topology = topology(&pinned(&changes, version));
            let chart = Chart::of(&topology.clusters[0].cilium).unwrap();
            for cluster in &topology.clusters {
                let values = values_of(&topology, &cluster.name.value);
                for invariant in invariants(&topology, cluster) {
                    if chart.has(invariant.key)
                        && invariant.key != "clustermesh.enableMCSAPISupport"
                    {
                        assert_eq!(
                            at(&values, invariant.key),
                            &invariant.declared,
                            "{}",
                            invariant.key
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn keys_have_the_name_of_their_minor() {
    let hostname = (
        "clustermesh: {endpoint: {ips: [10.0.1.20]}}",
        "clustermesh: {endpoint: {hostname: mesh.example.com}}",
    );
    let tls = "clustermesh.apiserver.tls";
    for (version, mcs, names, generate) in [
        ("1.16.19", "", "server.extraDnsNames", Value::Null),
        ("1.17.18", "enableMCSAPISupport", "server.extraDnsNames", json!(false)),
        ("1.18.12", "enableMCSAPISupport", "server.extraDnsNames", json!(false)),
        ("1.19.6", "mcsapi.enabled", "server.extraDnsNames", json!(false)),
        ("1.20.0", "mcsapi.enabled", "auto.server.extraDnsNames", json!(false)),
    ] {
        let values = values_of(&topology(&pinned(&[hostname], version)), "use1");
        if !mcs.is_empty() {
            assert_values(&values, &[(&format!("clustermesh.{mcs}"), json!(true))]);
        }
        assert_values(
            &values,
            &[
                (&format!("{tls}.{names}"), json!(["mesh.example.com"])),
                ("certgen.generateCA", generate),
                ("upgradeCompatibility", json!(version[..4])),
            ],
        );
    }
}

#[test]
fn eni_needs_three_keys_and_two_that_its_defaults_hide() {
    let eni =
        ("  podCIDRs: [100.64.0.0/16]\n", "  ipam: {mode: eni}\n  podCIDRs: [100.64.0.0/16]\n");
    for (version, installed, masquerade) in [
        ("1.17.18", "", true),
        ("1.18.12", "", false),
        ("1.19.6", "  upgradeCompatibility: \"1.17\"\n", true),
        ("1.20.0", "  upgradeCompatibility: \"1.18\"\n", false),
    ] {
        let changes = [
            ("cilium: 1.19.6", &*format!("cilium: {version}")),
            NATIVE,
            eni,
            ("  id: 1\n", &format!("  id: 1\n{installed}")),
        ];
        assert_values(
            &use1(&changes),
            &[
                ("eni.enabled", json!(true)),
                ("ipam", json!({"mode": "eni"})),
                ("routingMode", json!("native")),
                ("tunnelProtocol", Value::Null),
                ("ipv4NativeRoutingCIDR", json!("100.64.0.0/15")),
                ("enableIPv4Masquerade", json!(masquerade)),
                ("encryption", json!({"enabled": false})),
            ],
        );
        let service = at(&use1(&changes), "clustermesh.apiserver.service").clone();
        let target = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type";
        assert_eq!(service["annotations"][target], "ip");
    }
}

#[test]
fn dual_stack_has_pools_of_both_families() {
    let pods = ("podCIDRs: [100.64.0.0/16]", "podCIDRs: [100.64.0.0/16, \"fd00:1::/104\"]");
    assert_values(
        &use1(&[pods]),
        &[
            ("ipv6.enabled", json!(true)),
            ("ipam.operator.clusterPoolIPv6PodCIDRList", json!(["fd00:1::/104"])),
            ("ipam.operator.clusterPoolIPv6MaskSize", json!(120)),
        ],
    );
    let pools = "podCIDRs: [100.64.0.0/16, \"fd00:1::/104\"]\n  ipam: {mode: multi-pool, pools: {\
                 default: {cidrs: [100.64.0.0/17]}, blue: {cidrs: [\"fd00:1::/104\"], maskSize: {ipv6: 112}}}}";
    assert_values(
        &use1(&[NATIVE, ("podCIDRs: [100.64.0.0/16]", pools)]),
        &[
            ("ipam.mode", json!("multi-pool")),
            (
                "ipam.operator",
                json!({"autoCreateCiliumPodIPPools": {
                    "blue": {"ipv6": {"cidrs": ["fd00:1::/104"], "maskSize": 112}},
                    "default": {"ipv4": {"cidrs": ["100.64.0.0/17"], "maskSize": 24}},
                }}),
            ),
            ("endpointRoutes.enabled", json!(true)),
        ],
    );
}

#[test]
fn talos_reaches_its_api_server_through_kubeprism() {
    let talos = ("distribution: kubeadm", "distribution: talos");
    let server = ("  apiServer: {host: api.use1.internal, port: 6443}\n", "");
    let values = use1(&[talos, server]);
    assert_values(
        &values,
        &[
            ("cgroup", json!({"autoMount": {"enabled": false}, "hostRoot": "/sys/fs/cgroup"})),
            ("k8sServiceHost", json!("localhost")),
            ("k8sServicePort", json!(7445)),
        ],
    );
    let capabilities = at(&values, "securityContext.capabilities").to_string();
    assert!(!capabilities.contains("SYS_MODULE") && capabilities.contains("SYS_ADMIN"));
    assert_values(&use1(&[talos]), &[("k8sServiceHost", json!("api.use1.internal"))]);
}

#[test]
fn outside_of_a_mesh_there_is_no_clustermesh() {
    let island = ("  mesh:\n", "  mesh:\n    networking: island\n");
    let alone = ("  region: us-east-1\n", "  region: us-east-1\n  mesh: false\n");
    let gone = "  clustermesh: {endpoint: {ips: [10.0.1.20]}}\n";
    let deployed = "clusters: [use1, euw1]";
    for changes in [
        vec![
            island,
            ("      global: {affinity: local, shared: true}\n      export: true\n", ""),
            ("globalServices: true, mcs: true", "globalServices: false, mcs: false"),
        ],
        vec![alone, ("  id: 1\n", ""), (gone, ""), (deployed, "clusters: [euw1]")],
    ] {
        let values = use1(&changes);
        assert_eq!(values["clustermesh"], Value::Null);
        assert_eq!(values["certgen"], Value::Null, "there is no shared CA to wait for");
        assert_eq!(values["cluster"]["name"], "use1");
        assert_values(&values, &[("hubble.tls.auto.method", json!("cronJob"))]);
    }
}

#[test]
fn own_values_are_merged_last() {
    let values = use1(&[
        (
            "    defaultDeny",
            "    ciliumValues: {bpf: {masquerade: true}, hubble: {relay: {replicas: 2}}}\n    defaultDeny",
        ),
        ("  id: 1\n", "  id: 1\n  ciliumValues: {bpf: {masquerade: null}, MTU: 0x5dc}\n"),
    ]);
    assert_values(
        &values,
        &[
            ("bpf", json!({"masquerade": null})),
            ("MTU", json!(1500)),
            ("hubble.relay", json!({"enabled": false, "replicas": 2})),
        ],
    );
}

#[test]
fn traffic_distribution_switches_topology_on() {
    let service =
        ("      export: true\n", "      export: true\n      trafficDistribution: PreferClose\n");
    let key = "loadBalancer.serviceTopology";
    assert_values(&use1(&[]), &[(key, Value::Null)]);
    assert_values(&use1(&[service]), &[(key, json!(true))]);
    let iptables = ("kubeProxy: replaced", "kubeProxy: iptables");
    assert_values(
        &use1(&[service, iptables]),
        &[(key, Value::Null), ("kubeProxyReplacement", json!("false"))],
    );
}

#[test]
fn certificates_are_never_made_by_helm() {
    let tls = |method: &str| {
        let text = format!("    certificates: {method}\n    defaultDeny");
        use1(&[
            ("    defaultDeny", &text),
            ("kubeProxy: replaced", "hubble: {relay: true}\n    kubeProxy: replaced"),
        ])
    };
    let values = tls("{method: certmanager, issuer: {name: mesh-ca}}");
    let auto = json!({
        "method": "certmanager",
        "certManagerIssuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "mesh-ca"},
    });
    assert_values(
        &values,
        &[("clustermesh.apiserver.tls.auto", auto.clone()), ("hubble.tls.auto", auto)],
    );
    let values = tls("{method: external}");
    assert_values(
        &values,
        &[
            (
                "clustermesh.apiserver.tls",
                json!({"auto": {"enabled": false}, "enableSecrets": false}),
            ),
            ("hubble.tls.auto", json!({"enabled": false})),
            ("hubble.tls.server.existingSecret", json!("hubble-server-certs")),
            ("hubble.relay.tls.client.existingSecret", json!("hubble-relay-client-certs")),
        ],
    );
}
