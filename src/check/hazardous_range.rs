//! Ranges that break something else on the machines.

use ipnet::IpNet;

use crate::address::Range;
use crate::address::plan::{Plan, Use};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports ranges that meet addresses with a meaning of their own: loopback, link-local and
    /// multicast ranges, documentation ranges for pods and Services, and Docker's default bridge
    /// `172.17.0.0/16`.
    ///
    /// ## Why it matters
    /// Packets to loopback, link-local and multicast addresses do not leave the node, so pods
    /// with them are never reached; documentation ranges are placeholders that somebody forgot.
    /// A network with Docker's bridge range is cut off from nodes that run Docker (a warning).
    /// Source: the IANA special-purpose address registries; Docker, "Packet filtering and
    /// firewalls"; EKS, "VPC and subnet requirements".
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

/// Ranges with a meaning of their own.
const MEANINGS: [(&str, &str, Severity); 13] = [
    ("0.0.0.0/8", "this network", Severity::Error),
    ("127.0.0.0/8", "loopback", Severity::Error),
    ("169.254.0.0/16", "link-local addresses", Severity::Error),
    ("224.0.0.0/3", "multicast and reserved addresses", Severity::Error),
    ("192.0.2.0/24", "documentation", Severity::Error),
    ("198.51.100.0/24", "documentation", Severity::Error),
    ("203.0.113.0/24", "documentation", Severity::Error),
    ("172.17.0.0/16", "Docker's default bridge", Severity::Warning),
    ("::1/128", "loopback", Severity::Error),
    ("fe80::/10", "link-local addresses", Severity::Error),
    ("ff00::/8", "multicast", Severity::Error),
    ("2001:db8::/32", "documentation", Severity::Error),
    ("3fff::/20", "documentation", Severity::Error),
];

/// Reports each range of pods, Services, nodes and networks that meets one of them.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let meanings = MEANINGS.map(|(net, meaning, severity)| {
        let net: IpNet = net.parse().expect("internal error: a constant prefix");
        (net, Range::from(net), meaning, severity)
    });
    for entry in Plan::of(topology).entries {
        if matches!(entry.used, Use::Reserved | Use::LoadBalancers) {
            continue;
        }
        // Public nodes are written with documentation ranges where they are not to be told.
        let public = matches!(entry.used, Use::Nodes | Use::Network | Use::Subnet);
        let meets = |(_, range, meaning, _): &&(IpNet, Range, &str, Severity)| {
            range.meets(&entry.range) && !(public && *meaning == "documentation")
        };
        let Some((net, _, meaning, severity)) = meanings.iter().find(meets) else { continue };
        let message = format!("{} meets {net}: {meaning}", entry.range);
        let mut finding = Diagnostic::new(&HAZARDOUS_RANGE, entry.span, message);
        finding.severity = *severity;
        found.push(finding.help("use a private range, such as one of 10.0.0.0/8 or fd00::/8"));
    }
}
