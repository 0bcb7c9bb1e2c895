//! Findings that several clusters share, because one file is applied to all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, Rule};
use crate::policy::Policy;
use crate::policy::rule::{Kind, RemarkSort};
use crate::reach::{Mesh, Origin};
use crate::source::Span;
use crate::topology::{ClusterId, ClusterSet};

use super::{Case, Remarked};

/// What is found at a place, with the clusters in which it is so.
#[derive(Debug, Default)]
pub(super) struct Gathered(BTreeMap<(Span, String), (Span, ClusterSet)>);

impl Gathered {
    /// Adds what is found of a policy in a cluster.
    pub(super) fn add(
        &mut self,
        policy: &Policy,
        span: Span,
        message: impl Into<String>,
        cluster: ClusterId,
    ) {
        let none = || (policy.span, ClusterSet::new());
        self.0.entry((span, message.into())).or_insert_with(none).1.insert(cluster);
    }

    /// Leaves out what is not so in every cluster that the policy is applied to: one file may be
    /// meant for some of them alone.
    pub(super) fn everywhere(mut self, case: &Case<'_>) -> Self {
        if self.0.is_empty() {
            return self;
        }
        let mut applied: BTreeMap<Span, ClusterSet> = BTreeMap::new();
        for (id, _, policy) in policies(case) {
            applied.entry(policy.span).or_default().insert(id);
        }
        self.0
            .retain(|_, (policy, clusters)| applied.get(policy).is_none_or(|all| all == clusters));
        self
    }

    /// Leaves out what is found of other policies than those at these places.
    pub(super) fn of(mut self, policies: &BTreeSet<Span>) -> Self {
        self.0.retain(|_, (policy, _)| policies.contains(policy));
        self
    }

    /// Reports each once, finished by `finish`.
    pub(super) fn report(
        self,
        rule: &'static Rule,
        mesh: &Mesh,
        found: &mut Diagnostics,
        finish: impl Fn(Diagnostic) -> Diagnostic,
    ) {
        for ((span, message), (_, clusters)) in self.0 {
            let finding = Diagnostic::new(rule, span, message);
            found.push(finish(finding.note(where_it_is(mesh, &clusters))));
        }
    }
}

/// The clusters, with their Cilium, at most three of them by name.
fn where_it_is(mesh: &Mesh, clusters: &ClusterSet) -> String {
    let named = |id: ClusterId| {
        let member = mesh.cluster(id);
        format!("`{}` (Cilium {})", member.name, member.semantics.version())
    };
    let mut names: Vec<String> = clusters.iter().take(3).map(named).collect();
    let more = clusters.len() - names.len();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match &names[..] {
        [one] => format!("in cluster {one}"),
        [first @ .., last] => format!("in clusters {} and {last}", first.join(", ")),
        [] => "in no cluster".to_owned(),
    }
}

/// Every policy with its cluster.
pub(super) fn policies<'a>(
    case: &Case<'a>,
) -> impl Iterator<Item = (ClusterId, Origin, &'a Policy)> {
    let members = case.mesh.clusters();
    members.flat_map(|(id, member)| {
        member.policies.iter().map(move |known| (id, known.origin, &*known.policy))
    })
}

/// The policies of which something is to be said: they are refused, or have remarks.
pub(super) fn remarked(mesh: &Mesh) -> impl Iterator<Item = Remarked<'_>> {
    let policies = mesh
        .clusters()
        .flat_map(|(id, member)| member.policies.iter().map(move |known| (id, &*known.policy)));
    policies.filter(|(_, policy)| policy.refused.is_some() || !policy.remarks.is_empty())
}

/// Every policy that people wrote, with its cluster.
pub(super) fn written<'a>(case: &Case<'a>) -> impl Iterator<Item = (ClusterId, &'a Policy)> {
    let written = policies(case).filter(|(_, origin, _)| *origin == Origin::Written);
    written.map(|(id, _, policy)| (id, policy))
}

/// Reports the remarks of which `message` has something to say; it is given what the policy is
/// called.
pub(super) fn remarks(
    rule: &'static Rule,
    case: &Case<'_>,
    found: &mut Diagnostics,
    message: impl Fn(&RemarkSort, &str) -> Option<String>,
    help: &str,
) {
    gathered(case, message).report(rule, case.mesh, found, |finding| finding.help(help));
}

/// The remarks of which `message` has something to say.
pub(super) fn gathered(
    case: &Case<'_>,
    message: impl Fn(&RemarkSort, &str) -> Option<String>,
) -> Gathered {
    let mut gathered = Gathered::default();
    for (id, policy) in case.remarked.iter().filter(|(_, policy)| policy.refused.is_none()) {
        let name = describe(policy);
        for remark in &policy.remarks {
            if let Some(message) = message(&remark.sort, &name) {
                gathered.add(policy, remark.span, message, *id);
            }
        }
    }
    gathered
}

/// What a policy is called: its kind, its namespace and its name.
pub(super) fn describe(policy: &Policy) -> String {
    let kind = match policy.kind {
        Kind::Cilium => "CiliumNetworkPolicy",
        Kind::CiliumClusterwide => "CiliumClusterwideNetworkPolicy",
        Kind::Kubernetes => "NetworkPolicy",
        Kind::KubernetesCluster => "ClusterNetworkPolicy",
    };
    match &policy.namespace {
        Some(namespace) => format!("{kind}/{namespace}/{}", policy.name),
        None => format!("{kind}/{}", policy.name),
    }
}
