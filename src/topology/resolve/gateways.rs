//! Gateways and routes.

use std::collections::BTreeMap;

use super::super::gateway::{Backend, CILIUM_CLASS, Gateway, Listener, Route};
use super::super::id::{ClusterId, ClusterSet, GatewayId, NamespaceId, ServiceId};
use super::super::{Service, Topology};
use super::{CONTRADICTION, Names, UNSUPPORTED, dangling};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::Scheme;
use crate::spec::gateway::{self as written, ListenerProtocol};
use crate::spec::ports::Protocol;
use crate::spec::value::is_label;
use crate::spec::{Spec, TopologySpec, duplicate};
use crate::yaml::fields::{Map, invalid, suggests};

/// Resolves the gateways; the clusters are known.
pub(super) fn gateways(
    spec: &TopologySpec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let mut all: Vec<_> = spec.gateways.entries.iter().collect();
    all.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    for (name, gateway) in all {
        let id = gateway.as_ref().filter(|_| is_name(name, found)).map(|gateway| {
            let gateway = one_gateway(name, gateway, names, found);
            topology.gateways.push(gateway);
            GatewayId::new(topology.gateways.len() - 1)
        });
        names.gateways.insert(name.value.clone(), id);
    }
}

fn is_name(name: &Spanned<String>, found: &mut Diagnostics) -> bool {
    let right = is_label(&name.value, 63);
    if !right {
        let message = format!("`{}` cannot be the name of an object", name.value.escape_debug());
        let help = "use 1 to 63 lower-case letters, digits and `-`";
        invalid(name.span, message, help, found);
    }
    right
}

fn one_gateway(
    name: &Spanned<String>,
    gateway: &written::Gateway,
    names: &Names,
    found: &mut Diagnostics,
) -> Gateway {
    for (key, empty) in [
        ("listeners", gateway.listeners.entries.is_empty()),
        ("clusters", gateway.clusters.is_empty()),
    ] {
        if empty && !gateway.broken.contains(&key) {
            let message = format!("the gateway `{}` has no `{key}`", name.value);
            let help = format!("list its `{key}`");
            found.push(Diagnostic::new(&CONTRADICTION, name.span, message).help(help));
        }
    }
    let annotations = gateway.annotations.iter();
    let mut annotations: Vec<_> =
        annotations.map(|(key, value)| (key.value.clone(), value.clone())).collect();
    annotations.sort();
    Gateway {
        name: name.clone(),
        namespace: gateway.namespace.value.0.clone(),
        clusters: names.cluster_set(&gateway.clusters, found),
        class: gateway
            .class
            .as_ref()
            .map_or_else(|| CILIUM_CLASS.to_owned(), |class| class.value.0.clone()),
        scheme: gateway.scheme.as_ref().map_or(Scheme::Internal, |scheme| scheme.value),
        annotations,
        listeners: listeners(&gateway.listeners, found),
    }
}

fn listeners(written: &Map<written::Listener>, found: &mut Diagnostics) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for (name, listener) in written.iter() {
        if !is_name(name, found) {
            continue;
        }
        let https = listener.protocol.value == ListenerProtocol::Https;
        let problem = match &listener.certificate {
            None if https => Some((listener.span, "a listener for HTTPS needs a `certificate`")),
            Some(secret) if !https => Some((secret.span, "a listener for HTTP has no certificate")),
            _ => None,
        };
        if let Some((span, message)) = problem {
            let help = "name the Secret in `certificate`, and write `protocol: HTTPS`";
            found.push(Diagnostic::new(&CONTRADICTION, span, message).help(help));
        }
        listeners.push(Listener {
            name: name.clone(),
            port: listener.port.value.0,
            protocol: listener.protocol.value,
            hostname: listener.hostname.as_ref().map(|host| host.value.0.clone()),
            certificate: listener.certificate.as_ref().map(|secret| secret.value.0.clone()),
        });
    }
    listeners.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    listeners
}

/// Resolves the routes of every application; gateways and services are known.
pub(super) fn routes(spec: &Spec, topology: &mut Topology, names: &Names, found: &mut Diagnostics) {
    let mut all: BTreeMap<(NamespaceId, &str), Route> = BTreeMap::new();
    for application in spec.applications.iter().filter_map(|named| named.spec.as_ref()) {
        let namespace = names.namespaces[&application.namespace.value.0];
        let scope = Scope { topology, names, namespace };
        for (name, route) in application.routes.iter() {
            let Some(route) = scope.route(name, route, found) else { continue };
            match all.get(&(namespace, name.value.as_str())) {
                Some(first) => found.push(duplicate("route", name, &first.name)),
                None => {
                    all.insert((namespace, &name.value), route);
                }
            }
        }
    }
    let routes = all.into_values().collect();
    topology.routes = routes;
}

struct Scope<'a> {
    topology: &'a Topology,
    names: &'a Names,
    namespace: NamespaceId,
}

