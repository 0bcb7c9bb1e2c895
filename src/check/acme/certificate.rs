//! Certificates that clusters ask for, declared and hand-written.

use super::GROUP;
use crate::manifest::Manifest;
use crate::source::Span;
use crate::topology::dns::canonical;
use crate::topology::{ClusterSet, Topology};
use crate::yaml::Node;

/// A certificate that clusters ask for.
#[derive(Debug)]
pub(in crate::check) struct Certificate<'a> {
    /// The names that it is for with their places, sorted, in lower case.
    pub(in crate::check) names: Vec<(String, Span)>,
    /// Where its name stands.
    pub(in crate::check) span: Span,
    /// The clusters that ask.
    pub(in crate::check) clusters: &'a ClusterSet,
    /// Namespace and name of its issuer; no namespace for a ClusterIssuer.
    pub(in crate::check) issuer: (Option<&'a str>, &'a str),
}

/// The certificates, the declared ones first.
pub(in crate::check) fn certificates(topology: &Topology) -> Vec<Certificate<'_>> {
    let declared = topology.requests.iter().map(|request| Certificate {
        names: request.names.iter().map(|name| (name.value.clone(), name.span)).collect(),
        span: request.name.span,
        clusters: &request.clusters,
        issuer: (None, &topology.issuer(request.issuer).name.value),
    });
    let written = topology.manifests.iter().flat_map(|set| {
        let objects = set.objects.iter().filter(|object| object.is(GROUP, "Certificate"));
        objects.filter_map(|object| certificate(object, &set.clusters))
    });
    declared.chain(written).collect()
}

fn certificate<'a>(object: &'a Manifest, clusters: &'a ClusterSet) -> Option<Certificate<'a>> {
    let reference = object.at(&["spec", "issuerRef"])?;
    let said = |key| reference.get(key).and_then(Node::text);
    if said("group").is_some_and(|group| group != GROUP) {
        return None;
    }
    let namespace = match said("kind") {
        Some("ClusterIssuer") => None,
        Some("Issuer") | None => Some(object.namespace.as_ref()?.value.as_str()),
        Some(_) => return None,
    };
    let all = object.at(&["spec", "dnsNames"]).and_then(Node::items).unwrap_or_default();
    let common = object.at(&["spec", "commonName"]);
    let names =
        all.iter().chain(common).filter_map(|name| Some((canonical(name.text()?), name.span)));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names.dedup_by(|again, first| again.0 == first.0);
    let issuer = (namespace, said("name")?);
    Some(Certificate { names, span: object.name.span, clusters, issuer })
}
