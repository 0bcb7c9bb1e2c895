//! Writes that reach pods other than the one writer's.

use std::collections::BTreeMap;

use super::written::names;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::application::Affinity;
use crate::topology::{ClusterId, ClusterSet, Global, PeerKind, Service, ServiceId, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a service whose workload has a `writer` and whose callers may end up at a replica:
    /// it is shared or exported from other clusters than the writer's, or a flow calls it from a
    /// cluster in which replicas run, so that the local Service has these behind it. A service
    /// that is `readOnly` may be served by any replica.
    ///
    /// ## Why it matters
    /// All endpoints of a service are equal to its callers. Some writes arrive at a replica and
    /// fail, or, where the replica takes them, the data of two clusters part ways. A global service
    /// with the affinity `local` sends every write of a replica's cluster to the replica.
    ///
    /// With `shared: [<the writer>]` and the affinity `remote` callers everywhere are sent to the
    /// writer, as long as any of its pods is healthy.
    ///
    /// ## Example
    /// ```yaml
    /// workloads: {db: {labels: {app: db}, clusters: [use1, euw1], writer: use1}}
    /// services: {db: {workload: db, ports: [{port: 5432}], global: {affinity: local}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// services:
    ///   db: {workload: db, ports: [{port: 5432}], global: {affinity: remote, shared: [use1]}}
    ///   db-read: {workload: db, ports: [{port: 5432}], global: {affinity: local}, readOnly: true}
    /// ```
    pub static SCATTERED_WRITES = { code: "LB2040", name: "scattered-writes", summary: "a service that sends writes to replicas", severity: Error };
}

/// Reports each such service once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let callers = callers(topology);
    for (at, service) in topology.services.iter().enumerate() {
        let Some(writer) = &topology.workload(service.workload).writer else { continue };
        if service.read_only {
            continue;
        }
        let problem = offered(topology, service, **writer).or_else(|| {
            let callers = callers.get(&ServiceId::new(at))?;
            called(topology, service, **writer, callers)
        });
        let Some((span, message, help)) = problem else { continue };
        let name = &topology.cluster(**writer).name.value;
        let finding = Diagnostic::new(&SCATTERED_WRITES, service.name.span, message)
            .related(writer.span, format!("only the pods in `{name}` may be written to"));
        let finding = match span {
            Some((span, label)) => finding.related(span, label),
            None => finding,
        };
        found.push(finding.help(help).help("write `readOnly: true` where its callers only read"));
    }
}

/// A further place with what is there, a message, a help.
type Problem = (Option<(Span, String)>, String, String);

/// The clusters from which flows call each service whose workload has a writer.
fn callers(topology: &Topology) -> BTreeMap<ServiceId, Vec<(Span, ClusterSet)>> {
    let mut callers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for flow in &topology.flows {
        for to in &flow.to {
            let PeerKind::Service(id) = to.kind else { continue };
            if topology.workload(topology.service(id).workload).writer.is_none() {
                continue;
            }
            let pods = flow.from.iter().filter(|from| {
                matches!(
                    from.kind,
                    PeerKind::Workload(_) | PeerKind::Service(_) | PeerKind::Namespace(_, Some(_))
                )
            });
            let all = pods.map(|from| (to.span, from.clusters.clone()));
            callers.entry(id).or_default().extend(all);
        }
    }
    callers
}

/// The replicas that other clusters find.
fn offered(topology: &Topology, service: &Service, writer: ClusterId) -> Option<Problem> {
    let only = ClusterSet::from_iter([writer]);
    let (offered, how) = match &service.global {
        _ if service.export => (&service.clusters, "exported"),
        Some(global) => (&global.shared, "shared"),
        None => return None,
    };
    let replicas = offered.without(&only);
    let from = names(topology, &replicas);
    let message =
        format!("`{}` is {how} from {from}, where its pods are replicas", service.name.value);
    let writer = &topology.cluster(writer).name.value;
    let help = match how {
        "shared" => format!("write `global: {{affinity: remote, shared: [{writer}]}}`"),
        _ => "declare the replicas as a workload of their own".to_owned(),
    };
    (!replicas.is_empty()).then_some((None, message, help))
}

/// The replicas that callers in their own cluster find.
fn called(
    topology: &Topology,
    service: &Service,
    writer: ClusterId,
    callers: &[(Span, ClusterSet)],
) -> Option<Problem> {
    for (span, clusters) in callers {
        let replicas = clusters.and(&service.clusters).without(&ClusterSet::from_iter([writer]));
        let reached = |id: &ClusterId| match &service.global {
            Some(Global { affinity: Some(Affinity::Remote), shared, .. }) => {
                !shared.contains(writer) || !topology.joined(*id, writer)
            }
            _ => true,
        };
        let wrong: ClusterSet = replicas.iter().filter(reached).collect();
        if wrong.is_empty() {
            continue;
        }
        let places = names(topology, &wrong);
        let message =
            format!("callers of `{}` in {places} are sent to replicas", service.name.value);
        let writer = &topology.cluster(writer).name.value;
        let help = format!("write `global: {{affinity: remote, shared: [{writer}]}}`");
        return Some((Some((*span, format!("called from {places} too"))), message, help));
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// A database with its writer in `use1`, called from `euw1`.
    fn findings(service: &str) -> Vec<String> {
        let text = TWO_CLUSTERS
            .replace("serviceAccount: fraud}", "serviceAccount: fraud, writer: use1}")
            .replace("      global: {affinity: local, shared: true}\n      export: true", service);
        let (_, found) = resolved(&text);
        found.into_iter().filter_map(|line| Some(line.split_once(" LB2040 ")?.1.into())).collect()
    }

    #[test]
    fn writes_go_to_the_writer_only() {
        let local = "callers of `fraud-detection` in `euw1` are sent to replicas";
        let shared = "`fraud-detection` is shared from `euw1`, where its pods are replicas";
        for (service, expected) in [
            ("      global: {affinity: remote, shared: [use1]}", None),
            ("      global: true\n      readOnly: true", None),
            ("      export: true\n      readOnly: true", None),
            ("      global: true", Some(shared)),
            ("      global: {affinity: local, shared: [use1]}", Some(local)),
            ("      global: {shared: [use1]}", Some(local)),
            ("      headless: false", Some(local)),
            (
                "      export: true",
                Some("`fraud-detection` is exported from `euw1`, where its pods are replicas"),
            ),
        ] {
            assert_eq!(findings(service), Vec::from_iter(expected), "{service}");
        }
    }

    #[test]
    fn the_writer_is_a_cluster_of_the_workload() {
        let text = TWO_CLUSTERS.replace(
            "clusters: [use1, euw1], serviceAccount: fraud}",
            "clusters: [euw1], writer: use1}",
        );
        let (_, found) = resolved(&text);
        let wanted = "LB0016 the workload does not run in `use1`";
        assert!(found.iter().any(|line| line.ends_with(wanted)), "{found:?}");
    }
}
