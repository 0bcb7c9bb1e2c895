//! Finds the rules about an endpoint without asking every one.

use std::collections::BTreeMap;

use super::super::identity::{Identity, Sort};
use super::super::label::{NAMESPACE, Source};
use super::super::rule::{Direction, Rule, Which};
use super::super::selector::Operator;

/// Where a rule is kept: its direction, whether it is about nodes, and what its subject must have:
/// a namespace and another label, as far as it says one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bucket<'a> {
    direction: Direction,
    node: bool,
    namespace: Option<&'a str>,
    label: Option<(&'a str, &'a str)>,
}

impl<'a> Bucket<'a> {
    fn of(rule: &'a Rule) -> Self {
        let mut bucket =
            Self { direction: rule.direction, node: rule.node, namespace: None, label: None };
        for wanted in rule.subject.requirements() {
            if wanted.operator != Operator::In {
                continue;
            }
            let mut values = wanted.values.iter();
            let (Some(value), None) = (values.next(), values.next()) else { continue };
            if wanted.key.source == Some(Source::K8s) && *wanted.key.key == *NAMESPACE {
                bucket.namespace = Some(value);
            } else if bucket.label.is_none() {
                bucket.label = Some((&wanted.key.key, value));
            }
        }
        bucket
    }
}

/// The rules of a cluster, by what their subjects must have.
#[derive(Clone, Debug)]
pub(super) struct Buckets<'a> {
    rules: Vec<&'a Rule>,
    places: BTreeMap<Bucket<'a>, Vec<u32>>,
    has_limits: bool,
}

impl<'a> Buckets<'a> {
    pub(super) fn new(rules: impl Iterator<Item = &'a Rule>) -> Self {
        let rules: Vec<&Rule> = rules.collect();
        let mut places: BTreeMap<Bucket<'a>, Vec<u32>> = BTreeMap::new();
        for (at, rule) in (0..).zip(&rules) {
            places.entry(Bucket::of(rule)).or_default().push(at);
        }
        let ports = rules.iter().flat_map(|rule| &rule.ports).flatten();
        let has_limits = ports.into_iter().any(|known| known.l7.is_some());
        Self { rules, places, has_limits }
    }

    /// Whether a rule limits the traffic on a port.
    pub(super) fn limit(&self) -> bool {
        self.has_limits
    }

    /// Whether a rule names an egress port.
    pub(super) fn name_ports(&self) -> bool {
        let egress = self.rules.iter().filter(|rule| rule.direction == Direction::Egress);
        let mut ports =
            egress.flat_map(|rule| &rule.ports).flatten().flat_map(|known| &known.ports);
        ports.any(|ports| matches!(ports.which, Which::Named(_)))
    }

    /// The rules about an endpoint in one direction, in their order.
    pub(super) fn about(&self, identity: &Identity, direction: Direction) -> Vec<&'a Rule> {
        let node = identity.sort == Sort::Host;
        let labels = identity.labels.iter().map(|label| Some((&*label.key, &*label.value)));
        let labels: Vec<Option<(&str, &str)>> = std::iter::once(None).chain(labels).collect();
        let own = identity.namespace().map(Some);
        let mut found: Vec<u32> = Vec::new();
        for namespace in std::iter::once(None).chain(own) {
            for label in &labels {
                let bucket = Bucket { direction, node, namespace, label: *label };
                found.extend(self.places.get(&bucket).into_iter().flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        let rules = found.into_iter().map(|at| self.rules[at as usize]);
        rules.filter(|rule| rule.subject.matches(&identity.labels)).collect()
    }
}
