//! Who writes which record.

use crate::manifest::Manifest;
use crate::source::Span;
use crate::topology::dns::canonical;
use crate::topology::records::records;
use crate::topology::{ClusterSet, Topology};
use crate::yaml::Node;

/// The prefixes of ExternalDNS' annotations: of all versions, and the later one beside it.
/// Source: `source/annotations` of ExternalDNS.
const PREFIXES: [&str; 2] = ["external-dns.alpha.kubernetes.io/", "external-dns.kubernetes.io/"];

/// Who writes a record.
#[derive(Debug)]
pub(super) struct Claim {
    /// The record's name as it is compared.
    pub(super) name: String,
    /// Its set identifier.
    pub(super) set: Option<String>,
    /// Its type, where that is not the type of an address.
    pub(super) kind: Option<String>,
    /// The clusters that write it.
    pub(super) clusters: ClusterSet,
    /// Where it is written.
    pub(super) span: Span,
    /// Whether it is an entrypoint's.
    pub(super) generated: bool,
}

/// The records that a hand-written object asks for; the clusters are not known here.
pub(super) fn written(object: &Manifest) -> Vec<Claim> {
    if object.is("externaldns.k8s.io", "DNSEndpoint") {
        endpoints(object)
    } else {
        annotated(object)
    }
}

/// The records of the entrypoints.
pub(super) fn generated(topology: &Topology) -> Vec<Claim> {
    let mut claims = Vec::new();
    for entrypoint in &topology.entrypoints {
        for target in &entrypoint.targets {
            let mut records = records(topology, entrypoint, target);
            // A and AAAA records share their identifier.
            records.dedup_by(|again, first| again.set_identifier == first.set_identifier);
            claims.extend(records.into_iter().map(|record| Claim {
                name: entrypoint.name.value.clone(),
                set: record.set_identifier,
                kind: None,
                clusters: [target.cluster].into_iter().collect(),
                span: target.span,
                generated: true,
            }));
        }
    }
    claims
}

/// The records of a hand-written `DNSEndpoint`.
fn endpoints(object: &Manifest) -> Vec<Claim> {
    let written = object.at(&["spec", "endpoints"]).and_then(Node::items).unwrap_or_default();
    let text = |node: &Node, key| Some(node.get(key)?.text()?.to_owned());
    let claims = written.iter().filter_map(|endpoint| {
        let name = endpoint.get("dnsName")?;
        let kind = text(endpoint, "recordType");
        Some(Claim {
            kind: kind.filter(|kind| !["A", "AAAA", "CNAME"].contains(&kind.as_str())),
            ..claim(name.text()?, text(endpoint, "setIdentifier"), name.span)?
        })
    });
    claims.collect()
}

/// The records that an object's annotations ask for.
fn annotated(object: &Manifest) -> Vec<Claim> {
    let note = |suffix: &str| {
        object.annotations().find(|note| {
            PREFIXES.iter().any(|prefix| note.key.strip_prefix(prefix) == Some(suffix))
        })
    };
    let Some(hosts) = note("hostname") else { return Vec::new() };
    let set = note("set-identifier").and_then(|note| note.value.text()).map(str::to_owned);
    let names = hosts.value.text().unwrap_or_default().split(',');
    names.filter_map(|name| claim(name.trim(), set.clone(), hosts.value.span)).collect()
}

/// A claim of a name that says all of itself.
fn claim(name: &str, set: Option<String>, span: Span) -> Option<Claim> {
    let known = !name.is_empty()
        && ![Some(name), set.as_deref()].iter().flatten().any(|text| text.contains("${"));
    known.then(|| Claim {
        name: canonical(name),
        set: set.filter(|set| !set.is_empty()),
        kind: None,
        clusters: ClusterSet::new(),
        span,
        generated: false,
    })
}
