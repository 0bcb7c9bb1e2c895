//! `dns/…`: the records of the entrypoints that a cluster answers for, as `DNSEndpoint`s of
//! ExternalDNS.
//!
//! Each cluster writes its own record sets and nobody else's, so that a lost cluster takes no
//! record of another with it. Source: ExternalDNS, `docs/sources/crd.md`.

use serde_json::{Map, Value, json};

use super::Input;
use super::metadata::{Object, object};
use crate::resource::Desired;
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
        let object_name = name.replace('*', "any").replace('_', "x-");
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
