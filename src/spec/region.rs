//! Regions, their networks, and what joins networks, as they were written.

use super::cluster::ClusterSpec;
use super::value::{Cidr, Time, Word};
use crate::source::Spanned;
use crate::yaml::fields::{Free, Int, Map};
use crate::{choice, object};

object! {
    /// A region of a provider, or a data centre.
    pub struct Region {
        /// Who runs it.
        "provider" => provider: Option<Spanned<Provider>>,
        /// The provider's account, in quotes.
        "account" => account: Option<Spanned<Word>>,
        /// Its networks, by name.
        "networks" => networks: Map<Network>,
        /// What clusters of this region inherit, written like a Cluster's spec.
        "clusterDefaults" => cluster_defaults: Option<ClusterSpec>,
        /// Helm values that are merged over the generated ones in this region's clusters.
        "ciliumValues" => cilium_values: Option<Free>,
    }

    /// One address space with its routes: a VPC, a data centre's LAN.
    pub struct Network {
        /// The provider's id, once it exists.
        "vpcID" => vpc_id: Option<Spanned<Word>>,
        /// Its ranges, the primary one first.
        "cidrs" => cidrs: Vec<Spanned<Cidr>>,
        /// Its subnets.
        "subnets" => subnets: Vec<Subnet>,
    }

    /// A subnet of a network.
    pub struct Subnet {
        /// Its range.
        "cidr" => cidr: Spanned<Cidr>,
        /// Its zone.
        "zone" => zone: Option<Spanned<Word>>,
        /// The provider's id, once it exists.
        "id" => id: Option<Spanned<Word>>,
        /// Whether it is reached from the internet: its routes lead to an internet gateway.
        "public" => public: Option<Spanned<bool>>,
        /// Whether pods get addresses of it in ENI mode.
        "pods" => pods: Option<Spanned<bool>>,
    }

    /// What joins two networks or more.
    pub struct Interconnect {
        /// The networks: `region` where it has one, else `region/network`.
        "between" => between: Vec<Spanned<String>>,
        /// What it is.
        "type" => kind: Spanned<InterconnectType>,
        /// The round trip between any two of them.
        "roundTrip" => round_trip: Option<Spanned<Time>>,
        /// The largest packet in bytes that it carries, where the provider's own limit is not
        /// meant: 8500 over AWS' transit gateways and peerings between regions, 1500 over its
        /// VPNs and the internet.
        "mtu" => mtu: Option<Spanned<Int<576, 65535>>>,
    }

    /// Addresses that no cluster may use.
    pub struct Reserved {
        /// The ranges.
        "cidrs" => cidrs: Vec<Spanned<Cidr>>,
        /// Why.
        "because" => because: Option<Spanned<Word>>,
    }

    /// A named peer outside the mesh.
    pub struct External {
        /// Its ranges.
        "cidrs" => cidrs: Vec<Spanned<Cidr>>,
        /// Ranges inside them that are left out.
        "except" => except: Vec<Spanned<Cidr>>,
    }
}

choice! {
    /// Who runs a region.
    pub enum Provider {
        /// Amazon Web Services.
        "aws" => Aws,
        /// Microsoft Azure.
        "azure" => Azure,
        /// Google Cloud.
        "gcp" => Gcp,
        /// One's own machines, or rented ones.
        "bare-metal" => BareMetal,
        /// kind clusters on one machine.
        "kind" => Kind,
        /// Somebody else.
        "other" => Other,
    }

    /// What joins networks.
    pub enum InterconnectType {
        /// A peering of two VPCs; not transitive.
        "vpc-peering" => VpcPeering,
        /// A peering of two VNets; not transitive.
        "vnet-peering" => VnetPeering,
        /// A transit gateway: all networks that are attached meet.
        "transit-gateway" => TransitGateway,
        /// A dedicated line.
        "direct-connect" => DirectConnect,
        /// A site-to-site VPN.
        "vpn" => Vpn,
        /// WireGuard between the networks.
        "wireguard" => Wireguard,
        /// Tailscale.
        "tailscale" => Tailscale,
        /// The public internet.
        "internet" => Internet,
    }
}
