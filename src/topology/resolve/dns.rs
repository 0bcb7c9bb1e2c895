//! Zones and entrypoints.

use super::super::Topology;
use super::super::dns::{Entrypoint, HealthCheck, Target, Zone, canonical};
use super::super::id::{ClusterId, ZoneId};
use super::{CONTRADICTION, Names, not_compiled};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::TopologySpec;
use crate::spec::dns as written;
use crate::spec::dns::DnsProvider;
use crate::yaml::INVALID_VALUE;
use crate::yaml::fields::Map;
use crate::yaml::json::json;

/// Resolves the zones.
pub(super) fn zones(
    written: &TopologySpec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let Some(dns) = &written.dns else { return };
    for zone in &dns.zones {
        let name = Spanned::new(canonical(&zone.name.value), zone.name.span);
        let ids = names.zones.entry(name.value.clone()).or_default();
        ids.push(ZoneId::new(topology.zones.len()));
        foreign_keys(zone, topology, found);
        topology.zones.push(one_zone(name, zone));
    }
}

fn one_zone(name: Spanned<String>, zone: &written::Zone) -> Zone {
    Zone {
        name,
        span: zone.span,
        provider: zone.provider.value,
        hosted_zone_id: zone.hosted_zone_id.clone().map(|id| id.map(|id| id.0)),
        role: zone.role.clone(),
        credentials: zone.credentials.clone(),
        access_key: zone.access_key.as_ref().map(|key| (secret(&key.id), secret(&key.secret))),
        region: zone.region.as_ref().map(|region| region.value.0.clone()),
        private: zone.private.as_ref().is_some_and(|private| private.value),
        token_secret: zone.token_secret.as_ref().map(secret),
        follow_cname: zone.follow_cname.as_ref().is_some_and(|follow| follow.value),
        solver: zone.solver.as_ref().map(|solver| {
            let mut solver = json(&solver.value.0);
            solver.sort_all_objects();
            solver
        }),
    }
}

/// Name and key of a Secret.
pub(super) fn secret(written: &written::SecretRef) -> (String, String) {
    (written.name.value.0.clone(), written.key.value.0.clone())
}

/// Reports keys of another provider than the zone's, credentials that exclude each other, and
/// clusters for which the role's name gets too long.
fn foreign_keys(zone: &written::Zone, topology: &Topology, found: &mut Diagnostics) {
    let route53 = [
        ("hostedZoneID", zone.hosted_zone_id.as_ref().map(|id| id.span)),
        ("role", zone.role.as_ref().map(|role| role.span)),
        ("credentials", zone.credentials.as_ref().map(|credentials| credentials.span)),
        ("accessKey", zone.access_key.as_ref().map(|key| key.span)),
        ("region", zone.region.as_ref().map(|region| region.span)),
    ];
    let own = route53.into_iter().map(|(key, span)| (key, DnsProvider::Route53, span));
    let token = zone.token_secret.as_ref().map(|secret| secret.span);
    let solver = zone.solver.as_ref().map(|solver| solver.span);
    let others =
        [("tokenSecret", DnsProvider::Cloudflare, token), ("solver", DnsProvider::Other, solver)];
    for (key, provider, span) in own.chain(others) {
        let Some(span) = span.filter(|_| provider != zone.provider.value) else { continue };
        let (meant, said) = (provider.word(), zone.provider.value.word());
        let message = format!("`{key}` belongs to zones of `{meant}`, and this is one of `{said}`");
        let finding = Diagnostic::new(&CONTRADICTION, span, message);
        found.push(finding.related(zone.provider.span, "the provider").help("remove one of them"));
    }
    if let (Some(key), Some(credentials)) = (&zone.access_key, &zone.credentials) {
        let message = "an access key is not looked for elsewhere";
        let finding = Diagnostic::new(&CONTRADICTION, credentials.span, message);
        found.push(finding.related(key.span, "the access key").help("remove one of them"));
    }
    if let Some(credentials) = &zone.credentials
        && credentials.value != written::Credentials::Ambient
        && zone.role.is_none()
        && !zone.broken.contains(&"role")
    {
        let message = format!("credentials of `{}` are those of a role", credentials.value.word());
        let finding = Diagnostic::new(&CONTRADICTION, credentials.span, message);
        found.push(finding.help("say with `role` which one"));
    }
    let Some(role) = &zone.role else { return };
    for cluster in &topology.clusters {
        if let Err(length) = role.value.of_cluster(&cluster.name) {
            let name = &cluster.name.value;
            let message = format!("the role of the cluster `{name}` has a name of {length} bytes");
            let finding = Diagnostic::new(&INVALID_VALUE, role.span, message);
            found.push(finding.help("shorten the part around `{cluster}`: 64 are allowed"));
        }
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
