//! Services: what a client's connection becomes before any policy sees it.

use std::collections::BTreeMap;

use super::mesh::{EndpointId, Mesh, Standing};
use super::objects::counts;
use crate::manifest::Manifest;
use crate::policy::Protocol;
use crate::spec::ports as written;
use crate::topology::{self, ClusterId, Topology};
use crate::yaml::Node;
use crate::yaml::json::json;

/// A Service as the clients of one cluster see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `namespace/name`.
    pub name: String,
    /// The cluster of the clients.
    pub cluster: ClusterId,
    /// Its ports.
    pub ports: Vec<Port>,
    /// The pods behind it, in all clusters that it takes them from, sorted.
    pub backends: Vec<EndpointId>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The port that clients use.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The port of the pods.
    pub target: Target,
}

/// The port of the pods behind a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By number.
    Number(u16),
    /// By the name that a container gives it.
    Name(String),
}

impl Service {
    /// Where a connection to a port goes at a pod behind it; nothing where the pod has no such
    /// port.
    pub fn translate(
        &self,
        mesh: &Mesh,
        backend: EndpointId,
        protocol: Protocol,
        port: u16,
    ) -> Option<u16> {
        let known = self.ports.iter().find(|p| p.port == port && p.protocol == protocol)?;
        match &known.target {
            Target::Number(number) => Some(*number),
            Target::Name(name) => {
                let ports = mesh.endpoint(backend).identity.ports.get(name)?;
                ports.iter().find(|(of, _)| *of == protocol).map(|(_, port)| *port)
            }
        }
    }
}

/// The services of a topology, for the clients of each cluster.
pub fn declared(topology: &Topology, mesh: &Mesh) -> Vec<Service> {
    let mut workloads: BTreeMap<_, Vec<EndpointId>> = BTreeMap::new();
    for (id, endpoint) in mesh.endpoints() {
        if let Standing::Declared(workload) = endpoint.standing {
            workloads.entry(workload).or_default().push(id);
        }
    }
    let mut services = Vec::new();
    for service in &topology.services {
        let namespace = &topology.namespace(service.namespace).name.value;
        let all = workloads.get(&service.workload).map_or(&[][..], Vec::as_slice);
        for cluster in service.clusters.or(&service.client_clusters).iter() {
            let shares = |of: ClusterId| {
                let global = service.global.as_ref();
                let shared = global.is_some_and(|global| global.shared.contains(of));
                of == cluster || (topology.joined(cluster, of) && (shared || service.export))
            };
            let behind = all.iter().filter(|id| shares(mesh.endpoint(**id).cluster));
            services.push(Service {
                name: format!("{namespace}/{}", service.name.value),
                cluster,
                ports: service.ports.iter().map(port).collect(),
                backends: behind.copied().collect(),
            });
        }
    }
    services
}

fn port(port: &topology::ServicePort) -> Port {
    let protocol = match port.protocol {
        written::Protocol::Tcp => Protocol::TCP,
        written::Protocol::Udp => Protocol::UDP,
        written::Protocol::Sctp => Protocol::SCTP,
    };
    let target = match &port.target {
        written::PortRef::Number(number) => Target::Number(*number),
        written::PortRef::Name(name) => Target::Name(name.clone()),
    };
    Port { port: port.port, protocol, target }
}

/// The Services among the objects of each cluster. One that is global takes pods from every
/// cluster in which it is too, unless that one does not share (`service.cilium.io/global`,
/// `service.cilium.io/shared`).
pub fn found(clusters: &[&[Manifest]], mesh: &Mesh) -> Vec<Service> {
    let mut pods: BTreeMap<(ClusterId, &str), Vec<EndpointId>> = BTreeMap::new();
    for (id, endpoint) in mesh.endpoints() {
        if let Some(namespace) = endpoint.identity.namespace() {
            pods.entry((endpoint.cluster, namespace)).or_default().push(id);
        }
    }
    let mut all = Vec::new();
    for (at, objects) in clusters.iter().enumerate() {
        for object in objects.iter().filter(|object| object.is("", "Service")) {
            let namespace = object.namespace.as_ref().map_or("default", |known| &known.value);
            let own = pods.get(&(ClusterId::new(at), namespace)).map_or(&[][..], Vec::as_slice);
            all.push(Written {
                cluster: ClusterId::new(at),
                name: format!("{namespace}/{}", object.name.value),
                ports: ports(object),
                own: selected(object, own, mesh),
                global: flag(object, "global-service", "global", false),
                shared: flag(object, "shared-service", "shared", true),
            });
        }
    }
    let mut by_name: BTreeMap<&str, Vec<&Written>> = BTreeMap::new();
    for service in &all {
        by_name.entry(&service.name).or_default().push(service);
    }
    let service = |service: &Written| {
        let others = by_name[&*service.name].iter().filter(|other| {
            service.global && other.global && other.shared && other.cluster != service.cluster
        });
        let mut backends = service.own.clone();
        backends.extend(others.flat_map(|other| &other.own));
        backends.sort_unstable();
        let (name, ports) = (service.name.clone(), service.ports.clone());
        Service { name, cluster: service.cluster, ports, backends }
    };
    all.iter().map(service).collect()
}

