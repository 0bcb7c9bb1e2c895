//! One cluster, as it was written. `clusterDefaults` has the same keys.

use super::mesh::Versions;
use super::value::{
    Cidr, HostName, HttpsUrl, Ip, IpRange, Label, LabelKey, LabelValue, Subdomain, Time,
    VersionText, Word,
};
use crate::diagnostic::Diagnostics;
use crate::source::Spanned;
use crate::yaml::fields::{Decode, Free, Int, Map, word};
use crate::yaml::shape::Shape;
use crate::yaml::{Node, Value};
use crate::{choice, object};

object! {
    /// A cluster. What is absent is inherited from its region's `clusterDefaults`, then from
    /// the topology's.
    pub struct ClusterSpec {
        /// The region that it stands in: a key of `spec.regions`.
        "region" => region: Option<Spanned<String>>,
        /// The network of that region; may be left out where the region has one.
        "network" => network: Option<Spanned<String>>,
        /// Whether it is a member of the mesh. Addresses of a cluster that is not count all the
        /// same. `true` unless said otherwise.
        "mesh" => mesh: Option<Spanned<bool>>,
        /// Cilium's cluster id, unique in the mesh: 1 to 255, or to 511 where
        /// `maxConnectedClusters` is 511.
        "id" => id: Option<Spanned<Int<0, 65535>>>,
        /// Whether it serves users now or stands by.
        "role" => role: Option<Spanned<Role>>,
        /// How it was installed; what an installer needs from Cilium follows from it.
        "distribution" => distribution: Option<Spanned<Distribution>>,
        /// Ranges of its nodes' addresses.
        "nodeCIDRs" => node_cidrs: Vec<Spanned<Cidr>>,
        /// Ranges of its pods' addresses, of both families in dual stack.
        "podCIDRs" => pod_cidrs: Vec<Spanned<Cidr>>,
        /// Ranges of its Services' addresses.
        "serviceCIDRs" => service_cidrs: Vec<Spanned<Cidr>>,
        /// Who gives pods their addresses, and how.
        "ipam" => ipam: Option<Ipam>,
        /// The most nodes that it will have; the pod ranges must suffice for them.
        "maxNodes" => max_nodes: Option<Spanned<Int<1, 100_000>>>,
        /// The most pods of a node, as the kubelet's `maxPods` says.
        "maxPods" => max_pods: Option<Spanned<Int<1, 10_000>>>,
        /// Where its control plane runs.
        "controlPlane" => control_plane: Option<ControlPlane>,
        /// Where its Kubernetes API server is reached by Cilium's agents.
        "apiServer" => api_server: Option<ApiServer>,
        /// Who implements Services.
        "kubeProxy" => kube_proxy: Option<Spanned<KubeProxy>>,
        /// Who gives Services of type LoadBalancer their address.
        "loadBalancers" => load_balancers: Option<LoadBalancers>,
        /// Where the other clusters find this one's ClusterMesh API server.
        "clustermesh" => clustermesh: Option<ClusterMesh>,
        /// The cluster's own DNS.
        "dns" => dns: Option<ClusterDns>,
        /// Masquerading of traffic that leaves the pods.
        "masquerade" => masquerade: Option<Masquerade>,
        /// Hubble, Cilium's observability.
        "hubble" => hubble: Option<Hubble>,
        /// The largest packet in bytes on this cluster's devices; the mesh's unless said here.
        "mtu" => mtu: Option<Spanned<Int<1280, 65535>>>,
        /// Versions that differ from the mesh's.
        "versions" => versions: Option<Versions>,
        /// The Cilium minor that was installed first, such as `"1.17"`: defaults that changed
        /// since then stay as they were.
        "upgradeCompatibility" => upgrade_compatibility: Option<Spanned<VersionText>>,
        /// Who vouches for its ServiceAccounts outside of it.
        "identity" => identity: Option<Identity>,
        /// How drift reaches it.
        "access" => access: Option<Access>,
        /// Helm values that are merged over the generated ones.
        "ciliumValues" => cilium_values: Option<Free>,
    }

    /// Who gives pods their addresses, and how.
    pub struct Ipam {
        /// The mode, which cannot be changed on a running cluster.
        "mode" => mode: Option<Spanned<IpamMode>>,
        /// The size of each node's share of the pod ranges.
        "maskSize" => mask_size: Option<MaskSize>,
        /// The pools of `multi-pool`, by name; one must be `default`.
        "pools" => pools: Map<Pool>,
    }

