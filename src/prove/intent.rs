//! What the declared flows mean for each pod: whom it must be able to reach or be reached by, and
//! whom it may at most.
//!
//! It is read from the topology alone, not from what compile makes of it: otherwise the comparison
//! would prove nothing. A side of a flow is every pod that has its labels, wherever it came from.

mod http;
mod ports;
mod who;

pub(super) use ports::protocols;
pub use ports::{Meant, Permitted, missing, plain};
pub use who::Names;
pub(super) use who::{Index, Terms};

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::policy::rule::Pattern;
use crate::policy::{Direction, Identity, Opening, Protocol, Semantics};
use crate::source::Span;
use crate::spec::cluster::NodeLocalMode;
use crate::spec::flow::Entity;
use crate::topology::{ClusterId, Flow, NamespaceId, Peer, PeerKind, Topology};

/// A flow with one of its peers, as indices.
pub type Role = (u32, u32);

/// The flows of a pod.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// Those in which it is a caller, sorted.
    pub caller: Vec<Role>,
    /// Those in which it is called, sorted.
    pub called: Vec<Role>,
    /// Those of `caller` that call entities.
    calls_entities: Vec<Role>,
    /// Those of `called` that entities call.
    by_entities: Vec<Role>,
}

impl Roles {
    /// Those of its end of a flow in a direction.
    pub fn own(&self, direction: Direction) -> &[Role] {
        match direction {
            Direction::Egress => &self.caller,
            Direction::Ingress => &self.called,
        }
    }

    /// Those of its own end of which the other side is an entity.
    fn with_entities(&self, direction: Direction) -> &[Role] {
        match direction {
            Direction::Egress => &self.calls_entities,
            Direction::Ingress => &self.by_entities,
        }
    }

    /// Those of the other end of a flow in a direction.
    pub fn other(&self, direction: Direction) -> &[Role] {
        match direction {
            Direction::Egress => &self.called,
            Direction::Ingress => &self.caller,
        }
    }
}

/// Why something is meant to be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A flow, by its index.
    Flow(u32),
    /// Pods ask the DNS of their cluster.
    Dns,
    /// Nodes check each other's health.
    Health,
}

/// The declared flows, so that those of a pod are found at once.
#[derive(Debug)]
pub struct Intent<'a> {
    /// What was meant.
    pub topology: &'a Topology,
    callers: Index<'a>,
    called: Index<'a>,
    namespaces: BTreeMap<&'a str, NamespaceId>,
}

/// The pod whose end is asked about.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// Who it is.
    pub identity: &'a Identity,
    /// Its flows.
    pub roles: &'a Roles,
    /// Its cluster.
    pub cluster: ClusterId,
    /// Which way.
    pub direction: Direction,
}

impl<'a> Intent<'a> {
    /// The intent of a topology.
    pub fn new(topology: &'a Topology) -> Self {
        let side = |peers: fn(&Flow) -> &[Peer]| {
            let all = topology.flows.iter().zip(0..).flat_map(move |(flow, at)| {
                peers(flow).iter().zip(0..).map(move |(peer, index)| ((at, index), peer))
            });
            Index::new(topology, all)
        };
        Self {
            topology,
            callers: side(|flow| &flow.from),
            called: side(|flow| &flow.to),
            namespaces: topology
                .namespaces
                .iter()
                .enumerate()
                .map(|(at, known)| (known.name.value.as_str(), NamespaceId::new(at)))
                .collect(),
        }
    }

    /// The flows of a pod.
    pub fn roles(&self, identity: &Identity, cluster: ClusterId) -> Roles {
        let (caller, called) =
            (self.callers.roles(identity, cluster), self.called.roles(identity, cluster));
        let with_entities = |roles: &[Role], direction| {
            let entities = |peer: &Peer| matches!(peer.kind, PeerKind::Entities(_));
            let some = |role: &&Role| self.others(**role, direction).iter().any(entities);
            roles.iter().filter(some).copied().collect()
        };
        let calls_entities = with_entities(&caller, Direction::Egress);
        let by_entities = with_entities(&called, Direction::Ingress);
        Roles { caller, called, calls_entities, by_entities }
    }

    /// The declared namespace of a pod, if its cluster has it.
    pub fn namespace(&self, identity: &Identity, cluster: ClusterId) -> Option<NamespaceId> {
        let name = identity.namespace()?;
        let id = *self.namespaces.get(name)?;
        self.topology.namespace(id).clusters.contains(cluster).then_some(id)
    }

    /// Whether a pod is closed in a direction but for what is meant to be open.
    pub fn denies(&self, identity: &Identity, cluster: ClusterId, direction: Direction) -> bool {
        let Some(id) = self.namespace(identity, cluster) else { return false };
        let namespace = self.topology.namespace(id);
        match direction {
            Direction::Egress => namespace.deny_egress,
            Direction::Ingress => namespace.deny_ingress,
        }
    }

