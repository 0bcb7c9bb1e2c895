//! Zones and entrypoints.

use super::super::Topology;
use super::super::dns::{Entrypoint, HealthCheck, Target, Zone, canonical};
use super::super::id::{ClusterId, ZoneId};
use super::{Names, not_compiled};
use crate::diagnostic::Diagnostics;
use crate::source::Spanned;
use crate::spec::TopologySpec;
use crate::spec::dns as written;
use crate::yaml::fields::Map;

/// Resolves the zones.
pub(super) fn zones(
    written: &TopologySpec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let Some(dns) = &written.dns else { return };
    not_compiled("dns", dns.span, found);
    for zone in &dns.zones {
        let name = Spanned::new(canonical(&zone.name.value), zone.name.span);
        let ids = names.zones.entry(name.value.clone()).or_default();
        ids.push(ZoneId::new(topology.zones.len()));
        topology.zones.push(Zone {
            name,
            span: zone.span,
            provider: zone.provider.value,
            hosted_zone_id: text(zone.hosted_zone_id.as_ref()),
            role: text(zone.role.as_ref()),
            private: zone.private.as_ref().is_some_and(|private| private.value),
            token_secret: zone
                .token_secret
                .as_ref()
                .map(|secret| (secret.name.value.0.clone(), secret.key.value.0.clone())),
        });
    }
}

/// Resolves the entrypoints; the zones and the clusters are known.
pub(super) fn entrypoints(
    written: &TopologySpec,
    topology: &mut Topology,
    names: &Names,
    found: &mut Diagnostics,
) {
    let mut entries: Vec<_> = written.entrypoints.iter().collect();
    entries.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    for (name, entrypoint) in entries {
        not_compiled("entrypoints", name.span, found);
        let name = Spanned::new(canonical(&name.value), name.span);
        let zone = names.zone_of(&name.value);
        topology.entrypoints.push(Entrypoint {
            zone,
            name,
            routing: entrypoint.routing.clone(),
            ttl: entrypoint.ttl.as_ref().map(|time| Spanned::new(time.value.0, time.span)),
            recovery_time: entrypoint
                .recovery_time
                .as_ref()
                .map(|time| Spanned::new(time.value.0, time.span)),
            health_check: entrypoint.health_check.as_ref().map(health_check),
            targets: targets(&entrypoint.targets, names, found),
        });
    }
}

fn health_check(written: &written::HealthCheck) -> HealthCheck {
    HealthCheck {
        span: written.span,
        path: written.path.as_ref().map(|path| path.value.0.clone()),
        port: written.port.as_ref().map(|port| port.value.0),
        interval: written.interval.as_ref().map(|time| Spanned::new(time.value.0, time.span)),
        failure_threshold: written
            .failure_threshold
            .as_ref()
            .map(|number| Spanned::new(number.value.0, number.span)),
    }
}

fn targets(written: &Map<written::Target>, names: &Names, found: &mut Diagnostics) -> Vec<Target> {
    let mut targets = Vec::new();
    for cluster in written.keys() {
        let Some(id) = names.cluster(cluster, found) else { continue };
        targets.extend(written.get(&cluster.value).map(|target| one_target(id, cluster, target)));
    }
    targets.sort_by_key(|target| target.cluster);
    targets
}

fn one_target(cluster: ClusterId, name: &Spanned<String>, written: &written::Target) -> Target {
    let number = |value: i64, span| Spanned::new(value, span);
    Target {
        cluster,
        span: name.span,
        hostname: written
            .hostname
            .as_ref()
            .map(|host| Spanned::new(canonical(&host.value), host.span)),
        health_check_id: text(written.health_check_id.as_ref()),
        weight: written.weight.as_ref().map(|weight| number(weight.value.0, weight.span)),
        load_balancer: text(written.load_balancer.as_ref()),
        listeners: written.listeners.iter().map(|port| port.value.0).collect(),
        dial: written.dial.as_ref().map(|dial| number(dial.value.0, dial.span)),
    }
}

/// A word with its place.
pub(super) fn text(word: Option<&Spanned<crate::spec::value::Word>>) -> Option<Spanned<String>> {
    word.map(|word| Spanned::new(word.value.0.clone(), word.span))
}
