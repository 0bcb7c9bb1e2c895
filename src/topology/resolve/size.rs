//! How much of something a topology may have.
//!
//! Much is written once and holds many times: the defaults of clusters in each of them, each
//! caller of a flow with each of the called. Without bounds a file of a megabyte could ask for
//! more than any machine has.

use crate::diagnostic::Diagnostics;
use crate::source::Span;
use crate::spec::application::ApplicationSpec;
use crate::spec::cluster::{ClusterSpec, Labels};
use crate::spec::flow::{Accept, Flow, From, Peer, PeerKind, To};
use crate::spec::mesh::Versions;
use crate::spec::ports::Ports;
use crate::spec::{Spec, TopologySpec};
use crate::yaml::fields::invalid;

/// Twice as many clusters as one mesh can have, for those that are not in it.
const CLUSTERS: usize = 1_024;
const REGIONS: usize = 1_000;
const NETWORKS: usize = 2_000;
const INTERCONNECTS: usize = 10_000;
/// Items of any list that a cluster may have or inherit, or that a peer may have.
const ITEMS: usize = 1_000;
/// Labels of pods, annotations, pools. A policy with a hundred labels fits no pod.
const PAIRS: usize = 100;
/// Pairs of a caller and a called of one flow.
const PEERS: usize = 10_000;
/// Zones, entrypoints, certificates: each is looked at for every cluster.
const NAMES: usize = 10_000;
/// Issuers, gateways: each may be in every cluster.
const OBJECTS: usize = 1_000;
/// Bytes of an object's annotations. Source: `TotalAnnotationSizeLimitB` of `k8s.io/apimachinery`.
const ANNOTATIONS: usize = 256 * 1024;

/// Reports what is too much; says whether nothing is.
pub(super) fn check(spec: &Spec, found: &mut Diagnostics) -> bool {
    let mut size = Size { found, fits: true };
    if let Some(cluster) = spec.clusters.get(CLUSTERS) {
        size.most("clusters", spec.clusters.len(), CLUSTERS, cluster.name.span);
    }
    if let Some(topology) = spec.topology.as_ref().and_then(|named| named.spec.as_ref()) {
        size.topology(topology);
    }
    spec.clusters.iter().filter_map(|named| named.spec.as_ref()).for_each(|one| size.cluster(one));
    for application in spec.applications.iter().filter_map(|named| named.spec.as_ref()) {
        size.application(application);
    }
    for capability in spec.capabilities.iter().filter_map(|named| named.spec.as_ref()) {
        size.labels(Some(&capability.labels), capability.span);
        size.most("clusters", capability.clusters.len(), CLUSTERS, capability.span);
        capability.flows.iter().for_each(|(name, flow)| size.flow(flow, name.span));
    }
    size.fits
}

struct Size<'a> {
    found: &'a mut Diagnostics,
    fits: bool,
}

