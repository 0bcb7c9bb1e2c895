//! Members of a flat mesh that no interconnect joins.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::domain::{Paths, paths};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::{Cluster, NetworkId, Topology};

declare_rules! {
    /// ## What it does
    /// Reports members of a flat mesh whose networks no interconnect joins, where the topology
    /// declares interconnects at all. A peering joins its two ends only; transit gateways,
    /// lines, tunnels and the internet carry on to whatever they are joined with.
    ///
    /// ## Why it matters
    /// In a flat mesh nodes of every two clusters reach each other. A mesh of three regions with
    /// two peerings has a pair that cannot, and peering is not transitive. Source: AWS,
    /// "VPC peering limitations"; Azure, "Virtual network peering".
    ///
    /// ## Example
    /// ```yaml
    /// interconnects:
    ///   - {between: [us-east-1, eu-west-1], type: vpc-peering}
    ///   - {between: [eu-west-1, ap-southeast-1], type: vpc-peering}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// interconnects:
    ///   - {between: [us-east-1, eu-west-1, ap-southeast-1], type: transit-gateway}
    /// ```
    pub static DISCONNECTED_CLUSTERS = { code: "LB1003", name: "disconnected-clusters", summary: "members of a flat mesh that no interconnect joins", severity: Error };
}

/// Reports each member that cannot reach some earlier one, with the first such.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    if topology.interconnects.is_empty() {
        return;
    }
    let paths = paths(topology);
    let touching = touching(topology);
    let mut earlier = Earlier::default();
    for cluster in topology.clusters.iter().filter(|cluster| cluster.in_mesh) {
        let other = earlier.apart(&paths, cluster);
        earlier.add(&paths, cluster);
        let Some(other) = other else { continue };
        let (one, two) = (&other.name, &cluster.name);
        let message =
            format!("no interconnect joins the networks of `{}` and `{}`", one.value, two.value);
        let finding = Diagnostic::new(&DISCONNECTED_CLUSTERS, two.span, message)
            .related(one.span, "the other cluster")
            .help("declare the interconnect between them, or use one that is transitive");
        found.push(touching[cluster.network.index()].iter().fold(finding, |finding, span| {
            finding.related(*span, format!("joins `{}` with others", two.value))
        }));
    }
}

/// Where the first few interconnects of each network stand.
fn touching(topology: &Topology) -> Vec<Vec<Span>> {
    let mut touching = vec![Vec::new(); topology.networks.len()];
    for interconnect in &topology.interconnects {
        for network in &interconnect.networks {
            let own: &mut Vec<Span> = &mut touching[network.index()];
            if own.len() < 3 && own.last() != Some(&interconnect.span) {
                own.push(interconnect.span);
            }
        }
    }
    touching
}

/// The members so far: the first of each network, by the set that the network is in. Those of a
/// set are joined, so that only networks that are peered are looked at in vain.
#[derive(Default)]
struct Earlier<'a> {
    sets: BTreeMap<usize, Vec<&'a Cluster>>,
    networks: BTreeSet<NetworkId>,
}

impl<'a> Earlier<'a> {
    fn apart(&self, paths: &Paths, cluster: &Cluster) -> Option<&'a Cluster> {
        let own = paths.set(cluster.network);
        let others = self.sets.iter().filter(|(set, _)| **set != own).flat_map(|(_, of)| of);
        others.copied().find(|other| !paths.joined(cluster.network, other.network))
    }

    fn add(&mut self, paths: &Paths, cluster: &'a Cluster) {
        if self.networks.insert(cluster.network) {
            self.sets.entry(paths.set(cluster.network)).or_default().push(cluster);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    const THIRD: &str = r"
---
apiVersion: landbridge.dev/v1alpha1
kind: Cluster
metadata: {name: apse1}
spec:
  region: ap-southeast-1
  id: 3
  podCIDRs: [100.66.0.0/16]
  apiServer: {host: api.apse1.internal, port: 6443}
  clustermesh: {endpoint: {ips: [10.2.1.20]}}
";

    fn with(interconnects: &str) -> Vec<String> {
        let regions =
            "    ap-southeast-1: {provider: aws, networks: {main: {cidrs: [10.2.0.0/16]}}}\n";
        let topology = TWO_CLUSTERS.replacen(
            "---",
            &format!("{regions}  interconnects:\n{interconnects}---"),
            1,
        );
        resolved(&format!("{topology}{THIRD}")).1
    }

    #[test]
    fn peering_is_not_transitive() {
        let chain = |kind: &str| {
            with(&format!(
                "    - {{between: [us-east-1, eu-west-1], type: {kind}}}\n    - {{between: [eu-west-1, ap-southeast-1], type: {kind}}}\n"
            ))
        };
        assert_eq!(chain("transit-gateway"), [""; 0]);
        assert_eq!(chain("internet"), [""; 0]);
        let found = chain("vpc-peering");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(
            found[0].ends_with("no interconnect joins the networks of `apse1` and `use1`"),
            "{found:?}"
        );
    }
}
