//! Zones' own names that would have to be a CNAME.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::DnsProvider;
use crate::topology::Topology;
use crate::topology::dns::is_aws_host;

declare_rules! {
    /// ## What it does
    /// Reports a target of an entrypoint with alias records in a Route 53 zone whose `hostname` is
    /// no load balancer, accelerator or endpoint of AWS. The zone's own name has alias records
    /// always.
    ///
    /// ## Why it matters
    /// A zone's own name cannot be a CNAME (RFC 1034, 3.6.2), and an alias record points to AWS'
    /// own resources or to a record of the same zone: Route 53 refuses any other. Source: Route
    /// 53's developer guide, "Choosing between alias and non-alias records".
    ///
    /// ## Example
    /// ```yaml
    /// entrypoints:
    ///   example.com: {routing: latency, targets: {fra1: {hostname: lb.example.net}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// entrypoints:
    ///   example.com: {routing: latency, targets: {fra1: {addresses: [203.0.113.10]}}}
    /// ```
    pub static APEX_CNAME = { code: "LB5022", name: "apex-cname", summary: "an alias record for a host that is not one of AWS", severity: Error };
}

/// Reports each such target.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let aliases = topology.entrypoints.iter().filter(|entrypoint| {
        entrypoint.alias && entrypoint.provider(topology) == Some(DnsProvider::Route53)
    });
    for entrypoint in aliases {
        let Some(zone) = entrypoint.zone.map(|id| topology.zone(id)) else { continue };
        let within = format!(".{}", zone.name.value);
        let hosts = entrypoint.targets.iter().filter_map(|target| target.hostname.as_ref());
        for host in hosts.filter(|host| !is_aws_host(&host.value) && !host.ends_with(&within)) {
            let message = format!("an alias record cannot point to `{}`", host.value);
            let finding = Diagnostic::new(&APEX_CNAME, host.span, message);
            found.push(if entrypoint.apex {
                finding
                    .related(zone.name.span, "a zone's own name cannot be a CNAME")
                    .help("write the `addresses` of its load balancer, or name a host of AWS")
            } else {
                finding.help("remove `alias`")
            });
        }
    }
}
