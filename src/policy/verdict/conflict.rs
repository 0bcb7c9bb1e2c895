//! Rules of which the agent can make no policy (`mergePortProto` in `pkg/policy/rule.go`).

use std::collections::{BTreeMap, BTreeSet};

use super::super::rule::{Action, L7, Level, Peer, Peers, Protocol, Rule, Which};
use super::super::selector::Selector;
use super::super::semantics::Semantics;

/// What reads the traffic (`L7ParserType` in `pkg/policy/l4.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Parser {
    /// Names of servers and TLS, which HTTP and Kafka may take the place of.
    Tls,
    Http,
    Dns,
    Kafka,
    /// What a name in the policy says.
    Custom,
    /// A listener of Envoy.
    Listener,
}

impl Parser {
    fn of(l7: &L7) -> Self {
        match l7 {
            L7::Http(_) => Self::Http,
            L7::Dns(_) => Self::Dns,
            L7::Other(keys) if keys.contains("kafka") => Self::Kafka,
            L7::Other(keys) if keys.contains("l7proto") => Self::Custom,
            L7::Other(keys) if keys.contains("listener") => Self::Listener,
            L7::Other(_) => Self::Tls,
        }
    }

    fn said(l7: &L7) -> (Self, bool) {
        let names = matches!(l7, L7::Other(keys) if keys.contains("serverNames")
            && !keys.contains("terminatingTLS"));
        (Self::of(l7), names)
    }

    fn clashes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Tls, other) | (other, Self::Tls) => matches!(other, Self::Dns | Self::Listener),
            _ => self != other,
        }
    }
}

/// What rules say of the traffic on one port: the parser, and whether names of servers are asked
/// for without ending TLS.
type Said = BTreeSet<(Parser, bool)>;

/// What is said of a port, and by which rules.
type OfPort<'r> = (Said, Vec<(&'r Rule, &'r L7)>);

/// Whether the agent gives up. Names of servers beside rules about what they hide do that in one
/// of the two orders only, and chance decides which it is.
fn clash(said: &Said, hidden: bool) -> bool {
    let beside = |one: &(Parser, bool), other: &(Parser, bool)| {
        let inside = matches!(other.0, Parser::Http | Parser::Kafka | Parser::Dns);
        one.0.clashes(other.0) || (hidden && one.1 && inside)
    };
    said.iter().any(|one| said.iter().any(|other| beside(one, other)))
}

/// Whether rules of several L7 protocols meet on one port.
pub(super) fn conflicts(rules: &[&Rule], semantics: &Semantics) -> bool {
    let mut ports: BTreeMap<(Protocol, &Which, u16, Level), OfPort<'_>> = BTreeMap::new();
    let allows = |rule: &&&Rule| rule.action == Action::Allow && rule.peers != Peers::Nobody;
    for rule in rules.iter().filter(allows) {
        for known in rule.ports.iter().flatten() {
            let Some(l7) = &known.l7 else { continue };
            for which in &known.ports {
                for protocol in &which.protocols {
                    let key = (*protocol, &which.which, which.end, rule.level);
                    let (said, of) = ports.entry(key).or_default();
                    said.insert(Parser::said(l7));
                    of.push((rule, l7));
                }
            }
        }
    }
    ports.into_values().any(|(said, of)| {
        // Hardly any port has two parsers, and rules may be many.
        if !clash(&said, true) {
            return false;
        }
        if semantics.one_parser_per_port() && clash(&said, false) {
            return true;
        }
        let required: Vec<&Selector> =
            rules.iter().filter(allows).flat_map(|rule| &rule.requires).collect();
        // No one is told apart from no one.
        let none = Peer::Labels { selector: Selector::reserved("none"), endpoints: false };
        let mut by_peer: BTreeMap<Peer, Said> = BTreeMap::new();
        for (rule, l7) in of {
            let peers = rule.peers.cached(&required).into_iter();
            for peer in peers.filter(|peer| *peer != none) {
                by_peer.entry(peer).or_default().insert(Parser::said(l7));
            }
        }
        by_peer.values().any(|said| clash(said, true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_stand_beside_what_they_lead_to() {
        let other = |keys: &[&str]| L7::Other(keys.iter().map(|key| (*key).to_owned()).collect());
        let known = [
            (other(&["serverNames"]), (Parser::Tls, true)),
            (other(&["serverNames", "terminatingTLS"]), (Parser::Tls, false)),
            (other(&["terminatingTLS"]), (Parser::Tls, false)),
            (L7::Http(BTreeSet::new()), (Parser::Http, false)),
            (L7::Dns(BTreeSet::new()), (Parser::Dns, false)),
            (other(&["kafka"]), (Parser::Kafka, false)),
            (other(&["l7proto"]), (Parser::Custom, false)),
            (other(&["listener"]), (Parser::Listener, false)),
        ];
        for (l7, said) in &known {
            assert_eq!(Parser::said(l7), *said, "{l7:?}");
        }
        let sorts: BTreeSet<Parser> = known.iter().map(|(_, (parser, _))| *parser).collect();
        let names = |parser: Parser| {
            let clashing = sorts.iter().filter(|other| parser.clashes(**other));
            clashing.map(|other| format!("{other:?}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Parser::Tls), "Dns Listener");
        assert_eq!(names(Parser::Http), "Dns Kafka Custom Listener");
        assert_eq!(names(Parser::Dns), "Tls Http Kafka Custom Listener");
        assert_eq!(names(Parser::Listener), "Tls Http Dns Kafka Custom");
    }
}
