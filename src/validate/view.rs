//! What expressions see of a topology: JSON whose keys `docs/policies.md` describes. They keep
//! their names and meanings, whatever becomes of the types that they are made from.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::prepare::Sections;
use crate::source::Spanned;
use crate::spec::application::Affinity;
use crate::spec::mesh::Direction;
use crate::spec::ports::{Opening, Ports};
use crate::spec::value::Cidr;
use crate::topology::dns::{Entrypoint, Zone};
use crate::topology::{
    Cluster, ClusterSet, Flow, FlowOwner, Interconnect, Namespace, NetworkId, PathMatch, Peer,
    PeerKind, Service, Topology, Workload,
};

/// Takes keys without a value out: `has()` says whether they are there.
fn present(value: Json) -> Json {
    match value {
        Json::Object(entries) => {
            let kept = entries.into_iter().filter(|(_, value)| !value.is_null());
            Json::Object(kept.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// The topology; only the keys that are wanted.
pub(super) fn topology(topology: &Topology, wanted: &Sections) -> Json {
    let mut view = Map::new();
    view.insert("name".to_owned(), json!(topology.name.value));
    for (key, make) in SECTIONS {
        if wanted.whole || wanted.keys.contains(*key) {
            view.insert((*key).to_owned(), make(topology));
        }
    }
    Json::Object(view)
}

type Section = fn(&Topology) -> Json;

const SECTIONS: &[(&str, Section)] = &[
    ("mesh", mesh),
    ("regions", |one| (0..one.regions.len()).map(|at| region(one, at)).collect()),
    ("clusters", |all| all.clusters.iter().map(|one| cluster(all, one)).collect()),
    ("interconnects", |one| one.interconnects.iter().map(|link| interconnect(one, link)).collect()),
    ("reserved", |one| one.reserved.iter().map(|(cidr, _)| cidr.0.to_string()).collect()),
    ("namespaces", |one| one.namespaces.iter().map(|space| namespace(one, space)).collect()),
    ("workloads", |one| one.workloads.iter().map(|load| workload(one, load)).collect()),
    ("services", |all| all.services.iter().map(|one| service(all, one)).collect()),
    ("flows", |all| all.flows.iter().map(|one| flow(all, one)).collect()),
    ("zones", |one| one.zones.iter().map(zone).collect()),
    ("entrypoints", |one| one.entrypoints.iter().map(|name| entrypoint(one, name)).collect()),
];

fn mesh(topology: &Topology) -> Json {
    let mesh = &topology.mesh;
    let directions = mesh.default_deny.iter().map(|direction: &Direction| direction.word());
    present(json!({
        "networking": mesh.networking.word(),
        "maxConnectedClusters": *mesh.max_connected_clusters,
        "routing": {
            "mode": mesh.routing.mode.word(),
            "tunnelProtocol": mesh.routing.tunnel_protocol.word(),
        },
        "encryption": {
            "type": mesh.encryption.kind.word(),
            "nodeEncryption": mesh.encryption.node_encryption,
        },
        "globalServices": mesh.global_services,
        "mcs": mesh.mcs,
        "certificates": {"method": mesh.certificates.method.word()},
        "defaultDeny": directions.collect::<Vec<_>>(),
        "latencyBudgetMilliseconds": mesh.latency_budget.as_ref().map(|time| milliseconds(time.value)),
    }))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn cidrs(list: &[Spanned<Cidr>]) -> Vec<String> {
    list.iter().map(|cidr| cidr.0.to_string()).collect()
}

fn pairs(list: &[(String, String)]) -> Json {
    let pairs = list.iter().map(|(key, value)| (key.clone(), json!(value)));
    Json::Object(pairs.collect::<Map<_, _>>())
}

fn names(topology: &Topology, clusters: &ClusterSet) -> Vec<String> {
    clusters.iter().map(|id| topology.cluster(id).name.value.clone()).collect()
}

/// The names of the regions of clusters, sorted, each once.
fn regions_of(topology: &Topology, clusters: &ClusterSet) -> Vec<String> {
    let mut regions: Vec<_> = clusters.iter().map(|id| topology.cluster(id).region).collect();
    regions.sort_unstable();
    regions.dedup();
    regions.iter().map(|id| topology.regions[id.index()].name.value.clone()).collect()
}

fn network_name(topology: &Topology, id: NetworkId) -> String {
    let network = &topology.networks[id.index()];
    let region = &topology.regions[network.region.index()];
    format!("{}/{}", region.name.value, network.name.value)
}

/// A region, by its place in the list.
pub(super) fn region(topology: &Topology, at: usize) -> Json {
    let region = &topology.regions[at];
    let networks = topology.networks.iter().filter(|network| network.region.index() == at);
    let networks = networks.map(|network| {
        let subnets = network.subnets.iter();
        present(json!({
            "name": network.name.value,
            "vpcID": network.vpc_id,
            "cidrs": cidrs(&network.cidrs),
            "subnets": subnets.map(|subnet| subnet.cidr.0.to_string()).collect::<Vec<_>>(),
            "zones": network.zones,
        }))
    });
    let clusters = topology.clusters.iter().filter(|cluster| cluster.region.index() == at);
    present(json!({
        "name": region.name.value,
        "provider": region.provider.word(),
        "account": region.account,
        "networks": networks.collect::<Vec<_>>(),
        "clusters": clusters.map(|cluster| &cluster.name.value).collect::<Vec<_>>(),
    }))
}

/// A cluster.
pub(super) fn cluster(topology: &Topology, cluster: &Cluster) -> Json {
    let region = topology.region_of(cluster);
    let components = cluster.components.iter();
    let components = components.map(|(name, version)| (name.clone(), version.value.clone()));
    let (hubble, relay, ui) = cluster.hubble;
    present(json!({
        "name": cluster.name.value,
        "id": cluster.id.value,
        "region": region.name.value,
        "provider": region.provider.word(),
        "network": network_name(topology, cluster.network),
        "mesh": cluster.in_mesh,
        "role": cluster.role.word(),
        "distribution": cluster.distribution.word(),
        "nodeCIDRs": cidrs(&cluster.node_cidrs),
        "podCIDRs": cidrs(&cluster.pod_cidrs),
        "serviceCIDRs": cidrs(&cluster.service_cidrs),
        "ipam": {"mode": cluster.ipam.mode.word()},
        "maxNodes": cluster.max_nodes.as_ref().map(|nodes| **nodes),
        "kubeProxy": cluster.kube_proxy.word(),
        "loadBalancers": present(json!({
            "controller": cluster.load_balancer.as_ref().map(|controller| controller.word()),
        })),
        "clustermesh": clustermesh(cluster),
        "hubble": {"enabled": hubble, "relay": relay, "ui": ui},
        "mtu": cluster.mtu.as_ref().map(|mtu| mtu.value),
        "versions": present(json!({
            "cilium": cluster.cilium.to_string(),
            "kubernetes": cluster.kubernetes.as_ref().map(|version| &version.value),
            "certManager": cluster.cert_manager.as_ref().map(|version| &version.value),
            "components": pairs(&components.collect::<Vec<_>>()),
        })),
    }))
}

fn clustermesh(cluster: &Cluster) -> Json {
    let mesh = &cluster.clustermesh;
    let annotations = mesh.annotations.iter();
    let annotations = annotations.map(|(key, value)| (key.clone(), json!(value.value)));
    let annotations = Json::Object(annotations.collect::<Map<_, _>>());
    let endpoint = mesh.endpoint.as_ref().map(|endpoint| {
        let ips = endpoint.ips.iter().map(|ip| ip.0.to_string());
        present(json!({
            "ips": ips.collect::<Vec<_>>(),
            "hostname": endpoint.hostname,
            "port": endpoint.port,
        }))
    });
    present(json!({
        "replicas": mesh.replicas,
        "service": present(json!({
            "type": mesh.service_type.word(),
            "scheme": mesh.scheme.word(),
            "annotations": annotations,
            "loadBalancerClass": mesh.load_balancer_class,
            "nodePort": mesh.node_port,
            "sourceRanges": cidrs(&mesh.source_ranges),
        })),
        "endpoint": endpoint,
    }))
}

/// An interconnect.
pub(super) fn interconnect(topology: &Topology, link: &Interconnect) -> Json {
    let between = link.networks.iter().map(|id| network_name(topology, *id));
    present(json!({
        "between": between.collect::<Vec<_>>(),
        "type": link.kind.word(),
        "roundTripMilliseconds": link.round_trip.as_ref().map(|time| milliseconds(time.value)),
        "mtu": link.mtu.as_ref().map(|mtu| mtu.value),
    }))
}

/// A namespace.
pub(super) fn namespace(topology: &Topology, namespace: &Namespace) -> Json {
    json!({
        "name": namespace.name.value,
        "clusters": names(topology, &namespace.clusters),
        "denyIngress": namespace.deny_ingress,
        "denyEgress": namespace.deny_egress,
        "create": namespace.create,
        "labels": pairs(&namespace.labels),
    })
}

fn workload(topology: &Topology, workload: &Workload) -> Json {
    present(json!({
        "name": workload.name.value,
        "namespace": topology.namespace(workload.namespace).name.value,
        "labels": pairs(&workload.labels),
        "clusters": names(topology, &workload.clusters),
        "serviceAccount": workload.service_account,
    }))
}

/// A service.
pub(super) fn service(topology: &Topology, service: &Service) -> Json {
    let ports = service.ports.iter().map(|port| {
        present(json!({
            "name": port.name,
            "port": port.port,
            "targetPort": port.target.to_string(),
            "protocol": port.protocol.word(),
            "appProtocol": port.app_protocol,
        }))
    });
    let global = service.global.as_ref().map(|global| {
        present(json!({
            "affinity": global.affinity.map(Affinity::word),
            "shared": names(topology, &global.shared),
        }))
    });
    present(json!({
        "name": service.name.value,
        "namespace": topology.namespace(service.namespace).name.value,
        "workload": workload(topology, topology.workload(service.workload)),
        "ports": ports.collect::<Vec<_>>(),
        "global": global,
        "export": service.export,
        "headless": service.headless,
        "trafficDistribution": service.traffic_distribution.as_ref().map(|one| one.value.word()),
        "manage": service.manage.word(),
        "clusters": names(topology, &service.clusters),
        "regions": regions_of(topology, &service.clusters),
        "clientClusters": names(topology, &service.client_clusters),
    }))
}

/// A flow.
pub(super) fn flow(topology: &Topology, flow: &Flow) -> Json {
    let (namespace, capability) = match flow.owner {
        FlowOwner::Namespace(id) => (Some(&topology.namespace(id).name.value), None),
        FlowOwner::Capability(id) => (None, Some(&topology.capability(id).name.value)),
    };
    let http = flow.http.iter().map(|one| {
        let path = |wanted: fn(&PathMatch) -> Option<&String>| one.path.as_ref().and_then(wanted);
        present(json!({
            "method": one.method,
            "path": path(|path| if let PathMatch::Exact(path) = path { Some(path) } else { None }),
            "pathPrefix": path(|path| if let PathMatch::Prefix(path) = path { Some(path) } else { None }),
            "pathRegex": path(|path| if let PathMatch::Regex(path) = path { Some(path) } else { None }),
        }))
    });
    let peers = |peers: &[Peer]| peers.iter().map(|one| peer(topology, one)).collect::<Vec<_>>();
    present(json!({
        "name": flow.name.value,
        "document": flow.document,
        "namespace": namespace,
        "capability": capability,
        "from": peers(&flow.from),
        "to": peers(&flow.to),
        "ports": flow.ports.as_ref().map(ports),
        "http": http.collect::<Vec<_>>(),
    }))
}

fn ports(ports: &Ports) -> Json {
    match ports {
        Ports::All => json!(["all"]),
        Ports::Some(list) => list.iter().map(opening).collect(),
    }
}

fn opening(opening: &Opening) -> Json {
    let text = match opening {
        Opening::Port { port, end, protocol } => {
            let protocol = protocol.map_or("ANY", |protocol| protocol.word());
            match end {
                Some(end) => format!("{port}-{end}/{protocol}"),
                None => format!("{port}/{protocol}"),
            }
        }
        Opening::Icmp { v6: false, kind } => format!("{kind}/ICMP"),
        Opening::Icmp { v6: true, kind } => format!("{kind}/ICMPv6"),
    };
    Json::String(text)
}

fn peer(topology: &Topology, peer: &Peer) -> Json {
    let mut view = Map::new();
    let mut put = |key: &str, value: Json| {
        view.insert(key.to_owned(), value);
    };
    let text = |list: &[Cidr]| list.iter().map(|cidr| cidr.0.to_string()).collect::<Json>();
    match &peer.kind {
        PeerKind::Workload(id) => {
            let workload = topology.workload(*id);
            put("workload", json!(workload.name.value));
            put("namespace", json!(topology.namespace(workload.namespace).name.value));
        }
        PeerKind::Service(id) => {
            let service = topology.service(*id);
            put("service", json!(service.name.value));
            put("namespace", json!(topology.namespace(service.namespace).name.value));
        }
        PeerKind::Namespace(name, _) => put("namespace", json!(name)),
        PeerKind::NamespaceLabels(labels) => put("namespaceLabels", pairs(labels)),
        PeerKind::Capability(id) => put("capability", json!(topology.capability(*id).name.value)),
        PeerKind::Entities(list) => {
            put("entity", list.iter().map(|entity| json!(entity.word())).collect());
        }
        PeerKind::Cidrs(ranges, except) => {
            put("cidrs", text(ranges));
            put("except", text(except));
        }
        PeerKind::Fqdn(names) => put("fqdn", json!(names)),
    }
    put("kind", json!(kind(&peer.kind)));
    put("clusters", json!(names(topology, &peer.clusters)));
    put("labels", pairs(&peer.labels));
    put("serviceAccount", json!(peer.service_account));
    present(Json::Object(view))
}

/// The key under which a peer is written.
fn kind(kind: &PeerKind) -> &'static str {
    match kind {
        PeerKind::Workload(_) => "workload",
        PeerKind::Service(_) => "service",
        PeerKind::Namespace(..) => "namespace",
        PeerKind::NamespaceLabels(_) => "namespaceLabels",
        PeerKind::Capability(_) => "capability",
        PeerKind::Entities(_) => "entity",
        PeerKind::Cidrs(..) => "cidrs",
        PeerKind::Fqdn(_) => "fqdn",
    }
}

fn zone(zone: &Zone) -> Json {
    json!({
        "name": zone.name.value,
        "provider": zone.provider.word(),
        "private": zone.private,
    })
}

/// An entrypoint.
pub(super) fn entrypoint(topology: &Topology, entrypoint: &Entrypoint) -> Json {
    let seconds = |time: &Option<Spanned<Duration>>| time.as_ref().map(|time| time.as_secs());
    let check = entrypoint.health_check.as_ref().map(|check| {
        present(json!({
            "path": check.path,
            "port": check.port,
            "intervalSeconds": seconds(&check.interval),
            "failureThreshold": check.failure_threshold.as_ref().map(|number| **number),
        }))
    });
    let targets = entrypoint.targets.iter().map(|target| {
        let cluster = topology.cluster(target.cluster);
        present(json!({
            "cluster": cluster.name.value,
            "region": topology.region_of(cluster).name.value,
            "hostname": target.hostname.as_ref().map(|name| &name.value),
            "healthCheckID": target.health_check_id.as_ref().map(|id| &id.value),
            "weight": target.weight.as_ref().map(|weight| weight.value),
        }))
    });
    present(json!({
        "name": entrypoint.name.value,
        "zone": entrypoint.zone.map(|id| &topology.zones[id.index()].name.value),
        "routing": entrypoint.routing.word(),
        "ttlSeconds": seconds(&entrypoint.ttl),
        "recoveryTimeSeconds": seconds(&entrypoint.recovery_time),
        "healthCheck": check,
        "targets": targets.collect::<Vec<_>>(),
    }))
}
