//! Names as peers without a rule that shows the agent what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use super::contain::disjoint;
use super::gathered::{Gathered, describe};
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::Selector;
use crate::policy::rule::{L7, Peer, Rule};
use crate::reach::Origin;

declare_rules! {
    /// ## What it does
    /// Reports a hand-written rule with `toFQDNs` about pods that no rule with `dns` in the same
    /// cluster may be about.
    ///
    /// ## Why it matters
    /// An agent learns the addresses of names from the answers that pass its DNS proxy, and only a
    /// rule with `dns` sends queries through it. Without one the policy is accepted and its names
    /// stand for no address: everything that it should allow is dropped. Sources: Cilium, "Policy
    /// language", DNS based; cilium/cilium#44504.
    ///
    /// ## Example
    /// ```yaml
    /// egress:
    ///   - toFQDNs: [{matchName: api.example.com}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// egress:
    ///   - toFQDNs: [{matchName: api.example.com}]
    ///   - toEndpoints:
    ///       - matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, "k8s:k8s-app": kube-dns}
    ///     toPorts:
    ///       - ports: [{port: "53", protocol: ANY}]
    ///         rules: {dns: [{matchPattern: "*"}]}
    /// ```
    pub static NAME_WITHOUT_DNS_RULE = { code: "LB4023", name: "name-without-dns-rule", summary: "names as peers whose addresses no agent learns", severity: Warning };
}

/// Most subjects of rules with `dns` in a cluster that are looked at.
const MOST: usize = 1_000;

/// Reports each rule once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let mut gathered = Gathered::default();
    for (id, member) in case.mesh.clusters() {
        let rules = member.policies.iter().flat_map(|known| &known.policy.rules);
        let queries: BTreeSet<&Selector> =
            rules.filter(|rule| shows_answers(rule)).map(|rule| &rule.subject).collect();
        let mut seen: BTreeMap<&Selector, bool> = BTreeMap::new();
        if queries.len() >= MOST {
            let why = "there are too many rules with `dns` to compare them";
            found.not_checked(member.span, "names as peers", why);
            continue;
        }
        for known in member.policies.iter().filter(|known| known.origin == Origin::Written) {
            for rule in known.policy.rules.iter().filter(|rule| has_names(rule)) {
                let alone = || {
                    queries.len() < MOST
                        && queries.iter().all(|query| disjoint(&rule.subject, query))
                };
                if *seen.entry(&rule.subject).or_insert_with(alone) {
                    let policy = describe(&known.policy);
                    let message = format!("no rule shows agents what the names of `{policy}` are");
                    gathered.add(&known.policy, rule.span, message, id);
                }
            }
        }
    }
    gathered.report(&NAME_WITHOUT_DNS_RULE, case.mesh, found, |finding| {
        finding.help("allow the pods to query the cluster's DNS with a rule that has `dns`")
    });
}

fn has_names(rule: &Rule) -> bool {
    rule.peers.said().iter().any(|peer| matches!(peer, Peer::Name(_)))
}

fn shows_answers(rule: &Rule) -> bool {
    let mut ports = rule.ports.iter().flatten();
    ports.any(|known| matches!(&known.l7, Some(L7::Dns(patterns)) if !patterns.is_empty()))
}
