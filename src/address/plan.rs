//! The address plan of a topology: every range with what it is used for and whose it is.

use rayon::prelude::*;

use super::Range;
use super::cover::Cover;
use super::domain::{self, Domain};
use super::overlap::{Item, order, sweep};
use crate::source::{Span, Spanned};
use crate::spec::cluster::IpamMode;
use crate::spec::value::{Cidr, IpRange};
use crate::topology::{Cluster, LeftOut, NetworkId, Topology};

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
    /// A pool of pod addresses, most often a part of the cluster's pods.
    Pool,
}

impl Use {
    /// All uses, in the order of their indices.
    pub const ALL: [Self; 9] = [
        Self::Pods,
        Self::NetworkPods,
        Self::Services,
        Self::Nodes,
        Self::Network,
        Self::Subnet,
        Self::LoadBalancers,
        Self::Reserved,
        Self::Pool,
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
            Self::Pool => "pool",
        }
    }

    pub(super) const fn index(self) -> usize {
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
    /// The cluster that uses them: an index into [`Plan::clusters`].
    pub cluster: Option<usize>,
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
    /// The clusters: first those of the topology, in its order, then those that it leaves out.
    pub clusters: Vec<Holder>,
}

/// A cluster with addresses, a member of the mesh or not, resolved or left out.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Its name.
    pub name: Spanned<String>,
    /// Its network.
    pub network: NetworkId,
}

/// What a cluster says of its addresses.
struct Declared<'a> {
    name: &'a Spanned<String>,
    network: NetworkId,
    mode: IpamMode,
    nodes: &'a [Spanned<Cidr>],
    pods: &'a [Spanned<Cidr>],
    pools: Vec<&'a Spanned<Cidr>>,
    services: &'a [Spanned<Cidr>],
    balancers: &'a [Spanned<IpRange>],
}

impl<'a> Declared<'a> {
    fn of(cluster: &'a Cluster) -> Self {
        let pooled = cluster.ipam.mode == IpamMode::MultiPool;
        let pools = cluster.ipam.pools.iter().filter(|_| pooled);
        Self {
            name: &cluster.name,
            network: cluster.network,
            mode: cluster.ipam.mode,
            nodes: &cluster.node_cidrs,
            pods: &cluster.pod_cidrs,
            pools: pools.flat_map(|pool| &pool.cidrs).collect(),
            services: &cluster.service_cidrs,
            balancers: &cluster.load_balancer_ranges,
        }
    }

    fn left_out(cluster: &'a LeftOut) -> Self {
        Self {
            name: &cluster.name,
            network: cluster.network,
            mode: cluster.mode,
            nodes: &cluster.node_cidrs,
            pods: &cluster.pod_cidrs,
            pools: Vec::new(),
            services: &cluster.service_cidrs,
            balancers: &cluster.load_balancer_ranges,
        }
    }

    /// The ranges of its pods: what `podCIDRs` says, and what pools add to it.
    fn pods(&self) -> impl Iterator<Item = &'a Spanned<Cidr>> {
        let said = Cover::new(self.pods.iter().map(|cidr| cidr.0.into()));
        let more = self.pools.clone().into_iter();
        self.pods.iter().chain(more.filter(move |cidr| !said.contains(&cidr.0.into())))
    }
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
        let resolved = topology.clusters.iter().map(Declared::of);
        for declared in resolved.chain(topology.left_out.iter().map(Declared::left_out)) {
            plan.cluster(&declared);
        }
        for (cidr, _) in &topology.reserved {
            plan.add(cidr.0.into(), Use::Reserved, None, None, cidr.span);
        }
        plan
    }

    fn cluster(&mut self, declared: &Declared<'_>) {
        let id = Some(self.clusters.len());
        let network = Some(declared.network);
        self.clusters.push(Holder { name: declared.name.clone(), network: declared.network });
        let pods = if declared.mode == IpamMode::Eni { Use::NetworkPods } else { Use::Pods };
        for cidr in declared.pods() {
            self.add(cidr.0.into(), pods, id, network, cidr.span);
        }
        for cidr in &declared.pools {
            self.add(cidr.0.into(), Use::Pool, id, network, cidr.span);
        }
        for (used, list) in [(Use::Services, declared.services), (Use::Nodes, declared.nodes)] {
            for cidr in list {
                self.add(cidr.0.into(), used, id, network, cidr.span);
            }
        }
        for range in declared.balancers {
            let addresses = Range::between(range.first, range.last);
            self.add(addresses, Use::LoadBalancers, id, network, range.span);
        }
    }

    fn add(
        &mut self,
        range: Range,
        used: Use,
        cluster: Option<usize>,
        network: Option<NetworkId>,
        span: Span,
    ) {
        self.entries.push(Entry { range, used, cluster, network, span });
    }

    /// The pairs that must not meet and do: for every entry that meets one, at least one pair
    /// that it is in or that is inside it. Sorted, each pair once.
    pub fn conflicts(&self, topology: &Topology) -> Vec<Conflict> {
        let sorted = self.sorted();
        let conflicts = domain::all(self, topology, &sorted);
        let conflicts = conflicts.par_iter().map(|domain| self.within(domain, &sorted));
        let mut conflicts: Vec<_> = conflicts.flatten_iter().collect();
        conflicts.par_sort_unstable();
        conflicts.dedup();
        conflicts
    }

    /// The entries as prefixes in the order of a sweep; each domain says who owns them.
    fn sorted(&self) -> Vec<Item> {
        let items = self.entries.iter().enumerate().flat_map(|(tag, entry)| {
            let item = move |range| Item { range, class: entry.used.index(), owner: 0, tag };
            // Only ranges of load balancers are no prefixes, and the sweep needs prefixes.
            let (whole, parts) = match entry.used {
                Use::LoadBalancers => (None, entry.range.prefixes()),
                _ => (Some(entry.range), Vec::new()),
            };
            whole.into_iter().chain(parts.into_iter().map(Range::from)).map(item)
        });
        let mut items: Vec<_> = items.collect();
        items.par_sort_unstable_by_key(|item| (order(&item.range), item.tag));
        items
    }

    /// The conflicts of a domain.
    fn within(&self, domain: &Domain, sorted: &[Item]) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let owned = |item: Item| Item { owner: (domain.owner)(&self.entries[item.tag]), ..item };
        let rule = |outer: usize, inner: usize| (domain.rule)(Use::ALL[outer], Use::ALL[inner]);
        let conflict = |outer, inner| conflicts.push(Conflict { outer, inner });
        match &domain.members {
            None => sweep(sorted.iter().copied().map(owned), Use::ALL.len(), rule, conflict),
            Some(members) => {
                let members = members.iter().map(|at| owned(sorted[*at]));
                sweep(members, Use::ALL.len(), rule, conflict);
            }
        }
        conflicts
    }
}
