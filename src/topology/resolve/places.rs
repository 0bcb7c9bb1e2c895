//! Regions, networks, interconnects, and where manifests belong.

use std::collections::BTreeMap;

use super::super::id::{ClusterSet, NetworkId, RegionId};
use super::super::manifests::ManifestSet;
use super::super::{Interconnect, Network, Region, Subnet, Topology};
use super::{CONTRADICTION, Names, dangling};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::region::Provider;
use crate::spec::value::{Cidr, Word};
use crate::spec::{Spec, TopologySpec};

/// What the regions of a topology say.
pub(super) struct Places {
    pub(super) regions: Vec<Region>,
    pub(super) networks: Vec<Network>,
    pub(super) interconnects: Vec<Interconnect>,
    pub(super) reserved: Vec<(Spanned<Cidr>, String)>,
    pub(super) names: NetworkNames,
}

/// Networks by region and name. A region that could not be read has no id.
#[derive(Debug, Default)]
pub(super) struct NetworkNames {
    regions: BTreeMap<String, Option<RegionId>>,
    networks: BTreeMap<(RegionId, String), NetworkId>,
}

impl NetworkNames {
    /// The named region.
    pub(super) fn region(
        &self,
        name: &Spanned<String>,
        found: &mut Diagnostics,
    ) -> Option<RegionId> {
        if let Some(id) = self.regions.get(&name.value) {
            return *id;
        }
        found.push(dangling("region", name, self.regions.keys(), found));
        None
    }

    /// The named network of a region, or its only one.
    pub(super) fn network(
        &self,
        region: RegionId,
        name: Option<&Spanned<String>>,
        used: &Spanned<String>,
        found: &mut Diagnostics,
    ) -> Option<NetworkId> {
        let own =
            self.networks.range((region, String::new())..).take_while(|((of, _), _)| *of == region);
        let own: Vec<_> = own.collect();
        let Some(name) = name else {
            if let [(_, id)] = own[..] {
                return Some(*id);
            }
            let names: Vec<_> = own.iter().map(|((_, name), _)| name).collect();
            let message =
                format!("the region `{}` has {} networks and none is named", used.value, own.len());
            let help = format!("name one of {}", crate::yaml::fields::quoted(&names));
            found.push(Diagnostic::new(&CONTRADICTION, used.span, message).help(help));
            return None;
        };
        if let Some(id) = self.networks.get(&(region, name.value.clone())) {
            return Some(*id);
        }
        found.push(dangling("network", name, own.iter().map(|((_, name), _)| name), found));
        None
    }

    /// The network that is named by `region` or `region/network`.
    pub(super) fn end(&self, name: &Spanned<String>, found: &mut Diagnostics) -> Option<NetworkId> {
        let (region, network) = match name.value.split_once('/') {
            Some((region, network)) => (region, Some(network)),
            None => (name.value.as_str(), None),
        };
        let named = Spanned::new(region.to_owned(), name.span);
        let region = self.region(&named, found)?;
        let network = network.map(|network| Spanned::new(network.to_owned(), name.span));
        self.network(region, network.as_ref(), &named, found)
    }
}

/// Resolves the places of a topology.
pub(super) fn resolve(written: &TopologySpec, found: &mut Diagnostics) -> Places {
    let mut names = NetworkNames::default();
    let (mut regions, mut networks) = (Vec::new(), Vec::new());
    let mut entries: Vec<_> = written.regions.entries.iter().collect();
    entries.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    for (name, region) in entries {
        let Some(region) = region else {
            names.regions.insert(name.value.clone(), None);
            continue;
        };
        let id = RegionId::new(regions.len());
        names.regions.insert(name.value.clone(), Some(id));
        regions.push(Region {
            name: name.clone(),
            provider: region.provider.as_ref().map_or(Provider::Other, |provider| provider.value),
            account: region.account.as_ref().map(|account| account.value.0.clone()),
        });
        add_networks(id, name, region, &mut names, &mut networks);
    }
    let interconnects = written.interconnects.iter();
    let interconnects = interconnects.filter_map(|one| interconnect(one, &names, found)).collect();
    let reserved = written.reserved.iter().flat_map(|reserved| {
        let because = reserved.because.as_ref().map_or("", |because| &because.value).to_owned();
        reserved.cidrs.iter().map(move |cidr| (cidr.clone(), because.clone()))
    });
    Places { regions, networks, interconnects, reserved: reserved.collect(), names }
}

