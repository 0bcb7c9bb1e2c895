//! Flows and their peers.

use super::super::id::{ClusterSet, NamespaceId};
use super::super::{Accept, Flow, FlowOwner, HttpMatch, PathMatch, Peer, PeerKind, Topology};
use super::{CONTRADICTION, Names, UNSUPPORTED, dangling, labels, region_clusters};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::Spec;
use crate::spec::flow::{self as written, Entity};
use crate::spec::ports::{Opening, Ports, Protocol};
use crate::spec::value::Cidr;

/// Resolves every flow and what namespaces accept.
pub(super) fn resolve(
    spec: &Spec,
    topology: &mut Topology,
    names: &Names,
    found: &mut Diagnostics,
) {
    let names = External { names, externals: externals(spec) };
    for named in &spec.applications {
        let Some(application) = &named.spec else { continue };
        let namespace = names.names.namespaces[&application.namespace.value.0];
        let owner = FlowOwner::Namespace(namespace);
        let mut flows: Vec<_> = application.flows.iter().collect();
        flows.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        for (name, flow) in flows {
            let flow = one(name, flow, owner, &named.name.value, topology, &names, found);
            topology.flows.push(flow);
        }
        for accept in &application.accepts {
            let (from, to) = sides(&accept.from, &accept.to, owner, topology, &names, found);
            let ports = accept.ports.as_ref().map(|ports| ports.value.clone());
            let accept = Accept { span: accept.span, from, to, ports };
            topology.namespaces[namespace.index()].accepts.push(accept);
        }
    }
    for named in &spec.capabilities {
        let (Some(capability), Some(Some(id))) =
            (&named.spec, names.names.capabilities.get(&named.name.value).copied())
        else {
            continue;
        };
        let owner = FlowOwner::Capability(id);
        let mut flows: Vec<_> = capability.flows.iter().collect();
        flows.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        for (name, flow) in flows {
            let flow = one(name, flow, owner, &named.name.value, topology, &names, found);
            topology.flows.push(flow);
        }
    }
}

/// Names with the peers outside the mesh.
struct External<'a> {
    names: &'a Names,
    externals: std::collections::BTreeMap<String, Option<(Vec<Cidr>, Vec<Cidr>)>>,
}

fn externals(spec: &Spec) -> std::collections::BTreeMap<String, Option<(Vec<Cidr>, Vec<Cidr>)>> {
    let written = spec.topology.as_ref().and_then(|named| named.spec.as_ref());
    let plain = |cidrs: &[Spanned<Cidr>]| cidrs.iter().map(|cidr| cidr.value).collect();
    let entries = written.iter().flat_map(|topology| &topology.externals.entries);
    let entry = |(name, external): &(Spanned<String>, Option<crate::spec::region::External>)| {
        let ranges = external.as_ref().map(|e| (plain(&e.cidrs), plain(&e.except)));
        (name.value.clone(), ranges)
    };
    entries.map(entry).collect()
}

fn one(
    name: &Spanned<String>,
    flow: &written::Flow,
    owner: FlowOwner,
    document: &str,
    topology: &Topology,
    names: &External<'_>,
    found: &mut Diagnostics,
) -> Flow {
    let (mut from, mut to) = sides(&flow.from, &flow.to, owner, topology, names, found);
    ports(flow, &to, found);
    match owner {
        FlowOwner::Namespace(_) => {
            both_sides(flow, found);
            anchored(flow, &from, &to, found);
        }
        FlowOwner::Capability(id) => {
            one_side(flow, found);
            let own = Peer {
                span: name.span,
                kind: PeerKind::Capability(id),
                clusters: topology.capability(id).clusters.clone(),
                limited: false,
                labels: Vec::new(),
                service_account: None,
            };
            let absent = if flow.from.is_empty() { &mut from } else { &mut to };
            absent.push(own);
        }
    }
    Flow {
        name: name.clone(),
        owner,
        document: document.to_owned(),
        from,
        to,
        ports: flow.ports.as_ref().map(|ports| ports.value.clone()),
        http: http(flow, found),
    }
}

