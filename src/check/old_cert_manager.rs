//! Issuers that the cluster's cert-manager does not take.

use super::acme::written;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::dns::Credentials;
use crate::topology::{ClusterSet, Topology};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports what an issuer says and the cluster's cert-manager does not know, and what that
    /// cert-manager requires and the issuer does not say: `route53` without `region` before 1.16,
    /// tokens of a ServiceAccount (`auth`) before 1.15, `profile` before 1.18.
    ///
    /// ## Why it matters
    /// The API server refuses an issuer without the region. A field that it does not know is
    /// dropped without a word, and cert-manager then uses other credentials or another profile
    /// than the ones that were written. Source: the CRDs of cert-manager 1.15 to 1.21; the release
    /// notes of 1.15, 1.16 and 1.18.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {certManager: 1.15.5}
    /// # …
    /// - dns01: {route53: {hostedZoneID: Z0123456789ABCDEFGHIJ}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// - dns01: {route53: {hostedZoneID: Z0123456789ABCDEFGHIJ, region: us-east-1}}
    /// ```
    pub static OLD_CERT_MANAGER = { code: "LB5007", name: "old-cert-manager", summary: "an issuer that the cluster's cert-manager does not take", severity: Error };
}

/// The minor in which `auth` came.
const AUTH: u64 = 15;
/// The first minor that does not require `region`.
const REGION: u64 = 16;
/// The minor in which `profile` came.
const PROFILE: u64 = 18;

/// Reports each place once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut report = |span: Span, clusters: &ClusterSet, minor: u64, what: &str, help: &str| {
        let mut clusters = clusters.iter().map(|id| topology.cluster(id));
        let old = clusters.find(|cluster| cluster.cert_manager_before(minor));
        let Some((cluster, version)) = old.and_then(|old| Some((old, old.cert_manager.as_ref()?)))
        else {
            return;
        };
        let message = format!("cert-manager {} {what}", version.value);
        let label = format!("the version of `{}`", cluster.name.value);
        let finding = Diagnostic::new(&OLD_CERT_MANAGER, span, message);
        found.push(finding.related(version.span, label).help(help));
    };
    let upgrade = |minor: u64| format!("use cert-manager 1.{minor} or later, or remove it");
    let tokens = "does not exchange tokens of a ServiceAccount";
    let profiles = "knows no profiles";
    for issuer in &topology.issuers {
        let Some(acme) = issuer.acme() else { continue };
        if let Some(profile) = &acme.profile {
            report(profile.span, &issuer.clusters, PROFILE, profiles, &upgrade(PROFILE));
        }
        for zone in acme.zones.iter().map(|zone| topology.zone(*zone)) {
            let said = zone.credentials.as_ref();
            let said = said.filter(|said| said.value == Credentials::ServiceAccount);
            if let Some(said) = said {
                report(said.span, &issuer.clusters, AUTH, tokens, &upgrade(AUTH));
            }
        }
    }
    for (issuer, clusters) in written(topology) {
        let Some(acme) = issuer.at(&["spec", "acme"]) else { continue };
        if let Some(profile) = acme.entry("profile") {
            report(profile.key_span, clusters, PROFILE, profiles, &upgrade(PROFILE));
        }
        let solvers = acme.get("solvers").and_then(Node::items).unwrap_or_default();
        for entry in solvers.iter().filter_map(|solver| solver.get("dns01")?.entry("route53")) {
            if entry.value.get("region").is_none() {
                let help = "write the `region`";
                report(entry.key_span, clusters, REGION, "needs a `region` here", help);
            }
            if let Some(auth) = entry.value.entry("auth") {
                report(auth.key_span, clusters, AUTH, tokens, &upgrade(AUTH));
            }
        }
    }
}
