//! The mesh and its clusters, as they were meant.

use std::sync::Arc;
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use semver::Version;
use serde_json::Value as Json;

use super::id::{NetworkId, RegionId};
use crate::source::{Span, Spanned};
use crate::spec::cluster::{
    Announce, Distribution, IpamMode, KubeProxy, LoadBalancerController, NodeLocalMode, Role,
    Scheme, ServiceType,
};
use crate::spec::mesh::{
    CertificateMethod, Direction, EncryptionType, IssuerKind, Networking, RoutingMode,
    TunnelProtocol,
};
use crate::spec::value::{Cidr, Ip, IpRange};
use crate::yaml::json::json;
use crate::yaml::{Node, Value};

/// What holds for every cluster of the mesh.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// Where it stands.
    pub span: Span,
    /// Whether pods of all clusters reach each other.
    pub networking: Networking,
    /// 255 or 511.
    pub max_connected_clusters: Spanned<i64>,
    /// How packets travel between nodes.
    pub routing: Routing,
    /// Encryption between nodes.
    pub encryption: Encryption,
    /// Whether global services are used.
    pub global_services: bool,
    /// Whether the Multi-Cluster Services API is used.
    pub mcs: bool,
    /// Whether EndpointSlices of other clusters are made; set where a headless service needs it.
    pub endpoint_slices: bool,
    /// Whether some service asks for `trafficDistribution`.
    pub service_topology: bool,
    /// Who issues the certificates of the mesh.
    pub certificates: Certificates,
    /// The directions of the default deny.
    pub default_deny: Vec<Direction>,
    /// The longest round trip that a flow between clusters may take.
    pub latency_budget: Option<Spanned<Duration>>,
}

/// How packets travel between nodes.
#[derive(Clone, Debug)]
pub struct Routing {
    /// Where it stands.
    pub span: Span,
    /// In a tunnel or not.
    pub mode: RoutingMode,
    /// The tunnel's protocol.
    pub tunnel_protocol: TunnelProtocol,
    /// What is reached without masquerading, IPv4; set in native mode where there are IPv4 pods.
    pub native_v4: Option<Ipv4Net>,
    /// What is reached without masquerading, IPv6.
    pub native_v6: Option<Ipv6Net>,
    /// Whether nodes install routes to each other's pods.
    pub auto_direct_node_routes: bool,
}

/// Encryption between nodes.
#[derive(Clone, Copy, Debug)]
pub struct Encryption {
    /// The protocol.
    pub kind: EncryptionType,
    /// Whether the nodes' own traffic is encrypted.
    pub node_encryption: bool,
}

