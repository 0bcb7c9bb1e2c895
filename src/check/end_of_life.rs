//! Versions that their makers no longer mend.

use super::unpublished_version::published;
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::spec::version_facts::EndOfLife;
use crate::topology::{Cluster, ClusterId, Topology};
use crate::version::{cases, finding, fit, known};

declare_rules! {
    /// ## What it does
    /// Reports a version whose support has ended. The day is today's, or the one of `--now`.
    ///
    /// ## Why it matters
    /// Faults that are found from then on, vulnerabilities among them, stay. It is a warning, so
    /// that no hook turns red by the passing of a day alone.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: 1.17.18}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {cilium: 1.19.6}
    /// ```
    pub static END_OF_LIFE = { code: "LB3006", name: "end-of-life", summary: "a version whose support has ended", severity: Warning };
}

/// Reports each such version once for each place where it is pinned.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let Some(today) = topology.today else { return };
    let published = published(topology);
    for ended in known::<EndOfLife>(topology) {
        let since = ended.fact.since.value;
        if today < since {
            continue;
        }
        let pick = |id: ClusterId, cluster: &Cluster| {
            if published.contains(id) { fit(&ended.fact.versions, cluster) } else { None }
        };
        for case in cases(topology, pick) {
            let pin = &case.pins[0];
            let message = format!("the support of {pin} ended on {since}");
            let finding = finding(&END_OF_LIFE, &ended, pin, &case.clusters, message);
            let help = format!("plan the upgrade to a {} that is supported", pin.product);
            found.push(finding.help(help));
        }
    }
}
