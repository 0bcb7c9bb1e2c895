//! ClusterIssuers of cert-manager.

use serde_json::{Map, Value, json};

use super::Input;
use super::metadata::{Object, object};
use crate::resource::Desired;
use crate::spec::dns::DnsProvider;
use crate::spec::region::Provider;
use crate::spec::role;
use crate::topology::certificates::{Access, Acme, Authority, DNS01_ACCOUNT};
use crate::topology::dns::Zone;
use crate::topology::{Cluster, Topology};

/// Adds each issuer that the cluster has.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, id, .. } = *input;
    let cluster = topology.cluster(id);
    for issuer in topology.issuers.iter().filter(|issuer| issuer.clusters.contains(id)) {
        let spec = match &issuer.authority {
            Authority::Acme(acme) => object([("acme", self::acme(acme, topology, cluster))]),
            Authority::Ca(secret) => json!({"ca": {"secretName": secret}}),
            Authority::SelfSigned => json!({"selfSigned": {}}),
        };
        let object = Object {
            api_version: "cert-manager.io/v1",
            kind: "ClusterIssuer",
            namespace: None,
            name: &issuer.name.value,
            labels: &[],
            annotations: Vec::new(),
            origin: issuer.name.span,
        };
        desired.resources.push(object.with(topology, Some(("spec", spec))));
    }
}

fn acme(acme: &Acme, topology: &Topology, cluster: &Cluster) -> Value {
    let mut out = Map::new();
    out.insert("server".to_owned(), acme.server.url().into());
    out.extend(acme.email.as_ref().map(|email| ("email".to_owned(), email.as_str().into())));
    out.insert("privateKeySecretRef".to_owned(), json!({"name": acme.account_key.value}));
    if let Some((id, secret)) = &acme.external_account {
        let binding = json!({"keyID": id, "keySecretRef": selector(secret)});
        out.insert("externalAccountBinding".to_owned(), binding);
    }
    let texts = [
        ("preferredChain", acme.preferred_chain.as_deref()),
        ("profile", acme.profile.as_ref().map(|profile| profile.value.as_str())),
    ];
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into())));
    out.extend(texts);
    let solvers = acme.zones.iter().map(|zone| solver(topology.zone(*zone), topology, cluster));
    out.insert("solvers".to_owned(), solvers.collect());
    out.into()
}

/// Name and key of a Secret.
fn selector((name, key): &(String, String)) -> Value {
    json!({"name": name, "key": key})
}

/// One solver for each zone: cert-manager takes the one with the longest zone that covers a name.
fn solver(zone: &Zone, topology: &Topology, cluster: &Cluster) -> Value {
    let mut dns01 = Map::new();
    if zone.follow_cname {
        dns01.insert("cnameStrategy".to_owned(), "Follow".into());
    }
    match (zone.provider, &zone.token_secret, &zone.solver) {
        (DnsProvider::Route53, ..) => {
            dns01.insert("route53".to_owned(), route53(zone, topology, cluster));
        }
        (DnsProvider::Cloudflare, Some(token), _) => {
            let token = object([("apiTokenSecretRef", selector(token))]);
            dns01.insert("cloudflare".to_owned(), token);
        }
        (DnsProvider::Other, _, Some(Value::Object(written))) => {
            dns01.extend(written.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        // What is missing has been reported.
        (DnsProvider::Cloudflare | DnsProvider::Other, ..) => {}
    }
    json!({"selector": {"dnsZones": [zone.name.value]}, "dns01": dns01})
}

/// A solver of Route 53. The region is always said: up to 1.15 the CRD requires it, and later ones
/// need it wherever the pod's environment has none; where it has one, that wins. Source:
/// cert-manager's release notes of 1.16.
fn route53(zone: &Zone, topology: &Topology, cluster: &Cluster) -> Value {
    let mut out = Map::new();
    out.insert("region".to_owned(), region(zone, topology, cluster).into());
    let id = zone.hosted_zone_id.as_ref();
    out.extend(id.map(|id| ("hostedZoneID".to_owned(), id.value.as_str().into())));
    match zone.access(cluster) {
        Some(Access::ServiceAccount(role)) => {
            out.insert("role".to_owned(), role.into());
            let account = json!({"kubernetes": {"serviceAccountRef": {"name": DNS01_ACCOUNT}}});
            out.insert("auth".to_owned(), account);
        }
        Some(Access::Ambient(role) | Access::Key(role)) => {
            out.extend(role.map(|role| ("role".to_owned(), role.into())));
        }
        // The token that the pod has is for this role already: it cannot assume it once more.
        // Source: cert-manager's issues 4053 and 5893.
        Some(Access::Irsa(_)) | None => {}
    }
    if let Some((id, key)) = &zone.access_key {
        out.insert("accessKeyIDSecretRef".to_owned(), selector(id));
        out.insert("secretAccessKeySecretRef".to_owned(), selector(key));
    }
    out.into()
}

/// The region whose endpoints are called. Route 53 has one endpoint in each partition, STS one in
/// each region.
fn region<'a>(zone: &'a Zone, topology: &'a Topology, cluster: &Cluster) -> &'a str {
    if let Some(region) = &zone.region {
        return region;
    }
    let own = topology.region_of(cluster);
    if own.provider == Provider::Aws && is_region(&own.name) {
        return &own.name;
    }
    let role = zone.role.as_ref().and_then(|role| role::parts(&role.value.0).ok());
    match role.map(|role| role.partition) {
        Some("aws-cn") => "cn-northwest-1",
        Some("aws-us-gov") => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// Whether a name looks like that of a region of AWS: `eu-west-1`, `us-gov-west-1`.
fn is_region(name: &str) -> bool {
    let parts: Vec<_> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    words.len() >= 2
        && words.iter().all(word)
        && words[0].len() == 2
        && number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
}
