//! Which policies make an end differ.

use std::collections::BTreeMap;

use super::ends::{End, Ends, unselected};
use crate::policy::Opening;
use crate::policy::rule::{Policy, Rule};
use crate::reach::{Mesh, Party, Reach};
use crate::topology::ClusterId;
use crate::upgrade::cause::Cause;
use crate::upgrade::policies::PolicyChange;

/// The changed policy of each rule, by the rule's address in memory.
pub(super) struct Why {
    before: BTreeMap<usize, usize>,
    after: BTreeMap<usize, usize>,
}

impl Why {
    pub(super) fn new(
        before: &Mesh,
        after: &Mesh,
        moved: &[ClusterId],
        changes: &[PolicyChange],
    ) -> Self {
        let mut why = Self { before: BTreeMap::new(), after: BTreeMap::new() };
        for (at, change) in changes.iter().enumerate() {
            if !moved.contains(&change.cluster) {
                continue;
            }
            let policy = |mesh: &'_ Mesh, index: usize| -> Vec<usize> {
                let policy: &Policy = &mesh.cluster(change.cluster).policies[index].policy;
                policy.rules.iter().map(address).collect()
            };
            why.before.extend(policy(before, change.at.0).into_iter().map(|rule| (rule, at)));
            why.after.extend(policy(after, change.at.1).into_iter().map(|rule| (rule, at)));
        }
        why
    }

    /// The changed policies that make an end let through something else, and what in Cilium does
    /// where no policy shows it.
    pub(super) fn of(
        &self,
        ends: &Ends<'_, '_>,
        end: End,
        party: Party<'_>,
        openings: &(Opening, Opening),
    ) -> (Vec<usize>, Vec<&'static Cause>) {
        let (old, new) = openings;
        let (closes, opens) = (old.without(new), new.without(old));
        let Some(port) = closes.first().or_else(|| opens.first()) else {
            return (Vec::new(), Vec::new());
        };
        let decided = |reach: &Reach<'_>, known: &BTreeMap<usize, usize>| -> Vec<usize> {
            let subject = reach.subject(end.endpoint, end.direction);
            let verdict = subject.toward(reach.identity(party)).at(port.protocol, port.first);
            verdict.rules.iter().filter_map(|rule| known.get(&address(rule)).copied()).collect()
        };
        let mut policies = decided(ends.before, &self.before);
        policies.extend(decided(ends.after, &self.after));
        if policies.is_empty() {
            // Nothing that decides is among them: it is what no longer decides.
            policies = self.about(ends, end);
        }
        let causes = if policies.is_empty() { unnamed(ends, end) } else { Vec::new() };
        (policies, causes)
    }

    /// The changed policies about an end.
    fn about(&self, ends: &Ends<'_, '_>, end: End) -> Vec<usize> {
        let of = |reach: &Reach<'_>, known: &BTreeMap<usize, usize>| -> Vec<usize> {
            let rules = reach.subject(end.endpoint, end.direction).rules().iter();
            rules.filter_map(|rule| known.get(&address(rule)).copied()).collect()
        };
        let mut policies = of(ends.before, &self.before);
        policies.extend(of(ends.after, &self.after));
        policies
    }
}

/// What changes for an end that no rule is about.
fn unnamed(ends: &Ends<'_, '_>, end: End) -> Vec<&'static Cause> {
    let cluster = ends.before.mesh().endpoint(end.endpoint).cluster;
    let of = |reach: &Reach<'_>| reach.mesh().cluster(cluster).semantics.clone();
    unselected(&of(ends.before), &of(ends.after)).into_iter().collect()
}

fn address(rule: &Rule) -> usize {
    std::ptr::from_ref(rule).addr()
}
