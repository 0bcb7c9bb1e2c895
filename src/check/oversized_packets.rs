//! Packets that are larger than the interconnect between two clusters carries.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::region::{InterconnectType, Provider};
use crate::topology::path::Graph;
use crate::topology::{Cluster, ClusterId, Interconnect, NetworkId, Topology};

declare_rules! {
    /// ## What it does
    /// Reports an interconnect over which two members of the mesh meet and which carries smaller
    /// packets than one of them sends. What a cluster sends is its `mtu`, or the mesh's; without
    /// one it is 9001 bytes on AWS, unless Cilium is told to find out what the path carries
    /// (`pmtuDiscovery.enabled`; from 1.19 on `pmtuDiscovery.packetizationLayerPMTUDMode`, which
    /// the chart sets to `blackhole`). What an interconnect carries is its own `mtu`, else 8500
    /// bytes over a transit gateway or a peering between regions, and 1500 from AWS over a VPN or
    /// the internet. Of several ways the widest counts.
    ///
    /// ## Why it matters
    /// Small packets arrive and large ones do not: connections open and then hang, health checks
    /// stay green. Cilium takes the size from the node's own device and cannot see the way.
    /// Source: AWS, "Network maximum transmission unit (MTU) for your EC2 instance" and "Transit
    /// gateway MTU"; Cilium's values `MTU` and `pmtuDiscovery`.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: 1.18.12}
    /// mesh: {routing: {mode: native, nativeRoutingCIDR: 10.0.0.0/8}}
    /// interconnects:
    ///   - {between: [us-east-1, eu-west-1], type: transit-gateway}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh: {mtu: 8500}
    /// ```
    pub static OVERSIZED_PACKETS = { code: "LB2023", name: "oversized-packets", summary: "packets larger than the interconnect between two clusters carries", severity: Warning };
}

/// What an EC2 instance sends. Source: AWS, "Network maximum transmission unit (MTU) for your EC2
/// instance", Jumbo frames.
const EC2: i64 = 9001;
/// Over a transit gateway, or a peering between regions. Source: the same, and "Transit gateway
/// quotas", Maximum transmission unit.
const BETWEEN_REGIONS: i64 = 8500;
/// Over an internet gateway or a VPN. Source: the same.
const INTERNET: i64 = 1500;

/// Most steps that the search may take.
const MOST_STEPS: usize = 200_000_000;

/// The largest packets that clusters of one network send.
struct Sender<'a> {
    cluster: &'a Cluster,
    size: i64,
    /// Where it is declared.
    span: Option<Span>,
}

/// Reports each interconnect once, with the first two members that it is too narrow for.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut on: BTreeMap<NetworkId, ClusterId> = BTreeMap::new();
    let mut senders: BTreeMap<NetworkId, Sender<'_>> = BTreeMap::new();
    for (id, cluster) in topology.clusters().filter(|(_, cluster)| cluster.in_mesh) {
        on.entry(cluster.network).or_insert(id);
        if let Some((size, span)) = sends(topology, cluster)
            && senders.get(&cluster.network).is_none_or(|known| known.size < size)
        {
            senders.insert(cluster.network, Sender { cluster, size, span });
        }
    }
    let narrow = topology.interconnects.iter().any(|one| carries(topology, one).is_some());
    if !narrow || on.len() < 2 {
        return;
    }
    let graph = Graph::of(topology);
    if senders.len().saturating_mul(graph.size() + on.len()) > MOST_STEPS {
        let why = "there are more networks and interconnects than are searched";
        return found.not_checked(
            topology.mesh.span,
            "the size of packets over interconnects",
            why,
        );
    }
    let mut reported = BTreeSet::new();
    for (&from, sender) in &senders {
        // The narrower, the costlier: the cheapest way is the widest.
        let narrowness = |one: &Interconnect| {
            let width = carries(topology, one).and_then(|width| u64::try_from(width).ok());
            width.map_or(0, |width| u64::MAX - width)
        };
        let ways = graph.search(from, narrowness, u64::max);
        for (&to, other) in on.iter().filter(|(to, _)| **to != from) {
            let Some(cost) = ways.cost(to).filter(|cost| *cost > 0) else { continue };
            let width = i64::try_from(u64::MAX - cost).unwrap_or(i64::MAX);
            if width >= sender.size {
                continue;
            }
            let way = ways.interconnects(to);
            let is_narrowest =
                |over: &usize| carries(topology, &topology.interconnects[*over]) == Some(width);
            if let Some(over) = way.into_iter().find(is_narrowest)
                && reported.insert(over)
            {
                let interconnect = &topology.interconnects[over];
                found.push(finding(interconnect, width, sender, topology.cluster(*other)));
            }
        }
    }
}

/// The largest packets of a cluster, and where they are declared; nothing where nobody knows, or
/// where Cilium finds out what the path carries.
fn sends(topology: &Topology, cluster: &Cluster) -> Option<(i64, Option<Span>)> {
    if let Some((key, Json::Number(size))) = cluster.said("MTU")
        && let Some(size) = size.as_i64().filter(|size| *size > 0)
    {
        return Some((size, Some(key)));
    }
    if let Some(mtu) = &cluster.mtu {
        return Some((mtu.value, Some(mtu.span)));
    }
    let aws = topology.region_of(cluster).provider == Provider::Aws;
    (aws && !finds_out(cluster)).then_some((EC2, None))
}

