//! Health checks between nodes.

use serde_json::json;

use super::Input;
use super::metadata::Object;
use crate::resource::Desired;

/// Adds a policy that lets the nodes of the mesh probe this cluster's health endpoints, whatever
/// other clusterwide policies say.
/// Source: Cilium's documentation, "Add Health Endpoint" under the policy enforcement modes.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let cluster = input.topology.cluster(input.id);
    if !cluster.member {
        return;
    }
    let spec = json!({
        "description": "health checks between nodes",
        "endpointSelector": {"matchLabels": {"reserved:health": ""}},
        "ingress": [{"fromEntities": ["remote-node"]}],
        "egress": [{"toEntities": ["remote-node"]}],
    });
    let object = Object {
        api_version: "cilium.io/v2",
        kind: "CiliumClusterwideNetworkPolicy",
        namespace: None,
        name: "landbridge-health",
        labels: &[],
        annotations: Vec::new(),
        origin: cluster.name.span,
    };
    desired.resources.push(object.with(input.topology, Some(("spec", spec))));
}
