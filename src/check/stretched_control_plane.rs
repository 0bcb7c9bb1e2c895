//! A control plane whose members are farther apart than etcd tolerates.

mod member;

use std::time::Duration;

use member::{Member, members};

use super::round_trip::{Trip, Trips};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{Cluster, ControlPlane, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a control plane over several networks whose shortest round trip is longer than its
    /// etcd tolerates, by the `roundTrip` of the interconnects: over a tenth of the election
    /// timeout, or over twice the heartbeat interval. With etcd's defaults of 1 s and 100 ms that
    /// is 100 ms; `heartbeat` and `election` of the `controlPlane` say what it was tuned to. It
    /// also reports members in networks that no interconnect joins, and warns of members in
    /// several regions where no round trip is declared.
    ///
    /// ## Why it matters
    /// Followers that miss heartbeats elect a new leader again and again, and the API server
    /// writes nothing meanwhile. Even below the limit every write waits for a round trip. Two
    /// clusters in one mesh do what one stretched cluster was meant to do. Source: etcd, "Tuning"
    /// (the election timeout is at least ten round trips, the heartbeat interval half of one to
    /// one and a half); Kubernetes, "Running in multiple zones" (a cluster stays in one region).
    ///
    /// ## Example
    /// ```yaml
    /// interconnects:
    ///   - {between: [us-east-1, ap-southeast-1], type: transit-gateway, roundTrip: 220ms}
    /// # a cluster
    /// controlPlane: {networks: [us-east-1, ap-southeast-1]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// controlPlane: {zones: [us-east-1a, us-east-1b, us-east-1c]}
    /// ```
    pub static STRETCHED_CONTROL_PLANE = { code: "LB2020", name: "stretched-control-plane", summary: "a control plane whose members are farther apart than etcd tolerates", severity: Error };
}

/// Reports each control plane once, by the worst pair of its members.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut trips = Trips::of(topology);
    for cluster in &topology.clusters {
        let Some(plane) = &cluster.control_plane else { continue };
        let members = members(topology, cluster, plane);
        if members.len() < 2 {
            continue;
        }
        if let Some(finding) = apart(topology, &mut trips, cluster, plane, &members)
            .or_else(|| regions(&mut trips, cluster, &members))
        {
            found.push(finding);
        }
        if trips.exhausted() {
            let why = "there are more networks and interconnects than are searched";
            found.not_checked(plane.span, "the round trips of control planes", why);
            return;
        }
    }
}

/// The pair that is farthest apart, if etcd does not tolerate it.
fn apart(
    topology: &Topology,
    trips: &mut Trips<'_>,
    cluster: &Cluster,
    plane: &ControlPlane,
    members: &[Member<'_>],
) -> Option<Diagnostic> {
    let mut worst: Option<(u64, &Member<'_>, Trip)> = None;
    for (at, one) in members.iter().enumerate() {
        let from = one.network?;
        for other in &members[at + 1..] {
            let to = other.network?;
            let Some(trip) = trips.between(from, to) else {
                if topology.interconnects.is_empty() || trips.exhausted() {
                    continue;
                }
                let message = format!(
                    "no interconnect joins the members of the control plane of `{}`",
                    cluster.name.value
                );
                let finding = Diagnostic::new(&STRETCHED_CONTROL_PLANE, other.span, message);
                return Some(
                    finding
                        .related(one.span, "another member")
                        .help("keep the control plane in one network, or declare what joins them"),
                );
            };
            if worst.as_ref().is_none_or(|(cost, ..)| *cost < trip.milliseconds) {
                worst = Some((trip.milliseconds, other, trip));
            }
        }
    }
    let (milliseconds, member, trip) = worst?;
    let limit = (plane.heartbeat * 2).min(plane.election / 10);
    if Duration::from_millis(milliseconds) <= limit {
        return None;
    }
    let message = format!(
        "the members of the control plane of `{}` are {} apart, and its etcd tolerates {}ms",
        cluster.name.value,
        trip.shown(),
        limit.as_millis()
    );
    let finding = Diagnostic::new(&STRETCHED_CONTROL_PLANE, member.span, message);
    let finding = plane.tuned.iter().fold(trip.describe(topology, finding), |finding, span| {
        finding.related(*span, "what etcd was tuned to")
    });
    let help = "keep the control plane in one region, and join clusters by the mesh; or declare the `heartbeat` and `election` that etcd was tuned to";
    Some(finding.help(help))
}

/// Members in several regions whose distance nobody declared.
fn regions(trips: &mut Trips<'_>, cluster: &Cluster, members: &[Member<'_>]) -> Option<Diagnostic> {
    let first = members.first()?;
    let other = members.iter().find(|member| member.region != first.region)?;
    if let (Some(one), Some(two)) = (first.network, other.network)
        && trips.between(one, two).is_some_and(|trip| trip.known)
    {
        return None;
    }
    let message =
        format!("the control plane of `{}` stands in several regions", cluster.name.value);
    Some(
        Diagnostic::new(&STRETCHED_CONTROL_PLANE, other.span, message)
            .label(format!("a member in `{}`", other.region))
            .related(first.span, format!("a member in `{}`", first.region))
            .help("keep it in one region, or declare the `roundTrip` of the interconnect between them")
            .warning(),
    )
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn with(plane: &str, interconnects: &str) -> Vec<String> {
        let text = TWO_CLUSTERS
            .replacen("  id: 1\n", &format!("  id: 1\n  controlPlane: {plane}\n"), 1)
            .replacen("  regions:\n", &format!("{interconnects}  regions:\n"), 1);
        let found = resolved(&text).1;
        found.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    fn joined(trip: &str) -> String {
        format!("  interconnects: [{{between: [us-east-1, eu-west-1], type: internet{trip}}}]\n")
    }

    const BOTH: &str = "{networks: [us-east-1, eu-west-1]}";

    #[test]
    fn the_limit_follows_from_heartbeat_and_election() {
        let tuned = "{networks: [us-east-1, eu-west-1], heartbeat: 150ms, election: 2s}";
        let too_far = |limit: u32| {
            format!(
                "LB2020 the members of the control plane of `use1` are 180ms apart, and its etcd tolerates {limit}ms"
            )
        };
        assert_eq!(with(BOTH, &joined(", roundTrip: 100ms, mtu: 9001")), [""; 0]);
        assert_eq!(with(BOTH, &joined(", roundTrip: 180ms, mtu: 9001")), [too_far(100)]);
        assert_eq!(with(tuned, &joined(", roundTrip: 180ms, mtu: 9001")), [""; 0]);
        let one_of_both = tuned.replace("150ms", "80ms");
        assert_eq!(with(&one_of_both, &joined(", roundTrip: 180ms, mtu: 9001")), [too_far(160)]);
    }

    #[test]
    fn regions_without_a_round_trip_are_a_warning() {
        let several = "LB2020 the control plane of `use1` stands in several regions";
        assert_eq!(with(BOTH, &joined("")), [several]);
        assert_eq!(with(BOTH, ""), [several]);
        assert_eq!(with("{zones: [us-east-1a, us-east-2b]}", ""), [several]);
        assert_eq!(with("{zones: [us-east-1a, us-east-1-bos-1a, us-east-1c]}", ""), [""; 0]);
        assert_eq!(with("{zones: [rack-1, rack-2], networks: [us-east-1]}", ""), [""; 0]);
    }
}
