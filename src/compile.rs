//! From a topology to what should exist in each cluster.
//!
//! A [`Generator`] makes one kind of output for one cluster; the table lists them. Clusters are
//! independent of each other, so they can be compiled in parallel and dropped when written.

mod accelerator;
mod bootstrap;
mod capability;
mod certificate;
mod cilium_values;
mod cluster_issuer;
mod default_deny;
mod dns;
mod dns01_access;
mod dns_endpoint;
mod external_dns;
mod flux_release;
mod gateway;
mod gitops;
mod health;
mod iam;
mod load_balancer;
mod metadata;
mod name;
mod namespace;
mod network_policy;
mod service;
mod service_export;
pub mod terraform;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::resource::{Desired, Resource};
use crate::topology::certificates::DnsRole;
use crate::topology::{ClusterId, ClusterSet, Flow, NamespaceId, PeerKind, ServiceId, Topology};

/// Makes one kind of output for one cluster.
#[derive(Debug)]
pub struct Generator {
    /// Its name: that of its file.
    pub name: &'static str,
    /// What it makes, in one line.
    pub summary: &'static str,
    /// Adds what the cluster needs.
    pub generate: fn(&Input<'_>, &mut Desired),
}

/// The generators, in the order in which they run.
pub static GENERATORS: &[Generator] = &[
    Generator {
        name: "cilium_values",
        summary: "Helm values of Cilium, and the chart that they are for",
        generate: cilium_values::generate,
    },
    Generator {
        name: "flux_release",
        summary: "the release of Cilium's chart, where Flux applies it",
        generate: flux_release::generate,
    },
    Generator {
        name: "bootstrap",
        summary: "the network stanza of the cluster's installer",
        generate: bootstrap::generate,
    },
    Generator {
        name: "namespace",
        summary: "Namespaces, where an application asks for them",
        generate: namespace::generate,
    },
    Generator {
        name: "default_deny",
        summary: "a policy that isolates the pods of each declared namespace",
        generate: default_deny::generate,
    },
    Generator {
        name: "dns",
        summary: "the way to the cluster's DNS, where egress is denied",
        generate: dns::generate,
    },
    Generator {
        name: "network_policy",
        summary: "both halves of each flow",
        generate: network_policy::generate,
    },
    Generator {
        name: "capability",
        summary: "clusterwide policies for pods with a capability's labels",
        generate: capability::generate,
    },
    Generator {
        name: "health",
        summary: "health checks between nodes",
        generate: health::generate,
    },
    Generator {
        name: "service",
        summary: "Services, and patches for those that teams own",
        generate: service::generate,
    },
    Generator {
        name: "service_export",
        summary: "ServiceExports of the Multi-Cluster Services API",
        generate: service_export::generate,
    },
    Generator {
        name: "load_balancer",
        summary: "LB-IPAM pools, and how their addresses are announced",
        generate: load_balancer::generate,
    },
    Generator {
        name: "cluster_issuer",
        summary: "ClusterIssuers of cert-manager",
        generate: cluster_issuer::generate,
    },
    Generator {
        name: "certificate",
        summary: "Certificates of cert-manager",
        generate: certificate::generate,
    },
    Generator {
        name: "dns01_access",
        summary: "what cert-manager needs to change zones of Route 53, in the cluster and in AWS",
        generate: dns01_access::generate,
    },
    Generator {
        name: "gateway",
        summary: "Gateways, and routes from them to services of several clusters",
        generate: gateway::generate,
    },
    Generator {
        name: "dns_endpoint",
        summary: "the cluster's records of the entrypoints, for ExternalDNS",
        generate: dns_endpoint::generate,
    },
    Generator {
        name: "external_dns",
        summary: "Helm values of ExternalDNS, and what its role may do",
        generate: external_dns::generate,
    },
    Generator {
        name: "accelerator",
        summary: "what AWS Global Accelerator is expected to have",
        generate: accelerator::generate,
    },
];

/// What a generator is given.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The whole topology.
    pub topology: &'a Topology,
    /// What of it concerns which cluster.
    pub index: &'a Index,
    /// The cluster to compile for.
    pub id: ClusterId,
}

/// What of a topology concerns which cluster, so that no generator goes through all of it for
/// each of 511 clusters.
#[derive(Debug, Default)]
pub struct Index {
    /// The flows with a side in a cluster, as indices into `Topology::flows`.
    pub flows: Vec<Vec<usize>>,
    /// The services that a cluster serves or calls.
    pub services: Vec<Vec<ServiceId>>,
    /// The declared namespaces that exist in a cluster.
    pub namespaces: Vec<Vec<NamespaceId>>,
    /// The roles of AWS with which cert-manager changes zones, by their ARNs.
    pub dns_roles: BTreeMap<String, DnsRole>,
    /// The routes of a cluster, as indices into `Topology::routes`.
    pub routes: Vec<Vec<usize>>,
}

