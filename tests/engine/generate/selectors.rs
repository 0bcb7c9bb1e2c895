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

/// What a selector asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    App,
    Tier,
    Account,
    Namespace,
    Cluster,
    /// Labels of the namespace.
    Team,
    /// The namespace by the label of its name.
    Name,
    Word,
    /// Labels of nodes.
    Zone,
    /// Labels of groups of addresses.
    Kind,
}

impl Ask {
    pub(super) const OF_CILIUM: [Self; 8] = [
        Self::App,
        Self::Account,
        Self::Account,
        Self::Namespace,
        Self::Cluster,
        Self::Team,
        Self::Team,
        Self::Name,
    ];
    pub(super) const OF_KUBERNETES: [Self; 8] = [
        Self::Tier,
        Self::Account,
        Self::Account,
        Self::Namespace,
        Self::Namespace,
        Self::Cluster,
        Self::Cluster,
        Self::Team,
    ];
    pub(super) const OF_NODES: [Self; 3] = [Self::Zone, Self::Cluster, Self::Cluster];
    pub(super) const OF_GROUPS: [Self; 1] = [Self::Kind];
}

/// What selectors of some sort ask, by weight.
type Weights = &'static [(Ask, usize)];

const SUBJECT: Weights = &[
    (Ask::App, 55),
    (Ask::Tier, 17),
    (Ask::Account, 8),
    (Ask::Namespace, 6),
    (Ask::Cluster, 7),
    (Ask::Team, 5),
    (Ask::Word, 2),
];
const PEER: Weights = &[
    (Ask::App, 28),
    (Ask::Tier, 12),
    (Ask::Namespace, 15),
    (Ask::Cluster, 13),
    (Ask::Team, 12),
    (Ask::Name, 4),
    (Ask::Account, 6),
    (Ask::Word, 10),
];
const PODS: Weights =
    &[(Ask::App, 50), (Ask::Tier, 25), (Ask::Cluster, 10), (Ask::Account, 8), (Ask::Namespace, 7)];
const NODES: Weights = &[(Ask::Zone, 8), (Ask::Cluster, 2)];

impl Maker {
    /// What a CiliumNetworkPolicy is about.
    pub(super) fn subject(&mut self) -> Value {
        let counts: &[usize] =
            if self.focus.limits.is_some() { &[0, 0, 0, 1] } else { &[0, 0, 0, 1, 1, 1, 2] };
        self.selector(SUBJECT, counts, true, self.focus.subject)
    }

    /// The other side of a Cilium policy.
    pub(super) fn peer(&mut self) -> Value {
        self.selector(PEER, &[0, 1, 1, 1, 2, 2, 3], true, !self.focus.subject)
    }

    /// Pods as Kubernetes' own policies select them: their keys have no source.
    pub(super) fn pods(&mut self) -> Value {
        self.selector(PODS, &[0, 1, 1, 1, 2], false, true)
    }

    pub(super) fn nodes(&mut self, sources: bool) -> Value {
        self.selector(NODES, &[0, 1, 1, 2], sources, true)
    }

    /// A selector; `focused` where the focus of the case is on it.
    fn selector(
        &mut self,
        weights: Weights,
        counts: &[usize],
        sources: bool,
        focused: bool,
    ) -> Value {
        let mut making = Making::default();
        let known = |ask: &Ask| weights.iter().any(|(other, _)| other == ask);
        let focus = self.focus.ask.filter(|ask| focused && known(ask) && self.dice.chance(75));
        if let Some(ask) = focus {
            self.about(&mut making, ask, sources, self.focus.operator);
        }
        let count = *self.dice.pick(if focus.is_some() { &[0, 0, 0, 1] } else { counts });
        for _ in 0..count {
            let mut rolled = self.dice.below(weights.iter().map(|(_, weight)| weight).sum());
            let mut asks = weights.iter();
            let ask = asks.find(|(_, weight)| {
                let here = rolled < *weight;
                rolled = rolled.wrapping_sub(*weight);
                here
            });
            self.about(&mut making, ask.expect("one is rolled").0, sources, None);
        }
        making.done()
    }

