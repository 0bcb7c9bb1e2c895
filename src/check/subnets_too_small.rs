//! Subnets that do not suffice for the pods in them.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::IpamMode;
use crate::topology::{Cluster, Network, NetworkId, Subnet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a network whose subnets have fewer addresses than its clusters in ENI mode need:
    /// for each of `maxNodes` one for the interface and one for each of `maxPods`, or for one
    /// pod where no `maxPods` is declared. Subnets with `pods: true` count, or all where none
    /// says it.
    ///
    /// ## Why it matters
    /// In ENI mode a pod has an address of a subnet. When there is none left, pods wait in
    /// `ContainerCreating` and nodes join without being able to run anything. A subnet cannot be
    /// enlarged. AWS keeps five addresses of each. Source: Cilium, "AWS ENI"; AWS, "Subnet CIDR
    /// blocks".
    ///
    /// ## Example
    /// ```yaml
    /// subnets: [{cidr: 10.0.1.0/24, zone: us-east-1a, pods: true}]
    /// ---
    /// spec: {ipam: {mode: eni}, maxNodes: 20, maxPods: 58}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// subnets: [{cidr: 10.0.16.0/20, zone: us-east-1a, pods: true}]
    /// ```
    pub static SUBNETS_TOO_SMALL = { code: "LB1008", name: "subnets-too-small", summary: "subnets that do not suffice for the pods in them", severity: Error };
}

/// The addresses of a subnet that AWS keeps: the first four and the last.
const KEPT: u64 = 5;

/// Reports each network whose subnets do not suffice.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut clusters: BTreeMap<NetworkId, Vec<&Cluster>> = BTreeMap::new();
    for cluster in topology.clusters.iter().filter(|one| one.ipam.mode == IpamMode::Eni) {
        clusters.entry(cluster.network).or_default().push(cluster);
    }
    for (id, clusters) in clusters {
        let network = &topology.networks[id.index()];
        let subnets = subnets(network);
        // Where no subnet is declared nothing is known.
        let Some(first) = subnets.first() else { continue };
        let there: u64 = subnets.iter().map(|subnet| addresses(subnet)).sum();
        let needed: u64 = clusters.iter().filter_map(|cluster| needs(cluster)).sum();
        if needed <= there {
            continue;
        }
        let name = &network.name.value;
        let message = format!(
            "the subnets of `{name}` have {there} addresses for nodes and pods, and {needed} are needed"
        );
        let finding = Diagnostic::new(&SUBNETS_TOO_SMALL, first.cidr.span, message);
        let who = clusters.iter().take(4).filter_map(|one| Some((one, one.max_nodes.as_ref()?)));
        let finding = who.fold(finding, |finding, (cluster, nodes)| {
            let needed = needs(cluster).unwrap_or_default();
            finding.related(nodes.span, format!("`{}` needs {needed}", cluster.name.value))
        });
        found.push(finding.help("declare larger subnets, or more of them"));
    }
}

/// The IPv4 subnets from which pods get addresses.
fn subnets(network: &Network) -> Vec<&Subnet> {
    let marked = network.subnets.iter().any(|subnet| subnet.pods);
    let subnets = network.subnets.iter().filter(|subnet| subnet.pods || !marked);
    subnets.filter(|subnet| subnet.cidr.0.addr().is_ipv4()).collect()
}

fn addresses(subnet: &Subnet) -> u64 {
    match subnet.cidr.value.0 {
        IpNet::V4(net) => (1_u64 << (32 - net.prefix_len())).saturating_sub(KEPT),
        IpNet::V6(_) => 0,
    }
}

fn needs(cluster: &Cluster) -> Option<u64> {
    let nodes = cluster.max_nodes.as_ref()?.value.unsigned_abs();
    let pods = cluster.max_pods.as_ref().map_or(1, |most| most.value.unsigned_abs());
    Some(nodes.saturating_mul(1 + pods))
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn found(subnets: &str, nodes: &str) -> Vec<String> {
        let eni = format!("ipam: {{mode: eni}}\n  {nodes}");
        let text = TWO_CLUSTERS
            .replacen(
                "{cidrs: [10.1.0.0/16]}",
                &format!("{{cidrs: [10.1.0.0/16], subnets: [{subnets}]}}"),
                1,
            )
            .replacen("podCIDRs: [100.65.0.0/16]", &eni, 1);
        let found = resolved(&text).1.into_iter();
        found.filter_map(|line| Some(line.split_once("LB1008 ")?.1.to_owned())).collect()
    }

    #[test]
    fn what_is_kept_and_what_is_not_for_pods_does_not_count() {
        let subnets = "{cidr: 10.1.1.0/26}, {cidr: 10.1.2.0/26}";
        assert_eq!(found(subnets, "maxNodes: 59"), [""; 0]);
        let message = |there, needed| {
            format!(
                "the subnets of `main` have {there} addresses for nodes and pods, and {needed} are needed"
            )
        };
        assert_eq!(found(subnets, "maxNodes: 60"), [message(118, 120)]);
        assert_eq!(found(subnets, "maxNodes: 4\n  maxPods: 29"), [message(118, 120)]);
        let marked = "{cidr: 10.1.1.0/26, pods: true}, {cidr: 10.1.2.0/26}";
        assert_eq!(found(marked, "maxNodes: 30"), [message(59, 60)]);
        // What nobody says is not judged.
        assert_eq!(found(marked, "maxPods: 110"), [""; 0]);
        assert_eq!(found("", "maxNodes: 1000"), [""; 0]);
    }
}
