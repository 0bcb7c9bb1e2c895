//! Pod ranges that do not suffice for the nodes.

use ipnet::IpNet;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::IpamMode;
use crate::spec::value::Cidr;
use crate::topology::{Cluster, Ipam, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a cluster whose pod ranges, or whose pool `default`, have fewer node shares of
    /// `ipam.maskSize` than `maxNodes`; a share that is larger than a range, and one that has
    /// fewer addresses than `maxPods`.
    ///
    /// ## Why it matters
    /// A node without a share gets no pods: the cluster stops growing, usually at night. Ranges
    /// can be appended to a running cluster; their share size cannot be changed. Source:
    /// Cilium, "Cluster Scope (Default)" of IPAM.
    ///
    /// ## Example
    /// ```yaml
    /// podCIDRs: [10.1.0.0/20]
    /// ipam: {maskSize: {ipv4: 24}}
    /// maxNodes: 120
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// podCIDRs: [10.1.0.0/16]
    /// ```
    pub static POOL_TOO_SMALL = { code: "LB1004", name: "pool-too-small", summary: "pod ranges that do not suffice for the nodes", severity: Error };
}

/// Reports each family of a cluster with too few shares.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        let Ipam { mask_v4, mask_v6, pools, .. } = &cluster.ipam;
        match cluster.ipam.mode {
            IpamMode::ClusterPool | IpamMode::Kubernetes => {
                let pool = Shares { cluster, of: "the pod ranges", fixed: true };
                pool.families(&cluster.pod_cidrs, (*mask_v4, *mask_v6), found);
            }
            // A node takes from `default` whatever else it takes.
            IpamMode::MultiPool => {
                for pool in pools {
                    let masks = (pool.mask_v4, pool.mask_v6);
                    let most = pool.name.value == "default";
                    let of = if most { "the pool `default`" } else { "" };
                    Shares { cluster, of, fixed: false }.families(&pool.cidrs, masks, found);
                }
            }
            IpamMode::Eni | IpamMode::Delegated => {}
        }
    }
}

/// What nodes take their shares of.
struct Shares<'a> {
    cluster: &'a Cluster,
    /// What it is called, if every node has a share of it.
    of: &'static str,
    /// Whether a node has one share for ever.
    fixed: bool,
}

impl Shares<'_> {
    fn families(&self, ranges: &[Spanned<Cidr>], masks: (i64, i64), found: &mut Diagnostics) {
        let (v4, v6): (Vec<_>, Vec<_>) =
            ranges.iter().partition(|cidr| matches!(cidr.0, IpNet::V4(_)));
        self.family(&v4, masks.0, 32, found);
        self.family(&v6, masks.1, 128, found);
    }

    fn family(&self, ranges: &[&Spanned<Cidr>], mask: i64, bits: i64, found: &mut Diagnostics) {
        let mut shares = 0_u128;
        for range in ranges {
            let more = mask - i64::from(range.0.prefix_len());
            if let Ok(more) = u32::try_from(more) {
                shares = shares.saturating_add(power(more));
                continue;
            }
            let message = format!("a node's share of /{mask} does not fit into {}", range.0);
            let finding = Diagnostic::new(&POOL_TOO_SMALL, range.span, message);
            found.push(finding.help("declare a larger range, or a longer `ipam.maskSize`"));
        }
        let Some(first) = ranges.first().filter(|_| shares > 0 && !self.of.is_empty()) else {
            return;
        };
        let name = &self.cluster.name.value;
        if let Some(most) = &self.cluster.max_nodes
            && shares < u128::from(most.value.unsigned_abs())
        {
            let (of, needed) = (self.of, most.value);
            let suffices = if self.fixed { "suffice" } else { "suffices" };
            let message = format!(
                "{of} of `{name}` {suffices} for {shares} nodes of /{mask}, not for {needed}"
            );
            found.push(
                Diagnostic::new(&POOL_TOO_SMALL, first.span, message)
                    .related(most.span, "so many nodes are planned")
                    .help("declare larger ranges, or append one"),
            );
        }
        let size = power(u32::try_from(bits - mask).unwrap_or_default());
        if let Some(most) = self.cluster.max_pods.as_ref().filter(|_| self.fixed)
            && size < u128::from(most.value.unsigned_abs())
        {
            let message = format!(
                "a node of `{name}` has {size} addresses of /{mask} for {} pods",
                most.value
            );
            found.push(
                Diagnostic::new(&POOL_TOO_SMALL, self.cluster.ipam.span, message)
                    .related(most.span, "so many pods may run on a node")
                    .help("declare a shorter `ipam.maskSize` before the first node is there"),
            );
        }
    }
}

fn power(bits: u32) -> u128 {
    1_u128.checked_shl(bits).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn found(pods: &str) -> Vec<String> {
        let text = TWO_CLUSTERS.replacen("podCIDRs: [100.65.0.0/16]", pods, 1);
        let found = resolved(&text).1.into_iter();
        found.filter_map(|line| Some(line.split_once("LB1004 ")?.1.to_owned())).collect()
    }

    #[test]
    fn each_mode_counts_what_a_node_takes() {
        let pool = "podCIDRs: [100.65.0.0/20]\n  ipam: {maskSize: {ipv4: 25}}";
        assert_eq!(found(&format!("{pool}\n  maxNodes: 32\n  maxPods: 110")), [""; 0]);
        assert_eq!(
            found(&format!("{pool}\n  maxNodes: 33\n  maxPods: 250")),
            [
                "the pod ranges of `euw1` suffice for 32 nodes of /25, not for 33",
                "a node of `euw1` has 128 addresses of /25 for 250 pods",
            ]
        );
        let pools = "podCIDRs: [100.65.0.0/16]\n  ipam: {mode: multi-pool, maskSize: {ipv4: 26}, pools: {default: {cidrs: [100.65.0.0/24]}, more: {cidrs: [100.65.1.0/30]}}}";
        assert_eq!(
            found(&format!("{pools}\n  maxNodes: 5\n  maxPods: 250")),
            [
                "the pool `default` of `euw1` suffices for 4 nodes of /26, not for 5",
                "a node's share of /26 does not fit into 100.65.1.0/30",
            ]
        );
    }
}