impl Size<'_> {
    fn most(&mut self, what: &str, count: usize, most: usize, span: Span) {
        if count > most {
            self.fits = false;
            let message = format!("{count} {what} are more than the {most} that fit here");
            invalid(span, message, "", self.found);
        }
    }

    fn labels(&mut self, labels: Option<&Labels>, span: Span) {
        self.most("labels", labels.map_or(0, |labels| labels.0.len()), PAIRS, span);
    }

    fn topology(&mut self, topology: &TopologySpec) {
        let networks = topology.regions.iter().map(|(_, region)| region.networks.len()).sum();
        self.most("regions", topology.regions.len(), REGIONS, topology.span);
        self.most("networks", networks, NETWORKS, topology.span);
        let interconnects = &topology.interconnects;
        self.most("interconnects", interconnects.len(), INTERCONNECTS, topology.span);
        for one in interconnects {
            self.most("networks", one.between.len(), NETWORKS, one.span);
        }
        self.components(topology.versions.as_ref(), topology.span);
        let zones = topology.dns.as_ref().map_or(0, |dns| dns.zones.len());
        self.most("zones", zones, NAMES, topology.span);
        self.most("entrypoints", topology.entrypoints.len(), NAMES, topology.span);
        self.most("gateways", topology.gateways.len(), OBJECTS, topology.span);
        if let Some(certificates) = &topology.certificates {
            self.most("issuers", certificates.issuers.len(), OBJECTS, topology.span);
            self.most("requests", certificates.requests.len(), NAMES, topology.span);
        }
        for (name, external) in topology.externals.iter() {
            self.most("ranges", external.cidrs.len(), ITEMS, name.span);
            self.most("exceptions", external.except.len(), ITEMS, name.span);
        }
        let regions = topology.regions.iter().filter_map(|(_, r)| r.cluster_defaults.as_ref());
        topology.cluster_defaults.iter().chain(regions).for_each(|defaults| self.cluster(defaults));
    }

    fn cluster(&mut self, cluster: &ClusterSpec) {
        let own = cluster.span;
        for list in [&cluster.node_cidrs, &cluster.pod_cidrs, &cluster.service_cidrs] {
            self.most("ranges", list.len(), ITEMS, own);
        }
        if let Some(balancers) = &cluster.load_balancers {
            self.most("ranges", balancers.ranges.len(), ITEMS, balancers.span);
            self.most("devices", balancers.interfaces.len(), PAIRS, balancers.span);
            self.labels(balancers.nodes.as_ref(), balancers.span);
            let peers = balancers.bgp.as_ref().map_or(0, |bgp| bgp.peers.len());
            self.most("peers", peers, PAIRS, balancers.span);
        }
        if let Some(ipam) = &cluster.ipam {
            self.most("pools", ipam.pools.len(), PAIRS, ipam.span);
            let ranges = ipam.pools.iter().map(|(_, pool)| pool.cidrs.len()).sum();
            self.most("ranges", ranges, ITEMS, ipam.span);
        }
        if let Some(mesh) = &cluster.clustermesh {
            if let Some(service) = &mesh.service {
                let annotations = &service.annotations;
                let bytes = annotations.iter().map(|(key, text)| key.len() + text.len()).sum();
                self.most("annotations", annotations.len(), PAIRS, mesh.span);
                self.most("bytes of annotations", bytes, ANNOTATIONS, mesh.span);
                self.most("ranges", service.source_ranges.len(), ITEMS, mesh.span);
            }
            let ips = mesh.endpoint.as_ref().map_or(0, |endpoint| endpoint.ips.len());
            self.most("addresses", ips, ITEMS, mesh.span);
        }
        if let Some(plane) = &cluster.control_plane {
            self.most("zones", plane.zones.len(), PAIRS, plane.span);
            self.most("networks", plane.networks.len(), PAIRS, plane.span);
        }
        self.components(cluster.versions.as_ref(), own);
        self.labels(cluster.dns.as_ref().and_then(|dns| dns.selector.as_ref()), own);
    }

    fn components(&mut self, versions: Option<&Versions>, span: Span) {
        let components = versions.map_or(0, |versions| versions.components.len());
        self.most("components", components, PAIRS, span);
    }

    fn application(&mut self, application: &ApplicationSpec) {
        self.labels(application.namespace_labels.as_ref(), application.namespace.span);
        self.most("clusters", application.clusters.len(), CLUSTERS, application.namespace.span);
        for (name, workload) in application.workloads.iter() {
            self.labels(Some(&workload.labels), name.span);
            self.most("clusters", workload.clusters.len(), CLUSTERS, name.span);
            self.most("regions", workload.regions.len(), REGIONS, name.span);
        }
        for (name, service) in application.services.iter() {
            self.most("ports", service.ports.len(), ITEMS, name.span);
        }
        application.flows.iter().for_each(|(name, flow)| self.flow(flow, name.span));
        for Accept { span, from, to, .. } in &application.accepts {
            self.sides(from, to, *span);
        }
    }

    fn flow(&mut self, flow: &Flow, span: Span) {
        self.sides(&flow.from, &flow.to, span);
        self.most("HTTP rules", flow.http.len(), ITEMS, span);
        if let Some(Ports::Some(ports)) = flow.ports.as_ref().map(|ports| &ports.value) {
            self.most("ports", ports.len(), ITEMS, span);
        }
    }

    fn sides(&mut self, from: &[From], to: &[To], span: Span) {
        let pairs = from.len().max(1).saturating_mul(to.len().max(1));
        self.most("pairs of a caller and a called", pairs, PEERS, span);
        let peers = from.iter().map(|from| &from.0).chain(to.iter().map(|to| &to.0));
        peers.for_each(|peer| self.peer(peer));
    }

    fn peer(&mut self, peer: &Peer) {
        self.labels(peer.labels.as_ref(), peer.span);
        let clusters = peer.clusters.as_ref().map_or(0, Vec::len);
        let kind = match &peer.kind {
            PeerKind::Cidrs { cidrs, except } => cidrs.len().max(except.len()),
            PeerKind::Entities(entities) => entities.len(),
            PeerKind::Fqdn(names) => names.len(),
            PeerKind::NamespaceLabels(labels) => labels.0.len() * ITEMS / PAIRS,
            _ => 0,
        };
        let regions = peer.regions.len().max(peer.not_regions.len());
        self.most("items", kind.max(clusters).max(regions), ITEMS, peer.span);
    }
}
