//! Helm values with which an agent stops, or loses what it was told to do.

mod encryption;
mod table;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::cluster::{IpamMode, KubeProxy};
use crate::spec::mesh::{EncryptionType, RoutingMode};
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports keys of `ciliumValues` that Cilium refuses beside what the topology declares, or
    /// beside each other: strict encryption with IPsec, without encryption, without a range or with
    /// the nodes inside of it; a host firewall, CNI chaining or a proxy that is not transparent
    /// with IPsec; an egress gateway or the Gateway API without kube-proxy replacement; mutual
    /// authentication in a mesh; direct routes in a tunnel; a native routing range made from the
    /// local pool.
    ///
    /// ## Why it matters
    /// The chart renders all of them. The agents stop, on every node at once, or run without what
    /// was asked for. Source: Cilium, `pkg/option/config.go` and the pages "IPsec Transparent
    /// Encryption", "WireGuard Transparent Encryption", "Mutual Authentication", "Egress Gateway"
    /// (each under Limitations), and "Gateway API Support".
    ///
    /// ## Example
    /// ```yaml
    /// mesh:
    ///   encryption: {type: ipsec}
    ///   ciliumValues: {hostFirewall: {enabled: true}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh:
    ///   encryption: {type: wireguard}
    ///   ciliumValues: {hostFirewall: {enabled: true}}
    /// ```
    pub static FATAL_SETTINGS = { code: "LB2026", name: "fatal-settings", summary: "Helm values with which Cilium stops or does not do what they say", severity: Error };
}

/// What the table is held against.
struct Site<'a> {
    topology: &'a Topology,
    cluster: &'a Cluster,
}

/// A combination that does not work.
struct Combination {
    /// The place of the key, where it is there.
    place: fn(&Site<'_>) -> Option<Span>,
    /// What is wrong.
    message: &'static str,
    /// What to do.
    help: &'static str,
    /// Whether it is a risk and not a certainty.
    warning: bool,
}

impl Site<'_> {
    fn encryption(&self) -> EncryptionType {
        self.topology.mesh.encryption.kind
    }

    fn wireguard(&self) -> bool {
        self.encryption() == EncryptionType::Wireguard
    }

    fn native(&self) -> bool {
        self.topology.mesh.routing.mode == RoutingMode::Native
            || self.cluster.ipam.mode == IpamMode::Eni
    }

    /// Where a switch is on.
    fn on(&self, key: &str) -> Option<Span> {
        self.cluster.said(key).filter(|(_, value)| truth(value) == Some(true)).map(|(span, _)| span)
    }

    /// Where a switch is off that is on by default.
    fn off(&self, key: &str) -> Option<Span> {
        self.cluster
            .said(key)
            .filter(|(_, value)| truth(value) == Some(false))
            .map(|(span, _)| span)
    }

