//! Ports, ICMP types and L7 rules.

use serde_json::{Value, json};

use super::Maker;
use super::cilium::Section;
use super::focus::Limits;

const NUMBERS: [&str; 6] = ["80", "8080", "443", "9090", "53", "8000"];
const NAMED: [&str; 4] = ["http", "metrics", "peer", "HTTP"];

impl Maker {
    pub(super) fn port_rules(&mut self, section: Section) -> Value {
        let count = *self.dice.pick(&[1, 1, 1, 2]);
        (0..count).map(|_| self.port_rule(section)).collect()
    }

    fn port_rule(&mut self, section: Section) -> Value {
        let often = if self.focus.limits.is_some() { 88 } else { 38 };
        if !section.deny && self.dice.chance(often) {
            return self.limited(section);
        }
        let count = *self.dice.pick(&[1, 1, 2, 3]);
        let ports: Vec<Value> = (0..count).map(|_| self.port()).collect();
        json!({"ports": ports})
    }

    /// With L7 rules, most of them on ports that may have them.
    fn limited(&mut self, section: Section) -> Value {
        let proper = self.dice.chance(97);
        let focused = self.focus.limits.filter(|_| self.dice.chance(85));
        let rolled = match focused {
            Some(Limits::Clash) => return self.clashing(section),
            Some(Limits::Dns) => 0,
            Some(Limits::Kafka) => 22,
            Some(Limits::ServerNames) => 30,
            Some(Limits::Http) => 40,
            None => self.dice.below(100),
        };
        match rolled {
            0..22 if !section.ingress || !proper => {
                let mut ports = vec![json!({"port": "53"})];
                let protocol = self.one(&["UDP", "UDP", "ANY", "TCP", ""]);
                if !protocol.is_empty() {
                    ports[0]["protocol"] = json!(protocol);
                }
                if !proper {
                    let port = forward(self.port());
                    ports.push(port);
                }
                let count = self.dice.between(1, 2);
                let names = each_once((0..count).map(|_| self.name()).collect());
                json!({"ports": ports, "rules": {"dns": names}})
            }
            22..30 if self.minor <= 19 => {
                json!({"ports": [self.tcp()], "rules": {"kafka": [{"topic": "orders"}]}})
            }
            30..40 => {
                // Beside other L7 rules for the same peers, chance decides what the agent does.
                json!({"ports": [{"port": "443", "protocol": "TCP"}], "serverNames": ["www.example.com"]})
            }
            _ => {
                let mut port = if proper { self.tcp() } else { forward(self.port()) };
                if port["port"] == "443" {
                    port["port"] = json!("80");
                }
                let count = self.dice.between(1, 2);
                let rules = each_once((0..count).map(|_| self.http(proper)).collect());
                json!({"ports": [port], "rules": {"http": rules}})
            }
        }
    }

    /// Any L7 rules on one port, written in one of several ways.
    fn clashing(&mut self, section: Section) -> Value {
        let port = match self.dice.below(10) {
            0..6 => json!({"port": "8080", "protocol": "TCP"}),
            6 => json!({"port": "8080", "endPort": 8080, "protocol": "TCP"}),
            7 => json!({"port": "http", "protocol": "TCP"}),
            8 if self.minor >= 17 => json!({"port": "8000", "endPort": 8080, "protocol": "TCP"}),
            _ => json!({"port": "80", "protocol": "TCP"}),
        };
        match self.dice.below(10) {
            0..5 => json!({"ports": [port], "rules": {"http": [self.http(true)]}}),
            5..7 if !section.ingress && port["port"] != "8000" => {
                json!({"ports": [port], "rules": {"dns": [self.name()]}})
            }
            7..9 if self.minor <= 19 => {
                json!({"ports": [port], "rules": {"kafka": [{"topic": "orders"}]}})
            }
            _ => json!({"ports": [port], "rules": {"http": [{}]}}),
        }
    }

    /// A port that HTTP rules may have.
    fn tcp(&mut self) -> Value {
        let port = if self.dice.chance(15) {
            "http"
        } else {
            self.one(&["80", "8080", "8080", "8080", "9090", "8000"])
        };
        let mut made = json!({"port": port, "protocol": "TCP"});
        if port == "8000" && self.minor >= 17 {
            made["endPort"] = json!(8080);
        }
        made
    }

    fn http(&mut self, proper: bool) -> Value {
        match self.dice.below(6) {
            0 => json!({}),
            1 => json!({"method": "GET", "path": "/api/.*"}),
            2 => json!({"host": "shop.example.com"}),
            3 => json!({"headers": ["X-Team: a"]}),
            4 if !proper => json!({"path": "/(", "method": "GET"}),
            _ => json!({"method": self.one(&["GET", "POST|PUT"])}),
        }
    }

    fn port(&mut self) -> Value {
        let mut made = match self.dice.below(100) {
            0..52 => json!({"port": self.one(&NUMBERS)}),
            52..68 => match self.dice.below(6) {
                0 => json!({"port": "8000", "endPort": 9000}),
                1 => json!({"port": "1", "endPort": 65535}),
                2 => json!({"port": "8080", "endPort": 8080}),
                3 => json!({"port": "9090", "endPort": 80}),
                4 => json!({"port": "53", "endPort": 443}),
                _ => json!({"port": "8080", "endPort": 9090}),
            },
            68..90 => json!({"port": self.one(&NAMED)}),
            _ => json!({"port": "0"}),
        };
        match self.dice.below(100) {
            0..50 => made["protocol"] = json!("TCP"),
            50..65 => made["protocol"] = json!("UDP"),
            65..72 => made["protocol"] = json!("SCTP"),
            72..86 => made["protocol"] = json!("ANY"),
            _ => {}
        }
        made
    }

    pub(super) fn icmps(&mut self) -> Value {
        let count = *self.dice.pick(&[1, 1, 2]);
        (0..count)
            .map(|_| {
                let count = self.dice.between(1, 2);
                let fields: Vec<Value> = (0..count).map(|_| self.icmp()).collect();
                json!({"fields": fields})
            })
            .collect()
    }

    fn icmp(&mut self) -> Value {
        if self.dice.chance(30) {
            let types = [json!(128), json!("EchoRequest"), json!(135), json!("PacketTooBig")];
            return json!({"family": "IPv6", "type": self.dice.pick(&types)});
        }
        let types = [
            json!(8),
            json!(8),
            json!("EchoRequest"),
            json!(3),
            json!("TimeExceeded"),
            json!(0),
            json!("8"),
        ];
        let mut made = json!({"type": self.dice.pick(&types)});
        if self.dice.chance(50) {
            made["family"] = json!("IPv4");
        }
        made
    }
}

/// Two lists of L7 rules of one length are the same to the engine if the one has all of the other,
/// so that one that says a rule twice is taken for others.
fn each_once(mut rules: Vec<Value>) -> Vec<Value> {
    rules.dedup();
    rules
}

/// A range that ends before it starts is none, and to the merge of L7 parsers another port: made one.
fn forward(mut port: Value) -> Value {
    if port["port"] == "9090" && port["endPort"] == 80 {
        port["endPort"] = json!(9091);
    }
    port
}
