//! Routing domains: which ranges of a plan see each other, and which of them may meet.
//!
//! There is one for each cluster, for each network, for networks that are joined, and for the
//! mesh. A range is in few of them, so that the work over all grows with the ranges and with the
//! interconnects.

use std::collections::{BTreeMap, BTreeSet};

use super::overlap::{Item, Rule};
use super::plan::{Entry, Plan, Use};
use crate::spec::mesh::{Networking, RoutingMode};
use crate::spec::region::InterconnectType;
use crate::topology::path::is_peering;
use crate::topology::{NetworkId, Topology};

/// Entries that see each other, with what may meet among them.
pub(super) struct Domain {
    /// Indices into the sorted items, in order; nothing: all.
    pub(super) members: Option<Vec<usize>>,
    /// Who counts as the owner of an entry here.
    pub(super) owner: fn(&Entry) -> u32,
    /// What may meet: the outer and the inner use.
    pub(super) rule: fn(Use, Use) -> Rule,
}

impl Domain {
    fn of(members: Vec<usize>, owner: fn(&Entry) -> u32, rule: fn(Use, Use) -> Rule) -> Self {
        Self { members: Some(members), owner, rule }
    }
}

fn by_cluster(entry: &Entry) -> u32 {
    entry.cluster.map_or(u32::MAX, number)
}

fn by_network(entry: &Entry) -> u32 {
    entry.network.map_or(u32::MAX, |id| number(id.index()))
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1)
}

/// The domains of a topology.
pub(super) fn all(plan: &Plan, topology: &Topology, sorted: &[Item]) -> Vec<Domain> {
    let mut domains = Vec::new();
    let mut clusters: Vec<Vec<usize>> = vec![Vec::new(); plan.clusters.len()];
    let mut networks: Vec<Vec<usize>> = vec![Vec::new(); topology.networks.len()];
    for (at, item) in sorted.iter().enumerate() {
        let entry = &plan.entries[item.tag];
        if let Some(cluster) = entry.cluster {
            clusters[cluster].push(at);
        }
        if let Some(network) = entry.network {
            networks[network.index()].push(at);
        }
    }
    if !topology.reserved.is_empty() {
        domains.push(Domain { members: None, owner: by_cluster, rule: everywhere });
    }
    if topology.mesh.networking == Networking::Flat {
        let seen = seen(plan, topology);
        let members = sorted.iter().enumerate().filter(|(_, item)| {
            plan.entries[item.tag].network.is_some_and(|network| seen[network.index()])
        });
        let members: Vec<_> = members.map(|(at, _)| at).collect();
        domains.push(Domain::of(members.clone(), by_cluster, mesh));
        domains.push(Domain::of(members, by_network, mesh_networks));
    }
    for joined in joined_networks(topology) {
        let members = joined.iter().flat_map(|id| &networks[id.index()]);
        let mut members: Vec<_> = members.copied().collect();
        members.sort_unstable();
        domains.push(Domain::of(members, by_network, joined_rule));
    }
    let tunnel = topology.mesh.routing.mode == RoutingMode::Tunnel;
    let on_network = if tunnel { one_network_in_a_tunnel } else { one_network };
    domains.extend(networks.into_iter().map(|own| Domain::of(own, by_cluster, on_network)));
    domains.extend(clusters.into_iter().map(|own| Domain::of(own, by_cluster, one_cluster)));
    domains
}

/// Reserved ranges meet nothing, wherever it is.
fn everywhere(outer: Use, inner: Use) -> Rule {
    match (outer, inner) {
        (Use::Reserved, Use::Reserved) => Rule::May,
        (Use::Reserved, _) | (_, Use::Reserved) => Rule::Never,
        _ => Rule::May,
    }
}

/// Inside a cluster pods, Services and nodes have ranges of their own, and so has each pool.
fn one_cluster(outer: Use, inner: Use) -> Rule {
    use Use::{LoadBalancers, NetworkPods, Nodes, Pods, Pool, Services};
    match (outer, inner) {
        (Pods, Pods | Services | Nodes | LoadBalancers)
        | (Services | Nodes | LoadBalancers, Pods)
        | (Services, Services | Nodes | NetworkPods | LoadBalancers)
        | (Nodes | NetworkPods | LoadBalancers, Services)
        | (NetworkPods, NetworkPods)
        | (Pool, Pool) => Rule::Never,
        _ => Rule::May,
    }
}

