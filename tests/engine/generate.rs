//! Random cases: meshes with policies that every API server takes, and some that agents refuse.
//!
//! Alphabets are small, so that selectors meet labels, and ports ports.

mod cilium;
mod focus;
mod kubernetes;
mod ports;
mod selectors;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use focus::{Focus, Kind, Limits};
use selectors::Ask;

use super::case::{
    Case, Cluster, Flow, Identity, NamedPort, Namespace, Policy, SecurityGroup, Service, Settings,
};
use crate::random::dice::Dice;

const CLUSTERS: [&str; 3] = ["use1", "euw1", "apn1"];
const NAMESPACES: [&str; 3] = ["shop", "ops", "kube-system"];
const APPS: [&str; 3] = ["web", "api", "db"];
const TIERS: [&str; 2] = ["a", "b"];
const ACCOUNTS: [&str; 3] = ["default", "web", "api"];
const V4: [&str; 7] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "192.0.2.0/24",
    "192.0.2.128/25",
    "192.0.2.10/32",
    "198.51.100.0/24",
];
const V6: [&str; 3] = ["::/0", "2001:db8::/32", "2001:db8::1/128"];
const NAMES: [&str; 4] =
    ["www.example.com", "api.example.com", "a.b.example.com", "cdn.example.net"];
const GROUPS: [&str; 3] = ["partners", "offices", "missing"];

const ADDRESSES: [&str; 4] = ["192.0.2.10", "192.0.2.200", "10.1.2.3", "198.51.100.7"];

/// What a case is made with.
pub(super) struct Maker {
    pub(super) dice: Dice,
    /// The minor of Cilium, such as 16.
    pub(super) minor: u64,
    pub(super) settings: Settings,
    pub(super) clusters: Vec<&'static str>,
    focus: Focus,
}

/// The case of a seed for a minor of Cilium.
pub(crate) fn case(seed: u64, minor: u64) -> Case {
    let mut dice = Dice::new(seed);
    let focus = Focus::of(&mut dice, minor);
    let settings = settings(&mut dice, minor, focus);
    let members = if dice.chance(15) { 3 } else { 2 };
    let clusters = CLUSTERS[..members].to_vec();
    let mut maker = Maker { dice, minor, settings, clusters, focus };
    let namespaces = maker.namespaces();
    let identities = maker.identities();
    let policies = maker.policies();
    let services = maker.services();
    let security_groups = maker.security_groups();
    let flows = maker.flows(&identities);
    let number = |(id, name): (u32, &&str)| Cluster { name: (*name).to_owned(), id };
    Case {
        id: format!("{minor}-{seed}"),
        settings: maker.settings,
        clusters: (1..).zip(&maker.clusters).map(number).collect(),
        namespaces,
        identities,
        policies,
        services,
        security_groups,
        flows,
    }
}

fn settings(dice: &mut Dice, minor: u64, focus: Focus) -> Settings {
    let mode = match dice.below(100) {
        0..8 => Some("always"),
        8..10 => Some("never"),
        10..20 => Some("default"),
        _ => None,
    };
    Settings {
        // The setting came with 1.18.
        policy_default_local_cluster: if minor < 18 {
            None
        } else {
            *dice.pick(&[None, None, Some(true), Some(false), Some(false)])
        },
        policy_enforcement_mode: mode.map(str::to_owned),
        // The agents of 1.17 to 1.19 do not read it, and the programs have no agent.
        enable_non_default_deny_policies: if (17..20).contains(&minor) {
            None
        } else {
            *dice.pick(&[None, None, Some(true), Some(false)])
        },
        enable_node_selector_labels: dice.chance(if focus.peers == Some("Nodes") {
            92
        } else {
            40
        }),
        policy_cidr_match_mode: if dice.chance(25) { vec!["nodes".to_owned()] } else { Vec::new() },
        enable_ipv6: dice.chance(if focus.peers == Some("CIDR") { 75 } else { 30 }),
    }
}

impl Maker {
    /// A text of a list.
    pub(super) fn one(&mut self, texts: &[&'static str]) -> &'static str {
        self.dice.pick::<&'static str>(texts)
    }

    pub(super) fn cluster(&mut self) -> &'static str {
        let clusters = self.clusters.clone();
        self.one(&clusters)
    }

    /// A prefix, of IPv6 too where that is on.
    pub(super) fn prefix(&mut self) -> &'static str {
        let often = if self.focus.peers == Some("CIDR") { 55 } else { 35 };
        if self.settings.enable_ipv6 && self.dice.chance(often) {
            self.one(&V6)
        } else {
            self.one(&V4)
        }
    }