    /// A text; empty where nobody says it.
    fn text(&self, key: &str) -> String {
        let said = self.cluster.said(key);
        said.and_then(|(_, value)| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether Cilium replaces kube-proxy, or at least its node ports (up to 1.18).
    fn replaced(&self) -> bool {
        if self.on("nodePort.enabled").is_some() {
            return true;
        }
        let declared = self.cluster.kube_proxy == KubeProxy::Replaced;
        let said = self.cluster.said("kubeProxyReplacement");
        said.and_then(|(_, value)| truth(&value)).unwrap_or(declared)
    }
}

/// Booleans, which some keys take as text.
fn truth(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(on) => Some(*on),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Reports each combination of each place once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut findings: BTreeMap<(Span, &str), (Diagnostic, usize)> = BTreeMap::new();
    for cluster in topology.clusters.iter().filter(|cluster| !cluster.values.is_empty()) {
        let site = Site { topology, cluster };
        for row in encryption::COMBINATIONS.iter().chain(table::COMBINATIONS) {
            let Some(place) = (row.place)(&site) else { continue };
            let entry = findings.entry((place, row.message));
            entry.and_modify(|(_, more)| *more += 1).or_insert_with(|| {
                let finding = Diagnostic::new(&FATAL_SETTINGS, place, row.message)
                    .related(cluster.name.span, "a cluster with it")
                    .help(row.help);
                (if row.warning { finding.warning() } else { finding }, 0)
            });
        }
    }
    for (finding, more) in findings.into_values() {
        found.push(match more {
            0 => finding,
            1 => finding.note("1 more cluster inherits it"),
            more => finding.note(format!("{more} more clusters inherit it")),
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// The findings where `use1` has these values, in a mesh with this encryption.
    fn with(encryption: &str, values: &str, changes: &[(&str, &str)]) -> Vec<String> {
        let text = TWO_CLUSTERS
            .replacen("type: wireguard", &format!("type: {encryption}"), 1)
            .replacen("  id: 1\n", &format!("  id: 1\n  ciliumValues: {values}\n"), 1);
        let text = changes.iter().fold(text, |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        });
        let found = resolved(&text).1.into_iter().filter(|line| !line.contains(" LB3"));
        found.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn what_stops_an_agent_is_found() {
        for (encryption, values, expected) in [
            ("ipsec", "{hostFirewall: {enabled: true}}", "IPsec and the host firewall"),
            ("ipsec", "{cni: {chainingMode: aws-cni}}", "IPsec and CNI chaining"),
            ("ipsec", "{dnsProxy: {enableTransparentMode: false}}", "IPsec and a DNS proxy"),
            (
                "ipsec",
                "{encryption: {strictMode: {ingress: {enabled: true}}}}",
                "strict mode and IPsec",
            ),
            (
                "none",
                "{encryption: {strictMode: {egress: {enabled: true, cidr: 100.64.0.0/10}}}}",
                "strict mode without encryption",
            ),
            (
                "wireguard",
                "{encryption: {strictMode: {egress: {enabled: true}}}}",
                "strict mode without a range",
            ),
            (
                "wireguard",
                "{encryption: {strictMode: {egress: {enabled: true, cidr: pods}}}}",
                "strict mode without a range",
            ),
            (
                "wireguard",
                "{encryption: {strictMode: {egress: {enabled: true, cidr: 10.0.0.0/8}}}}",
                "strict mode with the nodes",
            ),
            (
                "none",
                "{authentication: {mutual: {spire: {enabled: true}}}}",
                "mutual authentication",
            ),
            ("none", "{egressGateway: {enabled: true}}", "an egress gateway without"),
            (
                "none",
                "{egressGateway: {enabled: true}, bpf: {masquerade: true}, ciliumEndpointSlice: {enabled: true}}",
                "an egress gateway and CiliumEndpointSlices",
            ),
            ("none", "{autoDirectNodeRoutes: true}", "direct routes to pods in a tunnel"),
            ("wireguard", "{hostFirewall: {enabled: true}}", "a host firewall beside WireGuard"),
        ] {
            let found = with(encryption, values, &[]);
            assert_eq!(found.len(), 1, "{values}: {found:#?}");
            assert!(found[0].starts_with(&format!("LB2026 {expected}")), "{values}: {found:?}");
        }
    }

    #[test]
    fn what_works_is_not() {
        for (encryption, values) in [
            ("none", "{hostFirewall: {enabled: true}}"),
            ("ipsec", "{cni: {chainingMode: none}}"),
            (
                "wireguard",
                "{encryption: {strictMode: {egress: {enabled: true, cidr: 100.64.0.0/10}}}}",
            ),
            (
                "wireguard",
                "{encryption: {strictMode: {egress: {enabled: true, cidr: 10.0.0.0/8, allowRemoteNodeIdentities: true}}}}",
            ),
            ("wireguard", "{encryption: {strictMode: {ingress: {enabled: true}}}}"),
            ("none", "{egressGateway: {enabled: true}, bpf: {masquerade: true}}"),
            ("none", "{gatewayAPI: {enabled: true}}"),
            ("none", "{authentication: {mutual: {spire: {enabled: false}}}}"),
        ] {
            assert_eq!(with(encryption, values, &[]), [""; 0], "{values}");
        }
    }

    #[test]
    fn it_depends_on_version_and_proxy() {
        let old = ("1.19.6", "1.18.12");
        let strict = "{encryption: {strictMode: {enabled: true, cidr: 100.64.0.0/10}}}";
        assert_eq!(with("wireguard", strict, &[old]), [""; 0]);
        assert_eq!(
            with("ipsec", strict, &[old]),
            ["LB2026 strict mode and IPsec do not go together"]
        );
        let iptables = [("kubeProxy: replaced", "kubeProxy: iptables")];
        let gateway = with("none", "{gatewayAPI: {enabled: true}}", &iptables);
        assert_eq!(gateway, ["LB2026 the Gateway API without kube-proxy replacement"]);
        let new = [("1.19.6", "1.20.2")];
        let pool = with("none", "{nativeRoutingCIDRFromClusterPool: true}", &new);
        assert_eq!(pool, ["LB2026 a native routing range of the local pool only, in a mesh"]);
    }
}