    /// The size of each node's share of the pod ranges, as a prefix length.
    pub struct MaskSize {
        /// For IPv4.
        "ipv4" => ipv4: Option<Spanned<Int<1, 32>>>,
        /// For IPv6.
        "ipv6" => ipv6: Option<Spanned<Int<1, 128>>>,
    }

    /// A pool of pod addresses.
    pub struct Pool {
        /// Its ranges, inside the cluster's `podCIDRs`.
        "cidrs" => cidrs: Vec<Spanned<Cidr>>,
        /// The size of a node's share.
        "maskSize" => mask_size: Option<MaskSize>,
    }

    /// Where the control plane runs.
    pub struct ControlPlane {
        /// The zones of its members.
        "zones" => zones: Vec<Spanned<Word>>,
        /// The networks of its members where it is stretched over several: `region` where it has
        /// one, else `region/network`.
        "networks" => networks: Vec<Spanned<String>>,
        /// How many members its etcd has.
        "members" => members: Option<Spanned<Int<1, 99>>>,
        /// Etcd's heartbeat interval, `100ms` unless it was tuned.
        "heartbeat" => heartbeat: Option<Spanned<Time>>,
        /// Etcd's election timeout, `1s` unless it was tuned.
        "election" => election: Option<Spanned<Time>>,
    }

    /// Where the Kubernetes API server is reached.
    pub struct ApiServer {
        /// A host name or an address that needs no Service to be reached.
        "host" => host: Spanned<HostOrIp>,
        /// The port.
        "port" => port: Option<Spanned<Int<1, 65535>>>,
    }

    /// Who gives Services of type LoadBalancer their address.
    pub struct LoadBalancers {
        /// The controller; it decides which annotations count.
        "controller" => controller: Option<Spanned<LoadBalancerController>>,
        /// The addresses that it may give, as CIDRs or `first-last`.
        "ranges" => ranges: Vec<Spanned<IpRange>>,
        /// How the addresses are announced; `lb-ipam` and `metallb` only. Of `metallb` nothing is
        /// written: its own objects say how.
        "announce" => announce: Option<Spanned<Announce>>,
        /// The labels of the nodes that announce; all nodes unless said here.
        "nodes" => nodes: Option<Labels>,
        /// The devices on which `l2` announces, as regular expressions; all unless said here.
        "interfaces" => interfaces: Vec<Spanned<Word>>,
        /// With whom `bgp` speaks.
        "bgp" => bgp: Option<Bgp>,
    }

    /// With whom the nodes speak BGP.
    pub struct Bgp {
        /// The number of the nodes' autonomous system.
        "localASN" => local_asn: Spanned<Int<1, 4_294_967_295>>,
        /// The routers to which every announcing node connects, by name.
        "peers" => peers: Map<BgpPeer>,
    }

    /// A router to which the nodes announce.
    pub struct BgpPeer {
        /// Its address.
        "address" => address: Spanned<Ip>,
        /// The number of its autonomous system.
        "asn" => asn: Spanned<Int<1, 4_294_967_295>>,
        /// The Secret in the namespace of Cilium whose key `password` signs the session (RFC 2385).
        "authSecret" => auth_secret: Option<Spanned<Subdomain>>,
        /// How many hops away it may be; 1 unless said here.
        "multihop" => multihop: Option<Spanned<Int<1, 255>>>,
    }

    /// Where the other clusters find this one's ClusterMesh API server.
    pub struct ClusterMesh {
        /// The Service in front of it.
        "service" => service: Option<ClusterMeshService>,
        /// The address under which the other clusters reach it.
        "endpoint" => endpoint: Option<Endpoint>,
        /// How many instances run.
        "replicas" => replicas: Option<Spanned<Int<1, 9>>>,
    }

