//! ServiceExports of the Multi-Cluster Services API.

use super::Input;
use super::metadata::{Object, object, texts};
use super::service::exportable;
use crate::resource::Desired;

/// Adds a ServiceExport for each exported service that the cluster serves.
///
/// Cilium reads `v1alpha1` up to 1.19 and `v1beta1` from 1.20, which came with mcs-api 0.5.
/// Exported annotations are synchronised from 1.18. Source: Cilium's upgrade notes of 1.18 and
/// 1.20, and its documentation, "Multi-Cluster Services API".
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    let minor = topology.cluster(id).cilium.value.minor;
    let services = index.services[id.index()].iter().map(|id| topology.service(*id));
    for service in services.filter(|service| service.export && service.clusters.contains(id)) {
        let exported: Vec<_> = match &service.global {
            Some(global) if minor >= 18 => exportable(service, global).collect(),
            _ => Vec::new(),
        };
        let spec = (!exported.is_empty())
            .then(|| ("spec", object([("exportedAnnotations", texts(exported))])));
        let object = Object {
            api_version: match minor {
                ..20 => "multicluster.x-k8s.io/v1alpha1",
                20.. => "multicluster.x-k8s.io/v1beta1",
            },
            kind: "ServiceExport",
            namespace: Some(&topology.namespace(service.namespace).name.value),
            name: &service.name.value,
            labels: &[],
            annotations: Vec::new(),
            origin: service.name.span,
        };
        desired.resources.push(object.with(topology, spec));
    }
}
