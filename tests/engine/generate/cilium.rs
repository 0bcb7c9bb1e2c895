//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy.

use serde_json::{Value, json};

use super::{GROUPS, Maker, TIERS};

/// A section of a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) ingress: bool,
    pub(super) deny: bool,
}

impl Section {
    const fn key(self) -> &'static str {
        match (self.ingress, self.deny) {
            (true, false) => "ingress",
            (true, true) => "ingressDeny",
            (false, false) => "egress",
            (false, true) => "egressDeny",
        }
    }

    /// The name of a kind of peers in this section.
    pub(super) fn peers(self, name: &str) -> String {
        format!("{}{name}", if self.ingress { "from" } else { "to" })
    }
}

impl Maker {
    pub(super) fn cilium(&mut self, name: &str, namespaced: bool) -> Value {
        let kind =
            if namespaced { "CiliumNetworkPolicy" } else { "CiliumClusterwideNetworkPolicy" };
        let mut object =
            json!({"apiVersion": "cilium.io/v2", "kind": kind, "metadata": {"name": name}});
        if namespaced {
            object["metadata"]["namespace"] = json!(self.one(&["shop", "shop", "ops"]));
        }
        let listed = self.dice.chance(22);
        if !listed || self.dice.chance(25) {
            object["spec"] = self.rule(namespaced);
        }
        if listed {
            let count = self.dice.between(1, 2);
            object["specs"] = (0..count).map(|_| self.rule(namespaced)).collect();
        }
        object
    }

    fn rule(&mut self, namespaced: bool) -> Value {
        let mut rule = json!({});
        // Rules about nodes are not asked, only read.
        let often = if namespaced { 1 } else { 5 };
        let node = self.focus.limits.is_none() && self.dice.chance(often);
        if node {
            rule["nodeSelector"] = self.nodes(false);
        } else {
            rule["endpointSelector"] = self.subject();
        }
        // Where nothing isolates, L7 rules let everything through.
        let often = if self.focus.limits.is_some() { 8 } else { 30 };
        if self.dice.chance(often) {
            let mut deny = json!({});
            for way in ["ingress", "egress"] {
                if self.dice.chance(60) {
                    deny[way] = json!(self.dice.chance(25));
                }
            }
            rule["enableDefaultDeny"] = deny;
        }
        if self.dice.chance(5) {
            rule["description"] = json!("why");
        }
        let denied = if self.focus.limits.is_some() { 6 } else { 22 };
        let allowed = if self.focus.limits.is_some() { 80 } else { 55 };
        let sections = [
            (true, false, allowed),
            (true, true, denied),
            (false, false, allowed),
            (false, true, denied),
        ];
        for (ingress, deny, percent) in sections {
            let section = Section { ingress, deny };
            if self.dice.chance(percent) {
                rule[section.key()] = self.items(section);
            }
        }
        if !sections.iter().any(|(ingress, deny, _)| {
            rule.get(Section { ingress: *ingress, deny: *deny }.key()).is_some()
        }) {
            let ingress = self.dice.chance(50);
            let section = Section { ingress, deny: false };
            // Nothing but an empty section is refused from 1.17 on.
            let empty = self.dice.chance(15);
            rule[section.key()] = if empty { json!([]) } else { self.items(section) };
        }
        rule
    }

    fn items(&mut self, section: Section) -> Value {
        let mut items = Vec::new();
        let counts: &[usize] =
            if self.focus.limits.is_some() { &[1, 2, 2, 3] } else { &[1, 1, 1, 2, 2, 3] };
        for _ in 0..*self.dice.pick(counts) {
            items.push(self.item(section));
        }
        if self.dice.chance(2) {
            items.clear();
        }
        let names = |item: &Value| item.get("toFQDNs").is_some();
        if items.iter().any(names) {
            items.push(self.queries());
        }
        json!(items)
    }

    /// The rule that sends DNS queries through the proxy, which names need.
    fn queries(&mut self) -> Value {
        let mut item = json!({"toPorts": [{
            "ports": [{"port": "53", "protocol": self.one(&["UDP", "ANY"])}],
            "rules": {"dns": [{"matchPattern": "*"}]},
        }]});
        match self.dice.below(3) {
            0 => {
                item["toEndpoints"] = json!([{"matchLabels": {
                    "k8s:io.kubernetes.pod.namespace": "kube-system", "k8s-app": "kube-dns"
                }}]);
            }
            1 => item["toEntities"] = json!([self.one(&["cluster", "all"])]),
            _ => {}
        }
        item
    }

    fn item(&mut self, section: Section) -> Value {
        let mut item = json!({});
        if !self.dice.chance(12) {
            self.peers_of(&mut item, section);
        }
        // All ports are open where one item says none.
        let first = if self.focus.limits.is_some() && !section.deny { 40 } else { 0 };
        match self.dice.between(first, 99) {
            0..42 => {}
            42..86 => item["toPorts"] = self.port_rules(section),
            _ => item["icmps"] = self.icmps(),
        }
        if self.minor <= 18 && self.dice.chance(4) {
            item[section.peers("Requires")] = json!([self.peer()]);
        }
        // In 1.16 it changes which of the map's entries the pod's own node meets.
        if !section.deny && self.dice.chance(2) && self.minor > 16 {
            item["authentication"] = json!({"mode": "disabled"});
        }
        item
    }

