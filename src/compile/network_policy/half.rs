//! What of a half of a flow depends on the cluster, so that clusters in which it says the same
//! share its policies.

use super::{Context, Home, Scope, Side, home, policies, rules};
use crate::compile::Shared;
use crate::topology::{ClusterId, ClusterSet, Flow, Topology};

/// What a half of a flow is about in a cluster: each subject, by its place, with its home and, for
/// each peer of the other side, the clusters whose pods are meant; nothing for a peer that is not
/// there. For policies of a namespace it is, with the minor of Cilium, all that depends on the
/// cluster.
pub(super) type Half = Vec<(usize, Home, Vec<Option<ClusterSet>>)>;

pub(super) fn of(context: &Context<'_>, flow: &Flow, side: Side, scope: Scope) -> Half {
    let mut half = Vec::new();
    for (at, subject) in side.subjects(flow).iter().enumerate() {
        let Some(home) = home(context.topology, subject, side) else { continue };
        let exists =
            home.is_none_or(|id| context.topology.namespace(id).clusters.contains(context.id));
        let wanted = (scope == Scope::AnyNamespace) == home.is_none();
        if wanted && exists && subject.clusters.contains(context.id) {
            half.push((at, home, rules::others(context, flow, side, subject)));
        }
    }
    half
}

/// The policies of one flow in the namespaces of these clusters, each with the clusters in which
/// it says the same. Those of one cluster are in the order in which [`write`] adds them.
pub(in crate::compile) fn of_flow(
    topology: &Topology,
    flow: &Flow,
    clusters: &[(ClusterId, &ClusterSet)],
) -> Vec<Shared> {
    let mut all = Vec::new();
    for side in [Side::Egress, Side::Ingress] {
        let mut known: Vec<(u64, Half, Vec<ClusterId>)> = Vec::new();
        for (id, joined) in clusters {
            let context = Context { topology, id: *id, joined };
            let half = of(&context, flow, side, Scope::Namespace);
            if half.is_empty() {
                continue;
            }
            let minor = topology.cluster(*id).cilium.value.minor;
            match known.iter_mut().find(|known| (known.0, &known.1) == (minor, &half)) {
                Some((.., same)) => same.push(*id),
                None => known.push((minor, half, vec![*id])),
            }
        }
        for (_, half, ids) in known {
            let (id, joined) = (ids[0], &ClusterSet::new());
            let made = policies(&Context { topology, id, joined }, flow, side, &half);
            all.extend(made.into_iter().map(|resource| Shared { resource, clusters: ids.clone() }));
        }
    }
    all
}
