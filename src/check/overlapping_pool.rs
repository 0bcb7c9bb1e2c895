//! Hand-written pools beside the generated one.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::source::{Span, Spanned};
use crate::spec::cluster::LoadBalancerController;
use crate::spec::value::IpRange;
use crate::topology::Topology;
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports a `CiliumLoadBalancerIPPool` among the hand-written manifests that has addresses of
    /// the declared `loadBalancers.ranges` of a cluster that it is applied to.
    ///
    /// ## Why it matters
    /// A pool with those ranges is generated. Of two pools that overlap, Cilium's operator marks
    /// the one that was added last as conflicting and gives no address of it. Source: Cilium,
    /// "LB IPAM", Conflicts.
    ///
    /// ## Example
    /// ```yaml
    /// kind: CiliumLoadBalancerIPPool
    /// spec: {blocks: [{start: 10.2.0.200, stop: 10.2.0.209}]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// loadBalancers: {controller: lb-ipam, ranges: [10.2.0.200-10.2.0.209], announce: l2}
    /// ```
    pub static OVERLAPPING_POOL = { code: "LB2058", name: "overlapping-pool", summary: "a hand-written pool with addresses of the generated one", severity: Error };
}

/// Most pairs of a hand-written block and a declared range that are compared.
const MOST: usize = 20_000_000;

/// Reports each such block.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut left = MOST;
    for set in &topology.manifests {
        for object in &set.objects {
            for (span, block) in written(object) {
                let mut own = None;
                for cluster in set.clusters.iter().map(|id| topology.cluster(id)) {
                    let controller = cluster.load_balancer.as_ref().map(|known| known.value);
                    if controller != Some(LoadBalancerController::LbIpam) {
                        continue;
                    }
                    let ranges = &cluster.load_balancer_ranges;
                    let Some(rest) = left.checked_sub(ranges.len()) else {
                        let what = "whether hand-written pools overlap generated ones";
                        let why = "there are more of them than are compared";
                        return found.not_checked(set.span, what, why);
                    };
                    left = rest;
                    if let Some(range) = ranges.iter().find(|range| meet(&range.value, &block)) {
                        own = Some((cluster, range));
                        break;
                    }
                }
                let Some((cluster, range)) = own else { continue };
                found.push(finding(object, span, &cluster.name, range.span));
            }
        }
    }
}

fn finding(object: &Manifest, span: Span, cluster: &Spanned<String>, range: Span) -> Diagnostic {
    let (pool, cluster) = (&object.name.value, &cluster.value);
    let message = format!("the pool `{pool}` has addresses of the generated pool of `{cluster}`");
    Diagnostic::new(&OVERLAPPING_POOL, span, message)
        .related(range, "a pool is generated from this range")
        .help("remove the hand-written pool, or the range")
}

fn meet(a: &IpRange, b: &IpRange) -> bool {
    a.first.is_ipv4() == b.first.is_ipv4() && a.first <= b.last && b.first <= a.last
}

/// The blocks of a hand-written pool that can be read; nothing for any other object, and for a
/// pool that is switched off.
pub(super) fn written(object: &Manifest) -> Vec<(Span, IpRange)> {
    let off = object.at(&["spec", "disabled"]).and_then(Node::text) == Some("true");
    if off || !object.is("cilium.io", "CiliumLoadBalancerIPPool") {
        return Vec::new();
    }
    let blocks = object.at(&["spec", "blocks"]).and_then(Node::items).unwrap_or_default();
    blocks.iter().filter_map(|node| Some((node.span, block(node)?))).collect()
}

/// Host bits of a CIDR do not count; a block without `stop` is one address.
fn block(node: &Node) -> Option<IpRange> {
    if let Some(cidr) = node.get("cidr").and_then(Node::text) {
        let network: ipnet::IpNet = cidr.parse().ok()?;
        return Some(IpRange { first: network.network(), last: network.broadcast() });
    }
    let first = node.get("start").and_then(Node::text)?.parse().ok()?;
    let last = match node.get("stop").and_then(Node::text) {
        Some(stop) => stop.parse().ok()?,
        None => first,
    };
    Some(IpRange { first, last })
}
