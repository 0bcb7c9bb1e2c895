//! Names by which users reach the regions.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use super::super::Topology;
use super::super::dns::{Accelerator, Entrypoint, HealthCheck, Target, UserPlace, canonical};
use super::super::id::ClusterId;
use super::dns::text;
use super::{CONTRADICTION, Names, not_compiled};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::TopologySpec;
use crate::spec::cluster::Role;
use crate::spec::dns::{self as written, DnsProvider, EntrypointRouting, FailoverRole};
use crate::spec::region::Provider;
use crate::spec::value::{Time, is_label};
use crate::yaml::MISSING_KEY;
use crate::yaml::fields::invalid;

/// Resolves the entrypoints; the zones and the clusters are known.
pub(super) fn resolve(
    written: &TopologySpec,
    topology: &mut Topology,
    names: &Names,
    found: &mut Diagnostics,
) {
    let mut entries: Vec<_> = written.entrypoints.iter().collect();
    entries.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    let mut firsts: BTreeMap<String, Span> = BTreeMap::new();
    for (written_name, entrypoint) in entries {
        let name = Spanned::new(canonical(&written_name.value), written_name.span);
        if !is_record_name(&name.value) {
            let message = format!("`{}` is not a DNS name", written_name.value.escape_debug());
            let help = "use labels of letters, digits and `-`, joined by `.`";
            invalid(name.span, message, help, found);
            continue;
        }
        match firsts.entry(name.value.clone()) {
            Entry::Vacant(first) => first.insert(name.span),
            Entry::Occupied(first) => {
                let first = Spanned::new(name.value.clone(), *first.get());
                found.push(crate::spec::duplicate("entrypoint", &name, &first));
                continue;
            }
        };
        let resolved = one(name, entrypoint, topology, names, found);
        topology.entrypoints.push(resolved);
    }
    topology.entrypoints.sort_by(|a, b| a.name.value.cmp(&b.name.value));
}

fn one(
    name: Spanned<String>,
    written: &written::Entrypoint,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Entrypoint {
    let routing = written.routing.clone();
    let zone = names.zone_of(&name.value);
    let of_zone = zone.map(|id| topology.zone(id));
    let apex = of_zone.is_some_and(|zone| zone.name.value == name.value);
    let route53 = of_zone.is_none_or(|zone| zone.provider == DnsProvider::Route53);
    if let Some(alias) = written.alias.as_ref().filter(|alias| alias.value && !route53) {
        contradiction(alias.span, "only Route 53 has alias records", "remove `alias`", found);
    }
    let anycast = routing.value == EntrypointRouting::Anycast;
    if !anycast && of_zone.is_some_and(|zone| zone.provider == DnsProvider::Other) {
        not_compiled("entrypoints` in a zone of `other", name.span, found);
    }
    if let Some(accelerator) = written.accelerator.as_ref().filter(|_| !anycast) {
        foreign("accelerator", accelerator.span, routing.value, found);
    }
    let alias = written.alias.as_ref().map_or(apex, |alias| alias.value) && route53;
    let targets = Targets { routing: routing.value, topology, found }.resolve(written, names);
    Entrypoint {
        zone,
        ttl: written.ttl.as_ref().and_then(|ttl| seconds(ttl, found)),
        recovery_time: written.recovery_time.as_ref().map(time),
        health_check: written.health_check.as_ref().map(health_check),
        alias,
        apex,
        accelerator: written.accelerator.as_ref().map(accelerator),
        whole: targets.len() == written.targets.keys().count(),
        targets,
        routing,
        name,
    }
}

/// Whether a record can have this name; the first label may be `*` (RFC 4592) or begin with `_`.
fn is_record_name(name: &str) -> bool {
    let mut labels = name.split('.');
    let first = labels.next().unwrap_or_default();
    let first_ok = match first.strip_prefix('_') {
        Some(rest) => is_label(rest, 62),
        None => first == "*" || is_label(first, 63),
    };
    name.len() <= 253 && first_ok && labels.all(|label| is_label(label, 63))
}

fn contradiction(span: Span, message: impl Into<String>, help: &str, found: &mut Diagnostics) {
    found.push(Diagnostic::new(&CONTRADICTION, span, message).help(help));
}

/// Says that a key means nothing for this routing.
fn foreign(key: &str, span: Span, routing: EntrypointRouting, found: &mut Diagnostics) {
    let message = format!("`{key}` has no meaning for `{}`", routing.word());
    contradiction(span, message, &format!("remove `{key}`, or choose another `routing`"), found);
}

fn time(written: &Spanned<Time>) -> Spanned<Duration> {
    Spanned::new(written.value.0, written.span)
}

/// A TTL: whole seconds, at most 2^31 - 1 (RFC 2181, 8).
fn seconds(written: &Spanned<Time>, found: &mut Diagnostics) -> Option<Spanned<Duration>> {
    let ttl = written.value.0;
    if ttl.subsec_nanos() == 0 && i32::try_from(ttl.as_secs()).is_ok() {
        return Some(time(written));
    }
    let message = "a TTL is a number of whole seconds, at most 2147483647";
    invalid(written.span, message, "write a TTL such as `60s`", found);
    None
}

fn health_check(written: &written::HealthCheck) -> HealthCheck {
    HealthCheck {
        span: written.span,
        path: written.path.as_ref().map(|path| path.value.0.clone()),
        port: written.port.as_ref().map(|port| port.value.0),
        interval: written.interval.as_ref().map(time),
        failure_threshold: written
            .failure_threshold
            .as_ref()
            .map(|number| Spanned::new(number.value.0, number.span)),
    }
}

fn accelerator(written: &written::Accelerator) -> Accelerator {
    Accelerator {
        name: written.name.as_ref().map(|name| name.value.0.clone()),
        arn: written.arn.as_ref().map(|arn| arn.value.0.clone()),
        dns_name: written.dns_name.as_ref().map(|name| canonical(&name.value)),
    }
}

/// The targets of one entrypoint.
struct Targets<'a> {
    routing: EntrypointRouting,
    topology: &'a Topology,
    found: &'a mut Diagnostics,
}

