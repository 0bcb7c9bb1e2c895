//! What guards demand, asked of what goes through.

use rayon::prelude::*;

use crate::policy::{Direction, Identity, Opening};
use crate::reach::outside::Outsider;
use crate::reach::{EndpointId, Mesh, Party, Reach};
use crate::source::Span;
use crate::spec::flow::Entity;
use crate::topology::guard::{Demand, GuardRule};
use crate::topology::{ClusterId, Peer, PeerKind};

use super::intent::{End, Intent, Meant, Names, Terms, Why, covers, is_pods};
use super::outsiders;

/// Most flows and rules that are named with a counter-example.
const MOST: usize = 3;

/// A counter-example.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    /// Who reaches.
    pub(super) from: String,
    /// Who is reached.
    pub(super) to: String,
    /// On which port.
    pub(super) ports: String,
    /// The flows that declare it.
    pub(super) flows: Vec<(Span, String)>,
    /// The rules that let it through.
    pub(super) rules: Vec<(Direction, Vec<Span>)>,
    /// The ends that nothing isolates.
    pub(super) open: Vec<String>,
}

/// What every guard needs.
pub(super) struct Guards<'a, 'm> {
    reach: &'a Reach<'m>,
    mesh: &'a Mesh,
    intent: &'a Intent<'a>,
    names: Names,
}

/// Who is on one side of a rule.
struct Side<'a> {
    /// Of the pods, by their index.
    pods: Vec<bool>,
    count: usize,
    /// The peer whose outsiders are meant; nothing for no one or anyone.
    outsiders: Outsiders<'a>,
}

