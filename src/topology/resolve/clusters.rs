//! Clusters: inherited settings, defaults, places.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use super::super::id::{ClusterId, NetworkId, RegionId};
use super::super::{
    Cluster, ClusterMesh, ControlPlane, Dns, Endpoint, Ipam, LeftOut, Pool, Topology,
};
use super::inherit::{inherit, versions as inherit_versions};
use super::{CONTRADICTION, Names, balancers, versions};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::cluster::{
    ClusterSpec, Distribution, IpamMode, KubeProxy, MaskSize, Role, Scheme, ServiceType,
};
use crate::spec::mesh::{Networking, RoutingMode};
use crate::spec::{Named, Spec, TopologySpec};
use crate::yaml::{MISSING_KEY, Node};

/// Where NodeLocal DNSCache listens in its own manifests.
/// Source: Kubernetes, "Using NodeLocal DNSCache in Kubernetes Clusters".
const NODE_LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 20, 10));
/// The ClusterMesh API server's node port unless the chart is told otherwise
/// (`clustermesh.apiserver.service.nodePort`).
const NODE_PORT: i64 = 32379;
/// Etcd's defaults. Source: etcd, "Tuning", Time parameters.
const HEARTBEAT: Duration = Duration::from_millis(100);
const ELECTION: Duration = Duration::from_secs(1);
/// The port of the ClusterMesh API server's etcd.
const ETCD_PORT: i64 = 2379;

/// Resolves every cluster.
pub(super) fn resolve(
    spec: &Spec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let Some(written) = spec.topology.as_ref().and_then(|named| named.spec.as_ref()) else {
        return;
    };
    for named in &spec.clusters {
        let id = match one(named, written, topology, names, found) {
            Some(Ok(cluster)) => {
                topology.clusters.push(*cluster);
                Some(ClusterId::new(topology.clusters.len() - 1))
            }
            Some(Err(left_out)) => {
                topology.left_out.push(*left_out);
                None
            }
            None => None,
        };
        names.clusters.insert(named.name.value.clone(), id);
    }
    same_identity(topology, found);
}

/// Reports two clusters whose tokens have one issuer: a role that trusts one of them would trust
/// both.
fn same_identity(topology: &Topology, found: &mut Diagnostics) {
    let mut first: BTreeMap<&str, (&str, Span)> = BTreeMap::new();
    for cluster in &topology.clusters {
        let Some(issuer) = &cluster.oidc_issuer else { continue };
        let name = cluster.name.value.as_str();
        let Some((other, span)) = first.get(issuer.value.as_str()) else {
            first.insert(&issuer.value, (name, issuer.span));
            continue;
        };
        let message = format!("the clusters `{other}` and `{name}` have one issuer of tokens");
        let mut finding = Diagnostic::new(&CONTRADICTION, issuer.span, message);
        if *span != issuer.span {
            finding = finding.related(*span, "the first");
        }
        found.push(finding.help("write each cluster's own `identity`"));
    }
}

