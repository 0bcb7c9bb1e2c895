//! What holds for every cluster of the mesh, as it was written.

use super::value::{Cidr, OneOrMany, Schedule, Subdomain, Time, VersionText, Word};
use crate::source::Spanned;
use crate::yaml::fields::{Free, Int, Map};
use crate::{choice, object};

object! {
    /// Exact versions. A cluster inherits them and may set its own.
    pub struct Versions {
        /// Kubernetes, such as `1.34.2`; a minor in quotes (`"1.34"`) where a managed control
        /// plane offers no patches.
        "kubernetes" => kubernetes: Option<Spanned<VersionText>>,
        /// The Cilium chart, such as `1.19.6`.
        "cilium" => cilium: Option<Spanned<VersionText>>,
        /// cert-manager, such as `1.20.3`.
        "certManager" => cert_manager: Option<Spanned<VersionText>>,
        /// Anything else whose version must be the same everywhere, by name.
        "components" => components: Map<Component>,
    }

    /// A pinned component besides Kubernetes, Cilium and cert-manager.
    pub struct Component {
        /// The version of its Helm chart.
        "chart" => chart: Option<Spanned<VersionText>>,
        /// The Helm repository of its chart.
        "repository" => repository: Option<Spanned<Word>>,
        /// Its version where it is no Helm chart.
        "version" => version: Option<Spanned<VersionText>>,
    }

    /// Settings that must be equal in every cluster of the mesh.
    pub struct Mesh {
        /// Whether pods of all clusters reach each other.
        "networking" => networking: Option<Spanned<Networking>>,
        /// The most clusters that the mesh may have: `255` or `511`. It decides how many
        /// identities a cluster has (65,535 or 32,767) and cannot be changed later.
        "maxConnectedClusters" => max_connected_clusters: Option<Spanned<Int<1, 1024>>>,
        /// How packets travel between nodes.
        "routing" => routing: Option<Routing>,
        /// Transparent encryption between nodes.
        "encryption" => encryption: Option<Encryption>,
        /// How services of other clusters are found.
        "discovery" => discovery: Option<Discovery>,
        /// Who issues the certificates of the mesh.
        "certificates" => certificates: Option<MeshCertificates>,
        /// The directions in which pods of a declared namespace may not talk unless a flow says
        /// so; an empty list for none.
        "defaultDeny" => default_deny: Option<Spanned<OneOrMany<Spanned<Direction>>>>,
        /// The longest round trip that a flow between clusters may take.
        "latencyBudget" => latency_budget: Option<Spanned<Time>>,
        /// The largest packet in bytes on the paths between clusters; Cilium detects it where
        /// this is absent.
        "mtu" => mtu: Option<Spanned<Int<1280, 65535>>>,
        /// Helm values that are merged over the generated ones in every cluster.
        "ciliumValues" => cilium_values: Option<Free>,
    }

    /// How packets travel between nodes.
    pub struct Routing {
        /// In a tunnel, or by the network's own routes.
        "mode" => mode: Option<Spanned<RoutingMode>>,
        /// The tunnel's protocol.
        "tunnelProtocol" => tunnel_protocol: Option<Spanned<TunnelProtocol>>,
        /// Ranges that are reached without masquerading in native mode, one of each family. It
        /// must cover the pod ranges of every cluster. Where it is absent, the smallest range
        /// that covers them is used, if it covers nothing else.
        "nativeRoutingCIDR" => native_routing_cidr: OneOrMany<Spanned<Cidr>>,
        /// Whether nodes on one layer-2 network install routes to each other's pods; native mode
        /// only.
        "autoDirectNodeRoutes" => auto_direct_node_routes: Option<Spanned<bool>>,
    }

    /// Transparent encryption between nodes.
    pub struct Encryption {
        /// The protocol.
        "type" => kind: Spanned<EncryptionType>,
        /// Whether traffic of the nodes themselves is encrypted too; WireGuard only.
        "nodeEncryption" => node_encryption: Option<Spanned<bool>>,
    }

    /// How services of other clusters are found.
    pub struct Discovery {
        /// Cilium's global services, found by the same name and namespace.
        "globalServices" => global_services: Option<Spanned<bool>>,
        /// The Multi-Cluster Services API: ServiceExport and ServiceImport.
        "mcs" => mcs: Option<Spanned<bool>>,
        /// Whether EndpointSlices of other clusters are made too; needed by headless global
        /// services, and switched on where one is declared.
        "endpointSlices" => endpoint_slices: Option<Spanned<bool>>,
    }

    /// Who issues the certificates of the mesh. All clusters must trust one CA.
    pub struct MeshCertificates {
        /// Who issues and renews them.
        "method" => method: Option<Spanned<CertificateMethod>>,
        /// When `cronJob` renews them, as cron writes it.
        "schedule" => schedule: Option<Spanned<Schedule>>,
        /// The Secret of the shared CA; Cilium's own name for it is `cilium-ca`.
        "caSecret" => ca_secret: Option<Spanned<Subdomain>>,
        /// The issuer that `certmanager` asks.
        "issuer" => issuer: Option<IssuerRef>,
    }

    /// An issuer of cert-manager.
    pub struct IssuerRef {
        /// Its name.
        "name" => name: Spanned<Subdomain>,
        /// `ClusterIssuer` or `Issuer`.
        "kind" => kind: Option<Spanned<IssuerKind>>,
        /// Its API group; `cert-manager.io` unless it is another controller's.
        "group" => group: Option<Spanned<Subdomain>>,
    }
}

choice! {
    /// Whether pods of all clusters reach each other.
    pub enum Networking {
        /// One Cilium ClusterMesh: every pod address is unique and reachable.
        "flat" => Flat,
        /// No pod routes between clusters: pod ranges may repeat, only gateways meet.
        "island" => Island,
    }

    /// How packets travel between nodes.
    pub enum RoutingMode {
        /// Encapsulated: the network needs to know the nodes only.
        "tunnel" => Tunnel,
        /// By the network's routes, which must know every pod range.
        "native" => Native,
    }

    /// The protocol of a tunnel.
    pub enum TunnelProtocol {
        /// UDP port 8472.
        "vxlan" => Vxlan,
        /// UDP port 6081.
        "geneve" => Geneve,
    }

    /// Transparent encryption.
    pub enum EncryptionType {
        /// None.
        "none" => None,
        /// WireGuard, UDP port 51871.
        "wireguard" => Wireguard,
        /// IPsec; the Secret `cilium-ipsec-keys` must exist in every cluster with the same key.
        "ipsec" => Ipsec,
    }

    /// Who issues certificates.
    pub enum CertificateMethod {
        /// Cilium's certgen on a schedule; renders stay the same.
        "cronJob" => CronJob,
        /// cert-manager.
        "certmanager" => CertManager,
        /// Somebody else puts the Secrets there.
        "external" => External,
    }

    /// The scope of an issuer.
    pub enum IssuerKind {
        /// One for the whole cluster.
        "ClusterIssuer" => ClusterIssuer,
        /// One of a namespace.
        "Issuer" => Issuer,
    }

    /// A direction of traffic, seen from the pod.
    pub enum Direction {
        /// What comes in.
        "ingress" => Ingress,
        /// What goes out.
        "egress" => Egress,
    }
}
