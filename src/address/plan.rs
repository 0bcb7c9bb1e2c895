//! The address plan of a topology: every range with what it is used for and whose it is.

use super::Range;
use super::overlap::{Item, Rule, sweep};
use crate::source::Span;
use crate::spec::cluster::IpamMode;
use crate::spec::mesh::{Networking, RoutingMode};
use crate::spec::region::InterconnectType;
use crate::topology::path::is_peering;
use crate::topology::{ClusterId, NetworkId, Topology};

/// What a range is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Pods.
    Pods,
    /// Pods with addresses of their network (ENI).
    NetworkPods,
    /// Services.
    Services,
    /// Nodes.
    Nodes,
    /// A network: a VPC, a LAN.
    Network,
    /// A subnet of a network.
    Subnet,
    /// Load balancers.
    LoadBalancers,
    /// What no cluster may use.
    Reserved,
}

impl Use {
    /// All uses, in the order of their indices.
    pub const ALL: [Self; 8] = [
        Self::Pods,
        Self::NetworkPods,
        Self::Services,
        Self::Nodes,
        Self::Network,
        Self::Subnet,
        Self::LoadBalancers,
        Self::Reserved,
    ];

    /// Its name in a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pods | Self::NetworkPods => "pods",
            Self::Services => "Services",
            Self::Nodes => "nodes",
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::LoadBalancers => "load balancers",
            Self::Reserved => "reserved range",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// A range of the plan.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The addresses.
    pub range: Range,
    /// What they are used for.
    pub used: Use,
    /// The cluster that uses them.
    pub cluster: Option<ClusterId>,
    /// The network in which they are used.
    pub network: Option<NetworkId>,
    /// Where they are declared.
    pub span: Span,
}

/// Every range of a topology.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The ranges.
    pub entries: Vec<Entry>,
}

/// Two entries that must not meet and do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The entry around the other: an index into [`Plan::entries`].
    pub outer: usize,
    /// The entry inside.
    pub inner: usize,
}

impl Plan {
    /// The plan of a topology.
    pub fn of(topology: &Topology) -> Self {
        let mut plan = Self::default();
        for (at, network) in topology.networks.iter().enumerate() {
            let id = Some(NetworkId::new(at));
            for cidr in &network.cidrs {
                plan.add(cidr.0.into(), Use::Network, None, id, cidr.span);
            }
            for cidr in network.subnets.iter().map(|subnet| &subnet.cidr) {
                plan.add(cidr.0.into(), Use::Subnet, None, id, cidr.span);
            }
        }
        for (id, cluster) in topology.clusters() {
            let network = Some(cluster.network);
            let eni = cluster.ipam.mode == IpamMode::Eni;
            let pods = if eni { Use::NetworkPods } else { Use::Pods };
            let lists = [
                (pods, &cluster.pod_cidrs),
                (Use::Services, &cluster.service_cidrs),
                (Use::Nodes, &cluster.node_cidrs),
            ];
            for (used, list) in lists {
                for cidr in list {
                    plan.add(cidr.0.into(), used, Some(id), network, cidr.span);
                }
            }
            for range in &cluster.load_balancer_ranges {
                let addresses = Range::between(range.first, range.last);
                plan.add(addresses, Use::LoadBalancers, Some(id), network, range.span);
            }
        }
        for (cidr, _) in &topology.reserved {
            plan.add(cidr.0.into(), Use::Reserved, None, None, cidr.span);
        }
        plan
    }

    fn add(
        &mut self,
        range: Range,
        used: Use,
        cluster: Option<ClusterId>,
        network: Option<NetworkId>,
        span: Span,
    ) {
        self.entries.push(Entry { range, used, cluster, network, span });
    }

    /// The pairs that must not meet and do: for every entry that meets one, at least one pair
    /// that it is in or that is inside it. Sorted, each pair once.
    pub fn conflicts(&self, topology: &Topology) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for domain in domains(self, topology) {
            let mut items: Vec<_> =
                domain.members.iter().flat_map(|at| self.items(*at, domain.owner)).collect();
            sweep(
                &mut items,
                Use::ALL.len(),
                |outer, inner| (domain.rule)(Use::ALL[outer], Use::ALL[inner]),
                |outer, inner| conflicts.push(Conflict { outer: outer.tag, inner: inner.tag }),
            );
        }
        conflicts.sort_unstable();
        conflicts.dedup();
        conflicts
    }

    fn items(&self, at: usize, owner: fn(&Entry) -> u32) -> impl Iterator<Item = Item> {
        let entry = &self.entries[at];
        let (class, owner) = (entry.used.index(), owner(entry));
        let item = move |range| Item { range, class, owner, tag: at };
        // Only ranges of load balancers are no prefixes, and the sweep needs prefixes.
        let parts = match entry.used {
            Use::LoadBalancers => entry.range.prefixes().into_iter().map(Range::from).collect(),
            _ => vec![entry.range],
        };
        parts.into_iter().map(item)
    }
}

/// Entries that see each other, with what may meet among them.
pub struct Domain {
    /// Indices into [`Plan::entries`].
    members: Vec<usize>,
    /// Who counts as the owner of an entry here.
    owner: fn(&Entry) -> u32,
    /// What may meet: the outer and the inner use.
    rule: fn(Use, Use) -> Rule,
}

fn by_cluster(entry: &Entry) -> u32 {
    entry.cluster.map_or(u32::MAX, |id| u32::try_from(id.index()).unwrap_or(u32::MAX - 1))
}

fn by_network(entry: &Entry) -> u32 {
    entry.network.map_or(u32::MAX, |id| u32::try_from(id.index()).unwrap_or(u32::MAX - 1))
}

