use std::collections::BTreeSet;

use semver::Version;
use serde_json::{Value, json};

use super::table::{Node, TABLE};
use super::{Allowed, Chart, Key, ProblemKind, Type};

/// The newest chart of each minor in the table; `schemas/README.md` says where it is from.
const NEWEST: [&str; 5] = ["1.16.19", "1.17.18", "1.18.12", "1.19.6", "1.20.0"];

fn chart(version: &str) -> Chart {
    Chart::of(&Version::parse(version).unwrap()).unwrap()
}

/// What a chart makes of a key, in a word.
fn word(version: &str, key: &str) -> &'static str {
    match chart(version).key(key) {
        Key::Known(known) if known.deprecated.is_some() => "deprecated",
        Key::Known(_) => "known",
        Key::Removed(removed) if removed.refused => "refused",
        Key::Removed(_) => "ignored",
        Key::NotYet(_) => "later",
        Key::Unknown { .. } => "unknown",
    }
}

fn words(key: &str) -> [&'static str; 5] {
    NEWEST.map(|version| word(version, key))
}

fn kinds(version: &str, values: &Value) -> Vec<(String, ProblemKind)> {
    let problems = chart(version).check(values).into_iter();
    problems.map(|problem| (problem.path.join("."), problem.kind)).collect()
}

/// What the newest chart of each minor makes of a key.
const KEYS: &[(&str, [&str; 5])] = &[
    ("cluster.name", ["known"; 5]),
    ("clustermesh.useAPIServer", ["known"; 5]),
    ("eni.awsVpcID", ["ignored"; 5]),
    ("eni.awsSubnetIDs", ["ignored"; 5]),
    ("eni.subnetIDsFilter", ["known"; 5]),
    ("ebpf.enabled", ["ignored"; 5]),
    ("ebpf.xdpAcceleration", ["ignored"; 5]),
    ("ebpf.anything", ["ignored"; 5]),
    ("tunnel", ["refused"; 5]),
    ("globalAccelerator.enabled", ["ignored"; 5]),
    ("globalAccelerator.listeners", ["ignored"; 5]),
    ("encryption.secretName", ["refused"; 5]),
    ("encryption.ipsec.secretName", ["known"; 5]),
    (
        "ipam.operator.clusterPoolIPv4PodCIDR",
        ["refused", "refused", "refused", "ignored", "ignored"],
    ),
    ("ipam.operator.clusterPoolIPv4PodCIDRList", ["known"; 5]),
    ("clustermesh.enableMCSAPISupport", ["known", "known", "known", "deprecated", "ignored"]),
    ("clustermesh.mcsapi.enabled", ["later", "later", "later", "known", "known"]),
    ("clustermesh.policyDefaultLocalCluster", ["later", "later", "known", "known", "known"]),
    ("clustermesh.defaultGlobalNamespace", ["later", "later", "later", "later", "known"]),
    ("clustermesh.cacheTTL", ["later", "later", "later", "known", "known"]),
    ("encryption.strictMode.enabled", ["known", "known", "known", "deprecated", "ignored"]),
    ("encryption.strictMode.cidr", ["known", "known", "known", "deprecated", "ignored"]),
    ("encryption.strictMode.egress.enabled", ["later", "later", "later", "known", "known"]),
    (
        "encryption.wireguard.userspaceFallback",
        ["known", "ignored", "ignored", "ignored", "ignored"],
    ),
    ("encryption.ipsec.encryptedOverlay", ["known", "known", "known", "known", "ignored"]),
    ("encryption.ipsec.interface", ["known", "known", "known", "known", "deprecated"]),
    ("externalWorkloads.enabled", ["known", "known", "ignored", "ignored", "ignored"]),
    ("hostPort.enabled", ["known", "known", "ignored", "ignored", "ignored"]),
    ("nodePort.enabled", ["known", "known", "known", "ignored", "ignored"]),
    ("localRedirectPolicy", ["known", "known", "deprecated", "deprecated", "deprecated"]),
    ("localRedirectPolicies.enabled", ["later", "later", "known", "known", "known"]),
    ("enableCiliumEndpointSlice", ["deprecated", "deprecated", "refused", "refused", "refused"]),
    ("ciliumEndpointSlice.enabled", ["known"; 5]),
    ("clustermesh.apiserver.tls.server.cert", ["known", "known", "known", "deprecated", "ignored"]),
    (
        "clustermesh.apiserver.tls.server.extraDnsNames",
        ["known", "known", "known", "known", "deprecated"],
    ),
    (
        "clustermesh.apiserver.tls.auto.server.extraDnsNames",
        ["later", "later", "later", "later", "known"],
    ),
    (
        "clustermesh.apiserver.tls.client.cert",
        ["known", "known", "deprecated", "ignored", "ignored"],
    ),
    ("hubble.redact.kafka.apiKey", ["known", "known", "known", "known", "ignored"]),
    ("hubble.relay.enabled", ["known"; 5]),
    ("loadBalancer.algorithm", ["known"; 5]),
    ("ipMasqAgent.config", ["known"; 5]),
    ("clustermesh.apiserver.tls.auto.schedule", ["known"; 5]),
    ("clustermesh.apiserver.service.nodePort", ["known"; 5]),
    ("socketLB.hostNamespaceOnly", ["known"; 5]),
    ("socketLB.terminatePodConnections", ["known"; 5]),
    ("nodePort.range", ["known"; 5]),
    ("hostServices.enabled", ["ignored"; 5]),
    ("dnsProxy.preCache", ["known", "known", "known", "known", "deprecated"]),
    ("AsMap", ["unknown"; 5]),
    ("clustermesh.useApiServer", ["unknown"; 5]),
];

