use semver::Version;

use super::super::label::{CLUSTER, Key, NAMESPACE};
use super::super::rule::{Http, L7, Pattern, Peer, Peers, Which};
use super::super::semantics::Settings;
use super::*;
use crate::diagnostic::Diagnostics;
use crate::source::SourceMap;

const VERSIONS: [&str; 5] = ["1.16.19", "1.17.6", "1.18.6", "1.19.6", "1.20.2"];

fn policy(text: &str, version: &str) -> Policy {
    policy_with(text, version, &Known::default(), |_| {})
}

fn policy_with(text: &str, version: &str, known: &Known, change: impl Fn(&mut Settings)) -> Policy {
    let mut sources = SourceMap::new();
    let id = sources.add("policy.yaml", text);
    let nodes = crate::yaml::parse(&sources, id, &mut Diagnostics::new());
    let version = Version::parse(version).expect("a version");
    let mut settings = Settings::of("use1");
    change(&mut settings);
    let semantics = Semantics::new(version, settings).expect("a known minor");
    read(&nodes[0], &semantics, known).expect("a policy")
}

/// The minors that take a policy: `a`, and `r` for those that refuse it.
fn taken(text: &str, change: impl Fn(&mut Settings)) -> String {
    let refused =
        |version| policy_with(text, version, &Known::default(), &change).refused.is_some();
    VERSIONS.map(|version| if refused(version) { 'r' } else { 'a' }).into_iter().collect()
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
    let redirected =
        |more: &str| format!("{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], {more}}}]}}");
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
        (item("egress", "{toFQDNs: [{matchName: ''}]}"), "no name"),
        (cilium("{endpointSelector: {matchLabels: {a b: c}}, ingress: [{}]}"), "no key"),
        (cilium("{endpointSelector: {matchLabels: {'x:-a': c}}, ingress: [{}]}"), "no key"),
        (item("ingress", &port("{port: a.b}")), "no port"),
        (item("ingress", "{icmps: [{fields: [{type: 256}]}]}"), "no ICMP type"),
        (
            item("ingress", &l7("{port: '80', protocol: TCP}", "{http: [{path: '('}]}")),
            "no regular",
        ),
        (item("ingress", &redirected("listener: {name: a}")), "cannot stand in `ingress`"),
        (
            item("egress", &redirected("listener: {name: a}, rules: {http: [{}]}")),
            "beside L7 rules",
        ),
        (
            item("egress", &redirected("serverNames: [a.b], rules: {http: [{}]}")),
            "need `terminatingTLS`",
        ),
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
    let types = |count: usize| {
        let list: Vec<_> = (1..=count).map(|kind| format!("{{type: {kind}}}")).collect();
        item("ingress", &format!("{{icmps: [{{fields: [{}]}}]}}", list.join(", ")))
    };
    assert_eq!(policy(&types(1), "1.20.2").refused, None);
    assert_eq!(policy(&types(40), "1.20.2").refused, None);
    assert!(policy(&types(41), "1.20.2").refused.is_some());
}

#[test]
fn minors_differ_in_what_they_refuse() {
    let ports = |port: &str| item("ingress", &format!("{{toPorts: [{{ports: [{port}]}}]}}"));
    let extended = |settings: &mut Settings| settings.extended_protocols = true;
    for (port, off, on) in [
        ("{protocol: TCP}", "rrrrr", "rrraa"),
        ("{port: '0', protocol: VRRP}", "rrrrr", "rrraa"),
        ("{port: '0', protocol: IGMP}", "rrrrr", "rrraa"),
        ("{port: '0', protocol: GRE}", "rrrrr", "rrrra"),
        ("{port: '80', protocol: GRE}", "rrrrr", "rrrrr"),
        ("{port: '80', protocol: TCP}", "aaaaa", "aaaaa"),
    ] {
        assert_eq!(taken(&ports(port), |_| {}), off, "{port}");
        assert_eq!(taken(&ports(port), extended), on, "{port}");
    }
    let http = "{ports: [{port: '80', endPort: 81, protocol: TCP}], rules: {http: [{}]}}";
    assert_eq!(taken(&item("ingress", &format!("{{toPorts: [{http}]}}")), |_| {}), "raaaa");
    let except = "{cidrGroupRef: partners, except: [192.0.2.0/25]}";
    assert_eq!(taken(&item("egress", &format!("{{toCIDRSet: [{except}]}}")), |_| {}), "raaaa");
    let longest = format!("{{toFQDNs: [{{matchName: {}}}]}}", "a".repeat(255));
    assert_eq!(taken(&item("egress", &longest), |_| {}), "aaaaa");
    let longer = longest.replacen(": a", ": aa", 1);
    assert_eq!(taken(&item("egress", &longer), |_| {}), "rrrrr");
}

