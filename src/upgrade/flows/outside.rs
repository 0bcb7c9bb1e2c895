//! The parties outside that the policies of a cluster tell apart, under either version.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::label::{CLUSTER, Source};
use crate::policy::rule::{Peer, Rule};
use crate::policy::selector::Operator;
use crate::policy::{Identity, Key, Selector};
use crate::reach::Mesh;
use crate::reach::outside::{self, Outsider};
use crate::topology::ClusterId;

/// Of each upgraded cluster.
pub(super) fn parties(
    before: &Mesh,
    after: &Mesh,
    moved: &[ClusterId],
) -> BTreeMap<ClusterId, Vec<Outsider>> {
    let of = |id: &ClusterId| {
        let members = [before.cluster(*id), after.cluster(*id)];
        let policies = members.into_iter().flat_map(|member| &member.policies);
        let rules: Vec<&Rule> = policies.flat_map(|written| &written.policy.rules).collect();
        let mut parties = outside::parties(rules.iter().copied(), false);
        parties.extend(deep_names(&rules));
        let joined = before.cluster(*id).joined.iter();
        let joined: Vec<&str> = joined.map(|id| before.cluster(id).name.as_str()).collect();
        parties.extend(nodes(&rules, &joined));
        parties.sort_by(|one, other| one.name.cmp(&other.name));
        parties.dedup_by(|one, other| one.name == other.name);
        (*id, parties)
    };
    moved.iter().map(of).collect()
}

/// Names of two labels where a pattern begins with two stars, which versions read otherwise.
fn deep_names(rules: &[&Rule]) -> Vec<Outsider> {
    let names = rules.iter().flat_map(|rule| rule.peers.said()).filter_map(|peer| match peer {
        Peer::Name(pattern) => pattern.0.strip_prefix("**."),
        Peer::Labels { .. } | Peer::Cidr { .. } | Peer::Groups(_) => None,
    });
    let names: BTreeSet<String> =
        names.map(|rest| format!("any.any.{}", rest.replace('*', "any"))).collect();
    let outsider = |name: String| Outsider {
        identity: Identity { names: BTreeSet::from([name.clone()]), ..Identity::world() },
        name,
    };
    names.into_iter().map(outsider).collect()
}

/// A node of each cluster for each selector of nodes, with the labels that it wants.
fn nodes(rules: &[&Rule], clusters: &[&str]) -> Vec<Outsider> {
    let node = Key::reserved("remote-node");
    let selects_nodes = |selector: &&Selector| {
        let mut all = selector.requirements();
        all.any(|known| known.key == node && known.operator == Operator::Exists)
    };
    let selectors: BTreeSet<&Selector> =
        rules.iter().flat_map(|rule| rule.peers.selectors()).filter(selects_nodes).collect();
    let mut labels: BTreeSet<Vec<(&str, &str)>> = BTreeSet::new();
    for selector in selectors {
        let own = selector.requirements().filter(|known| {
            matches!(known.key.source, None | Some(Source::Node)) && !known.operator.is_negative()
        });
        let own = own.filter(|known| &*known.key.key != CLUSTER).map(|known| {
            let value = known.values.first().map_or("", |value| value);
            (&*known.key.key, value)
        });
        labels.insert(own.collect());
    }
    let mut outsiders = Vec::new();
    for cluster in clusters {
        for own in &labels {
            let said: Vec<_> = own.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let with =
                if said.is_empty() { String::new() } else { format!(" with {}", said.join(",")) };
            outsiders.push(Outsider {
                name: format!("a node of {cluster}{with}"),
                identity: Identity::labelled_node(cluster, own),
            });
        }
    }
    outsiders
}
