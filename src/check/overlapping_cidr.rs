//! Address ranges that must not meet.

use std::collections::BTreeMap;

use crate::address::plan::{Conflict, Entry, Plan, Use};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports ranges that overlap and must not: pods of two clusters of a flat mesh, pods and
    /// the nodes, networks or Services of any cluster that they can reach, nodes of two clusters;
    /// pods, Services and nodes of one cluster; networks that are joined; subnets of one network;
    /// load balancers of two clusters on one network; and anything in a reserved range. A
    /// cluster that is not (yet) a member of the mesh counts as one.
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
    let plan = Plan::of(topology);
    let mut outer: BTreeMap<usize, usize> = BTreeMap::new();
    for Conflict { outer: around, inner } in plan.conflicts(topology) {
        let count = outer.entry(around).or_default();
        *count += 1;
        if *count <= MOST {
            found.push(finding(topology, &plan.entries[around], &plan.entries[inner]));
        }
    }
    for (around, count) in outer.into_iter().filter(|(_, count)| *count > MOST) {
        let entry = &plan.entries[around];
        let message = format!(
            "{} more ranges meet {} ({})",
            count - MOST,
            whose(topology, entry),
            entry.range
        );
        found.push(Diagnostic::new(&OVERLAPPING_CIDR, entry.span, message));
    }
}

/// Such as: the pods of `use1`.
fn whose(topology: &Topology, entry: &Entry) -> String {
    let used = entry.used.name();
    match (entry.cluster, entry.network) {
        (Some(cluster), _) => format!("the {used} of `{}`", topology.cluster(cluster).name.value),
        (None, Some(network)) => {
            let network = &topology.networks[network.index()];
            let region = &topology.regions[network.region.index()].name.value;
            match entry.used {
                Use::Subnet => format!("a subnet of `{region}/{}`", network.name.value),
                _ => format!("the network `{region}/{}`", network.name.value),
            }
        }
        (None, None) => format!("a {used}"),
    }
}

fn finding(topology: &Topology, a: &Entry, b: &Entry) -> Diagnostic {
    let (first, second) = if a.span <= b.span { (a, b) } else { (b, a) };
    let (one, two) = (whose(topology, first), whose(topology, second));
    let message = if first.range == second.range {
        format!("{one} and {two} have the same range {}", first.range)
    } else {
        format!("{one} ({}) and {two} ({}) overlap", first.range, second.range)
    };
    let reserved = [first, second].into_iter().find(|entry| entry.used == Use::Reserved);
    let because = reserved
        .and_then(|entry| topology.reserved.iter().find(|(cidr, _)| cidr.span == entry.span));
    let finding = Diagnostic::new(&OVERLAPPING_CIDR, second.span, message)
        .label(two)
        .related(first.span, one)
        .help("give each its own range");
    match because {
        Some((_, because)) if !because.is_empty() => {
            finding.note(format!("it is reserved: {because}"))
        }
        _ => finding,
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
        // Clusters of one network may share a range of nodes; Services may repeat.
        let one_network =
            [("region: eu-west-1", "region: us-east-1"), ("10.1.1.0/24", "10.0.1.0/24")];
        assert_eq!(messages(&one_network), [""; 0]);
        assert_eq!(messages(&[("10.97.0.0/16", "10.96.0.0/16")]), [""; 0]);
    }
}