struct Written {
    cluster: ClusterId,
    name: String,
    ports: Vec<Port>,
    own: Vec<EndpointId>,
    global: bool,
    shared: bool,
}

/// An annotation under its new name or its old one (`pkg/annotation/k8s.go`); a Service is shared
/// unless it says otherwise.
fn flag(object: &Manifest, old: &str, new: &str, otherwise: bool) -> bool {
    let names = [format!("service.cilium.io/{new}"), format!("io.cilium/{old}")];
    let said = names.iter().find_map(|name| object.annotations().find(|note| note.key == name));
    said.and_then(|note| note.value.text()).map_or(otherwise, |said| said == "true")
}

/// The pods of a namespace that a Service selects. A label that is not part of an identity tells
/// pods with one identity apart, such as the name of one pod.
fn selected(object: &Manifest, pods: &[EndpointId], mesh: &Mesh) -> Vec<EndpointId> {
    let Some(selector) = object.at(&["spec", "selector"]).and_then(Node::entries) else {
        return Vec::new();
    };
    let has = |id: &&EndpointId| {
        let labels = &mesh.endpoint(**id).identity.labels;
        selector.iter().filter(|entry| counts(&entry.key)).all(|entry| {
            let key = crate::policy::Key::k8s(&*entry.key);
            labels.get(&key).is_some() && labels.get(&key) == entry.value.text()
        })
    };
    if selector.is_empty() { Vec::new() } else { pods.iter().filter(has).copied().collect() }
}