enum Outsiders<'a> {
    None,
    Any,
    Of(&'a Peer),
    Not(&'a Peer),
}

impl<'a, 'm> Guards<'a, 'm> {
    pub(super) fn new(reach: &'a Reach<'m>, intent: &'a Intent<'a>) -> Self {
        let mesh = reach.mesh();
        Self { reach, mesh, intent, names: Names::of(mesh) }
    }

    /// A counter-example to a rule.
    pub(super) fn broken(&self, rule: &'a GuardRule) -> Option<Broken> {
        let (from, to) = match (rule.demand, &rule.from, &rule.to) {
            (Demand::Never, from, to) => (self.side(from.as_ref()), self.side(to.as_ref())),
            (Demand::Only, Some(from), Some(to)) => {
                (self.others(&[from, to], Some(from)), self.side(Some(to)))
            }
            (Demand::Only, None, Some(to)) => (self.others(&[to], None), self.side(Some(to))),
            (Demand::Only, from, None) => {
                let from = from.as_ref()?;
                (self.side(Some(from)), self.others(&[from], None))
            }
        };
        self.between_pods(rule, &from, &to)
            .or_else(|| self.with_called_outsiders(rule, &from, &to))
            .or_else(|| self.with_calling_outsiders(rule, &from, &to))
    }

    fn side(&self, peer: Option<&'a Peer>) -> Side<'a> {
        let Some(peer) = peer else {
            let count = self.mesh.endpoints.len();
            return Side { pods: vec![true; count], count, outsiders: Outsiders::Any };
        };
        let pods = self.pods(peer);
        let count = pods.iter().filter(|known| **known).count();
        let outsiders = if peer.kind.is_pods() { Outsiders::None } else { Outsiders::Of(peer) };
        Side { pods, count, outsiders }
    }

    /// Everybody who is none of these. Of these, `outside` may be outsiders.
    fn others(&self, but: &[&'a Peer], outside: Option<&'a Peer>) -> Side<'a> {
        let mut pods = vec![true; self.mesh.endpoints.len()];
        for peer in but {
            for (known, is) in pods.iter_mut().zip(self.pods(peer)) {
                *known &= !is;
            }
        }
        let count = pods.iter().filter(|known| **known).count();
        let outside = outside.or(but.first().copied()).filter(|peer| !peer.kind.is_pods());
        Side { pods, count, outsiders: outside.map_or(Outsiders::Any, Outsiders::Not) }
    }

    /// The pods of a peer.
    fn pods(&self, peer: &Peer) -> Vec<bool> {
        if let PeerKind::Entities(entities) = &peer.kind {
            // Pods of the own cluster are told apart when both ends are known.
            let any = entities.iter().any(|one| is_pods(*one, true));
            let is = |endpoint: ClusterId| any && peer.clusters.contains(endpoint);
            return self.mesh.endpoints.iter().map(|known| is(known.cluster)).collect();
        }
        let Some(terms) = Terms::of(self.intent.topology, peer) else {
            return vec![false; self.mesh.endpoints.len()];
        };
        self.mesh
            .endpoints
            .par_iter()
            .map(|known| peer.clusters.contains(known.cluster) && terms.fit(&known.identity))
            .collect()
    }

    /// The ports of a rule at a pod.
    fn ports(&self, rule: &GuardRule, target: Option<&Identity>) -> Opening {
        let called = rule.to.as_ref();
        let service = matches!(called, Some(Peer { kind: PeerKind::Service(_), .. }));
        if rule.ports.is_none() && !service {
            return Opening::everything();
        }
        let topology = self.intent.topology;
        let meant = Meant::of(topology, rule.ports.as_ref(), called, target, &self.names);
        if target.is_some() { meant.must } else { meant.must.or(&meant.may) }
    }

    fn between_pods(&self, rule: &GuardRule, from: &Side<'_>, to: &Side<'_>) -> Option<Broken> {
        if from.count == 0 || to.count == 0 {
            return None;
        }
        let ids = |side: &Side<'_>| -> Vec<EndpointId> {
            let all = self.mesh.endpoints().filter(|(id, _)| side.pods[id.index()]);
            all.map(|(id, _)| id).collect()
        };
        let (sources, targets) = (ids(from), ids(to));
        let listed = |id: EndpointId, direction| self.reach.openings(id, direction);
        let by_source = sources.par_iter().map(|source| {
            let Some(peers) = listed(*source, Direction::Egress) else { return Err(*source) };
            let open = peers.iter().filter(|(id, open)| to.pods[id.index()] && !open.is_closed());
            let mut open = open.filter_map(|(id, _)| self.pair(rule, *source, *id));
            Ok(open.next())
        });
        let mut everyone = vec![false; self.mesh.endpoints.len()];
        let mut any = false;
        for answer in by_source.collect::<Vec<_>>() {
            match answer {
                Ok(Some(broken)) => return Some(broken),
                Ok(None) => {}
                Err(source) => {
                    everyone[source.index()] = true;
                    any = true;
                }
            }
        }
        if !any {
            return None;
        }
        targets.par_iter().find_map_first(|target| match listed(*target, Direction::Ingress) {
            Some(peers) => {
                let mut open =
                    peers.iter().filter(|(id, open)| everyone[id.index()] && !open.is_closed());
                open.find_map(|(id, _)| self.pair(rule, *id, *target))
            }
            None => sources
                .iter()
                .filter(|source| everyone[source.index()])
                .find_map(|source| self.pair(rule, *source, *target)),
        })
    }

    /// A counter-example between two pods.
    fn pair(&self, rule: &GuardRule, source: EndpointId, target: EndpointId) -> Option<Broken> {
        let (from, to) = (self.mesh.endpoint(source), self.mesh.endpoint(target));
        let near = |peer: &Option<Peer>| match peer {
            Some(Peer { kind: PeerKind::Entities(entities), .. }) => {
                let same = from.cluster == to.cluster;
                (rule.demand == Demand::Only && !entities.contains(&Entity::Cluster))
                    || entities.iter().any(|one| is_pods(*one, same))
            }
            _ => true,
        };
        if source == target && rule.demand == Demand::Only || !near(&rule.from) || !near(&rule.to) {
            return None;
        }
        let open = self.reach.opening(Party::Endpoint(source), Party::Endpoint(target));
        let mut open = open.and(&self.ports(rule, Some(&to.identity)));
        let own = from.cluster == to.cluster;
        if rule.demand == Demand::Only && own && self.intent.answers(&to.identity, to.cluster) {
            open = open.without(&Meant::dns().must);
        }
        let ports = open.first()?;
        let roles = |one: EndpointId| {
            let known = self.mesh.endpoint(one);
            self.intent.roles(&known.identity, known.cluster)
        };
        let (callers, called) = (roles(source), roles(target));
        let end = End {
            identity: &from.identity,
            roles: &callers,
            cluster: from.cluster,
            direction: Direction::Egress,
        };
        let mut flows = Vec::new();
        let mut add = |why, meant: Meant<'_>| {
            if meant.must.at(ports.protocol, ports.first).is_some() {
                flows.push(why);
            }
        };
        self.intent.with_pod(&end, &to.identity, to.cluster, &called, &self.names, &mut add);
        let ends = [
            (source, Direction::Egress, &to.identity),
            (target, Direction::Ingress, &from.identity),
        ];
        let mut broken = Broken {
            from: self.mesh.describe(source),
            to: self.mesh.describe(target),
            ports: self.mesh.describe_ports(ports),
            flows: self.flows(flows),
            rules: Vec::new(),
            open: Vec::new(),
        };
        for (id, direction, peer) in ends {
            let subject = self.reach.subject(id, direction);
            if subject.is_isolated() {
                let verdict = subject.toward(peer).at(ports.protocol, ports.first);
                let rules = verdict.rules.iter().map(|rule| rule.span).take(MOST);
                broken.rules.push((direction, rules.collect()));
            } else {
                broken.open.push(self.mesh.describe(id));
            }
        }
        Some(broken)
    }

    fn flows(&self, whys: Vec<Why>) -> Vec<(Span, String)> {
        let flows = whys.into_iter().filter_map(|why| match why {
            Why::Flow(at) => {
                let flow = &self.intent.topology.flows[at as usize];
                Some((flow.name.span, format!("{}/{}", flow.document, flow.name.value)))
            }
            Why::Dns | Why::Health => None,
        });
        flows.take(MOST).collect()
    }

    fn with_called_outsiders(
        &self,
        rule: &'a GuardRule,
        from: &Side<'_>,
        to: &Side<'_>,
    ) -> Option<Broken> {
        self.outside(rule, &from.pods, &to.outsiders, Direction::Egress)
    }

    fn with_calling_outsiders(
        &self,
        rule: &'a GuardRule,
        from: &Side<'_>,
        to: &Side<'_>,
    ) -> Option<Broken> {
        self.outside(rule, &to.pods, &from.outsiders, Direction::Ingress)
    }

    fn outside(
        &self,
        rule: &'a GuardRule,
        pods: &[bool],
        outsiders: &Outsiders<'_>,
        direction: Direction,
    ) -> Option<Broken> {
        if matches!(outsiders, Outsiders::None) {
            return None;
        }
        let ids: Vec<EndpointId> = self.mesh.endpoints().map(|(id, _)| id).collect();
        ids.par_iter().filter(|id| pods[id.index()]).find_map_first(|id| {
            let endpoint = self.mesh.endpoint(*id);
            let subject = self.reach.subject(*id, direction);
            let semantics = &self.mesh.cluster(endpoint.cluster).semantics;
            let roles = self.intent.roles(&endpoint.identity, endpoint.cluster);
            let end = End {
                identity: &endpoint.identity,
                roles: &roles,
                cluster: endpoint.cluster,
                direction,
            };
            let sides = [&rule.from, &rule.to].into_iter().flatten();
            let told = outsiders::told_apart(self.intent, &end, subject, sides);
            told.iter().find_map(|Outsider { name, identity }| {
                let of = |peer: &Peer| {
                    peer.clusters.contains(endpoint.cluster) && covers(peer, identity, semantics)
                };
                let is = match outsiders {
                    Outsiders::None => false,
                    Outsiders::Any => true,
                    Outsiders::Of(peer) => of(peer),
                    Outsiders::Not(peer) => !of(peer),
                };
                let host = identity.labels.is_reserved("host");
                if !is || (host && rule.demand == Demand::Only) {
                    return None;
                }
                self.outsider(rule, *id, &end, (name, identity))
            })
        })
    }

    /// A counter-example between a pod and an outsider.
    fn outsider(
        &self,
        rule: &GuardRule,
        id: EndpointId,
        end: &End<'_>,
        (name, identity): (&str, &Identity),
    ) -> Option<Broken> {
        let semantics = &self.mesh.cluster(end.cluster).semantics;
        let subject = self.reach.subject(id, end.direction);
        let target = (end.direction == Direction::Ingress).then_some(end.identity);
        let toward = subject.toward(identity);
        let mut open = toward.opening().and(&self.ports(rule, target));
        let (mut flows, mut dns) = (Vec::new(), false);
        let mut parts = Vec::new();
        self.intent.with_outsider(end, identity, semantics, &self.names, &mut |why, meant| {
            dns |= why == Why::Dns;
            parts.push((why, meant));
        });
        if dns && rule.demand == Demand::Only {
            open = open.without(&Meant::dns().must);
        }
        let ports = open.first()?;
        for (why, meant) in parts {
            if meant.must.at(ports.protocol, ports.first).is_some() {
                flows.push(why);
            }
        }
        let (mut rules, mut free) = (Vec::new(), Vec::new());
        if subject.is_isolated() {
            let verdict = toward.at(ports.protocol, ports.first);
            let spans = verdict.rules.iter().map(|rule| rule.span).take(MOST);
            rules.push((end.direction, spans.collect()));
        } else {
            free.push(self.mesh.describe(id));
        }
        let (own, other) = (self.mesh.describe(id), name.to_owned());
        let (from, to) = match end.direction {
            Direction::Egress => (own, other),
            Direction::Ingress => (other, own),
        };
        let (ports, flows) = (self.mesh.describe_ports(ports), self.flows(flows));
        Some(Broken { from, to, ports, flows, rules, open: free })
    }
}
