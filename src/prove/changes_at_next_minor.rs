//! A policy that means something else under the next minor of Cilium.

use super::Case;
use super::gathered::{Gathered, describe};
use crate::chart::Chart;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::{L7, Pattern, Peer, Peers, Remark, RemarkSort, Rule};
use crate::policy::{Policy, Semantics};
use crate::reach::{Member, Origin, declared};

declare_rules! {
    /// ## What it does
    /// Reports a hand-written policy that the newest known version of the next minor of Cilium
    /// refuses, or of which a rule means something else there with the same Helm values. A peer
    /// that becomes one of the own cluster counts where the cluster is joined with others.
    ///
    /// ## Why it matters
    /// An upgrade would open or close something without any change of a file. The widest step is
    /// 1.19: peers without a cluster's label are those of every cluster until 1.18, and those of
    /// the own cluster from then on. A policy that names the clusters means the same before and
    /// after. Sources: the upgrade notes of Cilium; cilium/cilium#39338, #40609.
    ///
    /// ## Example
    /// ```yaml
    /// # Cilium 1.18
    /// fromEndpoints: [{matchLabels: {app: web}}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// # Cilium 1.18
    /// fromEndpoints:
    ///   - matchLabels: {app: web}
    ///     matchExpressions: [{key: io.cilium.k8s.policy.cluster, operator: Exists}]
    /// ```
    pub static CHANGES_AT_NEXT_MINOR = { code: "LB4029", name: "changes-at-next-minor", summary: "a policy that means something else under the next minor of Cilium", severity: Warning };
}

const HELP: &str = "write it so that both versions read the same: name the clusters of the peers, or set \
                    `clustermesh.policyDefaultLocalCluster` now";

/// Reports each rule that changes, or the whole policy.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let mut members = case.mesh.clusters.iter().flat_map(|member| &member.policies);
    if !members.any(|known| known.origin == Origin::Written) {
        return;
    }
    let next = declared::written_under(case.topology, case.index, &|cluster| {
        Some(Chart::of(&cluster.cilium.value)?.next_minor()?.version().clone())
    });
    let mut gathered = Gathered::default();
    for ((id, member), after) in case.mesh.clusters().zip(next) {
        let now = member.policies.iter().filter(|known| known.origin == Origin::Written);
        let Some(version) = Chart::of(member.semantics.version()).and_then(|c| c.next_minor())
        else {
            continue;
        };
        let minor = format!("{}.{}", version.version().major, version.version().minor);
        let settings = member.semantics.settings().clone();
        let Some(next) = Semantics::new(version.version().clone(), settings) else { continue };
        for (now, after) in now.zip(&after).filter(|(now, _)| now.policy.refused.is_none()) {
            let name = describe(&now.policy);
            // A policy that does nothing now has been reported, and goes on doing nothing.
            let nothing = |remark: &Remark| remark.sort == RemarkSort::Nothing;
            if now.policy.remarks.iter().any(nothing) {
                continue;
            }
            if let Some(refused) = &after.policy.refused {
                let why = &refused.why;
                gathered.add(
                    &now.policy,
                    refused.span,
                    format!("Cilium {minor} refuses `{name}`: {why}"),
                    id,
                );
                continue;
            }
            for (rule, what) in changes(member, &next, &now.policy, &after.policy) {
                let message = format!("Cilium {minor} reads {what} of `{name}` otherwise");
                gathered.add(&now.policy, rule.span, message, id);
            }
        }
    }
    gathered.report(&CHANGES_AT_NEXT_MINOR, case.mesh, found, |finding| finding.help(HELP));
}

/// The rules that change, with what of them does.
fn changes<'p>(
    member: &Member,
    next: &Semantics,
    now: &'p Policy,
    after: &Policy,
) -> Vec<(&'p Rule, &'static str)> {
    let alone = member.joined.len() < 2;
    let default_cluster = member.semantics.default_cluster() != next.default_cluster();
    let change = |(now, after): (&'p Rule, &Rule)| {
        let what = if now.default_deny != after.default_deny {
            "the isolation"
        } else if now.ports != after.ports {
            "the ports"
        } else if !(same(&now.peers, &after.peers) || (alone && default_cluster)) {
            "the peers"
        } else if patterns(now).any(|known| {
            known.0.starts_with("**.")
                && member.semantics.knows_subdomain_wildcard() != next.knows_subdomain_wildcard()
        }) {
            "a pattern"
        } else {
            return None;
        };
        Some((now, what))
    };
    now.rules.iter().zip(&after.rules).filter_map(change).collect()
}

/// Whether peers are the same. Groups of addresses are kept as groups from 1.17, which is no change
/// of what they select.
fn same(now: &Peers, after: &Peers) -> bool {
    let grouped = |peers: &Peers| peers.said().iter().any(|peer| matches!(peer, Peer::Groups(_)));
    if grouped(now) == grouped(after) {
        return now == after;
    }
    let others = |peer: &&Peer| !matches!(peer, Peer::Groups(_) | Peer::Cidr { .. });
    now.said().iter().filter(others).eq(after.said().iter().filter(others))
}

/// The patterns of names of a rule.
fn patterns(rule: &Rule) -> impl Iterator<Item = &Pattern> {
    let names = rule.peers.said().iter().filter_map(|peer| match peer {
        Peer::Name(pattern) => Some(pattern),
        _ => None,
    });
    let queries = rule.ports.iter().flatten().filter_map(|known| match &known.l7 {
        Some(L7::Dns(patterns)) => Some(patterns),
        _ => None,
    });
    names.chain(queries.flatten())
}
