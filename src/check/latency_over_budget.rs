//! A flow whose calls take longer than the mesh's budget.

mod distance;

use std::time::Duration;

use distance::Distances;

use super::round_trip::{Trip, Trips};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::topology::{ClusterId, ClusterSet, Flow, Peer, PeerKind, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a flow that calls over a longer round trip than the mesh's `latencyBudget`, by the
    /// `roundTrip` of the interconnects on the shortest way. A global service whose calls are
    /// spread over clusters is one as soon as one of these is too far: without an affinity, with
    /// the affinity `remote`, and with `local` where the callers' own cluster has no endpoint. Any
    /// other flow is one if every cluster that serves it is too far from a caller. A service with
    /// the affinity `local` that runs where it is called stays there and is none.
    ///
    /// ## Why it matters
    /// Every call waits for the round trip, and most requests are several calls. A sum of
    /// interconnects is easily overlooked: each is within the budget, the way is not.
    ///
    /// ## Example
    /// ```yaml
    /// mesh: {latencyBudget: 100ms}
    /// interconnects:
    ///   - {between: [us-east-1, eu-west-1], type: transit-gateway, roundTrip: 76ms}
    ///   - {between: [eu-west-1, ap-southeast-1], type: transit-gateway, roundTrip: 160ms}
    /// # an application
    /// workloads: {orders: {labels: {app: orders}, clusters: [use1, apse1]}}
    /// services: {orders: {workload: orders, ports: [{port: 80}], global: true}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// services: {orders: {workload: orders, ports: [{port: 80}], global: {affinity: local}}}
    /// ```
    pub static LATENCY_OVER_BUDGET = { code: "LB2022", name: "latency-over-budget", summary: "a flow whose calls take longer than the mesh's budget", severity: Error };
}

/// Reports each called peer of a flow once, with its first caller.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let Some(budget) = &topology.mesh.latency_budget else { return };
    let mut trips = Trips::of(topology);
    let distances = Distances::of(topology, budget, &mut trips);
    let mut unknown = 0;
    for flow in &topology.flows {
        for to in flow.to.iter().filter(|to| to.kind.is_pods()) {
            let mut far = None;
            for from in flow.from.iter().filter(|from| from.kind.is_pods()) {
                for client in from.clusters.and(&distances.members).iter() {
                    let (over, blind) = distances.of_call(topology, to, client);
                    unknown += usize::from(blind);
                    if let Some(servers) = over {
                        far.get_or_insert((client, servers, 0)).2 += 1;
                    }
                }
            }
            if let Some((client, servers, clients)) = far {
                found.push(finding(
                    topology,
                    budget,
                    &mut trips,
                    flow,
                    to,
                    (client, &servers, clients),
                ));
            }
        }
    }
    if unknown > 0 {
        let why = if trips.exhausted() {
            "there are more networks and interconnects than are searched"
        } else {
            "an interconnect between them has no `roundTrip`"
        };
        let what = format!("the latency of {unknown} pairs of a flow and a caller's cluster");
        found.not_checked(budget.span, what, why);
    }
}

