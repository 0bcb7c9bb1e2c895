//! Challenges that are written where the CA does not look.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;
use crate::topology::dns::Zone;

declare_rules! {
    /// ## What it does
    /// Reports issuers that ask a public CA and solve its challenges in a private zone.
    ///
    /// ## Why it matters
    /// The CA looks for the challenge in the public DNS and does not find it there. Names of a
    /// private zone can have certificates of a public CA all the same, where the challenge is
    /// written into a public zone of that name (split horizon; of two zones of one name
    /// the public one is used), or where a public CNAME leads to another zone. Source: RFC 8555,
    /// section 8.4; Let's Encrypt, "Challenge Types".
    ///
    /// ## Example
    /// ```yaml
    /// dns: {zones: [{name: corp.example.com, provider: route53, private: true, hostedZoneID: Z0123456789ABCDEFGHIJ}]}
    /// certificates: {issuers: {corp: {server: production, zones: [corp.example.com]}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// certificates: {issuers: {corp: {caSecret: corp-ca}}}
    /// ```
    pub static INVISIBLE_CHALLENGE = { code: "LB5004", name: "invisible-challenge", summary: "challenges of a public CA in a private zone", severity: Error };
}

/// Hosts of public CAs. Source: the ACME directories that Let's Encrypt, `ZeroSSL`, Google Trust
/// Services, Buypass and SSL.com publish.
const PUBLIC: [&str; 6] =
    ["letsencrypt.org", "zerossl.com", "pki.goog", "buypass.com", "buypass.no", "ssl.com"];

/// Whether an ACME directory is that of a CA that looks at the public DNS.
pub(super) fn is_public_ca(url: &str) -> bool {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let host = rest.split(['/', ':']).next().unwrap_or(rest);
    PUBLIC.iter().any(|known| {
        host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether it is private, as far as the topology says.
fn is_private(zone: &Zone) -> bool {
    let azure = zone.solver.as_ref().map(|solver| &solver["azureDNS"]["zoneType"]);
    zone.private || azure.is_some_and(|kind| kind == "AzurePrivateZone")
}

/// Reports each such zone of each issuer.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for issuer in &topology.issuers {
        let Some(acme) = issuer.acme().filter(|acme| is_public_ca(acme.server.url())) else {
            continue;
        };
        for zone in acme.zones.iter().map(|zone| topology.zone(*zone)) {
            if !is_private(zone) {
                continue;
            }
            let message = format!("a public CA does not see challenges in `{}`", zone.name.value);
            let finding = Diagnostic::new(&INVISIBLE_CHALLENGE, acme.server.span, message);
            let help = "use a CA of your own, or declare the public zone of that name";
            found.push(finding.related(zone.name.span, "this zone is private").help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_cas_are_known_by_their_hosts() {
        for url in [
            "https://acme-v02.api.letsencrypt.org/directory",
            "https://dv.acme-v02.api.pki.goog/directory",
            "https://acme.zerossl.com/v2/DV90",
        ] {
            assert!(is_public_ca(url), "{url}");
        }
        for url in ["https://ca.corp.example/acme/letsencrypt.org", "https://notssl.com:443/a"] {
            assert!(!is_public_ca(url), "{url}");
        }
    }
}
