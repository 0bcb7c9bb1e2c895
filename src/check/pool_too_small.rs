//! Pod ranges that do not suffice for the nodes.

use ipnet::IpNet;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::cluster::IpamMode;
use crate::spec::value::Cidr;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a cluster whose pod ranges have fewer node shares of `ipam.maskSize` than
    /// `maxNodes`, and a share that is larger than a range.
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
        if !matches!(cluster.ipam.mode, IpamMode::ClusterPool | IpamMode::Kubernetes) {
            continue;
        }
        let (v4, v6): (Vec<_>, Vec<_>) =
            cluster.pod_cidrs.iter().partition(|cidr| matches!(cidr.0, IpNet::V4(_)));
        family(cluster, &v4, cluster.ipam.mask_v4, found);
        family(cluster, &v6, cluster.ipam.mask_v6, found);
    }
}

fn family(cluster: &Cluster, ranges: &[&Spanned<Cidr>], mask: i64, found: &mut Diagnostics) {
    let mut shares = 0_u128;
    for range in ranges {
        let bits = mask - i64::from(range.0.prefix_len());
        if let Ok(bits) = u32::try_from(bits) {
            shares = shares.saturating_add(1_u128.checked_shl(bits).unwrap_or(u128::MAX));
            continue;
        }
        let message = format!("a node's share of /{mask} does not fit into {}", range.0);
        let finding = Diagnostic::new(&POOL_TOO_SMALL, range.span, message);
        found.push(finding.help("declare a larger range, or a longer `ipam.maskSize`"));
    }
    let Some(most) = &cluster.max_nodes else { return };
    let needed = u128::try_from(most.value).unwrap_or(0);
    let Some(first) = ranges.first().filter(|_| shares > 0 && shares < needed) else { return };
    let span: Span = first.span;
    let message = format!(
        "the pod ranges of `{}` suffice for {shares} nodes of /{mask}, not for {needed}",
        cluster.name.value
    );
    found.push(
        Diagnostic::new(&POOL_TOO_SMALL, span, message)
            .related(most.span, "so many nodes are planned")
            .help("declare larger ranges, or append one"),
    );
}
