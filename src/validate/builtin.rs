//! The policies that are embedded. None counts unless a project switches it on.

use std::sync::LazyLock;

use super::policy::{Policy, rule};
use crate::diagnostic::{Diagnostics, Rule, RuleRef};
use crate::source::SourceMap;
use crate::spec::policy::PolicySpec;
use crate::spec::{Named, Spec};
use crate::yaml;

/// The embedded files: name and text.
pub static FILES: &[(&str, &str)] = &[
    ("addresses-in-plan.yaml", include_str!("../../policies/addresses-in-plan.yaml")),
    ("cluster-names.yaml", include_str!("../../policies/cluster-names.yaml")),
    (
        "clustermesh-high-availability.yaml",
        include_str!("../../policies/clustermesh-high-availability.yaml"),
    ),
    ("default-deny-everywhere.yaml", include_str!("../../policies/default-deny-everywhere.yaml")),
    ("dns-ttl.yaml", include_str!("../../policies/dns-ttl.yaml")),
    ("encrypted-internet.yaml", include_str!("../../policies/encrypted-internet.yaml")),
    (
        "global-services-in-two-regions.yaml",
        include_str!("../../policies/global-services-in-two-regions.yaml"),
    ),
    ("hubble-relay.yaml", include_str!("../../policies/hubble-relay.yaml")),
    ("image-digests.yaml", include_str!("../../policies/image-digests.yaml")),
    ("internal-load-balancers.yaml", include_str!("../../policies/internal-load-balancers.yaml")),
    ("max-nodes-declared.yaml", include_str!("../../policies/max-nodes-declared.yaml")),
    ("named-ports.yaml", include_str!("../../policies/named-ports.yaml")),
    ("namespace-labels.yaml", include_str!("../../policies/namespace-labels.yaml")),
    ("no-latest-image.yaml", include_str!("../../policies/no-latest-image.yaml")),
    ("no-world-ingress.yaml", include_str!("../../policies/no-world-ingress.yaml")),
    ("object-names.yaml", include_str!("../../policies/object-names.yaml")),
    ("passive-cluster.yaml", include_str!("../../policies/passive-cluster.yaml")),
    ("required-labels.yaml", include_str!("../../policies/required-labels.yaml")),
];

struct BuiltIn {
    policies: Vec<(Named<PolicySpec>, Rule)>,
}

/// What the embedded files say. Places in it belong to no source of a run.
static BUILT_IN: LazyLock<BuiltIn> = LazyLock::new(|| read(&mut Diagnostics::new()));

fn read(found: &mut Diagnostics) -> BuiltIn {
    let mut sources = SourceMap::new();
    let mut spec = Spec::default();
    for (name, text) in FILES {
        let id = sources.add(*name, *text);
        for document in yaml::parse(&sources, id, found) {
            spec.add(&document, found);
        }
    }
    spec.sort();
    let policies = spec.policies.into_iter().filter_map(|named| {
        let text = sources.get(named.name.span.source).text();
        let rule = rule(&named.name.value, named.spec.as_ref()?, Some(text));
        Some((named, rule))
    });
    BuiltIn { policies: policies.collect() }
}

/// The built-in policies as they are written, by name.
pub fn all() -> Vec<Policy<'static>> {
    BUILT_IN.policies.iter().filter_map(|(named, rule)| policy(named, rule)).collect()
}

/// The rules of the built-in policies, by name.
pub fn rules() -> Vec<&'static Rule> {
    BUILT_IN.policies.iter().map(|(_, rule)| rule).collect()
}

/// Their names, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.policies.iter().map(|(named, _)| named.name.value.as_str())
}

/// The built-in policy of a name.
pub(super) fn find(name: &str) -> Option<Policy<'static>> {
    let found = BUILT_IN.policies.iter().find(|(named, _)| named.name.value == name);
    found.and_then(|(named, rule)| policy(named, rule))
}

fn policy(named: &'static Named<PolicySpec>, rule: &'static Rule) -> Option<Policy<'static>> {
    Some(Policy::new(&named.name.value, named.spec.as_ref()?, None, RuleRef::from(rule)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_without_a_finding() {
        let mut found = Diagnostics::new();
        let read = read(&mut found);
        let messages: Vec<_> = found.iter().map(|one| one.message.clone()).collect();
        assert!(messages.is_empty(), "{messages:?}");
        assert_eq!(read.policies.len(), FILES.len());
        for (named, _) in &read.policies {
            let file = format!("{}.yaml", named.name.value);
            assert!(FILES.iter().any(|(name, _)| *name == file), "{file}");
        }
    }
}
