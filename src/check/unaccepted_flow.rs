//! A flow into a namespace whose team has not agreed to it.

mod ports;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::pods::Pods;
use crate::topology::{
    ClusterId, ClusterSet, Flow, FlowOwner, Namespace, NamespaceId, Peer, PeerKind, Topology,
};
use ports::{Range, accepted, covered, ranges};

declare_rules! {
    /// ## What it does
    /// Reports a caller of another team's flow that comes from another namespace into one whose
    /// team says in `accepts` which callers it agrees to, where no entry covers it: the caller, the
    /// called, the clusters and the ports. A flow that the application of the namespace declares
    /// is agreed by that. Callers that are no pods are in no namespace, and not asked about.
    ///
    /// ## Why it matters
    /// A flow opens both of its ends, whoever declares it. `accepts` is how the team of the called
    /// has a say: a caller that is not on its list has not been agreed with it.
    ///
    /// ## Example
    /// ```yaml
    /// # the team of payments
    /// accepts: [{from: [{namespace: web}], to: [{service: ledger}]}]
    /// # another team
    /// flows: {book: {from: [billing], to: [payments/ledger]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// accepts:
    ///   - {from: [{namespace: web}], to: [{service: ledger}]}
    ///   - {from: [{workload: billing/billing}], to: [{service: ledger}]}
    /// ```
    pub static UNACCEPTED_FLOW = { code: "LB4006", name: "unaccepted-flow", summary: "a flow into a namespace whose team has not agreed to it", severity: Error };
}

/// Reports each caller of each flow once for each namespace that does not accept it.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for flow in &topology.flows {
        for called in &flow.to {
            let Some(id) = namespace(topology, called) else { continue };
            let namespace = topology.namespace(id);
            // A flow of the team itself is its agreement.
            if namespace.accepts.is_empty() || flow.owner == FlowOwner::Namespace(id) {
                continue;
            }
            for caller in &flow.from {
                let left = open_question(topology, namespace, flow, caller, called);
                if let Some(left) = left {
                    found.push(finding(topology, namespace, flow, caller, called, &left));
                }
            }
        }
    }
}

fn namespace(topology: &Topology, called: &Peer) -> Option<NamespaceId> {
    match called.kind {
        PeerKind::Workload(id) => Some(topology.workload(id).namespace),
        PeerKind::Service(id) => Some(topology.service(id).namespace),
        PeerKind::Namespace(_, id) => id,
        _ => None,
    }
}

/// The clusters from which the caller is not agreed to on all ports; nothing where it is.
fn open_question(
    topology: &Topology,
    namespace: &Namespace,
    flow: &Flow,
    caller: &Peer,
    called: &Peer,
) -> Option<ClusterSet> {
    let (from, to) = (Pods::of(topology, caller)?, Pods::of(topology, called)?);
    let own = Pods { namespace: Some(&namespace.name.value), ..Pods::default() };
    if from.within(&own) || from.is_nobody() || to.is_nobody() {
        return None;
    }
    let clients = clients(topology, caller, called);
    let covers = |peers: &[Peer], pods: &Pods<'_>, all: Option<&ClusterSet>| {
        let covering = peers.iter().filter(|peer| {
            Pods::of(topology, peer).is_some_and(|known| pods.within(&known))
                && all.is_none_or(|all| all.without(&peer.clusters).is_empty())
        });
        covering.fold(None, |clusters: Option<ClusterSet>, peer| {
            Some(clusters.map_or(peer.clusters.clone(), |known| known.or(&peer.clusters)))
        })
    };
    let agreed: Vec<(ClusterSet, Vec<Range>)> = (namespace.accepts.iter())
        .filter(|accept| {
            accept.to.is_empty() || covers(&accept.to, &to, Some(&called.clusters)).is_some()
        })
        .filter_map(|accept| {
            Some((covers(&accept.from, &from, None)?, accepted(topology, accept, &to)))
        })
        .collect();
    let mut left = ClusterSet::new();
    for range in ranges(topology, flow.ports.as_ref(), called) {
        let open = agreed.iter().filter(|(_, ports)| covered(&range, ports));
        let open = open.fold(ClusterSet::new(), |all, (clusters, _)| all.or(clusters));
        left = left.or(&clients.without(&open));
    }
    (!left.is_empty()).then_some(left)
}

/// The clusters from which the caller finds the called.
fn clients(topology: &Topology, caller: &Peer, called: &Peer) -> ClusterSet {
    let meshed = |id: &ClusterId| topology.cluster(*id).in_mesh;
    let servers: Vec<ClusterId> = called.clusters.iter().filter(meshed).collect();
    let finds = |client: ClusterId| {
        servers.iter().any(|server| *server != client && topology.finds(called, client, *server))
    };
    let away = caller.clusters.iter().filter(meshed).filter(|client| finds(*client));
    caller.clusters.and(&called.clusters).or(&away.collect())
}