/// Who issues the certificates of the mesh.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// Where it stands, if somebody says it.
    pub span: Option<Span>,
    /// Who.
    pub method: CertificateMethod,
    /// When the cron job renews them.
    pub schedule: String,
    /// The Secret of the shared CA.
    pub ca_secret: String,
    /// The issuer of cert-manager: name, kind, group.
    pub issuer: Option<(String, IssuerKind, String)>,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name, which is Cilium's cluster name and its folder.
    pub name: Spanned<String>,
    /// Where its content stands.
    pub span: Span,
    /// Its region.
    pub region: RegionId,
    /// Its network.
    pub network: NetworkId,
    /// Whether it is a member of the mesh, as declared.
    pub member: bool,
    /// Whether it is a member of a flat mesh: Cilium's ClusterMesh is configured.
    pub in_mesh: bool,
    /// Cilium's cluster id; 0 outside a mesh.
    pub id: Spanned<i64>,
    /// Whether it serves users now.
    pub role: Role,
    /// How it was installed.
    pub distribution: Distribution,
    /// Ranges of its nodes.
    pub node_cidrs: Vec<Spanned<Cidr>>,
    /// Ranges of its pods.
    pub pod_cidrs: Vec<Spanned<Cidr>>,
    /// Ranges of its Services.
    pub service_cidrs: Vec<Spanned<Cidr>>,
    /// Who gives pods addresses.
    pub ipam: Ipam,
    /// The most nodes that it will have.
    pub max_nodes: Option<Spanned<i64>>,
    /// The most pods of a node.
    pub max_pods: Option<Spanned<i64>>,
    /// Where its control plane runs, as far as somebody says.
    pub control_plane: Option<ControlPlane>,
    /// Where agents reach the Kubernetes API server.
    pub api_server: Option<(String, i64)>,
    /// Who implements Services.
    pub kube_proxy: KubeProxy,
    /// Who gives load balancers their address.
    pub load_balancer: Option<Spanned<LoadBalancerController>>,
    /// The addresses that load balancers may get.
    pub load_balancer_ranges: Vec<Spanned<IpRange>>,
    /// How these are announced.
    pub announce: Option<Spanned<Announce>>,
    /// The labels of the nodes that announce, sorted by key; all nodes where it is empty.
    pub announcing_nodes: Vec<(String, String)>,
    /// The devices on which `l2` announces, as regular expressions; all where it is empty.
    pub announcing_interfaces: Vec<String>,
    /// With whom `bgp` speaks.
    pub bgp: Option<Bgp>,
    /// Where the other clusters find its ClusterMesh API server.
    pub clustermesh: ClusterMesh,
    /// Its own DNS.
    pub dns: Dns,
    /// Whether IPv4 traffic that leaves the pods is masqueraded; nothing: the mode decides.
    pub masquerade_v4: Option<bool>,
    /// The same for IPv6.
    pub masquerade_v6: Option<bool>,
    /// Whether that happens in eBPF.
    pub masquerade_bpf: Option<bool>,
    /// Whether Hubble runs, its relay, its user interface.
    pub hubble: (bool, bool, bool),
    /// The largest packet in bytes.
    pub mtu: Option<Spanned<i64>>,
    /// The exact version of the Cilium chart.
    pub cilium: Spanned<Version>,
    /// Kubernetes as it was written; a managed control plane has a minor only.
    pub kubernetes: Option<Spanned<String>>,
    /// cert-manager as it was written.
    pub cert_manager: Option<Spanned<String>>,
    /// Other pinned components as they were written, sorted by name.
    pub components: Vec<(String, Spanned<String>)>,
    /// The Cilium minor that was installed first.
    pub upgrade_compatibility: Option<String>,
    /// The issuer of its ServiceAccounts' tokens, without a slash at the end.
    pub oidc_issuer: Option<Spanned<String>>,
    /// Its name in EKS where that is another one.
    pub eks_name: Option<String>,
    /// The user's own Helm values, the most general layer first.
    pub values: Vec<Arc<Node>>,
}

impl Cluster {
    /// Whether it has pods with IPv4 addresses.
    pub fn has_v4(&self) -> bool {
        self.pod_cidrs.iter().any(|cidr| cidr.0.addr().is_ipv4())
    }

    /// Whether it has pods with IPv6 addresses.
    pub fn has_v6(&self) -> bool {
        self.pod_cidrs.iter().any(|cidr| cidr.0.addr().is_ipv6())
    }

    /// What the user's own Helm values say of one key, and where; nothing where no layer has it.
    /// The last layer wins; null is said of a key below one that is deleted.
    pub fn said(&self, key: &str) -> Option<(Span, Json)> {
        self.values.iter().rev().find_map(|layer| {
            let layer: &Node = layer;
            let (mut node, mut span) = (layer, layer.span);
            for name in key.split('.') {
                match &node.value {
                    Value::Mapping(_) => {
                        let entry = node.entry(name)?;
                        (node, span) = (&entry.value, entry.key_span);
                    }
                    // A layer that is no mapping at all is merged into nothing.
                    Value::Scalar(_) | Value::Sequence(_) if std::ptr::eq(node, layer) => {
                        return None;
                    }
                    Value::Scalar(_) | Value::Sequence(_) => return Some((span, Json::Null)),
                }
            }
            Some((span, json(node)))
        })
    }
}

/// A cluster whose version of Cilium nobody knows, so that nothing is compiled for it. Its
/// addresses count all the same.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Its name.
    pub name: Spanned<String>,
    /// Its network.
    pub network: NetworkId,
    /// Who gives its pods addresses.
    pub mode: IpamMode,
    /// Ranges of its nodes.
    pub node_cidrs: Vec<Spanned<Cidr>>,
    /// Ranges of its pods.
    pub pod_cidrs: Vec<Spanned<Cidr>>,
    /// Ranges of its Services.
    pub service_cidrs: Vec<Spanned<Cidr>>,
    /// The addresses that its load balancers may get.
    pub load_balancer_ranges: Vec<Spanned<IpRange>>,
}

