//! The addresses of load balancers and how they are announced, where Cilium's LB-IPAM gives them.

use serde_json::{Map, Value, json};

use super::Input;
use super::metadata::{Object, object, texts};
use crate::resource::{Desired, Resource};
use crate::source::Span;
use crate::spec::cluster::{Announce, LoadBalancerController};
use crate::spec::value::IpRange;
use crate::topology::{Bgp, BgpPeer, Cluster, Topology};

/// The name of the objects: there is one pool in a cluster, for all its ranges.
const NAME: &str = "landbridge";
/// The label by which a session finds what it advertises.
const ADVERTISES: (&str, &str) = ("landbridge.dev/advertises", "load-balancers");
/// The first minor whose pools and BGP objects are `v2`; it still serves `v2alpha1`, and says at
/// every start that it is deprecated. L2 policies are `v2alpha1` up to 1.20.
/// Source: `pkg/k8s/apis/cilium.io/client/crds` of the minors.
const STABLE: u64 = 18;

/// Adds the pool with the declared ranges, and the announcement that is declared.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let cluster = input.topology.cluster(input.id);
    let Some(controller) = &cluster.load_balancer else { return };
    let Some(first) = cluster.load_balancer_ranges.first() else { return };
    if controller.value != LoadBalancerController::LbIpam {
        return;
    }
    let site = Site { topology: input.topology, cluster };
    let ranges = cluster.load_balancer_ranges.iter();
    let blocks: Value = ranges.map(|range| block(&range.value)).collect();
    let pool = json!({ "blocks": blocks });
    desired.resources.push(site.object("CiliumLoadBalancerIPPool", NAME, first.span, pool));
    let Some(announce) = &cluster.announce else { return };
    match (announce.value, &cluster.bgp) {
        (Announce::L2, _) => {
            let policy = l2_policy(cluster);
            let policy = site.object("CiliumL2AnnouncementPolicy", NAME, announce.span, policy);
            desired.resources.push(policy);
        }
        (Announce::Bgp, Some(bgp)) => site.bgp(bgp, desired),
        (Announce::Bgp, None) => {}
    }
}

/// A cluster with its topology.
struct Site<'a> {
    topology: &'a Topology,
    cluster: &'a Cluster,
}

impl Site<'_> {
    fn object(&self, kind: &'static str, name: &str, origin: Span, spec: Value) -> Resource {
        let advertises = [(ADVERTISES.0.to_owned(), ADVERTISES.1.to_owned())];
        let stable =
            kind != "CiliumL2AnnouncementPolicy" && self.cluster.cilium.value.minor >= STABLE;
        let object = Object {
            api_version: if stable { "cilium.io/v2" } else { "cilium.io/v2alpha1" },
            kind,
            namespace: None,
            name,
            labels: if kind == "CiliumBGPAdvertisement" { &advertises } else { &[] },
            annotations: Vec::new(),
            origin,
        };
        object.with(self.topology, Some(("spec", spec)))
    }

    /// One instance on each node, a session with each router, and what all of them are told.
    fn bgp(&self, bgp: &Bgp, desired: &mut Desired) {
        let sessions: Value = bgp.peers.iter().map(session).collect();
        let mut spec = nodes(self.cluster);
        let instance = json!({"name": NAME, "localASN": bgp.local_asn, "peers": sessions});
        spec.insert("bgpInstances".into(), json!([instance]));
        let config = self.object("CiliumBGPClusterConfig", NAME, bgp.span, spec.into());
        desired.resources.push(config);
        for peer in &bgp.peers {
            let (name, spec) = (config_name(peer), peer_config(self.cluster, peer));
            let config = self.object("CiliumBGPPeerConfig", &name, peer.name.span, spec);
            desired.resources.push(config);
        }
        let all = json!({
            "advertisementType": "Service",
            "service": {"addresses": ["LoadBalancerIP"]},
            // Without a selector no Service is announced; this is how all are meant.
            // Source: Cilium, "BGP Control Plane Resources", Service Virtual IPs.
            "selector": {"matchExpressions": [
                {"key": "landbridge.dev/advertises", "operator": "NotIn", "values": ["nothing"]},
            ]},
        });
        let spec = json!({ "advertisements": [all] });
        let advertisement = self.object("CiliumBGPAdvertisement", NAME, bgp.span, spec);
        desired.resources.push(advertisement);
    }
}

/// A block of a pool. The first and the last address of a CIDR are given too, unless the pool
/// forbids it. Source: Cilium, "LB IPAM", CIDRs, Ranges and reserved IPs.
fn block(range: &IpRange) -> Value {
    match range.cidr() {
        Some(cidr) => json!({ "cidr": cidr.to_string() }),
        None => json!({"start": range.first.to_string(), "stop": range.last.to_string()}),
    }
}

