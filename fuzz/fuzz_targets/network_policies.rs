//! Any text as network policies: they are read and asked without a panic, in bounded time, and
//! what is said of them lies in the text.
//!
//! The first byte is the minor of Cilium and its settings, the rest YAML.
#![no_main]

use landbridge::diagnostic::Diagnostics;
use landbridge::policy::parse::CidrGroup;
use landbridge::policy::{
    Agent, Direction, Flow, Identity, Known, Pod, Policy, Protocol, Semantics, Settings, read,
};
use landbridge::source::{SourceMap, Span};
use libfuzzer_sys::fuzz_target;
use semver::Version;

const VERSIONS: [&str; 5] = ["1.16.19", "1.17.6", "1.18.6", "1.19.6", "1.20.2"];

fn pod(cluster: &str, namespace: &str, app: &str) -> Identity {
    let labels = [("app", app), ("k8s-app", "kube-dns")];
    let identity = Identity::pod(&Pod {
        cluster,
        namespace,
        service_account: Some("web"),
        labels: &labels,
        namespace_labels: &[("team", "a"), ("kubernetes.io/metadata.name", namespace)],
    });
    identity.port("http", Protocol::TCP, 8080)
}

fn identities() -> Vec<Identity> {
    let address = |text: &str| text.parse().expect("a prefix");
    let mut site = Identity::address(address("192.0.2.1/32"), false);
    site.names.insert("www.example.com".to_owned());
    vec![
        pod("use1", "shop", "web"),
        pod("euw1", "ops", "api"),
        site,
        Identity::address(address("2001:db8::1/128"), true),
        Identity::labelled_node("use1", &[("zone", "a")]).at(address("10.0.0.5/32")),
        Identity::api_server_node(),
        Identity::host(),
        Identity::world(),
        Identity::reserved("init"),
    ]
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let bit = |at: u8| first >> at & 1 == 1;
    let mut settings = Settings::of("use1");
    settings.policy_default_local_cluster = bit(3).then_some(bit(4));
    settings.node_selector_labels = bit(5);
    settings.cidr_matches_nodes = bit(6);
    settings.host_firewall = bit(7);
    settings.cluster_network_policy = true;
    let version = Version::parse(VERSIONS[usize::from(first & 7) % 5]).expect("a version");
    let semantics = Semantics::new(version, settings).expect("a known minor");
    let known = Known {
        cidr_groups: vec![CidrGroup {
            name: "partners".to_owned(),
            labels: vec![("kind".to_owned(), "partner".to_owned())],
            prefixes: vec!["192.0.2.0/24".parse().expect("a prefix")],
        }],
        services: Some(Vec::new()),
        external_groups: Some(Vec::new()),
    };
    let mut sources = SourceMap::new();
    let id = sources.add("policies.yaml", text);
    let nodes = landbridge::yaml::parse(&sources, id, &mut Diagnostics::new());
    let policies: Vec<Policy> =
        nodes.iter().filter_map(|node| read(node, &semantics, &known)).collect();
    let inside = |span: Span| assert!(text.get(span.range()).is_some(), "{span:?}");
    for policy in &policies {
        assert!(policy.refused.is_none() || policy.rules.is_empty());
        policy.refused.iter().for_each(|refused| inside(refused.span));
        policy.remarks.iter().for_each(|remark| inside(remark.span));
        policy.rules.iter().for_each(|rule| inside(rule.span));
    }
    let identities = identities();
    let agent = Agent::new(&semantics, &policies, &identities);
    for subject in &identities {
        for direction in [Direction::Ingress, Direction::Egress] {
            let end = agent.subject(subject, direction);
            for peer in &identities {
                let opening = end.toward(peer).opening();
                for (protocol, port) in [(Protocol::TCP, 8080), (Protocol::ICMP, 8)] {
                    let verdict = agent.verdict(&Flow { subject, peer, direction, protocol, port });
                    let open = opening.at(protocol, port).is_some();
                    assert_eq!(verdict.outcome.is_allowed(), open, "{protocol} {port}");
                }
            }
        }
    }
});