#[test]
fn keys_of_every_minor() {
    for (key, expected) in KEYS {
        assert_eq!(words(key), *expected, "{key}");
    }
}

#[test]
fn keys_come_and_go_between_patches() {
    assert_eq!(word("1.19.2", "enableTunnelBIGTCP"), "known");
    assert_eq!(word("1.19.3", "enableTunnelBIGTCP"), "ignored");
    assert_eq!(word("1.18.12", "enableTunnelBIGTCP"), "later");
    assert_eq!(word("1.18.8", "configDriftDetection.enabled"), "later");
    assert_eq!(word("1.18.9", "configDriftDetection.enabled"), "known");
    assert_eq!(word("1.19.2", "configDriftDetection.enabled"), "later");
    assert_eq!(word("1.17.4", "clustermesh.apiserver.service.labels"), "later");
    assert_eq!(word("1.17.5", "clustermesh.apiserver.service.labels"), "known");
    assert_eq!(word("1.17.5", "externalIPs.enabled"), "known");
    assert_eq!(word("1.17.6", "externalIPs.enabled"), "ignored");
    assert_eq!(word("1.18.12", "configDriftDetection.newKey"), "unknown");
}

#[test]
fn a_removed_key_says_since_when_and_what_instead() {
    let Key::Removed(removed) = chart("1.20.0").key("clustermesh.enableMCSAPISupport") else {
        panic!("known")
    };
    assert_eq!(removed.since, Some(Version::new(1, 20, 0)));
    assert_eq!(removed.replacement, ["clustermesh.mcsapi.enabled"]);
    assert_eq!(removed.help, "write `clustermesh.mcsapi.enabled`");
    let Key::Removed(never) = chart("1.20.0").key("eni.awsSubnetIDs") else { panic!("known") };
    assert_eq!((never.since, never.refused), (None, false));
    let Key::NotYet(later) = chart("1.18.12").key("clustermesh.mcsapi.enabled") else {
        panic!("known")
    };
    assert_eq!(later.since, Version::new(1, 19, 0));
    assert_eq!(later.replacement, ["clustermesh.enableMCSAPISupport"]);
}