    /// The Service in front of the ClusterMesh API server.
    pub struct ClusterMeshService {
        /// Its type.
        "type" => kind: Option<Spanned<ServiceType>>,
        /// Whether its load balancer faces the internet.
        "scheme" => scheme: Option<Spanned<Scheme>>,
        /// The addresses that may connect, if its load balancer admits no others.
        "sourceRanges" => source_ranges: Vec<Spanned<Cidr>>,
        /// Further annotations.
        "annotations" => annotations: Map<Spanned<String>>,
        /// The class of load balancer.
        "loadBalancerClass" => load_balancer_class: Option<Spanned<Word>>,
        /// The port on every node, for `NodePort` (32379 unless said otherwise).
        "nodePort" => node_port: Option<Spanned<Int<1, 65535>>>,
    }

    /// The address under which the other clusters reach a ClusterMesh API server: addresses, or
    /// a host name.
    pub struct Endpoint {
        /// Addresses; the certificate then needs no further name.
        "ips" => ips: Vec<Spanned<Ip>>,
        /// A host name, which goes into the server's certificate.
        "hostname" => hostname: Option<Spanned<HostName>>,
        /// The port: 2379, or the node port.
        "port" => port: Option<Spanned<Int<1, 65535>>>,
    }

    /// The cluster's own DNS, which every pod with an egress default deny must reach.
    pub struct ClusterDns {
        /// The cluster domain.
        "domain" => domain: Option<Spanned<HostName>>,
        /// The namespace of its pods.
        "namespace" => namespace: Option<Spanned<Label>>,
        /// The labels of its pods.
        "selector" => selector: Option<Labels>,
        /// NodeLocal DNSCache: `false`; `true` or `host` where it runs in the host's network;
        /// `redirect` where a local redirect policy sends pods to it.
        "nodeLocal" => node_local: Option<Spanned<NodeLocal>>,
        /// The address on which NodeLocal DNSCache listens; `169.254.20.10` unless said
        /// otherwise.
        "nodeLocalIP" => node_local_ip: Option<Spanned<Ip>>,
    }

    /// Masquerading of traffic that leaves the pods.
    pub struct Masquerade {
        /// For IPv4.
        "ipv4" => ipv4: Option<Spanned<bool>>,
        /// For IPv6.
        "ipv6" => ipv6: Option<Spanned<bool>>,
        /// In eBPF instead of iptables; needs `kubeProxy: replaced`.
        "bpf" => bpf: Option<Spanned<bool>>,
    }

    /// Hubble.
    pub struct Hubble {
        /// Whether it runs at all.
        "enabled" => enabled: Option<Spanned<bool>>,
        /// Whether the relay runs, which sees all nodes of the mesh.
        "relay" => relay: Option<Spanned<bool>>,
        /// Whether the user interface runs; it needs the relay.
        "ui" => ui: Option<Spanned<bool>>,
    }

    /// Who vouches for a cluster's ServiceAccounts outside of it.
    pub struct Identity {
        /// The issuer of its ServiceAccounts' tokens, to which a role of AWS gives its trust:
        /// `https://oidc.eks.eu-west-1.amazonaws.com/id/…` of an EKS cluster.
        "oidcIssuer" => oidc_issuer: Spanned<HttpsUrl>,
    }

    /// How drift reaches a cluster.
    pub struct Access {
        /// A context of the kubeconfig.
        "context" => context: Option<Spanned<Word>>,
        /// Whether drift runs in the cluster itself.
        "inCluster" => in_cluster: Option<Spanned<bool>>,
        /// An EKS cluster.
        "eks" => eks: Option<Eks>,
    }

    /// An EKS cluster.
    pub struct Eks {
        /// Its name in AWS.
        "name" => name: Spanned<Word>,
    }
}

