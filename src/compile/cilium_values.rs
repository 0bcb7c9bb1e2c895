//! `cilium/values.yaml` and `cilium/chart.yaml`: the Helm values of Cilium, with the keys of the
//! cluster's own chart, and the chart that they are for.
//!
//! Which of two names a key has follows from the table of the charts and not from a comparison of
//! versions. What Cilium decides well by itself is left to it: a value stands here because the
//! topology says it, because the mesh needs it, or because the chart's default is a trap.
//!
//! `clustermesh.policyDefaultLocalCluster` is left to the chart on purpose. Every generated policy
//! names its peers' clusters, so it means the same under both defaults; `true` below 1.19 would
//! narrow the hand-written ones without a word, and `false` opts out of what 1.19 made the default.

pub(super) mod balancer;
mod clustermesh;
mod distribution;
mod hubble;
pub(super) mod layers;
mod network;
mod values;

use serde_json::json;

use super::Input;
use crate::chart::Chart;
use crate::resource::{Desired, Document};
use crate::topology::{Cluster, ClusterId, Topology};
use values::Values;

/// The cluster for which values are made, with what its values depend on.
#[derive(Clone, Copy, Debug)]
struct Site<'a> {
    topology: &'a Topology,
    id: ClusterId,
    cluster: &'a Cluster,
    chart: &'a Chart,
}

/// Adds the values and the chart of one cluster.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let cluster = input.topology.cluster(input.id);
    // A version without a chart has been reported.
    let Some(chart) = Chart::of(&cluster.cilium) else { return };
    let site = Site { topology: input.topology, id: input.id, cluster, chart: &chart };
    let mut values = Values::new();
    network::write(&site, &mut values);
    clustermesh::write(&site, &mut values);
    hubble::write(&site, &mut values);
    clustermesh::first_certificates(&site, &mut values);
    distribution::write(&site, &mut values);
    let mut body = values.into_json();
    for layer in &cluster.values {
        layers::merge(&mut body, layer);
    }
    let repository = input.topology.cilium_charts();
    let header = vec![
        format!("Helm values of cluster {}", cluster.name.value),
        format!("chart: cilium {} from {repository}", cluster.cilium.value),
    ];
    let values = Document::new("cilium/values.yaml", body, cluster.span);
    desired.documents.push(values.header(header));
    let chart = json!({
        "chart": "cilium",
        "repository": repository,
        "version": cluster.cilium.value.to_string(),
    });
    desired.documents.push(Document::new("cilium/chart.yaml", chart, cluster.cilium.span));
}

#[cfg(test)]
mod tests;
