//! Routing that a zone's provider does not have.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::{DnsProvider, EntrypointRouting};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports an entrypoint with several targets in a Cloudflare zone.
    ///
    /// ## Why it matters
    /// Records at Cloudflare have no routing policies and no set identifiers: two clusters would
    /// write one record and fight for it, and ExternalDNS fails there on a record that has a set
    /// identifier. Cloudflare's load balancing is another product, which ExternalDNS does not
    /// manage. Source: kubernetes-sigs/external-dns#1664, #4518.
    ///
    /// ## Example
    /// ```yaml
    /// dns: {zones: [{name: example.net, provider: cloudflare}]}
    /// entrypoints:
    ///   api.example.net: {routing: weighted, targets: {use1: {weight: 1}, euw1: {weight: 1}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// dns: {zones: [{name: example.net, provider: route53}]}
    /// ```
    pub static UNROUTABLE_ZONE = { code: "LB5016", name: "unroutable-zone", summary: "an entrypoint with several targets in a zone without routing policies", severity: Error };
}

/// Reports each such entrypoint.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for entrypoint in &topology.entrypoints {
        let anycast = entrypoint.routing.value == EntrypointRouting::Anycast;
        let Some(zone) = entrypoint.zone.map(|id| topology.zone(id)) else { continue };
        let routes = zone.provider != DnsProvider::Cloudflare;
        if anycast || routes || entrypoint.targets.len() < 2 {
            continue;
        }
        let routing = &entrypoint.routing;
        let message = format!("Cloudflare's records know no `{}` routing", routing.value.word());
        found.push(
            Diagnostic::new(&UNROUTABLE_ZONE, routing.span, message)
                .related(zone.name.span, "the zone is Cloudflare's")
                .help("let Route 53 serve a zone for it, or keep one target"),
        );
    }
}
