//! Namespaces, workloads, services and capabilities.

use std::collections::BTreeMap;

use super::super::id::{CapabilityId, ClusterId, ClusterSet, NamespaceId, ServiceId, WorkloadId};
use super::super::{
    Capability, Global, Namespace, PeerKind, Service, ServicePort, Topology, Workload,
};
use super::{CONTRADICTION, Names, dangling, labels, mesh, region_clusters};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::application::{
    self as written, Affinity, ApplicationSpec, Global as WrittenGlobal, Manage, Shared,
};
use crate::spec::mesh::Direction;
use crate::spec::ports::{PortRef, Protocol};
use crate::spec::value::LabelValue;
use crate::spec::{Named, Spec, duplicate};

/// Resolves what applications and capabilities declare, but for their flows.
pub(super) fn resolve(
    spec: &Spec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let usable: Vec<_> =
        spec.applications.iter().filter_map(|named| Some((named, named.spec.as_ref()?))).collect();
    namespaces(&usable, topology, names, found);
    workloads(&usable, topology, names, found);
    services(&usable, topology, names, found);
    for named in &spec.capabilities {
        let id = named.spec.as_ref().map(|capability| {
            let all = topology.clusters().map(|(id, _)| id).collect();
            let clusters = match &capability.clusters[..] {
                [] => all,
                some => names.cluster_set(some, found),
            };
            let labels = labels(Some(&capability.labels));
            topology.capabilities.push(Capability { name: named.name.clone(), labels, clusters });
            CapabilityId::new(topology.capabilities.len() - 1)
        });
        names.capabilities.insert(named.name.value.clone(), id);
    }
}

type Applications<'a> = [(&'a Named<ApplicationSpec>, &'a ApplicationSpec)];

fn namespaces(
    applications: &Applications<'_>,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let mut by_name: BTreeMap<&str, Namespace> = BTreeMap::new();
    let mut all_labels: BTreeMap<&str, NamespaceLabels<'_>> = BTreeMap::new();
    for (_, spec) in applications {
        let declared = mesh::directions(spec.default_deny.as_ref());
        let deny = declared.as_ref().unwrap_or(&topology.mesh.default_deny);
        let namespace = Namespace {
            name: spec.namespace.clone().map(|name| name.0),
            clusters: names.cluster_set(&spec.clusters, found),
            deny_ingress: deny.contains(&Direction::Ingress),
            deny_egress: deny.contains(&Direction::Egress),
            create: spec.create_namespace.as_ref().is_some_and(|create| create.value),
            labels: Vec::new(),
            accepts: Vec::new(),
        };
        let own = all_labels.entry(spec.namespace.value.0.as_str()).or_default();
        namespace_labels(own, spec, found);
        match by_name.get_mut(spec.namespace.value.0.as_str()) {
            None => {
                by_name.insert(&spec.namespace.value.0, namespace);
            }
            Some(first) => join(first, &namespace, spec, found),
        }
    }
    for (name, mut namespace) in by_name {
        let labels = all_labels.remove(name).unwrap_or_default().into_iter();
        let labels = labels.map(|(key, value)| (key.to_owned(), value.value.0.clone()));
        namespace.labels = labels.collect();
        names.namespaces.insert(name.to_owned(), NamespaceId::new(topology.namespaces.len()));
        topology.namespaces.push(namespace);
    }
}

/// The labels of a namespace with the places of their values.
type NamespaceLabels<'a> = BTreeMap<&'a str, &'a Spanned<LabelValue>>;

/// Adds the labels that an application declares for its namespace.
fn namespace_labels<'a>(
    all: &mut NamespaceLabels<'a>,
    spec: &'a ApplicationSpec,
    found: &mut Diagnostics,
) {
    for (key, value) in spec.namespace_labels.iter().flat_map(|labels| &labels.0) {
        let first = *all.entry(&key.value.0).or_insert(value);
        if first.value != value.value {
            let (key, namespace) = (&key.value.0, &spec.namespace.value.0);
            let message =
                format!("two applications disagree about the label `{key}` of `{namespace}`");
            let finding = Diagnostic::new(&CONTRADICTION, value.span, message);
            found.push(finding.related(first.span, "first declared here"));
        }
    }
}

/// Two applications may share a namespace if they agree about it.
fn join(first: &mut Namespace, again: &Namespace, spec: &ApplicationSpec, found: &mut Diagnostics) {
    let deny = |namespace: &Namespace| (namespace.deny_ingress, namespace.deny_egress);
    if deny(first) != deny(again) {
        let span = spec.default_deny.as_ref().map_or(spec.namespace.span, |deny| deny.span);
        let message =
            format!("two applications disagree about the default deny of `{}`", first.name.value);
        let finding = Diagnostic::new(&CONTRADICTION, span, message);
        found.push(finding.related(first.name.span, "first declared here"));
    }
    first.clusters = first.clusters.or(&again.clusters);
    first.create |= again.create;
}

