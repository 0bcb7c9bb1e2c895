//! Those outside whom an end can tell apart.

use crate::policy::rule::{Action, Level, Pattern, Peer, Peers, Rule};
use crate::policy::{Selector, Subject};
use crate::reach::outside::{self, Outsider};
use crate::source::Span;
use crate::spec::cluster::NodeLocalMode;
use crate::topology::{self, PeerKind};

use super::intent::{End, Intent};

/// The outsiders that the rules of an end, its flows and further peers tell apart.
pub(super) fn told_apart<'p>(
    intent: &Intent<'_>,
    end: &End<'_>,
    subject: &Subject<'_>,
    more: impl IntoIterator<Item = &'p topology::Peer>,
) -> Told {
    let (mut ranges, mut patterns) = intent.outsiders(end);
    for peer in more {
        match &peer.kind {
            PeerKind::Cidrs(cidrs, except) => {
                let except: Vec<_> = except.iter().map(|out| out.0).collect();
                ranges.extend(cidrs.iter().map(|cidr| (cidr.0, except.clone())));
            }
            PeerKind::Fqdn(names) => patterns.extend(names.iter().map(|name| Pattern::new(name))),
            _ => {}
        }
    }
    let ranges = ranges.into_iter().map(|(net, except)| Peer::Cidr { net, except });
    let peers: Vec<Peer> = ranges.chain(patterns.into_iter().map(Peer::Name)).collect();
    // A rule of all that is meant, so that it is told apart as rules are.
    let meant = Rule {
        span: Span::default(),
        subject: Selector::default(),
        node: false,
        direction: end.direction,
        action: Action::Allow,
        level: Level::NORMAL,
        default_deny: false,
        peers: Peers::Of(peers),
        ports: None,
        requires: Vec::new(),
    };
    let cidrs = &intent.topology.cluster(end.cluster).pod_cidrs;
    let v4 = cidrs.iter().any(|cidr| cidr.value.0.addr().is_ipv4());
    let v6 = cidrs.iter().any(|cidr| cidr.value.0.addr().is_ipv6());
    let rules = subject.rules().iter().copied().chain([&meant]);
    Told { words: outside::words(v4 && v6), others: outside::told_apart(rules, v4 && v6) }
}

/// Those outside whom an end can tell apart.
pub(super) struct Told {
    words: &'static [Outsider],
    others: Vec<Outsider>,
}

impl Told {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Outsider> {
        self.words.iter().chain(&self.others)
    }
}

/// Whether an end meets nobody outside: its rules and its flows are about pods alone, and what no
/// rule allows is dropped, but for its own node.
pub(super) fn are_none(intent: &Intent<'_>, end: &End<'_>, subject: &Subject<'_>) -> bool {
    let dns = &intent.topology.cluster(end.cluster).dns;
    let of_pods = |rule: &&Rule| match &rule.peers {
        Peers::Nobody => true,
        Peers::Unsaid => rule.ports.is_none(),
        Peers::Of(peers) => peers.iter().all(|peer| match peer {
            Peer::Labels { selector, .. } => selector.is_of_pods(),
            Peer::Cidr { .. } | Peer::Groups(_) | Peer::Name(_) => false,
        }),
    };
    let own = end.roles.own(end.direction).iter();
    subject.is_isolated()
        && dns.node_local != Some(NodeLocalMode::Host)
        && subject.rules().iter().all(of_pods)
        && own.flat_map(|mine| intent.others(*mine, end.direction)).all(|peer| peer.kind.is_pods())
}
