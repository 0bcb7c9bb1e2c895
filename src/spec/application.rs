//! What a service team declares: a namespace, its workloads, services and flows.

use super::cluster::Labels;
use super::flow::{Accept, Flow};
use super::gateway::Route;
use super::ports::{PortRef, Protocol};
use super::value::{Glob, Label, Word};
use crate::diagnostic::Diagnostics;
use crate::source::Spanned;
use crate::yaml::fields::{Decode, Int, Map};
use crate::yaml::shape::Shape;
use crate::yaml::{Node, Value};
use crate::{choice, object};

object! {
    /// What a service team declares.
    pub struct ApplicationSpec {
        /// The namespace of its workloads, the same in every cluster.
        "namespace" => namespace: Spanned<Label>,
        /// Further clusters in which the namespace exists, besides those of the workloads.
        "clusters" => clusters: Vec<Spanned<String>>,
        /// Whether compile writes the Namespace too; it is never pruned.
        "createNamespace" => create_namespace: Option<Spanned<bool>>,
        /// Labels of the Namespace that compile writes.
        "namespaceLabels" => namespace_labels: Option<Labels>,
        /// The directions of the default deny, where they differ from the mesh's.
        "defaultDeny" => default_deny: Option<Spanned<super::value::OneOrMany<Spanned<super::mesh::Direction>>>>,
        /// Pods with one set of labels, by name.
        "workloads" => workloads: Map<Workload>,
        /// Services, by name: the name of the Kubernetes Service.
        "services" => services: Map<Service>,
        /// Who may call whom, by name; the name is in every policy and finding.
        "flows" => flows: Map<Flow>,
        /// Which requests of a gateway go to which services, by the name of the HTTPRoute. A flow
        /// from `entity: ingress` lets them in.
        "routes" => routes: Map<Route>,
        /// Which callers from other namespaces this team agrees to. Where it is there, a flow
        /// into this namespace that no entry covers is a finding.
        "accepts" => accepts: Vec<Accept>,
    }

    /// Pods with one set of labels.
    pub struct Workload {
        /// The labels that tell them from other pods of the namespace.
        "labels" => labels: Labels,
        /// The clusters in which they run.
        "clusters" => clusters: Vec<Spanned<String>>,
        /// The regions in whose clusters they run, as names or patterns with `*`.
        "regions" => regions: Vec<Spanned<Glob>>,
        /// Their service account, where policies may rely on it.
        "serviceAccount" => service_account: Option<Spanned<Label>>,
        /// The one of its clusters whose pods may be written to; those of the others are replicas.
        "writer" => writer: Option<Spanned<String>>,
        /// Whether a passive cluster must be able to take it over; `true` unless said otherwise.
        "failover" => failover: Option<Spanned<bool>>,
    }

    /// A Service in front of a workload.
    pub struct Service {
        /// The workload, by its name in this application.
        "workload" => workload: Spanned<String>,
        /// Its ports.
        "ports" => ports: Vec<ServicePort>,
        /// Whether it is a Cilium global service: its endpoints in all clusters are one service.
        "global" => global: Option<Global>,
        /// Whether it is exported by the Multi-Cluster Services API.
        "export" => export: Option<Spanned<bool>>,
        /// Which endpoints Kubernetes prefers.
        "trafficDistribution" => traffic_distribution: Option<Spanned<TrafficDistribution>>,
        /// Whether it has no address of its own.
        "headless" => headless: Option<Spanned<bool>>,
        /// Whether callers only read, so that any replica of a workload with a `writer` will do.
        "readOnly" => read_only: Option<Spanned<bool>>,
        /// Who owns the Service object: `full` unless said otherwise.
        "manage" => manage: Option<Spanned<Manage>>,
    }

    /// A port of a Service.
    pub struct ServicePort {
        /// Its name; needed where there are several.
        "name" => name: Option<Spanned<Label>>,
        /// The port that clients use.
        "port" => port: Spanned<Int<1, 65535>>,
        /// The port of the pods, by number or name; the same as `port` unless said otherwise.
        "targetPort" => target_port: Option<Spanned<PortRef>>,
        /// `TCP` unless said otherwise.
        "protocol" => protocol: Option<Spanned<Protocol>>,
        /// The application protocol, as `appProtocol` of Kubernetes.
        "appProtocol" => app_protocol: Option<Spanned<Word>>,
    }

    /// How a global service behaves.
    pub struct GlobalService {
        /// Which endpoints are preferred; none unless said otherwise.
        "affinity" => affinity: Option<Spanned<Affinity>>,
        /// Whether the endpoints of these clusters are offered to the others; `true` unless said
        /// otherwise. A list of clusters offers those only.
        "shared" => shared: Option<Shared>,
    }
}

choice! {
    /// Which endpoints of a global service are preferred.
    pub enum Affinity {
        /// Those of the same cluster, as long as any is healthy.
        "local" => Local,
        /// Those of other clusters, as long as any is healthy.
        "remote" => Remote,
        /// None. Nothing is written then: the literal `none` breaks some Cilium versions.
        "none" => None,
    }

    /// Which endpoints Kubernetes prefers.
    pub enum TrafficDistribution {
        /// Those of the same zone (the old name of `PreferSameZone`).
        "PreferClose" => PreferClose,
        /// Those of the same zone.
        "PreferSameZone" => PreferSameZone,
        /// Those of the same node.
        "PreferSameNode" => PreferSameNode,
    }

    /// Who owns a Service object.
    pub enum Manage {
        /// Compile writes it whole.
        "full" => Full,
        /// The team owns it; compile writes a patch with the annotations.
        "annotations" => Annotations,
        /// The team owns it and its annotations; it is only known to flows.
        "none" => None,
    }
}

/// `true`, `false`, or how a global service behaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Global {
    /// Only whether it is one.
    Switch(Spanned<bool>),
    /// It is one, and how.
    Settings(GlobalService),
}

impl Decode for Global {
    fn shape() -> Shape {
        Shape::Any(vec![Shape::Bool, GlobalService::shape()])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        match node.value {
            Value::Scalar(_) if !node.is_null() => Spanned::decode(node, found).map(Self::Switch),
            _ => GlobalService::decode(node, found).map(Self::Settings),
        }
    }
}

/// Which clusters offer their endpoints of a global service.
#[derive(Clone, Debug, PartialEq)]
pub enum Shared {
    /// All or none.
    Switch(Spanned<bool>),
    /// These.
    Clusters(Vec<Spanned<String>>),
}

impl Decode for Shared {
    fn shape() -> Shape {
        Shape::Any(vec![Shape::Bool, Vec::<String>::shape()])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        match node.value {
            Value::Sequence(_) => Vec::decode(node, found).map(Self::Clusters),
            _ => Spanned::decode(node, found).map(Self::Switch),
        }
    }
}
