//! Two ACME accounts with one key.

use std::collections::BTreeMap;

use super::acme::{Issuer, issuers};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::{ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports two issuers of one cluster that keep the keys of different accounts, of another
    /// server or another e-mail address, in one Secret.
    ///
    /// ## Why it matters
    /// The key is the account. Two addresses of one account overwrite each other at the CA, so that
    /// warnings reach one of them at best; and whoever takes the key of a staging environment, which
    /// nobody guards, has the account that issues for production. Source: cert-manager's
    /// documentation, "ACME", "Private keys"; RFC 8555, section 7.3.
    ///
    /// ## Example
    /// ```yaml
    /// production: {server: production, zones: [example.com], accountKeySecret: account}
    /// staging: {server: staging, zones: [example.com], accountKeySecret: account}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// production: {server: production, zones: [example.com]}
    /// staging: {server: staging, zones: [example.com]}
    /// ```
    pub static SHARED_ACCOUNT_KEY = { code: "LB5008", name: "shared-account-key", summary: "two ACME accounts with one key", severity: Warning };
}

/// The issuers of one account whose key is in one Secret.
struct Account<'a> {
    /// One of them.
    issuer: &'a Issuer<'a>,
    /// Where it names the Secret.
    span: Span,
    /// The clusters of all.
    clusters: ClusterSet,
}

/// Reports each issuer whose Secret another account has already.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let own = topology.cert_manager.namespace.as_str();
    let issuers = issuers(topology);
    let mut by_secret: BTreeMap<_, BTreeMap<_, Account<'_>>> = BTreeMap::new();
    for issuer in &issuers {
        let Some((secret, span)) = issuer.account_key else { continue };
        let accounts = by_secret.entry((issuer.namespace.unwrap_or(own), secret)).or_default();
        let account = (issuer.server, issuer.email);
        let other = accounts.iter().find(|(other, known)| {
            **other != account && !known.clusters.and(issuer.clusters).is_empty()
        });
        if let Some((_, other)) = other {
            let message = format!(
                "the accounts of `{}` and `{}` have one key, in the Secret `{secret}`",
                other.issuer.name, issuer.name
            );
            let finding = Diagnostic::new(&SHARED_ACCOUNT_KEY, span, message);
            found.push(finding.related(other.span, "the other account").help("use two Secrets"));
        }
        let none = || Account { issuer, span, clusters: ClusterSet::new() };
        let known = accounts.entry(account).or_insert_with(none);
        known.clusters = known.clusters.or(issuer.clusters);
    }
}
