//! A rule that changes nothing.

use super::Case;
use super::contain;
use super::everywhere::{MOST, Ruled, each, rules};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::rule::{Peers, Rule};
use crate::reach::Member;

declare_rules! {
    /// ## What it does
    /// Reports an item of a hand-written policy of which everything is part of another rule: the
    /// same pods or more, the same peers and ports or more, the same action, and at least the same
    /// isolation. The other one may be of the same policy, of another, or one that compile writes.
    /// It is reported where that is so in every cluster that it is applied to.
    ///
    /// ## Why it matters
    /// Removing it changes no verdict. Whoever removes the *other* one believes to close something
    /// that stays open, and nobody can tell which of the two is meant.
    ///
    /// ## Example
    /// ```yaml
    /// ingress:
    ///   - fromEndpoints: [{matchLabels: {app: web}}]
    ///     toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
    ///   - fromEndpoints: [{matchLabels: {app: web, tier: front}}]
    ///     toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ingress:
    ///   - fromEndpoints: [{matchLabels: {app: web}}]
    ///     toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
    /// ```
    pub static REDUNDANT_RULE = { code: "LB4027", name: "redundant-rule", summary: "a rule that is part of another one, so that it changes nothing", severity: Warning };
}

/// Reports each rule once, with one that it is part of.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let Some(fates) = rules(case, |one, other| is_part_of(one, other) && says_so(one, other))
    else {
        let why = "there are too many rules to compare them";
        return found.not_checked(case.topology.name.span, "hand-written policies", why);
    };
    for ((span, _), fate) in fates {
        let Some((other, policy)) = fate.other else { continue };
        let message = format!("a rule of `{}` changes nothing", fate.policy);
        let finding = Diagnostic::new(&REDUNDANT_RULE, span, message);
        let finding = finding.related(other, format!("this rule of `{policy}` says all of it"));
        found.push(finding.help("remove it"));
    }
}

/// The rules of a cluster that are part of another one, whoever wrote them, by their place among
/// all rules of its policies; nothing where there are too many to compare.
pub fn among(member: &Member) -> Option<Vec<usize>> {
    let mut parts = Vec::new();
    let mut left = MOST;
    each(member, &mut left, |_| true, &is_part_of, &mut |one, other| {
        parts.extend(other.map(|_| one.at));
    })?;
    parts.sort_unstable();
    Some(parts)
}

/// Whether it is worth saying. That pods are isolated is said on purpose where a namespace has a
/// policy for it, whatever else isolates them.
fn says_so(one: &Ruled<'_>, other: &Ruled<'_>) -> bool {
    let same = || one.policy.namespace == other.policy.namespace && only_isolates(other.rule);
    !only_isolates(one.rule) || same()
}

fn is_part_of(one: &Ruled<'_>, other: &Ruled<'_>) -> bool {
    // Of two that are the same the first one stays, and one that compile writes.
    let holds = |inner: &Rule, outer: &Rule| {
        let enough = outer.default_deny || !inner.default_deny;
        enough && if only_isolates(inner) { isolates(inner, outer) } else { whole(inner, outer) }
    };
    holds(one.rule, other.rule) && (other.at < one.at || !holds(other.rule, one.rule))
}

fn whole(inner: &Rule, outer: &Rule) -> bool {
    inner.action == outer.action && inner.level == outer.level && contain::rule(inner, outer)
}

fn isolates(inner: &Rule, outer: &Rule) -> bool {
    inner.default_deny && inner.requires.is_empty() && contain::subject(inner, outer)
}

/// Whether a rule is about no peer, so that isolation is all that it does.
fn only_isolates(rule: &Rule) -> bool {
    match rule.peers {
        Peers::Nobody => true,
        Peers::Unsaid => rule.ports.is_none(),
        Peers::Of(_) => false,
    }
}

#[cfg(test)]
mod tests;
