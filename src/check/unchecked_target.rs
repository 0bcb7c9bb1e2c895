//! Records that are answered while nobody is there.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::{DnsProvider, EntrypointRouting, FailoverRole};
use crate::topology::Topology;
use crate::topology::dns::{Entrypoint, Target, UserPlace, is_aws_host};

declare_rules! {
    /// ## What it does
    /// Reports a target of an entrypoint in a Route 53 zone without `healthCheckID`, where users
    /// could be sent to another target. Not the secondary one of `failover`, not one of weight 0,
    /// not the only default place of `geolocation`: to these Route 53 turns when nothing else is
    /// left. Alias records for AWS' own load balancers follow these load balancers' health.
    ///
    /// ## Why it matters
    /// A record without a health check counts as healthy: the lost region goes on being answered,
    /// and of a failover pair the second one never is. Source: Route 53's developer guide, "How
    /// Amazon Route 53 chooses records when health checking is configured".
    ///
    /// ## Example
    /// ```yaml
    /// targets: {use1: {hostname: east.example.net}, euw1: {hostname: west.example.net}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// targets:
    ///   use1: {hostname: east.example.net, healthCheckID: 11111111-2222-3333-4444-555555555555}
    ///   euw1: {hostname: west.example.net, healthCheckID: 66666666-7777-8888-9999-000000000000}
    /// ```
    pub static UNCHECKED_TARGET = { code: "LB5013", name: "unchecked-target", summary: "a record that is answered although its region is lost", severity: Warning };
}

/// Reports each such target.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for entrypoint in &topology.entrypoints {
        let routed = entrypoint.provider(topology) == Some(DnsProvider::Route53)
            && entrypoint.routing.value != EntrypointRouting::Anycast
            && entrypoint.targets.len() > 1;
        if !routed {
            continue;
        }
        for target in entrypoint.targets.iter().filter(|target| unchecked(entrypoint, target)) {
            let name = &topology.cluster(target.cluster).name.value;
            let message = format!("Route 53 answers with `{name}` even while it is lost");
            let help = if entrypoint.alias {
                "write `healthCheckID`"
            } else {
                "write `healthCheckID`, or let the records be an `alias` of AWS' load balancers"
            };
            found.push(Diagnostic::new(&UNCHECKED_TARGET, target.span, message).help(help));
        }
    }
}

fn unchecked(entrypoint: &Entrypoint, target: &Target) -> bool {
    let followed =
        entrypoint.alias && target.hostname.as_ref().is_some_and(|host| is_aws_host(&host.value));
    let last = match entrypoint.routing.value {
        EntrypointRouting::Failover => {
            target.failover.as_ref().is_some_and(|role| role.value == FailoverRole::Secondary)
        }
        EntrypointRouting::Weighted => target.weight.as_ref().is_some_and(|share| share.value == 0),
        EntrypointRouting::Geolocation => {
            target.places.iter().all(|place| place.value == UserPlace::Default)
        }
        EntrypointRouting::Latency | EntrypointRouting::Anycast => false,
    };
    target.health_check_id.is_none() && !followed && !last
}
