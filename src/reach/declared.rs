//! The mesh of a topology: what compile generates together with the hand-written objects.

mod generated;
mod sets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use semver::Version;

use super::mesh::{Endpoint, Member, Mesh, Origin, Standing, WrittenPolicy};
use super::objects::{self, Objects, Pairs, Pods};
use super::settings;
use crate::compile::{self, Index};
use crate::diagnostic::NotChecked;
use crate::policy::parse::Service;
use crate::policy::rule::{Kind, Refusal, Which};
use crate::policy::{Known, Protocol, Semantics, Settings};
use crate::resource::Resource;
use crate::spec::ports::{self, PortRef};
use crate::topology::{
    Cluster, ClusterId, ClusterSet, Namespace, ServicePort, Topology, Workload, WorkloadId,
};

/// The mesh of a topology.
///
/// A cluster whose policies cannot be read has neither policies nor endpoints, and
/// [`Mesh::unread`] says why.
pub fn mesh(topology: &Topology, index: &Index) -> Mesh {
    mesh_of(topology, topology, index)
}

/// The mesh of a topology whose policies were compiled from `rendered`, which differs from it in
/// the versions of its clusters at most: what agents have until manifests are rendered anew.
pub fn mesh_of(topology: &Topology, rendered: &Topology, index: &Index) -> Mesh {
    made(topology, rendered, index, None)
}

/// As [`mesh`], with the policies of some clusters only.
pub fn mesh_with(topology: &Topology, index: &Index, wanted: &ClusterSet) -> Mesh {
    made(topology, topology, index, Some(wanted))
}

fn made(
    topology: &Topology,
    rendered: &Topology,
    index: &Index,
    wanted: Option<&ClusterSet>,
) -> Mesh {
    let sets = sets::read(topology);
    let source =
        Source { topology, rendered, index, of_workloads: services(topology), sets: &sets };
    let ids: Vec<ClusterId> = topology.clusters().map(|(id, _)| id).collect();
    let read: Vec<(Member, Option<NotChecked>)> =
        ids.par_iter().map(|id| source.member(*id)).collect();
    let unread = sets.iter().flat_map(|set| set.unread.clone());
    let unread = unread.chain(read.iter().filter_map(|(_, why)| why.clone())).collect();
    let known: Vec<bool> = read.iter().map(|(_, why)| why.is_none()).collect();
    let mut clusters: Vec<Member> = read.into_iter().map(|(member, _)| member).collect();
    let is_wanted = |id: &ClusterId| wanted.is_none_or(|wanted| wanted.contains(*id));
    let read: Vec<bool> = ids.iter().map(|id| known[id.index()] && is_wanted(id)).collect();
    source.add_policies(&mut clusters, &read);
    let names = source.names(&clusters);
    let places = source.places();
    let candidates = source.candidates();
    let endpoints: Vec<Vec<Endpoint>> = ids
        .par_iter()
        .filter(|id| known[id.index()])
        .map(|id| {
            source.endpoints(*id, &clusters[id.index()], &places[id.index()], (&candidates, &names))
        })
        .collect();
    let endpoints = endpoints.into_iter().flatten().collect();
    Mesh { clusters, endpoints, unread, unnumbered: names.unnumbered }
}

/// The hand-written policies of each cluster, in the order of [`Member::policies`], as another
/// version of its Cilium reads them with the same settings; none where `version` names none, and
/// none in a cluster whose policies cannot be read.
pub fn written_under(
    topology: &Topology,
    index: &Index,
    version: &(dyn Fn(&Cluster) -> Option<Version> + Sync),
) -> Vec<Vec<WrittenPolicy>> {
    let sets = sets::read(topology);
    let rendered = topology;
    let source = Source { topology, rendered, index, of_workloads: Vec::new(), sets: &sets };
    let ids: Vec<ClusterId> = topology.clusters().map(|(id, _)| id).collect();
    let read = |id: &ClusterId| {
        let cluster = topology.cluster(*id);
        if semantics(cluster).1.is_some() {
            return None;
        }
        let semantics = Semantics::new(version(cluster)?, settings::settings(cluster))?;
        Some(source.written(*id, cluster, &semantics))
    };
    ids.par_iter().map(|id| read(id).unwrap_or_default()).collect()
}

