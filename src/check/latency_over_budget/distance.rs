//! Which clusters are too far from a caller.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::round_trip::Trips;
use crate::source::Spanned;
use crate::spec::application::Affinity;
use crate::topology::{ClusterId, ClusterSet, NetworkId, Peer, PeerKind, Topology};

/// For each network of a caller, the members that are farther than the budget, and those of which
/// nobody knows.
pub(super) struct Distances {
    /// The members of the mesh.
    pub(super) members: ClusterSet,
    by_network: BTreeMap<NetworkId, (ClusterSet, ClusterSet)>,
}

impl Distances {
    /// Of a topology with a budget.
    pub(super) fn of(
        topology: &Topology,
        budget: &Spanned<Duration>,
        trips: &mut Trips<'_>,
    ) -> Self {
        let members: ClusterSet =
            topology.clusters().filter(|(_, cluster)| cluster.in_mesh).map(|(id, _)| id).collect();
        let mut on: BTreeMap<NetworkId, ClusterSet> = BTreeMap::new();
        for id in members.iter() {
            on.entry(topology.cluster(id).network).or_default().insert(id);
        }
        let mut by_network = BTreeMap::new();
        for &from in on.keys() {
            let (mut over, mut blind) = (ClusterSet::new(), ClusterSet::new());
            for (&to, clusters) in &on {
                match trips.between(from, to) {
                    Some(trip) if u128::from(trip.milliseconds) > budget.value.as_millis() => {
                        over = over.or(clusters);
                    }
                    Some(trip) if trip.known => {}
                    _ => blind = blind.or(clusters),
                }
            }
            by_network.insert(from, (over, blind));
        }
        Self { members, by_network }
    }

    /// The servers of a caller that are too far, if its calls cannot do without them; and whether
    /// it is not known.
    pub(super) fn of_call(
        &self,
        topology: &Topology,
        to: &Peer,
        client: ClusterId,
    ) -> (Option<ClusterSet>, bool) {
        let Some((over, blind)) = self.by_network.get(&topology.cluster(client).network) else {
            return (None, false);
        };
        let mut servers = to.clusters.and(&self.members);
        let mut spread = false;
        if let PeerKind::Service(id) = to.kind {
            let service = topology.service(id);
            let own: ClusterSet = [client].into_iter().collect();
            match &service.global {
                Some(global) if !service.headless && !service.export => {
                    servers = servers.and(&global.shared.or(&own));
                    let local = servers.contains(client);
                    if global.affinity == Some(Affinity::Local) && local {
                        return (None, false);
                    }
                    if global.affinity == Some(Affinity::Remote) && servers.len() > 1 {
                        servers = servers.without(&own);
                    }
                    spread = service.traffic_distribution.is_none();
                }
                // The callers choose the endpoint, or the name.
                Some(_) => {}
                None if service.export || to.limited => {}
                None => servers = servers.and(&own),
            }
        }
        let far = servers.and(over);
        let reported = if spread { !far.is_empty() } else { !far.is_empty() && far == servers };
        let unsure = servers.and(blind);
        let hidden = if spread {
            !unsure.is_empty()
        } else {
            // Whether one of them is near enough depends on what is not known.
            !unsure.is_empty() && servers.without(over).without(blind).is_empty()
        };
        (reported.then_some(far), hidden && !reported)
    }
}
