//! A peer that no known pod is.

use super::Case;
use super::gathered::{Gathered, describe, written};
use super::known::{Places, may_select, named, never_there};
use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::policy::Selector;
use crate::policy::label::{CLUSTER, NAMESPACE};
use crate::policy::rule::Peer;
use crate::topology::{ClusterId, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a peer of a hand-written rule that selects none of the pods that are known: it
    /// names a cluster that is not in the topology or that this one is not joined with, or its
    /// labels contradict those of every workload of the declared namespaces that it names.
    ///
    /// ## Why it matters
    /// Most such peers misspell a label, or were written for a cluster that has another name. What
    /// the rule should allow is dropped, and what it should deny goes through.
    ///
    /// ## Example
    /// ```yaml
    /// fromEndpoints:
    ///   - matchLabels: {app: web, io.cilium.k8s.policy.cluster: us-east-1}   # it is called use1
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// fromEndpoints:
    ///   - matchLabels: {app: web, io.cilium.k8s.policy.cluster: use1}
    /// ```
    pub static IDLE_PEER = { code: "LB4026", name: "idle-peer", summary: "a peer that is none of the pods that are known", severity: Warning };
}

/// Most pods that are looked at for all peers together.
const MOST: usize = 20_000_000;

/// Reports each rule with such a peer once.
pub(super) fn check(case: &Case<'_>, found: &mut Diagnostics) {
    let mut places = None;
    let mut gathered = Gathered::default();
    let mut left = MOST;
    for (id, policy) in written(case) {
        let places = places.get_or_insert_with(|| Places::of(case));
        for rule in &policy.rules {
            for peer in rule.peers.said() {
                let Peer::Labels { selector, endpoints: true } = peer else { continue };
                if let Some(why) = idle(case, places, (id, &mut left), selector) {
                    let message = format!("a peer of `{}` {why}", describe(policy));
                    gathered.add(policy, rule.span, message, id);
                }
            }
        }
    }
    if left == 0 {
        let why = "there are too many peers to look at";
        found.not_checked(case.topology.name.span, "peers of hand-written policies", why);
    }
    gathered.everywhere(case).report(&IDLE_PEER, case.mesh, found, |finding| {
        finding.help("correct the labels of the peer, or remove it")
    });
}

/// Why a selector selects no pod that is known; nothing where it may select one.
fn idle(
    case: &Case<'_>,
    places: &Places<'_>,
    (id, left): (ClusterId, &mut usize),
    selector: &Selector,
) -> Option<String> {
    if never_there(selector).next().is_some() || selector.is_reserved() {
        return None;
    }
    let joined = &case.mesh.cluster(id).joined;
    let clusters: Vec<ClusterId> = match named(selector, CLUSTER) {
        None => joined.iter().collect(),
        Some(names) => {
            let ids = names.iter().map(|name| cluster_named(case.topology, name));
            let ids: Vec<ClusterId> = ids.collect::<Option<Vec<_>>>().unwrap_or_default();
            let ids: Vec<ClusterId> = ids.into_iter().filter(|id| joined.contains(*id)).collect();
            if ids.is_empty() {
                let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
                let names = names.join(" or ");
                return Some(format!(
                    "is in cluster {names}, which is none that it is joined with"
                ));
            }
            ids
        }
    };
    let namespaces = named(selector, NAMESPACE)?;
    take(left, clusters.len().saturating_mul(namespaces.len()))?;
    let pairs = clusters.iter().flat_map(|id| namespaces.iter().map(move |name| (*id, *name)));
    let known =
        pairs.map(|(id, name)| places.known_or_absent(id, name)).collect::<Option<Vec<_>>>()?;
    // Where there are too many to look at, one of them may be selected.
    take(left, known.iter().map(|known| known.len()).sum())?;
    let mut known = known.into_iter().flatten();
    let none = !known.any(|endpoint| may_select(selector, endpoint));
    none.then(|| "is none of the pods of its namespace".to_owned())
}

/// Takes from what is left; nothing where that is not enough, and then there is none left.
fn take(left: &mut usize, count: usize) -> Option<()> {
    let rest = left.checked_sub(count);
    *left = rest.unwrap_or_default();
    rest.map(|_| ())
}

fn cluster_named(topology: &Topology, name: &str) -> Option<ClusterId> {
    // A cluster that could not be read whole is left out of the topology; it has been reported.
    topology.clusters().find(|(_, cluster)| cluster.name.value == name).map(|(id, _)| id)
}
