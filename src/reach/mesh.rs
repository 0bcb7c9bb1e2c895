//! Every cluster with its policies, and every endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::NotChecked;
use crate::policy::{Identity, OpenPorts, Policy, Protocol, Semantics};
use crate::source::Span;
use crate::topology::{ClusterId, ClusterSet, WorkloadId};

/// Every cluster with its policies, and everyone with an identity of Cilium's who may take part
/// in a flow.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    /// The clusters. A [`ClusterId`] is an index into them; in a mesh of a topology they are the
    /// topology's clusters, in its order.
    pub clusters: Vec<Member>,
    /// The endpoints of all clusters, those of a cluster side by side.
    pub endpoints: Vec<Endpoint>,
    /// What could not be read, and is missing in it.
    pub unread: Vec<NotChecked>,
    /// The names of ports whose numbers nobody says. The number here is one that no policy names,
    /// and means nothing.
    pub unnumbered: BTreeMap<u16, String>,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, which is the value of the label `io.cilium.k8s.policy.cluster`.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// How its Cilium reads policies.
    pub semantics: Semantics,
    /// The clusters whose pods its pods can reach by their own identity, itself included.
    pub joined: ClusterSet,
    /// Its policies.
    pub policies: Vec<WrittenPolicy>,
}

/// A policy, with who wrote it.
#[derive(Clone, Debug)]
pub struct WrittenPolicy {
    /// What Cilium reads. Its spans are those of the line of the topology that caused it where
    /// it was generated, and its own where it was written by hand. Clusters share one that says
    /// the same in them.
    pub policy: Arc<Policy>,
    /// Who wrote it.
    pub origin: Origin,
}

/// Who wrote a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Compile.
    Generated,
    /// A person.
    Written,
}

/// The index of an endpoint in [`Mesh::endpoints`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

impl EndpointId {
    /// The index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Pods of one cluster with the same labels.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where they run.
    pub cluster: ClusterId,
    /// What they are called: `namespace/workload`.
    pub name: String,
    /// Who they are to Cilium.
    pub identity: Identity,
    /// Why they are here.
    pub standing: Standing,
    /// Where they are declared or found; nothing for what only may be there.
    pub span: Option<Span>,
    /// The ports that they are known to serve, sorted; empty where nobody says.
    pub serves: Vec<(Protocol, u16)>,
}

/// Why an endpoint is in a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A workload of the topology.
    Declared(WorkloadId),
    /// A workload or pod among the Kubernetes objects.
    Found,
    /// Nobody says that it is there, and nothing keeps it from being there.
    Possible,
}

impl Mesh {
    /// The clusters with their ids.
    pub fn clusters(&self) -> impl Iterator<Item = (ClusterId, &Member)> {
        self.clusters.iter().enumerate().map(|(at, member)| (ClusterId::new(at), member))
    }

    /// A cluster.
    pub fn cluster(&self, id: ClusterId) -> &Member {
        &self.clusters[id.index()]
    }

    /// An endpoint.
    pub fn endpoint(&self, id: EndpointId) -> &Endpoint {
        &self.endpoints[id.index()]
    }

    /// The endpoints with their ids.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointId, &Endpoint)> {
        let id = |at| EndpointId(u32::try_from(at).expect("internal error: 2^32 endpoints"));
        self.endpoints.iter().enumerate().map(move |(at, endpoint)| (id(at), endpoint))
    }

    /// What a port is called: its number, or its name where nobody says the number.
    pub fn port_name(&self, port: u16) -> String {
        self.unnumbered.get(&port).cloned().unwrap_or_else(|| port.to_string())
    }

    /// What open ports are called, with the name in the place of a number that nobody says.
    pub fn describe_ports(&self, ports: &OpenPorts) -> String {
        let one = ports.first == ports.last && ports.protocol.has_ports();
        match self.unnumbered.get(&ports.first).filter(|_| one) {
            Some(name) if ports.limits.is_none() => format!("{}/{name}", ports.protocol),
            Some(name) => format!("{}/{name} (L7)", ports.protocol),
            None => ports.to_string(),
        }
    }

    /// The policies of all clusters, each once and in the order of its first place, and those of
    /// each cluster as indices into them.
    pub fn distinct_policies(&self) -> (Vec<&Policy>, Vec<Vec<u32>>) {
        let mut policies: Vec<&Policy> = Vec::new();
        let mut known: BTreeMap<usize, u32> = BTreeMap::new();
        let mut number = |written: &'_ WrittenPolicy| {
            let place = Arc::as_ptr(&written.policy).addr();
            let next = u32::try_from(known.len()).expect("internal error: 2^32 policies");
            *known.entry(place).or_insert(next)
        };
        let mut places = Vec::with_capacity(self.clusters.len());
        for member in &self.clusters {
            let mut own = Vec::with_capacity(member.policies.len());
            for written in &member.policies {
                let at = number(written);
                if at as usize == policies.len() {
                    policies.push(&written.policy);
                }
                own.push(at);
            }
            places.push(own);
        }
        (policies, places)
    }

    /// An endpoint with its cluster: `namespace/workload@cluster`.
    pub fn describe(&self, id: EndpointId) -> String {
        let endpoint = self.endpoint(id);
        format!("{}@{}", endpoint.name, self.cluster(endpoint.cluster).name)
    }
}
