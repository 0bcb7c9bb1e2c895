//! A rule that a deny covers.

use super::Case;
use super::contain;
use super::everywhere::{Ruled, rules};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::rule::{Action, Peers};

declare_rules! {
    /// ## What it does
    /// Reports an item of a hand-written policy that allows something of which everything is denied
    /// by another rule: of the same pods or more, for the same peers and ports or more, in an
    /// earlier tier or the same. It is reported where that is so in every cluster that it is
    /// applied to.
    ///
    /// ## Why it matters
    /// A deny wins over every allow, whichever policy came first and however much more the allow
    /// says. The rule never allows anything. Source: Cilium, "Policy language", Deny policies.
    ///
    /// ## Example
    /// ```yaml
    /// ingress:
    ///   - fromEndpoints: [{matchLabels: {app: web}}]
    /// ingressDeny:
    ///   - fromEndpoints: [{}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ingress:
    ///   - fromEndpoints: [{matchLabels: {app: web}}]
    /// ```
    pub static SHADOWED_RULE = { code: "LB4028", name: "shadowed-rule", summary: "a rule that allows nothing, because a deny covers all of it", severity: Warning };
}

/// Reports each rule once, with one that covers it.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    // Where there are too many rules, that has been said of redundant ones.
    for ((span, _), fate) in rules(case, is_covered).unwrap_or_default() {
        let Some((other, policy)) = fate.other else { continue };
        let message = format!("a rule of `{}` never allows anything", fate.policy);
        let finding = Diagnostic::new(&SHADOWED_RULE, span, message);
        let finding = finding.related(other, format!("this rule of `{policy}` denies all of it"));
        found.push(finding.help("narrow the deny, or remove the rule"));
    }
}

pub(super) fn is_covered(one: &Ruled<'_>, other: &Ruled<'_>) -> bool {
    let (rule, deny) = (one.rule, other.rule);
    let allows = match rule.peers {
        Peers::Of(_) => true,
        Peers::Unsaid => rule.ports.is_some(),
        Peers::Nobody => false,
    };
    allows
        && rule.action == Action::Allow
        && deny.action == Action::Deny
        && deny.level <= rule.level
        && contain::rule(&contain::without_limits(rule), deny)
}
