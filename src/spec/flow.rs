//! Flows and their peers, as they were written.

use super::cluster::Labels;
use super::ports::Ports;
use super::value::{Cidr, FqdnPattern, Glob, Label, OneOrMany, Word};
use crate::diagnostic::Diagnostics;
use crate::source::{Span, Spanned};
use crate::yaml::fields::{Decode, invalid, wrong_type};
use crate::yaml::shape::Shape;
use crate::yaml::{Node, Value};
use crate::{choice, object};

object! {
    /// A permission: who may call whom, on which ports.
    pub struct Flow {
        /// The callers. A bare string is a workload.
        "from" => from: Vec<From>,
        /// The called. A bare string is a service.
        "to" => to: Vec<To>,
        /// The ports; needed by every called peer but a service, which has its own.
        "ports" => ports: Option<Spanned<Ports>>,
        /// The HTTP requests that are allowed; all where this is absent.
        "http" => http: Vec<HttpRule>,
        /// Why the flow is there, for readers.
        "because" => because: Option<Spanned<Word>>,
    }

    /// HTTP requests that a flow allows. What is absent is not limited. Paths are compared with
    /// what the client sends, a query included.
    pub struct HttpRule {
        /// The method, such as `GET`.
        "method" => method: Option<Spanned<Method>>,
        /// Exactly this path.
        "path" => path: Option<Spanned<HttpPath>>,
        /// This path and everything below it.
        "pathPrefix" => path_prefix: Option<Spanned<HttpPath>>,
        /// Paths that match this regular expression as a whole.
        "pathRegex" => path_regex: Option<Spanned<Word>>,
    }

    /// Callers from other namespaces that a team agrees to.
    pub struct Accept {
        /// The callers.
        "from" => from: Vec<From>,
        /// The called; the whole namespace where this is absent.
        "to" => to: Vec<To>,
        /// The ports; all where this is absent.
        "ports" => ports: Option<Spanned<Ports>>,
    }

    /// What a pod label grants in any namespace.
    pub struct CapabilitySpec {
        /// The labels that carry the grant.
        "labels" => labels: Labels,
        /// The clusters in which it is granted; every member of the mesh unless said here.
        "clusters" => clusters: Vec<Spanned<String>>,
        /// What is granted, by name: each flow has either `from` or `to`; the other side is the
        /// pods with the labels.
        "flows" => flows: super::Map<Flow>,
    }
}

choice! {
    /// A group of peers that Cilium knows by itself.
    /// Source: the enumeration in the CRD of CiliumNetworkPolicy.
    pub enum Entity {
        /// Everything.
        "all" => All,
        /// Everything outside the mesh.
        "world" => World,
        /// Everything in the local cluster, its nodes included.
        "cluster" => Cluster,
        /// Everything in every cluster of the mesh; Cilium 1.20 and later.
        "cluster-mesh" => ClusterMesh,
        /// The node on which the pod runs, and pods in its network.
        "host" => Host,
        /// Every other node of every cluster of the mesh.
        "remote-node" => RemoteNode,
        /// The Kubernetes API server.
        "kube-apiserver" => KubeApiserver,
        /// Cilium's ingress and gateway proxies.
        "ingress" => Ingress,
        /// Cilium's health endpoints.
        "health" => Health,
        /// Pods whose labels are not known yet.
        "init" => Init,
        /// Pods that Cilium does not manage.
        "unmanaged" => Unmanaged,
    }
}

/// An HTTP method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method(pub String);

impl Decode for Method {
    fn shape() -> Shape {
        Shape::Text { what: "an HTTP method such as `GET`", pattern: Some("^[A-Z][A-Z-]*$") }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = crate::yaml::fields::text(node, "an HTTP method", found)?;
        let known = |c: char| c.is_ascii_uppercase() || c == '-';
        if (1..=32).contains(&written.len()) && written.chars().all(known) {
            return Some(Self(written.to_owned()));
        }
        let message = format!("`{}` is not an HTTP method", written.escape_debug());
        invalid(node.span, message, "write it in capitals, such as `GET`", found);
        None
    }
}

/// A path of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpPath(pub String);