    /// The side of a flow that a role's end is not on.
    pub fn others(&self, role: Role, direction: Direction) -> &'a [Peer] {
        let flow = &self.topology.flows[role.0 as usize];
        match direction {
            Direction::Egress => &flow.to,
            Direction::Ingress => &flow.from,
        }
    }

    /// What is meant to be open between a pod and another one. `meant` is given each part.
    pub fn with_pod(
        &self,
        end: &End<'_>,
        peer: &Identity,
        place: ClusterId,
        roles: &Roles,
        names: &Names,
        meant: &mut dyn FnMut(Why, Meant<'a>),
    ) {
        if !self.topology.joined(end.cluster, place) {
            return;
        }
        let (own, other) = (end.roles.own(end.direction), roles.other(end.direction));
        let (client, server, target) = match end.direction {
            Direction::Egress => (end.cluster, place, peer),
            Direction::Ingress => (place, end.cluster, end.identity),
        };
        let mut add = |mine: Role, other: &'a Peer| {
            let flow = &self.topology.flows[mine.0 as usize];
            let called = match end.direction {
                Direction::Egress => other,
                Direction::Ingress => &flow.to[mine.1 as usize],
            };
            // Who is called by an entity is found by everyone: it is in no cluster.
            if !other.kind.is_pods() || self.topology.finds(called, client, server) {
                meant(
                    Why::Flow(mine.0),
                    Meant::new(self.topology, flow, called, Some(target), names),
                );
            }
        };
        meet(own, other, |mine, theirs| {
            add(mine, &self.others(mine, end.direction)[theirs.1 as usize]);
        });
        for mine in end.roles.with_entities(end.direction) {
            for other in self.others(*mine, end.direction) {
                if let PeerKind::Entities(entities) = &other.kind
                    && other.clusters.contains(end.cluster)
                    && entities.iter().any(|known| is_pods(*known, place == end.cluster))
                {
                    add(*mine, other);
                }
            }
        }
        if end.direction == Direction::Egress
            && place == end.cluster
            && self.answers(peer, place)
            && self.asks(end)
        {
            meant(Why::Dns, Meant::dns());
        }
        if place == end.cluster && self.is_asked(end) {
            let direction = Direction::Egress;
            let client = End { identity: peer, roles, cluster: place, direction };
            if self.asks(&client) {
                meant(Why::Dns, Meant::dns());
            }
        }
    }

    /// What is meant to be open between a pod and someone outside.
    pub fn with_outsider(
        &self,
        end: &End<'_>,
        outsider: &Identity,
        semantics: &Semantics,
        names: &Names,
        meant: &mut dyn FnMut(Why, Meant<'a>),
    ) {
        for mine in end.roles.own(end.direction) {
            let flow = &self.topology.flows[mine.0 as usize];
            for other in self.others(*mine, end.direction) {
                if !other.clusters.contains(end.cluster) || !covers(other, outsider, semantics) {
                    continue;
                }
                let (called, target) = match end.direction {
                    Direction::Egress => (other, None),
                    Direction::Ingress => (&flow.to[mine.1 as usize], Some(end.identity)),
                };
                meant(Why::Flow(mine.0), Meant::new(self.topology, flow, called, target, names));
            }
        }
        let dns = &self.topology.cluster(end.cluster).dns;
        if end.direction == Direction::Egress
            && dns.node_local == Some(NodeLocalMode::Host)
            && self.asks(end)
            && (outsider.labels.is_reserved("host")
                || outsider.address == Some(IpNet::from(dns.node_local_ip)))
        {
            meant(Why::Dns, Meant::dns());
        }
    }

    /// What outsiders of its flows a pod must be able to tell apart.
    pub fn outsiders(&self, end: &End<'_>) -> (Vec<(IpNet, Vec<IpNet>)>, Vec<Pattern>) {
        let (mut ranges, mut patterns) = (Vec::new(), Vec::new());
        let own = end.roles.own(end.direction);
        for other in own.iter().flat_map(|mine| self.others(*mine, end.direction)) {
            if !other.clusters.contains(end.cluster) {
                continue;
            }
            match &other.kind {
                PeerKind::Cidrs(cidrs, except) => ranges.extend(cidrs.iter().map(|cidr| {
                    let out = except.iter().map(|out| out.0).filter(|out| cidr.0.contains(out));
                    (cidr.0, out.collect())
                })),
                PeerKind::Fqdn(names) => patterns.extend(names.iter().map(|n| Pattern::new(n))),
                _ => {}
            }
        }
        let dns = &self.topology.cluster(end.cluster).dns;
        if end.direction == Direction::Egress && dns.node_local == Some(NodeLocalMode::Host) {
            ranges.push((IpNet::from(dns.node_local_ip), Vec::new()));
        }
        (ranges, patterns)
    }

    /// Whether a pod is meant to ask the DNS of its cluster: it is closed otherwise, or a
    /// capability lets it reach names.
    pub(super) fn asks(&self, end: &End<'_>) -> bool {
        let names = |mine: &Role| {
            let capability = matches!(
                self.topology.flows[mine.0 as usize].from.get(mine.1 as usize),
                Some(Peer { kind: PeerKind::Capability(_), .. })
            );
            let others = self.others(*mine, Direction::Egress).iter();
            capability
                && others
                    .filter(|peer| peer.clusters.contains(end.cluster))
                    .any(|peer| matches!(peer.kind, PeerKind::Fqdn(_)))
        };
        self.denies(end.identity, end.cluster, Direction::Egress)
            || end.roles.caller.iter().any(names)
    }

    /// Whether the end is one at which the DNS of its cluster is asked.
    pub(super) fn is_asked(&self, end: &End<'_>) -> bool {
        end.direction == Direction::Ingress && self.answers(end.identity, end.cluster)
    }

    /// Whether a pod is of the DNS of its cluster.
    pub(super) fn answers(&self, identity: &Identity, cluster: ClusterId) -> bool {
        let own = identity.namespace();
        let dns = &self.topology.cluster(cluster).dns;
        if own != Some(&dns.namespace) && own != Some("kube-system") {
            return false;
        }
        let has = |namespace: &str, labels: &[(String, String)]| {
            let pairs = labels.iter().map(|(key, value)| (key.as_str().into(), value.as_str()));
            own == Some(namespace)
                && Terms { namespace: None, labels: pairs.collect() }.fit(identity)
        };
        let local = ("k8s-app".to_owned(), "node-local-dns".to_owned());
        has(&dns.namespace, &dns.selector)
            || (dns.node_local == Some(NodeLocalMode::Redirect)
                && has("kube-system", std::slice::from_ref(&local)))
    }

    /// Where a reason stands.
    pub fn span(&self, why: Why, end: &End<'_>) -> Span {
        match why {
            Why::Flow(at) => self.topology.flows[at as usize].name.span,
            Why::Dns | Why::Health => match self.namespace(end.identity, end.cluster) {
                Some(id) => self.topology.namespace(id).name.span,
                None => self.topology.cluster(end.cluster).name.span,
            },
        }
    }

    /// What a reason is called.
    pub fn describe(&self, why: Why) -> String {
        match why {
            Why::Flow(at) => {
                let flow = &self.topology.flows[at as usize];
                format!("the flow `{}/{}`", flow.document, flow.name.value)
            }
            Why::Dns => "the way to the cluster's DNS".to_owned(),
            Why::Health => "the health check between nodes".to_owned(),
        }
    }
}

