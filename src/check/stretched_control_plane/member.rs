//! Where the members of a control plane stand.

use crate::source::Span;
use crate::spec::region::Provider;
use crate::topology::{Cluster, ControlPlane, NetworkId, Topology};

/// Where a member stands.
pub(super) struct Member<'a> {
    pub(super) span: Span,
    pub(super) network: Option<NetworkId>,
    /// The region: the topology's own name of it, or the provider's in the name of a zone.
    pub(super) region: &'a str,
}

/// The members' places, each network and each region once.
pub(super) fn members<'a>(
    topology: &'a Topology,
    cluster: &Cluster,
    plane: &'a ControlPlane,
) -> Vec<Member<'a>> {
    let region_of = |network: NetworkId| {
        let region = topology.networks[network.index()].region;
        &*topology.regions[region.index()].name.value
    };
    let listed = plane.networks.iter().map(|network| Member {
        span: network.span,
        network: Some(network.value),
        region: region_of(network.value),
    });
    let provider = topology.region_of(cluster).provider;
    let zones =
        plane.zones.iter().filter_map(|zone| match networks_with(topology, cluster, &zone.value) {
            Some(network) => {
                Some(Member { span: zone.span, network: Some(network), region: region_of(network) })
            }
            None => provider_region(provider, &zone.value).map(|region| Member {
                span: zone.span,
                network: None,
                region,
            }),
        });
    let mut members: Vec<Member<'a>> = Vec::new();
    for member in listed.chain(zones) {
        let known = |other: &Member<'_>| match member.network {
            Some(network) => other.network == Some(network),
            None => other.region == member.region,
        };
        if !members.iter().any(known) {
            members.push(member);
        }
        // As many as any etcd has; more would only cost time.
        if members.len() == 16 {
            break;
        }
    }
    members
}

/// The network in which a zone has a subnet: the cluster's own, if it has one there.
fn networks_with(topology: &Topology, cluster: &Cluster, zone: &str) -> Option<NetworkId> {
    let has = |network: &NetworkId| {
        let zones = &topology.networks[network.index()].zones;
        zones.binary_search_by(|known| known.as_str().cmp(zone)).is_ok()
    };
    let own = Some(cluster.network).filter(has);
    own.or_else(|| (0..topology.networks.len()).map(NetworkId::new).find(has))
}

/// The region in a zone's name, where the provider's zones are named after it.
/// Source: AWS, "Regions and Zones" (`us-east-1a`, `us-east-1-bos-1a`); Google Cloud, "Regions and
/// zones" (`europe-west1-b`).
fn provider_region(provider: Provider, zone: &str) -> Option<&str> {
    let digit = |byte: u8| byte.is_ascii_digit();
    match provider {
        Provider::Aws => {
            let first = zone.bytes().position(digit)?;
            let digits = zone[first..].bytes().take_while(|byte| digit(*byte)).count();
            let dashes = zone[..first].matches('-').count();
            (dashes >= 2 && zone[..first].ends_with('-')).then(|| &zone[..first + digits])
        }
        Provider::Gcp => {
            let (region, letter) = zone.rsplit_once('-')?;
            (letter.len() == 1 && region.ends_with(|c: char| c.is_ascii_digit())).then_some(region)
        }
        Provider::Azure | Provider::BareMetal | Provider::Kind | Provider::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_named_after_their_region() {
        let of = |provider, zone| provider_region(provider, zone);
        assert_eq!(of(Provider::Aws, "us-gov-west-1b"), Some("us-gov-west-1"));
        assert_eq!(of(Provider::Aws, "rack1-2"), None);
        assert_eq!(of(Provider::Gcp, "europe-west12-c"), Some("europe-west12"));
        assert_eq!(of(Provider::Gcp, "zone-b"), None);
        assert_eq!(of(Provider::Azure, "1"), None);
    }
}
