//! Two targets for one place.

use std::collections::BTreeMap;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::dns::EntrypointRouting;
use crate::topology::Topology;
use crate::topology::dns::Entrypoint;

declare_rules! {
    /// ## What it does
    /// Reports two targets of an entrypoint that stand for one place: one AWS region of `latency`,
    /// one place of `geolocation`, and for `anycast` one region with two different dials.
    ///
    /// ## Why it matters
    /// Route 53 takes one latency record for a region and one geolocation record for a place, and
    /// refuses the second, so the cluster that comes second has no record and only its ExternalDNS'
    /// log says so. An accelerator has one endpoint group, and with it one dial, for a region.
    /// Source: Route 53's API, `ResourceRecordSet`, `Region` and `GeoLocation`; Global
    /// Accelerator's API, `EndpointGroup`.
    ///
    /// ## Example
    /// ```yaml
    /// targets: {use1: {awsRegion: us-east-1}, use2: {awsRegion: us-east-1}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// targets: {use1: {awsRegion: us-east-1}, use2: {awsRegion: us-east-2}}
    /// ```
    pub static REPEATED_ROUTING_PLACE = { code: "LB5020", name: "repeated-routing-place", summary: "two targets of an entrypoint for one place", severity: Error };
}

/// Reports each place that comes again.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for entrypoint in &topology.entrypoints {
        match entrypoint.routing.value {
            EntrypointRouting::Latency => {
                let regions = entrypoint.targets.iter().filter_map(|one| one.aws_region.as_ref());
                repeated("region", regions, entrypoint, found);
            }
            EntrypointRouting::Geolocation => {
                let places = entrypoint.targets.iter().flat_map(|one| &one.places);
                repeated("place", places, entrypoint, found);
            }
            EntrypointRouting::Anycast => dials(entrypoint, found),
            EntrypointRouting::Failover | EntrypointRouting::Weighted => {}
        }
    }
}

fn repeated<'a, T: Ord + std::fmt::Display + 'a>(
    what: &str,
    places: impl Iterator<Item = &'a Spanned<T>>,
    entrypoint: &Entrypoint,
    found: &mut Diagnostics,
) {
    let mut first: BTreeMap<&T, Span> = BTreeMap::new();
    for place in places {
        if let Some(span) = first.get(&place.value) {
            let name = &entrypoint.name.value;
            let message = format!("two targets of `{name}` are for the {what} `{}`", place.value);
            found.push(
                Diagnostic::new(&REPEATED_ROUTING_PLACE, place.span, message)
                    .related(*span, "this one comes first")
                    .help(format!("Route 53 takes one record for a {what}: choose another")),
            );
            continue;
        }
        first.insert(&place.value, place.span);
    }
}

fn dials(entrypoint: &Entrypoint, found: &mut Diagnostics) {
    let mut first = BTreeMap::new();
    for target in &entrypoint.targets {
        let Some(region) = &target.aws_region else { continue };
        let span = target.dial.as_ref().map_or(target.span, |dial| dial.span);
        let (dial, there) = *first.entry(&region.value).or_insert((target.dial(), span));
        if dial != target.dial() {
            let own = target.dial();
            let message = format!("the region `{}` has the dials {dial} and {own}", region.value);
            found.push(
                Diagnostic::new(&REPEATED_ROUTING_PLACE, span, message)
                    .related(there, "the other one")
                    .help("an accelerator has one dial for a region: share by `weight` instead"),
            );
        }
    }
}
