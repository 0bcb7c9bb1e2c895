use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::*;
use crate::address::plan::Conflict;
use crate::source::Spanned;
use crate::spec::cluster::IpamMode;
use crate::spec::value::{Cidr, IpRange};
use crate::topology::Interconnect;
use crate::topology::sample::{TWO_CLUSTERS, resolved};

/// A range inside of a few small ones, so that many meet.
fn net() -> impl Strategy<Value = IpNet> {
    let v4 = (0_u32..64, 26_u8..=32)
        .prop_map(|(at, length)| IpNet::V4(Ipv4Net::new(at.into(), length).unwrap().trunc()));
    let v6 = (0_u128..32, 123_u8..=128)
        .prop_map(|(at, length)| IpNet::V6(Ipv6Net::new(at.into(), length).unwrap().trunc()));
    prop_oneof![3 => v4, 1 => v6]
}

fn nets(most: usize) -> impl Strategy<Value = Vec<IpNet>> {
    prop::collection::vec(net(), 0..=most)
}

/// Ranges of pods, Services, nodes and load balancers, the network, whether ENI, whether a member.
type Member = ((Vec<IpNet>, Vec<IpNet>, Vec<IpNet>, Option<(u32, u32)>), usize, bool, bool);
/// Ranges and subnets.
type Place = (Vec<IpNet>, Vec<IpNet>);
/// The ends, and which kind.
type Line = (Vec<usize>, usize);

const NETWORKS: usize = 5;
const KINDS: [InterconnectType; 4] = [
    InterconnectType::VpcPeering,
    InterconnectType::TransitGateway,
    InterconnectType::Vpn,
    InterconnectType::Internet,
];

fn member() -> impl Strategy<Value = Member> {
    let ranges = (nets(2), nets(1), nets(1), prop::option::of((0_u32..60, 0_u32..9)));
    (ranges, 0..NETWORKS, prop::bool::weighted(0.2), any::<bool>())
}

/// The sample with other networks, lines, clusters and reserved ranges.
fn topology(
    places: &[Place],
    lines: &[Line],
    members: &[Member],
    reserved: &[IpNet],
    (flat, tunnel): (bool, bool),
) -> Topology {
    let mut topology = resolved(TWO_CLUSTERS).0.unwrap();
    let (network, cluster) = (topology.networks[0].clone(), topology.clusters[0].clone());
    let subnet = crate::topology::Subnet {
        cidr: network.cidrs[0].clone(),
        zone: None,
        id: None,
        public: false,
        pods: false,
    };
    let span = cluster.span;
    let cidrs = |nets: &[IpNet]| -> Vec<Spanned<Cidr>> {
        nets.iter().map(|net| Spanned::new(Cidr(*net), span)).collect()
    };
    topology.mesh.networking = if flat { Networking::Flat } else { Networking::Island };
    topology.mesh.routing.mode = if tunnel { RoutingMode::Tunnel } else { RoutingMode::Native };
    let place = |(own, subnets): &Place| {
        let subnets = cidrs(subnets).into_iter();
        let subnets = subnets.map(|cidr| crate::topology::Subnet { cidr, ..subnet.clone() });
        crate::topology::Network {
            cidrs: cidrs(own),
            subnets: subnets.collect(),
            ..network.clone()
        }
    };
    topology.networks = places.iter().map(place).collect();
    let line = |(ends, kind): &Line| Interconnect {
        networks: ends.iter().map(|end| NetworkId::new(*end)).collect(),
        kind: KINDS[*kind],
        round_trip: None,
        mtu: None,
        span,
    };
    topology.interconnects = lines.iter().map(line).collect();
    let one = |((pods, services, nodes, balancers), network, eni, member): &Member| {
        let mut own = cluster.clone();
        own.network = NetworkId::new(*network);
        (own.member, own.in_mesh) = (*member, *member && flat);
        own.ipam.mode = if *eni { IpamMode::Eni } else { IpamMode::ClusterPool };
        (own.pod_cidrs, own.service_cidrs) = (cidrs(pods), cidrs(services));
        own.node_cidrs = cidrs(nodes);
        let address = |at: u32| std::net::IpAddr::V4(at.into());
        own.load_balancer_ranges = balancers
            .iter()
            .map(|(first, more)| {
                Spanned::new(IpRange { first: address(*first), last: address(first + more) }, span)
            })
            .collect();
        own
    };
    topology.clusters = members.iter().map(one).collect();
    topology.reserved = cidrs(reserved).into_iter().map(|cidr| (cidr, String::new())).collect();
    topology
}

