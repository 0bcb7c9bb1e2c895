use semver::Version;

use super::super::semantics::Settings;
use super::*;
use crate::diagnostic::Diagnostics;
use crate::source::SourceMap;

const VERSIONS: [&str; 5] = ["1.16.19", "1.17.6", "1.18.6", "1.19.6", "1.20.2"];

fn policy(text: &str, version: &str) -> Policy {
    let mut sources = SourceMap::new();
    let id = sources.add("policy.yaml", text);
    let nodes = crate::yaml::parse(&sources, id, &mut Diagnostics::new());
    let version = Version::parse(version).expect("a version");
    let semantics = Semantics::new(version, Settings::of("use1")).expect("a known minor");
    read(&nodes[0], &semantics, &Known::default()).expect("a policy")
}

fn cilium(spec: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: web, namespace: \
         shop}}\nspec: {spec}\n"
    )
}

/// A policy with one item of a section.
fn item(section: &str, item: &str) -> String {
    cilium(&format!("{{endpointSelector: {{}}, {section}: [{item}]}}"))
}

#[test]
fn what_every_minor_refuses_enforces_nothing() {
    let port = |rules: &str| format!("{{toPorts: [{{ports: [{rules}]}}]}}");
    let l7 =
        |port: &str, rules: &str| format!("{{toPorts: [{{ports: [{port}], rules: {rules}}}]}}");
    let cases = [
        (cilium("{ingress: [{}]}"), "`endpointSelector`"),
        (cilium("{endpointSelector: {}, nodeSelector: {}, ingress: [{}]}"), "both"),
        (cilium("{endpointSelector: [], ingress: [{}]}"), "a mapping is wanted"),
        (cilium("{endpointSelector: {}, ingress: {}}"), "a list is wanted"),
        (cilium("{endpointSelector: {matchLabels: {app: 1}}, ingress: [{}]}"), "text is wanted"),
        (cilium("{endpointSelector: {matchLabels: {app: a b}}, ingress: [{}]}"), "no value"),
        (item("ingress", "{fromEntities: [nobody]}"), "no entity"),
        (item("ingress", "{fromEntities: [all], fromCIDR: [192.0.2.1/32]}"), "one item"),
        (item("ingress", "{fromCIDR: [192.0.2.300/32]}"), "no prefix"),
        (item("ingress", "{fromCIDR: [192.0.2.1]}"), "no prefix"),
        (item("ingress", "{fromCIDRSet: [{except: []}]}"), "is wanted"),
        (item("ingress", "{fromNodes: [{}]}"), "nodeSelectorLabels"),
        (item("ingress", &port("{protocol: TCP}")), "a `port` is wanted"),
        (item("ingress", &port("{port: 80}")), "text is wanted"),
        (item("ingress", &port("{port: '65536'}")), "no port"),
        (item("ingress", &port("{port: '80', protocol: ICMP}")), "no protocol"),
        (item("ingress", "{icmps: [{fields: [{type: Ping}]}]}"), "no ICMP type"),
        (item("ingress", "{icmps: [{}], toPorts: [{}]}"), "one item"),
        (item("ingress", &l7("{port: '53'}", "{dns: [{matchPattern: '*'}]}")), "DNS rules"),
        (item("egress", &l7("{port: '80'}", "{http: [{}]}")), "protocol TCP"),
        (item("egress", &l7("{port: '0', protocol: TCP}", "{http: [{}]}")), "need a port"),
        (
            item("egress", &l7("{port: '53', endPort: 54}", "{dns: [{matchName: a.b}]}")),
            "range of ports",
        ),
        (item("egress", "{toFQDNs: [{matchName: '*.b'}]}"), "no name"),
    ];
    for (text, reason) in cases {
        for version in VERSIONS {
            let policy = policy(&text, version);
            let refused = policy.refused.as_ref().map(|refused| refused.why.as_str());
            let why = refused.unwrap_or_else(|| panic!("{version} takes {text}"));
            assert!(why.contains(reason), "{version}: {text}: {why}");
            assert!(policy.rules.is_empty());
        }
    }
}

