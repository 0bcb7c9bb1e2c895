//! Gateways, routes from them to services, and leave to name services of other namespaces.

mod grant;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Input;
use super::cilium_values::balancer;
use super::metadata::{Object, object, texts};
use crate::resource::{Desired, Resource};
use crate::topology::gateway::{Backend, Gateway, Listener, Route};
use crate::topology::{Cluster, GatewayId, NamespaceId, Service};

/// The version of Gateway and HTTPRoute, the same in every Gateway API that Cilium 1.16 to 1.20
/// ask for (1.1 to 1.6). Source: Cilium, "Gateway API Support", Prerequisites.
const VERSION: &str = "gateway.networking.k8s.io/v1";
/// The group of ServiceImports.
const IMPORTS: &str = "multicluster.x-k8s.io";

/// Adds the cluster's gateways, its routes, and the grants that these need.
///
/// Cilium's gateways take a ServiceImport as a backend in every minor that is supported; it stands
/// for the Service that the Multi-Cluster Services API derives from it. Source: cilium#28769;
/// Cilium, "Multi-Cluster Services API", Gateway-API.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let site = Site { input, cluster: input.topology.cluster(input.id) };
    let routes: Vec<&Route> = input.index.routes[input.id.index()]
        .iter()
        .map(|at| &input.topology.routes[*at])
        .filter(|route| !route.to.is_empty())
        .collect();
    for (at, gateway) in input.topology.gateways.iter().enumerate() {
        if gateway.clusters.contains(input.id) {
            let id = GatewayId::new(at);
            let own = routes.iter().filter(|route| route.gateway.value == id);
            let namespaces = own.map(|route| site.name_of(route.namespace)).collect();
            desired.resources.push(site.gateway(gateway, &namespaces));
        }
    }
    desired.resources.extend(routes.iter().map(|route| site.route(route)));
    grant::generate(&site, &routes, desired);
}

/// A cluster with what it depends on.
struct Site<'a> {
    input: &'a Input<'a>,
    cluster: &'a Cluster,
}

impl<'a> Site<'a> {
    fn name_of(&self, namespace: NamespaceId) -> &'a str {
        &self.input.topology.namespace(namespace).name.value
    }

    /// A gateway that takes routes from the namespaces that have some.
    fn gateway(&self, gateway: &Gateway, namespaces: &BTreeSet<&str>) -> Resource {
        let mut spec = Map::new();
        spec.insert("gatewayClassName".into(), gateway.class.as_str().into());
        // The user's own annotations win. Before Gateway API 1.2, which Cilium 1.17 asks for,
        // `infrastructure` is in the experimental CRDs only.
        let own = gateway.annotations.clone().into_iter();
        let made = balancer::scheme(self.cluster, gateway.scheme).into_iter();
        let annotations: Vec<_> =
            own.chain(made.map(|(key, value)| (key.to_owned(), value))).collect();
        if !annotations.is_empty() {
            let annotations = object([("annotations", texts(annotations))]);
            spec.insert("infrastructure".into(), annotations);
        }
        let from = allowed(gateway, namespaces);
        let listeners = gateway.listeners.iter().map(|one| listener(one, from.as_ref()));
        spec.insert("listeners".into(), listeners.collect());
        let object = Object {
            api_version: VERSION,
            kind: "Gateway",
            namespace: Some(&gateway.namespace),
            name: &gateway.name.value,
            labels: &[],
            annotations: Vec::new(),
            origin: gateway.name.span,
        };
        object.with(self.input.topology, Some(("spec", spec.into())))
    }

    fn route(&self, route: &Route) -> Resource {
        let gateway = self.input.topology.gateway(route.gateway.value);
        let mut parent = json!({"namespace": gateway.namespace, "name": gateway.name.value});
        if let Some(listener) = &route.listener {
            parent["sectionName"] = listener.as_str().into();
        }
        let mut spec = Map::new();
        spec.insert("parentRefs".into(), json!([parent]));
        if !route.hosts.is_empty() {
            let hosts = route.hosts.iter().map(|host| Value::from(host.value.as_str()));
            spec.insert("hostnames".into(), hosts.collect());
        }
        let mut rule = Map::new();
        if !route.paths.is_empty() {
            let path = |path: &String| json!({"path": {"type": "PathPrefix", "value": path}});
            rule.insert("matches".into(), route.paths.iter().map(path).collect());
        }
        let backends = route.to.iter().map(|backend| self.backend(route, backend));
        rule.insert("backendRefs".into(), backends.collect());
        spec.insert("rules".into(), json!([rule]));
        let object = Object {
            api_version: VERSION,
            kind: "HTTPRoute",
            namespace: Some(self.name_of(route.namespace)),
            name: &route.name.value,
            labels: &[],
            annotations: Vec::new(),
            origin: route.name.span,
        };
        object.with(self.input.topology, Some(("spec", spec.into())))
    }

    /// Whether the service of all clusters is meant, and not that of this one.
    fn imported(&self, service: &Service) -> bool {
        service.export && self.cluster.in_mesh
    }

    fn backend(&self, route: &Route, backend: &Backend) -> Value {
        let service = self.input.topology.service(backend.service);
        let mut entry = Map::new();
        if self.imported(service) {
            entry.insert("group".into(), IMPORTS.into());
            entry.insert("kind".into(), "ServiceImport".into());
        }
        if service.namespace != route.namespace {
            entry.insert("namespace".into(), self.name_of(service.namespace).into());
        }
        entry.insert("name".into(), service.name.value.as_str().into());
        entry.insert("port".into(), backend.port.into());
        if let Some(weight) = backend.weight {
            entry.insert("weight".into(), weight.into());
        }
        entry.into()
    }
}

/// The namespaces whose routes a gateway takes; nothing where it is only its own, the default.
fn allowed(gateway: &Gateway, namespaces: &BTreeSet<&str>) -> Option<Value> {
    if namespaces.iter().all(|namespace| *namespace == gateway.namespace) {
        return None;
    }
    let names: Value = namespaces.iter().copied().map(Value::from).collect();
    let own = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": names});
    Some(json!({"namespaces": {"from": "Selector", "selector": {"matchExpressions": [own]}}}))
}

fn listener(listener: &Listener, from: Option<&Value>) -> Value {
    let mut entry = Map::new();
    entry.insert("name".into(), listener.name.value.as_str().into());
    let hostname = listener.hostname.as_ref();
    entry.extend(hostname.map(|hostname| ("hostname".to_owned(), hostname.as_str().into())));
    entry.insert("port".into(), listener.port.into());
    entry.insert("protocol".into(), listener.protocol.word().into());
    if let Some(secret) = &listener.certificate {
        let tls = json!({"mode": "Terminate", "certificateRefs": [{"name": secret}]});
        entry.insert("tls".into(), tls);
    }
    entry.extend(from.map(|from| ("allowedRoutes".to_owned(), from.clone())));
    entry.into()
}
