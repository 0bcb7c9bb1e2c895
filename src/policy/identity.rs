//! Who takes part in a flow: a set of labels, and what an agent knows besides.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::label::{CLUSTER, Label, Labels, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT, Source};
use super::rule::Protocol;

/// What sort of thing an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A pod that Cilium manages.
    Pod,
    /// The node itself, as its own agent sees it.
    Host,
    /// Another node; `labelled` where node labels are part of its identity.
    RemoteNode {
        /// Whether node labels are part of its identity (`nodeSelectorLabels`).
        labelled: bool,
    },
    /// Everything outside.
    World,
    /// What Cilium has a word of its own for: `health`, `ingress`, `init`, `unmanaged`.
    Reserved,
}

/// Who takes part in a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Its labels.
    pub labels: Labels,
    /// What it is.
    pub sort: Sort,
    /// Where it is, if that is known: a world identity without an address stands for every
    /// address that no policy speaks of.
    pub address: Option<IpNet>,
    /// The names under which the world's address was looked up, in lower case, without a dot at
    /// the end.
    pub names: BTreeSet<String>,
    /// The ports of its containers that have a name.
    pub ports: BTreeMap<String, BTreeSet<(Protocol, u16)>>,
}

/// What makes the identity of a pod.
#[derive(Clone, Debug, Default)]
pub struct Pod<'a> {
    /// Its cluster.
    pub cluster: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its service account, if it is among the labels that Cilium takes into identities.
    pub service_account: Option<&'a str>,
    /// Its own labels.
    pub labels: &'a [(&'a str, &'a str)],
    /// The labels of its namespace.
    pub namespace_labels: &'a [(&'a str, &'a str)],
}

impl Identity {
    fn of(sort: Sort, labels: impl IntoIterator<Item = Label>) -> Self {
        Self {
            labels: labels.into_iter().collect(),
            sort,
            address: None,
            names: BTreeSet::new(),
            ports: BTreeMap::new(),
        }
    }

    /// The identity of a pod (`pkg/k8s/utils/utils.go`, `GetPodMetadata` in `pkg/k8s/pod.go`): its
    /// own labels cannot take the place of those that Cilium gives it.
    pub fn pod(pod: &Pod<'_>) -> Self {
        let k8s = |key: &str, value: &str| Label::new(Source::K8s, key, value);
        let given = [(NAMESPACE, pod.namespace), (CLUSTER, pod.cluster)];
        let account = pod.service_account.map(|name| (SERVICE_ACCOUNT, name));
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in pod.labels {
            labels.insert((*key).to_owned(), (*value).to_owned());
        }
        for (key, value) in pod.namespace_labels {
            labels.insert(format!("{NAMESPACE_LABELS}.{key}"), (*value).to_owned());
        }
        for (key, value) in given.into_iter().chain(account) {
            labels.insert(key.to_owned(), value.to_owned());
        }
        Self::of(Sort::Pod, labels.iter().map(|(key, value)| k8s(key, value)))
    }

    /// With a container port of a name.
    #[must_use]
    pub fn port(mut self, name: &str, protocol: Protocol, port: u16) -> Self {
        self.ports.entry(name.to_owned()).or_default().insert((protocol, port));
        self
    }

    /// With another label.
    #[must_use]
    pub fn label(mut self, label: Label) -> Self {
        self.labels = self.labels.iter().cloned().chain([label]).collect();
        self
    }

    /// At an address.
    #[must_use]
    pub fn at(self, address: IpNet) -> Self {
        Self { address: Some(address), ..self }
    }

    /// An identity that Cilium has a word for: `health`, `ingress`, `init`, `unmanaged`, or
    /// `kube-apiserver` for one outside the cluster.
    pub fn reserved(name: &str) -> Self {
        let sort = match name {
            "host" => Sort::Host,
            "remote-node" => Sort::RemoteNode { labelled: false },
            "world" | "world-ipv4" | "world-ipv6" => Sort::World,
            _ => Sort::Reserved,
        };
        Self::of(sort, [Label::new(Source::Reserved, name, "")])
    }

    /// The node that an agent runs on.
    pub fn host() -> Self {
        Self::reserved("host")
    }

    /// Another node, of this cluster or another one.
    pub fn remote_node() -> Self {
        Self::reserved("remote-node")
    }

    /// A node that runs the API server, whose identity has both words
    /// (`pkg/identity/numericidentity.go`).
    pub fn api_server_node() -> Self {
        Self::remote_node().label(Label::new(Source::Reserved, "kube-apiserver", ""))
    }

    /// Another node whose labels are part of its identity (`nodeSelectorLabels`).
    pub fn labelled_node(cluster: &str, labels: &[(&str, &str)]) -> Self {
        let own = labels.iter().map(|(key, value)| Label::new(Source::Node, *key, *value));
        let given = [
            Label::new(Source::Reserved, "remote-node", ""),
            Label::new(Source::K8s, CLUSTER, cluster),
        ];
        Self::of(Sort::RemoteNode { labelled: true }, own.chain(given))
    }

