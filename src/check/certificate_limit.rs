//! More certificates for the same names than a public CA issues in a week.

use std::collections::BTreeMap;

use super::acme::{Certificate, Index, certificates, issuers};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::solver::AcmeServer;
use crate::topology::{ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports certificates for exactly the same names that more than five clusters ask of Let's
    /// Encrypt's production, declared or hand-written.
    ///
    /// ## Why it matters
    /// Let's Encrypt issues five certificates for one set of names in seven days, for all accounts
    /// together, and makes no exceptions: one comes free every 34 hours. The sixth cluster of a
    /// roll-out waits a day and a half, and one that is rebuilt after a failure has no certificate
    /// when it is needed. One more name that only that cluster has makes another set. Source:
    /// Let's Encrypt, "Rate Limits" (5 August 2026), "New Certificates per Exact Set of
    /// Identifiers".
    ///
    /// ## Example
    /// ```yaml
    /// api.example.com: {issuer: letsencrypt, clusters: [a, b, c, d, e, f]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// api.example.com: {issuer: letsencrypt, clusters: [a, b, c]}
    /// second.example.com: {issuer: letsencrypt, clusters: [d, e, f], names: [api.example.com]}
    /// ```
    pub static CERTIFICATE_LIMIT = { code: "LB5005", name: "certificate-limit", summary: "more clusters that ask for the same names than a CA serves in a week", severity: Error };
}

/// How many certificates for one set of names Let's Encrypt issues in seven days.
const LIMIT: usize = 5;

/// Reports each set of names once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let issuers = issuers(topology);
    let index = Index::of(&issuers);
    let production = AcmeServer::Production;
    let mut sets: BTreeMap<Vec<String>, Vec<(usize, Certificate<'_>)>> = BTreeMap::new();
    for certificate in certificates(topology) {
        let limited = index
            .of_certificate(&certificate)
            .filter(|issuer| issuer.server == production.url())
            .fold(ClusterSet::new(), |set, issuer| {
                set.or(&issuer.clusters.and(certificate.clusters))
            });
        if !limited.is_empty() && !certificate.names.is_empty() {
            let names = certificate.names.iter().map(|(name, _)| name.clone()).collect();
            sets.entry(names).or_default().push((limited.len(), certificate));
        }
    }
    for (names, asked) in sets {
        let count: usize = asked.iter().map(|(clusters, _)| clusters).sum();
        let Some(((_, first), others)) = asked.split_first().filter(|_| count > LIMIT) else {
            continue;
        };
        let what = match &names[..] {
            [name] => format!("`{name}`"),
            [name, _] => format!("`{name}` and another name"),
            [name, others @ ..] => format!("`{name}` and {} other names", others.len()),
            [] => continue,
        };
        let message = format!("{count} certificates for {what}: {LIMIT} are issued in seven days");
        let mut finding = Diagnostic::new(&CERTIFICATE_LIMIT, first.span, message);
        for (_, other) in others {
            finding = finding.related(other.span, "asked for here too");
        }
        let help = "give the clusters beyond the fifth a name of their own besides, or issue once \
                    and copy the Secret";
        found.push(finding.help(help));
    }
}