fn finding(
    topology: &Topology,
    namespace: &Namespace,
    flow: &Flow,
    caller: &Peer,
    called: &Peer,
    left: &ClusterSet,
) -> Diagnostic {
    let name = &namespace.name.value;
    let message =
        format!("the namespace `{name}` does not accept this caller of `{}`", flow.name.value);
    let clusters: Vec<_> =
        left.iter().take(3).map(|id| topology.cluster(id).name.value.as_str()).collect();
    let more = if left.len() > clusters.len() { " and others" } else { "" };
    Diagnostic::new(&UNACCEPTED_FLOW, caller.span, message)
        .label(format!("from {}{more}", clusters.join(", ")))
        .related(called.span, "the called")
        .related(namespace.accepts[0].span, "what it accepts begins here")
        .help(format!(
            "agree with the team of `{name}` on an entry in `accepts`, or remove the flow"
        ))
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// What is found with these entries about a flow from `web` to `fraud-detection` with these
    /// ports.
    fn found(accepts: &str, from: &str, to: &str) -> usize {
        let web = r"
---
apiVersion: landbridge.dev/v1alpha1
kind: MeshApplication
metadata: {name: web}
spec:
  namespace: web
  workloads: {web: {labels: {app: web}, clusters: [use1, euw1]}}
  flows: {call: {from: [FROM], to: [TO}}
";
        let web = web.replace("FROM", from).replace("[TO}", to);
        let accepting = format!("  accepts: [{accepts}]\n  flows:\n");
        let text = TWO_CLUSTERS.replace("  flows:\n", &accepting) + &web;
        let (_, found) = resolved(&text);
        assert!(found.iter().all(|line| line.contains(" LB4006 ")), "{found:#?}");
        found.len()
    }

    #[test]
    fn an_entry_covers_caller_called_clusters_and_ports() {
        let service = "[{service: payments/fraud-detection}]}";
        let pods =
            |ports: &str| format!("[{{workload: payments/fraud-detection}}], ports: {ports}}}");
        let other = "{from: [{namespace: other}]}";
        for (entry, from, to, expected) in [
            (other, "web", service, 1),
            ("{from: [{namespace: web}]}", "web", service, 0),
            ("{from: [{namespaceLabels: {kubernetes.io/metadata.name: web}}]}", "web", service, 0),
            ("{from: [{workload: web/web}]}", "{namespace: web}", service, 1),
            ("{from: [{workload: web/web, clusters: [use1]}]}", "web", service, 1),
            (
                "{from: [{workload: web/web, clusters: [use1]}]}",
                "{workload: web, clusters: [use1]}",
                service,
                0,
            ),
            (
                "{from: [{workload: web/web, clusters: [use1]}, {workload: web/web, clusters: [euw1]}]}",
                "web",
                service,
                0,
            ),
            ("{from: [{namespace: web}], to: [{service: fraud-detection}]}", "web", service, 0),
            (
                "{from: [{namespace: web}], to: [{service: fraud-detection}]}",
                "web",
                &pods("[8080]"),
                0,
            ),
            (
                "{from: [{namespace: web}], to: [{service: fraud-detection}]}",
                "web",
                &pods("[8081]"),
                1,
            ),
            (
                "{from: [{namespace: web}], ports: [8000-8050, 8051-8099]}",
                "web",
                &pods("[8040-8099]"),
                0,
            ),
            (
                "{from: [{namespace: web}], ports: [8000-8050, 8052-8099]}",
                "web",
                &pods("[8040-8099]"),
                1,
            ),
            ("{from: [{namespace: web}], ports: [8080]}", "web", &pods("[8080/UDP]"), 1),
            ("{from: [{namespace: web}], ports: [http]}", "web", &pods("[http]"), 0),
            ("{from: [{namespace: web}], to: [{workload: payment-frontend}]}", "web", service, 1),
            (other, "{entity: world}", service, 0),
        ] {
            assert_eq!(found(entry, from, to), expected, "{entry} {from} {to}");
        }
    }

    #[test]
    fn nobody_asks_about_flows_of_the_team_and_callers_of_its_namespace() {
        let accepting = "  accepts: [{from: [{namespace: other}]}]\n  flows:\n    in: {from: \
             [{namespace: third}], to: [fraud-detection]}\n";
        let (_, found) = resolved(&TWO_CLUSTERS.replace("  flows:\n", accepting));
        assert_eq!(found, [""; 0]);
    }
}
