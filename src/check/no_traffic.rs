//! Entrypoints that send nobody anywhere on purpose.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::EntrypointRouting;
use crate::topology::Topology;
use crate::topology::dns::Target;

declare_rules! {
    /// ## What it does
    /// Reports an entrypoint whose weights, or whose traffic dials, are all 0.
    ///
    /// ## Why it matters
    /// Route 53 answers with all records alike when every weight is 0, which is the opposite of
    /// what a 0 says. Global Accelerator sends nothing anywhere when every dial is 0, and to
    /// endpoints of weight 0 only when no other is healthy. Source: Route 53's developer guide,
    /// "Weighted routing"; Global Accelerator's developer guide, "Adjusting traffic flow with
    /// traffic dials", "Endpoint weights".
    ///
    /// ## Example
    /// ```yaml
    /// routing: weighted
    /// targets: {use1: {weight: 0}, euw1: {weight: 0}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// targets: {use1: {weight: 100}, euw1: {weight: 0}}
    /// ```
    pub static NO_TRAFFIC = { code: "LB5019", name: "no-traffic", summary: "an entrypoint whose weights or dials are all 0", severity: Error };
}

/// Reports each such entrypoint.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for entrypoint in topology.entrypoints.iter().filter(|one| one.whole && !one.targets.is_empty())
    {
        let all = |zero: fn(&Target) -> bool| entrypoint.targets.iter().all(zero);
        let no_weight = |target: &Target| target.weight.as_ref().is_some_and(|one| one.value == 0);
        let name = &entrypoint.name.value;
        let (what, why) = match entrypoint.routing.value {
            EntrypointRouting::Weighted if all(no_weight) => {
                ("weight", "Route 53 answers with all of them alike then")
            }
            EntrypointRouting::Anycast if all(|target| target.dial() == 0) => {
                ("dial", "Global Accelerator sends nobody anywhere then")
            }
            EntrypointRouting::Anycast if all(no_weight) => {
                ("weight", "Global Accelerator reaches them only because nothing else is there")
            }
            _ => continue,
        };
        let message = format!("every `{what}` of `{name}` is 0");
        let first = entrypoint.targets.iter().find_map(|target| match what {
            "dial" => target.dial.as_ref().map(|dial| dial.span),
            _ => target.weight.as_ref().map(|weight| weight.span),
        });
        let place = first.unwrap_or(entrypoint.name.span);
        found.push(
            Diagnostic::new(&NO_TRAFFIC, place, message)
                .label(why)
                .help(format!("give one target a `{what}` above 0")),
        );
    }
}
