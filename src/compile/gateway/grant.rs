//! Leave for the routes of one namespace to name services of another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{IMPORTS, Site, VERSION};
use crate::compile::metadata::Object;
use crate::resource::Desired;
use crate::topology::gateway::Route;
use crate::topology::{NamespaceId, Service};

/// The routes of one namespace to services of another.
type Uses<'a> = Vec<(&'a Route, &'a Service)>;

/// Adds a grant in each namespace whose services are named from another.
pub(super) fn generate(site: &Site<'_>, routes: &[&Route], desired: &mut Desired) {
    let topology = site.input.topology;
    let mut pairs: BTreeMap<(NamespaceId, NamespaceId), Uses<'_>> = BTreeMap::new();
    for route in routes {
        let services = route.to.iter().map(|to| topology.service(to.service));
        for service in services.filter(|service| service.namespace != route.namespace) {
            pairs.entry((service.namespace, route.namespace)).or_default().push((route, service));
        }
    }
    for ((to, from), uses) in pairs {
        let from = site.name_of(from);
        let caller = json!({
            "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": from,
        });
        let spec = json!({"from": [caller], "to": called(site, &uses)});
        let object = Object {
            api_version: version(site),
            kind: "ReferenceGrant",
            namespace: Some(site.name_of(to)),
            name: &format!("routes-of-{from}"),
            labels: &[],
            annotations: Vec::new(),
            origin: uses.first().map_or(site.cluster.span, |(route, _)| route.name.span),
        };
        desired.resources.push(object.with(topology, Some(("spec", spec))));
    }
}

fn called(site: &Site<'_>, uses: &Uses<'_>) -> Value {
    let names = uses.iter().map(|(_, service)| (site.imported(service), &*service.name.value));
    let reference = |(imported, name)| {
        let (group, kind) = if imported { (IMPORTS, "ServiceImport") } else { ("", "Service") };
        json!({"group": group, "kind": kind, "name": name})
    };
    names.collect::<BTreeSet<_>>().into_iter().map(reference).collect()
}

/// Cilium 1.20 reads grants of `v1`, which came with Gateway API 1.5; those before it know
/// `v1beta1` only. Source: operator/pkg/gateway-api/helpers/referencegrants.go.
fn version(site: &Site<'_>) -> &'static str {
    match site.cluster.cilium.value.minor {
        ..20 => "gateway.networking.k8s.io/v1beta1",
        20.. => VERSION,
    }
}
