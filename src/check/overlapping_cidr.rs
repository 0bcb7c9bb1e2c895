//! Address ranges that must not meet.

use std::collections::BTreeMap;

use crate::address::plan::{Entry, Plan, Use};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports ranges that overlap and must not: pods of two clusters of a flat mesh, pods and
    /// the nodes, networks or Services of any cluster that they can reach, nodes of two clusters;
    /// pods, Services, nodes and pools of one cluster; networks that are joined, and pods and
    /// Services with addresses of a network that theirs is joined with; subnets of one network;
    /// load balancers of two clusters on one network; and anything in a reserved range. A
    /// cluster that is not (yet) a member of the mesh counts as one, and so does one whose
    /// version is not known. Networks without a path between them may overlap, unless clusters
    /// of one flat mesh stand in both. A peering joins its two ends and nothing further.
    ///
    /// ## Why it matters
    /// In a flat mesh every pod address and every node address is unique, or packets for one pod
    /// reach another. Re-addressing a running cluster means rebuilding it. In an island mesh pod
    /// ranges may repeat. Source: Cilium's guide "Setting up Cluster Mesh".
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {name: use1}
    /// spec: {podCIDRs: [10.244.0.0/16]}
    /// ---
    /// metadata: {name: euw1}
    /// spec: {podCIDRs: [10.244.0.0/16]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// metadata: {name: euw1}
    /// spec: {podCIDRs: [10.245.0.0/16]}
    /// ```
    pub static OVERLAPPING_CIDR = { code: "LB1001", name: "overlapping-cidr", summary: "address ranges that must not meet", severity: Error };
}

/// Most findings that one range is named in; the rest is counted.
const MOST: usize = 8;

/// Reports each pair of ranges that meet and must not.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let reasons = topology.reserved.iter().map(|(cidr, why)| (cidr.span, why.as_str()));
    let names = Names { topology, plan: &Plan::of(topology), reasons: reasons.collect() };
    let conflicts = names.plan.conflicts(topology);
    for group in conflicts.chunk_by(|a, b| a.outer == b.outer) {
        let around = &names.plan.entries[group[0].outer];
        for conflict in group.iter().take(MOST) {
            found.push(names.finding(around, &names.plan.entries[conflict.inner]));
        }
        if let Some(more) = group.len().checked_sub(MOST).filter(|more| *more > 0) {
            let message =
                format!("{more} more ranges meet {} ({})", names.whose(around), around.range);
            found.push(Diagnostic::new(&OVERLAPPING_CIDR, around.span, message));
        }
    }
}

/// What a finding needs to speak of ranges.
struct Names<'a> {
    topology: &'a Topology,
    plan: &'a Plan,
    /// Why ranges are reserved.
    reasons: BTreeMap<Span, &'a str>,
}