fn workloads(
    applications: &Applications<'_>,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let mut sorted = BTreeMap::new();
    for (_, spec) in applications {
        for (name, workload) in &spec.workloads.entries {
            let key = (spec.namespace.value.0.clone(), name.value.clone());
            once("workload", &mut sorted, key, (name, workload.as_ref()), found);
        }
    }
    for (key, (name, workload)) in sorted {
        let namespace = names.namespaces[&key.0];
        let id = workload.map(|workload| {
            let clusters = workload_clusters(name, workload, topology, names, found);
            let own = &mut topology.namespaces[namespace.index()];
            own.clusters = own.clusters.or(&clusters);
            if workload.labels.0.is_empty() {
                let message = format!("the workload `{}` has no labels", name.value);
                let help = "give the labels that tell its pods from others of the namespace";
                found.push(Diagnostic::new(&CONTRADICTION, name.span, message).help(help));
            }
            let writer = writer(workload, &clusters, names, found);
            topology.workloads.push(Workload {
                name: name.clone(),
                namespace,
                labels: labels(Some(&workload.labels)),
                clusters,
                writer,
                failover: workload.failover.as_ref().is_none_or(|failover| failover.value),
                service_account: workload.service_account.as_ref().map(|a| a.value.0.clone()),
            });
            WorkloadId::new(topology.workloads.len() - 1)
        });
        names.workloads.insert(key, id);
    }
}

