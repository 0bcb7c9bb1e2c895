//! Pod ranges of which Kubernetes cannot give nodes their share.

use ipnet::IpNet;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::{Distribution, IpamMode};
use crate::spec::value::Cidr;
use crate::topology::{Cluster, Topology};

/// The most bits by which a share may be longer than its range.
const MOST_BITS: i64 = 16;

declare_rules! {
    /// ## What it does
    /// Reports a cluster with `ipam: {mode: kubernetes}` that has more than one pod range of a
    /// family, or whose shares (`ipam.maskSize`) are more than 16 bits longer than the range.
    ///
    /// ## Why it matters
    /// Kubernetes' controller manager takes one range of each family, and does not start with
    /// more, nor with a share that is so much smaller than an IPv6 range; kubeadm refuses the
    /// same of IPv4 before that. Source: `processCIDRs` and `NewNodeIpamController` in
    /// `pkg/controller/nodeipam`, `ErrCIDRSetSubNetTooBig` in `ipam/cidrset`;
    /// `ValidatePodSubnetNodeMask` of kubeadm. Managed control planes and other installers
    /// have their own ways, so only those of kubeadm, Talos, k3s and kind are judged.
    ///
    /// ## Example
    /// ```yaml
    /// podCIDRs: [10.1.0.0/17, 10.1.128.0/17]
    /// ipam: {mode: kubernetes}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// podCIDRs: [10.1.0.0/16]
    /// ipam: {mode: kubernetes}
    /// ```
    pub static UNALLOCATABLE_POD_RANGE = { code: "LB2050", name: "unallocatable-pod-range", summary: "pod ranges of which Kubernetes cannot give nodes their share", severity: Error };
}

/// Reports each such range.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        let kubeadm = match cluster.distribution {
            Distribution::Kubeadm | Distribution::Kind => true,
            Distribution::Talos | Distribution::K3s => false,
            Distribution::Eks | Distribution::Aks | Distribution::Gke | Distribution::Other => {
                continue;
            }
        };
        if cluster.ipam.mode != IpamMode::Kubernetes {
            continue;
        }
        let (v4, v6): (Vec<_>, Vec<_>) =
            cluster.pod_cidrs.iter().partition(|cidr| matches!(cidr.0, IpNet::V4(_)));
        family(cluster, "IPv4", &v4, found);
        family(cluster, "IPv6", &v6, found);
        for range in v4.into_iter().filter(|_| kubeadm) {
            share(range, cluster.ipam.mask_v4, found);
        }
        for range in v6 {
            share(range, cluster.ipam.mask_v6, found);
        }
    }
}

fn family(cluster: &Cluster, name: &str, ranges: &[&Spanned<Cidr>], found: &mut Diagnostics) {
    let [first, second, ..] = ranges else { return };
    let (number, cluster) = (ranges.len(), &cluster.name.value);
    let message =
        format!("Kubernetes gives shares of one {name} range, and `{cluster}` has {number}");
    found.push(
        Diagnostic::new(&UNALLOCATABLE_POD_RANGE, second.span, message)
            .related(first.span, "the first one")
            .help("declare one range of each family, or use `ipam: {mode: cluster-pool}`"),
    );
}

fn share(range: &Spanned<Cidr>, mask: i64, found: &mut Diagnostics) {
    let bits = mask - i64::from(range.0.prefix_len());
    if bits > MOST_BITS {
        let message = format!(
            "Kubernetes gives no shares of /{mask} of {}: they are {bits} bits longer, and at \
             most {MOST_BITS} are possible",
            range.0
        );
        let help = "declare a smaller range, or a shorter `ipam.maskSize`";
        found.push(Diagnostic::new(&UNALLOCATABLE_POD_RANGE, range.span, message).help(help));
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// What is found where `use1` has these pods, this IPAM and was installed so.
    fn findings(pods: &str, ipam: &str, distribution: &str) -> Vec<String> {
        let text = TWO_CLUSTERS
            .replace("podCIDRs: [100.64.0.0/16]", &format!("podCIDRs: [{pods}]\n  ipam: {ipam}"))
            .replace("distribution: kubeadm", &format!("distribution: {distribution}"));
        let (_, mut found) = resolved(&text);
        found.retain(|line| line.contains("LB2050"));
        found
    }

    #[test]
    fn one_range_of_each_family_is_possible() {
        let two = "100.64.0.0/17, 100.64.128.0/17";
        for distribution in ["kubeadm", "kind", "talos", "k3s"] {
            assert_eq!(findings(two, "{mode: kubernetes}", distribution).len(), 1);
        }
        for distribution in ["eks", "gke", "aks", "other"] {
            assert!(findings(two, "{mode: kubernetes}", distribution).is_empty());
        }
        assert!(findings(two, "{mode: cluster-pool}", "kubeadm").is_empty());
        let dual = "100.64.0.0/16, \"fd64::/104\"";
        assert!(findings(dual, "{mode: kubernetes}", "kubeadm").is_empty());
    }

    #[test]
    fn a_share_is_at_most_16_bits_longer() {
        let mask = |size: u8| format!("{{mode: kubernetes, maskSize: {{ipv6: {size}}}}}");
        for distribution in ["kubeadm", "talos"] {
            assert!(findings("\"fd64::/56\"", &mask(72), distribution).is_empty());
            assert_eq!(findings("\"fd64::/56\"", &mask(73), distribution).len(), 1);
        }
        let v4 = "{mode: kubernetes, maskSize: {ipv4: 25}}";
        assert_eq!(findings("100.0.0.0/8", v4, "kubeadm").len(), 1);
        assert!(findings("100.0.0.0/8", v4, "talos").is_empty());
    }
}
