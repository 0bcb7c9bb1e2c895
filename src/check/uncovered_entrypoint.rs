//! Entrypoints that no zone covers.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::EntrypointRouting;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports an entrypoint whose name lies in none of `dns.zones`.
    ///
    /// ## Why it matters
    /// No record can be written for it: ExternalDNS skips a name without a zone and says so in its
    /// debug log only. Source: `changesByZone` in `provider/aws/aws.go` of ExternalDNS. An
    /// `anycast` name is not written here and may lie anywhere.
    ///
    /// ## Example
    /// ```yaml
    /// dns: {zones: [{name: example.com, provider: route53}]}
    /// entrypoints: {api.example.org: {routing: latency, targets: {}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// entrypoints: {api.example.com: {routing: latency, targets: {}}}
    /// ```
    pub static UNCOVERED_ENTRYPOINT = { code: "LB5010", name: "uncovered-entrypoint", summary: "an entrypoint that no DNS zone covers", severity: Error };
}

/// Reports each such entrypoint.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let written = topology
        .entrypoints
        .iter()
        .filter(|entrypoint| entrypoint.routing.value != EntrypointRouting::Anycast);
    for entrypoint in written.filter(|entrypoint| entrypoint.zone.is_none()) {
        let name = &entrypoint.name;
        let message = format!("no zone covers `{}`", name.value);
        found.push(
            Diagnostic::new(&UNCOVERED_ENTRYPOINT, name.span, message)
                .help("declare its zone under `dns.zones`"),
        );
    }
}
