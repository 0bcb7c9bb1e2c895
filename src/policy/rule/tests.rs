use std::sync::Arc;

use semver::Version;

use super::super::identity::Identity;
use super::super::label;
use super::super::selector::{Operator, Requirement, Selector};
use super::super::semantics::{Semantics, Settings};
use super::super::values::Values;
use super::*;

fn semantics(version: &str) -> Semantics {
    let version = Version::parse(version).expect("a version");
    Semantics::new(version, Settings::of("use1")).expect("a known minor")
}

#[test]
fn patterns_stay_within_labels() {
    let cases = [
        ("*.cilium.io", "www.cilium.io", true),
        ("*.cilium.io", "cilium.io", false),
        ("*.cilium.io", "a.b.cilium.io", false),
        ("*cilium.io", "subcilium.io", true),
        ("*cilium.io", "www.cilium.io", false),
        ("sub*.cilium.io", "subdomain.cilium.io", true),
        ("sub*.cilium.io", "www.cilium.io", false),
        ("a*b*c.io", "axxbyyc.io", true),
        ("a*b*c.io", "axxbyyd.io", false),
        ("*", "a.b.c", true),
        ("Cilium.IO.", "cilium.io", true),
    ];
    for (pattern, name, expected) in cases {
        for version in ["1.16.19", "1.20.2"] {
            assert_eq!(
                Pattern::new(pattern).matches(name, &semantics(version)),
                expected,
                "{pattern}"
            );
        }
    }
}

#[test]
fn two_stars_are_labels_from_1_19() {
    let pattern = Pattern::new("**.cilium.io");
    for (name, old, new) in [
        ("app.cilium.io", true, true),
        ("test.app.cilium.io", false, true),
        ("cilium.io", false, false),
    ] {
        assert_eq!(pattern.matches(name, &semantics("1.18.6")), old, "{name}");
        assert_eq!(pattern.matches(name, &semantics("1.19.6")), new, "{name}");
    }
}

#[test]
fn addresses_never_select_pods_and_select_nodes_only_if_set() {
    let all = Peer::Cidr { net: "0.0.0.0/0".parse().expect("a prefix"), except: Vec::new() };
    let ten = "10.0.0.0/8".parse().expect("a prefix");
    let at = |text: &str| Identity::address(text.parse().expect("a prefix"), false);
    let known = semantics("1.20.2");
    assert!(all.matches(&Identity::world(), &known, &[]));
    assert!(all.matches(&at("10.1.1.1/32"), &known, &[]));
    let some = Peer::Cidr { net: ten, except: vec!["10.1.0.0/16".parse().expect("a prefix")] };
    assert!(some.matches(&at("10.2.1.1/32"), &known, &[]));
    assert!(!some.matches(&at("10.1.1.1/32"), &known, &[]));
    assert!(!some.matches(&at("192.0.2.1/32"), &known, &[]));
    assert!(!some.matches(&Identity::world(), &known, &[]));
    let address = "10.2.0.1/32".parse().expect("a prefix");
    let node = Identity::remote_node().at(address);
    assert!(!some.matches(&node, &known, &[]));
    let mut settings = Settings::of("use1");
    settings.cidr_matches_nodes = true;
    let nodes = Semantics::new(Version::new(1, 16, 19), settings).expect("a known minor");
    assert!(some.matches(&node, &nodes, &[]));
}

#[test]
fn protocols_have_the_numbers_of_the_registry() {
    let numbers = [
        ("TCP", 6),
        ("UDP", 17),
        ("SCTP", 132),
        ("VRRP", 112),
        ("IGMP", 2),
        ("GRE", 47),
        ("IPIP", 4),
        ("IPV6", 41),
        ("ESP", 50),
        ("AH", 51),
    ];
    for (name, number) in numbers {
        let protocol = Protocol::named(name).unwrap_or_else(|| panic!("{name} is known"));
        assert_eq!(protocol, Protocol(number));
        assert_eq!(protocol.has_ports(), ["TCP", "UDP", "SCTP"].contains(&name), "{name}");
    }
    assert!(Protocol::TCP.has_ports() && !Protocol::ICMP.has_ports());
    assert_eq!(Protocol::named("ICMP"), None);
}