/// What a mesh is made of.
struct Source<'a> {
    topology: &'a Topology,
    /// From which the policies are compiled.
    rendered: &'a Topology,
    index: &'a Index,
    /// The services of each workload, as indices.
    of_workloads: Vec<Vec<usize>>,
    /// The hand-written objects, in the order of `Topology::manifests`.
    sets: &'a [Objects<'a>],
}

impl<'a> Source<'a> {
    /// The objects that are applied to a cluster.
    fn applied(&self, id: ClusterId) -> impl Iterator<Item = &'a Objects<'a>> + use<'a> {
        let sets = self.topology.manifests.iter().zip(self.sets);
        sets.filter(move |(set, _)| set.clusters.contains(id)).map(|(_, objects)| objects)
    }

    /// A cluster without its policies, and the reason why they cannot be read.
    fn member(&self, id: ClusterId) -> (Member, Option<NotChecked>) {
        let cluster = self.topology.cluster(id);
        let (semantics, unread) = semantics(cluster);
        let (name, span) = (cluster.name.value.clone(), cluster.name.span);
        let joined = self.topology.joined_to(id);
        (Member { name, span, semantics, joined, policies: Vec::new() }, unread)
    }

    /// Adds the policies of all clusters that are `known`.
    fn add_policies(&self, clusters: &mut [Member], known: &[bool]) {
        let of_flows = generated::of_flows(self.rendered, self.index, clusters, known);
        let members = clusters.par_iter_mut().zip(of_flows).enumerate();
        members.filter(|(at, _)| known[*at]).for_each(|(at, (member, of_flows))| {
            let id = ClusterId::new(at);
            let [before, after] = compile::policies_beside_flows(self.rendered, self.index, id);
            let read = |made: Vec<Resource>| generated::read(made, &member.semantics);
            let made = read(before).chain(of_flows).chain(read(after));
            let made = made.map(|policy| WrittenPolicy { policy, origin: Origin::Generated });
            let mut policies: Vec<WrittenPolicy> = made.collect();
            policies.extend(self.written(id, self.topology.cluster(id), &member.semantics));
            member.policies = policies;
        });
    }

    fn written(
        &self,
        id: ClusterId,
        cluster: &Cluster,
        semantics: &Semantics,
    ) -> Vec<WrittenPolicy> {
        let mut policies = Vec::new();
        if self.applied(id).all(|objects| objects.policies.is_empty()) {
            return policies;
        }
        let known = self.known(id);
        for objects in self.applied(id) {
            policies.extend(objects::policies(&objects.policies, semantics, &known));
        }
        if let Some(span) = settings::without_network_policy(cluster) {
            let kubernetes = |known: &&mut WrittenPolicy| known.policy.kind == Kind::Kubernetes;
            for WrittenPolicy { policy, .. } in policies.iter_mut().filter(kubernetes) {
                let why = "`k8sNetworkPolicy.enabled` is false".to_owned();
                let policy = Arc::make_mut(policy);
                policy.refused = Some(Refusal { span, why });
                policy.rules.clear();
            }
        }
        policies
    }

    /// What the policies of a cluster may refer to: its objects, and the declared services.
    fn known(&self, id: ClusterId) -> Known {
        let mut known = Known::default();
        let mut services = Vec::new();
        let mut names: BTreeSet<(&str, &str)> = BTreeSet::new();
        for objects in self.applied(id) {
            known.cidr_groups.extend(objects.groups.iter().cloned());
            let named = |known: &'a Service| (known.namespace.as_str(), known.name.as_str());
            names.extend(objects.services.iter().map(named));
            services.extend(objects.services.iter().cloned());
        }
        for service in self.index.services[id.index()].iter().map(|id| self.topology.service(*id)) {
            let namespace = &self.topology.namespace(service.namespace).name.value;
            if !names.contains(&(namespace.as_str(), service.name.value.as_str())) {
                services.push(Service {
                    name: service.name.value.clone(),
                    namespace: namespace.clone(),
                    labels: Vec::new(),
                    selector: self.topology.workload(service.workload).labels.clone(),
                    addresses: Vec::new(),
                });
            }
        }
        known.services = Some(services);
        known
    }

    /// The workloads of each cluster.
    fn places(&self) -> Vec<Vec<WorkloadId>> {
        let mut places = vec![Vec::new(); self.topology.clusters.len()];
        for (at, workload) in self.topology.workloads.iter().enumerate() {
            for id in workload.clusters.iter() {
                places[id.index()].push(WorkloadId::new(at));
            }
        }
        places
    }

    /// The service ports of a workload.
    fn ports(&self, id: WorkloadId) -> impl Iterator<Item = &'a ServicePort> {
        let services = self.of_workloads[id.index()].iter();
        services.flat_map(|at| &self.topology.services[*at].ports)
    }

    /// The numbers of ports of which some declared service says only the name.
    fn names(&self, clusters: &[Member]) -> Names {
        let mut names = Names::default();
        for (name, protocol, port) in
            self.sets.iter().flat_map(|set| &set.pods).flat_map(|pods| &pods.names)
        {
            names.known.entry((name.clone(), *protocol)).or_default().insert(*port);
        }
        let targets = self.topology.services.iter().flat_map(|service| &service.ports);
        let wanted = targets.filter_map(|port| match &port.target {
            PortRef::Name(name) => Some((name.clone(), protocol(port.protocol))),
            PortRef::Number(_) => None,
        });
        let agreed = |key: &(String, Protocol)| {
            names.known.get(key).is_some_and(|numbers| numbers.len() == 1)
        };
        let wanted: BTreeSet<_> = wanted.filter(|key| !agreed(key)).collect();
        if !wanted.is_empty() {
            let mut free = Free::new(clusters.iter().flat_map(|member| &member.policies));
            for key in wanted {
                let port = free.take();
                names.unnumbered.insert(port, key.0.clone());
                names.made.insert(key, port);
            }
        }
        names
    }

    fn endpoints(
        &self,
        cluster: ClusterId,
        member: &Member,
        workloads: &[WorkloadId],
        (candidates, names): (&[Vec<Vec<WorkloadId>>], &Names),
    ) -> Vec<Endpoint> {
        let mut objects: BTreeMap<&str, &Pairs> = BTreeMap::new();
        let mut taken: BTreeMap<WorkloadId, Vec<&Pods>> = BTreeMap::new();
        let mut others: Vec<&Pods> = Vec::new();
        let sets = self.topology.manifests.iter().zip(self.sets).zip(candidates);
        for ((_, set), candidates) in sets.filter(|((set, _), _)| set.clusters.contains(cluster)) {
            objects.extend(set.namespaces.iter().map(|(name, labels)| (&**name, labels)));
            for (found, fits) in set.pods.iter().zip(candidates) {
                let here =
                    |id: &&WorkloadId| self.topology.workload(**id).clusters.contains(cluster);
                match fits.iter().find(here) {
                    Some(id) => taken.entry(*id).or_default().push(found),
                    None => others.push(found),
                }
            }
        }
        let mut made = Vec::new();
        for id in workloads {
            let namespace = self.topology.namespace(self.topology.workload(*id).namespace);
            let labels = namespace_labels(namespace, &objects);
            let templates = taken.get(id).map_or(&[][..], |known| &**known);
            let place = (cluster, member);
            made.extend(self.declared(*id, namespace, place, &labels, templates, names));
        }
        made.extend(others.into_iter().map(|pods| Endpoint {
            cluster,
            name: format!("{}/{}", pods.namespace, pods.name),
            identity: {
                let labels = objects.get(&*pods.namespace).map_or(&[][..], |labels| labels);
                pods.identity(&member.semantics, labels)
            },
            standing: Standing::Found,
            span: Some(pods.span),
            serves: pods.serves.clone(),
        }));
        made
    }

    /// The workloads whose pods the pods of each set may be: those of their namespace whose labels
    /// they have, the one with the most labels first.
    fn candidates(&self) -> Vec<Vec<Vec<WorkloadId>>> {
        let mut declared: BTreeMap<&str, Vec<WorkloadId>> = BTreeMap::new();
        for (at, workload) in self.topology.workloads.iter().enumerate() {
            let namespace = self.topology.namespace(workload.namespace);
            declared.entry(&namespace.name.value).or_default().push(WorkloadId::new(at));
        }
        let labels = |id: &WorkloadId| &*self.topology.workload(*id).labels;
        let of = |pods: &Pods| -> Vec<WorkloadId> {
            let known = declared.get(&*pods.namespace).map_or(&[][..], |known| &**known);
            let fits = known.iter().copied().filter(|id| pods.have(labels(id)));
            let mut fits: Vec<WorkloadId> = fits.collect();
            fits.sort_by_key(|id| std::cmp::Reverse(labels(id).len()));
            fits
        };
        self.sets.iter().map(|set| set.pods.par_iter().map(of).collect()).collect()
    }

    /// The endpoints of a workload in a cluster: one for each template among the objects that has
    /// its labels, and one of what is declared where there is none.
    fn declared(
        &self,
        id: WorkloadId,
        namespace: &Namespace,
        (cluster, member): (ClusterId, &Member),
        namespace_labels: &[(String, String)],
        templates: &[&Pods],
        names: &Names,
    ) -> Vec<Endpoint> {
        let workload: &Workload = self.topology.workload(id);
        let semantics = &member.semantics;
        let endpoint = |identity, template: Option<&Pods>| {
            let mut endpoint = Endpoint {
                cluster,
                name: format!("{}/{}", namespace.name.value, workload.name.value),
                identity,
                standing: Standing::Declared(id),
                span: Some(workload.name.span),
                serves: Vec::new(),
            };
            for port in self.ports(id) {
                let number = names.number(port, template);
                let protocol = protocol(port.protocol);
                if let PortRef::Name(name) = &port.target {
                    let known = endpoint.identity.ports.entry(name.clone()).or_default();
                    if !known.iter().any(|known| known.0 == protocol) {
                        known.insert((protocol, number));
                    }
                }
                endpoint.serves.push((protocol, number));
            }
            endpoint.serves.sort_unstable();
            endpoint.serves.dedup();
            endpoint
        };
        if templates.is_empty() {
            let account = workload.service_account.as_deref();
            let (namespace, labels) = (&*namespace.name.value, &workload.labels);
            let identity =
                objects::identity(semantics, namespace, labels, account, namespace_labels);
            return vec![endpoint(identity, None)];
        }
        let of = |pods: &&Pods| endpoint(pods.identity(semantics, namespace_labels), Some(*pods));
        templates.iter().map(of).collect()
    }
}