fn ports(object: &Manifest) -> Vec<Port> {
    let items = object.at(&["spec", "ports"]).and_then(Node::items).unwrap_or_default();
    let number = |node: &Node| u16::try_from(json(node).as_u64()?).ok();
    let port = |item: &Node| {
        let port = number(item.get("port")?)?;
        let protocol = item.get("protocol").and_then(Node::text).unwrap_or("TCP");
        let target = match item.get("targetPort").filter(|target| !target.is_null()) {
            None => Target::Number(port),
            Some(target) => match number(target) {
                Some(number) => Target::Number(number),
                None => Target::Name(target.text()?.to_owned()),
            },
        };
        Some(Port { port, protocol: Protocol::named(protocol)?, target })
    };
    items.iter().filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::super::declared::mesh;
    use super::*;
    use crate::compile::Index;
    use crate::diagnostic::Diagnostics;
    use crate::source::SourceMap;
    use crate::topology::sample::{TWO_CLUSTERS, resolved_with};

    #[test]
    fn a_connection_goes_to_the_port_of_its_protocol() {
        let mut mesh = super::super::sample::mesh(&[("euw1", "1.20.2")]);
        super::super::sample::workload(&mut mesh, 0, "shop/web");
        let web = &mut mesh.endpoints[0].identity;
        *web = web.clone().port("dns", Protocol::UDP, 5353).port("dns", Protocol::TCP, 5300);
        let (backend, _) = mesh.endpoints().next().expect("a pod");
        let port = |port, protocol, target| Port { port, protocol, target };
        let service = Service {
            name: "shop/web".to_owned(),
            cluster: ClusterId::new(0),
            ports: vec![
                port(80, Protocol::TCP, Target::Number(8080)),
                port(80, Protocol::UDP, Target::Number(8081)),
                port(53, Protocol::UDP, Target::Name("dns".to_owned())),
                port(53, Protocol::SCTP, Target::Name("dns".to_owned())),
                port(54, Protocol::TCP, Target::Name("other".to_owned())),
            ],
            backends: vec![backend],
        };
        for (protocol, port, expected) in [
            (Protocol::TCP, 80, Some(8080)),
            (Protocol::UDP, 80, Some(8081)),
            (Protocol::SCTP, 80, None),
            (Protocol::TCP, 8080, None),
            (Protocol::UDP, 53, Some(5353)),
            (Protocol::SCTP, 53, None),
            (Protocol::TCP, 54, None),
        ] {
            let found = service.translate(&mesh, backend, protocol, port);
            assert_eq!(found, expected, "{protocol}/{port}");
        }
    }

    #[test]
    fn a_declared_service_has_the_pods_of_the_clusters_that_share_it() {
        let behind = |text: &str| {
            let (topology, _) = resolved_with(text, &[]);
            let topology = topology.expect("a topology");
            let mesh = mesh(&topology, &Index::of(&topology));
            let services = declared(&topology, &mesh);
            let line = |service: &Service| {
                let pods = service.backends.iter().map(|id| mesh.describe(*id));
                let pods: Vec<String> = pods.collect();
                let of = &mesh.cluster(service.cluster).name;
                format!("{}@{of}: {}", service.name, pods.join(" "))
            };
            services.iter().map(line).collect::<Vec<_>>()
        };
        let (global, export) =
            ("      global: {affinity: local, shared: true}\n", "      export: true\n");
        let without = |texts: &[&str]| {
            texts.iter().fold(TWO_CLUSTERS.to_owned(), |text, one| {
                assert!(text.contains(one), "{one}");
                text.replace(one, "")
            })
        };
        let fraud = "payments/fraud-detection";
        let own = ["euw1", "use1"].map(|of| format!("{fraud}@{of}: {fraud}@{of}"));
        let both = format!("{fraud}@euw1 {fraud}@use1");
        let shared = ["euw1", "use1"].map(|of| format!("{fraud}@{of}: {both}"));
        assert_eq!(behind(TWO_CLUSTERS), shared);
        assert_eq!(behind(&without(&[global])), shared);
        assert_eq!(behind(&without(&[export])), shared);
        assert_eq!(behind(&without(&[global, export])), own);
        let kept = without(&[export]).replace("shared: true", "shared: false");
        assert_eq!(behind(&kept), own);
    }

    #[test]
    fn a_found_service_has_the_pods_that_it_selects_and_those_of_others_that_share() {
        let service = |note: &str, selector: &str| {
            let text = format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop, annotations: \
                 {{{note}}}}}\nspec: {{selector: {{{selector}}}, ports: [{{port: 80}}]}}\n"
            );
            let mut sources = SourceMap::new();
            let id = sources.add("a.yaml", text);
            crate::manifest::read(&sources, id, None, &mut Diagnostics::new())
        };
        let mut mesh = super::super::sample::mesh(&[("euw1", "1.20.2"), ("use1", "1.20.2")]);
        for cluster in 0..2 {
            for name in ["shop/web", "shop/api", "ops/web"] {
                super::super::sample::workload(&mut mesh, cluster, name);
            }
        }
        let behind = |[one, other]: [&str; 2], selector: &str| {
            let (one, other) = (service(one, selector), service(other, selector));
            let services = found(&[&one, &other], &mesh);
            services.iter().map(|known| known.backends.len()).collect::<Vec<_>>()
        };
        let global = "service.cilium.io/global: 'true'";
        let old = "io.cilium/global-service: 'true'";
        let kept = "service.cilium.io/global: 'true', service.cilium.io/shared: 'false'";
        let off = "service.cilium.io/global: 'false', io.cilium/global-service: 'true'";
        assert_eq!(behind(["", ""], "app: web"), [1, 1]);
        assert_eq!(behind([global, old], "app: web"), [2, 2]);
        assert_eq!(behind([global, ""], "app: web"), [1, 1]);
        assert_eq!(behind([global, kept], "app: web"), [1, 2]);
        assert_eq!(behind([global, off], "app: web"), [1, 1]);
        assert_eq!(behind(["", ""], "app: web, tier: a"), [0, 0]);
        assert_eq!(behind(["", ""], "app: other"), [0, 0]);
        assert_eq!(behind(["", ""], ""), [0, 0]);
    }
}
