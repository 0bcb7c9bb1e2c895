//! Routes to pods that let nothing in from the gateway.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::flow::Entity;
use crate::spec::ports::{Opening, PortRef, Ports, Protocol};
use crate::topology::gateway::{Backend, Route};
use crate::topology::{ClusterId, Flow, Peer, PeerKind, Service, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a route of one of Cilium's gateways to a service whose namespace denies ingress,
    /// where no flow from `entity: ingress` reaches its pods on their port, in a cluster whose
    /// pods may get the request.
    ///
    /// ## Why it matters
    /// What passes a gateway of Cilium arrives at the pods from the proxy, which is the entity
    /// `ingress`, in every cluster of the mesh. Without a flow they drop it, and the proxy answers
    /// with an error. Source: Cilium, "Ingress and Network Policy Example".
    ///
    /// ## Example
    /// ```yaml
    /// routes:
    ///   api: {gateway: public, hosts: [api.example.com], to: [fraud-detection]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// routes:
    ///   api: {gateway: public, hosts: [api.example.com], to: [fraud-detection]}
    /// flows:
    ///   users: {from: [{entity: ingress}], to: [fraud-detection]}
    /// ```
    pub static ROUTE_WITHOUT_FLOW = { code: "LB2061", name: "route-without-flow", summary: "a route to pods that let nothing in from the gateway", severity: Error };
}

/// Reports each such service of a route, with the first such cluster.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    if topology.routes.is_empty() {
        return;
    }
    let proxies = [Entity::Ingress, Entity::All, Entity::Cluster, Entity::ClusterMesh];
    let from_proxy = |peer: &Peer| match &peer.kind {
        PeerKind::Entities(entities) => entities.iter().any(|entity| proxies.contains(entity)),
        _ => false,
    };
    let flows: Vec<_> =
        topology.flows.iter().filter(|flow| flow.from.iter().any(from_proxy)).collect();
    for route in &topology.routes {
        if !topology.gateway(route.gateway.value).is_cilium() {
            continue;
        }
        for to in &route.to {
            let service = topology.service(to.service);
            if !topology.namespace(service.namespace).deny_ingress {
                continue;
            }
            let covered = |id: ClusterId| {
                let reached = |flow: &&&Flow| reaches(topology, flow, service, to, id);
                flows.iter().filter(reached).any(|flow| {
                    flow.from.iter().any(|peer| from_proxy(peer) && peer.clusters.contains(id))
                })
            };
            let mut servers =
                service.clusters.iter().filter(|id| serves(topology, route, service, *id));
            if let Some(id) = servers.find(|id| !covered(*id)) {
                found.push(finding(topology, service, to, id));
            }
        }
    }
}

fn finding(topology: &Topology, service: &Service, to: &Backend, id: ClusterId) -> Diagnostic {
    let (name, cluster) = (&service.name, &topology.cluster(id).name.value);
    let message =
        format!("no flow lets requests of the gateway reach `{}` in `{cluster}`", name.value);
    Diagnostic::new(&ROUTE_WITHOUT_FLOW, to.span, message)
        .related(name.span, "its namespace denies ingress")
        .help("add a flow from `{entity: ingress}` to it")
}

/// Whether requests of some cluster of the route come to the pods of this one.
fn serves(topology: &Topology, route: &Route, service: &Service, server: ClusterId) -> bool {
    let offered = service.export
        || service.global.as_ref().is_some_and(|global| global.shared.contains(server));
    route.clusters.iter().any(|id| id == server || offered && topology.joined(id, server))
}

/// Whether a flow opens the port of a service's pods in a cluster.
fn reaches(
    topology: &Topology,
    flow: &Flow,
    service: &Service,
    to: &Backend,
    id: ClusterId,
) -> bool {
    let port = service.ports.iter().find(|port| port.port == to.port);
    let Some(target) = port.map(|port| &port.target) else { return true };
    let own = topology.workload(service.workload);
    flow.to.iter().filter(|peer| peer.clusters.contains(id)).any(|peer| match &peer.kind {
        PeerKind::Service(other) => {
            let other = topology.service(*other);
            let same = |port: &crate::topology::ServicePort| port.target == *target;
            other.workload == service.workload && other.ports.iter().any(same)
        }
        PeerKind::Workload(other) => {
            let other = topology.workload(*other);
            // The labels of one workload may be a part of another's.
            let inside = other.labels.iter().all(|label| own.labels.contains(label));
            other.namespace == own.namespace && inside && opens(flow.ports.as_ref(), target)
        }
        PeerKind::Namespace(_, of) => {
            *of == Some(own.namespace) && opens(flow.ports.as_ref(), target)
        }
        // Which pods these are cannot be told from what is declared.
        PeerKind::NamespaceLabels(_) | PeerKind::Capability(_) => true,
        PeerKind::Entities(_) | PeerKind::Cidrs(..) | PeerKind::Fqdn(_) => false,
    })
}

/// Whether ports have a port for TCP. A name and a number may be the same port of a pod.
fn opens(ports: Option<&Ports>, target: &PortRef) -> bool {
    let Some(Ports::Some(openings)) = ports else { return true };
    openings.iter().any(|opening| match opening {
        Opening::Icmp { .. }
        | Opening::Port { protocol: Some(Protocol::Udp | Protocol::Sctp), .. } => false,
        Opening::Port { port, end, .. } => match (port, target) {
            (PortRef::Number(first), PortRef::Number(target)) => {
                (*first..=end.unwrap_or(*first)).contains(target)
            }
            (PortRef::Name(name), PortRef::Name(target)) => name == target,
            _ => true,
        },
    })
}