/// Gives every pair of roles in one flow; both are sorted.
fn meet(own: &[Role], other: &[Role], mut both: impl FnMut(Role, Role)) {
    let (few, many, turned) =
        if own.len() <= other.len() { (own, other, false) } else { (other, own, true) };
    for one in few {
        let start = many.partition_point(|known| known.0 < one.0);
        for two in many[start..].iter().take_while(|known| known.0 == one.0) {
            if turned { both(*two, *one) } else { both(*one, *two) }
        }
    }
}

/// Whether pods are of an entity.
pub(super) fn is_pods(entity: Entity, same_cluster: bool) -> bool {
    match entity {
        Entity::All | Entity::ClusterMesh => true,
        Entity::Cluster => same_cluster,
        _ => false,
    }
}

/// Whether a peer that is no pods covers someone outside.
pub(super) fn covers(peer: &Peer, outsider: &Identity, semantics: &Semantics) -> bool {
    match &peer.kind {
        PeerKind::Entities(entities) => entities.iter().any(|one| is_of(*one, outsider)),
        PeerKind::Cidrs(cidrs, except) => {
            outsider.is_world() && {
                let holds = |net: &IpNet, whole: bool| match &outsider.address {
                    Some(address) => net.contains(address),
                    None => whole && net.prefix_len() == 0 && of_family(net, outsider),
                };
                cidrs.iter().any(|cidr| {
                    holds(&cidr.0, true) && !except.iter().any(|out| holds(&out.0, false))
                })
            }
        }
        PeerKind::Fqdn(patterns) => outsider.names.iter().any(|name| {
            patterns.iter().any(|pattern| Pattern::new(pattern).matches(name, semantics))
        }),
        _ => false,
    }
}

/// Whether the world that has no address is of a family.
fn of_family(net: &IpNet, world: &Identity) -> bool {
    let other = if matches!(net.addr(), IpAddr::V4(_)) { "world-ipv6" } else { "world-ipv4" };
    !world.labels.is_reserved(other)
}

/// Whether someone outside is of an entity. Sources: [`Entity`].
fn is_of(entity: Entity, outsider: &Identity) -> bool {
    let is = |name: &str| outsider.labels.is_reserved(name);
    match entity {
        Entity::All => true,
        Entity::World => outsider.is_world(),
        Entity::Cluster | Entity::ClusterMesh => {
            let words =
                ["host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"];
            words.into_iter().any(is)
        }
        Entity::Host
        | Entity::RemoteNode
        | Entity::KubeApiserver
        | Entity::Ingress
        | Entity::Health
        | Entity::Init
        | Entity::Unmanaged => is(entity.word()),
    }
}

/// The ports of DNS.
fn dns_ports() -> Opening {
    Opening::range(Protocol::TCP, 53, 53).or(&Opening::range(Protocol::UDP, 53, 53))
}