impl Scope<'_> {
    fn route(
        &self,
        name: &Spanned<String>,
        written: &written::Route,
        found: &mut Diagnostics,
    ) -> Option<Route> {
        let Some(gateway) = self.names.gateways.get(&written.gateway.value) else {
            let known = self.names.gateways.keys();
            found.push(dangling("gateway", &written.gateway, known, found));
            return None;
        };
        let id = (*gateway).filter(|_| is_name(name, found))?;
        let gateway = self.topology.gateway(id);
        let listener = written.listener.as_ref();
        if let Some(wanted) = listener
            && !gateway.listeners.iter().any(|listener| listener.name.value == wanted.value)
        {
            let known: Vec<_> = gateway.listeners.iter().map(|l| l.name.value.clone()).collect();
            found.push(dangling("listener", wanted, known.iter(), found));
            return None;
        }
        if written.to.is_empty() && !written.broken.contains(&"to") {
            let message = format!("the route `{}` leads nowhere", name.value);
            let finding = Diagnostic::new(&CONTRADICTION, name.span, message);
            found.push(finding.help("list the services in `to`"));
        }
        let to: Vec<_> =
            written.to.iter().filter_map(|backend| self.backend(backend, found)).collect();
        let clusters = self.clusters(written, gateway, found);
        for backend in &to {
            self.found_everywhere(backend, &clusters, found);
        }
        Some(Route {
            name: name.clone(),
            namespace: self.namespace,
            gateway: Spanned::new(id, written.gateway.span),
            listener: listener.map(|listener| listener.value.clone()),
            hosts: written.hosts.0.iter().map(|host| host.clone().map(|host| host.0)).collect(),
            paths: written.paths.0.iter().map(|path| path.value.0.clone()).collect(),
            to,
            clusters,
        })
    }

    /// The clusters that are named, which the gateway must have; all of the gateway's otherwise.
    fn clusters(
        &self,
        written: &written::Route,
        gateway: &Gateway,
        found: &mut Diagnostics,
    ) -> ClusterSet {
        if written.clusters.is_empty() {
            return gateway.clusters.clone();
        }
        let mut clusters = ClusterSet::new();
        for name in &written.clusters {
            let Some(id) = self.names.cluster(name, found) else { continue };
            if gateway.clusters.contains(id) {
                clusters.insert(id);
            } else {
                let message =
                    format!("the gateway `{}` is not in `{}`", gateway.name.value, name.value);
                found.push(
                    Diagnostic::new(&CONTRADICTION, name.span, message)
                        .related(gateway.name.span, "the gateway")
                        .help("add the cluster to the gateway, or remove it here"),
                );
            }
        }
        clusters
    }

    fn backend(&self, written: &written::Backend, found: &mut Diagnostics) -> Option<Backend> {
        let id = self.service(&written.service, found)?;
        let service = self.topology.service(id);
        let name = &service.name;
        if service.headless && service.export {
            // Source: GEP-1748, "Headless services are out of scope".
            let message = format!("a route cannot lead to the headless export `{}`", name.value);
            let finding = Diagnostic::new(&UNSUPPORTED, written.span, message);
            found.push(finding.help("export a service with an address of its own"));
        }
        let mut open = service.ports.iter().filter(|port| port.protocol == Protocol::Tcp);
        let wanted = written.port.as_ref();
        let port = match wanted {
            Some(wanted) => open.find(|port| i64::from(port.port) == wanted.value.0),
            None => open.next().filter(|_| open.next().is_none()),
        };
        let Some(port) = port else {
            let (span, message) = match wanted {
                Some(wanted) => {
                    let number = wanted.value.0;
                    (wanted.span, format!("the service `{}` has no TCP port {number}", name.value))
                }
                None => (
                    written.span,
                    format!("it is not said which TCP port of `{}` is meant", name.value),
                ),
            };
            let finding = Diagnostic::new(&CONTRADICTION, span, message);
            found.push(finding.related(name.span, "the service").help("write one of its ports"));
            return None;
        };
        Some(Backend {
            span: written.span,
            service: id,
            port: port.port,
            weight: written.weight.as_ref().map(|weight| weight.value.0),
        })
    }

    fn service(&self, name: &Spanned<String>, found: &mut Diagnostics) -> Option<ServiceId> {
        let own = &self.topology.namespace(self.namespace).name.value;
        let (namespace, short) = name.value.split_once('/').unwrap_or((own, &name.value));
        let services = &self.names.services;
        if let Some(id) = services.get(&(namespace.to_owned(), short.to_owned())) {
            return *id;
        }
        let shown = |(of, name): &(String, String)| {
            if of == own { name.clone() } else { format!("{of}/{name}") }
        };
        let known: Vec<String> =
            if suggests(found) { services.keys().map(shown).collect() } else { Vec::new() };
        found.push(dangling("service", name, known.iter(), found));
        None
    }

    /// Reports the first cluster of a route in which a service is not found, or in which a
    /// namespace does not exist.
    fn found_everywhere(&self, to: &Backend, clusters: &ClusterSet, found: &mut Diagnostics) {
        let service = self.topology.service(to.service);
        for id in clusters.iter() {
            let cluster = &self.topology.cluster(id).name;
            if !self.finds(service, id) {
                let (name, cluster) = (&service.name.value, &cluster.value);
                let message = format!("the service `{name}` is not found in `{cluster}`");
                found.push(
                    Diagnostic::new(&CONTRADICTION, to.span, message)
                        .related(service.name.span, "it runs elsewhere and is not offered there")
                        .help("export the service, or name the `clusters` of the route"),
                );
                return;
            }
            for namespace in [self.namespace, service.namespace] {
                let namespace = self.topology.namespace(namespace);
                if !namespace.clusters.contains(id) {
                    let (name, cluster) = (&namespace.name, &cluster.value);
                    let message =
                        format!("the namespace `{}` does not exist in `{cluster}`", name.value);
                    found.push(
                        Diagnostic::new(&CONTRADICTION, to.span, message)
                            .related(name.span, "declared here")
                            .help(format!("add `{cluster}` to the application's `clusters`")),
                    );
                    return;
                }
            }
        }
    }

    fn finds(&self, service: &Service, id: ClusterId) -> bool {
        let joined = |server: ClusterId| self.topology.joined(id, server);
        let global = service.global.as_ref();
        service.clusters.contains(id)
            || service.export && service.clusters.iter().any(joined)
            || global.is_some_and(|global| global.shared.iter().any(joined))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::{TWO_CLUSTERS, resolved};

    const GATEWAY: &str = "
  gateways:
    public:
      namespace: payments
      clusters: [use1, euw1]
      listeners:
        http: {port: 80, protocol: HTTP}
";
    const ROUTE: &str = "
    users: {from: [{entity: ingress}], to: [fraud-detection]}
  routes:
    api: {gateway: public, to: [fraud-detection]}
";

    /// The sample with a gateway and a route.
    fn sample() -> String {
        let gateway = format!("{}  regions:\n", &GATEWAY[1..]);
        let text = TWO_CLUSTERS.replacen("  regions:\n", &gateway, 1);
        format!("{}{ROUTE}", text.trim_end())
    }

    /// What is found in it after a replacement, without the places.
    fn found(good: &str, bad: &str) -> Vec<String> {
        let text = sample();
        assert!(text.contains(good), "{good}");
        let (_, found) = resolved(&text.replacen(good, bad, 1));
        found.iter().map(|line| line.split_once(' ').expect("a place").1.to_owned()).collect()
    }

    #[test]
    fn one_mistake_is_one_finding() {
        assert_eq!(found("", ""), [""; 0]);
        for (good, bad, finding) in [
            ("gateway: public", "gateway: publik", "LB0013 there is no gateway `publik`"),
            (
                "gateway: public",
                "gateway: public, listener: https",
                "LB0013 there is no listener `https`",
            ),
            (
                "public, to: [fraud-detection]",
                "public, to: [fraud]",
                "LB0013 there is no service `fraud`",
            ),
            ("public, to: [fraud-detection]", "public", "LB0016 the route `api` leads nowhere"),
            (
                "public, to: [fraud-detection]",
                "public, to: [{service: fraud-detection, port: 81}]",
                "LB0016 the service `fraud-detection` has no TCP port 81",
            ),
            (
                "protocol: HTTP}",
                "protocol: HTTPS}",
                "LB0016 a listener for HTTPS needs a `certificate`",
            ),
            (
                "protocol: HTTP}",
                "protocol: HTTP, certificate: tls}",
                "LB0016 a listener for HTTP has no certificate",
            ),
            ("      clusters: [use1, euw1]\n", "", "LB0016 the gateway `public` has no `clusters`"),
            ("clusters: [use1, euw1]\n      listeners", "clusters: [use1]\n      listeners", ""),
            ("    public:\n", "    Public:\n", "LB0007 `Public` cannot be the name of an object"),
        ] {
            let found = found(good, bad);
            let right = match finding {
                "" => found.is_empty(),
                _ => found.iter().any(|line| line.starts_with(finding)) && found.len() <= 2,
            };
            assert!(right, "{bad}: {found:#?}");
        }
    }

    #[test]
    fn a_route_s_clusters_are_its_gateway_s() {
        let both = "clusters: [use1, euw1]\n      listeners";
        let text = sample().replacen(both, "clusters: [use1]\n      listeners", 1).replacen(
            "gateway: public",
            "gateway: public, clusters: [euw1]",
            1,
        );
        let (_, found) = resolved(&text);
        let found: Vec<_> = found.iter().filter_map(|line| line.split_once(' ')).collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].1, "LB0016 the gateway `public` is not in `euw1`");
    }

    #[test]
    fn a_service_must_be_found_where_the_route_is() {
        let here = [
            (
                "labels: {app: fraud-detection}, clusters: [use1, euw1]",
                "labels: {app: fraud-detection}, clusters: [use1]",
            ),
            ("      global: {affinity: local, shared: true}\n", ""),
            ("      export: true\n", ""),
        ];
        let mut text = sample();
        for (old, new) in here {
            assert!(text.contains(old), "{old}");
            text = text.replacen(old, new, 1);
        }
        let (_, found) = resolved(&text);
        let missing = "LB0016 the service `fraud-detection` is not found in `euw1`";
        assert!(found.iter().any(|line| line.ends_with(missing)), "{found:#?}");
    }
}
