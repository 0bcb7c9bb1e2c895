//! Certificates for names outside the mesh.

use super::super::Topology;
use super::super::certificates::{CertificateRequest, Issuer};
use super::super::id::{ClusterSet, IssuerId};
use super::{Names, dangling, not_compiled};
use crate::diagnostic::Diagnostics;
use crate::spec::TopologySpec;

/// Resolves issuers and requests; zones and clusters are known.
pub(super) fn resolve(
    written: &TopologySpec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let Some(certificates) = &written.certificates else { return };
    not_compiled("certificates", certificates.span, found);
    let mut issuers: Vec<_> = certificates.issuers.iter().collect();
    issuers.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    names.issuers.extend(certificates.issuers.keys().map(|name| (name.value.clone(), None)));
    for (name, issuer) in issuers {
        let mut zones = Vec::new();
        for zone in &issuer.zones {
            match names.zones.get(&super::super::dns::canonical(&zone.value)) {
                Some(ids) => zones.extend(ids),
                None => found.push(dangling("zone", zone, names.zones.keys(), found)),
            }
        }
        names.issuers.insert(name.value.clone(), Some(IssuerId::new(topology.issuers.len())));
        topology.issuers.push(Issuer {
            name: name.clone(),
            span: issuer.span,
            server: crate::source::Spanned::new(issuer.server.value.0.clone(), issuer.server.span),
            email: issuer.email.as_ref().map(|email| email.value.0.clone()),
            zones,
        });
    }
    let mut requests: Vec<_> = certificates.requests.iter().collect();
    requests.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    for (name, request) in requests {
        let clusters: ClusterSet = match &request.clusters[..] {
            [] => topology.clusters().map(|(id, _)| id).collect(),
            some => names.cluster_set(some, found),
        };
        let issuer = names.issuers.get(&request.issuer.value).copied().unwrap_or_else(|| {
            found.push(dangling("issuer", &request.issuer, names.issuers.keys(), found));
            None
        });
        let Some(issuer) = issuer else { continue };
        topology.requests.push(CertificateRequest {
            name: name.clone(),
            span: request.span,
            issuer,
            clusters,
        });
    }
}
