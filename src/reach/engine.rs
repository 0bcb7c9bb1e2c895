//! Both ends of flows: the agents of every cluster, and what each decides about each endpoint.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::distinct::Distinct;
use super::index::Index;
use super::mesh::{EndpointId, Mesh};
use crate::policy::rule::{Action, Peers};
use crate::policy::{Agent, Direction, Identity, Opening, Selector, Subject};
use crate::topology::ClusterId;

/// Who may reach whom in a mesh. What its agents decide about an endpoint is worked out when that
/// is asked about. What is worked out in parallel is not: a thread that waits for its share takes on
/// other work, which may ask for the same again.
#[derive(Debug)]
pub struct Reach<'m> {
    mesh: &'m Mesh,
    agents: Vec<OnceLock<Agent<'m>>>,
    /// Of each endpoint, as the target and as the source of flows.
    subjects: Vec<OnceLock<[Subject<'m>; 2]>>,
    index: Index<'m>,
    peers: Peering,
}

/// Whom the selectors of all peers select.
#[derive(Debug)]
struct Peering {
    /// Whom each selects, each selector once.
    selected: Vec<Vec<EndpointId>>,
    /// Which of them a selector is, by where it is in memory; sorted.
    places: Vec<(usize, u32)>,
}

impl Peering {
    fn of(mesh: &Mesh, index: &Index<'_>) -> Self {
        let (policies, _) = mesh.distinct_policies();
        let rules = policies.into_iter().flat_map(|policy| &policy.rules);
        let selectors: Vec<&Selector> = rules.flat_map(|rule| rule.peers.selectors()).collect();
        let distinct = Distinct::of(&selectors);
        let selected = distinct.selectors.par_iter().map(|one| index.selected(one)).collect();
        let places = selectors.iter().map(|one| address(one)).zip(distinct.places);
        let mut places: Vec<(usize, u32)> = places.collect();
        places.par_sort_unstable();
        Self { selected, places }
    }
}

/// One side of a flow.
#[derive(Clone, Copy, Debug)]
pub enum Party<'a> {
    /// Pods of the mesh.
    Endpoint(EndpointId),
    /// Who is no pod of the mesh: the world, an address, a node.
    Outside(&'a Identity),
}

/// Whom one end of flows may let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Everyone, except where a rule denies it.
    Everyone,
    /// These endpoints at most, sorted; parties outside are not among them.
    Some(Vec<EndpointId>),
}

impl<'m> Reach<'m> {
    /// Finds whom every rule admits.
    pub fn new(mesh: &'m Mesh) -> Self {
        let index = Index::new(mesh);
        let peers = Peering::of(mesh, &index);
        Self {
            mesh,
            agents: vec![OnceLock::new(); mesh.clusters.len()],
            subjects: vec![OnceLock::new(); mesh.endpoints.len()],
            index,
            peers,
        }
    }

