//! Selectors of pods, namespaces, nodes and groups.

use serde_json::{Map, Value, json};

use super::{ACCOUNTS, APPS, Maker, NAMESPACES, TIERS};

const CLUSTER: &str = "io.cilium.k8s.policy.cluster";
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels";
const WORDS: [&str; 9] = [
    "host",
    "remote-node",
    "health",
    "ingress",
    "world",
    "kube-apiserver",
    "unmanaged",
    "init",
    "none",
];

/// A selector being made; no key twice in `matchLabels`, whatever source it is written with.
#[derive(Default)]
struct Making {
    labels: Map<String, Value>,
    expressions: Vec<Value>,
    used: Vec<String>,
}

impl Making {
    fn done(self) -> Value {
        let mut made = json!({});
        if !self.labels.is_empty() {
            made["matchLabels"] = Value::Object(self.labels);
        }
        if !self.expressions.is_empty() {
            made["matchExpressions"] = json!(self.expressions);
        }
        made
    }
}

impl Maker {
    /// What a CiliumNetworkPolicy is about.
    pub(super) fn subject(&mut self) -> Value {
        let mut making = Making::default();
        for _ in 0..*self.dice.pick(&[0, 0, 0, 1, 1, 1, 2]) {
            match self.dice.below(100) {
                0..55 => self.ask(&mut making, "app", &APPS, true),
                55..72 => self.ask(&mut making, "tier", &TIERS, true),
                72..80 => self.ask(&mut making, ACCOUNT, &ACCOUNTS, true),
                80..86 => self.ask(&mut making, NAMESPACE, &NAMESPACES, true),
                86..93 => {
                    let clusters = self.clusters.clone();
                    self.ask(&mut making, CLUSTER, &clusters, true);
                }
                93..98 => {
                    let key = format!("{NAMESPACE_LABELS}.team");
                    self.ask(&mut making, &key, &TIERS, true);
                }
                _ => self.word(&mut making),
            }
        }
        making.done()
    }

    /// The other side of a Cilium policy.
    pub(super) fn peer(&mut self) -> Value {
        let mut making = Making::default();
        for _ in 0..*self.dice.pick(&[0, 1, 1, 1, 2, 2, 3]) {
            match self.dice.below(100) {
                0..28 => self.ask(&mut making, "app", &APPS, true),
                28..40 => self.ask(&mut making, "tier", &TIERS, true),
                40..55 => self.ask(&mut making, NAMESPACE, &NAMESPACES, true),
                55..68 => {
                    let clusters = self.clusters.clone();
                    self.ask(&mut making, CLUSTER, &clusters, true);
                }
                68..80 => {
                    let (key, values) =
                        *self.dice.pick(&[("team", TIERS), ("env", ["prod", "dev"])]);
                    self.ask(&mut making, &format!("{NAMESPACE_LABELS}.{key}"), &values, true);
                }
                80..84 => {
                    let key = format!("{NAMESPACE_LABELS}.kubernetes.io/metadata.name");
                    self.ask(&mut making, &key, &NAMESPACES, true);
                }
                84..90 => self.ask(&mut making, ACCOUNT, &ACCOUNTS, true),
                _ => self.word(&mut making),
            }
        }
        making.done()
    }

    /// Pods as Kubernetes' own policies select them: their keys have no source.
    pub(super) fn pods(&mut self) -> Value {
        let mut making = Making::default();
        for _ in 0..*self.dice.pick(&[0, 1, 1, 1, 2]) {
            match self.dice.below(100) {
                0..50 => self.ask(&mut making, "app", &APPS, false),
                50..75 => self.ask(&mut making, "tier", &TIERS, false),
                75..85 => {
                    let clusters = self.clusters.clone();
                    self.ask(&mut making, CLUSTER, &clusters, false);
                }
                85..93 => self.ask(&mut making, ACCOUNT, &ACCOUNTS, false),
                _ => self.ask(&mut making, NAMESPACE, &NAMESPACES, false),
            }
        }
        making.done()
    }

