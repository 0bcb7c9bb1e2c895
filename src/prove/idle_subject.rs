//! A policy about pods that no declared workload has.

use std::collections::BTreeSet;

use super::Case;
use super::gathered::{Gathered, describe, written};
use super::known::{Places, may_select, named, never_there};
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::label::{CLUSTER, NAMESPACE};
use crate::policy::{Selector, Semantics};

declare_rules! {
    /// ## What it does
    /// Reports a hand-written policy in a declared namespace that selects none of the pods that are
    /// known there, in any cluster that it is applied to: its labels contradict those of every declared workload, and of every other
    /// workload among the manifests.
    ///
    /// ## Why it matters
    /// Most such policies misspell a label or look for one that has changed. Nothing is isolated
    /// by them, and nothing says so. A declared workload may have labels that nobody declares, so
    /// only another value of a label that it does declare counts here.
    ///
    /// ## Example
    /// ```yaml
    /// endpointSelector: {matchLabels: {app: order}}   # the workload has `app: orders`
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// endpointSelector: {matchLabels: {app: orders}}
    /// ```
    pub static IDLE_SUBJECT = { code: "LB4025", name: "idle-subject", summary: "a policy that selects none of the pods that are known", severity: Warning };
}

/// Reports each subject of a policy once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let mut places = None;
    let mut gathered = Gathered::default();
    // Where a policy's namespace is nowhere that it is applied to, nobody is known there.
    let mut certain = BTreeSet::new();
    for (id, policy) in written(case) {
        let places = places.get_or_insert_with(|| Places::of(case));
        let semantics = &case.mesh.cluster(id).semantics;
        let mut seen: BTreeSet<&Selector> = BTreeSet::new();
        for rule in policy.rules.iter().filter(|rule| !rule.node) {
            if !seen.insert(&rule.subject) || is_reported(&rule.subject, semantics) {
                continue;
            }
            let Some(namespaces) = named(&rule.subject, NAMESPACE) else { continue };
            let known = namespaces.iter().map(|name| places.known_or_absent(id, name));
            let Some(known) = known.collect::<Option<Vec<_>>>() else { continue };
            if known.iter().any(|known| !known.is_empty()) {
                certain.insert(policy.span);
            }
            let mut known = known.into_iter().flatten();
            if !known.any(|endpoint| may_select(&rule.subject, endpoint)) {
                let message =
                    format!("`{}` selects none of the pods of its namespace", describe(policy));
                gathered.add(policy, rule.span, message, id);
            }
        }
    }
    gathered.everywhere(case).of(&certain).report(&IDLE_SUBJECT, case.mesh, found, |finding| {
        finding.help("correct the labels of the subject, or remove the policy")
    });
}

/// Whether another rule says that a subject selects nothing.
fn is_reported(subject: &Selector, semantics: &Semantics) -> bool {
    let elsewhere =
        named(subject, CLUSTER).is_some_and(|named| !named.contains(semantics.cluster()));
    elsewhere || never_there(subject).next().is_some()
}
