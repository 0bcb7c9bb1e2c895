//! The pods that a peer means, by what tells them from others.

use super::{Peer, PeerKind, Topology};

/// The label by which Kubernetes names a namespace.
/// Source: Kubernetes, "Well-Known Labels, Annotations and Taints".
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// What pods have in common: all of it must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pods<'a> {
    /// Their namespace; any where it is absent.
    pub namespace: Option<&'a str>,
    /// Labels of their own, sorted by key. A key that stands twice with different values is no
    /// pod's.
    pub labels: Vec<(&'a str, &'a str)>,
    /// Labels of their namespace, sorted by key.
    pub namespace_labels: Vec<(&'a str, &'a str)>,
    /// Their service account; two different ones are no pod's.
    pub accounts: Vec<&'a str>,
}

impl<'a> Pods<'a> {
    /// The pods of a peer; nothing where it is no pods.
    pub fn of(topology: &'a Topology, peer: &'a Peer) -> Option<Self> {
        let pairs = |pairs: &'a [(String, String)]| {
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
        };
        let mut pods = Self { labels: pairs(&peer.labels).collect(), ..Self::default() };
        let mut workload = None;
        match &peer.kind {
            PeerKind::Workload(id) => workload = Some(topology.workload(*id)),
            PeerKind::Service(id) => {
                workload = Some(topology.workload(topology.service(*id).workload));
            }
            PeerKind::Namespace(name, _) => pods.namespace = Some(name),
            PeerKind::NamespaceLabels(labels) => pods.namespace_labels = pairs(labels).collect(),
            PeerKind::Capability(id) => pods.labels.extend(pairs(&topology.capability(*id).labels)),
            PeerKind::Entities(_) | PeerKind::Cidrs(..) | PeerKind::Fqdn(_) => return None,
        }
        pods.accounts.extend(peer.service_account.as_deref());
        if let Some(workload) = workload {
            pods.namespace = Some(&topology.namespace(workload.namespace).name.value);
            pods.labels.extend(pairs(&workload.labels));
            pods.accounts.extend(workload.service_account.as_deref());
        }
        for list in [&mut pods.labels, &mut pods.namespace_labels] {
            list.sort_unstable();
            list.dedup();
        }
        pods.accounts.sort_unstable();
        pods.accounts.dedup();
        Some(pods)
    }

    /// Whether no pod can have it all.
    pub fn is_nobody(&self) -> bool {
        let twice = |list: &[(&str, &str)]| list.windows(2).any(|pair| pair[0].0 == pair[1].0);
        let name = self.namespace_labels.iter().find(|(key, _)| *key == NAMESPACE_NAME);
        let elsewhere = match (self.namespace, name) {
            (Some(namespace), Some((_, name))) => namespace != *name,
            _ => false,
        };
        twice(&self.labels) || twice(&self.namespace_labels) || self.accounts.len() > 1 || elsewhere
    }

    /// Whether all of these are among the others, wherever they are.
    pub fn within(&self, other: &Self) -> bool {
        let named = |pair: &(&str, &str)| {
            self.namespace_labels.contains(pair)
                || (pair.0 == NAMESPACE_NAME && self.namespace == Some(pair.1))
        };
        let namespace = other.namespace.is_none_or(|name| {
            self.namespace == Some(name) || self.namespace_labels.contains(&(NAMESPACE_NAME, name))
        });
        namespace
            && other.labels.iter().all(|pair| self.labels.contains(pair))
            && other.namespace_labels.iter().all(named)
            && other.accounts.iter().all(|account| self.accounts.contains(account))
    }
}
