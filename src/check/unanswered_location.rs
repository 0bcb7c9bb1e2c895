//! Users whom no place of an entrypoint answers.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::EntrypointRouting;
use crate::topology::Topology;
use crate::topology::dns::UserPlace;

declare_rules! {
    /// ## What it does
    /// Reports a `geolocation` entrypoint of which no target has `country: "*"`.
    ///
    /// ## Why it matters
    /// Users of other places, and those whose address Route 53 cannot place, get no answer.
    /// Source: Route 53's developer guide, "Geolocation routing".
    ///
    /// ## Example
    /// ```yaml
    /// targets: {use1: {geolocation: {continent: NA}}, euw1: {geolocation: {continent: EU}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// targets:
    ///   use1: {geolocation: [{continent: NA}, {country: "*"}]}
    ///   euw1: {geolocation: {continent: EU}}
    /// ```
    pub static UNANSWERED_LOCATION = { code: "LB5018", name: "unanswered-location", summary: "a geolocation entrypoint without a default", severity: Error };
}

/// Reports each such entrypoint.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for entrypoint in topology.entrypoints.iter().filter(|one| one.whole) {
        let places: Vec<_> = entrypoint.targets.iter().flat_map(|target| &target.places).collect();
        let geolocation = entrypoint.routing.value == EntrypointRouting::Geolocation;
        let default = places.iter().any(|place| place.value == UserPlace::Default);
        if !geolocation || places.is_empty() || default {
            continue;
        }
        let name = &entrypoint.name;
        let message = format!("users elsewhere get no answer for `{}`", name.value);
        found.push(
            Diagnostic::new(&UNANSWERED_LOCATION, name.span, message)
                .help("write `{country: \"*\"}` among the places of one target"),
        );
    }
}
