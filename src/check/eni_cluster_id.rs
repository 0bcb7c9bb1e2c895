//! A cluster id whose upper bit AWS's data path uses otherwise.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::IpamMode;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a cluster with ENI addresses whose id is 128 to 255 or 384 to 511.
    ///
    /// ## Why it matters
    /// The upper bit of the id's last byte is the bit with which the AWS data path marks packets:
    /// policies then drop legitimate traffic (cilium/cilium#21330). From 1.16.4 on the chart and
    /// the agents refuse such ids; before, they do not.
    ///
    /// ## Example
    /// ```yaml
    /// spec: {id: 130, ipam: {mode: eni}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// spec: {id: 30, ipam: {mode: eni}}
    /// ```
    pub static ENI_CLUSTER_ID = { code: "LB2003", name: "eni-cluster-id", summary: "a cluster id that breaks policies in ENI mode", severity: Error };
}

/// Reports ENI clusters whose id has the bit 0x80.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        if cluster.ipam.mode != IpamMode::Eni || cluster.id.value & 0x80 == 0 {
            continue;
        }
        let message = format!(
            "the id {} of `{}` cannot be used with ENI addresses",
            cluster.id.value, cluster.name.value
        );
        let ids = if topology.mesh.max_connected_clusters.value == 511 {
            "1 to 127 or 256 to 383"
        } else {
            "1 to 127"
        };
        found.push(
            Diagnostic::new(&ENI_CLUSTER_ID, cluster.id.span, message)
                .related(cluster.ipam.span, "the mode is declared here")
                .help(format!("give it a free id from {ids}")),
        );
    }
}
