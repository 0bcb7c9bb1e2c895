//! Certificates for names in whose zone nobody solves challenges.

use std::collections::BTreeSet;

use super::acme::{Index, certificates, ends, issuers};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports names of certificates that no zone of their ACME issuer covers, declared or
    /// hand-written.
    ///
    /// ## Why it matters
    /// cert-manager finds no solver for the name and the order fails; with several names in one
    /// certificate one such name is enough, and the others have no certificate either. Source:
    /// cert-manager's documentation, "ACME", "Adding multiple solver types".
    ///
    /// ## Example
    /// ```yaml
    /// issuers:
    ///   letsencrypt: {server: production, zones: [example.com]}
    /// requests:
    ///   api.example.org: {issuer: letsencrypt}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// issuers:
    ///   letsencrypt: {server: production, zones: [example.com, example.org]}
    /// requests:
    ///   api.example.org: {issuer: letsencrypt}
    /// ```
    pub static UNCOVERED_NAME = { code: "LB5002", name: "uncovered-name", summary: "a certificate for a name that no zone of its issuer covers", severity: Error };
}

/// Reports each name once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let issuers = issuers(topology);
    let index = Index::of(&issuers);
    let zones: BTreeSet<_> = topology.zones.iter().map(|zone| &*zone.name.value).collect();
    for certificate in certificates(topology) {
        for (name, span) in &certificate.names {
            let mut of = index.of_certificate(&certificate);
            let Some(issuer) = of.find(|issuer| !issuer.covers(name)) else { continue };
            let message = format!("no zone of `{}` covers `{name}`", issuer.name);
            let help = match ends(name).find(|end| zones.contains(end)) {
                Some(zone) => format!("add the zone `{zone}` to the issuer"),
                None => "add the zone that the name stands in to the issuer".to_owned(),
            };
            let finding = Diagnostic::new(&UNCOVERED_NAME, *span, message);
            found.push(finding.related(issuer.span, "the issuer").help(help));
        }
    }
}
