//! Health checks that the provider does not make.

use std::time::Duration;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::{DnsProvider, EntrypointRouting};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a health check whose `interval` is neither 10 nor 30 seconds, in a Route 53 zone or
    /// for `anycast`.
    ///
    /// ## Why it matters
    /// These are the intervals that Route 53 and Global Accelerator offer; the API refuses others,
    /// and whoever reckons with 5 seconds is slower by half a minute. Source: Route 53's API,
    /// `HealthCheckConfig`, `RequestInterval`; Global Accelerator's API, `EndpointGroup`,
    /// `HealthCheckIntervalSeconds`.
    ///
    /// ## Example
    /// ```yaml
    /// healthCheck: {interval: 5s}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// healthCheck: {interval: 10s}
    /// ```
    pub static UNOFFERED_INTERVAL = { code: "LB5012", name: "unoffered-interval", summary: "a health check's interval that the provider does not offer", severity: Error };
}

/// Reports each such interval.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for entrypoint in &topology.entrypoints {
        let who = if entrypoint.routing.value == EntrypointRouting::Anycast {
            "Global Accelerator"
        } else if entrypoint.provider(topology) == Some(DnsProvider::Route53) {
            "Route 53"
        } else {
            continue;
        };
        let check = entrypoint.health_check.as_ref();
        let Some(interval) = check.and_then(|check| check.interval.as_ref()) else { continue };
        if [10, 30].map(Duration::from_secs).contains(&interval.value) {
            continue;
        }
        let message = format!("{who} asks every 10 or every 30 seconds");
        found.push(
            Diagnostic::new(&UNOFFERED_INTERVAL, interval.span, message)
                .help("write `10s` or `30s`"),
        );
    }
}
