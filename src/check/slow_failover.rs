//! Entrypoints that cannot recover as fast as they should.

use std::time::Duration;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;
use crate::topology::dns::Entrypoint;

declare_rules! {
    /// ## What it does
    /// Adds up how long users of a lost region wait at least - the health check's `interval` times
    /// its `failureThreshold`, and the TTL of the answer - and reports a sum that is longer than
    /// the entrypoint's `recoveryTime`. An alias record keeps the 60 seconds of its load balancer,
    /// whatever `ttl` says; for `anycast` nothing is cached.
    ///
    /// ## Why it matters
    /// The time is only missed on the day of the failover. Where a part of a health check is not
    /// written, the provider's default counts: 30 seconds, 3 failures. Source: Route 53's
    /// developer guide, "Values that you specify when you create or update health checks", and
    /// its API, `HealthCheckConfig`; Global Accelerator's API, `CreateEndpointGroup`.
    ///
    /// ## Example
    /// ```yaml
    /// ttl: 60s
    /// recoveryTime: 120s
    /// healthCheck: {interval: 30s, failureThreshold: 3}   # 90s + 60s
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ttl: 60s
    /// recoveryTime: 120s
    /// healthCheck: {interval: 10s, failureThreshold: 3}   # 30s + 60s
    /// ```
    pub static SLOW_FAILOVER = { code: "LB5011", name: "slow-failover", summary: "a TTL and a health check that are slower than the recovery time", severity: Error };
}

/// Reports each entrypoint whose sum is too long.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    found_in(&topology.entrypoints).for_each(|finding| found.push(finding));
}

fn found_in(entrypoints: &[Entrypoint]) -> impl Iterator<Item = Diagnostic> {
    entrypoints.iter().filter_map(|entrypoint| {
        let wanted = entrypoint.recovery_time.as_ref()?;
        let recovery = entrypoint.recovery();
        if recovery.sum() <= wanted.value {
            return None;
        }
        let detection = recovery.detection.map(|detection| {
            format!(
                "{} x {} until it counts as down",
                detection.threshold,
                time(detection.interval)
            )
        });
        let ttl = recovery.ttl.map(|ttl| format!("{} until resolvers ask again", time(ttl)));
        let parts: Vec<_> = detection.iter().chain(&ttl).map(String::as_str).collect();
        let message = format!(
            "users of a lost region wait {} at least, longer than {}: {}",
            time(recovery.sum()),
            time(wanted.value),
            parts.join(" + "),
        );
        let mut finding = Diagnostic::new(&SLOW_FAILOVER, wanted.span, message);
        if let Some(check) = &entrypoint.health_check {
            finding = finding.related(check.span, "the health check");
        }
        if let Some(ttl) = entrypoint.ttl.as_ref().filter(|_| recovery.ttl.is_some()) {
            let followed = recovery.ttl == Some(ttl.value);
            let label = if followed { "the TTL" } else { "alias records do not follow it" };
            finding = finding.related(ttl.span, label);
        }
        let help = match recovery.ttl {
            Some(_) => "ask more often, count fewer failures, or shorten `ttl`",
            None => "ask more often, or count fewer failures",
        };
        Some(finding.help(help))
    })
}

/// A duration with the unit that fits.
fn time(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{ENTRYPOINT, resolved};

    #[test]
    fn the_sum_decides_and_nothing_else() {
        for interval in [10, 30] {
            for threshold in [1, 3, 10] {
                for ttl in [0, 1, 60, 300] {
                    let sum = interval * threshold + ttl;
                    for wanted in [0, 1, sum - 1, sum, sum + 1, 3600] {
                        let text = ENTRYPOINT.replace(
                            "routing: latency\n",
                            &format!(
                                "routing: latency\n      ttl: {ttl}s\n      recoveryTime: {wanted}s\n      \
                                 healthCheck: {{interval: {interval}s, failureThreshold: {threshold}}}\n"
                            ),
                        );
                        let (_, found) = resolved(&text);
                        let slow = found.iter().filter(|line| line.contains(" LB5011 ")).count();
                        let others = found.len() - slow;
                        assert_eq!((slow == 1, others), (sum > wanted, 0), "{text}\n{found:#?}");
                        if slow == 1 {
                            assert!(
                                found[0].contains(&format!("wait {sum}s at least")),
                                "{found:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}