#[test]
fn every_replacement_is_a_key_of_those_charts() {
    fn facts(node: &Node, path: &mut Vec<String>, found: &mut usize) {
        for (name, child) in &node.children {
            path.push(name.clone());
            for fact in &child.facts {
                let charts = TABLE.charts.iter().filter(|chart| fact.versions.contain(**chart));
                for (chart, key) in
                    charts.flat_map(|c| fact.replacement.iter().map(move |k| (c, k)))
                {
                    let chart = Chart::of(&chart.version()).unwrap();
                    assert!(chart.has(key), "{key}, for {path:?} in {}", chart.version());
                    *found += 1;
                }
            }
            facts(child, path, found);
            path.pop();
        }
    }
    let mut found = 0;
    facts(&TABLE.root, &mut Vec::new(), &mut found);
    assert!(found > 100, "only {found}");
}

#[test]
fn the_table_covers_the_minors() {
    let minors: BTreeSet<_> = TABLE.charts.iter().map(|chart| (chart.0, chart.1)).collect();
    assert_eq!(minors.into_iter().collect::<Vec<_>>(), Chart::MINORS);
    assert!(TABLE.charts.is_sorted());
}

#[test]
fn an_unlisted_version_is_known_as_the_newest_before_it() {
    let known_as = |version: &str| chart(version).known_as().to_string();
    assert_eq!(known_as("1.20.0"), "1.20.0");
    assert_eq!(known_as("1.20.2"), "1.20.0");
    assert_eq!(known_as("1.19.9"), "1.19.6");
    assert_eq!(known_as("1.16.14"), "1.16.13");
    assert_eq!(known_as("1.18.0-rc.1"), "1.18.0");
    for outside in ["1.15.19", "1.21.0", "2.16.0", "0.19.0"] {
        assert_eq!(Chart::of(&Version::parse(outside).unwrap()), None, "{outside}");
    }
}

#[test]
fn types_are_those_of_the_minor() {
    let types = |version: &str, key: &str| match chart(version).key(key) {
        Key::Known(known) => known.types.to_vec(),
        other => panic!("{key}: {other:?}"),
    };
    let clusters = "clustermesh.config.clusters";
    assert_eq!(types("1.18.12", clusters), [Type::Array(vec![])]);
    assert_eq!(types("1.19.0", clusters), [Type::Array(vec![]), Type::Object]);
    let pool = "ipam.operator.clusterPoolIPv4PodCIDRList";
    assert_eq!(types("1.20.0", pool), [Type::String, Type::Array(vec![Type::String])]);
    assert_eq!(types("1.16.19", "ipMasqAgent.config"), []);
    assert_eq!(types("1.20.0", "cluster.id"), [Type::Integer]);
}

#[test]
fn types_that_the_schema_enforces() {
    for version in NEWEST {
        for key in [
            "cluster.id",
            "clustermesh.maxConnectedClusters",
            "clustermesh.apiserver.service.nodePort",
            "ipam.operator.clusterPoolIPv4MaskSize",
        ] {
            let value = key.rsplit('.').fold(json!("24"), |value, name| json!({ name: value }));
            assert_eq!(kinds(version, &value), [(key.to_owned(), ProblemKind::WrongType)]);
        }
        let numeric = json!({"cluster": {"name": 123}});
        assert_eq!(kinds(version, &numeric), [("cluster.name".to_owned(), ProblemKind::WrongType)]);
    }
    let problem = &chart("1.20.0").check(&json!({"cluster": {"id": "7"}}))[0];
    assert_eq!(problem.message, "`cluster.id` must be an integer, not a string");
    assert_eq!(problem.help.as_deref(), Some("remove the quotes: `7`"));
    let items = json!({"ipam": {"operator": {"clusterPoolIPv4PodCIDRList": ["10.0.0.0/16", 7]}}});
    let at = "ipam.operator.clusterPoolIPv4PodCIDRList.1".to_owned();
    assert_eq!(kinds("1.20.0", &items), [(at, ProblemKind::WrongType)]);
    assert_eq!(kinds("1.20.0", &json!({"cluster": {"id": 7.0}})), []);
    let one = json!({"ipam": {"operator": {"clusterPoolIPv4PodCIDRList": "10.0.0.0/16"}}});
    assert_eq!(kinds("1.20.0", &one), []);
}