    fn about(
        &mut self,
        making: &mut Making,
        ask: Ask,
        sources: bool,
        operator: Option<&'static str>,
    ) {
        match ask {
            Ask::App => self.ask(making, "app", &APPS, sources, operator),
            Ask::Tier => self.ask(making, "tier", &TIERS, sources, operator),
            Ask::Account => self.ask(making, ACCOUNT, &ACCOUNTS, sources, operator),
            Ask::Namespace => self.ask(making, NAMESPACE, &NAMESPACES, sources, operator),
            Ask::Cluster => {
                let clusters = self.clusters.clone();
                self.ask(making, CLUSTER, &clusters, sources, operator);
            }
            Ask::Team => {
                let (key, values) = *self.dice.pick(&[("team", TIERS), ("env", ["prod", "dev"])]);
                let key = format!("{NAMESPACE_LABELS}.{key}");
                self.ask(making, &key, &values, sources, operator);
            }
            Ask::Name => {
                let key = format!("{NAMESPACE_LABELS}.kubernetes.io/metadata.name");
                self.ask(making, &key, &NAMESPACES, sources, operator);
            }
            Ask::Word => self.word(making),
            Ask::Zone => {
                let (key, values) =
                    *self.dice.pick(&[("zone", TIERS), ("role", ["worker", "gateway"])]);
                let source = if sources && self.dice.chance(30) { "node:" } else { "" };
                self.require(making, source, key, &values, operator);
            }
            Ask::Kind => self.ask(making, "kind", &["partner", "office"], false, operator),
        }
    }

    /// Namespaces as Kubernetes' own policies select them.
    pub(super) fn namespaces_by_label(&mut self) -> Value {
        let mut making = Making::default();
        let focused = self.focus.ask == Some(Ask::Team) && self.dice.chance(75);
        let operator = self.focus.operator.filter(|_| focused);
        for _ in 0..*self.dice.pick(if focused { &[1, 1, 2] } else { &[0, 1, 1, 2] }) {
            match self.dice.below(10) {
                0..5 => self.ask(&mut making, "team", &TIERS, false, operator),
                5..8 => self.ask(&mut making, "env", &["prod", "dev"], false, operator),
                _ => self.ask(
                    &mut making,
                    "kubernetes.io/metadata.name",
                    &NAMESPACES,
                    false,
                    operator,
                ),
            }
        }
        making.done()
    }

    pub(super) fn groups_by_label(&mut self) -> Value {
        let mut making = Making::default();
        // In 1.20 one that says nothing has the key of the selector of everything.
        let counts: &[usize] = if self.minor >= 20 { &[1, 1, 2] } else { &[0, 1, 1, 2] };
        let operator = self.focus.operator.filter(|_| self.focus.ask == Some(Ask::Kind));
        for _ in 0..*self.dice.pick(counts) {
            if operator.is_some() || self.dice.chance(50) {
                self.ask(&mut making, "kind", &["partner", "office"], false, operator);
            } else {
                // Not a key of pods: of any source, it would be asked of addresses, too.
                self.ask(&mut making, "level", &TIERS, false, operator);
            }
        }
        making.done()
    }

    /// One requirement; `sources` where the key may name the source that it comes from.
    fn ask(
        &mut self,
        making: &mut Making,
        key: &str,
        values: &[&'static str],
        sources: bool,
        operator: Option<&'static str>,
    ) {
        let source = match self.dice.below(100) {
            _ if !sources => "",
            0..40 => "k8s:",
            40..50 => "any:",
            _ => "",
        };
        self.require(making, source, key, values, operator);
    }

    fn require(
        &mut self,
        making: &mut Making,
        source: &str,
        key: &str,
        values: &[&'static str],
        operator: Option<&'static str>,
    ) {
        let name = format!("{source}{key}");
        let usual = self.one(&["=", "=", "=", "In", "In", "NotIn", "Exists", "DoesNotExist"]);
        let negative_rarely = usual == "DoesNotExist" && key.contains('.') && self.dice.chance(60);
        let usual = if negative_rarely { "Exists" } else { usual };
        let operator = operator.filter(|_| self.dice.chance(85)).unwrap_or(usual);
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
        let focused = self.focus.word.filter(|_| self.dice.chance(70));
        let word = focused.unwrap_or_else(|| self.one(&WORDS));
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
