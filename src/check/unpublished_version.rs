//! Versions that were never published.

use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::spec::version_facts::Unpublished;
use crate::topology::{Cluster, ClusterSet, Topology};
use crate::version::{cases, finding, fit, known};

declare_rules! {
    /// ## What it does
    /// Reports an exact version that does not exist although its neighbours do: there is no chart
    /// of Cilium 1.16.14.
    ///
    /// ## Why it matters
    /// The values are right and nothing can be installed with them.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: 1.16.14}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {cilium: 1.16.19}
    /// ```
    pub static UNPUBLISHED_VERSION = { code: "LB3008", name: "unpublished-version", summary: "an exact version that does not exist", severity: Error };
}

/// Reports each such version once for each place where it is pinned.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for gap in known::<Unpublished>(topology) {
        for case in cases(topology, |_, cluster| fit(&gap.fact.versions, cluster)) {
            let pin = &case.pins[0];
            let message = format!("{pin} was never published");
            let finding = finding(&UNPUBLISHED_VERSION, &gap, pin, &case.clusters, message);
            found.push(finding.help("use a patch that exists"));
        }
    }
}

/// The clusters all of whose versions exist: of what does not exist nothing else is said.
pub(super) fn published(topology: &Topology) -> ClusterSet {
    let gaps = known::<Unpublished>(topology);
    let exists =
        |cluster: &Cluster| gaps.iter().all(|gap| fit(&gap.fact.versions, cluster).is_none());
    topology.clusters().filter(|(_, cluster)| exists(cluster)).map(|(id, _)| id).collect()
}