#[test]
fn values_that_the_chart_does_not_check() {
    let table: &[(Value, [bool; 5])] = &[
        (json!({"routingMode": "bogus"}), [false; 5]),
        (json!({"routingMode": ""}), [true; 5]),
        (json!({"routingMode": "native"}), [true; 5]),
        (json!({"tunnelProtocol": "gre"}), [false; 5]),
        (json!({"kubeProxyReplacement": "strict"}), [false; 5]),
        (json!({"kubeProxyReplacement": "partial"}), [false; 5]),
        (json!({"kubeProxyReplacement": "probe"}), [false; 5]),
        (json!({"kubeProxyReplacement": "disabled"}), [false; 5]),
        (json!({"kubeProxyReplacement": true}), [true; 5]),
        (json!({"kubeProxyReplacement": "true"}), [true; 5]),
        (json!({"encryption": {"type": "bogus"}}), [false; 5]),
        (json!({"encryption": {"type": "ztunnel"}}), [false, false, false, true, true]),
        (json!({"encryption": {"type": "wireguard"}}), [true; 5]),
        (json!({"loadBalancer": {"acceleration": "xdp"}}), [false; 5]),
        (json!({"loadBalancer": {"acceleration": "best-effort"}}), [true; 5]),
        (json!({"ingressController": {"loadbalancerMode": "shared"}}), [true; 5]),
        (json!({"ingressController": {"loadbalancerMode": "one"}}), [false; 5]),
        (json!({"ipam": {"mode": "eni"}}), [true; 5]),
        (json!({"ipam": {"mode": "aws"}}), [false; 5]),
        (json!({"ipam": {"mode": ""}, "kubeProxyReplacement": ""}), [true; 5]),
        (json!({"policyEnforcementMode": "on"}), [false; 5]),
        (json!({"clustermesh": {"maxConnectedClusters": 300}}), [false; 5]),
        (json!({"clustermesh": {"maxConnectedClusters": 511}}), [true; 5]),
        (json!({"cluster": {"id": 512}}), [false; 5]),
        (json!({"cluster": {"id": 511}}), [true; 5]),
        (json!({"clustermesh": {"apiserver": {"tls": {"authMode": "none"}}}}), [false; 5]),
        (
            json!({"clustermesh": {"apiserver": {"tls": {"auto": {"method": "cronjob"}}}}}),
            [false; 5],
        ),
        (json!({"routingMode": null, "cluster": {"id": null}, "tunnel": null}), [true; 5]),
    ];
    for (values, expected) in table {
        let right = NEWEST.map(|version| {
            let problems = chart(version).check(values);
            assert!(problems.iter().all(|p| p.kind == ProblemKind::NotAllowed), "{problems:?}");
            problems.is_empty()
        });
        assert_eq!(right, *expected, "{values}");
    }
    let problem = &chart("1.20.0").check(&json!({"kubeProxyReplacement": "strict"}))[0];
    assert_eq!(problem.message, "`kubeProxyReplacement` can't be `strict`");
    let help = problem.help.as_deref().unwrap();
    assert!(help.starts_with("write `true` or `false`; write `true` for `strict`"), "{help}");
}

#[test]
fn enumerations_of_the_schema() {
    let service = |policy: &str| json!({"clustermesh": {"apiserver": {"service": {"externalTrafficPolicy": policy}}}});
    assert_eq!(kinds("1.20.0", &service("Local")), []);
    assert_eq!(kinds("1.20.0", &service("Node"))[0].1, ProblemKind::NotAllowed);
    let Key::Known(known) = chart("1.20.0").key("bpf.monitorTraceIPOption") else { panic!() };
    assert_eq!(known.allowed, Some(&Allowed::Between(0, 255)));
}