fn workload_clusters(
    name: &Spanned<String>,
    workload: &written::Workload,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> ClusterSet {
    let clusters = names.cluster_set(&workload.clusters, found);
    if workload.clusters.is_empty() && workload.regions.is_empty() {
        let message = format!("the workload `{}` does not say where it runs", name.value);
        let help = "list its `clusters`, or its `regions`";
        found.push(Diagnostic::new(&CONTRADICTION, name.span, message).help(help));
    }
    clusters.or(&region_clusters(topology, &workload.regions, found))
}

/// The cluster that a workload names as its writer, which must be one in which it runs.
fn writer(
    workload: &written::Workload,
    clusters: &ClusterSet,
    names: &Names,
    found: &mut Diagnostics,
) -> Option<Spanned<ClusterId>> {
    let name = workload.writer.as_ref()?;
    let id = names.cluster(name, found)?;
    if !clusters.contains(id) {
        let message = format!("the workload does not run in `{}`", name.value);
        let help = "name one of the clusters in which it runs";
        found.push(Diagnostic::new(&CONTRADICTION, name.span, message).help(help));
        return None;
    }
    Some(Spanned::new(id, name.span))
}

/// Keeps the first of each name and reports the others.
fn once<'a, T>(
    what: &str,
    sorted: &mut BTreeMap<(String, String), (&'a Spanned<String>, T)>,
    key: (String, String),
    value: (&'a Spanned<String>, T),
    found: &mut Diagnostics,
) {
    match sorted.get(&key) {
        Some((first, _)) => found.push(duplicate(what, value.0, first)),
        None => {
            sorted.insert(key, value);
        }
    }
}

fn services(
    applications: &Applications<'_>,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let mut sorted = BTreeMap::new();
    for (_, spec) in applications {
        for (name, service) in &spec.services.entries {
            let key = (spec.namespace.value.0.clone(), name.value.clone());
            once("service", &mut sorted, key, (name, service.as_ref()), found);
        }
    }
    for (key, (name, service)) in sorted {
        let id = service.and_then(|service| {
            let service = one_service(name, &key.0, service, topology, names, found)?;
            topology.services.push(service);
            Some(ServiceId::new(topology.services.len() - 1))
        });
        names.services.insert(key, id);
    }
}

fn one_service(
    name: &Spanned<String>,
    namespace: &str,
    service: &written::Service,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Option<Service> {
    // Source: Kubernetes, "Service": a DNS-1035 label. From 1.34 on `RelaxedServiceNameValidation`
    // allows digits in front, where somebody switches it on.
    let letter = name.value.starts_with(|c: char| c.is_ascii_lowercase());
    if !letter || !crate::spec::value::is_label(&name.value, 63) {
        let message = format!("`{}` cannot be the name of a Service", name.value.escape_debug());
        let help = "use 1 to 63 lower-case letters, digits and `-`, with a letter at the start and \
                    a letter or digit at the end";
        crate::yaml::fields::invalid(name.span, message, help, found);
        return None;
    }
    let key = (namespace.to_owned(), service.workload.value.clone());
    let Some(workload) = names.workloads.get(&key) else {
        let own = names.workloads.keys().filter(|(of, _)| of == namespace).map(|(_, name)| name);
        found.push(dangling("workload", &service.workload, own, found));
        return None;
    };
    let workload = (*workload)?;
    let clusters = topology.workload(workload).clusters.clone();
    let headless = service.headless.as_ref().is_some_and(|headless| headless.value);
    Some(Service {
        name: name.clone(),
        namespace: names.namespaces[namespace],
        workload,
        ports: ports(name, service, headless, found),
        global: global(service.global.as_ref(), &clusters, topology, names, found),
        export: export(service, topology, found),
        traffic_distribution: service.traffic_distribution.clone(),
        headless,
        read_only: service.read_only.as_ref().is_some_and(|read_only| read_only.value),
        manage: service.manage.as_ref().map_or(Manage::Full, |manage| manage.value),
        clusters,
        client_clusters: ClusterSet::new(),
    })
}

fn ports(
    name: &Spanned<String>,
    service: &written::Service,
    headless: bool,
    found: &mut Diagnostics,
) -> Vec<ServicePort> {
    if service.ports.is_empty() && !headless {
        let message = format!("the service `{}` has no ports", name.value);
        found.push(Diagnostic::new(&CONTRADICTION, name.span, message).help("list its `ports`"));
    }
    let unnamed = service.ports.iter().find(|port| port.name.is_none());
    if let Some(port) = unnamed.filter(|_| service.ports.len() > 1) {
        // Source: Kubernetes' validation of Services.
        let message = "a service with several ports names each of them";
        found.push(Diagnostic::new(&CONTRADICTION, port.span, message).help("add a `name`"));
    }
    same_ports(service, found);
    let port = |port: &written::ServicePort| {
        let number = u16::try_from(port.port.value.0).unwrap_or(u16::MAX);
        ServicePort {
            name: port.name.as_ref().map(|name| name.value.0.clone()),
            port: number,
            target: port.target_port.as_ref().map_or(PortRef::Number(number), |t| t.value.clone()),
            protocol: port.protocol.as_ref().map_or(Protocol::Tcp, |protocol| protocol.value),
            app_protocol: port.app_protocol.as_ref().map(|protocol| protocol.value.0.clone()),
        }
    };
    service.ports.iter().map(port).collect()
}

/// Reports ports that the API server refuses beside each other. Source: `ValidateService` of
/// Kubernetes: names are unique, and so are pairs of protocol and port.
fn same_ports(service: &written::Service, found: &mut Diagnostics) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut numbers: BTreeMap<(Protocol, i64), Span> = BTreeMap::new();
    for port in &service.ports {
        let protocol = port.protocol.as_ref().map_or(Protocol::Tcp, |protocol| protocol.value);
        let number = &port.port;
        let first = numbers.insert((protocol, number.value.0), number.span);
        let twice = first.map(|first| {
            let message = format!("the service has the port {} twice", number.value.0);
            (first, number.span, message)
        });
        let named = port.name.as_ref().and_then(|name| {
            let first = names.insert(&name.value.0, name.span)?;
            Some((first, name.span, format!("two ports have the name `{}`", name.value.0)))
        });
        for (first, again, message) in twice.into_iter().chain(named) {
            let finding = Diagnostic::new(&CONTRADICTION, again, message);
            found.push(finding.related(first, "the first"));
        }
    }
}

fn global(
    written: Option<&WrittenGlobal>,
    clusters: &ClusterSet,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Option<Global> {
    let (span, affinity, shared) = match written? {
        WrittenGlobal::Switch(on) if !on.value => return None,
        WrittenGlobal::Switch(on) => (on.span, None, clusters.clone()),
        WrittenGlobal::Settings(settings) => {
            let affinity = settings.affinity.as_ref().map(|affinity| affinity.value);
            let shared = match &settings.shared {
                None => clusters.clone(),
                Some(Shared::Switch(on)) if on.value => clusters.clone(),
                Some(Shared::Switch(_)) => ClusterSet::new(),
                Some(Shared::Clusters(some)) => {
                    let shared = names.cluster_set(some, found);
                    for name in some.iter().filter(|name| {
                        let id = names.clusters.get(&name.value).copied().flatten();
                        id.is_some_and(|id| !clusters.contains(id))
                    }) {
                        let message = format!("its workload does not run in `{}`", name.value);
                        found.push(Diagnostic::new(&CONTRADICTION, name.span, message));
                    }
                    shared.and(clusters)
                }
            };
            (settings.span, affinity, shared)
        }
    };
    if !topology.mesh.global_services {
        let message = "the mesh has no global services";
        let finding = Diagnostic::new(&CONTRADICTION, span, message);
        found.push(finding.help("write `discovery: {globalServices: true}` in the mesh"));
    }
    let none = affinity == Some(Affinity::None);
    Some(Global { span, affinity: affinity.filter(|_| !none), affinity_none: none, shared })
}

fn export(service: &written::Service, topology: &Topology, found: &mut Diagnostics) -> bool {
    let Some(export) = service.export.as_ref().filter(|export| export.value) else { return false };
    if !topology.mesh.mcs {
        let message = "the mesh does not use the Multi-Cluster Services API";
        let finding = Diagnostic::new(&CONTRADICTION, export.span, message);
        found.push(finding.help("write `discovery: {mcs: true}` in the mesh"));
    }
    true
}

/// Finds what depends on flows: where only clients of a global service run, and what the mesh
/// must switch on for services.
pub(super) fn finish(topology: &mut Topology) {
    let mut clients: BTreeMap<ServiceId, ClusterSet> = BTreeMap::new();
    for flow in &topology.flows {
        for to in &flow.to {
            let PeerKind::Service(id) = to.kind else { continue };
            let own = clients.entry(id).or_default();
            for from in &flow.from {
                let declared = matches!(
                    from.kind,
                    PeerKind::Workload(_) | PeerKind::Service(_) | PeerKind::Namespace(_, Some(_))
                );
                if declared {
                    *own = own.or(&from.clusters);
                }
            }
        }
    }
    for route in &topology.routes {
        for to in &route.to {
            let own = clients.entry(to.service).or_default();
            *own = own.or(&route.clusters);
        }
    }
    for (id, clients) in clients {
        let service = &topology.services[id.index()];
        let servers = match &service.global {
            _ if service.export => &service.clusters,
            Some(global) => &global.shared,
            None => continue,
        };
        let near =
            |client: &ClusterId| servers.iter().any(|server| topology.joined(*client, server));
        let only: ClusterSet = clients.without(&service.clusters).iter().filter(near).collect();
        topology.services[id.index()].client_clusters = only;
    }
    let services = &topology.services;
    let headless = services.iter().any(|s| s.headless && (s.global.is_some() || s.export));
    topology.mesh.endpoint_slices |= headless;
    topology.mesh.service_topology = services.iter().any(|s| s.traffic_distribution.is_some());
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    const PORTS: &str = "[{name: http, port: 80, targetPort: 8080}]";

    #[test]
    fn services_are_what_the_api_server_takes() {
        let named = "    fraud-detection:\n";
        for (old, new, finding) in [
            (
                PORTS,
                "[{name: a, port: 80}, {name: b, port: 80}]",
                Some("the service has the port 80 twice"),
            ),
            (
                PORTS,
                "[{name: a, port: 80}, {name: a, port: 81}]",
                Some("two ports have the name `a`"),
            ),
            (PORTS, "[{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]", None),
            (named, "    2-fraud:\n", Some("`2-fraud` cannot be the name of a Service")),
        ] {
            let text = TWO_CLUSTERS.replacen(old, new, 1);
            assert_ne!(text, TWO_CLUSTERS);
            let (_, found) = resolved(&text);
            let said = found.first().is_some_and(|line| line.ends_with(finding.unwrap_or("-")));
            assert_eq!(said, finding.is_some(), "{new}: {found:?}");
            assert!(finding.is_some() || found.is_empty(), "{new}: {found:?}");
        }
    }

    #[test]
    fn applications_of_one_namespace_agree_about_its_labels() {
        let labelled = |name: &str, labels: &str| {
            format!(
                "---\napiVersion: landbridge.dev/v1alpha1\nkind: MeshApplication\n\
                 metadata: {{name: {name}}}\n\
                 spec: {{namespace: payments, namespaceLabels: {{{labels}}}}}\n"
            )
        };
        let project = |labels: &str| {
            format!("{TWO_CLUSTERS}{}{}", labelled("a", "team: a, x: z"), labelled("b", labels))
        };
        let (topology, found) = resolved(&project("team: a, b: c"));
        assert_eq!(found, Vec::<String>::new());
        let labels = topology.expect("a topology").namespaces.remove(0).labels;
        let keys: Vec<_> = labels.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["b", "team", "x"]);
        let (_, found) = resolved(&project("team: b"));
        let disagree = "LB0016 two applications disagree about the label `team` of `payments`";
        assert!(found.len() == 1 && found[0].ends_with(disagree), "{found:?}");
    }
}
