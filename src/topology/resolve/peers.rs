//! The sides of flows: who is meant, and in which clusters.

use std::collections::BTreeMap;

use super::super::id::{ClusterSet, NamespaceId};
use super::super::{FlowOwner, Peer, PeerKind, Topology};
use super::{CONTRADICTION, Names, UNSUPPORTED, dangling, labels, region_clusters};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::Spec;
use crate::spec::flow::{self as written, Entity};
use crate::spec::value::{Cidr, Label};
use crate::yaml::fields::suggests;
use written::PeerKind as Written;

/// Ranges outside the mesh and the exceptions from them.
type Ranges = (Vec<Cidr>, Vec<Cidr>);

/// What the names in a flow may mean.
pub(super) struct Scope<'a> {
    /// Who declares the flow; nothing for a guard, which holds in every cluster.
    pub(super) owner: Option<FlowOwner>,
    names: &'a Names,
    externals: BTreeMap<String, Option<Ranges>>,
    everywhere: ClusterSet,
}

/// A kind of peer with the clusters in which it is before limits.
type Found = Option<(PeerKind, ClusterSet)>;

impl<'a> Scope<'a> {
    /// What the names of a project may mean.
    pub(super) fn new(spec: &Spec, names: &'a Names, topology: &Topology) -> Self {
        let written = spec.topology.as_ref().and_then(|named| named.spec.as_ref());
        let entries = written.iter().flat_map(|topology| &topology.externals.entries);
        let externals = entries.map(|(name, external)| {
            let ranges = external.as_ref().map(|e| (plain(&e.cidrs), plain(&e.except)));
            (name.value.clone(), ranges)
        });
        Self {
            owner: None,
            names,
            externals: externals.collect(),
            everywhere: topology.clusters().map(|(id, _)| id).collect(),
        }
    }

    fn own(&self) -> Option<NamespaceId> {
        match self.owner {
            Some(FlowOwner::Namespace(id)) => Some(id),
            Some(FlowOwner::Capability(_)) | None => None,
        }
    }

    /// Resolves one peer; gives nothing where its name is unknown or could not be used.
    pub(super) fn peer(
        &self,
        peer: &written::Peer,
        topology: &Topology,
        found: &mut Diagnostics,
    ) -> Option<Peer> {
        let (kind, clusters) = self.kind(&peer.kind, topology, found)?;
        let guard = self.owner.is_none();
        let clusters = if guard { self.everywhere.clone() } else { clusters };
        if !kind.is_pods() && (peer.labels.is_some() || peer.service_account.is_some()) {
            let message = "`labels` and `serviceAccount` limit pods, and this peer is none";
            found.push(Diagnostic::new(&CONTRADICTION, peer.span, message));
        }
        let limited =
            peer.clusters.is_some() || !peer.regions.is_empty() || !peer.not_regions.is_empty();
        let left = self.limit(peer, clusters.clone(), topology, found);
        if left.is_empty() && !clusters.is_empty() && limited && !guard {
            let message = "the limits of this peer leave no cluster in which it runs";
            found.push(Diagnostic::new(&CONTRADICTION, peer.span, message));
        }
        Some(Peer {
            span: peer.span,
            kind,
            clusters: left,
            limited,
            labels: labels(peer.labels.as_ref()),
            service_account: peer.service_account.as_ref().map(|account| account.value.0.clone()),
        })
    }

    fn limit(
        &self,
        peer: &written::Peer,
        mut clusters: ClusterSet,
        topology: &Topology,
        found: &mut Diagnostics,
    ) -> ClusterSet {
        if let Some(only) = &peer.clusters {
            clusters = clusters.and(&self.names.cluster_set(only, found));
        }
        if !peer.regions.is_empty() {
            clusters = clusters.and(&region_clusters(topology, &peer.regions, found));
        }
        if !peer.not_regions.is_empty() {
            clusters = clusters.without(&region_clusters(topology, &peer.not_regions, found));
        }
        clusters
    }

    fn kind(&self, kind: &Written, topology: &Topology, found: &mut Diagnostics) -> Found {
        let outside = match kind {
            Written::Workload(name) => return self.workload(name, topology, found),
            Written::Service(name) => return self.service(name, topology, found),
            Written::Namespace(name) => return self.namespace(name, topology, found),
            Written::Capability(name) => return self.capability(name, topology, found),
            Written::NamespaceLabels(some) => PeerKind::NamespaceLabels(labels(Some(some))),
            Written::External(name) => self.external(name, found)?,
            Written::Cidrs { cidrs, except } => ranges(cidrs, except, found),
            Written::Fqdn(names) => {
                PeerKind::Fqdn(names.iter().map(|name| name.value.0.clone()).collect())
            }
            Written::Entities(entities) => {
                for entity in entities {
                    supported(entity, topology, found);
                }
                PeerKind::Entities(entities.iter().map(|entity| entity.value).collect())
            }
            Written::Any => PeerKind::NamespaceLabels(Vec::new()),
        };
        Some((outside, self.everywhere.clone()))
    }

    fn workload(
        &self,
        name: &Spanned<String>,
        topology: &Topology,
        found: &mut Diagnostics,
    ) -> Found {
        let key = self.qualified(name, topology, found)?;
        let known = &self.names.workloads;
        let Some(id) = known.get(&key) else {
            let known = candidates(known.keys(), &key.0, name, found);
            found.push(dangling("workload", name, known.iter(), found));
            return None;
        };
        let id = (*id)?;
        Some((PeerKind::Workload(id), topology.workload(id).clusters.clone()))
    }