/// The numbers of ports with names.
#[derive(Default)]
struct Names {
    /// Those that templates of pods say.
    known: BTreeMap<(String, Protocol), BTreeSet<u16>>,
    /// Those that nobody says, with a number that no policy names.
    made: BTreeMap<(String, Protocol), u16>,
    /// The names of these numbers.
    unnumbered: BTreeMap<u16, String>,
}

impl Names {
    /// The number of a service's target port at the pods of a template.
    fn number(&self, port: &ServicePort, template: Option<&Pods>) -> u16 {
        let name = match &port.target {
            PortRef::Number(number) => return *number,
            PortRef::Name(name) => name,
        };
        let protocol = protocol(port.protocol);
        let own = template.and_then(|pods| {
            let same = |known: &&(String, Protocol, u16)| known.0 == *name && known.1 == protocol;
            pods.names.iter().find(same).map(|(.., number)| *number)
        });
        let key = (name.clone(), protocol);
        let agreed = || self.known.get(&key).and_then(|numbers| numbers.first()).copied();
        own.or_else(|| self.made.get(&key).copied()).or_else(agreed).unwrap_or_default()
    }
}

/// Hands out numbers that no policy names, from the highest down.
pub(crate) struct Free {
    named: BTreeSet<(u16, u16)>,
    next: u16,
}