choice! {
    /// Whether a cluster serves users now or stands by.
    pub enum Role {
        /// It serves.
        "active" => Active,
        /// It stands by.
        "passive" => Passive,
    }

    /// How a cluster was installed.
    pub enum Distribution {
        /// kubeadm.
        "kubeadm" => Kubeadm,
        /// Amazon EKS.
        "eks" => Eks,
        /// Azure AKS.
        "aks" => Aks,
        /// Google GKE.
        "gke" => Gke,
        /// Talos Linux: Cilium gets its cgroup, its capabilities and KubePrism's address.
        "talos" => Talos,
        /// k3s.
        "k3s" => K3s,
        /// kind.
        "kind" => Kind,
        /// Something else.
        "other" => Other,
    }

    /// Who gives pods their addresses.
    pub enum IpamMode {
        /// Cilium's operator gives each node a share of the cluster's ranges.
        "cluster-pool" => ClusterPool,
        /// Kubernetes gives each node a share (`Node.spec.podCIDRs`).
        "kubernetes" => Kubernetes,
        /// Several pools, chosen by annotation.
        "multi-pool" => MultiPool,
        /// AWS: pods have addresses of the VPC.
        "eni" => Eni,
        /// Another plugin.
        "delegated" => Delegated,
    }

    /// Who implements Services.
    pub enum KubeProxy {
        /// Cilium, in eBPF; kube-proxy does not run.
        "replaced" => Replaced,
        /// kube-proxy with iptables.
        "iptables" => Iptables,
        /// kube-proxy with nftables.
        "nftables" => Nftables,
    }

    /// Who gives Services of type LoadBalancer their address.
    pub enum LoadBalancerController {
        /// The AWS Load Balancer Controller; internal unless told otherwise (since its 2.2).
        "aws-load-balancer-controller" => AwsLoadBalancerController,
        /// The AWS cloud provider; internet-facing unless told otherwise.
        "cloud-provider-aws" => CloudProviderAws,
        /// Azure's cloud provider.
        "azure" => Azure,
        /// Google's cloud provider.
        "gcp" => Gcp,
        /// Cilium's LB-IPAM.
        "lb-ipam" => LbIpam,
        /// MetalLB.
        "metallb" => MetalLb,
        /// The Tailscale operator.
        "tailscale" => Tailscale,
        /// Something else.
        "other" => Other,
    }

    /// How the addresses of load balancers are announced.
    pub enum Announce {
        /// By BGP.
        "bgp" => Bgp,
        /// By ARP and NDP on the local network.
        "l2" => L2,
    }

    /// The type of a Service.
    pub enum ServiceType {
        /// A load balancer.
        "LoadBalancer" => LoadBalancer,
        /// A port on every node.
        "NodePort" => NodePort,
        /// Reachable inside the cluster only, unless the network routes its address.
        "ClusterIP" => ClusterIp,
    }

    /// Whom a load balancer faces.
    pub enum Scheme {
        /// The private network.
        "internal" => Internal,
        /// The internet.
        "internet-facing" => InternetFacing,
    }

    /// Where NodeLocal DNSCache runs.
    pub enum NodeLocalMode {
        /// In the host's network.
        "host" => Host,
        /// As a pod to which a local redirect policy sends the others.
        "redirect" => Redirect,
    }
}

/// Whether NodeLocal DNSCache runs, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLocal(pub Option<NodeLocalMode>);

impl Decode for NodeLocal {
    fn shape() -> Shape {
        Shape::Any(vec![Shape::Bool, NodeLocalMode::shape()])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Scalar(scalar) if scalar.plain && matches!(&*scalar.text, "true" | "false") => {
                Some(Self((&*scalar.text == "true").then_some(NodeLocalMode::Host)))
            }
            _ => {
                let written = word(node, &["host", "redirect"], found)?;
                let host = written == "host";
                Some(Self(Some(if host { NodeLocalMode::Host } else { NodeLocalMode::Redirect })))
            }
        }
    }
}

/// A host name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOrIp(pub String);

impl Decode for HostOrIp {
    fn shape() -> Shape {
        Shape::Text { what: "a host name or an IP address", pattern: None }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        if let Some(written) = node.text()
            && written.parse::<std::net::IpAddr>().is_ok()
        {
            return Some(Self(written.to_owned()));
        }
        HostName::decode(node, found).map(|name| Self(name.0))
    }
}

/// Labels of pods or namespaces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels(pub Vec<(Spanned<LabelKey>, Spanned<LabelValue>)>);

impl Decode for Labels {
    fn shape() -> Shape {
        Shape::Map { key: "label key", value: Box::new(LabelValue::shape()) }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let Some(entries) = node.entries() else {
            crate::yaml::fields::wrong_type(node, "a mapping of labels", found);
            return None;
        };
        let mut labels = Vec::new();
        for entry in entries {
            let key = super::value::key_node(entry);
            let key = Spanned::<LabelKey>::decode(&key, found);
            let value = Spanned::<LabelValue>::decode(&entry.value, found);
            labels.extend(key.zip(value));
        }
        labels.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        Some(Self(labels))
    }
}
