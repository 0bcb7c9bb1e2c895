//! Credentials for a DNS zone that the cluster does not have.

use std::collections::BTreeMap;

use super::acme::written;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::dns::Credentials;
use crate::spec::region::Provider;
use crate::topology::certificates::Access;
use crate::topology::{Cluster, Topology, ZoneId};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports Route 53 solvers that count on credentials which the cluster does not have: a role
    /// that is taken by a token, where the cluster has no `identity`; ambient credentials outside
    /// of AWS without an `identity`; ambient credentials of an `Issuer`, which cert-manager gives
    /// to ClusterIssuers only (a warning, since `--issuer-ambient-credentials` changes that).
    ///
    /// ## Why it matters
    /// Nothing fails until the first challenge: then AWS refuses the token of an issuer that it
    /// does not know, or the client finds no credentials at all. Each cluster has its own issuer
    /// of tokens, so a role that one cluster can take is closed to the next: it needs a role of
    /// its own, or one whose trust policy names each issuer. compile writes both. Source:
    /// cert-manager's documentation, "Route53"; AWS, "IAM roles for service accounts".
    ///
    /// ## Example
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: dc1}
    /// spec: {region: data-centre}   # and a zone with `credentials: service-account`
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: Cluster
    /// metadata: {name: dc1}
    /// spec: {region: data-centre, identity: {oidcIssuer: https://tokens.example.com/dc1}}
    /// ```
    pub static AMBIENT_CREDENTIALS = { code: "LB5006", name: "ambient-credentials", summary: "a solver whose credentials the cluster does not have", severity: Error };
}

/// Reports each zone and each hand-written solver once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    declared(topology, found);
    for (issuer, clusters) in written(topology) {
        let solvers = issuer.at(&["spec", "acme", "solvers"]).and_then(Node::items);
        let route53 = solvers.unwrap_or_default().iter().filter_map(|solver| {
            let entry = solver.get("dns01")?.entry("route53")?;
            let own = ["accessKeyID", "accessKeyIDSecretRef", "auth"];
            (!own.iter().any(|key| entry.value.get(key).is_some())).then_some(entry)
        });
        for entry in route53 {
            let mut outside = clusters.iter().map(|id| topology.cluster(id));
            if issuer.kind.value == "Issuer" {
                let message = "cert-manager gives no ambient credentials to an Issuer";
                let finding = Diagnostic::new(&AMBIENT_CREDENTIALS, entry.key_span, message);
                let help = "make it a ClusterIssuer, or write `auth` or an access key";
                found.push(
                    finding
                        .warning()
                        .help(help)
                        .note("unless it runs with `--issuer-ambient-credentials`"),
                );
            } else if let Some(cluster) = outside.find(|cluster| has_none(topology, cluster)) {
                found.push(nowhere(cluster, entry.key_span));
            }
        }
    }
}

fn declared(topology: &Topology, found: &mut Diagnostics) {
    let mut first: BTreeMap<ZoneId, &Cluster> = BTreeMap::new();
    for (id, cluster) in topology.clusters() {
        for zone in topology.solved_zones(id) {
            let lacks = match topology.zone(zone).access(cluster) {
                Some(Access::ServiceAccount(_) | Access::Irsa(_)) => cluster.oidc_issuer.is_none(),
                Some(Access::Ambient(_)) => has_none(topology, cluster),
                Some(Access::Key(_)) | None => false,
            };
            if lacks {
                first.entry(zone).or_insert(cluster);
            }
        }
    }
    for (zone, cluster) in first {
        let zone = topology.zone(zone);
        let said = zone.credentials.as_ref();
        let Some(said) = said.filter(|said| said.value != Credentials::Ambient) else {
            found.push(nowhere(cluster, zone.name.span));
            continue;
        };
        let message = format!("AWS knows no issuer of tokens of `{}`", cluster.name.value);
        let finding = Diagnostic::new(&AMBIENT_CREDENTIALS, said.span, message);
        found.push(
            finding
                .related(cluster.name.span, "it has no `identity`")
                .help("write its `identity`, or use an `accessKey` for the zone"),
        );
    }
}

/// Whether nothing in the cluster's environment gives credentials of AWS. Of providers that are not
/// told this is not known.
fn has_none(topology: &Topology, cluster: &Cluster) -> bool {
    let provider = topology.region_of(cluster).provider;
    let elsewhere =
        [Provider::Azure, Provider::Gcp, Provider::BareMetal, Provider::Kind].contains(&provider);
    elsewhere && cluster.oidc_issuer.is_none()
}

fn nowhere(cluster: &Cluster, span: Span) -> Diagnostic {
    let name = &cluster.name.value;
    let message = format!("`{name}` is not in AWS and has no credentials for Route 53");
    Diagnostic::new(&AMBIENT_CREDENTIALS, span, message)
        .related(cluster.name.span, "it has no `identity`")
        .help("write its `identity` and a `role`, or use an access key")
}