    /// Everything outside that no policy speaks of, in a cluster with one address family.
    pub fn world() -> Self {
        Self::reserved("world")
    }

    /// An address outside. With two address families the world is one of each
    /// (`pkg/labels/cidr.go`).
    pub fn address(address: IpNet, dual_stack: bool) -> Self {
        let world = match address {
            _ if !dual_stack => "world",
            IpNet::V4(_) => "world-ipv4",
            IpNet::V6(_) => "world-ipv6",
        };
        let key = address.to_string().replace(':', "-");
        Self::reserved(world).label(Label::new(Source::Cidr, key, "")).at(address)
    }

    /// The cluster that it says it is in.
    pub fn cluster(&self) -> Option<&str> {
        self.labels.of_kubernetes(CLUSTER)
    }

    /// The namespace that it is in.
    pub fn namespace(&self) -> Option<&str> {
        self.labels.of_kubernetes(NAMESPACE)
    }

    /// Whether it is outside.
    pub fn is_world(&self) -> bool {
        ["world", "world-ipv4", "world-ipv6"].iter().any(|name| self.labels.is_reserved(name))
    }

    /// Whether it is a node.
    pub fn is_node(&self) -> bool {
        self.labels.is_reserved("host") || self.labels.is_reserved("remote-node")
    }

    /// The word for the identity that stands for it in the policy maps of Cilium 1.20, as an agent
    /// of `cluster` sees it (`aggregateFor` in `pkg/policy/aggregate.go`). Identities with a number
    /// below 100 have none; those of the world have one where they are of an address.
    pub fn aggregate(&self, cluster: &str) -> Option<&'static str> {
        match self.sort {
            Sort::Pod if self.cluster() == Some(cluster) => Some("aggregate-cluster"),
            Sort::Pod => Some("aggregate-cluster-mesh"),
            Sort::RemoteNode { labelled: true } => Some("aggregate-remote-node"),
            Sort::World => self.address.map(|_| "aggregate-world"),
            Sort::Host | Sort::RemoteNode { labelled: false } | Sort::Reserved => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_cannot_say_that_it_is_elsewhere() {
        let labels = [("app", "web"), (CLUSTER, "other"), (NAMESPACE, "other")];
        let pod = Identity::pod(&Pod {
            cluster: "use1",
            namespace: "shop",
            service_account: Some("web"),
            labels: &labels,
            namespace_labels: &[("team", "a")],
        });
        assert_eq!(pod.cluster(), Some("use1"));
        assert_eq!(pod.namespace(), Some("shop"));
        assert_eq!(
            pod.labels.to_string(),
            "k8s:app=web, k8s:io.cilium.k8s.namespace.labels.team=a, \
             k8s:io.cilium.k8s.policy.cluster=use1, k8s:io.cilium.k8s.policy.serviceaccount=web, \
             k8s:io.kubernetes.pod.namespace=shop"
        );
    }

    #[test]
    fn an_address_is_of_the_world_of_its_family() {
        let v6: IpNet = "2001:db8::1/128".parse().expect("an address");
        let identity = Identity::address(v6, true);
        assert_eq!(identity.labels.to_string(), "cidr:2001-db8--1/128, reserved:world-ipv6");
        assert!(identity.is_world());
        assert!(Identity::address(v6, false).labels.is_reserved("world"));
    }

    #[test]
    fn identities_with_a_number_of_their_own_are_aggregated() {
        let pod = Identity::pod(&Pod {
            cluster: "use1",
            namespace: "shop",
            service_account: None,
            labels: &[],
            namespace_labels: &[],
        });
        assert_eq!(pod.aggregate("use1"), Some("aggregate-cluster"));
        assert_eq!(pod.aggregate("euw1"), Some("aggregate-cluster-mesh"));
        let node = Identity::labelled_node("use1", &[]);
        assert_eq!(node.aggregate("use1"), Some("aggregate-remote-node"));
        let address: IpNet = "192.0.2.1/32".parse().expect("an address");
        for dual_stack in [false, true] {
            let outside = Identity::address(address, dual_stack);
            assert_eq!(outside.aggregate("use1"), Some("aggregate-world"));
        }
        let unnumbered = [Identity::world(), Identity::host(), Identity::remote_node()];
        assert!(unnumbered.iter().all(|identity| identity.aggregate("use1").is_none()));
        // A node at an address is aggregated as a node, never as something outside.
        assert_eq!(Identity::remote_node().at(address).aggregate("use1"), None);
        assert_eq!(Identity::reserved("health").at(address).aggregate("use1"), None);
    }
}
