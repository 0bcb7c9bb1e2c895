//! The other side of a half: lists of peers, one kind in each.

use serde_json::{Map, Value, json};

use super::{Context, Side, selector};
use crate::spec::flow::Entity;
use crate::spec::value::Cidr;
use crate::topology::{ClusterSet, Peer, PeerKind};

/// A list of peers as a rule has it: its key and its items.
type List = (&'static str, Vec<Value>);

/// The lists for a peer, of whose pods those in `clusters` are meant.
pub(super) fn lists(
    context: &Context<'_>,
    side: Side,
    peer: &Peer,
    clusters: &ClusterSet,
) -> Vec<List> {
    let own = context.topology.cluster(context.id);
    match &peer.kind {
        PeerKind::Entities(entities) => entity_lists(entities, side, own.cilium.value.minor),
        PeerKind::Cidrs(cidrs, except) => list(side.cidrs(), cidr_items(cidrs, except)),
        PeerKind::Fqdn(names) if side == Side::Egress => list("toFQDNs", fqdn_items(names)),
        PeerKind::Fqdn(_) => Vec::new(),
        _ if clusters.is_empty() => Vec::new(),
        _ => {
            let selector = selector::located(context.topology, peer, clusters);
            list(side.endpoints(), selector.into_iter().collect())
        }
    }
}

impl Side {
    const fn endpoints(self) -> &'static str {
        match self {
            Self::Egress => "toEndpoints",
            Self::Ingress => "fromEndpoints",
        }
    }

    const fn entities(self) -> &'static str {
        match self {
            Self::Egress => "toEntities",
            Self::Ingress => "fromEntities",
        }
    }

    const fn cidrs(self) -> &'static str {
        match self {
            Self::Egress => "toCIDRSet",
            Self::Ingress => "fromCIDRSet",
        }
    }
}

/// A list, unless it is empty: an empty list of peers is a wildcard to some Cilium minors.
fn list(key: &'static str, items: Vec<Value>) -> Vec<List> {
    if items.is_empty() { Vec::new() } else { vec![(key, items)] }
}

/// Up to Cilium 1.19 the agent does not know `cluster-mesh`. It is `cluster`, in which the nodes
/// of all clusters are, and every pod with a cluster's label.
/// Source: Cilium's `pkg/policy/api/entity.go`, #46813.
fn entity_lists(entities: &[Entity], side: Side, minor: u64) -> Vec<List> {
    let expand = minor < 20 && entities.contains(&Entity::ClusterMesh);
    let mut words = Vec::new();
    for entity in entities {
        let known =
            if expand && *entity == Entity::ClusterMesh { Entity::Cluster } else { *entity };
        if !words.contains(&known.word()) {
            words.push(known.word());
        }
    }
    let mut lists = list(side.entities(), words.into_iter().map(Value::from).collect());
    if expand {
        lists.extend(list(side.endpoints(), selector::every_pod().into_iter().collect()));
    }
    lists
}

/// Each range with the exceptions inside it: Cilium refuses others. A range that an exception
/// covers is left out. Source: `CIDRRule.sanitize` in Cilium's `pkg/policy/api`.
fn cidr_items(cidrs: &[Cidr], except: &[Cidr]) -> Vec<Value> {
    let remaining = cidrs.iter().filter(|cidr| !except.iter().any(|e| e.0.contains(&cidr.0)));
    let item = |cidr: &Cidr| {
        let inside = except.iter().filter(|exception| cidr.0.contains(&exception.0));
        let inside: Vec<Value> = inside.map(|inside| inside.0.to_string().into()).collect();
        let mut item = Map::from_iter([("cidr".to_owned(), cidr.0.to_string().into())]);
        if !inside.is_empty() {
            item.insert("except".to_owned(), inside.into());
        }
        Value::Object(item)
    };
    remaining.map(item).collect()
}

fn fqdn_items(names: &[String]) -> Vec<Value> {
    let item = |name: &String| {
        let key = if name.contains('*') { "matchPattern" } else { "matchName" };
        json!({key: name})
    };
    names.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidrs(written: &[&str]) -> Vec<Cidr> {
        written.iter().map(|cidr| Cidr(cidr.parse().expect("a CIDR"))).collect()
    }

    #[test]
    fn an_exception_stays_with_the_range_around_it() {
        let written = cidr_items(
            &cidrs(&["0.0.0.0/0", "::/0", "10.1.0.0/16"]),
            &cidrs(&["10.0.0.0/8", "fd00::/8"]),
        );
        let expected = [
            json!({"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}),
            json!({"cidr": "::/0", "except": ["fd00::/8"]}),
        ];
        assert_eq!(written, expected);
    }

    #[test]
    fn cluster_mesh_is_spelled_out_where_it_is_unknown() {
        let entities = [Entity::World, Entity::ClusterMesh, Entity::Cluster];
        let old = entity_lists(&entities, Side::Ingress, 19);
        assert_eq!(old[0], ("fromEntities", vec!["world".into(), "cluster".into()]));
        let everywhere = json!({"matchExpressions": [
            {"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"},
            {"key": "k8s:io.cilium.k8s.policy.cluster", "operator": "Exists"},
        ]});
        assert_eq!(old[1], ("fromEndpoints", vec![everywhere]));
        let new = entity_lists(&entities, Side::Egress, 20);
        let words = vec!["world".into(), "cluster-mesh".into(), "cluster".into()];
        assert_eq!(new, [("toEntities", words)]);
    }
}
