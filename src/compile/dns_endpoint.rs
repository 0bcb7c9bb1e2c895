//! `dns/…`: the records of the entrypoints that a cluster answers for, as `DNSEndpoint`s of
//! ExternalDNS.
//!
//! Each cluster writes its own record sets and nobody else's, so that a lost cluster takes no
//! record of another with it. Source: ExternalDNS, `docs/sources/crd.md`.

use serde_json::{Map, Value, json};

use super::Input;
use super::metadata::{Object, object};
use super::name::{LONGEST, digest, readable};
use crate::resource::Desired;
use crate::spec::value::is_label;
use crate::topology::records::{Record, records};

/// Adds one object for each entrypoint with a record of the cluster.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, id, .. } = *input;
    for entrypoint in &topology.entrypoints {
        let targets = &entrypoint.targets;
        let Ok(at) = targets.binary_search_by_key(&id, |target| target.cluster) else { continue };
        let records = records(topology, entrypoint, &targets[at]);
        if records.is_empty() {
            continue;
        }
        let name = &entrypoint.name.value;
        let endpoints: Vec<Value> = records.iter().map(|record| endpoint(name, record)).collect();
        let object_name = object_name(name);
        let spec = object([("endpoints", endpoints.into())]);
        let endpoint = Object {
            api_version: "externaldns.k8s.io/v1alpha1",
            kind: "DNSEndpoint",
            namespace: Some(&topology.external_dns.namespace),
            name: &object_name,
            labels: &[],
            annotations: Vec::new(),
            origin: targets[at].span,
        };
        desired.resources.push(endpoint.with(topology, Some(("spec", spec))));
    }
}

/// The name of an entrypoint's object: its own, or where no object can have that, such as
/// `*.example.com`, one with a digest. No other entrypoint has that: its last label would be it.
fn object_name(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or_default();
    let own = name.len() <= LONGEST && name.split('.').all(|label| is_label(label, 63));
    if own && !last.starts_with(DIGEST) {
        return name.to_owned();
    }
    format!("{}.{DIGEST}{}", readable(name), digest(name))
}

/// What the label with a digest begins with.
const DIGEST: &str = "record-";

/// A record as ExternalDNS' `Endpoint`.
fn endpoint(name: &str, record: &Record) -> Value {
    let mut out = Map::with_capacity(6);
    out.insert("dnsName".to_owned(), name.into());
    out.insert("recordType".to_owned(), record.kind.into());
    out.extend(record.ttl.map(|ttl| ("recordTTL".to_owned(), ttl.into())));
    out.extend(record.set_identifier.clone().map(|set| ("setIdentifier".to_owned(), set.into())));
    out.insert("targets".to_owned(), record.answers.clone().into());
    let properties = record.properties.iter();
    let properties: Vec<_> =
        properties.map(|(name, value)| json!({"name": name, "value": value})).collect();
    if !properties.is_empty() {
        out.insert("providerSpecific".to_owned(), properties.into());
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::object_name;
    use crate::spec::value::is_label;

    #[test]
    fn names_of_objects_are_valid_and_different() {
        let long = format!("*.{}", vec!["a".repeat(62); 4].join(".").split_off(1));
        let own = object_name("*.example.com");
        let names = [
            "*.example.com",
            "any.example.com",
            "_a.example.com",
            "x-a.example.com",
            "a.example.com",
            "example.com",
            &long,
            &own,
        ];
        let objects: BTreeSet<_> = names.iter().map(|name| object_name(name)).collect();
        assert_eq!(objects.len(), names.len(), "{objects:?}");
        for object in &objects {
            assert!(object.len() <= 253, "{object}");
            assert!(object.split('.').all(|label| is_label(label, 63)), "{object}");
        }
        assert_eq!(object_name("any.example.com"), "any.example.com");
        assert!(own.starts_with("example.com.record-"), "{own}");
    }
}
