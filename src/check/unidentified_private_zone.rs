//! Private zones that cert-manager cannot find.

use super::invisible_challenge::is_public_ca;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::DnsProvider;
use crate::topology::Topology;
use crate::topology::certificates::Issuer;

declare_rules! {
    /// ## What it does
    /// Reports private Route 53 zones without `hostedZoneID` in which an issuer solves challenges.
    ///
    /// ## Why it matters
    /// cert-manager looks for a zone without an id by its name and passes over private ones: it
    /// says that the zone is not there, or writes into a public zone of the same name. It also has
    /// to ask the name servers that know the zone (`--dns01-recursive-nameservers`, with
    /// `--dns01-recursive-nameservers-only`). Source: cert-manager's Route 53 solver,
    /// `getHostedZoneID`, and its documentation, "DNS01", "Setting nameservers".
    ///
    /// ## Example
    /// ```yaml
    /// zones:
    ///   - {name: corp.example.com, provider: route53, private: true}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// zones:
    ///   - {name: corp.example.com, provider: route53, private: true, hostedZoneID: Z0123456789ABCDEFGHIJ}
    /// ```
    pub static UNIDENTIFIED_PRIVATE_ZONE = { code: "LB5003", name: "unidentified-private-zone", summary: "a private zone without an id", severity: Error };
}

/// Reports each such zone once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for (at, zone) in topology.zones.iter().enumerate() {
        let lookup = zone.provider == DnsProvider::Route53 && zone.hosted_zone_id.is_none();
        if !(lookup && zone.private) {
            continue;
        }
        let solves = |issuer: &&Issuer| {
            let own = |server| !is_public_ca(server);
            issuer.acme().is_some_and(|acme| {
                own(acme.server.url()) && acme.zones.iter().any(|id| id.index() == at)
            })
        };
        let Some(issuer) = topology.issuers.iter().find(solves) else { continue };
        let message = format!("the private zone `{}` has no id", zone.name.value);
        let finding = Diagnostic::new(&UNIDENTIFIED_PRIVATE_ZONE, zone.name.span, message);
        let label = format!("`{}` solves challenges in it", issuer.name.value);
        found.push(finding.related(issuer.name.span, label).help("write its `hostedZoneID`"));
    }
}
