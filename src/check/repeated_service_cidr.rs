//! Clusters of one mesh with the same Service addresses.

use crate::address::overlap::order;
use crate::address::plan::{Entry, Plan, Use};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::mesh::Networking;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports clusters of a flat mesh whose Service ranges overlap, members or not yet.
    ///
    /// ## Why it matters
    /// A Service's address is translated in the caller's own cluster, so the mesh works without
    /// unique ones, and Cilium's guide does not ask for them. What is addressed from another
    /// cluster does: a ClusterMesh API server behind a `ClusterIP`, DNS servers, anything that is
    /// routed. Cilium's guides for AKS and kind give each cluster its own. Source: Cilium,
    /// "AKS-to-AKS Clustermesh Preparation" and "Installation Using Kind".
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {name: use1}
    /// spec: {serviceCIDRs: [10.96.0.0/16]}
    /// ---
    /// metadata: {name: euw1}
    /// spec: {serviceCIDRs: [10.96.0.0/16]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// metadata: {name: euw1}
    /// spec: {serviceCIDRs: [10.97.0.0/16]}
    /// ```
    pub static REPEATED_SERVICE_CIDR = { code: "LB1007", name: "repeated-service-cidr", summary: "Service ranges of several clusters that overlap", severity: Warning };
}

/// Most clusters that one finding names.
const MOST: usize = 4;

/// Reports each group of ranges that overlap.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    if topology.mesh.networking != Networking::Flat {
        return;
    }
    let plan = Plan::of(topology);
    let services = plan.entries.iter().filter(|entry| entry.used == Use::Services);
    let mut services: Vec<&Entry> = services.collect();
    services.sort_by_key(|entry| (order(&entry.range), entry.cluster));
    let mut rest = &services[..];
    while let [widest, ..] = rest {
        // What lies in a range comes right behind it.
        let inside = rest.partition_point(|entry| widest.range.contains(&entry.range));
        let (group, more) = rest.split_at(inside);
        rest = more;
        if let Some(finding) = finding(&plan, group) {
            found.push(finding);
        }
    }
}

/// The ranges of a group, one for each cluster; nothing where it is one cluster's.
fn finding(plan: &Plan, group: &[&Entry]) -> Option<Diagnostic> {
    let mut owners: Vec<(usize, &Entry)> =
        group.iter().filter_map(|entry| Some((entry.cluster?, *entry))).collect();
    owners.sort_by_key(|(cluster, entry)| (*cluster, entry.span));
    owners.dedup_by_key(|(cluster, _)| *cluster);
    let [(_, first), .., (_, last)] = owners[..] else { return None };
    let name = |cluster: usize| format!("`{}`", plan.clusters[cluster].name.value);
    let names: Vec<_> = owners.iter().take(MOST).map(|(cluster, _)| name(*cluster)).collect();
    let who = match owners.len().checked_sub(MOST) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more clusters", names.join(", ")),
    };
    let message = if first.range == last.range {
        format!("the Services of {who} have the same range {}", first.range)
    } else {
        format!("the Services of {who} have overlapping ranges")
    };
    let mut related: Vec<_> = owners.iter().take(MOST).collect();
    let at = related.remove(1).1.span;
    related.retain(|(_, entry)| entry.span != at);
    let finding = Diagnostic::new(&REPEATED_SERVICE_CIDR, at, message);
    let finding = related.into_iter().fold(finding, |finding, (cluster, entry)| {
        finding.related(entry.span, format!("{} of {}", entry.range, name(*cluster)))
    });
    Some(finding.help("give each cluster its own Service range before it is installed"))
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn found(changes: &[(&str, &str)]) -> Vec<String> {
        let text = changes.iter().fold(TWO_CLUSTERS.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let found = resolved(&text).1.into_iter();
        found.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn a_group_is_one_finding() {
        let same = ("10.97.0.0/16", "10.96.0.0/16");
        let message = "LB1007 the Services of `euw1`, `use1` have the same range 10.96.0.0/16";
        assert_eq!(found(&[same]), [message]);
        let inside = found(&[("10.97.0.0/16", "10.96.4.0/24")]);
        assert_eq!(inside, ["LB1007 the Services of `euw1`, `use1` have overlapping ranges"]);
        let island = ("mesh:\n", "mesh:\n    networking: island\n");
        assert_eq!(found(&[same, island]), [""; 0]);
        let later = ("region: eu-west-1\n", "region: eu-west-1\n  mesh: false\n");
        assert_eq!(found(&[same, later]), [message]);
    }
}