    fn peers_of(&mut self, item: &mut Value, section: Section) {
        let focused = self.focus.peers.filter(|_| self.dice.chance(75));
        let rolled = match focused {
            Some("Endpoints") => 0,
            Some("Entities") => 36,
            Some("CIDR") => 54,
            Some("CIDRSet") => 62,
            Some("Nodes") => 80,
            Some("FQDNs") => 88,
            Some("Services") => 94,
            Some("Groups") => 96,
            _ => self.dice.below(100),
        };
        let (name, peers) = match rolled {
            0..36 => ("Endpoints", self.several(Self::peer)),
            36..54 => ("Entities", self.several(Self::entity)),
            54..62 => ("CIDR", self.several(|maker| json!(maker.prefix()))),
            62..80 => ("CIDRSet", self.several(Self::prefixes)),
            80..88 if self.settings.enable_node_selector_labels || self.dice.chance(10) => {
                ("Nodes", self.several(|maker| maker.nodes(true)))
            }
            88..94 if !section.ingress && !section.deny => ("FQDNs", self.several(Self::name)),
            94..96 if !section.ingress => ("Services", self.several(Self::service)),
            96..98 => ("Groups", json!([{"aws": {"securityGroupsIds": ["sg-1"]}}])),
            98 => {
                let name = self.one(&["Endpoints", "Entities", "CIDR", "CIDRSet"]);
                (name, json!([]))
            }
            _ => ("Endpoints", json!([{}])),
        };
        item[section.peers(name)] = peers;
        // One kind of peers only may stand in an item.
        if self.dice.chance(1) {
            item[section.peers("Entities")] = json!(["all"]);
        }
    }

    fn several(&mut self, make: impl Fn(&mut Self) -> Value) -> Value {
        let count = *self.dice.pick(&[1, 1, 1, 2, 2, 3]);
        (0..count).map(|_| make(self)).collect()
    }

    fn entity(&mut self) -> Value {
        let common = ["all", "world", "cluster", "remote-node", "host", "kube-apiserver"];
        let rare = ["init", "ingress", "unmanaged", "health", "none"];
        if let Some(word) = self.focus.word.filter(|_| self.dice.chance(60)) {
            return json!(word);
        }
        let entity = match self.dice.below(100) {
            0..60 => self.one(&common),
            60..92 => self.one(&rare),
            // Before, the CRD does not know the word.
            _ if self.minor >= 20 => "cluster-mesh",
            _ => "cluster",
        };
        json!(entity)
    }

    fn prefixes(&mut self) -> Value {
        let by_label = self.focus.ask.is_some() && self.focus.peers == Some("CIDRSet");
        let mut made = match self.dice.between(if by_label { 50 } else { 0 }, 99) {
            0..55 => json!({"cidr": self.prefix()}),
            55..78 => {
                json!({"cidrGroupRef": self.one(&[GROUPS[0], GROUPS[0], GROUPS[1], GROUPS[2]])})
            }
            _ if self.minor >= 17 => json!({"cidrGroupSelector": self.groups_by_label()}),
            _ => json!({"cidr": self.prefix()}),
        };
        // 1.16 refuses exceptions of groups, outside of what the program asks.
        if self.dice.chance(45) && (self.minor > 16 || made.get("cidr").is_some()) {
            let wide = if let Some(cidr) = made["cidr"].as_str() {
                cidr.to_owned()
            } else {
                self.one(&["0.0.0.0/0", "::/0"]).to_owned()
            };
            made["except"] = self.exceptions(&wide);
        }
        made
    }

    /// Exceptions that lie in the prefix, but for a few.
    fn exceptions(&mut self, cidr: &str) -> Value {
        let wide: ipnet::IpNet = cidr.parse().expect("a prefix");
        let mut made = Vec::new();
        for _ in 0..self.dice.between(0, 2) {
            let out = self.prefix();
            let inside = wide.contains(&out.parse::<ipnet::IpNet>().expect("a prefix"));
            // Until 1.18 all addresses are those that have a label of theirs by other policies.
            let all = out.ends_with("/0") && self.minor <= 18;
            if !all && (inside || self.dice.chance(4)) {
                made.push(out);
            }
        }
        json!(made)
    }

    pub(super) fn name(&mut self) -> Value {
        if self.dice.chance(40) {
            return json!({"matchName": self.one(&[
                "www.example.com",
                "API.example.com",
                "cdn.example.net.",
                "a.b.example.com",
            ])});
        }
        json!({"matchPattern": self.one(&[
            "*",
            "*.example.com",
            "*.*.example.com",
            "**.example.com",
            "a*.example.com",
            "w*w.example.com",
            "www.example.*",
            "*example*",
            "**",
            "*.example.net",
            "cdn*.example.net",
        ])})
    }

    fn service(&mut self) -> Value {
        if self.dice.chance(50) {
            let name = self.one(&["web", "web", "legacy"]);
            json!({"k8sService": {"serviceName": name, "namespace": self.one(&["shop", "ops"])}})
        } else {
            json!({"k8sServiceSelector": {"selector": {"matchLabels": {"app": self.one(&TIERS)}}}})
        }
    }
}