/// Who gives pods addresses.
#[derive(Clone, Debug)]
pub struct Ipam {
    /// Where it stands; the cluster where nothing is said.
    pub span: Span,
    /// The mode.
    pub mode: IpamMode,
    /// The prefix length of a node's IPv4 share.
    pub mask_v4: i64,
    /// The prefix length of a node's IPv6 share.
    pub mask_v6: i64,
    /// The pools of `multi-pool`, sorted by name.
    pub pools: Vec<Pool>,
}

/// A pool of pod addresses.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name.
    pub name: Spanned<String>,
    /// Its ranges.
    pub cidrs: Vec<Spanned<Cidr>>,
    /// The prefix length of a node's IPv4 share.
    pub mask_v4: i64,
    /// The prefix length of a node's IPv6 share.
    pub mask_v6: i64,
}

/// Where a control plane runs.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// Where it stands.
    pub span: Span,
    /// The zones of its members.
    pub zones: Vec<Spanned<String>>,
    /// The networks of its members.
    pub networks: Vec<Spanned<NetworkId>>,
    /// How many members its etcd has.
    pub members: Option<Spanned<i64>>,
    /// Etcd's heartbeat interval.
    pub heartbeat: Duration,
    /// Etcd's election timeout.
    pub election: Duration,
    /// Where the two are declared, if they were tuned.
    pub tuned: Vec<Span>,
}

/// With whom the nodes speak BGP.
#[derive(Clone, Debug)]
pub struct Bgp {
    /// Where it stands.
    pub span: Span,
    /// The number of the nodes' autonomous system.
    pub local_asn: i64,
    /// The routers to which every announcing node connects, sorted by name.
    pub peers: Vec<BgpPeer>,
}

/// A router to which the nodes announce.
#[derive(Clone, Debug)]
pub struct BgpPeer {
    /// Its name.
    pub name: Spanned<String>,
    /// Its address.
    pub address: std::net::IpAddr,
    /// The number of its autonomous system.
    pub asn: i64,
    /// The Secret whose key `password` signs the session.
    pub auth_secret: Option<String>,
    /// How many hops away it may be, where it is not one.
    pub multihop: Option<i64>,
}

/// Where the other clusters find a cluster's ClusterMesh API server.
#[derive(Clone, Debug)]
pub struct ClusterMesh {
    /// Where it stands; the cluster where nothing is said.
    pub span: Span,
    /// The Service's type.
    pub service_type: ServiceType,
    /// Whom its load balancer faces.
    pub scheme: Scheme,
    /// Where that stands, if somebody says it.
    pub scheme_span: Option<Span>,
    /// The addresses that may connect; all where it is empty.
    pub source_ranges: Vec<Spanned<Cidr>>,
    /// Further annotations of the Service, sorted by key.
    pub annotations: Vec<(String, Spanned<String>)>,
    /// The class of load balancer.
    pub load_balancer_class: Option<String>,
    /// The port on every node.
    pub node_port: Option<i64>,
    /// The address under which the others reach it.
    pub endpoint: Option<Endpoint>,
    /// How many instances run.
    pub replicas: i64,
}

/// The address under which a ClusterMesh API server is reached.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where it stands.
    pub span: Span,
    /// Addresses.
    pub ips: Vec<Spanned<Ip>>,
    /// A host name.
    pub hostname: Option<String>,
    /// The port.
    pub port: i64,
}

/// A cluster's own DNS.
#[derive(Clone, Debug)]
pub struct Dns {
    /// The cluster domain.
    pub domain: String,
    /// The namespace of its pods.
    pub namespace: String,
    /// The labels of its pods.
    pub selector: Vec<(String, String)>,
    /// Whether NodeLocal DNSCache runs, and where.
    pub node_local: Option<NodeLocalMode>,
    /// The address on which it listens.
    pub node_local_ip: std::net::IpAddr,
}