fn sides(
    from: &[written::From],
    to: &[written::To],
    owner: FlowOwner,
    topology: &Topology,
    names: &External<'_>,
    found: &mut Diagnostics,
) -> (Vec<Peer>, Vec<Peer>) {
    let from = from.iter().filter_map(|from| peer(&from.0, owner, topology, names, found));
    let from: Vec<_> = from.collect();
    for caller in &from {
        if let PeerKind::Fqdn(_) = caller.kind {
            // Source: `toFQDNs` has no counterpart for ingress in the CRD.
            let message = "a caller cannot be told by its DNS name";
            let finding = Diagnostic::new(&UNSUPPORTED, caller.span, message);
            found.push(finding.help("use `cidrs` or `external`"));
        }
    }
    let to = to.iter().filter_map(|to| peer(&to.0, owner, topology, names, found)).collect();
    (from, to)
}

fn both_sides(flow: &written::Flow, found: &mut Diagnostics) {
    for (side, empty) in [("from", flow.from.is_empty()), ("to", flow.to.is_empty())] {
        if empty {
            let message = format!("the flow has no `{side}`");
            let help = format!("list the peers in `{side}`");
            found.push(Diagnostic::new(&CONTRADICTION, flow.span, message).help(help));
        }
    }
}

fn one_side(flow: &written::Flow, found: &mut Diagnostics) {
    if flow.from.is_empty() == flow.to.is_empty() {
        let message = "a flow of a capability has either `from` or `to`";
        let help = "the other side is the pods that carry its labels";
        found.push(Diagnostic::new(&CONTRADICTION, flow.span, message).help(help));
    }
}

/// A flow without a side in a declared namespace gives no policy, so it would say nothing.
fn anchored(flow: &written::Flow, from: &[Peer], to: &[Peer], found: &mut Diagnostics) {
    if from.len() < flow.from.len() || to.len() < flow.to.len() {
        return;
    }
    let declared = |peer: &Peer| match peer.kind {
        PeerKind::Workload(_) | PeerKind::Service(_) | PeerKind::Capability(_) => true,
        PeerKind::Namespace(_, id) => id.is_some(),
        _ => false,
    };
    if !from.iter().chain(to).any(declared) && !from.is_empty() && !to.is_empty() {
        let message = "neither side of the flow is declared here, so no policy can allow it";
        let help = "name a workload, a service or a declared namespace on one side";
        found.push(Diagnostic::new(&CONTRADICTION, flow.span, message).help(help));
    }
}

/// Reports a peer that has no ports of its own where the flow has none either.
fn ports(flow: &written::Flow, to: &[Peer], found: &mut Diagnostics) {
    let without = to.iter().find(|peer| !matches!(peer.kind, PeerKind::Service(_)));
    match (&flow.ports, without) {
        (None, Some(peer)) => {
            let finding =
                Diagnostic::new(&CONTRADICTION, peer.span, "this peer has no ports of its own");
            found.push(finding.help("add `ports` to the flow, or `ports: all`"));
        }
        (None, None) if to.is_empty() && flow.to.is_empty() && !flow.from.is_empty() => {
            let finding = Diagnostic::new(&CONTRADICTION, flow.span, "the flow says no ports");
            found.push(finding.help("add `ports`, or `ports: all`"));
        }
        (Some(ports), None) if !to.is_empty() => {
            let finding =
                Diagnostic::new(&CONTRADICTION, ports.span, "a service has ports of its own");
            found.push(
                finding.help("remove `ports`, or name the `workload` instead of the service"),
            );
        }
        _ => {}
    }
}

fn http(flow: &written::Flow, found: &mut Diagnostics) -> Vec<HttpMatch> {
    if let (Some(first), Some(ports)) = (flow.http.first(), &flow.ports) {
        let tcp = |opening: &Opening| {
            matches!(opening, Opening::Port { protocol: Some(Protocol::Tcp), .. })
        };
        let fits = matches!(&ports.value, Ports::Some(some) if some.iter().all(tcp));
        if !fits {
            // Source: the agent refuses L7 rules on other protocols and on port 0.
            let finding = Diagnostic::new(&CONTRADICTION, first.span, "HTTP needs TCP ports");
            found.push(
                finding.related(ports.span, "the ports").help("list the TCP ports that speak HTTP"),
            );
        }
    }
    flow.http.iter().map(|rule| one_http(rule, found)).collect()
}

