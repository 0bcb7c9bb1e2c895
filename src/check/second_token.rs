//! Zones of Cloudflare with several tokens, of which ExternalDNS reads one.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::dns::DnsProvider;
use crate::topology::records::records;
use crate::topology::{Topology, ZoneId};

declare_rules! {
    /// ## What it does
    /// Reports a zone of Cloudflare whose `tokenSecret` is not that of another one in which the
    /// same cluster writes records, where the chart of ExternalDNS is pinned and `externalDNS.values`
    /// do not set its environment.
    ///
    /// ## Why it matters
    /// ExternalDNS reads one token, `CF_API_TOKEN`: that of the first zone is written. It sees no
    /// zone that the token does not reach, and makes no records there, without an error.
    /// cert-manager is not concerned: its solvers have a token each. Source: ExternalDNS,
    /// `docs/tutorials/cloudflare.md`.
    ///
    /// ## Example
    /// ```yaml
    /// zones:
    ///   - {name: example.net, provider: cloudflare, tokenSecret: {name: cloudflare-net, key: token}}
    ///   - {name: example.org, provider: cloudflare, tokenSecret: {name: cloudflare-org, key: token}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// zones:
    ///   - {name: example.net, provider: cloudflare, tokenSecret: {name: cloudflare, key: token}}
    ///   - {name: example.org, provider: cloudflare, tokenSecret: {name: cloudflare, key: token}}
    /// ```
    pub static SECOND_TOKEN = { code: "LB5024", name: "second-token", summary: "zones of one cluster's ExternalDNS that have several tokens", severity: Warning };
}

/// The component whose chart has the values.
const NAME: &str = "external-dns";

/// Reports each zone once, for the first cluster that writes it with another token.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let values = topology.external_dns.values.as_ref();
    if values.is_some_and(|values| values.get("env").is_some()) {
        return;
    }
    let mut written: Vec<Vec<ZoneId>> = vec![Vec::new(); topology.clusters.len()];
    for entrypoint in &topology.entrypoints {
        let Some(id) = entrypoint.zone else { continue };
        let zone = topology.zone(id);
        if zone.provider != DnsProvider::Cloudflare || zone.token_secret.is_none() {
            continue;
        }
        for target in &entrypoint.targets {
            let zones = &mut written[target.cluster.index()];
            if !zones.contains(&id) && !records(topology, entrypoint, target).is_empty() {
                zones.push(id);
            }
        }
    }
    let mut reported = Vec::new();
    for ((_, cluster), zones) in topology.clusters().zip(&mut written) {
        if !cluster.components.iter().any(|(name, _)| name == NAME) {
            continue;
        }
        // The order in which compile looks for a token.
        zones.sort_unstable();
        let Some((first, others)) = zones.split_first() else { continue };
        let first = topology.zone(*first);
        for id in others {
            let zone = topology.zone(*id);
            if zone.token_secret == first.token_secret || reported.contains(id) {
                continue;
            }
            reported.push(*id);
            let name = &cluster.name.value;
            let message = format!(
                "ExternalDNS of `{name}` has the token of `{}` and none for `{}`",
                first.name.value, zone.name.value
            );
            found.push(
                Diagnostic::new(&SECOND_TOKEN, zone.name.span, message)
                    .label("no records are made here, unless that token reaches it")
                    .related(first.name.span, "its token is the one that is read")
                    .help("give both zones one token that reaches them"),
            );
        }
    }
}
