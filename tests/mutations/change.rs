//! The ways in which one rule is made narrower or wider.

use std::collections::BTreeSet;

use ipnet::IpNet;
use landbridge::policy::label::Source;
use landbridge::policy::rule::{Http, L7, Pattern, Peer, Peers, PortRule, Ports, Which};
use landbridge::policy::selector::{Operator, Requirement};
use landbridge::policy::{Key, Rule, Selector, label};

/// A change of one rule. What stands at a place is counted over the whole rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// The rule goes away.
    Remove,
    /// A peer goes away.
    DropPeer(usize),
    /// Some ports go away.
    DropPort(usize),
    /// A request or a name that may be asked for goes away.
    DropRequest(usize),
    /// The rule no longer isolates.
    NoIsolation,
    /// `toPorts` goes away.
    EveryPort,
    /// Ports begin one earlier and end one later, or are every port.
    WiderPort(usize),
    /// A port is one of every protocol that has ports.
    EveryProtocol(usize),
    /// Every peer with labels.
    EveryPeer,
    /// A label that a peer must have goes away: its cluster, its namespace or another.
    DropLabel(usize),
    /// A label that the subject must have goes away, but not its namespace, which a policy of a
    /// namespace cannot leave.
    DropSubjectLabel(usize),
    /// A range of addresses is twice as large.
    WiderRange(usize),
    /// The addresses that are left out of a range are in it.
    NoException(usize),
    /// A name is every name.
    EveryName(usize),
    /// The L7 rules go away.
    NoLimit,
    /// A request may have any path, or a name that is asked for is any name.
    AnyRequest(usize),
}

impl Change {
    /// Every change of a rule.
    pub(super) fn all(rule: &Rule) -> Vec<Self> {
        let fixed =
            [Self::Remove, Self::NoIsolation, Self::EveryPort, Self::EveryPeer, Self::NoLimit];
        let placed: [fn(usize) -> Self; 11] = [
            Self::DropPeer,
            Self::DropPort,
            Self::DropRequest,
            Self::WiderPort,
            Self::EveryProtocol,
            Self::DropLabel,
            Self::DropSubjectLabel,
            Self::WiderRange,
            Self::NoException,
            Self::EveryName,
            Self::AnyRequest,
        ];
        let mut changes = fixed.to_vec();
        for change in placed {
            changes.extend((0..size(rule)).map(change));
        }
        changes.retain(|change| change.of(rule).is_some());
        changes
    }

    /// Whether the rule says less afterwards.
    pub(super) fn narrows(self) -> bool {
        self < Self::EveryPort
    }

    /// What the rule is afterwards, and what it was besides where it says less now; nothing where
    /// there is nothing to change.
    pub(super) fn of(self, rule: &Rule) -> Option<(Rule, Rule)> {
        let (mut left, mut lost) = (rule.clone(), rule.clone());
        let changed = match self {
            Self::Remove => {
                left.default_deny = false;
                left.peers = Peers::Nobody;
                true
            }
            Self::NoIsolation => {
                lost.peers = Peers::Nobody;
                lost.ports = None;
                std::mem::take(&mut left.default_deny)
            }
            _ => {
                lost.default_deny = false;
                self.apply(&mut left, &mut lost)
            }
        };
        changed.then_some((left, lost))
    }

    fn apply(self, left: &mut Rule, lost: &mut Rule) -> bool {
        match self {
            Self::Remove | Self::NoIsolation => false,
            Self::EveryPort => left.ports.take().is_some(),
            Self::NoLimit => {
                let limited = left.ports.iter_mut().flatten();
                limited.filter_map(|ports| ports.l7.take()).count() > 0
            }
            Self::EveryPeer => {
                let all = Peer::Labels { selector: Selector::default(), endpoints: true };
                let some = matches!(left.peers, Peers::Of(_));
                if some {
                    left.peers = Peers::Of(vec![all]);
                }
                some
            }
            Self::DropPeer(at) => {
                let (Peers::Of(kept), Peers::Of(gone)) = (&mut left.peers, &mut lost.peers) else {
                    return false;
                };
                let Some(one) = kept.get(at).cloned() else { return false };
                let word = word(&one).unwrap_or_default().to_owned();
                *gone = kept
                    .extract_if(.., |known| *known == one || stands_for(known, &word))
                    .collect();
                !kept.is_empty() && !is_another_word(&one)
            }
            Self::DropPort(at) => drop_port(left, lost, at),
            Self::DropRequest(at) => drop_request(left, lost, at),
            Self::WiderPort(at) => ports(left).nth(at).is_some_and(|one| wider(&mut one.which)),
            Self::EveryProtocol(at) => ports(left).nth(at).is_some_and(|one| {
                let all = landbridge::policy::Protocol::ANY.to_vec();
                let with_ports = one.protocols.iter().all(|one| one.has_ports());
                with_ports && std::mem::replace(&mut one.protocols, all.clone()) != all
            }),
            Self::DropLabel(at) => drop_label(left, at),
            Self::DropSubjectLabel(at) => {
                let dropped = left.subject.requirements().nth(at);
                let some = dropped.is_some_and(|one| !one.key.is_k8s(label::NAMESPACE));
                if some {
                    left.subject = without(&left.subject, at);
                }
                some
            }
            Self::WiderRange(at) | Self::NoException(at) | Self::EveryName(at) => {
                let Peers::Of(peers) = &mut left.peers else { return false };
                peers.get_mut(at).is_some_and(|peer| self.of_peer(peer))
            }
            Self::AnyRequest(at) => any_request(left, at),
        }
    }

