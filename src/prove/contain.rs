//! Whether all that one rule is about is what another rule is about, as far as their text shows.
//!
//! A yes holds for every set of labels, address and port; a no may be a yes that the text does
//! not show.

use std::collections::BTreeSet;

use crate::policy::Selector;
use crate::policy::rule::{Http, L7, Peer, Peers, PortRule, Ports, Rule, Which};
use crate::policy::selector::{Operator, Requirement};

/// Most pairs of requests of two rules that are compared; of more only those that are the same.
const MOST_REQUESTS: usize = 1_000;

/// Whether a rule is about no more than another one, in one direction and level, for the same
/// action or any other.
pub(super) fn rule(inner: &Rule, outer: &Rule) -> bool {
    subject(inner, outer)
        && inner.requires.is_empty()
        && outer.requires.is_empty()
        && ports(inner.ports.as_deref(), outer.ports.as_deref())
        && peers(inner, outer)
}

/// Whether a rule is about no more endpoints than another one, in one direction.
pub(super) fn subject(inner: &Rule, outer: &Rule) -> bool {
    inner.direction == outer.direction
        && inner.node == outer.node
        && selector(&inner.subject, &outer.subject)
}

/// Whether all that fulfils one selector fulfils the other.
pub(super) fn selector(inner: &Selector, outer: &Selector) -> bool {
    outer.requirements().all(|wanted| inner.requirements().any(|known| implies(known, wanted)))
}

fn implies(known: &Requirement, wanted: &Requirement) -> bool {
    use Operator::{DoesNotExist, Exists, In, NotIn};
    known.key == wanted.key
        && match (known.operator, wanted.operator) {
            (In | Exists, Exists) | (DoesNotExist, DoesNotExist | NotIn) => true,
            (In, In) => known.values.is_subset(&wanted.values),
            (In, NotIn) => known.values.is_disjoint(&wanted.values),
            (NotIn, NotIn) => known.values.is_superset(&wanted.values),
            (NotIn | Exists | In, DoesNotExist)
            | (Exists, In | NotIn)
            | (NotIn | DoesNotExist, In | Exists) => false,
        }
}

/// Whether nothing fulfils both selectors.
pub(super) fn disjoint(one: &Selector, other: &Selector) -> bool {
    use Operator::{DoesNotExist, Exists, In, NotIn};
    let apart = |a: &Requirement, b: &Requirement| {
        a.key == b.key
            && match (a.operator, b.operator) {
                (In, In) => a.values.is_disjoint(&b.values),
                (In, NotIn) => a.values.is_subset(&b.values),
                (In | Exists, DoesNotExist) => true,
                _ => false,
            }
    };
    let against = |a: &Requirement| other.requirements().any(|b| apart(a, b) || apart(b, a));
    one.requirements().any(against)
}

fn peers(inner: &Rule, outer: &Rule) -> bool {
    let anyone = |rule: &Rule| rule.peers == Peers::Unsaid && rule.ports.is_some();
    match (&inner.peers, &outer.peers) {
        (Peers::Nobody, _) => true,
        (Peers::Unsaid, _) if !anyone(inner) => true,
        _ if anyone(outer) => true,
        (Peers::Of(inner), Peers::Of(outer)) => {
            inner.iter().all(|known| outer.iter().any(|wide| peer(known, wide)))
        }
        (Peers::Unsaid, _) | (_, Peers::Nobody | Peers::Unsaid) => false,
    }
}

fn peer(inner: &Peer, outer: &Peer) -> bool {
    match (inner, outer) {
        (Peer::Labels { selector: inner, .. }, Peer::Labels { selector: outer, .. }) => {
            selector(inner, outer)
        }
        (Peer::Cidr { net: inner, except: closed }, Peer::Cidr { net: outer, except: open }) => {
            let disjoint = |out: &ipnet::IpNet| !out.contains(inner) && !inner.contains(out);
            let closed = |out: &ipnet::IpNet| closed.iter().any(|known| known.contains(out));
            outer.contains(inner) && open.iter().all(|out| disjoint(out) || closed(out))
        }
        (Peer::Groups(inner), Peer::Groups(outer)) => inner == outer,
        (Peer::Name(inner), Peer::Name(outer)) => inner == outer || &*outer.0 == "*",
        _ => false,
    }
}

/// Nothing is every port.
fn ports(inner: Option<&[PortRule]>, outer: Option<&[PortRule]>) -> bool {
    match (inner, outer) {
        (_, None) => inner.iter().copied().flatten().all(|known| known.l7.is_none()),
        (None, Some(_)) => false,
        (Some(inner), Some(outer)) => inner.iter().all(|known| {
            known.ports.iter().all(|port| {
                port.protocols.iter().all(|protocol| {
                    let holds = |wide: &Ports| {
                        wide.protocols.contains(protocol) && which(&port.which, &wide.which)
                    };
                    let fits = |wide: &&PortRule| limits(known.l7.as_ref(), wide.l7.as_ref());
                    outer.iter().filter(fits).any(|wide| wide.ports.iter().any(holds))
                })
            })
        }),
    }
}

fn which(inner: &Which, outer: &Which) -> bool {
    match (inner, outer) {
        (_, Which::All) => true,
        (Which::Range(first, last), Which::Range(from, to)) => from <= first && last <= to,
        (Which::Named(inner), Which::Named(outer)) => inner == outer,
        // Whatever the number is.
        (Which::Named(_), Which::Range(from, to)) => *from <= 1 && *to == u16::MAX,
        _ => false,
    }
}