impl Free {
    pub(crate) fn new<'p>(policies: impl Iterator<Item = &'p WrittenPolicy>) -> Self {
        let rules = policies.flat_map(|known| &known.policy.rules);
        let ports = rules.flat_map(|rule| rule.ports.iter().flatten()).flat_map(|rule| &rule.ports);
        let named = ports.filter_map(|ports| match &ports.which {
            Which::Range(first, last) => Some((*first, *last)),
            Which::All | Which::Named(_) => None,
        });
        Self { named: named.collect(), next: u16::MAX }
    }

    /// The next number; where ranges name every number, the next one all the same.
    pub(crate) fn take(&mut self) -> u16 {
        let mut port = self.next;
        while let Some((first, _)) =
            self.named.iter().find(|known| known.0 <= port && port <= known.1)
        {
            port = first - 1;
            if port == 0 {
                port = self.next;
                break;
            }
        }
        self.next = port.saturating_sub(1).max(1);
        port
    }
}

/// How a cluster's Cilium reads policies; if nobody knows, some semantics and the reason.
fn semantics(cluster: &Cluster) -> (Semantics, Option<NotChecked>) {
    let version = &cluster.cilium.value;
    let known = Semantics::new(version.clone(), settings::settings(cluster));
    let what = || format!("the policies of cluster `{}`", cluster.name.value);
    let unread = |span, why: String| Some(NotChecked { what: what(), why, span });
    match (known, settings::label_filter(cluster)) {
        (Some(semantics), None) => (semantics, None),
        (Some(semantics), Some(span)) => {
            let why = "`labels` of the chart changes which labels are part of identities";
            (semantics, unread(span, why.to_owned()))
        }
        (None, _) => {
            let any = Version::new(1, 20, 2);
            let any = Semantics::new(any, Settings::of(cluster.name.value.as_str()));
            let any = any.expect("internal error: Cilium 1.20 has known semantics");
            let why = format!("how Cilium {version} reads policies is not known");
            (any, unread(cluster.cilium.span, why))
        }
    }
}

/// The services of each workload, as indices.
fn services(topology: &Topology) -> Vec<Vec<usize>> {
    let mut services = vec![Vec::new(); topology.workloads.len()];
    for (at, service) in topology.services.iter().enumerate() {
        services[service.workload.index()].push(at);
    }
    services
}

/// The labels of a declared namespace, as far as they are known.
fn namespace_labels(namespace: &Namespace, objects: &BTreeMap<&str, &Pairs>) -> Pairs {
    let mut labels: BTreeMap<String, String> = namespace.labels.iter().cloned().collect();
    if let Some(written) = objects.get(&*namespace.name.value) {
        labels.extend(written.iter().cloned());
    }
    labels.into_iter().collect()
}

fn protocol(known: ports::Protocol) -> Protocol {
    match known {
        ports::Protocol::Tcp => Protocol::TCP,
        ports::Protocol::Udp => Protocol::UDP,
        ports::Protocol::Sctp => Protocol::SCTP,
    }
}

#[cfg(test)]
mod tests;