#[test]
fn a_port_is_a_number_in_the_base_of_its_prefix_or_a_name() {
    for (port, expected) in [
        ("80", Which::Range(80, 80)),
        ("0", Which::All),
        ("010", Which::Range(8, 8)),
        ("Dns-TCP", Which::Named("dns-tcp".to_owned())),
        ("0x50", Which::Named("0x50".to_owned())),
    ] {
        let text = item("ingress", &format!("{{toPorts: [{{ports: [{{port: '{port}'}}]}}]}}"));
        let policy = policy(&text, "1.20.2");
        let ports = policy.rules[0].ports.as_ref().expect("ports");
        assert_eq!(ports[0].ports[0].which, expected, "{port}");
    }
}

#[test]
fn what_an_http_rule_leaves_empty_does_not_matter() {
    let rules = "{http: [{method: GET, path: '', host: a.b}]}";
    let port = "{port: '80', protocol: TCP}";
    let text = item("ingress", &format!("{{toPorts: [{{ports: [{port}], rules: {rules}}}]}}"));
    let policy = policy(&text, "1.20.2");
    let l7 = &policy.rules[0].ports.as_ref().expect("ports")[0].l7;
    let http =
        Http { method: Some("GET".to_owned()), host: Some("a.b".to_owned()), ..Http::default() };
    assert_eq!(*l7, Some(L7::Http([http].into())));
}

#[test]
fn groups_of_a_cloud_are_the_addresses_that_they_have() {
    let text = item("egress", "{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}");
    let peers = |nets: Option<Vec<&str>>, version| {
        let nets = nets.map(|nets| nets.iter().map(|net| net.parse().expect("a net")).collect());
        let known = Known { external_groups: nets, ..Known::default() };
        policy_with(&text, version, &known, |_| {}).rules[0].peers.clone()
    };
    for version in VERSIONS {
        assert_eq!(peers(None, version), Peers::Nobody);
        let open = version == "1.17.6";
        let none = if open { Peers::Unsaid } else { Peers::Nobody };
        assert_eq!(peers(Some(vec![]), version), none, "{version}");
        let net = "192.0.2.0/24".parse().expect("a net");
        let one = Peers::Of(vec![Peer::Cidr { net, except: Vec::new() }]);
        assert_eq!(peers(Some(vec!["192.0.2.0/24"]), version), one);
    }
}

