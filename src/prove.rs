//! Rules about what the policies of all clusters do together: what compile generates and what
//! people wrote by hand, read as each cluster's Cilium reads it.

pub mod any_icmp_type;
pub mod blocked_flow;
pub mod broken_guard;
pub mod changes_at_next_minor;
pub mod cidr_of_pods;
pub mod dropped_l7;
pub mod empty_policy;
pub mod flows;
pub mod half_open_door;
pub mod idle_peer;
pub mod idle_subject;
pub mod ignored_default_deny;
pub mod intent;
pub mod label_without_identity;
pub mod merged_label_keys;
pub mod name_without_dns_rule;
pub mod namespaces_of_every_cluster;
pub mod only_negative_selector;
pub mod open_peer_list;
pub mod redundant_rule;
pub mod refused_policy;
pub mod replaced_namespace;
pub mod shadowed_rule;
pub mod subject_elsewhere;
pub mod undeclared_flow;
pub mod unknown_cidr_group;
pub mod unread_policy_key;

mod compare;
mod contain;
mod cover;
mod everywhere;
mod expected;
mod gathered;
mod guards;
mod known;
mod named;
mod outsiders;

use rayon::prelude::*;

use crate::compile::Index;
use crate::diagnostic::{Diagnostics, Rule};
use crate::policy::Policy;
use crate::reach::{Mesh, declared};
use crate::topology::{ClusterId, Topology};

/// A rule with its code.
#[derive(Debug)]
pub struct Proof {
    /// What it reports.
    pub rule: &'static Rule,
    /// Reports it.
    pub run: fn(&Case<'_>, &mut Diagnostics),
}

/// What a rule is given.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What was meant.
    pub topology: &'a Topology,
    /// What of it concerns which cluster.
    pub index: &'a Index,
    /// What is there: policies and endpoints.
    pub mesh: &'a Mesh,
    /// The policies of which something is to be said.
    pub remarked: &'a [Remarked<'a>],
}

/// A policy of which something is to be said, with its cluster.
pub type Remarked<'a> = (ClusterId, &'a Policy);

/// The rules, in the order of their codes.
pub static PROOFS: &[Proof] = &[
    Proof { rule: &refused_policy::REFUSED_POLICY, run: refused_policy::check },
    Proof { rule: &unread_policy_key::UNREAD_POLICY_KEY, run: unread_policy_key::check },
    Proof { rule: &empty_policy::EMPTY_POLICY, run: empty_policy::check },
    Proof { rule: &merged_label_keys::MERGED_LABEL_KEYS, run: merged_label_keys::check },
    Proof { rule: &replaced_namespace::REPLACED_NAMESPACE, run: replaced_namespace::check },
    Proof { rule: &subject_elsewhere::SUBJECT_ELSEWHERE, run: subject_elsewhere::check },
    Proof {
        rule: &only_negative_selector::ONLY_NEGATIVE_SELECTOR,
        run: only_negative_selector::check,
    },
    Proof { rule: &open_peer_list::OPEN_PEER_LIST, run: open_peer_list::check },
    Proof { rule: &unknown_cidr_group::UNKNOWN_CIDR_GROUP, run: unknown_cidr_group::check },
    Proof { rule: &ignored_default_deny::IGNORED_DEFAULT_DENY, run: ignored_default_deny::check },
    Proof { rule: &dropped_l7::DROPPED_L7, run: dropped_l7::check },
    Proof {
        rule: &namespaces_of_every_cluster::NAMESPACES_OF_EVERY_CLUSTER,
        run: namespaces_of_every_cluster::check,
    },
    Proof { rule: &any_icmp_type::ANY_ICMP_TYPE, run: any_icmp_type::check },
    Proof {
        rule: &name_without_dns_rule::NAME_WITHOUT_DNS_RULE,
        run: name_without_dns_rule::check,
    },
    Proof { rule: &cidr_of_pods::CIDR_OF_PODS, run: cidr_of_pods::check },
    Proof { rule: &idle_subject::IDLE_SUBJECT, run: idle_subject::check },
    Proof { rule: &idle_peer::IDLE_PEER, run: idle_peer::check },
    Proof { rule: &redundant_rule::REDUNDANT_RULE, run: redundant_rule::check },
    Proof { rule: &shadowed_rule::SHADOWED_RULE, run: shadowed_rule::check },
    Proof {
        rule: &changes_at_next_minor::CHANGES_AT_NEXT_MINOR,
        run: changes_at_next_minor::check,
    },
    Proof {
        rule: &label_without_identity::LABEL_WITHOUT_IDENTITY,
        run: label_without_identity::check,
    },
];

/// Runs every rule. What cannot be read is not checked.
pub fn run(topology: &Topology, index: &Index, found: &mut Diagnostics) {
    let mesh = declared::mesh(topology, index);
    for one in &mesh.unread {
        found.not_checked(one.span, one.what.as_str(), one.why.as_str());
    }
    let remarked: Vec<Remarked<'_>> = gathered::remarked(&mesh).collect();
    let case = Case { topology, index, mesh: &mesh, remarked: &remarked };
    let beside = found.beside();
    let results: Vec<_> = PROOFS
        .par_iter()
        .map(|proof| {
            let mut found = beside.beside();
            (proof.run)(&case, &mut found);
            found
        })
        .collect();
    for more in results {
        found.extend(more);
    }
    flows::check(topology, mesh, found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_once_and_in_order() {
        let codes: Vec<_> = PROOFS.iter().map(|proof| &proof.rule.code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
    }
}