fn add_networks(
    id: RegionId,
    name: &Spanned<String>,
    region: &crate::spec::region::Region,
    names: &mut NetworkNames,
    networks: &mut Vec<Network>,
) {
    let mut own: Vec<_> = region.networks.entries.iter().collect();
    own.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    for (name, network) in own {
        names.networks.insert((id, name.value.clone()), NetworkId::new(networks.len()));
        networks.push(Network {
            name: name.clone(),
            region: id,
            vpc_id: network.as_ref().and_then(|n| n.vpc_id.as_ref()).map(|vpc| vpc.value.0.clone()),
            cidrs: network.as_ref().map(|n| n.cidrs.clone()).unwrap_or_default(),
            zones: zones(network.as_ref()),
            subnets: network.iter().flat_map(|n| &n.subnets).map(subnet).collect(),
        });
    }
    if region.networks.is_empty() {
        // A region that names no network is one: its clusters stand together.
        let network = Spanned::new("main".to_owned(), name.span);
        names.networks.insert((id, network.value.clone()), NetworkId::new(networks.len()));
        networks.push(Network {
            name: network,
            region: id,
            vpc_id: None,
            cidrs: Vec::new(),
            subnets: Vec::new(),
            zones: Vec::new(),
        });
    }
}

fn zones(network: Option<&crate::spec::region::Network>) -> Vec<String> {
    let subnets = network.iter().flat_map(|network| &network.subnets);
    let zones = subnets.filter_map(|subnet| subnet.zone.as_ref());
    let mut zones: Vec<_> = zones.map(|zone| zone.value.0.clone()).collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

fn subnet(written: &crate::spec::region::Subnet) -> Subnet {
    let text = |word: &Option<Spanned<Word>>| word.as_ref().map(|word| word.value.0.clone());
    let on = |flag: &Option<Spanned<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
    Subnet {
        cidr: written.cidr.clone(),
        zone: text(&written.zone),
        id: text(&written.id),
        public: on(&written.public),
        pods: on(&written.pods),
    }
}

fn interconnect(
    written: &crate::spec::region::Interconnect,
    names: &NetworkNames,
    found: &mut Diagnostics,
) -> Option<Interconnect> {
    let networks: Vec<_> = written.between.iter().filter_map(|end| names.end(end, found)).collect();
    if written.between.len() < 2 {
        let message = "an interconnect joins two networks or more";
        found.push(
            Diagnostic::new(&CONTRADICTION, written.span, message)
                .help("name both ends in `between`"),
        );
        return None;
    }
    Some(Interconnect {
        networks,
        kind: written.kind.value,
        round_trip: written.round_trip.clone().map(|time| time.map(|time| time.0)),
        mtu: written.mtu.clone().map(|mtu| mtu.map(|mtu| mtu.0)),
        span: written.span,
    })
}

/// Resolves which clusters hand-written manifests belong to.
pub(super) fn manifests(
    spec: &Spec,
    topology: &mut Topology,
    names: &Names,
    found: &mut Diagnostics,
) {
    let all: ClusterSet = topology.clusters().map(|(id, _)| id).collect();
    let written = spec.topology.as_ref().and_then(|named| named.spec.as_ref());
    let sets = written.iter().flat_map(|written| &written.manifests);
    for (set, objects) in sets.zip(&spec.manifests) {
        let clusters = match &set.clusters[..] {
            [] => all.clone(),
            some => names.cluster_set(some, found),
        };
        let objects = objects.clone();
        topology.manifests.push(ManifestSet { span: set.span, clusters, objects });
    }
}
