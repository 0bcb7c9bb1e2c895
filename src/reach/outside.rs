//! Who takes part in flows and is no pod of the mesh: the world, nodes, addresses, names.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ipnet::IpNet;

use crate::policy::rule::{Pattern, Peer};
use crate::policy::{Identity, Rule};

/// A party outside the mesh, as one cluster sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outsider {
    /// What it is called: `world`, `10.0.0.0/8`, `api.example.com`.
    pub name: String,
    /// Who it is to Cilium.
    pub identity: Identity,
}

/// The parties outside that rules can tell apart: those that Cilium has a word for, the world that
/// no rule speaks of, and one for each prefix and each name in the rules.
///
/// A prefix stands for its addresses that are in no narrower one, as in Cilium's own table of
/// addresses, and is left out where there are none. A pattern stands for the name in which `any`
/// takes the place of each star.
pub fn parties<'r>(rules: impl IntoIterator<Item = &'r Rule>, dual_stack: bool) -> Vec<Outsider> {
    let mut parties = words(dual_stack).to_vec();
    parties.extend(told_apart(rules, dual_stack));
    parties
}

/// As [`parties`], without those that Cilium has a word for.
pub fn told_apart<'r>(
    rules: impl IntoIterator<Item = &'r Rule>,
    dual_stack: bool,
) -> Vec<Outsider> {
    let (mut prefixes, mut names) = (BTreeSet::new(), BTreeSet::new());
    for peer in rules.into_iter().flat_map(|rule| rule.peers.said()) {
        match peer {
            Peer::Cidr { net, except } => prefixes.extend(except.iter().chain([net]).copied()),
            Peer::Groups(groups) => {
                prefixes.extend(groups.except.iter().copied());
                prefixes
                    .extend(groups.known.iter().flat_map(|group| group.prefixes.iter().copied()));
            }
            Peer::Name(pattern) => {
                names.insert(example(pattern));
            }
            Peer::Labels { .. } => {}
        }
    }
    let of_prefixes = apart(&prefixes).map(|net| Outsider {
        name: net.to_string(),
        identity: Identity::address(net, dual_stack),
    });
    let of_names = names.into_iter().map(|name| Outsider {
        identity: Identity { names: BTreeSet::from([name.clone()]), ..Identity::world() },
        name,
    });
    of_prefixes.chain(of_names).collect()
}

/// The parties that Cilium has a word for.
pub fn words(dual_stack: bool) -> &'static [Outsider] {
    static WORDS: [LazyLock<Vec<Outsider>>; 2] =
        [LazyLock::new(|| make_words(false)), LazyLock::new(|| make_words(true))];
    &WORDS[usize::from(dual_stack)]
}

fn make_words(dual_stack: bool) -> Vec<Outsider> {
    let worlds: &[&str] = if dual_stack { &["world-ipv4", "world-ipv6"] } else { &["world"] };
    let words = ["host", "remote-node", "health", "ingress", "unmanaged", "kube-apiserver"];
    let of_word =
        |name: &&str| Outsider { name: (*name).to_owned(), identity: Identity::reserved(name) };
    let mut parties: Vec<_> = worlds.iter().chain(&words).map(of_word).collect();
    let name = "kube-apiserver on a node".to_owned();
    parties.push(Outsider { name, identity: Identity::api_server_node() });
    parties
}

/// The prefixes that have an address which is in no narrower one.
fn apart(prefixes: &BTreeSet<IpNet>) -> impl Iterator<Item = IpNet> {
    let all: Vec<IpNet> = prefixes.iter().copied().collect();
    let keeps = move |net: &IpNet| {
        // Sorted by address, so those inside come next to it; the shorter prefix comes first.
        let from = all.partition_point(|other| other.network() < net.network());
        let inside = all[from..].iter().take_while(|other| net.contains(&other.network()));
        let inside: Vec<IpNet> =
            inside.filter(|other| *other != net && net.contains(*other)).copied().collect();
        IpNet::aggregate(&inside) != [*net]
    };
    prefixes.iter().copied().filter(keeps).collect::<Vec<_>>().into_iter()
}

/// A name that a pattern matches.
fn example(pattern: &Pattern) -> String {
    let labels = pattern.0.split('.').map(|label| {
        let stars = !label.is_empty() && label.chars().all(|known| known == '*');
        if stars { "any".to_owned() } else { label.replace('*', "any") }
    });
    labels.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(texts: &[&str]) -> BTreeSet<IpNet> {
        texts.iter().map(|text| text.parse().expect("a prefix")).collect()
    }

    #[test]
    fn a_prefix_without_an_address_of_its_own_is_left_out() {
        let known = prefixes(&["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "::/0"]);
        let kept: Vec<_> = apart(&known).map(|net| net.to_string()).collect();
        assert_eq!(kept, ["10.0.0.0/9", "10.1.0.0/16", "10.128.0.0/9", "::/0"]);
    }

    #[test]
    fn a_pattern_has_an_example() {
        assert_eq!(example(&Pattern::new("*.example.com")), "any.example.com");
        assert_eq!(example(&Pattern::new("**.example.com")), "any.example.com");
        assert_eq!(example(&Pattern::new("api-*.example.com")), "api-any.example.com");
        assert_eq!(example(&Pattern::new("*")), "any");
    }

    #[test]
    fn a_name_in_a_rule_is_a_party_that_has_it() {
        use super::super::sample::{mesh, policy};
        let mut mesh = mesh(&[("euw1", "1.20.2")]);
        let spec = "{endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: '*.a.b'}]}]}";
        policy(&mut mesh, 0, "shop/out", spec);
        let rules = mesh.clusters[0].policies.iter().flat_map(|known| &known.policy.rules);
        let named = parties(rules, false).pop().expect("a party");
        assert_eq!((&*named.name, named.identity.is_world()), ("any.a.b", true));
        assert!(named.identity.names.contains("any.a.b"));
    }
}