impl Targets<'_> {
    fn resolve(mut self, written: &written::Entrypoint, names: &Names) -> Vec<Target> {
        let mut targets = Vec::new();
        for cluster in written.targets.keys() {
            let Some(id) = names.cluster(cluster, self.found) else { continue };
            let Some(target) = written.targets.get(&cluster.value) else { continue };
            self.belongs(target);
            targets.extend(self.one(id, cluster, target));
        }
        targets.sort_by_key(|target| target.cluster);
        targets
    }

    /// Reports keys that this routing does not read.
    fn belongs(&mut self, written: &written::Target) {
        use EntrypointRouting::{Anycast, Failover, Geolocation, Latency, Weighted};
        let keys: [(&str, Option<Span>, &[EntrypointRouting]); 8] = [
            ("weight", written.weight.as_ref().map(|w| w.span), &[Weighted, Anycast]),
            ("awsRegion", written.aws_region.as_ref().map(|r| r.span), &[Latency, Anycast]),
            ("failover", written.failover.as_ref().map(|f| f.span), &[Failover]),
            ("geolocation", written.geolocation.0.first().map(|g| g.span), &[Geolocation]),
            ("loadBalancer", written.load_balancer.as_ref().map(|l| l.span), &[Anycast]),
            ("listeners", written.listeners.first().map(|l| l.span), &[Anycast]),
            ("dial", written.dial.as_ref().map(|d| d.span), &[Anycast]),
            (
                "healthCheckID",
                written.health_check_id.as_ref().map(|h| h.span),
                &[Latency, Failover, Weighted, Geolocation],
            ),
        ];
        for (key, at, of) in keys {
            if let Some(at) = at.filter(|_| !of.contains(&self.routing)) {
                foreign(key, at, self.routing, self.found);
            }
        }
        if let (Some(host), Some(_)) = (&written.hostname, written.addresses.first()) {
            let message = "a target has `hostname` and `addresses`";
            contradiction(host.span, message, "keep one of them", self.found);
        }
    }

    /// A target, if it has all that its routing needs.
    fn one(
        &mut self,
        id: ClusterId,
        name: &Spanned<String>,
        written: &written::Target,
    ) -> Option<Target> {
        let hostname = written.hostname.as_ref();
        let target = Target {
            cluster: id,
            span: name.span,
            hostname: hostname.map(|host| Spanned::new(canonical(&host.value), host.span)),
            addresses: if hostname.is_some() { Vec::new() } else { written.addresses.clone() },
            health_check_id: text(written.health_check_id.as_ref()),
            weight: written.weight.as_ref().map(|weight| Spanned::new(weight.value.0, weight.span)),
            aws_region: self.aws_region(id, name, written),
            failover: self.failover(id, name, written),
            places: self.places(written),
            load_balancer: text(written.load_balancer.as_ref()),
            listeners: written.listeners.iter().map(|port| port.value.0).collect(),
            dial: written.dial.as_ref().map(|dial| Spanned::new(dial.value.0, dial.span)),
        };
        self.whole(name, written, &target).then_some(target)
    }

    /// Whether a target has all that its routing needs; reports what is missing.
    fn whole(
        &mut self,
        name: &Spanned<String>,
        written: &written::Target,
        target: &Target,
    ) -> bool {
        let answers = target.hostname.is_some() || !target.addresses.is_empty();
        let (key, there, help) = match self.routing {
            EntrypointRouting::Anycast => (
                "loadBalancer",
                target.load_balancer.is_some(),
                "write the ARN of the load balancer behind the accelerator",
            ),
            _ if !answers => {
                ("hostname", false, "write the `hostname` or the `addresses` of its load balancer")
            }
            EntrypointRouting::Latency => (
                "awsRegion",
                target.aws_region.is_some(),
                "write the AWS region that is nearest to it, such as `eu-west-1`",
            ),
            EntrypointRouting::Weighted => {
                ("weight", target.weight.is_some(), "write its share, from 0 to 255")
            }
            EntrypointRouting::Geolocation => (
                "geolocation",
                !target.places.is_empty(),
                "write the places whose users it answers, such as `{continent: EU}`",
            ),
            EntrypointRouting::Failover => return true,
        };
        let broken = written.broken.contains(&key)
            || key == "hostname" && written.broken.contains(&"addresses")
            || key == "geolocation" && !written.geolocation.0.is_empty();
        if !there && !broken {
            let message = format!("the target `{}` has no `{key}`", name.value.escape_debug());
            self.found.push(Diagnostic::new(&MISSING_KEY, name.span, message).help(help));
        }
        there
    }

    /// The AWS region that a target stands for: of an accelerator's endpoint that of its ARN.
    fn aws_region(
        &self,
        id: ClusterId,
        name: &Spanned<String>,
        written: &written::Target,
    ) -> Option<Spanned<String>> {
        if !matches!(self.routing, EntrypointRouting::Latency | EntrypointRouting::Anycast) {
            return None;
        }
        if let Some(region) = text(written.aws_region.as_ref()) {
            return Some(region);
        }
        let of_arn = written.load_balancer.as_ref().and_then(|arn| {
            let region = arn.value.split(':').nth(3).filter(|region| !region.is_empty())?;
            Some(Spanned::new(region.to_owned(), arn.span))
        });
        let region = self.topology.region_of(self.topology.cluster(id));
        let own = (region.provider == Provider::Aws)
            .then(|| Spanned::new(region.name.value.clone(), name.span));
        of_arn.or(own)
    }

    fn failover(
        &self,
        id: ClusterId,
        name: &Spanned<String>,
        written: &written::Target,
    ) -> Option<Spanned<FailoverRole>> {
        if self.routing != EntrypointRouting::Failover {
            return None;
        }
        written.failover.clone().or_else(|| {
            let role = match self.topology.cluster(id).role {
                Role::Active => FailoverRole::Primary,
                Role::Passive => FailoverRole::Secondary,
            };
            Some(Spanned::new(role, name.span))
        })
    }

    fn places(&mut self, written: &written::Target) -> Vec<Spanned<UserPlace>> {
        let places = written.geolocation.0.iter().filter_map(|place| {
            let resolved = match (&place.continent, &place.country, &place.subdivision) {
                (Some(continent), None, None) => UserPlace::Continent(continent.value),
                (None, Some(country), None) if country.value.0 == "*" => UserPlace::Default,
                (None, Some(country), part) if country.value.0 != "*" => {
                    let part = part.as_ref().map(|part| part.value.0.clone());
                    UserPlace::Country(country.value.0.clone(), part)
                }
                _ if !place.broken.is_empty() => return None,
                _ => {
                    let message = "a place is a continent, a country, or a subdivision of one";
                    let help = "write `continent`, or `country` with or without `subdivision`";
                    contradiction(place.span, message, help, self.found);
                    return None;
                }
            };
            Some(Spanned::new(resolved, place.span))
        });
        places.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::is_record_name;

    #[test]
    fn names_of_records() {
        let long = "a".repeat(63);
        for name in ["a.example.com", "*.example.com", "_sip.example.com", &format!("{long}.com")] {
            assert!(is_record_name(name), "{name}");
        }
        for name in ["", "*a.example.com", "a.*.com", "_.com", &format!("_{long}.com"), "a..b"] {
            assert!(!is_record_name(name), "{name}");
        }
    }
}
