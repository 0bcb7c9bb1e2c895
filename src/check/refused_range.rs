//! Ranges that a provider refuses.

use ipnet::{IpNet, Ipv4Net};

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::Distribution;
use crate::spec::region::Provider;
use crate::spec::value::Cidr;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports IPv4 ranges that AWS does not take: of a VPC or a subnet that is larger than /16
    /// or smaller than /28, and of an EKS cluster's Services that lie in none of `10.0.0.0/8`,
    /// `172.16.0.0/12` and `192.168.0.0/16`, or are larger than /12 or smaller than /24.
    ///
    /// ## Why it matters
    /// The VPC or the cluster is not made, at the end of a plan whose other ranges were built
    /// around it. A larger VPC has several ranges. Source: AWS, "VPC CIDR blocks" and "Subnet
    /// CIDR blocks"; EKS API, `KubernetesNetworkConfigRequest`.
    ///
    /// ## Example
    /// ```yaml
    /// us-east-1: {provider: aws, networks: {main: {cidrs: [10.0.0.0/12]}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// us-east-1: {provider: aws, networks: {main: {cidrs: [10.0.0.0/16, 10.1.0.0/16]}}}
    /// ```
    pub static REFUSED_RANGE = { code: "LB1009", name: "refused-range", summary: "a range that the provider refuses", severity: Error };
}

/// Reports each range of a VPC, a subnet and an EKS cluster's Services that AWS refuses.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for network in &topology.networks {
        if topology.regions[network.region.index()].provider != Provider::Aws {
            continue;
        }
        network.cidrs.iter().for_each(|cidr| size("VPC", cidr, (16, 28), found));
        let subnets = network.subnets.iter().map(|subnet| &subnet.cidr);
        subnets.for_each(|cidr| size("subnet", cidr, (16, 28), found));
    }
    let eks = topology.clusters.iter().filter(|one| one.distribution == Distribution::Eks);
    for cidr in eks.flat_map(|cluster| &cluster.service_cidrs) {
        let IpNet::V4(net) = cidr.value.0 else { continue };
        if private(net) {
            size("range of an EKS cluster's Services", cidr, (12, 24), found);
        } else {
            let message = format!("EKS takes no Services from {net}");
            let help = "use a range in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16";
            found.push(Diagnostic::new(&REFUSED_RANGE, cidr.span, message).help(help));
        }
    }
}

/// Whether it lies in one of the blocks of RFC 1918.
fn private(net: Ipv4Net) -> bool {
    let blocks = [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)];
    blocks.into_iter().any(|(address, length)| {
        net.prefix_len() >= length
            && Ipv4Net::new(address.into(), length).is_ok_and(|block| block.contains(&net))
    })
}

fn size(what: &str, cidr: &Spanned<Cidr>, (widest, narrowest): (u8, u8), found: &mut Diagnostics) {
    let IpNet::V4(net) = cidr.value.0 else { return };
    if (widest..=narrowest).contains(&net.prefix_len()) {
        return;
    }
    let message = format!("AWS takes no {what} of /{}", net.prefix_len());
    let help = format!("use a range from /{widest} to /{narrowest}");
    found.push(Diagnostic::new(&REFUSED_RANGE, cidr.span, message).help(help));
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn found(from: &str, to: &str) -> Vec<String> {
        assert!(TWO_CLUSTERS.contains(from), "{from}");
        let found = resolved(&TWO_CLUSTERS.replacen(from, to, 1)).1.into_iter();
        found.filter_map(|line| Some(line.split_once("LB1009 ")?.1.to_owned())).collect()
    }

    #[test]
    fn sizes_and_blocks_are_those_of_aws() {
        let vpc = "{cidrs: [10.1.0.0/16]}";
        assert_eq!(found(vpc, "{cidrs: [10.1.0.0/28, 10.1.0.0/16]}"), [""; 0]);
        assert_eq!(found(vpc, "{cidrs: [10.0.0.0/15]}"), ["AWS takes no VPC of /15"]);
        let subnets = "{cidrs: [10.1.0.0/16], subnets: [{cidr: 10.1.0.0/29}]}";
        assert_eq!(found(vpc, subnets), ["AWS takes no subnet of /29"]);
        let services = |range: &str| {
            found(
                "serviceCIDRs: [10.97.0.0/16]",
                &format!("distribution: eks\n  serviceCIDRs: [{range}]"),
            )
        };
        assert_eq!(services("172.16.0.0/12"), [""; 0]);
        assert_eq!(services("192.168.0.0/15"), ["EKS takes no Services from 192.168.0.0/15"]);
        assert_eq!(services("100.96.0.0/16"), ["EKS takes no Services from 100.96.0.0/16"]);
        assert_eq!(
            services("10.97.0.0/25"),
            ["AWS takes no range of an EKS cluster's Services of /25"]
        );
    }
}