impl Decode for HttpPath {
    fn shape() -> Shape {
        Shape::Text { what: "a path that begins with `/`", pattern: Some("^/") }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = crate::yaml::fields::text(node, "a path", found)?;
        if written.starts_with('/')
            && written.len() <= 4096
            && written.chars().all(|c| c.is_ascii_graphic())
        {
            return Some(Self(written.to_owned()));
        }
        let message = format!("`{}` is not a path", written.escape_debug());
        invalid(
            node.span,
            message,
            "begin it with `/`, with neither blanks nor control characters",
            found,
        );
        None
    }
}

/// One side of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: PeerKind,
    /// Further labels that the pods must have.
    pub labels: Option<Labels>,
    /// The service account that the pods must have.
    pub service_account: Option<Spanned<Label>>,
    /// Only in these clusters.
    pub clusters: Option<Vec<Spanned<String>>>,
    /// Only in clusters of these regions.
    pub regions: Vec<Spanned<Glob>>,
    /// Not in clusters of these regions.
    pub not_regions: Vec<Spanned<Glob>>,
}

/// What a peer is.
#[derive(Clone, Debug, PartialEq)]
pub enum PeerKind {
    /// A workload: `name` or `namespace/name`.
    Workload(Spanned<String>),
    /// A service: `name` or `namespace/name`; its workload on its ports.
    Service(Spanned<String>),
    /// All pods of a namespace; `same` is the flow's own.
    Namespace(Spanned<Label>),
    /// All pods of the namespaces with these labels.
    NamespaceLabels(Labels),
    /// All pods that carry a Capability's labels.
    Capability(Spanned<String>),
    /// Groups that Cilium knows by itself.
    Entities(Vec<Spanned<Entity>>),
    /// A named peer outside the mesh.
    External(Spanned<String>),
    /// Address ranges outside the mesh.
    Cidrs {
        /// The ranges.
        cidrs: Vec<Spanned<Cidr>>,
        /// Ranges inside them that are left out.
        except: Vec<Spanned<Cidr>>,
    },
    /// DNS names outside the mesh.
    Fqdn(Vec<Spanned<FqdnPattern>>),
    /// Any pod; guards only, with a limit.
    Any,
}

/// A caller: a bare string is a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct From(pub Peer);

/// A called peer: a bare string is a service.
#[derive(Clone, Debug, PartialEq)]
pub struct To(pub Peer);

/// A side of a guard: a peer, or any pod within limits.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardPeer(pub Peer);

impl Decode for From {
    fn shape() -> Shape {
        peer_shape("a workload: `name` or `namespace/name`")
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        bare(node, PeerKind::Workload, found).map(Self)
    }
}

impl Decode for To {
    fn shape() -> Shape {
        peer_shape("a service: `name` or `namespace/name`")
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        bare(node, PeerKind::Service, found).map(Self)
    }
}

impl Decode for GuardPeer {
    fn shape() -> Shape {
        PeerFields::shape()
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        peer(node, true, found).map(Self)
    }
}

fn peer_shape(what: &'static str) -> Shape {
    Shape::Any(vec![Shape::Text { what, pattern: None }, PeerFields::shape()])
}

fn bare(
    node: &Node,
    kind: fn(Spanned<String>) -> PeerKind,
    found: &mut Diagnostics,
) -> Option<Peer> {
    if !matches!(node.value, Value::Scalar(_)) {
        return peer(node, false, found);
    }
    let name = Spanned::<String>::decode(node, found)?;
    Some(Peer {
        span: node.span,
        kind: kind(name),
        labels: None,
        service_account: None,
        clusters: None,
        regions: Vec::new(),
        not_regions: Vec::new(),
    })
}