    fn namespaces(&mut self) -> Vec<Namespace> {
        let mut made = Vec::new();
        for cluster in self.clusters.clone() {
            for name in NAMESPACES {
                let mut labels = BTreeMap::new();
                for (key, values, percent) in [("team", TIERS, 80), ("env", ["prod", "dev"], 50)] {
                    if self.dice.chance(percent) {
                        labels.insert(key.to_owned(), self.one(&values).to_owned());
                    }
                }
                made.push(Namespace { cluster: cluster.to_owned(), name: name.to_owned(), labels });
            }
        }
        made
    }

    fn identities(&mut self) -> Vec<Identity> {
        let mut made = Vec::new();
        for cluster in self.clusters.clone() {
            made.push(Self::resolver(cluster));
            for number in 0..self.dice.between(4, 5) {
                made.push(self.pod(cluster, number));
            }
            for number in 0..2 {
                made.push(self.node(cluster, number));
            }
        }
        let v6: &[&str] = &["2001:db8::1", "2001:db8:1::2", "2001:4860::8"];
        let v6 = if self.settings.enable_ipv6 { v6 } else { &[] };
        for (number, address) in ADDRESSES.iter().chain(v6).enumerate() {
            let mut identity = Identity {
                id: format!("address-{number}"),
                address: (*address).to_owned(),
                ..Identity::default()
            };
            let named = if self.focus.peers == Some("FQDNs") { 90 } else { 60 };
            if self.dice.chance(named) {
                let names = self.dice.some(&NAMES[..]);
                identity.names = names[..names.len().min(2)].iter().map(|&it| it.into()).collect();
            }
            made.push(identity);
        }
        let world: &[&str] = if self.minor <= 16 {
            // Exceptions from all addresses leave an identity that is the excepted ones only.
            &[]
        } else if self.settings.enable_ipv6 {
            &["world-ipv4", "world-ipv6"]
        } else {
            &["world"]
        };
        let reserved = ["host", "remote-node", "kube-apiserver", "health", "ingress", "unmanaged"];
        for name in reserved.iter().chain(world).chain(&["init"]) {
            let name = (*name).to_owned();
            made.push(Identity { id: name.clone(), reserved: name, ..Identity::default() });
        }
        made
    }