impl Index {
    /// Goes through a topology once.
    pub fn of(topology: &Topology) -> Self {
        let empty = topology.clusters.len();
        let mut index = Self {
            flows: vec![Vec::new(); empty],
            services: vec![Vec::new(); empty],
            namespaces: vec![Vec::new(); empty],
            dns_roles: topology.dns_roles(),
            routes: vec![Vec::new(); empty],
        };
        for (at, flow) in topology.flows.iter().enumerate() {
            let sides = flow.from.iter().chain(&flow.to).filter(|peer| peer.kind.is_pods());
            let mut clusters = sides.fold(ClusterSet::new(), |set, peer| set.or(&peer.clusters));
            // Undeclared namespaces are everywhere; a flow with such a peer concerns the clusters
            // of its other side only.
            if let Some(narrow) = narrow(flow) {
                clusters = clusters.and(&narrow);
            }
            clusters.iter().for_each(|id| index.flows[id.index()].push(at));
        }
        for (at, service) in topology.services.iter().enumerate() {
            let clusters = service.clusters.or(&service.client_clusters);
            clusters.iter().for_each(|id| index.services[id.index()].push(ServiceId::new(at)));
        }
        for (at, namespace) in topology.namespaces.iter().enumerate() {
            let clusters = namespace.clusters.iter();
            clusters.for_each(|id| index.namespaces[id.index()].push(NamespaceId::new(at)));
        }
        for (at, route) in topology.routes.iter().enumerate() {
            route.clusters.iter().for_each(|id| index.routes[id.index()].push(at));
        }
        index
    }
}

/// The clusters of the sides of a flow for which policies are written.
fn narrow(flow: &crate::topology::Flow) -> Option<crate::topology::ClusterSet> {
    let written = |peer: &&crate::topology::Peer| {
        matches!(
            peer.kind,
            PeerKind::Workload(_)
                | PeerKind::Service(_)
                | PeerKind::Namespace(_, Some(_))
                | PeerKind::Capability(_)
        )
    };
    let sides = flow.from.iter().chain(&flow.to).filter(written);
    sides.map(|peer| peer.clusters.clone()).reduce(|a, b| a.or(&b))
}

/// Compiles for one cluster.
pub fn cluster(topology: &Topology, index: &Index, id: ClusterId) -> Desired {
    let name = &topology.cluster(id).name.value;
    let mut desired = Desired { cluster: name.clone(), folder: name.clone(), ..Desired::default() };
    let input = Input { topology, index, id };
    for generator in GENERATORS {
        (generator.generate)(&input, &mut desired);
    }
    desired
}

/// The generators that make network policies; no other one makes any.
const POLICIES: &[&str] = &["default_deny", "dns", "network_policy", "capability", "health"];

/// Compiles the network policies of one cluster, and nothing else.
pub fn policies(topology: &Topology, index: &Index, id: ClusterId) -> Vec<Resource> {
    made_by(POLICIES, topology, index, id)
}

/// As [`policies`], without those of flows in namespaces: those before them, and those after.
pub fn policies_beside_flows(
    topology: &Topology,
    index: &Index,
    id: ClusterId,
) -> [Vec<Resource>; 2] {
    let at = POLICIES.iter().position(|name| *name == "network_policy").unwrap_or_default();
    [&POLICIES[..at], &POLICIES[at + 1..]].map(|names| made_by(names, topology, index, id))
}

fn made_by(names: &[&str], topology: &Topology, index: &Index, id: ClusterId) -> Vec<Resource> {
    let mut desired = Desired::default();
    let input = Input { topology, index, id };
    for generator in GENERATORS.iter().filter(|known| names.contains(&known.name)) {
        (generator.generate)(&input, &mut desired);
    }
    desired.resources
}

/// A policy that says the same in several clusters.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The policy.
    pub resource: Resource,
    /// The clusters.
    pub clusters: Vec<ClusterId>,
}

/// The policies of one flow in the namespaces of `clusters`, of which each is given with those that
/// it is joined to ([`Topology::joined_to`]). Together with [`policies_beside_flows`] they are
/// [`policies`], each made once.
pub fn policies_of_flow(
    topology: &Topology,
    flow: &Flow,
    clusters: &[(ClusterId, &ClusterSet)],
) -> Vec<Shared> {
    network_policy::of_flow(topology, flow, clusters)
}

/// The Helm values of Cilium for one cluster, with the user's own over them; nothing where its
/// chart is not known.
pub fn cilium_values(topology: &Topology, index: &Index, id: ClusterId) -> Option<Value> {
    let mut desired = Desired::default();
    cilium_values::generate(&Input { topology, index, id }, &mut desired);
    desired.documents.into_iter().next()?.bodies.into_iter().next()
}

/// The folders below the output folder, unsorted: each cluster's, and those of the GitOps tool.
pub fn folders(topology: &Topology) -> impl Iterator<Item = String> {
    let of = |(id, cluster): (ClusterId, &crate::topology::Cluster)| {
        [Some(cluster.name.value.clone()), gitops::folder(topology, id)].into_iter().flatten()
    };
    topology.clusters().flat_map(of)
}

/// Compiles what the GitOps tool needs to apply a cluster's folder; nothing where no tool is
/// declared.
pub fn delivery(topology: &Topology, id: ClusterId) -> Option<Desired> {
    gitops::desired(topology, id)
}

#[cfg(test)]
mod tests;
