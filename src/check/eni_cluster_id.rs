//! A cluster id whose upper bit AWS's data path uses otherwise.

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::cluster::IpamMode;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a cluster with ENI addresses, with `cni.chainingMode: aws-cni` or with
    /// `alibabacloud.enabled` whose id is 128 to 255 or 384 to 511.
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
        let Some((span, what)) = marks(cluster).filter(|_| cluster.id.value & 0x80 != 0) else {
            continue;
        };
        let message = format!(
            "the id {} of `{}` cannot be used with {what}",
            cluster.id.value, cluster.name.value
        );
        let ids = if topology.mesh.max_connected_clusters.value == 511 {
            "1 to 127 or 256 to 383"
        } else {
            "1 to 127"
        };
        found.push(
            Diagnostic::new(&ENI_CLUSTER_ID, cluster.id.span, message)
                .related(span, "the mode is declared here")
                .help(format!("give it a free id from {ids}")),
        );
    }
}

/// What marks packets with that bit in a cluster, and where it is said.
fn marks(cluster: &Cluster) -> Option<(Span, &'static str)> {
    if cluster.ipam.mode == IpamMode::Eni {
        return Some((cluster.ipam.span, "ENI addresses"));
    }
    let said = |key, wanted: Json| {
        cluster.said(key).filter(|(_, value)| *value == wanted).map(|(span, _)| span)
    };
    let chained = said("cni.chainingMode", "aws-cni".into()).map(|span| (span, "`aws-cni`"));
    chained
        .or_else(|| said("alibabacloud.enabled", true.into()).map(|span| (span, "Alibaba Cloud")))
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    #[test]
    fn chaining_marks_packets_too() {
        for (id, values, expected) in [
            (
                200,
                "{cni: {chainingMode: aws-cni}}",
                "the id 200 of `use1` cannot be used with `aws-cni`",
            ),
            (
                130,
                "{alibabacloud: {enabled: true}}",
                "the id 130 of `use1` cannot be used with Alibaba Cloud",
            ),
            (127, "{cni: {chainingMode: aws-cni}}", ""),
            (200, "{cni: {chainingMode: portmap}}", ""),
        ] {
            let own = format!("  id: {id}\n  ciliumValues: {values}\n");
            let found = resolved(&TWO_CLUSTERS.replacen("  id: 1\n", &own, 1)).1;
            let found: Vec<_> =
                found.iter().filter_map(|line| line.split_once(" LB2003 ")).collect();
            let found: Vec<_> = found.iter().map(|(_, message)| *message).collect();
            let expected: Vec<_> = Some(expected).into_iter().filter(|e| !e.is_empty()).collect();
            assert_eq!(found, expected);
        }
    }
}
