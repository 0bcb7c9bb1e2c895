//! A control plane with an even number of members.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a control plane whose etcd has an even number of members.
    ///
    /// ## Why it matters
    /// Etcd needs more than half of its members. Four tolerate the loss of one, as three do, and
    /// are more likely to lose one; two tolerate none. Source: etcd, "FAQ", Why an odd number of
    /// cluster members?
    ///
    /// ## Example
    /// ```yaml
    /// controlPlane: {members: 4}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// controlPlane: {members: 3}
    /// ```
    pub static EVEN_CONTROL_PLANE = { code: "LB2021", name: "even-control-plane", summary: "an even number of control-plane members", severity: Warning };
}

/// Reports each such control plane.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        let members = cluster.control_plane.as_ref().and_then(|plane| plane.members.as_ref());
        let Some(members) = members.filter(|members| members.value % 2 == 0) else { continue };
        let tolerated = members.value / 2 - 1;
        let message = format!(
            "{} members of a control plane tolerate the loss of {tolerated}, as {} do",
            members.value,
            members.value - 1
        );
        let finding = Diagnostic::new(&EVEN_CONTROL_PLANE, members.span, message);
        let (fewer, more) = (members.value - 1, members.value + 1);
        found.push(
            finding
                .related(cluster.name.span, "the cluster")
                .help(format!("run {fewer} or {more}")),
        );
    }
}