object! {
    /// A peer: exactly one kind, and limits.
    struct PeerFields {
        /// A workload: `name` or `namespace/name`.
        "workload" => workload: Option<Spanned<String>>,
        /// A service: `name` or `namespace/name`; its workload on its ports.
        "service" => service: Option<Spanned<String>>,
        /// All pods of a namespace; `same` is the flow's own.
        "namespace" => namespace: Option<Spanned<Label>>,
        /// All pods of the namespaces with these labels.
        "namespaceLabels" => namespace_labels: Option<Labels>,
        /// All pods that carry a Capability's labels.
        "capability" => capability: Option<Spanned<String>>,
        /// Groups that Cilium knows by itself.
        "entity" => entity: OneOrMany<Spanned<Entity>>,
        /// A named peer of `spec.externals`.
        "external" => external: Option<Spanned<String>>,
        /// Address ranges outside the mesh. Cilium never matches pods of the mesh by address.
        "cidrs" => cidrs: OneOrMany<Spanned<Cidr>>,
        /// Ranges inside `cidrs` that are left out.
        "except" => except: OneOrMany<Spanned<Cidr>>,
        /// DNS names outside the mesh, `*` for any part of a label.
        "fqdn" => fqdn: OneOrMany<Spanned<FqdnPattern>>,
        /// Limit: further labels that the pods must have.
        "labels" => labels: Option<Labels>,
        /// Limit: the service account that the pods must have.
        "serviceAccount" => service_account: Option<Spanned<Label>>,
        /// Limit: only pods in these clusters.
        "clusters" => clusters: Option<Vec<Spanned<String>>>,
        /// Limit: only pods in clusters of these regions, as names or patterns with `*`.
        "regions" => regions: OneOrMany<Spanned<Glob>>,
        /// Limit: only pods in clusters that are not of these regions.
        "notRegions" => not_regions: OneOrMany<Spanned<Glob>>,
    }
}

/// The keys of which a peer has exactly one.
const KINDS: [&str; 9] = [
    "workload",
    "service",
    "namespace",
    "namespaceLabels",
    "capability",
    "entity",
    "external",
    "cidrs",
    "fqdn",
];

fn peer(node: &Node, any: bool, found: &mut Diagnostics) -> Option<Peer> {
    let Some(entries) = node.entries() else {
        wrong_type(node, "a peer", found);
        return None;
    };
    let kinds: Vec<_> = entries.iter().filter(|entry| KINDS.contains(&&*entry.key)).collect();
    // Decoded even where the kind is unclear, so that every problem is reported at once.
    let fields = PeerFields::decode(node, found)?;
    if let [first, second, ..] = kinds[..] {
        let message = format!("a peer is either `{}` or `{}`", first.key, second.key);
        let help =
            "write two peers for `or`; add `labels`, `serviceAccount` or `clusters` for `and`";
        invalid(second.key_span, message, help, found);
        return None;
    }
    let kind = kinds.first().map(|entry| &*entry.key);
    if kind != Some("cidrs")
        && let Some(except) = fields.except.0.first()
    {
        invalid(except.span, "`except` belongs to `cidrs`", "", found);
    }
    let kind = match (kind, any) {
        (Some(_), _) => kind_of(fields.clone())?,
        (None, true) => PeerKind::Any,
        (None, false) => {
            let help = format!("add one of {}", crate::yaml::fields::quoted(&KINDS));
            invalid(node.span, "the peer does not say what it is", &help, found);
            return None;
        }
    };
    Some(Peer {
        span: fields.span,
        kind,
        labels: fields.labels,
        service_account: fields.service_account,
        clusters: fields.clusters,
        regions: fields.regions.0,
        not_regions: fields.not_regions.0,
    })
}

/// The kind that is there; nothing where its value could not be read.
fn kind_of(fields: PeerFields) -> Option<PeerKind> {
    let some = |list: bool| list.then_some(());
    fields
        .workload
        .map(PeerKind::Workload)
        .or(fields.service.map(PeerKind::Service))
        .or(fields.namespace.map(PeerKind::Namespace))
        .or(fields.namespace_labels.map(PeerKind::NamespaceLabels))
        .or(fields.capability.map(PeerKind::Capability))
        .or(fields.external.map(PeerKind::External))
        .or_else(|| some(!fields.entity.0.is_empty()).map(|()| PeerKind::Entities(fields.entity.0)))
        .or_else(|| some(!fields.fqdn.0.is_empty()).map(|()| PeerKind::Fqdn(fields.fqdn.0)))
        .or_else(|| {
            let (cidrs, except) = (fields.cidrs.0, fields.except.0);
            some(!cidrs.is_empty()).map(|()| PeerKind::Cidrs { cidrs, except })
        })
}