fn one(
    named: &Named<ClusterSpec>,
    written: &TopologySpec,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Option<Result<Box<Cluster>, Box<LeftOut>>> {
    let declared = named.spec.as_ref()?;
    let mut spec = declared.clone();
    let mut values: Vec<Arc<Node>> = Vec::new();
    let layer = |values: &mut Vec<Arc<Node>>, free: Option<&crate::yaml::fields::Free>| {
        values.extend(free.map(|free| free.0.clone()));
    };
    layer(&mut values, written.mesh.as_ref().and_then(|mesh| mesh.cilium_values.as_ref()));
    layer(&mut values, written.cluster_defaults.as_ref().and_then(|d| d.cilium_values.as_ref()));
    // The region itself may be inherited from the topology's defaults, but not from a region's.
    if spec.region.is_none() {
        spec.region =
            written.cluster_defaults.as_ref().and_then(|defaults| defaults.region.clone());
    }
    let Some(region_name) = spec.region.clone() else {
        missing(
            named,
            &spec.broken,
            "region",
            "say in which region of the topology it stands",
            found,
        );
        return None;
    };
    let region = names.networks.region(&region_name, found);
    if let Some(region) = written.regions.get(&region_name.value) {
        layer(&mut values, region.cilium_values.as_ref());
        layer(&mut values, region.cluster_defaults.as_ref().and_then(|d| d.cilium_values.as_ref()));
        if let Some(defaults) = &region.cluster_defaults {
            inherit(&mut spec, defaults);
        }
    }
    layer(&mut values, declared.cilium_values.as_ref());
    if let Some(defaults) = &written.cluster_defaults {
        inherit(&mut spec, defaults);
    }
    inherit_versions(&mut spec.versions, written.versions.as_ref());
    if spec.mtu.is_none() {
        spec.mtu = written.mesh.as_ref().and_then(|mesh| mesh.mtu.clone());
    }
    let region = region?;
    let network = names.networks.network(region, spec.network.as_ref(), &region_name, found)?;
    let cluster = build(named, &spec, topology, names, (region, network), found);
    let cluster = cluster.map(|cluster| Box::new(Cluster { values, ..cluster }));
    Some(cluster.ok_or_else(|| Box::new(left_out(named, spec, network))))
}

/// The addresses of a cluster that is left out.
fn left_out(named: &Named<ClusterSpec>, spec: ClusterSpec, network: NetworkId) -> LeftOut {
    let mode = spec.ipam.and_then(|ipam| ipam.mode).map_or(IpamMode::ClusterPool, |m| m.value);
    LeftOut {
        name: named.name.clone(),
        network,
        mode,
        node_cidrs: spec.node_cidrs,
        pod_cidrs: spec.pod_cidrs,
        service_cidrs: spec.service_cidrs,
        load_balancer_ranges: spec.load_balancers.map(|b| b.ranges).unwrap_or_default(),
    }
}

/// Reports a key that nobody says; one that could not be read has been reported already.
fn missing(
    named: &Named<ClusterSpec>,
    broken: &[&'static str],
    key: &str,
    help: &str,
    found: &mut Diagnostics,
) {
    let outer = key.split('.').next().unwrap_or_default();
    let inner = key.split('.').next_back().unwrap_or_default();
    if broken.contains(&outer) || broken.contains(&inner) {
        return;
    }
    let message = format!("the cluster `{}` has no `{key}`", named.name.value);
    found.push(Diagnostic::new(&MISSING_KEY, named.name.span, message).help(help));
}

fn build(
    named: &Named<ClusterSpec>,
    spec: &ClusterSpec,
    topology: &Topology,
    names: &Names,
    (region, network): (RegionId, NetworkId),
    found: &mut Diagnostics,
) -> Option<Cluster> {
    let distribution = spec.distribution.as_ref().map_or(Distribution::Other, |d| d.value);
    let member = spec.mesh.as_ref().is_none_or(|mesh| mesh.value);
    let in_mesh = member && topology.mesh.networking == Networking::Flat;
    let pinned = pinned(named, spec, distribution, found);
    required(named, spec, distribution, in_mesh, found);
    let balancers = spec.load_balancers.as_ref();
    Some(Cluster {
        name: named.name.clone(),
        span: spec.span,
        region,
        network,
        member,
        in_mesh,
        id: spec
            .id
            .as_ref()
            .map_or(Spanned::new(0, named.name.span), |id| id.clone().map(|id| id.0)),
        role: spec.role.as_ref().map_or(Role::Active, |role| role.value),
        distribution,
        node_cidrs: spec.node_cidrs.clone(),
        pod_cidrs: spec.pod_cidrs.clone(),
        service_cidrs: spec.service_cidrs.clone(),
        ipam: ipam(spec, topology, found),
        max_nodes: spec.max_nodes.clone().map(|most| most.map(|most| most.0)),
        max_pods: spec.max_pods.clone().map(|most| most.map(|most| most.0)),
        control_plane: spec.control_plane.as_ref().map(|plane| control_plane(plane, names, found)),
        api_server: spec.api_server.as_ref().map(|server| {
            (server.host.value.0.clone(), server.port.as_ref().map_or(6443, |port| port.value.0))
        }),
        kube_proxy: spec.kube_proxy.as_ref().map_or(KubeProxy::Iptables, |proxy| proxy.value),
        load_balancer: balancers.and_then(|balancers| balancers.controller.clone()),
        load_balancer_ranges: balancers.map(|b| b.ranges.clone()).unwrap_or_default(),
        announce: balancers.and_then(|balancers| balancers.announce.clone()),
        announcing_nodes: super::labels(balancers.and_then(|balancers| balancers.nodes.as_ref())),
        announcing_interfaces: balancers::interfaces(balancers, found),
        bgp: balancers.and_then(|b| b.bgp.as_ref()).map(|bgp| balancers::bgp(bgp, found)),
        clustermesh: clustermesh(spec),
        dns: dns(spec),
        masquerade_v4: masquerade(spec, |m| m.ipv4.as_ref()),
        masquerade_v6: masquerade(spec, |m| m.ipv6.as_ref()),
        masquerade_bpf: masquerade(spec, |m| m.bpf.as_ref()),
        hubble: hubble(spec),
        mtu: spec.mtu.clone().map(|mtu| mtu.map(|mtu| mtu.0)),
        cilium: pinned.cilium?,
        kubernetes: pinned.kubernetes,
        cert_manager: pinned.cert_manager,
        components: pinned.components,
        upgrade_compatibility: spec
            .upgrade_compatibility
            .as_ref()
            .map(|minor| minor.value.0.clone()),
        oidc_issuer: spec.identity.as_ref().map(|identity| {
            let url = &identity.oidc_issuer;
            Spanned::new(url.value.trim_end_matches('/').to_owned(), url.span)
        }),
        eks_name: eks_name(spec),
        values: Vec::new(),
    })
}

/// The versions of a cluster, as far as they are exact.
struct Pinned {
    cilium: Option<Spanned<semver::Version>>,
    kubernetes: Option<Spanned<String>>,
    cert_manager: Option<Spanned<String>>,
    components: Vec<(String, Spanned<String>)>,
}

fn pinned(
    named: &Named<ClusterSpec>,
    spec: &ClusterSpec,
    distribution: Distribution,
    found: &mut Diagnostics,
) -> Pinned {
    let written = spec.versions.as_ref();
    let cilium = written.and_then(|versions| versions.cilium.as_ref());
    if cilium.is_none() {
        let broken = written.map_or(&spec.broken, |versions| &versions.broken);
        let help = "pin it for every cluster in the topology's `versions`";
        missing(named, broken, "versions.cilium", help, found);
    }
    let kubernetes = written.and_then(|versions| versions.kubernetes.as_ref());
    let cert_manager = written.and_then(|versions| versions.cert_manager.as_ref());
    Pinned {
        cilium: cilium.and_then(|version| versions::cilium(version, found)),
        kubernetes: kubernetes
            .and_then(|version| versions::kubernetes(version, distribution, found)),
        cert_manager: cert_manager.and_then(|version| {
            versions::exact("cert-manager", version, found)?;
            Some(version.clone().map(|version| version.0))
        }),
        components: written.map_or_else(Vec::new, |versions| versions::components(versions, found)),
    }
}

fn control_plane(
    declared: &crate::spec::cluster::ControlPlane,
    names: &Names,
    found: &mut Diagnostics,
) -> ControlPlane {
    let networks = declared.networks.iter();
    let networks = networks.filter_map(|name| {
        names.networks.end(name, found).map(|network| Spanned::new(network, name.span))
    });
    ControlPlane {
        span: declared.span,
        zones: declared.zones.iter().map(|zone| zone.clone().map(|zone| zone.0)).collect(),
        networks: networks.collect(),
        members: declared.members.clone().map(|members| members.map(|members| members.0)),
        heartbeat: declared.heartbeat.as_ref().map_or(HEARTBEAT, |time| time.value.0),
        election: declared.election.as_ref().map_or(ELECTION, |time| time.value.0),
        tuned: [&declared.heartbeat, &declared.election]
            .into_iter()
            .flatten()
            .map(|time| time.span)
            .collect(),
    }
}

fn eks_name(spec: &ClusterSpec) -> Option<String> {
    let eks = spec.access.as_ref().and_then(|access| access.eks.as_ref());
    eks.map(|eks| eks.name.value.0.clone())
}

fn masquerade(
    spec: &ClusterSpec,
    pick: fn(&crate::spec::cluster::Masquerade) -> Option<&Spanned<bool>>,
) -> Option<bool> {
    spec.masquerade.as_ref().and_then(pick).map(|on| on.value)
}

/// Whether Hubble runs (the chart's default), its relay, its user interface.
fn hubble(spec: &ClusterSpec) -> (bool, bool, bool) {
    let on = |value: Option<&Spanned<bool>>, default| value.map_or(default, |on| on.value);
    let hubble = spec.hubble.as_ref();
    (
        on(hubble.and_then(|hubble| hubble.enabled.as_ref()), true),
        on(hubble.and_then(|hubble| hubble.relay.as_ref()), false),
        on(hubble.and_then(|hubble| hubble.ui.as_ref()), false),
    )
}

/// Reports what a cluster needs and does not say.
fn required(
    named: &Named<ClusterSpec>,
    spec: &ClusterSpec,
    distribution: Distribution,
    in_mesh: bool,
    found: &mut Diagnostics,
) {
    if in_mesh && spec.id.is_none() {
        missing(
            named,
            &spec.broken,
            "id",
            "give it an id that no other cluster of the mesh has",
            found,
        );
    }
    let endpoint = spec.clustermesh.as_ref().and_then(|mesh| mesh.endpoint.as_ref());
    let said = endpoint.is_some_and(|e| !e.ips.is_empty() || e.hostname.is_some());
    if in_mesh && !said {
        let help = "say with `ips` or `hostname` where the other clusters reach its ClusterMesh API server, or `mesh: false` of a cluster that stands alone";
        let broken = spec.clustermesh.as_ref().map_or(&spec.broken, |mesh| &mesh.broken);
        missing(named, broken, "clustermesh.endpoint", help, found);
    }
    if let Some(endpoint) = endpoint
        && let (Some(ip), Some(hostname)) = (endpoint.ips.first(), &endpoint.hostname)
    {
        let message = "an endpoint has either `ips` or a `hostname`";
        let finding = Diagnostic::new(&CONTRADICTION, hostname.span, message);
        found.push(
            finding.related(ip.span, "the address").help("keep the one that the others reach"),
        );
    }
    balancers::belongs(spec.load_balancers.as_ref(), found);
    let mode = spec.ipam.as_ref().and_then(|ipam| ipam.mode.as_ref()).map(|mode| mode.value);
    if spec.pod_cidrs.is_empty() && !matches!(mode, Some(IpamMode::Eni | IpamMode::Delegated)) {
        let help =
            "list the ranges of its pods; the chart's default `10.0.0.0/8` swallows most networks";
        missing(named, &spec.broken, "podCIDRs", help, found);
    }
    let replaced = spec.kube_proxy.as_ref().is_some_and(|proxy| proxy.value == KubeProxy::Replaced);
    if replaced && spec.api_server.is_none() && distribution != Distribution::Talos {
        let help = "say where Cilium's agents reach the Kubernetes API server without kube-proxy";
        missing(named, &spec.broken, "apiServer", help, found);
    }
}

fn ipam(spec: &ClusterSpec, topology: &Topology, found: &mut Diagnostics) -> Ipam {
    let declared = spec.ipam.as_ref();
    let mode = declared.and_then(|ipam| ipam.mode.as_ref());
    let (mask_v4, mask_v6) = masks(declared.and_then(|ipam| ipam.mask_size.as_ref()), (24, 120));
    if let Some(eni) = mode.filter(|mode| mode.value == IpamMode::Eni)
        && topology.mesh.routing.mode == RoutingMode::Tunnel
    {
        // Source: the agent stops on it, and the chart renders it.
        let message = "pods with addresses of the VPC need native routing";
        found.push(
            Diagnostic::new(&CONTRADICTION, eni.span, message)
                .related(topology.mesh.routing.span, "the mesh routes in a tunnel")
                .help("write `routing: {mode: native}` in the mesh"),
        );
    }
    let mut pools: Vec<_> = declared
        .iter()
        .flat_map(|ipam| ipam.pools.iter())
        .map(|(name, pool)| {
            let (mask_v4, mask_v6) = masks(pool.mask_size.as_ref(), (mask_v4, mask_v6));
            Pool { name: name.clone(), cidrs: pool.cidrs.clone(), mask_v4, mask_v6 }
        })
        .collect();
    pools.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    Ipam {
        span: declared.map_or(spec.span, |ipam| ipam.span),
        mode: mode.map_or(IpamMode::ClusterPool, |mode| mode.value),
        mask_v4,
        mask_v6,
        pools,
    }
}

fn masks(declared: Option<&MaskSize>, default: (i64, i64)) -> (i64, i64) {
    (
        declared.and_then(|mask| mask.ipv4.as_ref()).map_or(default.0, |mask| mask.value.0),
        declared.and_then(|mask| mask.ipv6.as_ref()).map_or(default.1, |mask| mask.value.0),
    )
}

fn clustermesh(spec: &ClusterSpec) -> ClusterMesh {
    let declared = spec.clustermesh.as_ref();
    let service = declared.and_then(|mesh| mesh.service.as_ref());
    let service_type =
        service.and_then(|s| s.kind.as_ref()).map_or(ServiceType::LoadBalancer, |kind| kind.value);
    let node_port = service.and_then(|s| s.node_port.as_ref()).map(|port| port.value.0);
    let default_port = match service_type {
        ServiceType::NodePort => node_port.unwrap_or(NODE_PORT),
        ServiceType::LoadBalancer | ServiceType::ClusterIp => ETCD_PORT,
    };
    let endpoint = declared.and_then(|mesh| mesh.endpoint.as_ref()).map(|endpoint| Endpoint {
        span: endpoint.span,
        ips: endpoint.ips.clone(),
        hostname: endpoint.hostname.as_ref().map(|name| name.value.0.clone()),
        port: endpoint.port.as_ref().map_or(default_port, |port| port.value.0),
    });
    let span: Span = declared.map_or(spec.span, |mesh| mesh.span);
    ClusterMesh {
        span,
        service_type,
        scheme: service.and_then(|s| s.scheme.as_ref()).map_or(Scheme::Internal, |s| s.value),
        scheme_span: service.and_then(|s| s.scheme.as_ref()).map(|scheme| scheme.span),
        source_ranges: service.map(|s| s.source_ranges.clone()).unwrap_or_default(),
        annotations: sorted(service.iter().flat_map(|service| service.annotations.iter())),
        load_balancer_class: service
            .and_then(|s| s.load_balancer_class.as_ref())
            .map(|class| class.value.0.clone()),
        node_port,
        endpoint,
        replicas: declared.and_then(|mesh| mesh.replicas.as_ref()).map_or(1, |n| n.value.0),
    }
}

fn sorted<'a>(
    pairs: impl Iterator<Item = (&'a Spanned<String>, &'a Spanned<String>)>,
) -> Vec<(String, Spanned<String>)> {
    let mut pairs: Vec<_> = pairs.map(|(key, value)| (key.value.clone(), value.clone())).collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs
}

/// The labels of CoreDNS in kubeadm, EKS, kind and Talos; another chart may use others.
fn dns(spec: &ClusterSpec) -> Dns {
    let declared = spec.dns.as_ref();
    let selector = declared.and_then(|dns| dns.selector.as_ref());
    Dns {
        domain: declared
            .and_then(|dns| dns.domain.as_ref())
            .map_or_else(|| "cluster.local".into(), |d| d.value.0.clone()),
        namespace: declared
            .and_then(|dns| dns.namespace.as_ref())
            .map_or_else(|| "kube-system".into(), |n| n.value.0.clone()),
        selector: match selector {
            Some(selector) => super::labels(Some(selector)),
            None => vec![("k8s-app".into(), "kube-dns".into())],
        },
        node_local: declared
            .and_then(|dns| dns.node_local.as_ref())
            .and_then(|local| local.value.0),
        node_local_ip: declared
            .and_then(|dns| dns.node_local_ip.as_ref())
            .map_or(NODE_LOCAL, |ip| ip.value.0),
    }
}
