//! Failover pairs that are none.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::Role;
use crate::spec::dns::{EntrypointRouting, FailoverRole};
use crate::topology::Topology;
use crate::topology::dns::{Entrypoint, Target};

declare_rules! {
    /// ## What it does
    /// Reports a `failover` entrypoint without exactly one primary target, with more than one
    /// secondary one, or whose primary target is a passive cluster.
    ///
    /// ## Why it matters
    /// Route 53 takes one primary and one secondary record of a name and refuses a second of
    /// either, so one cluster's records are not written and only its ExternalDNS' log says so.
    /// Source: Route 53's API, `ResourceRecordSet`, `Failover`. A role that is not written follows
    /// from the cluster: an active one is the primary target.
    ///
    /// ## Example
    /// ```yaml
    /// targets: {use1: {failover: primary}, euw1: {failover: primary}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// targets: {use1: {failover: primary}, euw1: {failover: secondary}}
    /// ```
    pub static AMBIGUOUS_PRIMARY = { code: "LB5017", name: "ambiguous-primary", summary: "a failover entrypoint without one primary and one secondary target", severity: Error };
}

/// Reports each such entrypoint.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let failover = topology
        .entrypoints
        .iter()
        .filter(|entrypoint| entrypoint.routing.value == EntrypointRouting::Failover);
    for entrypoint in failover.filter(|entrypoint| !entrypoint.targets.is_empty()) {
        let primary = of_role(entrypoint, FailoverRole::Primary);
        if primary.is_empty() && entrypoint.whole {
            let message = format!("`{}` has no primary target", entrypoint.name.value);
            found.push(
                Diagnostic::new(&AMBIGUOUS_PRIMARY, entrypoint.name.span, message)
                    .help("write `failover: primary` at the target that serves users now"),
            );
        }
        several(entrypoint, &primary, FailoverRole::Primary, found);
        let secondary = of_role(entrypoint, FailoverRole::Secondary);
        several(entrypoint, &secondary, FailoverRole::Secondary, found);
        for target in primary {
            let cluster = topology.cluster(target.cluster);
            if cluster.role == Role::Passive {
                let name = &cluster.name;
                let message = format!("the primary target `{}` is a passive cluster", name.value);
                found.push(
                    Diagnostic::new(&AMBIGUOUS_PRIMARY, role_span(target), message)
                        .related(name.span, "its `role` is `passive`")
                        .help("write `failover: secondary`, or make the cluster `active`"),
                );
            }
        }
    }
}

fn of_role(entrypoint: &Entrypoint, role: FailoverRole) -> Vec<&Target> {
    let is = |target: &&Target| target.failover.as_ref().is_some_and(|own| own.value == role);
    entrypoint.targets.iter().filter(is).collect()
}

fn role_span(target: &Target) -> crate::source::Span {
    target.failover.as_ref().map_or(target.span, |role| role.span)
}

fn several(
    entrypoint: &Entrypoint,
    targets: &[&Target],
    role: FailoverRole,
    found: &mut Diagnostics,
) {
    let Some((first, more)) = targets.split_first().filter(|(_, more)| !more.is_empty()) else {
        return;
    };
    let count = targets.len();
    let message = format!("`{}` has {count} {} targets", entrypoint.name.value, role.word());
    let finding =
        Diagnostic::new(&AMBIGUOUS_PRIMARY, role_span(first), message).label("one of them");
    let finding = more
        .iter()
        .take(4)
        .fold(finding, |finding, target| finding.related(role_span(target), "and this"));
    found.push(finding.help("Route 53 takes one `primary` and one `secondary` target of a name"));
}
