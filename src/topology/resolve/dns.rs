//! Zones, and how ExternalDNS runs.

use super::super::Topology;
use super::super::dns::{CLUSTER, ExternalDns, Zone, canonical};
use super::super::id::ZoneId;
use super::{CONTRADICTION, Names};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::dns::{self as written, DnsProvider, ExternalDnsPolicy};
use crate::spec::value::RoleArn;
use crate::spec::{Named, TopologySpec};
use crate::yaml::INVALID_VALUE;
use crate::yaml::json::json;

/// Resolves the zones.
pub(super) fn zones(
    written: &TopologySpec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let Some(dns) = &written.dns else { return };
    if let Some(role) = &topology.external_dns.role {
        long_names(role, topology, found);
    }
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
/// a role's name that gets too long.
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
    if let Some(role) = &zone.role {
        long_names(role, topology, found);
    }
}

/// Reports clusters for which a role's name gets too long.
fn long_names(role: &Spanned<RoleArn>, topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        if let Err(length) = role.value.of_cluster(&cluster.name) {
            let name = &cluster.name.value;
            let message = format!("the role of the cluster `{name}` has a name of {length} bytes");
            let finding = Diagnostic::new(&INVALID_VALUE, role.span, message);
            found.push(finding.help("shorten the part around `{cluster}`: 64 are allowed"));
        }
    }
}

/// The name of ExternalDNS among the pinned components.
pub(super) const COMPONENT: &str = "external-dns";

/// Resolves how ExternalDNS runs.
pub(super) fn external_dns(named: &Named<TopologySpec>, written: &TopologySpec) -> ExternalDns {
    let said = written.dns.as_ref().and_then(|dns| dns.external_dns.as_ref());
    let owner = said.and_then(|said| text(said.owner_id.as_ref()));
    let pinned = written.versions.as_ref().and_then(|pins| pins.components.get(COMPONENT));
    let repository = pinned.and_then(|pinned| pinned.repository.as_ref());
    let prefix = said.and_then(|said| said.txt_prefix.as_ref());
    let namespace = said.and_then(|said| said.namespace.as_ref());
    ExternalDns {
        namespace: namespace.map_or_else(|| COMPONENT.into(), |name| name.value.0.clone()),
        owner_id: owner.unwrap_or_else(|| {
            let own = format!("{}-{CLUSTER}", named.name.value);
            Spanned::new(own, named.name.span)
        }),
        policy: said
            .and_then(|said| said.policy.as_ref())
            .map_or(ExternalDnsPolicy::UpsertOnly, |policy| policy.value),
        // With the record's type in the prefix, the TXT record of a zone's own name is in the
        // zone, and that of a CNAME beside it. Source: ExternalDNS, "TXT registry";
        // kubernetes-sigs/external-dns#5863.
        txt_prefix: prefix
            .map_or_else(|| "%{record_type}-externaldns.".into(), |text| text.value.0.clone()),
        role: said.and_then(|said| said.role.clone()),
        chart_repository: repository.map(|repository| repository.value.0.clone()),
        values: said.and_then(|said| said.values.as_ref()).map(|values| values.0.clone()),
    }
}

/// A word with its place.
pub(super) fn text(word: Option<&Spanned<crate::spec::value::Word>>) -> Option<Spanned<String>> {
    word.map(|word| Spanned::new(word.value.0.clone(), word.span))
}