fn one_http(rule: &written::HttpRule, found: &mut Diagnostics) -> HttpMatch {
    let paths = [
        rule.path.as_ref().map(|path| (path.span, PathMatch::Exact(path.value.0.clone()))),
        rule.path_prefix.as_ref().map(|path| (path.span, PathMatch::Prefix(path.value.0.clone()))),
        rule.path_regex.as_ref().map(|path| (path.span, PathMatch::Regex(path.value.0.clone()))),
    ];
    let mut paths = paths.into_iter().flatten();
    let path = paths.next();
    if let Some((span, _)) = paths.next() {
        let message = "a rule has one of `path`, `pathPrefix` and `pathRegex`";
        found.push(Diagnostic::new(&CONTRADICTION, span, message).help("write two rules"));
    }
    if let Some((span, PathMatch::Regex(regex))) = &path
        && let Err(error) = regex::Regex::new(regex)
    {
        let reason = error.to_string();
        let reason =
            reason.lines().last().unwrap_or("it cannot be read").trim_start_matches("error: ");
        let message = format!("the regular expression cannot be read: {reason}");
        crate::yaml::fields::invalid(*span, message, "", found);
    }
    let method = rule.method.as_ref().map(|method| method.value.0.clone());
    HttpMatch { method, path: path.map(|(_, path)| path) }
}

/// Resolves one peer; gives nothing where its name is unknown or could not be used.
fn peer(
    peer: &written::Peer,
    owner: FlowOwner,
    topology: &Topology,
    names: &External<'_>,
    found: &mut Diagnostics,
) -> Option<Peer> {
    let all: ClusterSet = topology.clusters().map(|(id, _)| id).collect();
    let (kind, clusters) = kind(&peer.kind, owner, topology, names, &all, found)?;
    limits_fit(peer, &kind, found);
    let mut limited = clusters.clone();
    if let Some(only) = &peer.clusters {
        limited = limited.and(&names.names.cluster_set(only, found));
    }
    if !peer.regions.is_empty() {
        limited = limited.and(&region_clusters(topology, &peer.regions, found));
    }
    if !peer.not_regions.is_empty() {
        limited = limited.without(&region_clusters(topology, &peer.not_regions, found));
    }
    let has_limit =
        peer.clusters.is_some() || !peer.regions.is_empty() || !peer.not_regions.is_empty();
    if limited.is_empty() && !clusters.is_empty() && has_limit {
        let message = "the limits of this peer leave no cluster in which it runs";
        found.push(Diagnostic::new(&CONTRADICTION, peer.span, message));
    }
    Some(Peer {
        span: peer.span,
        kind,
        clusters: limited,
        limited: has_limit,
        labels: labels(peer.labels.as_ref()),
        service_account: peer.service_account.as_ref().map(|account| account.value.0.clone()),
    })
}

/// Labels and accounts are pods'; what is outside the mesh has none.
fn limits_fit(peer: &written::Peer, kind: &PeerKind, found: &mut Diagnostics) {
    if !kind.is_pods() && (peer.labels.is_some() || peer.service_account.is_some()) {
        let message = "`labels` and `serviceAccount` limit pods, and this peer is none";
        found.push(Diagnostic::new(&CONTRADICTION, peer.span, message));
    }
}

fn kind(
    kind: &written::PeerKind,
    owner: FlowOwner,
    topology: &Topology,
    names: &External<'_>,
    all: &ClusterSet,
    found: &mut Diagnostics,
) -> Option<(PeerKind, ClusterSet)> {
    use written::PeerKind as Written;
    let own = match owner {
        FlowOwner::Namespace(id) => Some(id),
        FlowOwner::Capability(_) => None,
    };
    Some(match kind {
        Written::Workload(name) => {
            let key = qualified(name, own, topology, found)?;
            let known = &names.names.workloads;
            let Some(id) = known.get(&key) else {
                found.push(dangling(
                    "workload",
                    name,
                    candidates(known.keys(), &key.0, name).iter(),
                ));
                return None;
            };
            let id = (*id)?;
            (PeerKind::Workload(id), topology.workload(id).clusters.clone())
        }
        Written::Service(name) => {
            let key = qualified(name, own, topology, found)?;
            let known = &names.names.services;
            let Some(id) = known.get(&key) else {
                let finding =
                    dangling("service", name, candidates(known.keys(), &key.0, name).iter());
                let workload = names.names.workloads.contains_key(&key);
                found.push(if workload {
                    finding.help("write `{workload: …}` for the pods themselves")
                } else {
                    finding
                });
                return None;
            };
            let id = (*id)?;
            (PeerKind::Service(id), topology.service(id).clusters.clone())
        }
        Written::Namespace(name) => namespace(name, own, topology, names, all, found)?,
        Written::NamespaceLabels(some) => {
            (PeerKind::NamespaceLabels(labels(Some(some))), all.clone())
        }
        Written::Capability(name) => {
            let known = &names.names.capabilities;
            let Some(id) = known.get(&name.value) else {
                found.push(dangling("capability", name, known.keys()));
                return None;
            };
            let id = (*id)?;
            (PeerKind::Capability(id), topology.capability(id).clusters.clone())
        }
        Written::Entities(entities) => {
            entities.iter().for_each(|entity| supported(entity, topology, found));
            (PeerKind::Entities(entities.iter().map(|entity| entity.value).collect()), all.clone())
        }
        Written::External(name) => {
            let Some(ranges) = names.externals.get(&name.value) else {
                found.push(dangling("external peer", name, names.externals.keys()));
                return None;
            };
            let (cidrs, except) = ranges.clone()?;
            (PeerKind::Cidrs(cidrs, except), all.clone())
        }
        Written::Cidrs { cidrs, except } => {
            for out in except {
                if !cidrs.iter().any(|cidr| cidr.0.contains(&out.0)) {
                    // Source: the agent refuses an exception outside its range from 1.20 on.
                    let message = format!(
                        "`{}` lies in none of the ranges that it is an exception of",
                        out.0
                    );
                    found.push(Diagnostic::new(&CONTRADICTION, out.span, message));
                }
            }
            let plain = |list: &[Spanned<Cidr>]| list.iter().map(|cidr| cidr.value).collect();
            (PeerKind::Cidrs(plain(cidrs), plain(except)), all.clone())
        }
        Written::Fqdn(names) => {
            (PeerKind::Fqdn(names.iter().map(|name| name.value.0.clone()).collect()), all.clone())
        }
        Written::Any => return None,
    })
}

