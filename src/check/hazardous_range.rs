//! Ranges that break something else on the machines.

use crate::address::Range;
use crate::address::hazard::{Hazard, Hazards};
use crate::address::plan::Plan;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports ranges that meet addresses with a meaning of their own: loopback, link-local and
    /// multicast ranges, documentation ranges for pods and Services, the ranges that AKS keeps for
    /// itself, Tailscale's addresses for pods and Services of clusters that it joins or serves,
    /// Docker's default bridge `172.17.0.0/16`, and pods that have all of `10.0.0.0/8`, the
    /// default pool of Cilium's chart.
    ///
    /// ## Why it matters
    /// Packets to loopback, link-local and multicast addresses do not leave the node, so pods
    /// with them are never reached; documentation ranges are placeholders that somebody forgot.
    /// A network with Docker's bridge range is cut off from nodes that run Docker, and from AWS'
    /// services that do; Tailscale drops what comes from its own range on another device; the
    /// default pool swallows the Services of most clusters and most networks (warnings). Source:
    /// the IANA special-purpose address registries; Docker, "Packet filtering and firewalls";
    /// AWS, "VPC CIDR blocks"; AKS, "Configure Azure CNI networking"; cilium/cilium#35338 and
    /// #36104.
    ///
    /// ## Example
    /// ```yaml
    /// podCIDRs: [192.0.2.0/24]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// podCIDRs: [10.1.0.0/16]
    /// ```
    pub static HAZARDOUS_RANGE = { code: "LB1005", name: "hazardous-range", summary: "a range that means something else", severity: Error };
}

/// Reports each range of pods, Services, nodes and networks that meets one of them.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let plan = Plan::of(topology);
    let hazards = Hazards::of(topology, &plan);
    for entry in &plan.entries {
        let Some(hazard) = hazards.met(entry) else { continue };
        let Hazard { net, meaning, .. } = hazard;
        let message = if Range::from(*net) == entry.range {
            format!("{net} is {meaning}")
        } else {
            format!("{} meets {net}: {meaning}", entry.range)
        };
        let mut finding = Diagnostic::new(&HAZARDOUS_RANGE, entry.span, message);
        finding.severity = hazard.severity;
        found.push(finding.help(hazard.help));
    }
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
        found.filter(|line| line.contains("LB1005")).collect()
    }

    #[test]
    fn a_hazard_concerns_those_that_use_it() {
        let aks = ("region: eu-west-1", "region: eu-west-1\n  distribution: aks");
        let services = ("serviceCIDRs: [10.97.0.0/16]", "serviceCIDRs: [172.30.8.0/21]");
        assert_eq!(found(&[services]), [""; 0]);
        let one = found(&[aks, services]);
        assert!(
            one.len() == 1
                && one[0].ends_with("172.30.8.0/21 meets 172.30.0.0/16: used by AKS itself"),
            "{one:?}"
        );
        let tailscale = (
            "  regions:",
            "  interconnects: [{between: [us-east-1, eu-west-1], type: tailscale}]\n  regions:",
        );
        let both = found(&[tailscale]);
        assert!(both.len() == 2 && both[0].contains("Tailscale's addresses"), "{both:?}");
        let default = found(&[("podCIDRs: [100.65.0.0/16]", "podCIDRs: [10.0.0.0/8]")]);
        assert!(
            default.len() == 1 && default[0].contains("10.0.0.0/8 is the chart's default pool"),
            "{default:?}"
        );
    }

    #[test]
    fn placeholders_hide_nodes_only() {
        assert_eq!(found(&[("10.1.1.0/24", "203.0.113.0/24")]), [""; 0]);
        assert_eq!(found(&[("100.65.0.0/16", "203.0.113.0/24")]).len(), 1);
    }
}