/// On one network subnets do not overlap, no two clusters give the same addresses to load
/// balancers, and Services have no addresses of the network.
fn one_network(outer: Use, inner: Use) -> Rule {
    use Use::{LoadBalancers, Network, Services, Subnet};
    match (outer, inner) {
        (Subnet, Subnet) | (Services, Network) | (Network, Services) => Rule::Never,
        (LoadBalancers, LoadBalancers) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// In a tunnel pods have no addresses of the network either (cilium/cilium#32296).
fn one_network_in_a_tunnel(outer: Use, inner: Use) -> Rule {
    match (outer, inner) {
        (Use::Pods, Use::Network) | (Use::Network, Use::Pods) => Rule::Never,
        _ => one_network(outer, inner),
    }
}

/// In a flat mesh pods of different clusters are unique, and no cluster's nodes or Services have
/// their addresses; nodes do not have those of another cluster's Services, which would hide them.
/// Source: Cilium, "Setting up Cluster Mesh"; cilium/cilium#31543.
fn mesh(outer: Use, inner: Use) -> Rule {
    use Use::{NetworkPods, Nodes, Pods, Services};
    match (outer, inner) {
        (Pods | NetworkPods, Pods | NetworkPods | Nodes | Services)
        | (Nodes | Services, Pods | NetworkPods)
        | (Nodes, Services)
        | (Services, Nodes) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// In a flat mesh node addresses are unique: clusters of one network may share a range of it,
/// those of different networks may not. Neither pods nor Services have addresses of another
/// network.
fn mesh_networks(outer: Use, inner: Use) -> Rule {
    use Use::{Network, NetworkPods, Nodes, Pods, Services};
    match (outer, inner) {
        (Pods | NetworkPods | Services, Network)
        | (Network, Pods | NetworkPods | Services | Network)
        | (Nodes, Nodes) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// Networks that are joined have different ranges; what a cluster's pods and Services have of
/// another network's addresses, the cluster does not reach there.
fn joined_rule(outer: Use, inner: Use) -> Rule {
    use Use::{Network, Pods, Services};
    match (outer, inner) {
        (Network, Network | Pods | Services) | (Pods | Services, Network) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// The networks that a flat mesh sees: those with clusters, members or not yet, and those that
/// are joined with them. Another network may have any addresses.
fn seen(plan: &Plan, topology: &Topology) -> Vec<bool> {
    let mut seen = vec![false; topology.networks.len()];
    plan.clusters.iter().for_each(|cluster| seen[cluster.network.index()] = true);
    let own = seen.clone();
    for joined in joined_networks(topology) {
        let reached = joined.iter().any(|id| own[id.index()]);
        for id in joined {
            seen[id.index()] |= reached;
        }
    }
    seen
}

/// Groups of networks that see each other's addresses: both ends of a peering, which is not
/// transitive, and everything that transit gateways, lines and tunnels connect.
fn joined_networks(topology: &Topology) -> BTreeSet<Vec<NetworkId>> {
    // Over the internet private ranges are not routed.
    let private = |kind| kind != InterconnectType::Internet;
    let mut component = components(topology, private);
    let peerings = topology.interconnects.iter().filter(|i| is_peering(i.kind));
    let mut groups: BTreeSet<_> = peerings
        .map(|peering| {
            let mut ends = peering.networks.clone();
            ends.sort_unstable();
            ends.dedup();
            ends
        })
        .collect();
    let mut sets = BTreeMap::<usize, Vec<NetworkId>>::new();
    for at in 0..component.len() {
        let set = root(&mut component, at);
        sets.entry(set).or_default().push(NetworkId::new(at));
    }
    groups.extend(sets.into_values());
    groups.retain(|group| group.len() > 1);
    groups
}

/// What transitive interconnects connect, as a union-find forest.
fn components(topology: &Topology, wanted: impl Fn(InterconnectType) -> bool) -> Vec<usize> {
    let mut component: Vec<usize> = (0..topology.networks.len()).collect();
    let transitive =
        topology.interconnects.iter().filter(|i| !is_peering(i.kind) && wanted(i.kind));
    for pair in transitive.flat_map(|interconnect| interconnect.networks.windows(2)) {
        let a = root(&mut component, pair[0].index());
        let b = root(&mut component, pair[1].index());
        component[a] = b;
    }
    component
}

/// Which networks packets can travel between.
#[derive(Debug)]
pub struct Paths {
    component: Vec<usize>,
    peered: BTreeSet<(NetworkId, NetworkId)>,
}

impl Paths {
    /// The set of networks that a network is in: whatever is not a peering joins all of a set.
    pub fn set(&self, network: NetworkId) -> usize {
        self.component[network.index()]
    }

    /// Whether packets can travel between two networks.
    pub fn joined(&self, a: NetworkId, b: NetworkId) -> bool {
        self.component[a.index()] == self.component[b.index()]
            || self.peered.contains(&(a.min(b), a.max(b)))
    }
}

/// The paths of a topology.
pub fn paths(topology: &Topology) -> Paths {
    let mut component = components(topology, |_| true);
    let component = (0..component.len()).map(|at| root(&mut component, at)).collect();
    let peerings = topology.interconnects.iter().filter(|i| is_peering(i.kind));
    let pairs = peerings.flat_map(|peering| {
        let ends = &peering.networks;
        ends.iter().flat_map(move |a| ends.iter().map(move |b| (*a.min(b), *a.max(b))))
    });
    Paths { component, peered: pairs.collect() }
}

/// The representative of a set, with the path to it shortened.
fn root(component: &mut [usize], mut at: usize) -> usize {
    while component[at] != at {
        component[at] = component[component[at]];
        at = component[at];
    }
    at
}

#[cfg(test)]
mod tests;