/// Whether packets find a way between two networks by their private addresses, found by walking.
fn way(lines: &[Line], from: usize, to: usize) -> bool {
    let joins = |line: &&Line, at| line.0.contains(&at);
    if lines.iter().any(|line| line.1 == 0 && joins(&line, from) && joins(&line, to)) {
        return true;
    }
    let mut reached = BTreeSet::from([from]);
    loop {
        let more: BTreeSet<usize> = lines
            .iter()
            .filter(|line| matches!(line.1, 1 | 2) && line.0.iter().any(|at| reached.contains(at)))
            .flat_map(|line| line.0.iter().copied())
            .collect();
        if more.is_subset(&reached) {
            return reached.contains(&to);
        }
        reached.extend(more);
    }
}

/// The rules in words, for one pair.
fn wrong(topology: &Topology, lines: &[Line], a: &Entry, b: &Entry) -> bool {
    use Use::{LoadBalancers, Network, NetworkPods, Nodes, Pods, Reserved, Services, Subnet};
    let are = |one: &[Use], two: &[Use]| {
        (one.contains(&a.used) && two.contains(&b.used))
            || (two.contains(&a.used) && one.contains(&b.used))
    };
    let pods = [Pods, NetworkPods];
    let (Some(one), Some(two)) = (a.network, b.network) else {
        return (a.used == Reserved) != (b.used == Reserved);
    };
    let flat = topology.mesh.networking == Networking::Flat;
    let tunnel = topology.mesh.routing.mode == RoutingMode::Tunnel;
    let hosts = |at: usize| topology.clusters.iter().any(|own| own.network.index() == at);
    let counts = |id: NetworkId| {
        (0..NETWORKS).any(|at| hosts(at) && (at == id.index() || way(lines, at, id.index())))
    };
    let mesh = flat && counts(one) && counts(two);
    let same_cluster = a.cluster.is_some() && a.cluster == b.cluster;
    let mut wrong = false;
    if same_cluster {
        wrong |= are(&[Pods], &[Pods, Services, Nodes, LoadBalancers]);
        wrong |= are(&[Services], &[Services, Nodes, NetworkPods, LoadBalancers]);
        wrong |= are(&[NetworkPods], &[NetworkPods]);
    } else if mesh {
        wrong |= are(&pods, &[Pods, NetworkPods, Nodes, Services]);
        wrong |= are(&[Nodes], &[Services]);
    }
    if one == two {
        wrong |= are(&[Subnet], &[Subnet]) || are(&[Services], &[Network]);
        wrong |= !same_cluster && are(&[LoadBalancers], &[LoadBalancers]);
        wrong |= tunnel && are(&[Pods], &[Network]);
    } else {
        let joined = way(lines, one.index(), two.index());
        wrong |= (mesh || joined) && are(&[Network], &[Network, Pods, Services]);
        wrong |= mesh && (are(&[Network], &[NetworkPods]) || are(&[Nodes], &[Nodes]));
    }
    wrong
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_all_pairs_on_random_domains(
        places in prop::collection::vec((nets(2), nets(2)), NETWORKS),
        lines in prop::collection::vec((prop::collection::vec(0..NETWORKS, 2..4), 0..KINDS.len()), 0..5),
        members in prop::collection::vec(member(), 0..6),
        reserved in nets(1),
        mode in any::<(bool, bool)>(),
    ) {
        let topology = topology(&places, &lines, &members, &reserved, mode);
        let plan = Plan::of(&topology);
        let wrong = |a: usize, b: usize| {
            let (one, two) = (&plan.entries[a], &plan.entries[b]);
            a != b && one.range.meets(&two.range) && wrong(&topology, &lines, one, two)
        };
        let conflicts = plan.conflicts(&topology);
        for Conflict { outer, inner } in &conflicts {
            prop_assert!(wrong(*outer, *inner), "{:?} {:?}", plan.entries[*outer], plan.entries[*inner]);
        }
        prop_assert!(conflicts.is_sorted_by(|a, b| a < b));
        let named: BTreeSet<usize> = conflicts.iter().flat_map(|one| [one.outer, one.inner]).collect();
        for a in 0..plan.entries.len() {
            let mut others = (0..plan.entries.len()).filter(|b| wrong(a, *b)).peekable();
            // Of several around one only the outermost is named.
            if !named.contains(&a) && others.peek().is_some() {
                prop_assert!(others.any(|b| named.contains(&b)), "{:?}", plan.entries[a]);
            }
        }
    }
}
