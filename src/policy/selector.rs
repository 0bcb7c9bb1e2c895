//! Selectors of labels: what a set of labels must have, and must not have.

use super::label::{CLUSTER, Key, Label, Labels, NAMESPACE, NAMESPACE_LABELS, Source};
use super::values::Values;

/// The words for aggregates of identities (`pkg/policy/aggregate.go`).
const AGGREGATES: [&str; 4] =
    ["aggregate-cluster", "aggregate-cluster-mesh", "aggregate-remote-node", "aggregate-world"];

/// How a requirement reads the value of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// The key is there with one of the values.
    In,
    /// The key is not there, or has none of the values.
    NotIn,
    /// The key is there.
    Exists,
    /// The key is not there.
    DoesNotExist,
}

impl Operator {
    /// The operator of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "In" => Some(Self::In),
            "NotIn" => Some(Self::NotIn),
            "Exists" => Some(Self::Exists),
            "DoesNotExist" => Some(Self::DoesNotExist),
            _ => None,
        }
    }

    /// Whether it has values.
    pub fn takes_values(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }

    /// Whether labels without the key fulfil it.
    pub fn is_negative(self) -> bool {
        matches!(self, Self::NotIn | Self::DoesNotExist)
    }
}

/// One thing that labels must fulfil.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The key.
    pub key: Key,
    /// How its value is read.
    pub operator: Operator,
    /// The values, if the operator has some.
    pub values: Values,
}

impl Requirement {
    /// The key is there with this value.
    pub fn equals(key: Key, value: impl Into<Box<str>>) -> Self {
        Self { key, operator: Operator::In, values: Values::one(value) }
    }

    /// The key is there.
    pub fn exists(key: Key) -> Self {
        Self { key, operator: Operator::Exists, values: Values::default() }
    }

    /// Whether labels fulfil it (`MatchesRequirement` in `pkg/policy/types/requirements.go`).
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// Selects the labels that fulfil every requirement; without any it selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    /// What `matchLabels` says, one requirement for each key.
    labels: Vec<Requirement>,
    /// What `matchExpressions` says.
    expressions: Vec<Requirement>,
}

impl Selector {
    /// A selector of what has a label of Cilium's own.
    pub fn reserved(name: &str) -> Self {
        let mut selector = Self::default();
        selector.set(Key::reserved(name), "");
        selector
    }

    /// Wants a key to have a value; says `false` and replaces what it wanted where it wanted the
    /// key to have another value.
    pub fn set(&mut self, key: Key, value: impl Into<Box<str>>) -> bool {
        let wanted = Requirement::equals(key, value);
        let known = self.labels.iter_mut().find(|known| known.key == wanted.key);
        let Some(known) = known else {
            self.labels.push(wanted);
            return true;
        };
        let same = known.values == wanted.values;
        *known = wanted;
        same
    }

    /// Adds a requirement, as `matchExpressions` does.
    pub fn add(&mut self, requirement: Requirement) {
        self.expressions.push(requirement);
    }

    /// Adds all requirements of another one.
    pub fn extend(&mut self, other: &Self) {
        self.expressions.extend(other.requirements().cloned());
    }

