//! What was meant: defaults applied, settings inherited, every name resolved.
//!
//! A topology has no absent default and no dangling name. What could not be resolved was reported
//! and is left out; [`resolve`](resolve::resolve) says so with findings, and nothing is compiled
//! then.

pub mod certificates;
pub mod dns;
pub mod gateway;
pub mod guard;
pub mod id;
pub mod manifests;
pub mod path;
pub mod pods;
pub mod records;
pub mod resolve;

mod application;
mod cluster;
#[cfg(test)]
pub(crate) mod sample;

pub use application::{
    Accept, Capability, Flow, FlowOwner, Global, HttpMatch, Namespace, PathMatch, Peer, PeerKind,
    Service, ServicePort, Workload,
};
pub use cluster::{
    Bgp, BgpPeer, Certificates, Cluster, ClusterMesh, ControlPlane, Dns, Encryption, Endpoint,
    Ipam, LeftOut, Mesh, Pool, Routing,
};
pub use id::{
    CapabilityId, ClusterId, ClusterSet, GatewayId, IssuerId, NamespaceId, NetworkId, RegionId,
    ServiceId, WorkloadId, ZoneId,
};

use std::time::Duration;

use crate::source::{Span, Spanned};
use crate::spec::Named;
use crate::spec::delivery::GitOpsTool;
use crate::spec::policy::{PolicySpec, PolicyUse};
use crate::spec::region::{InterconnectType, Provider};
use crate::spec::value::Cidr;
use crate::spec::version_facts::VersionFactsSpec;
use crate::system::Date;
use crate::yaml::fields::Map;
use manifests::ManifestSet;

/// The Helm repository of Cilium's chart. Source: Cilium, "Installation using Helm".
pub const CILIUM_CHARTS: &str = "https://helm.cilium.io";

/// A topology as it was meant.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Its name.
    pub name: Spanned<String>,
    /// The folder into which compile writes, below the project.
    pub output: String,
    /// The GitOps tool that applies what is written.
    pub gitops: Option<GitOps>,
    /// What holds for every cluster of the mesh.
    pub mesh: Mesh,
    /// Regions, sorted by name.
    pub regions: Vec<Region>,
    /// Networks, sorted by region and name.
    pub networks: Vec<Network>,
    /// What joins networks.
    pub interconnects: Vec<Interconnect>,
    /// Addresses that no cluster may use, with the reason.
    pub reserved: Vec<(Spanned<Cidr>, String)>,
    /// Clusters, sorted by name.
    pub clusters: Vec<Cluster>,
    /// The addresses of clusters that are left out of `clusters`, sorted by name.
    pub left_out: Vec<LeftOut>,
    /// Declared namespaces, sorted by name.
    pub namespaces: Vec<Namespace>,
    /// Workloads, sorted by namespace and name.
    pub workloads: Vec<Workload>,
    /// Services, sorted by namespace and name.
    pub services: Vec<Service>,
    /// Capabilities, sorted by name.
    pub capabilities: Vec<Capability>,
    /// Flows of applications and capabilities, sorted by owner and name.
    pub flows: Vec<Flow>,
    /// What must hold over all clusters, whatever flows say; sorted by name.
    pub guards: Vec<guard::Guard>,
    /// DNS zones, as they were written.
    pub zones: Vec<dns::Zone>,
    /// How ExternalDNS runs in each cluster.
    pub external_dns: dns::ExternalDns,
    /// Names by which users reach the regions, sorted.
    pub entrypoints: Vec<dns::Entrypoint>,
    /// Where cert-manager runs.
    pub cert_manager: certificates::CertManager,
    /// Issuers of certificates, sorted by name.
    pub issuers: Vec<certificates::Issuer>,
    /// Certificates that clusters ask for, sorted by name.
    pub requests: Vec<certificates::CertificateRequest>,
    /// Where requests from outside enter clusters, sorted by name.
    pub gateways: Vec<gateway::Gateway>,
    /// Which requests go to which services, sorted by namespace and name.
    pub routes: Vec<gateway::Route>,
    /// Hand-written Kubernetes objects.
    pub manifests: Vec<ManifestSet>,
    /// What the team knows about versions; an entry's name is unique among those of its sort.
    pub version_facts: Vec<VersionFactsSpec>,
    /// The team's own policies, sorted by name.
    pub policies: Vec<Named<PolicySpec>>,
    /// Policies that are switched on or set otherwise, by name.
    pub policy_uses: Map<PolicyUse>,
    /// The day on which it is judged; nothing where nobody said it.
    pub today: Option<Date>,
}