fn l2_policy(cluster: &Cluster) -> Value {
    let mut spec = Map::new();
    spec.insert("loadBalancerIPs".into(), true.into());
    if !cluster.announcing_interfaces.is_empty() {
        let patterns = cluster.announcing_interfaces.iter().map(String::as_str);
        spec.insert("interfaces".into(), patterns.collect());
    }
    spec.extend(nodes(cluster));
    spec.into()
}

/// The selector of the nodes that announce; nothing where all do.
fn nodes(cluster: &Cluster) -> Map<String, Value> {
    let mut spec = Map::new();
    if !cluster.announcing_nodes.is_empty() {
        let labels = texts(cluster.announcing_nodes.clone());
        spec.insert("nodeSelector".into(), object([("matchLabels", labels)]));
    }
    spec
}

fn session(peer: &BgpPeer) -> Value {
    json!({
        "name": peer.name.value,
        "peerASN": peer.asn,
        "peerAddress": peer.address.to_string(),
        "peerConfigRef": {"name": config_name(peer)},
    })
}

fn config_name(peer: &BgpPeer) -> String {
    format!("{NAME}-{}", peer.name.value)
}

/// The settings of a session: it carries the families that the cluster's ranges have.
fn peer_config(cluster: &Cluster, peer: &BgpPeer) -> Value {
    let mut spec = Map::new();
    if let Some(secret) = &peer.auth_secret {
        spec.insert("authSecretRef".into(), secret.as_str().into());
    }
    if let Some(hops) = peer.multihop {
        spec.insert("ebgpMultihop".into(), hops.into());
    }
    let has = |v4| cluster.load_balancer_ranges.iter().any(|range| range.first.is_ipv4() == v4);
    let families = [("ipv4", true), ("ipv6", false)].into_iter().filter(|(_, v4)| has(*v4));
    let family = |(afi, _)| {
        json!({
            "afi": afi,
            "safi": "unicast",
            "advertisements": {"matchLabels": {ADVERTISES.0: ADVERTISES.1}},
        })
    };
    spec.insert("families".into(), families.map(family).collect());
    spec.into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::compile::{self, Index};
    use crate::topology::sample::{TWO_CLUSTERS, topology};

    const CONTROLLER: &str = "loadBalancers: {controller: aws-load-balancer-controller}";

    /// What stands under `load-balancer/` of `use1`: kind, version and `spec`.
    fn objects(balancers: &str, cilium: &str) -> Vec<(String, String, Value)> {
        let text = TWO_CLUSTERS
            .replace(&format!("    {CONTROLLER}\n"), "")
            .replace("10.0.1.20]}}", &format!("10.0.9.20]}}}}\n  {balancers}"))
            .replace("[10.1.1.20]}}", "[10.1.1.20]}}\n  loadBalancers: {controller: other}")
            .replace("cilium: 1.19.6", &format!("cilium: {cilium}"));
        let topology = topology(&text);
        let (id, _) = topology.clusters().nth(1).expect("there is `use1`");
        let desired = compile::cluster(&topology, &Index::of(&topology), id);
        let own = |kind: &str| kind.starts_with("CiliumL") || kind.starts_with("CiliumBGP");
        let resources = desired.resources.iter().filter(|resource| own(resource.kind()));
        resources
            .map(|r| (r.kind().to_owned(), r.api_version().to_owned(), r.body["spec"].clone()))
            .collect()
    }

    #[test]
    fn a_pool_has_the_version_of_its_minor() {
        let balancers = "loadBalancers: {controller: lb-ipam, ranges: [10.0.9.20], announce: l2}"
            .replace("10.0.9.20", "10.0.9.16-10.0.9.31");
        for (cilium, version) in [
            ("1.17.18", "cilium.io/v2alpha1"),
            ("1.18.7", "cilium.io/v2"),
            ("1.20.2", "cilium.io/v2"),
        ] {
            let blocks = json!({"blocks": [{"cidr": "10.0.9.16/28"}]});
            let pool = ("CiliumLoadBalancerIPPool".to_owned(), version.to_owned(), blocks);
            let policy = "CiliumL2AnnouncementPolicy".to_owned();
            let policy =
                (policy, "cilium.io/v2alpha1".to_owned(), json!({"loadBalancerIPs": true}));
            assert_eq!(objects(&balancers, cilium), [pool, policy], "{cilium}");
        }
    }

    #[test]
    fn another_controller_s_addresses_are_its_own() {
        let balancers = "loadBalancers: {controller: metallb, ranges: [10.0.9.0/24], announce: l2}";
        assert_eq!(objects(balancers, "1.19.6"), []);
    }

    #[test]
    fn routed_addresses_need_no_announcement() {
        let balancers = "loadBalancers: {controller: lb-ipam, ranges: [10.0.9.0/24]}";
        let kinds: Vec<_> = objects(balancers, "1.19.6").into_iter().map(|o| o.0).collect();
        assert_eq!(kinds, ["CiliumLoadBalancerIPPool"]);
    }
}