/// Whether L7 limits are among others. Limits beside a rule without any still send the traffic
/// through a proxy, which people want for what it shows, so they are something of their own.
fn limits(inner: Option<&L7>, outer: Option<&L7>) -> bool {
    fn among<T: Ord>(inner: &BTreeSet<T>, outer: &BTreeSet<T>) -> bool {
        inner.is_subset(outer)
    }
    match (inner, outer) {
        (None, None) => true,
        (Some(L7::Http(inner)), Some(L7::Http(outer))) => {
            let few = inner.len().saturating_mul(outer.len()) <= MOST_REQUESTS;
            let within = |one: &Http| outer.iter().any(|wide| request(one, wide));
            among(inner, outer) || (few && inner.iter().all(within))
        }
        (Some(L7::Dns(inner)), Some(L7::Dns(outer))) => among(inner, outer),
        (Some(L7::Other(inner)), Some(L7::Other(outer))) => inner == outer,
        _ => false,
    }
}

/// Whether every request that one rule matches is matched by another.
fn request(inner: &Http, outer: &Http) -> bool {
    fn same(inner: Option<&String>, outer: Option<&String>) -> bool {
        outer.is_none() || outer == inner
    }
    // A path begins with a slash, whatever the expression says.
    let any_path = matches!(outer.path.as_deref(), Some("/.*" | ".*"));
    (any_path || same(inner.path.as_ref(), outer.path.as_ref()))
        && same(inner.method.as_ref(), outer.method.as_ref())
        && same(inner.host.as_ref(), outer.host.as_ref())
        && outer.headers.iter().all(|header| inner.headers.contains(header))
}

/// A rule as if its L7 rules allowed everything.
pub(super) fn without_limits(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    for known in rule.ports.iter_mut().flatten() {
        known.l7 = None;
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Key;

    fn requirement(operator: Operator, values: &[&str]) -> Requirement {
        let values = values.iter().map(|value| Box::from(*value)).collect();
        Requirement { key: Key::k8s("tier"), operator, values }
    }

    #[test]
    fn what_one_requirement_says_may_be_part_of_another() {
        use Operator::{DoesNotExist, Exists, In, NotIn};
        let cases = [
            ((In, &["a"][..]), (In, &["a", "b"][..]), true),
            ((In, &["a", "b"]), (In, &["a"]), false),
            ((In, &["a"]), (Exists, &[]), true),
            ((In, &["a"]), (NotIn, &["b"]), true),
            ((In, &["a"]), (NotIn, &["a", "b"]), false),
            ((NotIn, &["a", "b"]), (NotIn, &["a"]), true),
            ((DoesNotExist, &[]), (NotIn, &["a"]), true),
            ((Exists, &[]), (NotIn, &["a"]), false),
            ((NotIn, &["a"]), (DoesNotExist, &[]), false),
        ];
        for ((known, some), (wanted, others), expected) in cases {
            let (known, wanted) = (requirement(known, some), requirement(wanted, others));
            assert_eq!(implies(&known, &wanted), expected, "{known:?} {wanted:?}");
        }
    }

    #[test]
    fn an_exception_must_be_one_of_the_inner_range_too() {
        let cidr = |net: &str, except: &[&str]| Peer::Cidr {
            net: net.parse().expect("a prefix"),
            except: except.iter().map(|net| net.parse().expect("a prefix")).collect(),
        };
        let outer = cidr("10.0.0.0/8", &["10.1.0.0/16"]);
        assert!(peer(&cidr("10.2.0.0/16", &[]), &outer));
        assert!(!peer(&cidr("10.1.2.0/24", &[]), &outer));
        assert!(!peer(&cidr("10.0.0.0/8", &[]), &outer));
        assert!(peer(&cidr("10.0.0.0/8", &["10.0.0.0/9"]), &outer));
        assert!(!peer(&cidr("192.0.2.0/24", &[]), &outer));
    }

    #[test]
    fn requests_are_part_of_wider_ones() {
        let http = |method: &str, path: &str, headers: &[&str]| {
            let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let headers = headers.iter().map(|text| (*text).to_owned()).collect();
            Http { method: said(method), path: said(path), host: None, headers }
        };
        let get = http("GET", "/a", &["x-user"]);
        assert!(request(&get, &http("", "/a", &[])) && request(&get, &http("", "", &["x-user"])));
        assert!(request(&get, &http("GET", "/.*", &[])));
        assert!(!request(&get, &http("", "/b", &[])) && !request(&get, &http("", "", &["y"])));
        assert!(request(&http("PATCH", "", &[]), &http("", "/.*", &[])));
        assert!(!request(&http("", "", &[]), &http("", "/a.*", &[])));
    }

    #[test]
    fn ports_are_part_of_wider_ones() {
        assert!(which(&Which::Range(80, 80), &Which::Range(1, 1024)));
        assert!(which(&Which::Named("http".to_owned()), &Which::All));
        assert!(!which(&Which::All, &Which::Range(1, 65535)));
        assert!(which(&Which::Named("http".to_owned()), &Which::Range(1, 65535)));
        assert!(!which(&Which::Named("http".to_owned()), &Which::Range(1, 65534)));
        assert!(ports(None, None) && !ports(None, Some(&[])));
    }
}