fn finding(
    topology: &Topology,
    budget: &Spanned<Duration>,
    trips: &mut Trips<'_>,
    flow: &Flow,
    to: &Peer,
    (client, servers, clients): (ClusterId, &ClusterSet, usize),
) -> Diagnostic {
    let from = topology.cluster(client);
    let mut worst = None;
    for server in servers.iter().map(|id| topology.cluster(id)) {
        if let Some(trip) = trips.between(from.network, server.network)
            && worst
                .as_ref()
                .is_none_or(|(_, known): &(_, Trip)| known.milliseconds < trip.milliseconds)
        {
            worst = Some((server, trip));
        }
    }
    let limit = budget.value.as_millis();
    let Some((server, trip)) = worst else {
        let message = format!("the flow `{}` is over the budget of {limit}ms", flow.name.value);
        return Diagnostic::new(&LATENCY_OVER_BUDGET, to.span, message);
    };
    let message = format!(
        "the flow `{}` calls from `{}` to `{}` in {}, over the budget of {limit}ms",
        flow.name.value,
        from.name.value,
        server.name.value,
        trip.shown()
    );
    let finding = Diagnostic::new(&LATENCY_OVER_BUDGET, to.span, message);
    let finding = trip.describe(topology, finding).related(budget.span, "the budget");
    let finding = match clients + servers.len() {
        2 => finding,
        _ => finding.note(format!(
            "in all {} too far for calls from `{}`, and {} such calls",
            counted(servers.len(), "cluster is", "clusters are"),
            from.name.value,
            counted(clients, "cluster makes", "clusters make"),
        )),
    };
    finding.help(help(topology, to, client))
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn help(topology: &Topology, to: &Peer, client: ClusterId) -> &'static str {
    let global = match to.kind {
        PeerKind::Service(id) => topology.service(id).global.is_some(),
        _ => false,
    };
    if global && to.clusters.contains(client) {
        "declare the service `global: {affinity: local}`, so that calls stay in their cluster"
    } else {
        "run the called nearer to its callers, or raise the `latencyBudget`"
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    const FRONTEND: &str = "payment-frontend: {labels: {app: payment-frontend}, clusters: [euw1]}";
    const BACKEND: &str = "clusters: [use1, euw1], serviceAccount";
    const GLOBAL: &str = "global: {affinity: local, shared: true}\n      export: true";
    /// Without an affinity, which has nothing to choose from where one cluster serves.
    const ANY: (&str, &str) = ("{affinity: local, shared: true}", "true");

    /// The findings where calls from `euw1` to `use1` take this long, within 100 ms.
    fn with(trip: &str, changes: &[(&str, &str)]) -> (Vec<String>, usize) {
        let line = format!(
            "  interconnects: [{{between: [us-east-1, eu-west-1], type: vpn{trip}, mtu: 9001}}]\n  regions:\n"
        );
        let text = TWO_CLUSTERS.replacen("  regions:\n", &line, 1).replacen(
            "  mesh:\n",
            "  mesh:\n    latencyBudget: 100ms\n",
            1,
        );
        let text = changes.iter().fold(text, |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replacen(old, new, 1)
        });
        let (topology, found) = resolved(&text);
        let mut own = crate::diagnostic::Diagnostics::new();
        super::check(&topology.unwrap(), &mut own);
        let found = found.iter().map(|line| line.split_once(' ').unwrap().1.to_owned());
        (found.collect(), own.unchecked().len())
    }

    const FAR: &str = "LB2022 the flow `check-fraud` calls from `euw1` to `use1` in 120ms, over the budget of 100ms";

    #[test]
    fn what_stays_in_its_cluster_takes_no_time() {
        let far = ", roundTrip: 120ms";
        assert_eq!(with(far, &[]), (vec![], 0));
        assert_eq!(with(far, &[(GLOBAL, "global: {affinity: local}")]), (vec![], 0));
        let there = (BACKEND, "clusters: [use1], serviceAccount");
        assert_eq!(with(far, &[there, ANY]), (vec![FAR.to_owned()], 0));
        assert_eq!(with(", roundTrip: 100ms", &[there, ANY]), (vec![], 0));
    }

    #[test]
    fn calls_that_are_spread_are_as_slow_as_the_slowest() {
        let far = ", roundTrip: 120ms";
        for global in ["global: true", "global: {affinity: remote}"] {
            assert_eq!(with(far, &[(GLOBAL, global)]), (vec![FAR.to_owned()], 0), "{global}");
        }
        let chosen = "headless: true\n      global: true";
        let slices = ("mcs: true", "mcs: true, endpointSlices: true");
        assert_eq!(with(far, &[(GLOBAL, chosen), slices]), (vec![], 0));
    }

    #[test]
    fn what_nobody_declares_is_not_checked() {
        let there = (BACKEND, "clusters: [use1], serviceAccount");
        assert_eq!(with("", &[]), (vec![], 0), "served where it is called");
        assert_eq!(with("", &[there, ANY]), (vec![], 1));
        let same = (FRONTEND, "payment-frontend: {labels: {app: x}, clusters: [use1]}");
        assert_eq!(with("", &[there, ANY, same]), (vec![], 0));
    }
}