#[test]
fn services_are_found_by_what_is_said_of_them() {
    let service = |namespace: &str, name: &str, team: &str, address: &str| Service {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        labels: vec![("team".to_owned(), team.to_owned())],
        addresses: vec![address.parse().expect("an address")],
        ..Service::default()
    };
    let services = vec![
        service("shop", "db", "a", "192.0.2.1/32"),
        service("shop", "queue", "b", "192.0.2.2/32"),
        service("ops", "db", "b", "192.0.2.3/32"),
    ];
    let known = Known { services: Some(services), ..Known::default() };
    for (written, expected) in [
        ("k8sService: {serviceName: db, namespace: shop}", &["192.0.2.1/32"][..]),
        ("k8sService: {serviceName: db}", &["192.0.2.1/32", "192.0.2.3/32"]),
        (
            "k8sServiceSelector: {selector: {matchLabels: {team: b}}}",
            &["192.0.2.2/32", "192.0.2.3/32"],
        ),
        (
            "k8sServiceSelector: {selector: {matchLabels: {team: b}}, namespace: shop}",
            &["192.0.2.2/32"],
        ),
        ("k8sServiceSelector: {selector: {}, namespace: ops}", &["192.0.2.3/32"]),
    ] {
        let text = item("egress", &format!("{{toServices: [{{{written}}}]}}"));
        let policy = policy_with(&text, "1.20.2", &known, |_| {});
        assert_eq!(policy.refused, None, "{written}");
        let peer = |net: &&str| Peer::Cidr { net: net.parse().expect("a net"), except: Vec::new() };
        let expected = Peers::Of(expected.iter().map(peer).collect());
        assert_eq!(policy.rules[0].peers, expected, "{written}");
    }
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
    for version in VERSIONS {
        assert_eq!(remarks(&group, version), std::slice::from_ref(&unknown), "{version}");
    }
    let any = item("ingress", "{icmps: [{fields: [{type: 0}]}]}");
    assert_eq!(remarks(&any, "1.18.6"), [RemarkSort::AnyIcmpType]);
    let not = "{matchExpressions: [{key: app, operator: NotIn, values: [a]}]}";
    let peer = item("ingress", &format!("{{fromEndpoints: [{not}]}}"));
    let off = |settings: &mut Settings| settings.policy_default_local_cluster = Some(false);
    let clusterwide = |text: &str| {
        let text = text.replace("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy");
        text.replace(", namespace: shop", "")
    };
    let subject =
        cilium(&format!("{{endpointSelector: {not}, ingress: [{{fromEndpoints: [{{}}]}}]}}"));
    let of_cluster = policy_with(&clusterwide(&subject), "1.20.2", &Known::default(), off);
    let sorts: Vec<_> = of_cluster.remarks.into_iter().map(|remark| remark.sort).collect();
    assert_eq!(sorts, [RemarkSort::OnlyNegative]);
    assert_eq!(remarks(&peer, "1.20.2"), []);
    let deny = item("egressDeny", "{toPorts: [{ports: [{port: '80'}], rules: {}}]}");
    assert_eq!(remarks(&deny, "1.20.2"), [RemarkSort::Unread("rules".to_owned())]);
    let allow = deny.replace("egressDeny", "egress");
    assert_eq!(remarks(&allow, "1.20.2"), []);
    let named = |namespace: &str| {
        let labels = format!("{{k8s:{NAMESPACE}: {namespace}}}");
        cilium(&format!("{{endpointSelector: {{matchLabels: {labels}}}, ingress: [{{}}]}}"))
    };
    let replaced = RemarkSort::ReplacedNamespace("ops".to_owned());
    assert_eq!(remarks(&named("ops"), "1.20.2"), [replaced]);
    assert_eq!(remarks(&named("shop"), "1.20.2"), []);
    for expression in ["operator: NotIn, values: [euw1]", "operator: In, values: [euw1, use1]"] {
        let text = format!("{{key: {CLUSTER}, {expression}}}");
        let here = cilium(&format!(
            "{{endpointSelector: {{matchExpressions: [{text}]}}, ingress: [{{}}]}}"
        ));
        assert_eq!(remarks(&here, "1.20.2"), [], "{expression}");
    }
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

#[test]
fn a_policy_that_asks_for_its_cluster_is_of_it_alone() {
    let with = |peers: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n\
             spec: {{endpointSelector: {{}}, ingress: [{{{peers}}}]}}"
        )
    };
    let plain = "fromEndpoints: [{matchLabels: {app: web}}]";
    let named = "fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.cluster: euw1}}]";
    let cases = [
        (plain, "1.18.6", false),
        (plain, "1.19.6", true),
        (named, "1.19.6", false),
        ("fromEntities: [world]", "1.20.2", false),
        ("fromEntities: [cluster]", "1.18.6", true),
        ("fromEndpoints: [{matchLabels: {reserved:health: ''}}]", "1.20.2", false),
    ];
    for (peers, version, local) in cases {
        assert_eq!(policy(&with(peers), version).local, local, "{peers} {version}");
    }
}

/// Whom the rules of a ClusterNetworkPolicy of 1.20 with one item of `egress` are about.
fn of_the_cluster(peer: &str) -> Vec<Peers> {
    let text = format!(
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n\
         metadata: {{name: tier}}\nspec: {{tier: Admin, priority: 10, subject: {{namespaces: {{}}}}, \
         egress: [{{action: Accept, to: [{{{peer}}}]}}]}}\n"
    );
    let on = |settings: &mut Settings| {
        settings.cluster_network_policy = true;
        settings.node_selector_labels = true;
    };
    let policy = policy_with(&text, "1.20.2", &Known::default(), on);
    assert_eq!(policy.refused, None, "{peer}");
    policy.rules.into_iter().map(|rule| rule.peers).collect()
}

#[test]
fn one_star_of_a_cluster_policy_is_any_depth() {
    let names = of_the_cluster("domainNames: ['*.a.b', '**.c.d', e.f]");
    let [Peers::Of(_), Peers::Of(names)] = &names[..] else { panic!("{names:?}") };
    let expected = ["**.a.b", "**.c.d", "e.f"].map(|name| Peer::Name(Pattern::new(name)));
    assert_eq!(*names, expected);
}

#[test]
fn nodes_of_a_cluster_policy_are_those_of_the_cluster_unless_it_is_said() {
    let clusters = |labels: &str| {
        let peers = of_the_cluster(&format!("nodes: {{matchLabels: {{{labels}}}}}"));
        let selectors = peers.iter().flat_map(Peers::selectors);
        let clusters = selectors.map(|selector| {
            let mut wanted = selector.requirements();
            let cluster = wanted.find(|known| known.key == Key::k8s(CLUSTER));
            cluster.and_then(|known| known.values.first()).map(str::to_owned)
        });
        clusters.collect::<Vec<_>>()
    };
    let own = Some("use1".to_owned());
    assert_eq!(clusters("zone: a"), [own.clone(), own]);
    assert_eq!(clusters(&format!("{CLUSTER}: euw1")), [None, None]);
}