#[test]
fn many_ports_are_too_many() {
    let ports = |count: usize| {
        let list: Vec<_> = (1..=count).map(|port| format!("{{port: '{port}'}}")).collect();
        item("ingress", &format!("{{toPorts: [{{ports: [{}]}}]}}", list.join(", ")))
    };
    assert_eq!(policy(&ports(40), "1.20.2").refused, None);
    assert!(policy(&ports(41), "1.20.2").refused.is_some());
}

#[test]
fn what_reads_otherwise_than_it_looks_is_remarked() {
    let remarks = |text: &str, version| {
        let policy = policy(text, version);
        assert_eq!(policy.refused, None, "{text}");
        policy.remarks.into_iter().map(|remark| remark.sort).collect::<Vec<_>>()
    };
    let merged = cilium(
        "{endpointSelector: {matchLabels: {app: a, 'any:app': b}}, ingress: [{fromEndpoints: [{}]}]}",
    );
    assert_eq!(remarks(&merged, "1.16.19"), [RemarkSort::MergedKeys("any:app".to_owned())]);
    let empty = cilium("{endpointSelector: {}, ingress: []}");
    assert_eq!(remarks(&empty, "1.16.19"), [RemarkSort::Nothing]);
    let elsewhere = cilium(
        "{endpointSelector: {matchLabels: {io.cilium.k8s.policy.cluster: euw1}}, ingress: [{}]}",
    );
    let named = RemarkSort::SubjectElsewhere("euw1".to_owned());
    assert_eq!(remarks(&elsewhere, "1.20.2"), [named]);
    let unread = item("ingress", "{fromPods: [{}]}");
    assert_eq!(remarks(&unread, "1.20.2"), [RemarkSort::Unread("fromPods".to_owned())]);
    let open = item("egress", "{toFQDNs: [], toPorts: [{ports: [{port: '80'}]}]}");
    assert_eq!(remarks(&open, "1.18.6"), [RemarkSort::OpenToAll("toFQDNs")]);
    let group = item("egress", "{toCIDRSet: [{cidrGroupRef: partners}]}");
    let unknown = RemarkSort::UnknownGroup("partners".to_owned());
    assert_eq!(remarks(&group, "1.18.6"), [unknown]);
    let any = item("ingress", "{icmps: [{fields: [{type: 0}]}]}");
    assert_eq!(remarks(&any, "1.18.6"), [RemarkSort::AnyIcmpType]);
}

#[test]
fn a_tree_without_text_reads_as_one_with_text() {
    let text = item("ingress", "{fromEndpoints: [{}], toPorts: [{ports: [{port: '80'}]}]}");
    let mut sources = SourceMap::new();
    let id = sources.add("policy.yaml", text);
    let written = &crate::yaml::parse(&sources, id, &mut Diagnostics::new())[0];
    let made = tree(json(written), written.span);
    let version = Version::new(1, 20, 2);
    let semantics = Semantics::new(version, Settings::of("use1")).expect("a known minor");
    let of = |node| read(node, &semantics, &Known::default()).expect("a policy").rules;
    let (one, other) = (of(written), of(&made));
    assert_eq!(one.len(), 1);
    assert_eq!((&one[0].peers, &one[0].ports), (&other[0].peers, &other[0].ports));
    assert_eq!(one[0].subject, other[0].subject);
}

#[test]
fn what_is_no_policy_is_left_alone() {
    let mut sources = SourceMap::new();
    let id = sources.add("other.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n");
    let nodes = crate::yaml::parse(&sources, id, &mut Diagnostics::new());
    let semantics = Semantics::new(Version::new(1, 20, 2), Settings::of("use1"));
    assert!(read(&nodes[0], &semantics.expect("a known minor"), &Known::default()).is_none());
}