    /// Every requirement.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.labels.iter().chain(&self.expressions)
    }

    /// The requirements that `matchLabels` says.
    pub fn exact(&self) -> &[Requirement] {
        &self.labels
    }

    /// The same with `matchLabels` in order, as the agent writes it; two with their
    /// `matchExpressions` in another order are two to it.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.labels.sort();
        sorted
    }

    /// Whether labels fulfil every requirement.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements().all(|requirement| requirement.matches(labels))
    }

    /// Whether it selects everything because it requires nothing.
    pub fn is_wildcard(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Whether it requires something and labels that have none of its keys fulfil all of it. Such
    /// a selector takes in the world and the nodes, and from Cilium 1.20 what it excludes too.
    pub fn is_only_negative(&self) -> bool {
        !self.is_wildcard() && self.requirements().all(|known| known.operator.is_negative())
    }

    /// Whether it selects the word for an aggregate of identities, and with it all of them
    /// (`Semantics::aggregates`).
    pub fn selects_aggregates(&self) -> bool {
        AGGREGATES.iter().any(|name| {
            let label = Label::new(Source::Reserved, *name, "");
            self.matches(&[label].into_iter().collect())
        })
    }

    /// Whether one of its keys is Cilium's own.
    pub fn is_reserved(&self) -> bool {
        self.requirements().any(|known| known.key.source == Some(Source::Reserved))
    }

    /// Whether it wants a label of Kubernetes, so that only what has one fulfils it: pods, and
    /// nodes whose labels are part of their identity.
    pub fn is_of_pods(&self) -> bool {
        self.requirements()
            .any(|known| known.key.source == Some(Source::K8s) && !known.operator.is_negative())
    }

    fn has(&self, fits: impl Fn(&Key) -> bool) -> bool {
        self.requirements().any(|known| fits(&known.key))
    }

    /// Whether it says something of the cluster.
    pub fn says_cluster(&self) -> bool {
        self.has(|key| key.is_k8s(CLUSTER))
    }

    /// Whether it says something of the namespace's name.
    pub fn says_namespace(&self) -> bool {
        self.has(|key| key.is_k8s(NAMESPACE))
    }

    /// Whether it says something of the namespace's labels.
    pub fn says_namespace_labels(&self) -> bool {
        self.has(|key| key.starts_k8s(NAMESPACE_LABELS))
    }

    /// Keeps it to a cluster unless it says something of the cluster itself
    /// (`addClusterFilterByDefault` in `pkg/k8s/apis/cilium.io/utils/utils.go`).
    pub fn keep_to_cluster(&mut self, cluster: Option<&str>) {
        if let Some(cluster) = cluster
            && !self.says_cluster()
        {
            self.set(Key::k8s(CLUSTER), cluster);
        }
    }

    /// Gives a peer of a Cilium policy the scope that it does not say: the policy's own namespace,
    /// any namespace in a policy of the cluster, and the policy's own cluster
    /// (`getEndpointSelector` in `pkg/k8s/apis/cilium.io/utils/utils.go`). `about_init` says that
    /// the policy's subject names `reserved:init`, which has no namespace.
    pub fn scope_peer(&mut self, namespace: Option<&str>, cluster: Option<&str>, about_init: bool) {
        if self.is_reserved() {
            return;
        }
        self.scope_namespace(namespace, about_init);
        self.keep_to_cluster(cluster);
    }

    /// As [`Self::scope_peer`], for the namespace alone.
    pub fn scope_namespace(&mut self, namespace: Option<&str>, about_init: bool) {
        if self.says_namespace() {
            return;
        }
        match namespace {
            None if about_init => {}
            None => self.add(Requirement::exists(Key::k8s(NAMESPACE))),
            Some(_) if self.says_namespace_labels() => {}
            Some(namespace) => {
                self.set(Key::k8s(NAMESPACE), namespace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| Label::new(Source::K8s, *key, *value)).collect()
    }

    fn requirement(operator: Operator, values: &[&str]) -> Requirement {
        let values = values.iter().map(|value| Box::from(*value)).collect();
        Requirement { key: Key::k8s("tier"), operator, values }
    }

    #[test]
    fn every_operator_reads_values_as_kubernetes_does() {
        let cases = [
            (Operator::In, &["a", "b"][..], [true, false, false]),
            (Operator::NotIn, &["a", "b"], [false, true, true]),
            (Operator::Exists, &[], [true, true, false]),
            (Operator::DoesNotExist, &[], [false, false, true]),
        ];
        for (operator, values, expected) in cases {
            let requirement = requirement(operator, values);
            let known = [labels(&[("tier", "a")]), labels(&[("tier", "c")]), labels(&[("x", "a")])];
            assert_eq!(known.map(|labels| requirement.matches(&labels)), expected, "{operator:?}");
        }
    }

    #[test]
    fn a_peer_gets_the_scope_that_it_does_not_say() {
        let mut plain = Selector::default();
        plain.scope_peer(Some("shop"), Some("use1"), false);
        assert!(plain.matches(&labels(&[(NAMESPACE, "shop"), (CLUSTER, "use1")])));
        assert!(!plain.matches(&labels(&[(NAMESPACE, "shop"), (CLUSTER, "euw1")])));
        assert!(!plain.matches(&labels(&[(NAMESPACE, "ops"), (CLUSTER, "use1")])));

        let mut clusterwide = Selector::default();
        clusterwide.scope_peer(None, None, false);
        assert!(clusterwide.matches(&labels(&[(NAMESPACE, "ops"), (CLUSTER, "euw1")])));
        assert!(!clusterwide.matches(&labels(&[(CLUSTER, "euw1")])));

        let mut by_labels = Selector::default();
        by_labels.set(Key::parse(&format!("{NAMESPACE_LABELS}.team"), None), "a");
        by_labels.scope_peer(Some("shop"), None, false);
        assert!(!by_labels.says_namespace());

        let mut host = Selector::reserved("host");
        host.scope_peer(Some("shop"), Some("use1"), false);
        assert_eq!(host, Selector::reserved("host"));
    }

    #[test]
    fn a_key_of_any_source_says_the_cluster_too() {
        let mut anywhere = Selector::default();
        anywhere.add(Requirement::exists(Key::parse(CLUSTER, None)));
        anywhere.scope_peer(Some("shop"), Some("use1"), false);
        assert!(anywhere.matches(&labels(&[(NAMESPACE, "shop"), (CLUSTER, "euw1")])));
    }

    #[test]
    fn only_what_is_excluded_takes_in_everything_else() {
        let mut selector = Selector::default();
        assert!(!selector.is_only_negative());
        selector.add(requirement(Operator::NotIn, &["a"]));
        assert!(selector.is_only_negative());
        selector.add(requirement(Operator::Exists, &[]));
        assert!(!selector.is_only_negative());
    }

    #[test]
    fn a_selector_takes_an_aggregate_by_its_word_or_by_what_it_lacks() {
        assert!(Selector::default().selects_aggregates());
        assert!(Selector::reserved("aggregate-world").selects_aggregates());
        assert!(!Selector::reserved("world").selects_aggregates());
        let mut selector = Selector::default();
        selector.add(requirement(Operator::NotIn, &["a"]));
        assert!(selector.selects_aggregates());
        selector.add(requirement(Operator::Exists, &[]));
        assert!(!selector.selects_aggregates());
    }
}
