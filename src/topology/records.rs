//! The records of entrypoints, as each cluster's ExternalDNS writes them.
//!
//! Each cluster writes record sets of its own under the shared name, told apart by their set
//! identifiers. Source: ExternalDNS, `docs/tutorials/aws.md`, "Routing policies", and
//! `provider/aws/aws.go`, `newChange`; Route 53's API, `ResourceRecordSet`.

use super::Topology;
use super::dns::{Entrypoint, Target, UserPlace};
use crate::spec::dns::{DnsProvider, EntrypointRouting, FailoverRole};

/// A record set of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `A`, `AAAA` or `CNAME`. ExternalDNS makes A and AAAA records of a CNAME that is an alias.
    pub kind: &'static str,
    /// What it answers.
    pub answers: Vec<String>,
    /// What tells it apart from the records of the other clusters; nothing where the provider has
    /// no routing policies.
    pub set_identifier: Option<String>,
    /// The seconds for which resolvers keep it; nothing where Route 53 decides.
    pub ttl: Option<u64>,
    /// What only one provider understands: names and values.
    pub properties: Vec<(&'static str, String)>,
}

/// The records that a target's cluster writes; none for anycast, in a zone whose provider is not
/// known, or where no zone covers the name.
pub fn records(topology: &Topology, entrypoint: &Entrypoint, target: &Target) -> Vec<Record> {
    let Some(zone) = entrypoint.zone.map(|id| topology.zone(id)) else { return Vec::new() };
    if entrypoint.routing.value == EntrypointRouting::Anycast {
        return Vec::new();
    }
    match zone.provider {
        DnsProvider::Route53 => routed(topology, entrypoint, target),
        // One cluster at most can own a record of theirs; more than one has been reported.
        DnsProvider::Cloudflare if entrypoint.targets.len() == 1 => plain(entrypoint, target),
        DnsProvider::Cloudflare | DnsProvider::Other => Vec::new(),
    }
}

/// The answers of a target by record type.
fn plain(entrypoint: &Entrypoint, target: &Target) -> Vec<Record> {
    let ttl = Some(entrypoint.answer_ttl().as_secs());
    let record = |kind, answers: Vec<String>| Record {
        kind,
        answers,
        set_identifier: None,
        ttl,
        properties: Vec::new(),
    };
    if let Some(host) = &target.hostname {
        return vec![record("CNAME", vec![host.value.clone()])];
    }
    let of_family = |v4: bool| {
        let addresses = target.addresses.iter().map(|address| address.value.0);
        let mut addresses: Vec<_> = addresses.filter(|address| address.is_ipv4() == v4).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let all = [record("A", of_family(true)), record("AAAA", of_family(false))];
    all.into_iter().filter(|record| !record.answers.is_empty()).collect()
}

fn routed(topology: &Topology, entrypoint: &Entrypoint, target: &Target) -> Vec<Record> {
    let cluster = &topology.cluster(target.cluster).name.value;
    let mut records = Vec::new();
    for mut record in plain(entrypoint, target) {
        if record.kind == "CNAME" {
            // Without the property ExternalDNS makes aliases of AWS' own host names by itself,
            // and then drops the TTL. Source: `AdjustEndpoints` there.
            record.properties.push(("alias", entrypoint.alias.to_string()));
            if entrypoint.alias {
                record.ttl = None;
                // A health check of its own decides; without one the load balancer's targets do.
                let evaluate = target.health_check_id.is_none();
                record.properties.push(("aws/evaluate-target-health", evaluate.to_string()));
            }
        }
        if let Some(id) = &target.health_check_id {
            record.properties.push(("aws/health-check-id", id.value.clone()));
        }
        record.set_identifier = Some(cluster.clone());
        if entrypoint.routing.value != EntrypointRouting::Geolocation {
            record.properties.extend(policy(target));
            records.push(record);
            continue;
        }
        for place in &target.places {
            let mut of_place = record.clone();
            // A cluster's name has no slash, so that no two of these can be equal.
            of_place.set_identifier = Some(format!("{cluster}/{}", place.value));
            of_place.properties.extend(location(&place.value));
            records.push(of_place);
        }
    }
    records
}

/// What the routing policy needs; a target has only what its routing reads.
fn policy(target: &Target) -> Option<(&'static str, String)> {
    if let Some(region) = &target.aws_region {
        return Some(("aws/region", region.value.clone()));
    }
    if let Some(role) = &target.failover {
        let role = match role.value {
            FailoverRole::Primary => "PRIMARY",
            FailoverRole::Secondary => "SECONDARY",
        };
        return Some(("aws/failover", role.to_owned()));
    }
    target.weight.as_ref().map(|weight| ("aws/weight", weight.value.to_string()))
}

fn location(place: &UserPlace) -> Vec<(&'static str, String)> {
    const COUNTRY: &str = "aws/geolocation-country-code";
    match place {
        UserPlace::Default => vec![(COUNTRY, "*".to_owned())],
        UserPlace::Continent(code) => {
            vec![("aws/geolocation-continent-code", code.word().to_owned())]
        }
        UserPlace::Country(country, part) => {
            let mut codes = vec![(COUNTRY, country.clone())];
            let part = part.clone().map(|part| ("aws/geolocation-subdivision-code", part));
            codes.extend(part);
            codes
        }
    }
}