/// The GitOps tool that applies what is written.
#[derive(Clone, Debug)]
pub struct GitOps {
    /// Where it stands.
    pub span: Span,
    /// Which.
    pub tool: GitOpsTool,
    /// The Git repository that it reads; nothing where Flux reads that of its bootstrap.
    pub url: Option<String>,
    /// The branch that it reads.
    pub branch: String,
    /// The output folder in that repository, without `/` at its ends.
    pub path: String,
    /// The namespace of the tool's own objects.
    pub namespace: String,
    /// The Secret with which Flux reads `url`.
    pub secret_name: Option<String>,
    /// Where the chart of Cilium is.
    pub chart_repository: String,
}

/// A region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name.
    pub name: Spanned<String>,
    /// Who runs it.
    pub provider: Provider,
    /// The provider's account.
    pub account: Option<String>,
}

/// A network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its name, unique in its region.
    pub name: Spanned<String>,
    /// Its region.
    pub region: RegionId,
    /// The provider's id.
    pub vpc_id: Option<String>,
    /// Its ranges, the primary one first.
    pub cidrs: Vec<Spanned<Cidr>>,
    /// The zones of its subnets, sorted, each once.
    pub zones: Vec<String>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
}

/// A subnet of a network.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// Its range.
    pub cidr: Spanned<Cidr>,
    /// Its zone.
    pub zone: Option<String>,
    /// The provider's id.
    pub id: Option<String>,
    /// Whether it has a route to the internet by which it is reached.
    pub public: bool,
    /// Whether it is for pods in ENI mode.
    pub pods: bool,
}

/// What joins networks.
#[derive(Clone, Debug)]
pub struct Interconnect {
    /// The networks that it joins.
    pub networks: Vec<NetworkId>,
    /// What it is.
    pub kind: InterconnectType,
    /// The round trip between any two of them.
    pub round_trip: Option<Spanned<Duration>>,
    /// The largest packet that it carries, in bytes, as declared.
    pub mtu: Option<Spanned<i64>>,
    /// Where it stands.
    pub span: Span,
}

impl Topology {
    /// Where the chart of Cilium is: a Helm repository, or `oci://` and a registry's folder.
    pub fn cilium_charts(&self) -> &str {
        self.gitops.as_ref().map_or(CILIUM_CHARTS, |gitops| &gitops.chart_repository)
    }

    /// The clusters with their ids.
    pub fn clusters(&self) -> impl Iterator<Item = (ClusterId, &Cluster)> {
        self.clusters.iter().enumerate().map(|(at, cluster)| (ClusterId::new(at), cluster))
    }

    /// A cluster.
    pub fn cluster(&self, id: ClusterId) -> &Cluster {
        &self.clusters[id.index()]
    }

    /// A cluster's region.
    pub fn region_of(&self, cluster: &Cluster) -> &Region {
        &self.regions[cluster.region.index()]
    }

    /// A declared namespace.
    pub fn namespace(&self, id: NamespaceId) -> &Namespace {
        &self.namespaces[id.index()]
    }

    /// A workload.
    pub fn workload(&self, id: WorkloadId) -> &Workload {
        &self.workloads[id.index()]
    }

    /// A service.
    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.index()]
    }

    /// A capability.
    pub fn capability(&self, id: CapabilityId) -> &Capability {
        &self.capabilities[id.index()]
    }

    /// A DNS zone.
    pub fn zone(&self, id: ZoneId) -> &dns::Zone {
        &self.zones[id.index()]
    }

    /// A gateway.
    pub fn gateway(&self, id: GatewayId) -> &gateway::Gateway {
        &self.gateways[id.index()]
    }

    /// An issuer.
    pub fn issuer(&self, id: IssuerId) -> &certificates::Issuer {
        &self.issuers[id.index()]
    }

    /// Whether pods of two clusters can reach each other: one cluster, or two members of a flat
    /// mesh.
    pub fn joined(&self, a: ClusterId, b: ClusterId) -> bool {
        a == b || (self.cluster(a).in_mesh && self.cluster(b).in_mesh)
    }

    /// The clusters whose pods a cluster's pods can reach, itself included.
    pub fn joined_to(&self, id: ClusterId) -> ClusterSet {
        self.clusters().map(|(other, _)| other).filter(|other| self.joined(id, *other)).collect()
    }

    /// Whether callers in `client` find `called` in `server`. A service is known in another
    /// cluster only if that cluster shares or exports it, or if the flow names the cluster.
    pub fn finds(&self, called: &Peer, client: ClusterId, server: ClusterId) -> bool {
        client == server || self.is_found_elsewhere(called, server)
    }

    /// Whether callers in every cluster find `called` in `server`.
    pub fn is_found_elsewhere(&self, called: &Peer, server: ClusterId) -> bool {
        let PeerKind::Service(service) = called.kind else { return true };
        let service = self.service(service);
        let shared = service.global.as_ref().is_some_and(|global| global.shared.contains(server));
        shared || service.export || called.limited
    }
}