    fn of_peer(self, peer: &mut Peer) -> bool {
        match (self, peer) {
            (Self::WiderRange(_), Peer::Cidr { net, .. }) => {
                let wider = net.supernet();
                *net = wider.unwrap_or(*net);
                wider.is_some()
            }
            (Self::NoException(_), Peer::Cidr { except, .. }) => {
                !std::mem::take::<Vec<IpNet>>(except).is_empty()
            }
            (Self::EveryName(_), Peer::Name(pattern)) => {
                std::mem::replace(pattern, Pattern::new("*")) != Pattern::new("*")
            }
            _ => false,
        }
    }
}

/// The word of Cilium's by which a peer is selected.
fn word(peer: &Peer) -> Option<&str> {
    let Peer::Labels { selector, .. } = peer else { return None };
    let mut keys = selector.requirements().map(|one| &one.key);
    keys.find(|key| key.source == Some(Source::Reserved)).map(|key| &*key.key)
}

/// Whether a peer is one of the words that an entity is read as, besides its own.
fn is_another_word(peer: &Peer) -> bool {
    word(peer).is_some_and(|word| word.starts_with("aggregate-") || word.starts_with("world-"))
}

fn stands_for(peer: &Peer, entity: &str) -> bool {
    let of =
        |word: &str| word.strip_prefix("aggregate-").or(word.split('-').next()) == Some(entity);
    is_another_word(peer) && word(peer).is_some_and(of)
}

/// A rule as rules of one peer and port each.
pub(super) fn parts(rule: &Rule) -> Vec<Rule> {
    let peers: Vec<Peers> = match &rule.peers {
        Peers::Of(peers) => peers.iter().map(|peer| Peers::Of(vec![peer.clone()])).collect(),
        other => vec![other.clone()],
    };
    let ports: Vec<Option<Vec<PortRule>>> = match &rule.ports {
        None => vec![None],
        Some(rules) => {
            let one = |known: &PortRule| {
                let l7 = known.l7.clone();
                let ports = known.ports.clone().into_iter();
                ports.map(move |ports| Some(vec![PortRule { ports: vec![ports], l7: l7.clone() }]))
            };
            rules.iter().flat_map(one).collect()
        }
    };
    let with = |peers: &Peers, ports: &Option<Vec<PortRule>>| Rule {
        peers: peers.clone(),
        ports: ports.clone(),
        ..rule.clone()
    };
    peers.iter().flat_map(|peers| ports.iter().map(move |ports| with(peers, ports))).collect()
}

/// More than the places that any change counts.
fn size(rule: &Rule) -> usize {
    let requests = rule.ports.iter().flatten().filter_map(|known| known.l7.as_ref());
    let requests = requests.map(|l7| match l7 {
        L7::Http(requests) => requests.len(),
        L7::Dns(patterns) => patterns.len(),
        L7::Other(_) => 0,
    });
    let ports = rule.ports.iter().flatten().map(|known| known.ports.len());
    let labels = rule.peers.selectors().chain([&rule.subject]);
    let labels = labels.map(|selector| selector.requirements().count());
    requests.chain(ports).chain(labels).chain([rule.peers.said().len()]).sum()
}

fn ports(rule: &mut Rule) -> impl Iterator<Item = &mut Ports> {
    rule.ports.iter_mut().flatten().flat_map(|known| &mut known.ports)
}

