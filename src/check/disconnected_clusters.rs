//! Members of a flat mesh that no interconnect joins.

use crate::address::plan::paths;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

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
    let members: Vec<_> = topology.clusters.iter().filter(|cluster| cluster.in_mesh).collect();
    for (at, cluster) in members.iter().enumerate() {
        let apart =
            |other: &&&crate::topology::Cluster| !paths.joined(cluster.network, other.network);
        let Some(other) = members[..at].iter().find(apart) else { continue };
        let (one, two) = (&other.name, &cluster.name);
        let message =
            format!("no interconnect joins the networks of `{}` and `{}`", one.value, two.value);
        let finding = Diagnostic::new(&DISCONNECTED_CLUSTERS, two.span, message)
            .related(one.span, "the other cluster")
            .help("declare the interconnect between them, or use one that is transitive");
        let touching = topology
            .interconnects
            .iter()
            .filter(|interconnect| interconnect.networks.contains(&cluster.network));
        let touching = touching.take(3);
        found.push(touching.fold(finding, |finding, interconnect| {
            finding.related(interconnect.span, format!("joins `{}` with others", two.value))
        }));
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