#[test]
fn a_name_is_had_by_what_is_outside_and_was_looked_up() {
    let address: ipnet::IpNet = "192.0.2.1/32".parse().expect("a prefix");
    let name = Peer::Name(Pattern::new("a.example"));
    let known = semantics("1.20.2");
    let named = |mut identity: Identity| {
        identity.names.insert("a.example".to_owned());
        identity
    };
    assert!(name.matches(&named(Identity::address(address, false)), &known, &[]));
    assert!(!name.matches(&Identity::address(address, false), &known, &[]));
    assert!(!name.matches(&named(Identity::remote_node()), &known, &[]));
}

#[test]
fn a_node_is_aggregated_where_it_has_an_identity_of_its_own() {
    let address = "10.2.0.1/32".parse().expect("a prefix");
    let word =
        Peer::Labels { selector: Selector::reserved("aggregate-remote-node"), endpoints: false };
    let with = |nodes| {
        let settings = Settings { cidr_matches_nodes: nodes, ..Settings::of("use1") };
        Semantics::new(Version::new(1, 20, 2), settings).expect("a known minor")
    };
    let (off, on) = (with(false), with(true));
    let remote = Identity::remote_node();
    assert!(word.matches(&remote.clone().at(address), &on, &[]));
    assert!(!word.matches(&remote.clone().at(address), &off, &[]));
    assert!(!word.matches(&remote, &on, &[]));
    assert!(!word.matches(&Identity::host().at(address), &on, &[]));
    assert!(word.matches(&Identity::labelled_node("use1", &[]), &off, &[]));
}

#[test]
fn peers_by_address_may_be_pods() {
    let group = |operator, source| {
        let key = label::Key { source, key: "kind".into() };
        let mut selector = Selector::default();
        selector.add(Requirement { key, operator, values: Values::default() });
        Peer::Groups(Box::new(Groups { selector, known: Arc::new([]), except: Vec::new() }))
    };
    let of_groups = Some(label::Source::CidrGroup);
    let with = |version: &str, pods| {
        let settings = Settings { cidr_matches_pods: pods, ..Settings::of("use1") };
        Semantics::new(Version::parse(version).expect("a version"), settings).expect("a minor")
    };
    let cidr = Peer::Cidr { net: "10.0.0.0/8".parse().expect("a prefix"), except: Vec::new() };
    let labels = Peer::Labels { selector: Selector::default(), endpoints: true };
    let cases = [
        (group(Operator::DoesNotExist, of_groups.clone()), [true, false, true]),
        (group(Operator::Exists, of_groups), [false, false, true]),
        (group(Operator::Exists, Some(label::Source::K8s)), [true, false, true]),
        (cidr, [false, false, true]),
        (labels, [false; 3]),
    ];
    for (peer, expected) in cases {
        let known = [with("1.19.6", false), with("1.20.2", false), with("1.20.2", true)];
        assert_eq!(known.map(|known| peer.takes_pods_as_addresses(&known)), expected, "{peer:?}");
    }
}

#[test]
fn selectors_that_say_the_same_are_one_in_the_cache() {
    let mut one = Selector::default();
    let mut other = Selector::default();
    for key in ["a", "b"] {
        one.set(label::Key::k8s(key), "x");
    }
    for key in ["b", "a"] {
        other.set(label::Key::k8s(key), "x");
    }
    let peer =
        |selector: &Selector, endpoints| Peer::Labels { selector: selector.clone(), endpoints };
    let peers = |selector, endpoints| Peers::Of(vec![peer(selector, endpoints)]);
    assert_eq!(peers(&one, true).cached(&[]), peers(&other, false).cached(&[]));
    let required = Selector::reserved("world");
    assert_eq!(peers(&one, false).cached(&[&required]), peers(&one, false).cached(&[]));
    assert_ne!(peers(&one, true).cached(&[&required]), peers(&one, true).cached(&[]));
    let everyone = Selector::default();
    assert_eq!(Peers::Unsaid.cached(&[]), peers(&everyone, true).cached(&[]));
    let among = Peers::Of(vec![peer(&one, true), peer(&everyone, true)]);
    assert_eq!(among.cached(&[]), Peers::Unsaid.cached(&[]));
    assert_eq!(Peers::Nobody.cached(&[]), []);
}