/// Namespace and name of a reference such as `fraud-detection` or `ledger/ledger-api`.
fn qualified(
    name: &Spanned<String>,
    own: Option<NamespaceId>,
    topology: &Topology,
    found: &mut Diagnostics,
) -> Option<(String, String)> {
    if let Some((namespace, name)) = name.value.split_once('/') {
        return Some((namespace.to_owned(), name.to_owned()));
    }
    let Some(own) = own else {
        let message = format!("a capability has no namespace to find `{}` in", name.value);
        let finding = Diagnostic::new(&CONTRADICTION, name.span, message);
        found.push(finding.help("write `namespace/name`"));
        return None;
    };
    Some((topology.namespace(own).name.value.clone(), name.value.clone()))
}

/// The names that may have been meant, written as the reference was.
fn candidates<'a>(
    known: impl Iterator<Item = &'a (String, String)>,
    namespace: &str,
    name: &Spanned<String>,
) -> Vec<String> {
    let full = name.value.contains('/');
    known
        .filter(|(of, _)| full || of == namespace)
        .map(|(of, name)| if full { format!("{of}/{name}") } else { name.clone() })
        .collect()
}

fn namespace(
    name: &Spanned<crate::spec::value::Label>,
    own: Option<NamespaceId>,
    topology: &Topology,
    names: &External<'_>,
    all: &ClusterSet,
    found: &mut Diagnostics,
) -> Option<(PeerKind, ClusterSet)> {
    let id = if name.value.0 == "same" {
        let Some(own) = own else {
            let message = "a capability has no namespace of its own";
            found.push(
                Diagnostic::new(&CONTRADICTION, name.span, message).help("name the namespace"),
            );
            return None;
        };
        Some(own)
    } else {
        names.names.namespaces.get(&name.value.0).copied()
    };
    Some(match id {
        Some(id) => {
            let namespace = topology.namespace(id);
            let kind = PeerKind::Namespace(namespace.name.value.clone(), Some(id));
            (kind, namespace.clusters.clone())
        }
        None => (PeerKind::Namespace(name.value.0.clone(), None), all.clone()),
    })
}

/// Source: the entity is refused before 1.20 (CRD enumeration and agent), and a refused policy
/// enforces nothing.
fn supported(entity: &Spanned<Entity>, topology: &Topology, found: &mut Diagnostics) {
    let old = |cluster: &&super::super::Cluster| cluster.cilium.minor < 20;
    if entity.value == Entity::ClusterMesh
        && let Some(cluster) = topology.clusters.iter().find(old)
    {
        let span: Span = entity.span;
        let message = format!("Cilium {} does not know the entity `cluster-mesh`", *cluster.cilium);
        found.push(
            Diagnostic::new(&UNSUPPORTED, span, message)
                .related(cluster.cilium.span, format!("the version of `{}`", cluster.name.value))
                .help("use `cluster` for the own cluster, or name namespaces"),
        );
    }
}