    /// Namespaces as Kubernetes' own policies select them.
    pub(super) fn namespaces_by_label(&mut self) -> Value {
        let mut making = Making::default();
        for _ in 0..*self.dice.pick(&[0, 1, 1, 2]) {
            match self.dice.below(10) {
                0..5 => self.ask(&mut making, "team", &TIERS, false),
                5..8 => self.ask(&mut making, "env", &["prod", "dev"], false),
                _ => self.ask(&mut making, "kubernetes.io/metadata.name", &NAMESPACES, false),
            }
        }
        making.done()
    }

    pub(super) fn nodes(&mut self, sources: bool) -> Value {
        let mut making = Making::default();
        for _ in 0..*self.dice.pick(&[0, 1, 1, 2]) {
            match self.dice.below(10) {
                0..4 => self.ask_node(&mut making, "zone", &TIERS, sources),
                4..8 => self.ask_node(&mut making, "role", &["worker", "gateway"], sources),
                _ => {
                    let clusters = self.clusters.clone();
                    self.ask(&mut making, CLUSTER, &clusters, sources);
                }
            }
        }
        making.done()
    }

    pub(super) fn groups_by_label(&mut self) -> Value {
        let mut making = Making::default();
        // In 1.20 one that says nothing has the key of the selector of everything.
        let counts: &[usize] = if self.minor >= 20 { &[1, 1, 2] } else { &[0, 1, 1, 2] };
        for _ in 0..*self.dice.pick(counts) {
            if self.dice.chance(50) {
                self.ask(&mut making, "kind", &["partner", "office"], false);
            } else {
                // Not a key of pods: of any source, it would be asked of addresses, too.
                self.ask(&mut making, "level", &TIERS, false);
            }
        }
        making.done()
    }

    /// One requirement; `sources` where the key may name the source that it comes from.
    fn ask(&mut self, making: &mut Making, key: &str, values: &[&'static str], sources: bool) {
        let source = match self.dice.below(100) {
            _ if !sources => "",
            0..40 => "k8s:",
            40..50 => "any:",
            _ => "",
        };
        self.require(making, source, key, values);
    }

    fn ask_node(&mut self, making: &mut Making, key: &str, values: &[&'static str], sources: bool) {
        let source = if sources && self.dice.chance(30) { "node:" } else { "" };
        self.require(making, source, key, values);
    }

    fn require(&mut self, making: &mut Making, source: &str, key: &str, values: &[&'static str]) {
        let name = format!("{source}{key}");
        let operator = self.one(&["=", "=", "=", "In", "In", "NotIn", "Exists", "DoesNotExist"]);
        let negative_rarely =
            operator == "DoesNotExist" && key.contains('.') && self.dice.chance(60);
        let operator = if negative_rarely { "Exists" } else { operator };
        if operator == "=" {
            // `app` and `any:app` become one key, and which value counts is chance.
            if !making.used.contains(&key.to_owned()) {
                making.used.push(key.to_owned());
                making.labels.insert(name, json!(self.one(values)));
            }
            return;
        }
        let mut made = json!({"key": name, "operator": operator});
        if matches!(operator, "In" | "NotIn") {
            let mut some = self.dice.some(values);
            // All values say no more than that the key is there.
            if some.len() == values.len() && values.len() > 1 && self.dice.chance(70) {
                some.pop();
            }
            made["values"] = json!(some);
        }
        making.expressions.push(made);
    }

    fn word(&mut self, making: &mut Making) {
        let word = self.one(&WORDS);
        // Until 1.17 the word means, of two families, what no policy has a prefix of.
        let world = word == "world" && self.minor <= 17 && self.settings.enable_ipv6;
        let key = format!("reserved:{}", if world { "host" } else { word });
        match self.dice.below(10) {
            0..7 => {
                making.labels.insert(key, json!(""));
            }
            7..9 => making.expressions.push(json!({"key": key, "operator": "Exists"})),
            // Until 1.17 `world-ipv4` is always there and no `world`, and holds every address; in
            // 1.20 only what other policies have a prefix of is selected by what stands for it.
            _ if word == "world" && (self.minor <= 17 || self.minor == 20) => {}
            _ => making.expressions.push(json!({"key": key, "operator": "DoesNotExist"})),
        }
    }
}