#[test]
fn open_keys_take_any_child() {
    let values = json!({
        "nodeSelector": {"example.com/pool": "a"},
        "updateStrategy": {"rollingUpdate": {"maxSurge": 1}},
        "operator": {"resources": {"limits": {"cpu": "1"}}, "affinity": {"nodeAffinity": {}}},
        "nodeinit": {"resources": {"limits": {"memory": "1Gi"}}},
        "extraConfig": {"allow-unsafe-policy-skb-usage": "true"},
        "podAnnotations": {"a.b/c": "d"},
        "eni": {"eniTags": {"team": "net"}},
        "clustermesh": {"apiserver": {"service": {"annotations": {"x": "y"}}}},
    });
    for version in NEWEST {
        assert_eq!(kinds(version, &values), [], "{version}");
    }
    assert!(chart("1.20.0").has(r"nodeSelector.kubernetes\.io/os"));
    assert!(chart("1.20.0").has(r"nodeSelector.example\.com/pool"));
    // A wrong type below an open key still fails the chart's schema.
    let wrong = json!({"updateStrategy": {"rollingUpdate": []}});
    let at = "updateStrategy.rollingUpdate".to_owned();
    assert_eq!(kinds("1.20.0", &wrong), [(at, ProblemKind::WrongType)]);
    // Keys that are passed on as a whole, but read child by child, are not open.
    for closed in ["hubble", "clustermesh", "bpf", "image", "cluster"] {
        let values = json!({closed: {"noSuchKey": 1}});
        assert_eq!(kinds("1.20.0", &values)[0].1, ProblemKind::Unknown, "{closed}");
    }
}

#[test]
fn clusters_of_the_mesh_are_read_in_both_forms() {
    let list = json!({"clustermesh": {"config": {"clusters": [
        {"name": "a", "adress": "a.example", "port": 2379, "ips": ["192.0.2.1"]},
    ]}}});
    let map = json!({"clustermesh": {"config": {"clusters": {"a": {"enabled": true, "tls": {"ca": ""}}}}}});
    let at = |path: &str| format!("clustermesh.config.clusters.{path}");
    for version in NEWEST {
        assert_eq!(kinds(version, &list), [(at("0.adress"), ProblemKind::Unknown)]);
    }
    assert_eq!(
        chart("1.16.0").check(&list)[0].help.as_deref(),
        Some("write `clustermesh.config.clusters.0.address`")
    );
    assert_eq!(kinds("1.20.0", &map), [(at("a.tls.ca"), ProblemKind::Unknown)]);
    assert_eq!(kinds("1.18.12", &map)[0].1, ProblemKind::WrongType);
}

#[test]
fn the_nearest_key_is_suggested() {
    let table = [
        ("clustermesh.useApiServer", Some("clustermesh.useAPIServer")),
        ("clusterMesh.useAPIServer", Some("clustermesh.useAPIServer")),
        ("clusterMesh", Some("clustermesh")),
        ("maxConnectedClusters", Some("clustermesh.maxConnectedClusters")),
        ("ipam.operator.clusterPoolIPv6PodCIDR", Some("ipam.operator.clusterPoolIPv6PodCIDRList")),
        ("hubble.rely.enabled", Some("hubble.relay.enabled")),
        ("kubeproxyReplacement", Some("kubeProxyReplacement")),
        ("tunel", None),
        ("somethingElseAltogether", None),
    ];
    for (key, expected) in table {
        let Key::Unknown { nearest } = chart("1.20.0").key(key) else { panic!("{key}") };
        assert_eq!(nearest.as_deref(), expected, "{key}");
    }
}