/// The domains of a topology: each cluster by itself, the flat mesh, and networks that are
/// joined. The work over all of them grows with the entries and the joints.
fn domains(plan: &Plan, topology: &Topology) -> Vec<Domain> {
    let mut domains = vec![Domain {
        members: (0..plan.entries.len()).collect(),
        owner: by_cluster,
        rule: everywhere,
    }];
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); topology.clusters.len()];
    let mut networks: Vec<Vec<usize>> = vec![Vec::new(); topology.networks.len()];
    for (at, entry) in plan.entries.iter().enumerate() {
        match (entry.cluster, entry.network) {
            (Some(cluster), _) => own[cluster.index()].push(at),
            (None, Some(network)) => networks[network.index()].push(at),
            (None, None) => {}
        }
    }
    let tunnel = topology.mesh.routing.mode == RoutingMode::Tunnel;
    for (id, cluster) in topology.clusters() {
        let network = networks[cluster.network.index()].iter();
        let members = own[id.index()].iter().chain(network).copied().collect();
        let rule = if tunnel { one_cluster_in_a_tunnel } else { one_cluster };
        domains.push(Domain { members, owner: by_cluster, rule });
    }
    if topology.mesh.networking == Networking::Flat {
        let members = plan.entries.iter().enumerate();
        let members: Vec<_> =
            members.filter(|(_, e)| e.used != Use::Reserved).map(|(at, _)| at).collect();
        domains.push(Domain { members: members.clone(), owner: by_cluster, rule: mesh });
        domains.push(Domain { members, owner: by_network, rule: mesh_networks });
    }
    for joined in joined_networks(topology) {
        let members = joined.iter().flat_map(|id| &networks[id.index()]).copied().collect();
        domains.push(Domain { members, owner: by_network, rule: joined_rule });
    }
    for (at, members) in networks.iter().enumerate() {
        let id = NetworkId::new(at);
        let balancers = topology.clusters().filter(|(_, cluster)| cluster.network == id);
        let balancers = balancers.flat_map(|(cluster, _)| &own[cluster.index()]);
        let members = members.iter().chain(balancers).copied().collect();
        domains.push(Domain { members, owner: by_cluster, rule: one_network });
    }
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

/// Inside a cluster pods, Services and nodes have ranges of their own.
fn one_cluster(outer: Use, inner: Use) -> Rule {
    use Use::{LoadBalancers, Network, NetworkPods, Nodes, Pods, Services};
    match (outer, inner) {
        (Pods, Pods | Services | Nodes | LoadBalancers)
        | (Services | Nodes | LoadBalancers, Pods)
        | (Services, Services | Nodes | NetworkPods | Network | LoadBalancers)
        | (Nodes | NetworkPods | Network | LoadBalancers, Services)
        | (NetworkPods, NetworkPods) => Rule::Never,
        _ => Rule::May,
    }
}

/// In a tunnel pods have no addresses of the network either (cilium/cilium#32296).
fn one_cluster_in_a_tunnel(outer: Use, inner: Use) -> Rule {
    match (outer, inner) {
        (Use::Pods, Use::Network) | (Use::Network, Use::Pods) => Rule::Never,
        _ => one_cluster(outer, inner),
    }
}

/// In a flat mesh pods of different clusters are unique, and no cluster's nodes or Services have
/// their addresses.
fn mesh(outer: Use, inner: Use) -> Rule {
    use Use::{NetworkPods, Nodes, Pods, Services};
    match (outer, inner) {
        (Pods | NetworkPods, Pods | NetworkPods | Nodes | Services)
        | (Nodes | Services, Pods | NetworkPods) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// In a flat mesh node addresses are unique: clusters of one network may share a range of it,
/// those of different networks may not. Pods do not have addresses of another network.
fn mesh_networks(outer: Use, inner: Use) -> Rule {
    use Use::{Network, NetworkPods, Nodes, Pods};
    match (outer, inner) {
        (Pods | NetworkPods, Network)
        | (Network, Pods | NetworkPods | Network)
        | (Nodes, Nodes) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// Networks that are joined have different ranges.
fn joined_rule(outer: Use, inner: Use) -> Rule {
    match (outer, inner) {
        (Use::Network, Use::Network) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// On one network subnets do not overlap, and no two clusters give the same addresses to load
/// balancers.
fn one_network(outer: Use, inner: Use) -> Rule {
    match (outer, inner) {
        (Use::Subnet, Use::Subnet) => Rule::Never,
        (Use::LoadBalancers, Use::LoadBalancers) => Rule::SameOwner,
        _ => Rule::May,
    }
}

/// Groups of networks that see each other's addresses: both ends of a peering, which is not
/// transitive, and everything that transit gateways, lines and tunnels connect.
fn joined_networks(topology: &Topology) -> Vec<Vec<NetworkId>> {
    // Over the internet private ranges are not routed.
    let private = |kind| kind != InterconnectType::Internet;
    let mut component = components(topology, private);
    let peerings = topology.interconnects.iter().filter(|i| is_peering(i.kind));
    let mut groups: Vec<_> = peerings.map(|peering| peering.networks.clone()).collect();
    let mut sets = std::collections::BTreeMap::<usize, Vec<NetworkId>>::new();
    for at in 0..component.len() {
        let set = root(&mut component, at);
        sets.entry(set).or_default().push(NetworkId::new(at));
    }
    groups.extend(sets.into_values().filter(|set| set.len() > 1));
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
    peered: std::collections::BTreeSet<(NetworkId, NetworkId)>,
}

impl Paths {
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
