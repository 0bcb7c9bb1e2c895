//! Namespaces, workloads, services, capabilities and flows, as they were meant.

use super::id::{CapabilityId, ClusterId, ClusterSet, NamespaceId, ServiceId, WorkloadId};
use crate::source::{Span, Spanned};
use crate::spec::application::{Affinity, Manage, TrafficDistribution};
use crate::spec::flow::Entity;
use crate::spec::ports::{PortRef, Ports, Protocol};
use crate::spec::value::Cidr;

/// A namespace that a MeshApplication declares.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Its name, at its first declaration.
    pub name: Spanned<String>,
    /// The clusters in which it exists: where workloads run, and where the application says so.
    pub clusters: ClusterSet,
    /// Whether pods may receive nothing unless a flow says so.
    pub deny_ingress: bool,
    /// Whether pods may send nothing unless a flow says so.
    pub deny_egress: bool,
    /// Whether compile writes the Namespace.
    pub create: bool,
    /// Labels of the written Namespace.
    pub labels: Vec<(String, String)>,
    /// Which callers from other namespaces are agreed to; nothing where the team does not say.
    pub accepts: Vec<Accept>,
}

/// Callers from other namespaces that a team agrees to.
#[derive(Clone, Debug)]
pub struct Accept {
    /// Where it stands.
    pub span: Span,
    /// The callers.
    pub from: Vec<Peer>,
    /// The called; the whole namespace where it is empty.
    pub to: Vec<Peer>,
    /// The ports; all where it is absent.
    pub ports: Option<Ports>,
}

/// Pods with one set of labels in one namespace.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name, unique in its namespace.
    pub name: Spanned<String>,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// The labels that tell its pods from others, sorted by key.
    pub labels: Vec<(String, String)>,
    /// The clusters in which it runs.
    pub clusters: ClusterSet,
    /// Its service account, where policies may rely on it.
    pub service_account: Option<String>,
    /// The one of its clusters whose pods may be written to, where only one has such pods.
    pub writer: Option<Spanned<ClusterId>>,
    /// Whether a passive cluster must be able to take it over.
    pub failover: bool,
}

/// A Service in front of a workload.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name, unique in its namespace.
    pub name: Spanned<String>,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// Its workload.
    pub workload: WorkloadId,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// How it is global, if it is.
    pub global: Option<Global>,
    /// Whether it is exported by the Multi-Cluster Services API.
    pub export: bool,
    /// Which endpoints Kubernetes prefers.
    pub traffic_distribution: Option<Spanned<TrafficDistribution>>,
    /// Whether it has no address of its own.
    pub headless: bool,
    /// Whether callers only read.
    pub read_only: bool,
    /// Who owns the Service object.
    pub manage: Manage,
    /// The clusters in which its workload runs.
    pub clusters: ClusterSet,
    /// The clusters from which a flow calls it, global or exported, and in which its workload
    /// does not run.
    pub client_clusters: ClusterSet,
}

/// How a service is global.
#[derive(Clone, Debug)]
pub struct Global {
    /// Where it is said.
    pub span: Span,
    /// Which endpoints are preferred; never the literal `none`.
    pub affinity: Option<Affinity>,
    /// Whether `none` was said, of which nothing is written; a Service of the team's own may have
    /// the literal.
    pub affinity_none: bool,
    /// The clusters that offer their endpoints to the others.
    pub shared: ClusterSet,
}

/// A port of a Service.
#[derive(Clone, Debug)]
pub struct ServicePort {
    /// Its name.
    pub name: Option<String>,
    /// The port that clients use.
    pub port: u16,
    /// The port of the pods.
    pub target: PortRef,
    /// The protocol.
    pub protocol: Protocol,
    /// The application protocol.
    pub app_protocol: Option<String>,
}

/// What a pod label grants in any namespace.
#[derive(Clone, Debug)]
pub struct Capability {
    /// Its name.
    pub name: Spanned<String>,
    /// The labels that carry the grant, sorted by key.
    pub labels: Vec<(String, String)>,
    /// The clusters in which it is granted.
    pub clusters: ClusterSet,
}

/// Who declared a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowOwner {
    /// An application with this namespace.
    Namespace(NamespaceId),
    /// A capability: the side that was not written is the pods with its labels, a peer like any
    /// other.
    Capability(CapabilityId),
}

/// A permission.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name, unique in its application or capability.
    pub name: Spanned<String>,
    /// Who declared it.
    pub owner: FlowOwner,
    /// The name of the document that declares it.
    pub document: String,
    /// The callers.
    pub from: Vec<Peer>,
    /// The called.
    pub to: Vec<Peer>,
    /// The ports, for peers that have none of their own.
    pub ports: Option<Ports>,
    /// The HTTP requests that are allowed; all where it is empty.
    pub http: Vec<HttpMatch>,
}

/// HTTP requests that a flow allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpMatch {
    /// The method; any where it is absent.
    pub method: Option<String>,
    /// The path; any where it is absent.
    pub path: Option<PathMatch>,
}

/// How a path is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// Exactly.
    Exact(String),
    /// It, and everything below it.
    Prefix(String),
    /// By a regular expression as a whole.
    Regex(String),
}

/// One side of a flow.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: PeerKind,
    /// The clusters whose pods are meant. For peers outside the mesh: the clusters at whose pods
    /// the other side is.
    pub clusters: ClusterSet,
    /// Whether the flow itself limits the clusters.
    pub limited: bool,
    /// Further labels that the pods must have, sorted by key.
    pub labels: Vec<(String, String)>,
    /// The service account that the pods must have.
    pub service_account: Option<String>,
}

/// What a peer is.
#[derive(Clone, Debug, PartialEq)]
pub enum PeerKind {
    /// The pods of a workload.
    Workload(WorkloadId),
    /// The pods behind a service, on its ports.
    Service(ServiceId),
    /// All pods of a namespace, declared here or not.
    Namespace(String, Option<NamespaceId>),
    /// All pods of the namespaces with these labels.
    NamespaceLabels(Vec<(String, String)>),
    /// All pods with a capability's labels, in any namespace.
    Capability(CapabilityId),
    /// Groups that Cilium knows by itself.
    Entities(Vec<Entity>),
    /// Address ranges outside the mesh, less the exceptions.
    Cidrs(Vec<Cidr>, Vec<Cidr>),
    /// DNS names outside the mesh.
    Fqdn(Vec<String>),
}

impl PeerKind {
    /// Whether it is pods, which stand in clusters.
    pub fn is_pods(&self) -> bool {
        match self {
            Self::Workload(_)
            | Self::Service(_)
            | Self::Namespace(..)
            | Self::NamespaceLabels(_)
            | Self::Capability(_) => true,
            Self::Entities(_) | Self::Cidrs(..) | Self::Fqdn(_) => false,
        }
    }
}
