//! Combinations with encryption.

use ipnet::{IpNet, Ipv4Net};

use super::{Combination, Site};
use crate::source::Span;
use crate::spec::mesh::EncryptionType;

/// The keys of strict mode for what leaves a node: up to 1.19, and from 1.19 on.
const STRICT: [&str; 2] = ["encryption.strictMode", "encryption.strictMode.egress"];

/// Every such combination. Sources: the rule's page, and what each row says.
pub(super) static COMBINATIONS: &[Combination] = &[
    Combination {
        place: |site| site.on("hostFirewall.enabled").filter(|_| ipsec(site)),
        message: "IPsec and the host firewall do not go together",
        help: "encrypt with WireGuard, or remove `hostFirewall`",
        warning: false,
    },
    Combination {
        place: |site| {
            let key = "cni.chainingMode";
            let chained = !matches!(&*site.text(key), "" | "none");
            site.cluster.said(key).filter(|_| chained && ipsec(site)).map(|(span, _)| span)
        },
        message: "IPsec and CNI chaining do not go together",
        help: "encrypt with WireGuard, or remove `cni.chainingMode`",
        warning: false,
    },
    Combination {
        place: |site| {
            let proxied = site.off("l7Proxy").is_none();
            site.off("dnsProxy.enableTransparentMode").filter(|_| proxied && ipsec(site))
        },
        message: "IPsec and a DNS proxy that is not transparent do not go together",
        help: "remove `dnsProxy.enableTransparentMode`",
        warning: false,
    },
    Combination {
        place: |site| any_strict(site).filter(|_| ipsec(site)),
        message: "strict mode and IPsec do not go together",
        help: "encrypt with WireGuard, or remove `encryption.strictMode`",
        warning: false,
    },
    // The chart renders the keys whether encryption is on or off.
    Combination {
        place: |site| any_strict(site).filter(|_| site.encryption() == EncryptionType::None),
        message: "strict mode without encryption does nothing",
        help: "declare `encryption: {type: wireguard}` in the mesh, or remove `encryption.strictMode`",
        warning: false,
    },
    Combination {
        place: |site| wireguard_strict(site, |range, _| range.is_none()),
        message: "strict mode without a range of IPv4 addresses",
        help: "write the range of all pods of the mesh as its `cidr`",
        warning: false,
    },
    Combination {
        place: |site| wireguard_strict(site, |range, key| nodes_inside(site, range, key)),
        message: "strict mode with the nodes inside of its range",
        help: "write a `cidr` of pods only, or `allowRemoteNodeIdentities: true`",
        warning: false,
    },
    Combination {
        place: |site| wireguard_strict(site, |range, _| range.is_some() && site.cluster.has_v6()),
        message: "strict mode leaves IPv6 unprotected: it covers one range of IPv4",
        help: "know that pods reach each other over IPv6 without encryption where it is not up yet",
        warning: true,
    },
    // 1.20 allows native routing.
    Combination {
        place: |site| {
            let refused = site.cluster.cilium.minor == 19 && site.native();
            site.on("encryption.strictMode.ingress.enabled").filter(|_| refused && site.wireguard())
        },
        message: "strict ingress needs a tunnel before Cilium 1.20",
        help: "remove it, route in a tunnel, or use Cilium 1.20",
        warning: false,
    },
];

fn ipsec(site: &Site<'_>) -> bool {
    site.encryption() == EncryptionType::Ipsec
}

fn any_strict(site: &Site<'_>) -> Option<Span> {
    let ingress = site.on("encryption.strictMode.ingress.enabled");
    egress(site).map(|(_, span)| span).or(ingress)
}

/// The part of strict mode that is on and that the chart reads.
fn egress(site: &Site<'_>) -> Option<(&'static str, Span)> {
    let minor = site.cluster.cilium.minor;
    let read = |key: &&&str| if **key == STRICT[0] { minor <= 19 } else { minor >= 19 };
    let mut parts = STRICT.iter().filter(read);
    parts.find_map(|key| Some((*key, site.on(&format!("{key}.enabled"))?)))
}

/// Where strict mode is on, with WireGuard, and its range is so.
fn wireguard_strict(
    site: &Site<'_>,
    wrong: impl Fn(Option<Ipv4Net>, &str) -> bool,
) -> Option<Span> {
    let (key, span) = egress(site).filter(|_| site.wireguard())?;
    let range = site.text(&format!("{key}.cidr")).parse().ok();
    wrong(range, key).then_some(span)
}

/// Whether all addresses of some nodes are in the range, and it may not be so.
fn nodes_inside(site: &Site<'_>, range: Option<Ipv4Net>, key: &str) -> bool {
    let allowed = site.on(&format!("{key}.allowRemoteNodeIdentities")).is_some();
    let Some(range) = range.filter(|_| !allowed) else { return false };
    site.cluster.node_cidrs.iter().any(|nodes| match nodes.value.0 {
        IpNet::V4(nodes) => range.contains(&nodes),
        IpNet::V6(_) => false,
    })
}