    fn service(
        &self,
        name: &Spanned<String>,
        topology: &Topology,
        found: &mut Diagnostics,
    ) -> Found {
        let key = self.qualified(name, topology, found)?;
        let known = &self.names.services;
        let Some(id) = known.get(&key) else {
            let candidates = candidates(known.keys(), &key.0, name, found);
            let mut finding = dangling("service", name, candidates.iter(), found);
            if self.names.workloads.contains_key(&key) {
                finding = finding.help("write `{workload: …}` for the pods themselves");
            }
            found.push(finding);
            return None;
        };
        let id = (*id)?;
        Some((PeerKind::Service(id), topology.service(id).clusters.clone()))
    }

    fn namespace(
        &self,
        name: &Spanned<Label>,
        topology: &Topology,
        found: &mut Diagnostics,
    ) -> Found {
        let same = name.value.0 == "same";
        if same && self.own().is_none() {
            let finding = "there is no own namespace here";
            let finding = Diagnostic::new(&CONTRADICTION, name.span, finding);
            found.push(finding.help("name the namespace"));
            return None;
        }
        let named = || self.names.namespaces.get(&name.value.0).copied();
        let id = if same { self.own() } else { named() };
        Some(match id {
            Some(id) => {
                let namespace = topology.namespace(id);
                let kind = PeerKind::Namespace(namespace.name.value.clone(), Some(id));
                (kind, namespace.clusters.clone())
            }
            None => (PeerKind::Namespace(name.value.0.clone(), None), self.everywhere.clone()),
        })
    }

    fn capability(
        &self,
        name: &Spanned<String>,
        topology: &Topology,
        found: &mut Diagnostics,
    ) -> Found {
        let known = &self.names.capabilities;
        let Some(id) = known.get(&name.value) else {
            found.push(dangling("capability", name, known.keys(), found));
            return None;
        };
        let id = (*id)?;
        Some((PeerKind::Capability(id), topology.capability(id).clusters.clone()))
    }

    fn external(&self, name: &Spanned<String>, found: &mut Diagnostics) -> Option<PeerKind> {
        let Some(ranges) = self.externals.get(&name.value) else {
            found.push(dangling("external peer", name, self.externals.keys(), found));
            return None;
        };
        let (cidrs, except) = ranges.clone()?;
        Some(PeerKind::Cidrs(cidrs, except))
    }

    /// Namespace and name of a reference such as `fraud-detection` or `ledger/ledger-api`.
    fn qualified(
        &self,
        name: &Spanned<String>,
        topology: &Topology,
        found: &mut Diagnostics,
    ) -> Option<(String, String)> {
        if let Some((namespace, name)) = name.value.split_once('/') {
            return Some((namespace.to_owned(), name.to_owned()));
        }
        let Some(own) = self.own() else {
            let message = format!("there is no namespace here to find `{}` in", name.value);
            let finding = Diagnostic::new(&CONTRADICTION, name.span, message);
            found.push(finding.help("write `namespace/name`"));
            return None;
        };
        Some((topology.namespace(own).name.value.clone(), name.value.clone()))
    }
}

fn plain(cidrs: &[Spanned<Cidr>]) -> Vec<Cidr> {
    cidrs.iter().map(|cidr| cidr.value).collect()
}

fn ranges(cidrs: &[Spanned<Cidr>], except: &[Spanned<Cidr>], found: &mut Diagnostics) -> PeerKind {
    let inside = |out: &Spanned<Cidr>| cidrs.iter().any(|cidr| cidr.0.contains(&out.0));
    for out in except.iter().filter(|out| !inside(out)) {
        // Source: the agent refuses an exception outside its range from 1.20 on.
        let message = format!("`{}` lies in none of the ranges that it is an exception of", out.0);
        found.push(Diagnostic::new(&CONTRADICTION, out.span, message));
    }
    PeerKind::Cidrs(plain(cidrs), plain(except))
}

/// The names that may have been meant, written as the reference was.
fn candidates<'a>(
    known: impl Iterator<Item = &'a (String, String)>,
    namespace: &str,
    name: &Spanned<String>,
    found: &Diagnostics,
) -> Vec<String> {
    if !suggests(found) {
        return Vec::new();
    }
    let full = name.value.contains('/');
    known
        .filter(|(of, _)| full || of == namespace)
        .map(|(of, name)| if full { format!("{of}/{name}") } else { name.clone() })
        .collect()
}

/// Source: the entity is refused before 1.20 (CRD enumeration and agent), and a refused policy
/// enforces nothing.
fn supported(entity: &Spanned<Entity>, topology: &Topology, found: &mut Diagnostics) {
    let old = topology.clusters.iter().find(|cluster| cluster.cilium.minor < 20);
    let Some(cluster) = old.filter(|_| entity.value == Entity::ClusterMesh) else { return };
    let message = format!("Cilium {} does not know the entity `cluster-mesh`", *cluster.cilium);
    found.push(
        Diagnostic::new(&UNSUPPORTED, entity.span, message)
            .related(cluster.cilium.span, format!("the version of `{}`", cluster.name.value))
            .help("use `cluster` for the own cluster, or name namespaces"),
    );
}
