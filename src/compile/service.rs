//! Services, in the clusters that serve them and those that only call them.

use serde_json::{Map, Value};

use super::Input;
use super::metadata::{Object, object, texts};
use crate::resource::{Desired, Resource};
use crate::spec::application::{Affinity, Manage};
use crate::topology::{ClusterId, Global, Service, ServicePort, Topology};

/// The affinity of a global service.
pub(super) const AFFINITY: &str = "service.cilium.io/affinity";
/// Whether EndpointSlices of other clusters are made for a service.
pub(super) const SYNC_ENDPOINT_SLICES: &str = "service.cilium.io/global-sync-endpoint-slices";

/// Adds the Services of the cluster that compile owns, and patches for those that teams own.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    for service in index.services[id.index()].iter().map(|id| topology.service(*id)) {
        // A global service must exist under its name wherever it is called. Any other is found
        // in its own clusters only, or by the Multi-Cluster Services API, which makes its own.
        if !service.clusters.contains(id) && service.global.is_none() {
            continue;
        }
        match service.manage {
            Manage::Full => desired.resources.push(whole(topology, service, id)),
            Manage::Annotations => desired.resources.extend(patch(topology, service, id)),
            Manage::None => {}
        }
    }
}

/// Cilium's annotations of a service in one cluster. `affinity: none` is never written: some
/// versions drop every remote backend for it (cilium#46623), and it is the default.
fn annotations(service: &Service, id: ClusterId) -> Vec<(&'static str, String)> {
    let Some(global) = &service.global else { return Vec::new() };
    let shared = service.clusters.contains(id) && global.shared.contains(id);
    let mut annotations = vec![
        ("service.cilium.io/global", "true".to_owned()),
        ("service.cilium.io/shared", shared.to_string()),
    ];
    annotations.extend(exportable(service, global));
    annotations
}

/// Those annotations of a global service that a ServiceExport can carry too.
pub(super) fn exportable(
    service: &Service,
    global: &Global,
) -> impl Iterator<Item = (&'static str, String)> {
    let affinity = global.affinity.filter(|affinity| *affinity != Affinity::None);
    let affinity = affinity.map(|affinity| (AFFINITY, affinity.word().to_owned()));
    // A headless service has no address of its own: its endpoints are all there is to find.
    affinity.into_iter().chain(service.headless.then(|| (SYNC_ENDPOINT_SLICES, "true".to_owned())))
}

fn whole(topology: &Topology, service: &Service, id: ClusterId) -> Resource {
    let mut spec = Map::new();
    if service.headless {
        spec.insert("clusterIP".into(), "None".into());
    }
    let labels = topology.workload(service.workload).labels.clone();
    spec.insert("selector".into(), texts(labels));
    spec.insert("ports".into(), service.ports.iter().map(port).collect());
    if let Some(distribution) = &service.traffic_distribution {
        spec.insert("trafficDistribution".into(), distribution.value.word().into());
    }
    let object = Object {
        api_version: "v1",
        kind: "Service",
        namespace: Some(&topology.namespace(service.namespace).name.value),
        name: &service.name.value,
        labels: &[],
        annotations: annotations(service, id),
        origin: service.name.span,
    };
    object.with(topology, Some(("spec", spec.into())))
}

fn port(port: &ServicePort) -> Value {
    let mut entry = Map::new();
    entry.extend(port.name.as_ref().map(|name| ("name".to_owned(), name.as_str().into())));
    entry.insert("port".into(), port.port.into());
    entry.insert(
        "targetPort".into(),
        match &port.target {
            crate::spec::ports::PortRef::Number(number) => (*number).into(),
            crate::spec::ports::PortRef::Name(name) => name.as_str().into(),
        },
    );
    entry.insert("protocol".into(), port.protocol.word().into());
    let app = port.app_protocol.as_ref();
    entry.extend(app.map(|protocol| ("appProtocol".to_owned(), protocol.as_str().into())));
    entry.into()
}

/// The annotations alone, for a Service that a team owns; nothing where there are none.
fn patch(topology: &Topology, service: &Service, id: ClusterId) -> Option<Resource> {
    let annotations = annotations(service, id);
    if annotations.is_empty() {
        return None;
    }
    let metadata = object([
        ("namespace", topology.namespace(service.namespace).name.value.as_str().into()),
        ("name", service.name.value.as_str().into()),
        ("annotations", texts(annotations)),
    ]);
    let body =
        object([("apiVersion", "v1".into()), ("kind", "Service".into()), ("metadata", metadata)]);
    Some(Resource::patch(body, service.name.span))
}