    /// The mesh.
    pub fn mesh(&self) -> &'m Mesh {
        self.mesh
    }

    /// The agents of a cluster.
    pub fn agent(&self, cluster: ClusterId) -> &Agent<'m> {
        self.agents[cluster.index()].get_or_init(|| {
            let member = self.mesh.cluster(cluster);
            let policies = member.policies.iter().map(|written| &*written.policy);
            let known = |id: ClusterId| member.joined.contains(id);
            let endpoints = self.mesh.endpoints.iter().filter(|one| known(one.cluster));
            Agent::new(&member.semantics, policies, endpoints.map(|one| &one.identity))
        })
    }

    /// An endpoint as the target or the source of flows.
    pub fn subject(&self, endpoint: EndpointId, direction: Direction) -> &Subject<'m> {
        let [ingress, egress] = self.subjects[endpoint.index()].get_or_init(|| {
            let endpoint = self.mesh.endpoint(endpoint);
            self.agent(endpoint.cluster).subjects(&endpoint.identity)
        });
        match direction {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
        }
    }

    /// The endpoints that a selector selects, sorted.
    pub fn selected(&self, selector: &Selector) -> Vec<EndpointId> {
        match self.known(selector) {
            Some((_, known)) => known.to_vec(),
            None => self.index.selected(selector),
        }
    }

    /// Whom the selector of a peer of some rule of the mesh selects.
    /// Equal selectors have the same number.
    pub fn known(&self, selector: &Selector) -> Option<(u32, &[EndpointId])> {
        let Peering { selected, places } = &self.peers;
        let at = places.binary_search_by_key(&address(selector), |place| place.0).ok()?;
        let number = places[at].1;
        Some((number, &selected[number as usize]))
    }

    fn peers_of(&self, selector: &Selector) -> &[EndpointId] {
        self.known(selector).map_or(&[], |(_, ids)| ids)
    }

    /// The identity of a party.
    pub fn identity<'a>(&self, party: Party<'a>) -> &'a Identity
    where
        'm: 'a,
    {
        match party {
            Party::Endpoint(id) => &self.mesh.endpoint(id).identity,
            Party::Outside(identity) => identity,
        }
    }

    /// What one end lets through from or to a party.
    pub fn end(&self, endpoint: EndpointId, direction: Direction, party: Party<'_>) -> Opening {
        self.subject(endpoint, direction).toward(self.identity(party)).opening()
    }

    /// What both ends let through, after service translation. Pods of clusters that are not
    /// joined do not reach each other by their own identities.
    pub fn opening(&self, from: Party<'_>, to: Party<'_>) -> Opening {
        let egress = |source| self.end(source, Direction::Egress, to);
        let ingress = |target| self.end(target, Direction::Ingress, from);
        match (from, to) {
            (Party::Endpoint(source), Party::Endpoint(target)) => {
                if !self.joined(source, target) {
                    return Opening::closed();
                }
                let ingress = ingress(target);
                if ingress.is_closed() { ingress } else { ingress.and(&egress(source)) }
            }
            (Party::Endpoint(source), Party::Outside(_)) => egress(source),
            (Party::Outside(_), Party::Endpoint(target)) => ingress(target),
            (Party::Outside(_), Party::Outside(_)) => Opening::everything(),
        }
    }

    /// Whether two endpoints can reach each other but for policies.
    pub fn joined(&self, one: EndpointId, other: EndpointId) -> bool {
        let cluster = |id| self.mesh.endpoint(id).cluster;
        self.mesh.cluster(cluster(one)).joined.contains(cluster(other))
    }

    /// What an end lets through to or from each endpoint that it may admit, sorted; nothing where
    /// that may be everyone. As [`Self::end`] of each of [`Self::admitted`], at the cost of the
    /// answers alone.
    pub fn openings(
        &self,
        endpoint: EndpointId,
        direction: Direction,
    ) -> Option<Vec<(EndpointId, Arc<Opening>)>> {
        let Admitted::Some(admitted) = self.admitted(endpoint, direction) else { return None };
        let subject = self.subject(endpoint, direction);
        if !subject.goes_by_labels() {
            let end = |id| Arc::new(self.end(endpoint, direction, Party::Endpoint(id)));
            return Some(admitted.into_iter().map(|id| (id, end(id))).collect());
        }
        let mut fitting: Vec<(EndpointId, u32)> = Vec::new();
        let mut always: Vec<u32> = Vec::new();
        for (at, rule) in (0..).zip(subject.rules()) {
            if matches!((&rule.peers, &rule.ports), (Peers::Unsaid, Some(_))) {
                always.push(at);
            }
            let selectors = rule.peers.selectors();
            let selected = selectors.flat_map(|one| self.peers_of(one));
            fitting.extend(selected.map(|id| (*id, at)));
        }
        fitting.sort_unstable();
        fitting.dedup();
        // Peers of the same rules have the same ports open.
        let mut known: BTreeMap<Vec<u32>, Arc<Opening>> = BTreeMap::new();
        let mut fitting = fitting.as_slice();
        let mut openings = Vec::with_capacity(admitted.len());
        for id in admitted {
            fitting = &fitting[fitting.partition_point(|(other, _)| *other < id)..];
            let own = fitting.iter().take_while(|(other, _)| *other == id).map(|(_, at)| *at);
            let mut rules: Vec<u32> = own.chain(always.iter().copied()).collect();
            rules.sort_unstable();
            let opening = known.entry(rules).or_insert_with_key(|rules| {
                let peer = &self.mesh.endpoint(id).identity;
                Arc::new(subject.toward_by(peer, rules).opening())
            });
            openings.push((id, Arc::clone(opening)));
        }
        Some(openings)
    }

    /// Whom an end may let through.
    pub fn admitted(&self, endpoint: EndpointId, direction: Direction) -> Admitted {
        let subject = self.subject(endpoint, direction);
        if !subject.is_isolated() {
            return if subject.is_broken() {
                Admitted::Some(Vec::new())
            } else {
                Admitted::Everyone
            };
        }
        let cluster = self.mesh.endpoint(endpoint).cluster;
        let semantics = &self.mesh.cluster(cluster).semantics;
        let mut ids = Vec::new();
        for rule in subject.rules().iter().filter(|rule| rule.action == Action::Allow) {
            if matches!((&rule.peers, &rule.ports), (Peers::Unsaid, Some(_))) {
                return Admitted::Everyone;
            }
            if rule.peers.said().iter().any(|peer| peer.takes_pods_as_addresses(semantics)) {
                return Admitted::Everyone;
            }
            for selector in rule.peers.selectors() {
                if semantics.aggregates() && selector.selects_aggregates() {
                    return Admitted::Everyone;
                }
                ids.extend(self.peers_of(selector));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Admitted::Some(ids)
    }
}

/// Where a selector is in memory.
fn address(selector: &Selector) -> usize {
    std::ptr::from_ref(selector).addr()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{irregular, mesh, policy, workload};
    use super::*;
    use crate::policy::Protocol;

    fn two() -> Mesh {
        let mut mesh = mesh(&[("euw1", "1.20.2"), ("use1", "1.18.6")]);
        for cluster in 0..2 {
            workload(&mut mesh, cluster, "shop/web");
            workload(&mut mesh, cluster, "shop/api");
        }
        mesh
    }

    const WEB_TO_API: &str = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: \
         [{matchLabels: {app: web}}], toPorts: [{ports: [{port: '8080'}]}]}]}";

    fn named(mesh: &Mesh, name: &str) -> EndpointId {
        let mut ids = mesh.endpoints().map(|(id, _)| id);
        ids.find(|id| mesh.describe(*id) == name).expect("an endpoint")
    }

    #[test]
    fn both_ends_must_let_a_flow_through() {
        let mut mesh = two();
        policy(&mut mesh, 1, "shop/api", WEB_TO_API);
        let deny = "{endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: \
             [{matchExpressions: [{key: io.cilium.k8s.policy.cluster, operator: Exists}]}], \
             toPorts: [{ports: [{port: '8000', endPort: 8100, protocol: TCP}]}]}]}";
        policy(&mut mesh, 0, "shop/web", deny);
        let reach = Reach::new(&mesh);
        let opening = |from: &str, to: &str| {
            let party = |name| Party::Endpoint(named(&mesh, name));
            reach.opening(party(from), party(to)).to_string()
        };
        assert_eq!(opening("shop/web@euw1", "shop/api@use1"), "TCP/8080");
        assert_eq!(
            opening("shop/web@use1", "shop/api@use1"),
            "TCP/8080, UDP/8080, SCTP/8080",
            "nothing isolates the source"
        );
        assert_eq!(opening("shop/api@euw1", "shop/api@use1"), "nothing");
        assert_eq!(opening("shop/web@euw1", "shop/api@euw1"), "TCP/8000-8100");
        assert_eq!(opening("shop/api@use1", "shop/api@euw1"), "every port");
        let api = named(&mesh, "shop/api@use1");
        let web = ["shop/web@euw1", "shop/web@use1"].map(|name| named(&mesh, name)).to_vec();
        assert_eq!(reach.admitted(api, Direction::Ingress), Admitted::Some(web));
        assert_eq!(reach.admitted(api, Direction::Egress), Admitted::Everyone);
        let world = Identity::world();
        let end = reach.end(api, Direction::Ingress, Party::Outside(&world));
        assert_eq!(end.at(Protocol::TCP, 8080), None);
    }

    #[test]
    fn clusters_that_are_not_joined_do_not_meet() {
        let mut mesh = two();
        mesh.clusters[0].joined = std::iter::once(ClusterId::new(0)).collect();
        let reach = Reach::new(&mesh);
        let party = |name| Party::Endpoint(named(&mesh, name));
        let between = reach.opening(party("shop/web@euw1"), party("shop/api@use1"));
        assert!(between.is_closed());
    }

    #[test]
    fn what_rules_admit_is_what_asking_everyone_says() {
        let mut mesh = two();
        policy(&mut mesh, 0, "shop/api", WEB_TO_API);
        policy(&mut mesh, 1, "shop/api", WEB_TO_API);
        let wide = "{endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: \
             [{matchExpressions: [{key: app, operator: NotIn, values: [api]}]}]}]}";
        policy(&mut mesh, 0, "shop/web", wide);
        let limited: usize = irregular().iter().chain([&mesh]).map(agrees).sum();
        // In 1.18 a selector admits those alone whom it selects.
        assert_eq!(agrees(&irregular()[1]), 1);
        assert_eq!(limited, 8);
    }

    /// What rules admit is what asking everyone says; how many ends do not admit everyone.
    fn agrees(mesh: &Mesh) -> usize {
        let reach = Reach::new(mesh);
        let ends = mesh.endpoints().map(|(id, _)| id);
        let ends = ends.flat_map(|id| [(id, Direction::Ingress), (id, Direction::Egress)]);
        let limited = ends.filter(|(id, direction)| {
            let (id, direction) = (*id, *direction);
            let Admitted::Some(admitted) = reach.admitted(id, direction) else {
                assert!(reach.openings(id, direction).is_none());
                return false;
            };
            let openings = reach.openings(id, direction).expect("not everyone");
            let peers: Vec<EndpointId> = openings.iter().map(|(peer, _)| *peer).collect();
            assert_eq!(peers, admitted, "{}", mesh.describe(id));
            for (peer, _) in mesh.endpoints() {
                let asked = reach.end(id, direction, Party::Endpoint(peer));
                let known = openings.iter().find(|(known, _)| *known == peer);
                let found = known.map_or_else(Opening::closed, |(_, opening)| (**opening).clone());
                assert_eq!(found, asked, "{} {}", mesh.describe(id), mesh.describe(peer));
            }
            true
        });
        limited.count()
    }
}
