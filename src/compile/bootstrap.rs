//! `bootstrap/`: the network stanza of the cluster's installer, and what Cilium needs before it can
//! run, so that addresses come from one place.
//!
//! AKS and GKE take such settings as flags of their command line, not as a file, and nothing is
//! known of other installers: nothing is written for them.

mod eksctl;
mod k3s;
mod kind;
mod kubeadm;
mod operator;
mod talos;

pub(super) use talos::KUBE_PRISM;

use super::Input;
use crate::resource::{Desired, Document};
use crate::source::Spanned;
use crate::spec::cluster::{Distribution, IpamMode, KubeProxy};
use crate::spec::value::Cidr;
use crate::topology::Cluster;

/// Adds the files of one cluster.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let cluster = input.topology.cluster(input.id);
    let stanzas: Vec<Document> = match cluster.distribution {
        Distribution::Kubeadm => vec![kubeadm::document(cluster)],
        Distribution::Talos => vec![talos::document(cluster)],
        Distribution::K3s => vec![k3s::document(cluster)],
        Distribution::Kind => vec![kind::document(cluster)],
        Distribution::Eks => eksctl::documents(input.topology, cluster),
        Distribution::Aks | Distribution::Gke | Distribution::Other => Vec::new(),
    };
    desired.documents.extend(stanzas);
    desired.documents.extend(operator::document(cluster));
}

/// Whether kube-proxy does not run.
fn is_proxy_replaced(cluster: &Cluster) -> bool {
    cluster.kube_proxy == KubeProxy::Replaced
}

/// The pod ranges as Kubernetes itself takes them. Nothing where pods have addresses of the VPC,
/// or where it cannot be said.
fn pod_ranges(cluster: &Cluster) -> Option<Vec<String>> {
    if cluster.ipam.mode == IpamMode::Eni {
        return None;
    }
    one_of_each_family(&cluster.pod_cidrs)
}

/// The service ranges as Kubernetes takes them.
fn service_ranges(cluster: &Cluster) -> Option<Vec<String>> {
    one_of_each_family(&cluster.service_cidrs)
}

/// The ranges in their order, of which the first is the primary family. Kubernetes takes one of
/// each family; nothing where there are more, or none.
/// Source: `ValidateIPNetFromString` in `cmd/kubeadm/app/apis/kubeadm/validation/validation.go`.
fn one_of_each_family(cidrs: &[Spanned<Cidr>]) -> Option<Vec<String>> {
    let v4 = cidrs.iter().filter(|cidr| cidr.0.addr().is_ipv4()).count();
    let possible = !cidrs.is_empty() && v4 <= 1 && cidrs.len() - v4 <= 1;
    possible.then(|| cidrs.iter().map(|cidr| cidr.value.0.to_string()).collect())
}

/// What the controller manager is told about the nodes' shares of the pod ranges: their size where
/// Kubernetes gives them, and to give none where Cilium does. The shares that Kubernetes would
/// give by default (/24 and /64) need not even fit into the ranges.
/// Source: Cilium, "Cluster Scope" of IPAM: it needs no per-node ranges from Kubernetes;
/// `setNodeCIDRMaskSizes` in `cmd/kube-controller-manager/app/core.go`.
fn share_args(cluster: &Cluster) -> Vec<(&'static str, String)> {
    match cluster.ipam.mode {
        // More than one range of a family is a finding.
        IpamMode::Kubernetes if pod_ranges(cluster).is_none() => Vec::new(),
        IpamMode::Kubernetes => {
            let v4 = cluster.has_v4().then_some(("node-cidr-mask-size-ipv4", cluster.ipam.mask_v4));
            let v6 = cluster.has_v6().then_some(("node-cidr-mask-size-ipv6", cluster.ipam.mask_v6));
            v4.into_iter().chain(v6).map(|(name, size)| (name, size.to_string())).collect()
        }
        IpamMode::ClusterPool | IpamMode::MultiPool | IpamMode::Eni => {
            vec![("allocate-node-cidrs", "false".to_owned())]
        }
        // Another plugin may read the shares of Kubernetes, where there can be any.
        IpamMode::Delegated if cluster.pod_cidrs.iter().all(|cidr| is_shared(&cidr.value)) => {
            Vec::new()
        }
        IpamMode::Delegated => vec![("allocate-node-cidrs", "false".to_owned())],
    }
}

/// Whether Kubernetes can give its default shares of a range: /24 and /64, at most 16 bits longer
/// than the range. kubeadm refuses a range of which it cannot.
/// Source: `validatePodSubnetNodeMask` in kubeadm's `validation.go`.
fn is_shared(range: &Cidr) -> bool {
    let mask = if range.0.addr().is_ipv4() { 24 } else { 64 };
    let length = i64::from(range.0.prefix_len());
    (mask - 16..=mask).contains(&length)
}

/// `host:port` of the API server, with an IPv6 address in brackets.
fn api_server(cluster: &Cluster) -> Option<String> {
    let (host, port) = cluster.api_server.as_ref()?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    Some(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests;