/// Whether Cilium finds out what the path carries.
fn finds_out(cluster: &Cluster) -> bool {
    let said = |key: &str| cluster.said(key).map(|(_, value)| value);
    if said("pmtuDiscovery.enabled") == Some(Json::Bool(true)) {
        return true;
    }
    // Source: the chart's default since 1.19.0.
    let mode = said("pmtuDiscovery.packetizationLayerPMTUDMode");
    let mode = mode.unwrap_or_else(|| "blackhole".into());
    cluster.cilium.minor >= 19 && (mode == "blackhole" || mode == "always")
}

/// The largest packet that an interconnect carries, if it is known.
fn carries(topology: &Topology, interconnect: &Interconnect) -> Option<i64> {
    if let Some(mtu) = &interconnect.mtu {
        return Some(mtu.value);
    }
    let mut regions =
        interconnect.networks.iter().map(|network| topology.networks[network.index()].region);
    let first = regions.next()?;
    let between_regions = regions.clone().any(|region| region != first);
    let mut providers = regions.chain([first]).map(|r| topology.regions[r.index()].provider);
    let aws = providers.any(|provider| provider == Provider::Aws);
    match interconnect.kind {
        InterconnectType::TransitGateway => Some(BETWEEN_REGIONS),
        InterconnectType::VpcPeering if between_regions => Some(BETWEEN_REGIONS),
        InterconnectType::Internet => Some(INTERNET),
        InterconnectType::Vpn if aws => Some(INTERNET),
        _ => None,
    }
}

fn finding(
    interconnect: &Interconnect,
    width: i64,
    sender: &Sender<'_>,
    other: &Cluster,
) -> Diagnostic {
    let (name, size) = (&sender.cluster.name.value, sender.size);
    let message = format!(
        "`{name}` sends packets of {size} bytes to `{}` over an interconnect that carries {width}",
        other.name.value
    );
    let place = interconnect.mtu.as_ref().map_or(interconnect.span, |mtu| mtu.span);
    let finding = Diagnostic::new(&OVERSIZED_PACKETS, place, message);
    match sender.span {
        Some(span) => finding
            .related(span, "declared here")
            .help(format!("declare at most `mtu: {width}` in the mesh")),
        None => finding
            .related(sender.cluster.name.span, format!("an EC2 instance sends {EC2} bytes"))
            .help(format!("declare `mtu: {width}` in the mesh, or switch `pmtuDiscovery.enabled` on in `ciliumValues`")),
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn with(interconnects: &str, changes: &[(&str, &str)]) -> Vec<String> {
        let line = format!("  interconnects: [{interconnects}]\n  regions:\n");
        let text = TWO_CLUSTERS.replacen("  regions:\n", &line, 1);
        let text = changes.iter().fold(text, |text, (old, new)| text.replacen(old, new, 1));
        let found = resolved(&text).1.into_iter().filter(|line| !line.contains("LB3"));
        found.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    const OLD: (&str, &str) = ("cilium: 1.19.6", "cilium: 1.18.12");

    fn joined(kind: &str) -> String {
        format!("{{between: [us-east-1, eu-west-1], type: {kind}}}")
    }

    fn found(size: u32, width: u32) -> String {
        format!(
            "LB2023 `euw1` sends packets of {size} bytes to `use1` over an interconnect that carries {width}"
        )
    }

    #[test]
    fn instances_send_more_than_the_way_carries() {
        for (kind, width) in
            [("transit-gateway", 8500), ("vpc-peering", 8500), ("vpn", 1500), ("internet", 1500)]
        {
            assert_eq!(with(&joined(kind), &[OLD]), [found(9001, width)], "{kind}");
            assert_eq!(with(&joined(kind), &[]), [""; 0], "1.19 finds out");
        }
        for kind in ["direct-connect", "wireguard", "vpn, mtu: 9001"] {
            assert_eq!(with(&joined(kind), &[OLD]), [""; 0], "{kind}");
        }
        let both = format!("{}, {}", joined("vpn"), joined("direct-connect"));
        assert_eq!(with(&both, &[OLD]), [""; 0], "the wider way counts");
    }

    #[test]
    fn the_internet_is_narrow_everywhere() {
        let metal = ("provider: aws", "provider: bare-metal");
        let large = ("  mesh:\n", "  mesh:\n    mtu: 9000\n");
        let of = |kind: &str, changes: &[(&str, &str)]| {
            let all = with(&joined(kind), &[&[OLD, metal, metal], changes].concat());
            all.into_iter().filter(|line| line.starts_with("LB2023")).collect::<Vec<_>>()
        };
        assert_eq!(of("internet", &[large]), [found(9000, 1500)]);
        assert_eq!(of("internet", &[]), [""; 0], "nobody says what is sent");
        assert_eq!(of("vpn", &[large]), [""; 0], "what it carries is not known");
    }

    #[test]
    fn what_is_declared_or_found_out_counts() {
        let gateway = joined("transit-gateway");
        let mesh = |lines: &'static str| ("  mesh:\n", lines);
        let pinned = mesh("  mesh:\n    mtu: 8500\n");
        assert_eq!(with(&gateway, &[OLD, pinned]), [""; 0]);
        assert_eq!(with(&joined("vpn"), &[pinned]), [found(8500, 1500)]);
        let on = mesh("  mesh:\n    ciliumValues: {pmtuDiscovery: {enabled: true}}\n");
        assert_eq!(with(&gateway, &[OLD, on]), [""; 0]);
        let off = mesh(
            "  mesh:\n    ciliumValues: {pmtuDiscovery: {packetizationLayerPMTUDMode: disabled}}\n",
        );
        assert_eq!(with(&gateway, &[off]), [found(9001, 8500)]);
        let value = mesh("  mesh:\n    ciliumValues: {MTU: 8900}\n");
        assert_eq!(with(&gateway, &[value]), [found(8900, 8500)]);
    }
}