impl Names<'_> {
    /// Such as: the pods of `use1`.
    fn whose(&self, entry: &Entry) -> String {
        let used = entry.used.name();
        match (entry.cluster, entry.network) {
            (Some(cluster), _) => {
                let cluster = &self.plan.clusters[cluster].name.value;
                let article = if entry.used == Use::Pool { "a" } else { "the" };
                format!("{article} {used} of `{cluster}`")
            }
            (None, Some(network)) => {
                let network = &self.topology.networks[network.index()];
                let region = &self.topology.regions[network.region.index()].name.value;
                match entry.used {
                    Use::Subnet => format!("a subnet of `{region}/{}`", network.name.value),
                    _ => format!("the network `{region}/{}`", network.name.value),
                }
            }
            (None, None) => format!("a {used}"),
        }
    }

    fn finding(&self, a: &Entry, b: &Entry) -> Diagnostic {
        let (first, second) = if a.span <= b.span { (a, b) } else { (b, a) };
        let (one, two) = (self.whose(first), self.whose(second));
        let message = if first.range == second.range {
            format!("{one} and {two} have the same range {}", first.range)
        } else {
            format!("{one} ({}) and {two} ({}) overlap", first.range, second.range)
        };
        let reserved = [first, second].into_iter().find(|entry| entry.used == Use::Reserved);
        let because = reserved.and_then(|entry| self.reasons.get(&entry.span));
        let finding = Diagnostic::new(&OVERLAPPING_CIDR, second.span, message);
        // Ranges that several clusters inherit stand once.
        let finding = if first.span == second.span {
            finding
        } else {
            finding.label(two).related(first.span, one)
        };
        let finding = finding.help("give each its own range");
        match because {
            Some(because) if !because.is_empty() => {
                finding.note(format!("it is reserved: {because}"))
            }
            _ => finding,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn messages(changes: &[(&str, &str)]) -> Vec<String> {
        let mut text = TWO_CLUSTERS.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let (_, found) = resolved(&text);
        found.into_iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn what_must_not_meet_is_found() {
        for (from, to, message) in [
            (
                "podCIDRs: [100.65.0.0/16]",
                "podCIDRs: [100.64.128.0/17]",
                "the pods of `use1` (100.64.0.0/16) and the pods of `euw1` (100.64.128.0/17) overlap",
            ),
            (
                "podCIDRs: [100.65.0.0/16]",
                "podCIDRs: [10.0.1.0/24]",
                "the nodes of `use1` and the pods of `euw1` have the same range 10.0.1.0/24",
            ),
            (
                "serviceCIDRs: [10.97.0.0/16]",
                "serviceCIDRs: [100.65.4.0/22]",
                "the pods of `euw1` (100.65.0.0/16) and the Services of `euw1` (100.65.4.0/22) overlap",
            ),
            (
                "  regions:",
                "  reserved: [{cidrs: [100.65.0.0/24], because: office VPN}]\n  regions:",
                "a reserved range (100.65.0.0/24) and the pods of `euw1` (100.65.0.0/16) overlap",
            ),
            (
                "{cidrs: [10.1.0.0/16]}",
                "{cidrs: [10.1.0.0/16], subnets: [{cidr: 10.1.1.0/24}, {cidr: 10.1.1.128/25}]}",
                "a subnet of `eu-west-1/main` (10.1.1.0/24) and a subnet of `eu-west-1/main` (10.1.1.128/25) overlap",
            ),
        ] {
            let found = messages(&[(from, to)]);
            assert!(found.contains(&format!("LB1001 {message}")), "{message}: {found:#?}");
        }
    }

    #[test]
    fn what_may_meet_is_not() {
        let island = ("mesh:\n", "mesh:\n    networking: island\n");
        assert_eq!(messages(&[island, ("100.65.0.0/16", "100.64.0.0/16")]), [""; 0]);
        // Clusters of one network may share a range of nodes.
        let one_network =
            [("region: eu-west-1", "region: us-east-1"), ("10.1.1.0/24", "10.0.1.0/24")];
        assert_eq!(messages(&one_network), [""; 0]);
    }

    #[test]
    fn networks_without_a_path_may_overlap() {
        let region = |more: &str| {
            format!("  regions:\n    lab: {{networks: {{main: {{cidrs: [10.1.0.0/16]}}}}}}\n{more}")
        };
        let alone = region("");
        assert_eq!(messages(&[("  regions:\n", &alone)]), [""; 0]);
        let line =
            |between: &str, kind: &str| format!("    - {{between: [{between}], type: {kind}}}\n");
        let all = line("us-east-1, eu-west-1", "transit-gateway");
        let peered =
            format!("  interconnects:\n{all}{}{alone}", line("lab, us-east-1", "vpc-peering"));
        // The peer of a member's network is seen by the mesh.
        let seen = messages(&[("  regions:\n", &peered)]);
        assert_eq!(
            seen,
            [
                "LB1001 the network `lab/main` and the network `eu-west-1/main` have the same range 10.1.0.0/16"
            ]
        );
    }

    #[test]
    fn a_cluster_without_a_version_counts() {
        let found = messages(&[(
            "podCIDRs: [100.65.0.0/16]",
            "podCIDRs: [100.64.0.0/16]\n  versions: {cilium: latest}",
        )]);
        let pods =
            "LB1001 the pods of `use1` and the pods of `euw1` have the same range 100.64.0.0/16";
        assert!(found.contains(&pods.to_owned()), "{found:#?}");
    }

    #[test]
    fn pools_are_pods() {
        let pools = |ranges: &str| {
            let pools =
                format!("podCIDRs: [100.65.0.0/16]\n  ipam: {{mode: multi-pool, pools: {ranges}}}");
            messages(&[("podCIDRs: [100.65.0.0/16]", &pools)])
        };
        assert_eq!(
            pools("{default: {cidrs: [100.65.0.0/17]}, more: {cidrs: [100.65.128.0/17]}}"),
            [""; 0]
        );
        assert_eq!(
            pools("{default: {cidrs: [100.65.0.0/17]}, more: {cidrs: [100.65.64.0/24]}}"),
            [
                "LB1001 a pool of `euw1` (100.65.0.0/17) and a pool of `euw1` (100.65.64.0/24) overlap"
            ]
        );
        assert_eq!(
            pools("{default: {cidrs: [100.65.0.0/17]}, more: {cidrs: [100.64.3.0/24]}}"),
            [
                "LB1001 the pods of `use1` (100.64.0.0/16) and the pods of `euw1` (100.64.3.0/24) overlap"
            ]
        );
    }
}
