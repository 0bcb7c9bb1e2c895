//! What is decided first and everything else has to fit: the mesh, its places, its clusters.

use super::dice::Dice;

/// Published charts, two of each minor.
const CHARTS: [(usize, [&str; 2]); 5] = [
    (16, ["1.16.0", "1.16.19"]),
    (17, ["1.17.1", "1.17.18"]),
    (18, ["1.18.0", "1.18.12"]),
    (19, ["1.19.0", "1.19.6"]),
    (20, ["1.20.0", "1.20.0"]),
];

/// Names that a careless reader takes for something else. The charts' own templates are such
/// readers, so no cluster has the name `no`.
const TRAPS: [&str; 12] = [
    "no-1", "on-1", "y1", "null-1", "true-1", "1e3-a", "0x10-a", "010-a", "7-a", "1-2", "off-1",
    "0b1-a",
];

const PROVIDERS: [&str; 6] = ["aws", "azure", "gcp", "bare-metal", "kind", "other"];

/// Which addresses pods have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
    Dual,
}

impl Family {
    pub(crate) fn v4(self) -> bool {
        self != Self::V6
    }

    pub(crate) fn v6(self) -> bool {
        self != Self::V4
    }

    /// Ranges of the families that there are.
    pub(crate) fn ranges(self, v4: String, v6: String) -> Vec<String> {
        [self.v4().then_some(v4), self.v6().then_some(v6)].into_iter().flatten().collect()
    }
}

/// One address space of a region.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) region: usize,
    pub(crate) name: String,
}

/// A cluster before its settings.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) network: usize,
    /// Which of the clusters in its network it is.
    pub(crate) slot: usize,
    pub(crate) id: usize,
    pub(crate) member: bool,
    pub(crate) minor: usize,
    pub(crate) cilium: &'static str,
    pub(crate) eni: bool,
    /// Whether it stands by.
    pub(crate) passive: bool,
}

/// The mesh as decided.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) flat: bool,
    pub(crate) native: bool,
    pub(crate) family: Family,
    pub(crate) most: usize,
    pub(crate) cilium: &'static str,
    pub(crate) global_services: bool,
    pub(crate) mcs: bool,
    /// Whether each cluster says who vouches for its ServiceAccounts.
    pub(crate) identities: bool,
    pub(crate) regions: Vec<(String, &'static str)>,
    pub(crate) networks: Vec<Network>,
    pub(crate) clusters: Vec<Place>,
}

impl World {
    /// A mesh of at most `size` clusters.
    pub(crate) fn new(dice: &mut Dice, size: usize) -> Self {
        let chart = dice.below(CHARTS.len());
        let (minor, patches) = CHARTS[chart];
        let native = dice.chance(35);
        let mut world = Self {
            flat: dice.chance(80),
            native,
            family: *dice.pick(&[Family::V4, Family::V4, Family::Dual, Family::V6]),
            most: *dice.pick(&[255, 511]),
            cilium: patches[dice.below(2)],
            global_services: dice.chance(80),
            mcs: minor >= 17 && dice.chance(60),
            identities: dice.chance(60),
            regions: Vec::new(),
            networks: Vec::new(),
            clusters: Vec::new(),
        };
        world.places(dice);
        for number in 0..dice.between(1, size) {
            // Neighbouring minors meet during every upgrade.
            let own = if dice.chance(15) { (chart + 1).min(CHARTS.len() - 1) } else { chart };
            let place = world.cluster(dice, number, own, minor);
            world.clusters.push(place);
        }
        world
    }

    fn places(&mut self, dice: &mut Dice) {
        for region in 0..dice.between(1, 3) {
            let name = format!("{}-{region}", dice.pick(&["eu-west", "us-east", "on"]));
            self.regions.push((name, *dice.pick(&PROVIDERS)));
            for network in 0..dice.between(1, 2) {
                self.networks.push(Network { region, name: format!("net{network}") });
            }
        }
    }

    fn cluster(&self, dice: &mut Dice, number: usize, chart: usize, mesh: usize) -> Place {
        let (minor, patches) = CHARTS[chart];
        let network = dice.below(self.networks.len());
        let aws = self.regions[self.networks[network].region].1 == "aws";
        let eni = aws && self.native && self.family == Family::V4 && dice.chance(60);
        // Bit 7 of an id is AWS' own in ENI mode.
        let free = if eni { 127 } else { self.most };
        let taken: Vec<_> = self.clusters.iter().map(|other| other.id).collect();
        let id = (0..10_000).map(|_| dice.between(1, free)).find(|id| !taken.contains(id));
        let name = if dice.chance(15) {
            format!("{}-{number}", "c".repeat(30))
        } else {
            format!("{}{number}", dice.pick(&["use", "euw", "c-"]))
        };
        let trap = TRAPS.get(number).filter(|_| dice.chance(10));
        Place {
            name: trap.map_or_else(
                || name[name.len().saturating_sub(32)..].to_owned(),
                |t| (*t).to_owned(),
            ),
            network,
            slot: self.clusters.iter().filter(|other| other.network == network).count(),
            id: id.expect("there are more ids than clusters"),
            member: number == 0 || dice.chance(90),
            minor,
            cilium: if minor == mesh { self.cilium } else { patches[dice.below(2)] },
            eni,
            passive: dice.chance(10),
        }
    }

    /// The region of a cluster.
    pub(crate) fn region(&self, cluster: usize) -> &str {
        &self.regions[self.networks[self.clusters[cluster].network].region].0
    }

    /// The networks of a region.
    pub(crate) fn networks_of(&self, region: usize) -> impl Iterator<Item = (usize, &Network)> {
        self.networks.iter().enumerate().filter(move |(_, network)| network.region == region)
    }

    /// The names of clusters.
    pub(crate) fn names(&self, clusters: &[usize]) -> Vec<&str> {
        clusters.iter().map(|cluster| self.clusters[*cluster].name.as_str()).collect()
    }

    /// Whether any pods have addresses of their network.
    pub(crate) fn eni(&self) -> bool {
        self.clusters.iter().any(|cluster| cluster.eni)
    }

    /// Whether every cluster runs this minor or a later one.
    pub(crate) fn all_from(&self, minor: usize) -> bool {
        self.clusters.iter().all(|cluster| cluster.minor >= minor)
    }
}