fn wider(which: &mut Which) -> bool {
    let before = which.clone();
    match which {
        Which::All => {}
        Which::Range(first, last) => {
            *first = first.saturating_sub(1).max(1);
            *last = last.saturating_add(1);
        }
        Which::Named(_) => *which = Which::All,
    }
    before != *which
}

/// Takes away one of the ports that a rule lists, unless it is the only one.
fn drop_port(left: &mut Rule, lost: &mut Rule, at: usize) -> bool {
    if ports(left).count() < 2 {
        return false;
    }
    let mut from = at;
    let rules: &mut Vec<PortRule> = match &mut left.ports {
        Some(rules) => rules,
        None => return false,
    };
    for index in 0..rules.len() {
        let known = &mut rules[index];
        if from < known.ports.len() {
            let gone = PortRule { ports: vec![known.ports.remove(from)], l7: known.l7.clone() };
            if known.ports.is_empty() {
                rules.remove(index);
            }
            lost.ports = Some(vec![gone]);
            return true;
        }
        from -= known.ports.len();
    }
    false
}

/// Takes away one of the requests of a list, unless it is the only one.
fn drop_request(left: &mut Rule, lost: &mut Rule, at: usize) -> bool {
    let mut from = at;
    for known in left.ports.iter_mut().flatten() {
        let gone = match &mut known.l7 {
            Some(L7::Http(requests)) => take(requests, &mut from).map(L7::Http),
            Some(L7::Dns(patterns)) => take(patterns, &mut from).map(L7::Dns),
            _ => None,
        };
        if gone.is_some() {
            lost.ports = Some(vec![PortRule { ports: known.ports.clone(), l7: gone }]);
            return true;
        }
    }
    false
}

/// Takes one of several things away; counts down to it.
fn take<T: Ord + Clone>(all: &mut BTreeSet<T>, from: &mut usize) -> Option<BTreeSet<T>> {
    let one = all.iter().nth(*from).cloned().filter(|_| all.len() > 1);
    *from = from.checked_sub(all.len()).unwrap_or(usize::MAX);
    let one = all.take(&one?)?;
    Some(BTreeSet::from([one]))
}

fn any_request(rule: &mut Rule, at: usize) -> bool {
    let mut from = at;
    for known in rule.ports.iter_mut().flatten() {
        let (changed, count) = match &mut known.l7 {
            Some(L7::Http(requests)) => (swap(requests, from, any_path), requests.len()),
            Some(L7::Dns(patterns)) => {
                (swap(patterns, from, |_| Pattern::new("*")), patterns.len())
            }
            _ => (None, 0),
        };
        if let Some(changed) = changed {
            return changed;
        }
        from = match from.checked_sub(count) {
            Some(from) => from,
            None => return false,
        };
    }
    false
}

fn any_path(request: &Http) -> Http {
    if request.path.is_some() {
        return Http { path: None, ..request.clone() };
    }
    Http { headers: request.headers.clone(), ..Http::default() }
}

/// Puts something else in the place of one of several things; says whether it is another.
fn swap<T: Ord + Clone>(all: &mut BTreeSet<T>, at: usize, other: impl Fn(&T) -> T) -> Option<bool> {
    let one = all.iter().nth(at)?.clone();
    let other = other(&one);
    let differs = other != one;
    if differs {
        all.remove(&one);
        all.insert(other);
    }
    Some(differs)
}

fn drop_label(rule: &mut Rule, at: usize) -> bool {
    let Peers::Of(peers) = &mut rule.peers else { return false };
    let mut from = at;
    for peer in peers {
        let Peer::Labels { selector, .. } = peer else { continue };
        let count = selector.requirements().count();
        if from < count {
            *selector = without(selector, from);
            return true;
        }
        from -= count;
    }
    false
}

/// A selector without one of its requirements; without that of the namespace it is of any.
fn without(selector: &Selector, at: usize) -> Selector {
    let mut left = Selector::default();
    for (index, wanted) in selector.requirements().enumerate() {
        let Requirement { key, operator, values } = wanted;
        if index == at {
            if key.is_k8s(label::NAMESPACE) {
                left.add(Requirement::exists(Key::k8s(label::NAMESPACE)));
            }
        } else if let (Operator::In, 1) = (operator, values.len()) {
            left.set(key.clone(), values.first().unwrap_or_default());
        } else {
            left.add(wanted.clone());
        }
    }
    left
}
