//! Policies that somebody wrote beside what compile makes of a random project: of every kind, with
//! selectors that meet its pods.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::project::Project;

/// Who is there in a project.
pub(crate) struct Known {
    pub(crate) clusters: Vec<String>,
    pub(crate) namespaces: Vec<String>,
    /// Pods, as their namespace and their labels.
    pub(crate) pods: Vec<(String, Map<String, Value>)>,
}

impl Known {
    pub(crate) fn of(project: &Project) -> Self {
        let mut known = Self { clusters: Vec::new(), namespaces: Vec::new(), pods: Vec::new() };
        for document in project.documents() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            match document["kind"].as_str() {
                Some("Cluster") => known.clusters.push(text(&document["metadata"]["name"])),
                Some("MeshApplication") => {
                    let namespace = text(&document["spec"]["namespace"]);
                    for workload in document["spec"]["workloads"].as_object().into_iter().flatten()
                    {
                        let labels = workload.1["labels"].as_object().cloned().unwrap_or_default();
                        known.pods.push((namespace.clone(), labels));
                    }
                    known.namespaces.push(namespace);
                }
                _ => {}
            }
        }
        known.namespaces.sort();
        known.namespaces.dedup();
        known
    }

    /// A policy of any kind.
    pub(crate) fn policy(&self, dice: &mut Dice, name: &str) -> Value {
        match dice.below(10) {
            0..6 => self.cilium(dice, name, false),
            6..8 => self.cilium(dice, name, true),
            _ => self.kubernetes(dice, name),
        }
    }

    fn labels(&self, dice: &mut Dice) -> Map<String, Value> {
        let labels = self.pods.is_empty().then(Map::new);
        let mut labels = labels.unwrap_or_else(|| dice.pick(&self.pods).1.clone());
        if dice.chance(15) {
            labels.insert("tier".to_owned(), "debug".into());
        }
        labels
    }

    fn selector(&self, dice: &mut Dice) -> Value {
        match dice.below(5) {
            0 => json!({}),
            1 => {
                let operator = *dice.pick(&["In", "NotIn"]);
                json!({"matchExpressions": [{"key": "app", "operator": operator, "values": ["api", "web"]}]})
            }
            2 => {
                let operator = *dice.pick(&["Exists", "DoesNotExist"]);
                json!({"matchExpressions": [{"key": "tier", "operator": operator}]})
            }
            _ => json!({"matchLabels": self.labels(dice)}),
        }
    }

    fn cilium(&self, dice: &mut Dice, name: &str, clusterwide: bool) -> Value {
        let mut rule = json!({"endpointSelector": self.selector(dice)});
        if dice.chance(25) {
            rule["enableDefaultDeny"] =
                json!({"ingress": dice.chance(30), "egress": dice.chance(30)});
        }
        let sections = ["ingress", "egress", "ingressDeny", "egressDeny"];
        for section in dice.some(&sections) {
            let items = (0..dice.between(1, 3)).map(|_| self.item(dice, section));
            rule[section] = items.collect();
        }
        let kind =
            if clusterwide { "CiliumClusterwideNetworkPolicy" } else { "CiliumNetworkPolicy" };
        let key = if dice.chance(15) { "specs" } else { "spec" };
        let spec = if key == "spec" { rule } else { json!([rule]) };
        let mut policy = json!({"apiVersion": "cilium.io/v2", "kind": kind, "metadata": {"name": name}, key: spec});
        if !clusterwide {
            policy["metadata"]["namespace"] = self.namespace(dice).into();
        }
        policy
    }

    fn namespace(&self, dice: &mut Dice) -> String {
        if self.namespaces.is_empty() || dice.chance(10) {
            return "kube-system".to_owned();
        }
        dice.pick(&self.namespaces).clone()
    }

    fn item(&self, dice: &mut Dice, section: &str) -> Value {
        let (from, deny) = (section.starts_with("ingress"), section.ends_with("Deny"));
        let key = |name: &str| format!("{}{name}", if from { "from" } else { "to" });
        let mut item = Map::new();
        match dice.below(8) {
            0 => {
                let entity = *dice.pick(&["world", "cluster", "host", "remote-node", "all"]);
                item.insert(key("Entities"), json!([entity]));
            }
            1 => {
                let nets = json!(["192.0.2.0/24", "198.51.100.7/32"]);
                item.insert(key("CIDR"), nets);
            }
            2 => {
                let net = json!({"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.3.0/24"]});
                item.insert(key("CIDRSet"), json!([net]));
            }
            3 if !from && !deny => {
                let name = json!({"matchPattern": "*.example.com"});
                item.insert(key("FQDNs"), json!([name]));
            }
            4 => {}
            _ => {
                let peers: Vec<Value> = (0..dice.between(1, 2)).map(|_| self.peer(dice)).collect();
                item.insert(key("Endpoints"), peers.into());
            }
        }
        if item.is_empty() || dice.chance(70) {
            item.insert("toPorts".to_owned(), json!([ports(dice, from, deny)]));
        }
        item.into()
    }

    fn peer(&self, dice: &mut Dice) -> Value {
        let mut peer = self.selector(dice);
        if dice.chance(40) {
            peer["matchLabels"]["k8s:io.kubernetes.pod.namespace"] = self.namespace(dice).into();
        }
        if dice.chance(40) && !self.clusters.is_empty() {
            let cluster = dice.pick(&self.clusters).clone();
            peer["matchLabels"]["k8s:io.cilium.k8s.policy.cluster"] = cluster.into();
        }
        peer
    }

    fn kubernetes(&self, dice: &mut Dice, name: &str) -> Value {
        let ways = dice.some(&["Ingress", "Egress"]);
        let mut spec = json!({"podSelector": self.selector(dice), "policyTypes": ways});
        for way in ways {
            let peers = if way == "Ingress" { "from" } else { "to" };
            let one = match dice.below(3) {
                0 => json!({"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}),
                1 => json!({"namespaceSelector": {}, "podSelector": self.selector(dice)}),
                _ => json!({"podSelector": self.selector(dice)}),
            };
            let mut item = json!({peers: [one]});
            if dice.chance(60) {
                item["ports"] =
                    json!([{"port": 8000, "endPort": 8100, "protocol": "TCP"}, {"port": "http"}]);
            }
            spec[way.to_lowercase()] = json!([item]);
        }
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": self.namespace(dice)}, "spec": spec,
        })
    }
}

fn ports(dice: &mut Dice, ingress: bool, deny: bool) -> Value {
    let ports = [
        json!({"port": "8080", "protocol": "TCP"}),
        json!({"port": "1000", "endPort": 2000, "protocol": "UDP"}),
        json!({"port": "http"}),
        json!({"port": "53", "protocol": "ANY"}),
        json!({"port": "443", "protocol": "TCP"}),
    ];
    let mut rule = json!({"ports": dice.some(&ports)});
    if !deny && dice.chance(25) {
        let http = json!([{"method": "GET", "path": "/a/.*"}, {"path": "/metrics"}]);
        rule = json!({"ports": [{"port": "8080", "protocol": "TCP"}], "rules": {"http": http}});
        if !ingress && dice.chance(50) {
            let dns = json!([{"matchPattern": "*.example.com"}]);
            rule = json!({"ports": [{"port": "53", "protocol": "UDP"}], "rules": {"dns": dns}});
        }
    }
    rule
}