#[test]
fn a_removed_parent_is_reported_where_the_mistake_is() {
    let values = json!({
        "tunnel": "disabled",
        "ebpf": {"enabled": true, "xdpAcceleration": true, "other": 1},
        "globalAccelerator": {"enabled": true},
        "externalWorkloads": {"enabled": true},
        "encryption": {"enabled": true, "strictMode": {"enabled": true, "cidr": "10.0.0.0/8"}},
        "hubble": {"redact": {"kafka": {"apiKey": true}}},
    });
    let expected = [
        ("tunnel", ProblemKind::Refused),
        ("ebpf.enabled", ProblemKind::Removed),
        ("ebpf.xdpAcceleration", ProblemKind::Removed),
        ("ebpf.other", ProblemKind::Removed),
        ("globalAccelerator.enabled", ProblemKind::Removed),
        ("externalWorkloads", ProblemKind::Removed),
        ("encryption.strictMode.enabled", ProblemKind::Removed),
        ("encryption.strictMode.cidr", ProblemKind::Removed),
        ("hubble.redact.kafka", ProblemKind::Removed),
    ];
    let expected = expected.map(|(path, kind)| (path.to_owned(), kind));
    assert_eq!(kinds("1.20.0", &values), expected);
    let problems = chart("1.20.0").check(&values);
    assert_eq!(
        problems[2].help.as_deref(),
        Some("write `loadBalancer.acceleration: native` or `best-effort`")
    );
    assert_eq!(
        problems[6].message,
        "the Cilium chart 1.20.0 ignores `encryption.strictMode.enabled`, which 1.20.0 removed"
    );
    assert_eq!(problems[6].help.as_deref(), Some("write `encryption.strictMode.egress.enabled`"));
}

#[test]
fn a_key_of_a_later_chart_is_reported_once() {
    let values = json!({"encryption": {"ztunnel": {"healthPort": 1, "caAddress": "x"}}});
    let problems = chart("1.18.12").check(&values);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, ["encryption", "ztunnel"]);
    assert_eq!(
        problems[0].message,
        "the Cilium chart 1.18.12 ignores `encryption.ztunnel`, which charts have from 1.19.2 on"
    );
}

#[test]
fn deprecated_keys_are_reported_apart() {
    let values = json!({"clustermesh": {"enableMCSAPISupport": true}, "localRedirectPolicy": true});
    assert_eq!(chart("1.19.6").check(&values), []);
    let deprecated = chart("1.19.6").deprecated(&values);
    let paths: Vec<_> = deprecated.iter().map(|problem| problem.path.join(".")).collect();
    assert_eq!(paths, ["clustermesh.enableMCSAPISupport", "localRedirectPolicy"]);
    assert_eq!(deprecated[1].help.as_deref(), Some("write `localRedirectPolicies.enabled`"));
    assert_eq!(chart("1.16.19").deprecated(&values), []);
}

#[test]
fn hostile_values_are_bounded() {
    let long = "x".repeat(100_000);
    let problems = chart("1.20.0").check(&json!({long.clone(): 1, "routingMode": long}));
    assert_eq!(problems.len(), 2);
    assert!(problems[1].message.chars().count() < 100, "{}", problems[1].message);
    let many: serde_json::Map<_, _> =
        (0..2000).map(|i| (format!("clustermsh{i}"), json!(1))).collect();
    assert_eq!(chart("1.20.0").check(&Value::Object(many)).len(), 2000);
    let deep = (0..100).fold(json!({}), |value, _| json!({"affinity": value}));
    assert_eq!(chart("1.20.0").check(&deep), []);
    assert_eq!(chart("1.20.0").check(&json!([1]))[0].kind, ProblemKind::WrongType);
    assert_eq!(chart("1.20.0").check(&Value::Null), []);
    assert_eq!(chart("1.20.0").key(""), Key::Unknown { nearest: None });
    assert_eq!(chart("1.20.0").key("..\\"), Key::Unknown { nearest: None });
}
