//! Ways over the interconnects: the shortest round trip and the widest packet between networks.
//!
//! A peering joins its two ends and carries nothing further; everything else carries on to
//! whatever it is joined with, as the address plan sees it. Source: AWS, "VPC peering
//! limitations"; Azure, "Virtual network peering".

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Interconnect, NetworkId, Topology};
use crate::spec::region::InterconnectType;

/// The interconnects of a topology, by the networks that they join.
#[derive(Debug)]
pub struct Graph<'a> {
    interconnects: &'a [Interconnect],
    /// The interconnects of each network.
    attached: Vec<Vec<usize>>,
    ends: usize,
}

/// The best way from one network to every other.
#[derive(Debug)]
pub struct Ways {
    through: Vec<Option<Step>>,
    peered: Vec<Option<Step>>,
}

/// The end of a way.
#[derive(Clone, Copy, Debug)]
struct Step {
    cost: u64,
    over: usize,
    from: NetworkId,
}

impl<'a> Graph<'a> {
    /// The graph of a topology.
    pub fn of(topology: &'a Topology) -> Self {
        let mut attached = vec![Vec::new(); topology.networks.len()];
        let mut ends = 0;
        for (at, interconnect) in topology.interconnects.iter().enumerate() {
            ends += interconnect.networks.len();
            for network in &interconnect.networks {
                attached[network.index()].push(at);
            }
        }
        Self { interconnects: &topology.interconnects, attached, ends }
    }

    /// How much work one search is: networks and ends of interconnects.
    pub fn size(&self) -> usize {
        self.attached.len() + self.ends
    }

    /// The ways of the least cost from one network. The cost of a way is that of its interconnects,
    /// joined by `join`, which must not make a way cheaper.
    pub fn search(
        &self,
        start: NetworkId,
        cost: impl Fn(&Interconnect) -> u64,
        join: fn(u64, u64) -> u64,
    ) -> Ways {
        let mut through: Vec<Option<Step>> = vec![None; self.attached.len()];
        let mut seen = vec![false; self.interconnects.len()];
        let mut open = BinaryHeap::from([Reverse((0, start))]);
        let mut done = vec![false; self.attached.len()];
        while let Some(Reverse((so_far, network))) = open.pop() {
            if std::mem::replace(&mut done[network.index()], true) {
                continue;
            }
            for &over in &self.attached[network.index()] {
                let interconnect = &self.interconnects[over];
                // Whoever comes first comes cheapest, so that each is looked at once.
                if is_peering(interconnect.kind) || std::mem::replace(&mut seen[over], true) {
                    continue;
                }
                let total = join(so_far, cost(interconnect));
                for end in interconnect.networks.iter().filter(|end| **end != start) {
                    let step = &mut through[end.index()];
                    if step.is_none_or(|step| total < step.cost) {
                        *step = Some(Step { cost: total, over, from: network });
                        open.push(Reverse((total, *end)));
                    }
                }
            }
        }
        Ways { through, peered: self.peered(start, cost) }
    }

    fn peered(&self, start: NetworkId, cost: impl Fn(&Interconnect) -> u64) -> Vec<Option<Step>> {
        let mut peered: Vec<Option<Step>> = vec![None; self.attached.len()];
        for &over in &self.attached[start.index()] {
            let interconnect = &self.interconnects[over];
            if !is_peering(interconnect.kind) {
                continue;
            }
            let total = cost(interconnect);
            for end in interconnect.networks.iter().filter(|end| **end != start) {
                let step = &mut peered[end.index()];
                if step.is_none_or(|step| total < step.cost) {
                    *step = Some(Step { cost: total, over, from: start });
                }
            }
        }
        peered
    }
}

impl Ways {
    /// The cost of the best way to a network; nothing where there is none, or where it starts.
    pub fn cost(&self, to: NetworkId) -> Option<u64> {
        let steps = [self.peered[to.index()], self.through[to.index()]];
        steps.into_iter().flatten().map(|step| step.cost).min()
    }

    /// The interconnects of the best way to a network, in the order in which they are passed:
    /// indices into `Topology::interconnects`.
    pub fn interconnects(&self, to: NetworkId) -> Vec<usize> {
        let through = self.through[to.index()];
        if let Some(direct) = self.peered[to.index()]
            && through.is_none_or(|through| direct.cost <= through.cost)
        {
            return vec![direct.over];
        }
        let (mut passed, mut step) = (Vec::new(), through);
        while let Some(last) = step {
            passed.push(last.over);
            step = self.through[last.from.index()];
        }
        passed.reverse();
        passed
    }
}

/// Whether it joins its two ends only.
pub fn is_peering(kind: InterconnectType) -> bool {
    matches!(kind, InterconnectType::VpcPeering | InterconnectType::VnetPeering)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// The ways from region `a` of five regions with these interconnects.
    fn ways(interconnects: &str) -> Vec<Option<(u64, Vec<usize>)>> {
        let regions: String = ["a", "b", "c", "d", "e"]
            .map(|name| format!("    {name}: {{provider: aws}}\n"))
            .concat();
        let text = TWO_CLUSTERS.replacen(
            "  regions:\n",
            &format!("  interconnects:\n{interconnects}  regions:\n{regions}"),
            1,
        );
        let topology = resolved(&text).0.unwrap();
        let graph = Graph::of(&topology);
        let network = |name: &str| {
            let at = topology
                .networks
                .iter()
                .position(|network| topology.regions[network.region.index()].name.value == name);
            NetworkId::new(at.unwrap())
        };
        let milliseconds = |one: &Interconnect| {
            let trip = one.round_trip.as_ref().map_or(0, |trip| trip.value.as_millis());
            u64::try_from(trip).unwrap()
        };
        let found = graph.search(network("a"), milliseconds, u64::saturating_add);
        let to =
            |name| found.cost(network(name)).map(|cost| (cost, found.interconnects(network(name))));
        ["b", "c", "d", "e"].map(to).to_vec()
    }

    fn line(between: &str, kind: &str, trip: u64) -> String {
        format!("    - {{between: [{between}], type: {kind}, roundTrip: {trip}ms}}\n")
    }

    #[test]
    fn the_shortest_way_is_found_and_peerings_carry_nothing_further() {
        let text = [
            line("a, b", "vpn", 50),
            line("a, c", "vpn", 10),
            line("c, b", "transit-gateway", 15),
            line("a, d", "vpc-peering", 5),
            line("d, e", "vpn", 5),
            line("d, c", "vpn", 7),
        ]
        .concat();
        assert_eq!(
            ways(&text),
            [
                Some((25, vec![1, 2])),
                Some((10, vec![1])),
                Some((5, vec![3])),
                Some((22, vec![1, 5, 4])),
            ]
        );
    }

    #[test]
    fn a_hub_joins_any_two_at_once() {
        let text = [line("a, b, c, d", "transit-gateway", 30), line("d, e", "vpc-peering", 1)];
        let hub = |cost| Some((cost, vec![0]));
        assert_eq!(ways(&text.concat()), [hub(30), hub(30), hub(30), None]);
        assert_eq!(ways(&line("a, b", "internet", 0)), [Some((0, vec![0])), None, None, None]);
    }
}
