//! Two keys of one selector that Cilium takes for one.

use super::Case;
use super::gathered::remarks;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::rule::RemarkSort;

declare_rules! {
    /// ## What it does
    /// Reports two keys in one `matchLabels` that are the same to Cilium and have different values,
    /// such as `app` and `any:app`.
    ///
    /// ## Why it matters
    /// The agent keeps one of the two values. Which one follows the order of a Go map, so each
    /// agent decides anew on each start. A key without a source is one of any source
    /// (`parseSource` in `pkg/labels/labels.go` of Cilium).
    ///
    /// ## Example
    /// ```yaml
    /// matchLabels: {app: web, "any:app": api}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// matchExpressions:
    ///   - {key: app, operator: In, values: [web, api]}
    /// ```
    pub static MERGED_LABEL_KEYS = { code: "LB4013", name: "merged-label-keys", summary: "two labels of a selector of which one is lost", severity: Error };
}

/// Reports each place once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let message = |sort: &RemarkSort, policy: &str| match sort {
        RemarkSort::MergedKeys(key) => {
            Some(format!("`{key}` stands twice in a selector of `{policy}`, with two values"))
        }
        _ => None,
    };
    let help = "write one of the two, or `matchExpressions` with both values";
    remarks(&MERGED_LABEL_KEYS, case, found, message, help);
}
