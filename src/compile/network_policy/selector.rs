//! Selectors of pods by the labels that Cilium gives them.
//!
//! Every peer names its namespace and its clusters: without the cluster a selector means all
//! clusters up to Cilium 1.18 and the local one from 1.19. Source: Cilium's upgrade notes of 1.19,
//! `policy-default-local-cluster`.

use serde_json::{Map, Value};

use crate::compile::metadata::{object, texts};
use crate::topology::{ClusterSet, Peer, PeerKind, Topology};

const NAMESPACE: &str = "k8s:io.kubernetes.pod.namespace";
const CLUSTER: &str = "k8s:io.cilium.k8s.policy.cluster";
const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";

/// Labels that pods must have, all of them.
#[derive(Default)]
pub(in crate::compile) struct Selector {
    labels: Vec<(String, String)>,
    expressions: Vec<Value>,
}

impl Selector {
    /// Asks for a label.
    #[must_use]
    pub(in crate::compile) fn label(self, key: &str, value: &str) -> Self {
        self.term(["k8s:", key].concat(), value)
    }

    /// Asks for labels.
    #[must_use]
    pub(in crate::compile) fn labels(self, labels: &[(String, String)]) -> Self {
        labels.iter().fold(self, |selector, (key, value)| selector.label(key, value))
    }

    /// Asks for a namespace.
    #[must_use]
    pub(in crate::compile) fn namespace(self, name: &str) -> Self {
        self.term(NAMESPACE.to_owned(), name)
    }

    /// Takes pods of every namespace, not only of the policy's own.
    #[must_use]
    fn any_namespace(self) -> Self {
        self.expression([("key", NAMESPACE.into()), ("operator", "Exists".into())])
    }

    /// Takes pods of every cluster of the mesh, whatever clusters there will be.
    #[must_use]
    fn any_cluster(self) -> Self {
        self.expression([("key", CLUSTER.into()), ("operator", "Exists".into())])
    }

    /// Asks for one of the clusters.
    #[must_use]
    pub(in crate::compile) fn clusters(self, topology: &Topology, clusters: &ClusterSet) -> Self {
        // Clusters are sorted by name, so the names are too.
        let mut names = clusters.iter().map(|id| topology.cluster(id).name.value.as_str());
        match (names.next(), names.next()) {
            (Some(name), None) => self.term(CLUSTER.to_owned(), name),
            (first, second) => {
                let names = first.into_iter().chain(second).chain(names).map(Value::from);
                let values = ("values", names.collect());
                self.expression([("key", CLUSTER.into()), ("operator", "In".into()), values])
            }
        }
    }

    /// The selector; nothing where no pod can have its labels.
    pub(in crate::compile) fn build(mut self) -> Option<Value> {
        self.labels.sort_unstable();
        self.labels.dedup();
        if self.labels.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let mut selector = Map::new();
        if !self.labels.is_empty() {
            selector.insert("matchLabels".to_owned(), texts(self.labels));
        }
        if !self.expressions.is_empty() {
            selector.insert("matchExpressions".to_owned(), self.expressions.into());
        }
        Some(selector.into())
    }

    fn term(mut self, key: String, value: &str) -> Self {
        self.labels.push((key, value.to_owned()));
        self
    }

    fn expression<const N: usize>(mut self, expression: [(&str, Value); N]) -> Self {
        self.expressions.push(object(expression));
        self
    }
}

/// Pods of a peer wherever they stand: the subject of a policy, whose namespace and cluster are
/// the policy's own. A namespace in it would be overwritten, a cluster would make it inert.
/// Source: Cilium's `pkg/k8s/apis/cilium.io/utils`, `getEndpointSelector`.
pub(super) fn pods(topology: &Topology, peer: &Peer) -> Selector {
    let workload = match peer.kind {
        PeerKind::Workload(workload) => Some(topology.workload(workload)),
        PeerKind::Service(service) => Some(topology.workload(topology.service(service).workload)),
        _ => None,
    };
    let mut selector = Selector::default().labels(&peer.labels);
    if let PeerKind::Capability(capability) = peer.kind {
        selector = selector.labels(&topology.capability(capability).labels);
    }
    if let Some(workload) = workload {
        selector = selector.labels(&workload.labels);
    }
    let accounts =
        [peer.service_account.as_ref(), workload.and_then(|w| w.service_account.as_ref())];
    accounts
        .into_iter()
        .flatten()
        .fold(selector, |selector, account| selector.label(SERVICE_ACCOUNT, account))
}

/// Pods of a peer in `clusters`, seen from the other side.
pub(super) fn located(topology: &Topology, peer: &Peer, clusters: &ClusterSet) -> Option<Value> {
    let pods = pods(topology, peer);
    let namespace = |id| topology.namespace(id).name.value.as_str();
    let pods = match &peer.kind {
        PeerKind::Workload(id) => pods.namespace(namespace(topology.workload(*id).namespace)),
        PeerKind::Service(id) => pods.namespace(namespace(topology.service(*id).namespace)),
        PeerKind::Namespace(name, _) => pods.namespace(name),
        PeerKind::Capability(_) => pods.any_namespace(),
        PeerKind::NamespaceLabels(labels) => labels.iter().fold(pods, |pods, (key, value)| {
            pods.label(&format!("{NAMESPACE_LABELS}{key}"), value)
        }),
        PeerKind::Entities(_) | PeerKind::Cidrs(..) | PeerKind::Fqdn(_) => return None,
    };
    pods.clusters(topology, clusters).build()
}

/// Every pod of every cluster of the mesh.
pub(super) fn every_pod() -> Option<Value> {
    Selector::default().any_namespace().any_cluster().build()
}