    /// A pod of the cluster's DNS.
    fn resolver(cluster: &str) -> Identity {
        let port = |name: &str, protocol: &str| NamedPort {
            name: name.to_owned(),
            port: 53,
            protocol: protocol.to_owned(),
        };
        Identity {
            id: format!("{cluster}-dns"),
            cluster: cluster.to_owned(),
            namespace: "kube-system".to_owned(),
            labels: BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]),
            named_ports: vec![port("dns", "UDP"), port("dns-tcp", "TCP")],
            ..Identity::default()
        }
    }

    fn pod(&mut self, cluster: &str, number: usize) -> Identity {
        let mut labels = BTreeMap::new();
        for (key, values, percent) in [("app", &APPS[..], 90), ("tier", &TIERS[..], 60)] {
            if self.dice.chance(percent) {
                labels.insert(key.to_owned(), self.one(values).to_owned());
            }
        }
        let mut named_ports = Vec::new();
        let ports = [
            ("http", &[80, 8080, 8080][..], &["TCP"][..], 70),
            ("metrics", &[9090], &["TCP", "UDP"], 50),
            ("peer", &[9090, 8080], &["SCTP", "UDP"], 30),
        ];
        for (name, numbers, protocols, percent) in ports {
            if self.dice.chance(percent) {
                let port = *self.dice.pick(numbers);
                let protocol = self.one(protocols).to_owned();
                named_ports.push(NamedPort { name: name.to_owned(), port, protocol });
            }
        }
        Identity {
            id: format!("{cluster}-{number}"),
            cluster: cluster.to_owned(),
            namespace: self.one(&["shop", "shop", "ops"]).to_owned(),
            service_account: if self.dice.chance(50) {
                self.one(&ACCOUNTS).to_owned()
            } else {
                String::new()
            },
            labels,
            named_ports,
            ..Identity::default()
        }
    }

    fn node(&mut self, cluster: &str, number: usize) -> Identity {
        let mut labels = BTreeMap::new();
        for (key, values) in [("zone", TIERS), ("role", ["worker", "gateway"])] {
            if self.dice.chance(70) {
                labels.insert(key.to_owned(), self.one(&values).to_owned());
            }
        }
        Identity {
            id: format!("{cluster}-node-{number}"),
            cluster: cluster.to_owned(),
            labels,
            node: true,
            address: if self.dice.chance(80) {
                self.one(&["10.0.0.5", "10.1.0.6", "192.0.2.7"]).to_owned()
            } else {
                String::new()
            },
            ..Identity::default()
        }
    }

    fn policies(&mut self) -> Vec<Policy> {
        let mut made = Vec::new();
        let often = if self.focus.ask == Some(Ask::Kind) { 85 } else { 45 };
        for name in &GROUPS[..2] {
            if self.dice.chance(often) {
                made.push(Policy { cluster: String::new(), object: self.group(name) });
            }
        }
        let (least, most) = match (self.focus.limits, self.focus.kind) {
            (Some(_), Some(Kind::Tier)) => (1, 2),
            (Some(_), _) => (2, 4),
            (None, Some(Kind::Kubernetes)) => (2, 5),
            (None, _) => (3, 8),
        };
        for number in 0..self.dice.between(least, most) {
            let name = format!("policy-{number}");
            let usual = match self.dice.below(100) {
                0..70 => Kind::Cilium,
                70..85 if self.minor >= 20 => Kind::Tier,
                _ => Kind::Kubernetes,
            };
            let object = match self.focus.kind.filter(|_| self.dice.chance(90)).unwrap_or(usual) {
                Kind::Cilium => self.writable(&name),
                Kind::Tier => self.cluster_policy(&name),
                Kind::Kubernetes => self.network_policy(&name),
            };
            let everywhere = self.focus.limits.is_some() || self.dice.chance(40);
            let cluster = if everywhere { "" } else { self.cluster() };
            made.push(Policy { cluster: cluster.to_owned(), object });
        }
        // Where nothing isolates, the queries for names are not limited.
        let tier = self.focus.kind == Some(Kind::Tier) && self.focus.limits.is_some();
        if tier && self.dice.chance(75) {
            let object = json!({
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumClusterwideNetworkPolicy",
                "metadata": {"name": "isolated"},
                "spec": {"endpointSelector": {}, "egress": [{}]},
            });
            made.push(Policy { cluster: String::new(), object });
        }
        made
    }

    /// A policy of Cilium's own. Up to 1.19 the operator writes one with groups of a cloud anew, and
    /// what it writes differs: empty lists are left out, and labels get their source twice.
    fn writable(&mut self, name: &str) -> Value {
        loop {
            let namespaced = self.dice.chance(70);
            let object = self.cilium(name, namespaced);
            let text = object.to_string();
            // The programs look Services up before they write it anew, the agent after.
            let changed = text.contains(":[]")
                || text.contains("cidrGroupSelector")
                || text.contains("toServices")
                || text.contains("Nodes\":");
            if self.minor >= 20 || !text.contains("securityGroupsIds") || !changed {
                return object;
            }
        }
    }

    /// What `toServices` may name, in some cases.
    fn services(&mut self) -> Vec<Service> {
        let often = if self.focus.peers == Some("Services") { 80 } else { 30 };
        let mut made = Vec::new();
        for name in ["web", "legacy"] {
            if !self.dice.chance(often) {
                continue;
            }
            let mut known = Service {
                namespace: self.one(&["shop", "shop", "ops"]).to_owned(),
                name: name.to_owned(),
                labels: BTreeMap::from([("app".to_owned(), self.one(&TIERS).to_owned())]),
                ..Service::default()
            };
            if self.dice.chance(40) {
                self.cluster().clone_into(&mut known.cluster);
            }
            let by_labels = if self.minor <= 16 { 30 } else { 70 };
            if self.dice.chance(by_labels) {
                known.selector.insert("app".to_owned(), self.one(&APPS).to_owned());
            } else {
                known.addresses =
                    self.dice.some(&ADDRESSES[..2]).iter().map(|&it| it.into()).collect();
            }
            made.push(known);
        }
        made
    }

    /// What `toGroups` stands for, in some cases.
    fn security_groups(&mut self) -> Vec<SecurityGroup> {
        let often = if self.focus.peers == Some("Groups") { 70 } else { 30 };
        if !self.dice.chance(often) {
            return Vec::new();
        }
        let addresses = self.dice.some(&ADDRESSES).iter().map(|&it| it.into()).collect();
        vec![SecurityGroup { id: "sg-1".to_owned(), addresses }]
    }

    fn group(&mut self, name: &str) -> Value {
        // One prefix in two groups has the labels of either, by chance, until 1.19.
        let own = |cidr: &&str| cidr.len() % 2 == usize::from(name == GROUPS[0]);
        let cidrs: Vec<&str> = (0..self.dice.below(6)).map(|_| self.prefix()).collect();
        let cidrs: Vec<&str> = cidrs.into_iter().filter(own).collect();
        let mut labels = json!({});
        for (key, values) in [("kind", ["partner", "office"]), ("level", TIERS)] {
            if self.dice.chance(70) {
                labels[key] = json!(self.one(&values));
            }
        }
        json!({
            "apiVersion": if self.minor < 18 { "cilium.io/v2alpha1" } else { "cilium.io/v2" },
            "kind": "CiliumCIDRGroup",
            "metadata": {"name": name, "labels": labels},
            "spec": {"externalCIDRs": cidrs},
        })
    }

    fn flows(&mut self, identities: &[Identity]) -> Vec<Flow> {
        let pods: Vec<&Identity> =
            identities.iter().filter(|it| !it.namespace.is_empty()).collect();
        let met: Vec<&Identity> = identities.iter().filter(|it| self.meets(it)).collect();
        let mut made = Vec::new();
        let count = match self.focus.kind {
            // Of 1.20 fewer cases are about Cilium's own policies.
            Some(Kind::Cilium) if self.minor >= 20 => 270,
            Some(_) => 200,
            None => 56,
        };
        for _ in 0..count {
            let pod = self.dice.pick(&pods).id.clone();
            let often = if self.focus.kind == Some(Kind::Tier) { 75 } else { 60 };
            let other = match self.dice.below(100) {
                rolled if rolled < often && !met.is_empty() && self.focus.kind.is_some() => {
                    self.dice.pick(&met)
                }
                0..45 => *self.dice.pick(&pods),
                _ => self.dice.pick(identities),
            };
            let other = other.id.clone();
            let out = match self.focus.peers {
                Some("FQDNs" | "Services") => 85,
                _ if self.focus.kind == Some(Kind::Tier) && self.focus.limits.is_some() => 85,
                _ => 50,
            };
            let (from, to) = if self.dice.chance(out) { (pod, other) } else { (other, pod) };
            let (protocol, port) = self.target();
            made.push(Flow { from, to, port, protocol: protocol.to_owned() });
        }
        made
    }

    /// Whether the focus is on what selects an identity.
    fn meets(&self, it: &Identity) -> bool {
        match (self.focus.kind, self.focus.peers) {
            (_, Some("Nodes")) => it.node,
            (_, Some("Services")) if self.minor <= 16 => !it.address.is_empty() && !it.node,
            (_, Some("CIDR" | "CIDRSet" | "FQDNs" | "Groups")) => {
                !it.address.is_empty() && !it.node
            }
            (_, Some("Entities")) => self.focus.word == Some(&it.reserved),
            (_, Some("Endpoints")) if self.focus.ask == Some(Ask::Word) => {
                self.focus.word == Some(&it.reserved)
            }
            // Every pod has what is asked for most.
            (Some(Kind::Cilium), Some("Endpoints"))
                if self.focus.operator == Some("DoesNotExist") && !self.focus.subject =>
            {
                it.namespace.is_empty()
            }
            (Some(Kind::Tier), _) if self.focus.limits.is_some() => it.id.ends_with("-dns"),
            _ => !it.namespace.is_empty(),
        }
    }

    /// A protocol and a port, or an ICMP type.
    fn target(&mut self) -> (&'static str, u16) {
        let usual = |dice: &mut Dice| -> (&'static str, u16) {
            let (protocol, ports): (_, &[u16]) = match dice.below(100) {
                0..58 => ("TCP", &[80, 8080, 443, 9090, 8000, 53, 65535]),
                58..80 => ("UDP", &[53, 53, 9090, 8080, 80]),
                80..87 => ("SCTP", &[9090, 8080, 80]),
                87..95 => ("ICMP", &[8, 8, 3, 11]),
                _ => ("ICMPv6", &[128, 128, 135, 1]),
            };
            (protocol, *dice.pick(ports))
        };
        if self.focus.kind == Some(Kind::Kubernetes) && self.dice.chance(60) {
            return *self.dice.pick(&[
                ("TCP", 80),
                ("TCP", 8080),
                ("TCP", 9090),
                ("UDP", 53),
                ("UDP", 9090),
                ("SCTP", 9090),
            ]);
        }
        let Some(limits) = self.focus.limits.filter(|_| self.dice.chance(80)) else {
            return usual(&mut self.dice);
        };
        match limits {
            Limits::Http | Limits::Kafka | Limits::Clash => {
                ("TCP", *self.dice.pick(&[8080, 8080, 8080, 80, 80, 8000, 9090]))
            }
            Limits::Dns => (self.one(&["UDP", "UDP", "TCP"]), 53),
            Limits::ServerNames => ("TCP", 443),
        }
    }
}
