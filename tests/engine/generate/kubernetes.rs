//! NetworkPolicy and ClusterNetworkPolicy.

use serde_json::{Value, json};

use super::Maker;
use super::focus::{Kind, Limits};

impl Maker {
    pub(super) fn network_policy(&mut self, name: &str) -> Value {
        let mut spec = json!({"podSelector": self.pods()});
        let types = [json!(["Ingress"]), json!(["Egress"]), json!(["Ingress", "Egress"])];
        if self.dice.chance(70) {
            spec["policyTypes"] = self.dice.pick(&types).clone();
        }
        for (section, peers) in [("ingress", "from"), ("egress", "to")] {
            if self.dice.chance(65) {
                let count = *self.dice.pick(&[0, 1, 1, 1, 2]);
                spec[section] = (0..count).map(|_| self.kubernetes_item(peers)).collect();
            }
        }
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": self.one(&["shop", "shop", "ops"])},
            "spec": spec,
        })
    }

    fn kubernetes_item(&mut self, peers: &str) -> Value {
        let mut item = json!({});
        if self.dice.chance(80) {
            let count = *self.dice.pick(&[0, 1, 1, 1, 2, 2]);
            item[peers] = (0..count).map(|_| self.kubernetes_peer()).collect();
        }
        if self.dice.chance(55) {
            let count = *self.dice.pick(&[0, 1, 1, 2]);
            item["ports"] = (0..count).map(|_| self.kubernetes_port()).collect();
        }
        item
    }

    fn kubernetes_peer(&mut self) -> Value {
        match self.dice.below(100) {
            0..30 => json!({"podSelector": self.pods()}),
            30..55 => json!({"namespaceSelector": self.namespaces_by_label()}),
            55..75 => json!({
                "podSelector": self.pods(), "namespaceSelector": self.namespaces_by_label(),
            }),
            _ => {
                let cidr = self.prefix();
                let mut block = json!({"cidr": cidr});
                if self.dice.chance(45) {
                    // The API server wants exceptions that lie strictly within.
                    let wide: ipnet::IpNet = cidr.parse().expect("a prefix");
                    let out: Vec<&str> = (0..2).map(|_| self.prefix()).collect();
                    let inside = |out: &&str| {
                        let out: ipnet::IpNet = out.parse().expect("a prefix");
                        wide != out && wide.contains(&out)
                    };
                    block["except"] = out.into_iter().filter(inside).collect();
                }
                json!({"ipBlock": block})
            }
        }
    }

    fn kubernetes_port(&mut self) -> Value {
        let mut made = json!({});
        let protocol = match self.dice.below(10) {
            0..3 => None,
            3..6 => Some("TCP"),
            6..8 => Some("UDP"),
            _ => Some("SCTP"),
        };
        if let Some(protocol) = protocol {
            made["protocol"] = json!(protocol);
        }
        match self.dice.below(10) {
            0..5 => made["port"] = json!(*self.dice.pick(&[80, 8080, 443, 9090, 53])),
            5..7 => made["port"] = json!(self.one(&["http", "metrics", "peer"])),
            7..9 => {
                let (first, last) =
                    *self.dice.pick(&[(8000, 9000), (80, 443), (1, 65535), (53, 53)]);
                made["port"] = json!(first);
                made["endPort"] = json!(last);
            }
            _ => {}
        }
        made
    }

    /// A ClusterNetworkPolicy of `policy.networking.k8s.io/v1alpha2`.
    pub(super) fn cluster_policy(&mut self, name: &str) -> Value {
        let by_namespace = if self.focus.subject { 15 } else { 60 };
        let subject = if self.dice.chance(by_namespace) {
            json!({"namespaces": self.namespaces_by_label()})
        } else if self.focus.subject && self.dice.chance(85) {
            json!({"pods": {"namespaceSelector": {}, "podSelector": self.pods()}})
        } else {
            json!({"pods": self.namespaced_pods()})
        };
        let mut spec = json!({
            "tier": self.one(&["Admin", "Admin", "Baseline"]),
            "priority": self.dice.below(3),
            "subject": subject,
        });
        let named = self.focus.kind == Some(Kind::Tier) && self.focus.limits.is_some();
        for (section, peers) in [("ingress", "from"), ("egress", "to")] {
            let often = if named && peers == "to" { 90 } else { 65 };
            if self.dice.chance(often) {
                let count = self.dice.between(1, if named { 2 } else { 3 });
                spec[section] = (0..count).map(|_| self.cluster_item(peers)).collect();
            }
        }
        json!({
            "apiVersion": "policy.networking.k8s.io/v1alpha2",
            "kind": "ClusterNetworkPolicy",
            "metadata": {"name": name},
            "spec": spec,
        })
    }

    fn namespaced_pods(&mut self) -> Value {
        json!({"namespaceSelector": self.namespaces_by_label(), "podSelector": self.pods()})
    }

    fn cluster_item(&mut self, peers: &str) -> Value {
        let named = self.focus.kind == Some(Kind::Tier) && self.focus.limits.is_some();
        let action = if named && self.dice.chance(80) {
            "Accept"
        } else if self.focus.kind == Some(Kind::Tier) {
            self.one(&["Accept", "Deny", "Deny", "Pass"])
        } else {
            self.one(&["Accept", "Accept", "Deny", "Pass"])
        };
        let count = *self.dice.pick(if named { &[1, 1, 1, 2] } else { &[1, 1, 2, 3] });
        let egress = peers == "to";
        let made: Vec<Value> = (0..count).map(|_| self.cluster_peer(egress, action)).collect();
        let mut item = json!({"action": action, peers: made});
        if self.dice.chance(if named { 80 } else { 50 }) {
            let count = self.dice.between(1, 2);
            item["protocols"] = (0..count).map(|_| self.cluster_port()).collect();
        }
        item
    }

    fn cluster_peer(&mut self, egress: bool, action: &str) -> Value {
        let named = self.focus.limits == Some(Limits::Dns) && self.focus.kind == Some(Kind::Tier);
        let rolled = if named && egress && action == "Accept" && self.dice.chance(80) {
            86
        } else {
            self.dice.below(100)
        };
        match rolled {
            0..30 => json!({"namespaces": self.namespaces_by_label()}),
            60..78 if egress => {
                let count = self.dice.between(1, 2);
                let nets: Vec<&str> = (0..count).map(|_| self.prefix()).collect();
                json!({"networks": nets})
            }
            78..86
                if egress && (self.settings.enable_node_selector_labels || self.dice.chance(8)) =>
            {
                json!({"nodes": self.nodes(false)})
            }
            86..94 if egress && (action == "Accept" || self.dice.chance(5)) => {
                let name = self.one(&[
                    "www.example.com",
                    "*.example.com",
                    "*.example.net",
                    "api.example.com",
                ]);
                json!({"domainNames": [name]})
            }
            _ => json!({"pods": self.namespaced_pods()}),
        }
    }

    fn cluster_port(&mut self) -> Value {
        let key = self.one(&["tcp", "tcp", "tcp", "udp", "sctp"]);
        match self.dice.below(10) {
            0..5 => {
                let number = *self.dice.pick(&[80, 8080, 443, 9090, 53]);
                json!({key: {"destinationPort": {"number": number}}})
            }
            5..7 => {
                let (first, last) = *self.dice.pick(&[(8000, 9000), (80, 443), (1, 65535)]);
                json!({key: {"destinationPort": {"range": {"start": first, "end": last}}}})
            }
            7..9 => json!({"destinationNamedPort": self.one(&["http", "metrics", "peer"])}),
            _ => json!({key: {}}),
        }
    }
}
