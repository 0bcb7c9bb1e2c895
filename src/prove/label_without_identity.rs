//! A label that is part of no identity.

use std::collections::BTreeSet;

use super::Case;
use super::gathered::{Gathered, describe, written};
use super::known::never_there;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::Selector;
use crate::policy::rule::Peer;

declare_rules! {
    /// ## What it does
    /// Reports a label that a hand-written policy wants pods to have and that Cilium does not take
    /// into identities, such as `pod-template-hash`, `topology.kubernetes.io/zone` and
    /// `statefulset.kubernetes.io/pod-name`. A cluster with `labels` in its Helm values is not
    /// looked at.
    ///
    /// ## Why it matters
    /// Policies see the labels of identities only. A pod may have the label and no policy selects
    /// it by that: as a subject it isolates nothing, as a peer it allows and denies nothing.
    /// Sources: Cilium, "Limiting identity-relevant labels"; `defaultLabelPrefixCfg` in
    /// `pkg/labelsfilter/filter.go`.
    ///
    /// ## Example
    /// ```yaml
    /// endpointSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-0}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// endpointSelector: {matchLabels: {app: db}}
    /// ```
    pub static LABEL_WITHOUT_IDENTITY = { code: "LB4030", name: "label-without-identity", summary: "a label in a selector that no identity has", severity: Error };
}

/// Reports each label of a rule once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let mut gathered = Gathered::default();
    for (id, policy) in written(case) {
        let semantics = &case.mesh.cluster(id).semantics;
        // Nodes with labels may be peers of their own then.
        if semantics.settings().node_selector_labels {
            continue;
        }
        let mut seen: BTreeSet<&Selector> = BTreeSet::new();
        for rule in &policy.rules {
            let peers = rule.peers.said().iter().filter_map(|peer| match peer {
                Peer::Labels { selector, endpoints: true } => Some(selector),
                _ => None,
            });
            let subject = (!rule.node && seen.insert(&rule.subject)).then_some(&rule.subject);
            for key in subject.into_iter().chain(peers).flat_map(never_there) {
                let message = format!(
                    "`{}` wants pods to have `{}`, which is part of no identity",
                    describe(policy),
                    key.key
                );
                gathered.add(policy, rule.span, message, id);
            }
        }
    }
    gathered.report(&LABEL_WITHOUT_IDENTITY, case.mesh, found, |finding| {
        finding.help("select pods by other labels, or add it to `labels` of the Helm values")
    });
}
