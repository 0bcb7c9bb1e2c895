//! Flows as network policies: both halves of each, where a default deny would stop it.

mod half;
mod http;
mod name;
mod peers;
mod ports;
mod rules;
pub(super) mod selector;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Input;
use super::dns;
use super::metadata::Object;
use crate::resource::{Desired, Resource};
use crate::topology::{ClusterId, ClusterSet, Flow, NamespaceId, Peer, PeerKind, Topology};

use half::Half;
pub(super) use half::of_flow;

/// A half of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// What the callers may send, written where they run.
    Egress,
    /// What the called may receive, written where they run.
    Ingress,
}

impl Side {
    /// The section of a policy.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::Egress => "egress",
            Self::Ingress => "ingress",
        }
    }

    /// The peers of a flow whose pods the half is about.
    fn subjects(self, flow: &Flow) -> &[Peer] {
        match self {
            Self::Egress => &flow.from,
            Self::Ingress => &flow.to,
        }
    }
}

/// The pods that a policy can select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those of one namespace.
    Namespace,
    /// Those of any.
    AnyNamespace,
}

/// Where the policy of a half stands: a declared namespace, or none for clusterwide ones.
type Home = Option<NamespaceId>;

/// The home of the half that `peer` is the subject of. There is none for peers that are no pods
/// of a declared namespace, and none where the namespace has no default deny in that direction:
/// the half would isolate pods that the topology leaves open.
fn home(topology: &Topology, peer: &Peer, side: Side) -> Option<Home> {
    let namespace = match peer.kind {
        PeerKind::Workload(workload) => topology.workload(workload).namespace,
        PeerKind::Service(service) => topology.service(service).namespace,
        PeerKind::Namespace(_, Some(namespace)) => namespace,
        PeerKind::Capability(_) => return Some(None),
        _ => return None,
    };
    let declared = topology.namespace(namespace);
    let denied = match side {
        Side::Egress => declared.deny_egress,
        Side::Ingress => declared.deny_ingress,
    };
    denied.then_some(Some(namespace))
}

/// What the rules of a cluster's policies are made from.
struct Context<'a> {
    topology: &'a Topology,
    id: ClusterId,
    /// The clusters whose pods this one's pods can reach, itself included.
    joined: &'a ClusterSet,
}

/// Adds a policy for each half of each flow in each namespace of the cluster.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    write(input, Scope::Namespace, desired);
}

/// Adds the policies of one scope.
pub(super) fn write(input: &Input<'_>, scope: Scope, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    let joined = topology.joined_to(id);
    let context = Context { topology, id, joined: &joined };
    for flow in index.flows[id.index()].iter().map(|at| &topology.flows[*at]) {
        for side in [Side::Egress, Side::Ingress] {
            let half = half::of(&context, flow, side, scope);
            desired.resources.extend(policies(&context, flow, side, &half));
        }
    }
}

/// The policies of a half, one for each home.
fn policies(context: &Context<'_>, flow: &Flow, side: Side, half: &Half) -> Vec<Resource> {
    let mut specs: BTreeMap<Home, Vec<Value>> = BTreeMap::new();
    for (at, home, others) in half {
        let subject = &side.subjects(flow)[*at];
        let Some(selector) = selector::pods(context.topology, subject).build() else { continue };
        let mut rules = match side {
            Side::Egress => rules::egress(context, flow, others),
            Side::Ingress => rules::ingress(context, flow, subject, others),
        };
        if rules.is_empty() {
            continue;
        }
        if side == Side::Egress && home.is_none() && asks_for_names(flow, context.id) {
            rules.extend(dns::rules(context.topology, context.id, true));
        }
        specs.entry(*home).or_default().push(spec(flow, side, *home, selector, rules));
    }
    let made =
        specs.into_iter().map(|(home, specs)| policy(context.topology, flow, side, home, specs));
    made.collect()
}

/// Whether a flow lets callers in the cluster reach DNS names, for which their DNS must be seen.
pub(super) fn asks_for_names(flow: &Flow, cluster: ClusterId) -> bool {
    flow.to
        .iter()
        .any(|peer| matches!(peer.kind, PeerKind::Fqdn(_)) && peer.clusters.contains(cluster))
}

/// The namespaces of the cluster whose pods a flow lets reach DNS names.
pub(super) fn callers_of_names<'a>(
    topology: &'a Topology,
    flow: &'a Flow,
    cluster: ClusterId,
) -> impl Iterator<Item = NamespaceId> + 'a {
    let here = flow.from.iter().filter(move |peer| peer.clusters.contains(cluster));
    here.filter(move |_| asks_for_names(flow, cluster))
        .filter_map(|peer| home(topology, peer, Side::Egress).flatten())
}

fn spec(flow: &Flow, side: Side, home: Home, selector: Value, rules: Vec<Value>) -> Value {
    let mut spec = Map::new();
    let description = format!("{} of flow {}/{}", side.section(), flow.document, flow.name.value);
    spec.insert("description".into(), description.into());
    spec.insert("endpointSelector".into(), selector);
    if home.is_none() {
        spec.insert("enableDefaultDeny".into(), json!({"ingress": false, "egress": false}));
    }
    spec.insert(side.section().into(), rules.into());
    spec.into()
}

fn policy(
    topology: &Topology,
    flow: &Flow,
    side: Side,
    home: Home,
    mut specs: Vec<Value>,
) -> Resource {
    let name = name::of(flow, side);
    let namespace = home.map(|id| topology.namespace(id).name.value.as_str());
    let clusterwide = "CiliumClusterwideNetworkPolicy";
    let object = Object {
        api_version: "cilium.io/v2",
        kind: namespace.map_or(clusterwide, |_| "CiliumNetworkPolicy"),
        namespace,
        name: &name,
        labels: &[],
        annotations: vec![(
            "landbridge.dev/flow",
            format!("{}/{}", flow.document, flow.name.value),
        )],
        origin: flow.name.span,
    };
    let content = match specs.len() {
        1 => ("spec", specs.remove(0)),
        _ => ("specs", Value::Array(specs)),
    };
    object.with(topology, Some(content))
}
