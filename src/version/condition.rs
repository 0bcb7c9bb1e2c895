//! What clusters must have for a version to break them.

use serde_json::Value as Json;

use crate::spec::application::Manage;
use crate::spec::cluster::{Distribution, IpamMode, KubeProxy};
use crate::spec::ports::{Opening, PortRef, Ports};
use crate::spec::version_facts::{Condition, Release};
use crate::topology::{Cluster, ClusterSet, Flow, Peer, PeerKind, Service, Topology};

/// The clusters that have it.
pub fn clusters_with(condition: Condition, topology: &Topology) -> ClusterSet {
    let mesh = &topology.mesh;
    let own = |has: &dyn Fn(&Cluster) -> bool| -> ClusterSet {
        topology.clusters().filter(|(_, cluster)| has(cluster)).map(|(id, _)| id).collect()
    };
    match condition {
        Condition::Mesh => own(&|cluster| cluster.in_mesh),
        Condition::Mcs => own(&|cluster| cluster.in_mesh && mesh.mcs),
        Condition::EndpointSlices => own(&|cluster| cluster.in_mesh && mesh.endpoint_slices),
        Condition::GlobalServices => services(topology, |_| true),
        Condition::UnnamedPorts => {
            services(topology, |service| service.ports.iter().any(|port| port.name.is_none()))
        }
        Condition::SharedTargetPort => services(topology, shares_target),
        Condition::OwnGlobalServices => services(topology, is_own),
        Condition::AffinityNone => services(topology, |service| {
            is_own(service) && service.global.as_ref().is_some_and(|global| global.affinity_none)
        }),
        Condition::Eni => own(&|cluster| cluster.ipam.mode == IpamMode::Eni),
        Condition::Eks => own(&|cluster| cluster.distribution == Distribution::Eks),
        Condition::BpfMasquerade => own(&|cluster| cluster.masquerade_bpf == Some(true)),
        Condition::SecondaryNativeRange => own(&|cluster| in_secondary_range(topology, cluster)),
        Condition::KubeProxyReplaced => own(&|cluster| cluster.kube_proxy == KubeProxy::Replaced),
        Condition::CidrPolicies => {
            peers(topology, |_, peer| matches!(peer.kind, PeerKind::Cidrs(..)))
        }
        Condition::NamedPorts => peers(topology, |flow, _| names_port(topology, flow)),
        Condition::InstalledBefore116 => own(&|cluster| {
            let installed = cluster.upgrade_compatibility.as_deref().and_then(release);
            installed.is_some_and(|first| first < Release(1, 16, 0))
        }),
    }
}

/// Whether the native routing range lies in a range of the network other than its first.
fn in_secondary_range(topology: &Topology, cluster: &Cluster) -> bool {
    topology.mesh.routing.native_v4.is_some_and(|native| {
        let ranges = &topology.networks[cluster.network.index()].cidrs;
        ranges.iter().skip(1).any(|range| range.0.contains(&ipnet::IpNet::V4(native)))
    })
}

/// Reads `1.15` or `1.15.3`.
fn release(text: &str) -> Option<Release> {
    let mut numbers = text.trim_start_matches('v').split('.').map(|part| part.parse().ok());
    Some(Release(numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}

/// The members in which such a global service runs or from which it is called.
fn services(topology: &Topology, wanted: impl Fn(&Service) -> bool) -> ClusterSet {
    let mut set = ClusterSet::new();
    for service in &topology.services {
        if service.global.is_some() && wanted(service) {
            set = set.or(&service.clusters).or(&service.client_clusters);
        }
    }
    set.iter().filter(|id| topology.cluster(*id).in_mesh).collect()
}

/// Whether the Service object is the team's own, so that its annotations are too.
fn is_own(service: &Service) -> bool {
    service.manage != Manage::Full
}

fn shares_target(service: &Service) -> bool {
    let ports = &service.ports;
    ports.iter().enumerate().any(|(at, port)| ports[..at].iter().any(|o| o.target == port.target))
}

/// The clusters of the peers that are wanted, of all flows. Those of a peer outside the mesh are
/// the clusters at whose pods the other side is.
fn peers(topology: &Topology, wanted: impl Fn(&Flow, &Peer) -> bool) -> ClusterSet {
    let mut set = ClusterSet::new();
    for flow in &topology.flows {
        for peer in flow.from.iter().chain(&flow.to).filter(|peer| wanted(flow, peer)) {
            set = set.or(&peer.clusters);
        }
    }
    set
}

/// Whether the policies of a flow name a port.
fn names_port(topology: &Topology, flow: &Flow) -> bool {
    let named = |opening: &Opening| matches!(opening, Opening::Port { port: PortRef::Name(_), .. });
    let own = matches!(&flow.ports, Some(Ports::Some(openings)) if openings.iter().any(named));
    own || flow.to.iter().any(|peer| match peer.kind {
        PeerKind::Service(service) => {
            let ports = &topology.service(service).ports;
            ports.iter().any(|port| matches!(port.target, PortRef::Name(_)))
        }
        _ => false,
    })
}

/// Whether `ciliumValues` of a cluster set what a test names: `key=value`, or `key` for any value
/// but null.
pub fn sets(cluster: &Cluster, test: &str) -> bool {
    let (key, wanted) =
        test.split_once('=').map_or((test, None), |(key, value)| (key, Some(value)));
    match (cluster.said(key.trim()), wanted.map(str::trim)) {
        (None | Some((_, Json::Null)), _) => false,
        (Some(_), None) => true,
        (Some((_, Json::String(said))), Some(wanted)) => said == wanted,
        (Some((_, said)), Some(wanted)) => *said.to_string() == *wanted,
    }
}
