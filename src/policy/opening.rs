//! The ports that are open between two ends, and what of their traffic goes through.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::iter::Peekable;
use std::slice::Iter;

use super::rule::{L7, Protocol};

/// What must let traffic through: every one of these lists, each of which lets through what one
/// of its entries does. No list is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limits(BTreeSet<Vec<L7>>);

impl Limits {
    /// No limit.
    pub const fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// One list, or no limit.
    pub fn of(list: Option<Vec<L7>>) -> Self {
        Self(list.into_iter().collect())
    }

    /// Whether everything goes through.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The lists.
    pub fn lists(&self) -> impl Iterator<Item = &[L7]> {
        self.0.iter().map(Vec::as_slice)
    }

    fn and(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    fn or(&self, other: &Self) -> Self {
        let both = |one: &Vec<L7>, other: &Vec<L7>| -> Vec<L7> {
            let all: BTreeSet<&L7> = one.iter().chain(other).collect();
            all.into_iter().cloned().collect()
        };
        Self(self.0.iter().flat_map(|one| other.0.iter().map(move |two| both(one, two))).collect())
    }

    /// Whether all that this lets through the other one does, too, as far as their entries are
    /// the same: expressions are not compared.
    pub fn within(&self, other: &Self) -> bool {
        let inside = |narrow: &Vec<L7>, wide: &Vec<L7>| {
            narrow.iter().all(|entry| wide.iter().any(|known| contains(known, entry)))
        };
        other.0.iter().all(|wide| self.0.iter().any(|narrow| inside(narrow, wide)))
    }
}

fn contains(wide: &L7, narrow: &L7) -> bool {
    match (wide, narrow) {
        (L7::Http(wide), L7::Http(narrow)) => narrow.is_subset(wide),
        (L7::Dns(wide), L7::Dns(narrow)) => {
            wide.iter().any(|pattern| &*pattern.0 == "*") || narrow.is_subset(wide)
        }
        (L7::Other(wide), L7::Other(narrow)) => wide == narrow,
        _ => false,
    }
}

/// Open ports of one protocol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenPorts {
    /// The protocol.
    pub protocol: Protocol,
    /// The first port, from 1; the first type of ICMP, from 0; 0 where there are no ports.
    pub first: u16,
    /// The last one.
    pub last: u16,
    /// What of the traffic goes through.
    pub limits: Limits,
}

/// The ports that are open between two ends: sorted, none twice, and no two side by side that
/// could be one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening(Vec<OpenPorts>);

/// The protocols of which every opening speaks.
const KNOWN: [Protocol; 5] =
    [Protocol::ICMP, Protocol::TCP, Protocol::UDP, Protocol::ICMPV6, Protocol::SCTP];

/// The first and the last port of a protocol; types for ICMP.
const fn bounds(protocol: Protocol) -> (u16, u16) {
    match protocol {
        Protocol::TCP | Protocol::UDP | Protocol::SCTP => (1, u16::MAX),
        Protocol::ICMP | Protocol::ICMPV6 => (0, 255),
        _ => (0, 0),
    }
}

impl Opening {
    /// Nothing.
    pub const fn closed() -> Self {
        Self(Vec::new())
    }

    /// Every port of every protocol.
    pub fn everything() -> Self {
        Self::of(&BTreeMap::new(), |_, _| Some(None))
    }

    /// One range without a limit.
    pub fn range(protocol: Protocol, first: u16, last: u16) -> Self {
        Self(vec![OpenPorts { protocol, first, last, limits: Limits::none() }])
    }

    /// What `open` says of every port, which is the same from each start to the next.
    pub(super) fn of(
        starts: &BTreeMap<Protocol, BTreeSet<u16>>,
        open: impl Fn(Protocol, u16) -> Option<Option<Vec<L7>>>,
    ) -> Self {
        let none = BTreeSet::new();
        let protocols: BTreeSet<Protocol> = KNOWN.iter().chain(starts.keys()).copied().collect();
        let mut opening = Self::closed();
        for protocol in protocols {
            let (first, last) = bounds(protocol);
            let starts = starts.get(&protocol).unwrap_or(&none);
            let inner = starts.iter().copied().filter(|start| first < *start && *start <= last);
            let starts: Vec<u16> = std::iter::once(first).chain(inner).collect();
            for (at, start) in starts.iter().enumerate() {
                let end = starts.get(at + 1).map_or(last, |next| next - 1);
                if let Some(limits) = open(protocol, *start) {
                    let limits = Limits::of(limits);
                    opening.push(OpenPorts { protocol, first: *start, last: end, limits });
                }
            }
        }
        opening
    }

    /// Adds what comes after all that there is.
    fn push(&mut self, ports: OpenPorts) {
        if let Some(before) = self.0.last_mut()
            && before.protocol == ports.protocol
            && before.last.checked_add(1) == Some(ports.first)
            && before.limits == ports.limits
        {
            before.last = ports.last;
            return;
        }
        self.0.push(ports);
    }

    /// Whether no port is open.
    pub fn is_closed(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every port is open without a limit.
    pub fn is_everything(&self) -> bool {
        *self == Self::everything()
    }

    /// The open ports, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &OpenPorts> {
        self.0.iter()
    }

    /// An example: the first port with a number of its own, TCP before others.
    pub fn first(&self) -> Option<&OpenPorts> {
        self.0.iter().find(|ports| ports.protocol == Protocol::TCP).or_else(|| self.0.first())
    }

    /// What is open at a port.
    pub fn at(&self, protocol: Protocol, port: u16) -> Option<&Limits> {
        let has = |ports: &&OpenPorts| {
            ports.protocol == protocol && (ports.first..=ports.last).contains(&port)
        };
        self.0.iter().find(has).map(|ports| &ports.limits)
    }

    /// What is open in both, under the limits of both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.join(other, |one, two| Some(one?.and(two?)))
    }

    /// What is open in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.join(other, |one, two| match (one, two) {
            (Some(one), Some(two)) => Some(one.or(two)),
            (one, two) => one.or(two).cloned(),
        })
    }

    /// What is open here and not there; what is limited there and not as much here is open here.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.join(other, |one, two| {
            let one = one?;
            (!two.is_some_and(|two| one.within(two))).then(|| one.clone())
        })
    }

    /// Joins two openings range by range.
    fn join(
        &self,
        other: &Self,
        joined: impl Fn(Option<&Limits>, Option<&Limits>) -> Option<Limits>,
    ) -> Self {
        let mut starts: BTreeSet<(Protocol, u16)> = BTreeSet::new();
        for ports in self.0.iter().chain(&other.0) {
            starts.insert((ports.protocol, ports.first));
            starts.extend(ports.last.checked_add(1).map(|after| (ports.protocol, after)));
        }
        let (mut one, mut two) = (self.0.iter().peekable(), other.0.iter().peekable());
        let starts: Vec<(Protocol, u16)> = starts.into_iter().collect();
        let mut opening = Self::closed();
        for (at, &(protocol, first)) in starts.iter().enumerate() {
            let (one, two) =
                (at_start(&mut one, protocol, first), at_start(&mut two, protocol, first));
            let limits = joined(one.map(|one| &one.limits), two.map(|two| &two.limits));
            let Some(limits) = limits else { continue };
            let next = starts.get(at + 1).filter(|next| next.0 == protocol);
            let ends = [one, two].into_iter().flatten().map(|ports| ports.last).min();
            let before = next.map(|next| next.1 - 1);
            let last = ends.into_iter().chain(before).min().unwrap_or(first);
            opening.push(OpenPorts { protocol, first, last, limits });
        }
        opening
    }
}

/// The range that has a port, if one does; those before it are left behind.
fn at_start<'o>(
    ranges: &mut Peekable<Iter<'o, OpenPorts>>,
    protocol: Protocol,
    first: u16,
) -> Option<&'o OpenPorts> {
    while ranges.next_if(|ports| (ports.protocol, ports.last) < (protocol, first)).is_some() {}
    let next = ranges.peek().copied()?;
    (next.protocol == protocol && next.first <= first).then_some(next)
}

impl fmt::Display for OpenPorts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, first, last, limits } = self;
        write!(out, "{protocol}")?;
        if (*first, *last) == bounds(*protocol) {
            // Every port.
        } else if first == last {
            write!(out, "/{first}")?;
        } else {
            write!(out, "/{first}-{last}")?;
        }
        if limits.is_none() { Ok(()) } else { write!(out, " (L7)") }
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_closed() {
            return write!(out, "nothing");
        }
        if self.is_everything() {
            return write!(out, "every port");
        }
        for (at, ports) in self.0.iter().enumerate() {
            write!(out, "{}{ports}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::Pattern;
    use super::*;

    fn tcp(ranges: &[(u16, u16)]) -> Opening {
        let range = |&(first, last): &(u16, u16)| Opening::range(Protocol::TCP, first, last);
        ranges.iter().map(range).fold(Opening::closed(), |all, one| all.or(&one))
    }

    fn limited(first: u16, last: u16, name: &str) -> Opening {
        let list = vec![L7::Dns([Pattern::new(name)].into_iter().collect())];
        let limits = Limits::of(Some(list));
        Opening(vec![OpenPorts { protocol: Protocol::TCP, first, last, limits }])
    }

    #[test]
    fn ranges_meet_and_part() {
        let (a, b) = (tcp(&[(1, 10), (20, 30)]), tcp(&[(5, 25)]));
        assert_eq!(a.and(&b), tcp(&[(5, 10), (20, 25)]));
        assert_eq!(a.or(&b), tcp(&[(1, 30)]));
        assert_eq!(a.without(&b), tcp(&[(1, 4), (26, 30)]));
        assert_eq!(b.without(&a), tcp(&[(11, 19)]));
        assert_eq!(a.to_string(), "TCP/1-10, TCP/20-30");
    }

    #[test]
    fn the_last_port_is_one_too() {
        let all = Opening::everything();
        assert_eq!(all.and(&all), all);
        assert_eq!(all.without(&tcp(&[(1, u16::MAX)])).at(Protocol::TCP, u16::MAX), None);
        assert_eq!(tcp(&[(65535, 65535)]).without(&all), Opening::closed());
        assert_eq!(all.without(&all), Opening::closed());
        assert!(all.is_everything());
        assert_eq!(all.to_string(), "every port");
    }

    #[test]
    fn a_limit_is_less_than_none() {
        let (free, limit) = (tcp(&[(1, 10)]), limited(5, 5, "a.example"));
        assert_eq!(free.and(&limit), limit);
        assert_eq!(free.or(&limit), free);
        assert_eq!(limit.without(&free), Opening::closed());
        assert_eq!(free.without(&limit), free);
        let other = limited(5, 5, "b.example");
        assert_eq!(limit.without(&other), limit);
        assert_eq!(limit.without(&limited(5, 5, "*")), Opening::closed());
        assert_eq!(limit.without(&limit.or(&other)), Opening::closed());
        assert_eq!(limit.and(&other).without(&limit), Opening::closed());
    }

    #[test]
    fn protocols_have_ports_or_types_or_neither() {
        let gre = Protocol::named("GRE").expect("a protocol");
        let starts = |protocol, starts: &[u16]| {
            BTreeMap::from([(protocol, starts.iter().copied().collect::<BTreeSet<u16>>())])
        };
        let only = |wanted: Protocol, last: u16| {
            move |protocol: Protocol, start: u16| {
                (protocol == wanted && start <= last).then_some(None)
            }
        };
        let opening = Opening::of(&starts(gre, &[80]), only(gre, 0));
        assert_eq!(opening, Opening::range(gre, 0, 0));
        let opening = Opening::of(&starts(Protocol::ICMP, &[0, 1]), only(Protocol::ICMP, 0));
        assert_eq!(opening, Opening::range(Protocol::ICMP, 0, 0));
        let opening = Opening::of(&starts(Protocol::ICMP, &[300]), only(Protocol::ICMP, 255));
        assert_eq!(opening, Opening::range(Protocol::ICMP, 0, 255));
        assert_eq!(opening.to_string(), "ICMP");
        assert!(Opening::everything().at(Protocol::ICMPV6, 255).is_some());
    }

    #[test]
    fn a_limit_of_one_sort_holds_none_of_another() {
        let http = |method: &str| {
            let method = Some(method.to_owned());
            L7::Http([super::super::rule::Http { method, ..Default::default() }].into())
        };
        let other = |name: &str| L7::Other([name.to_owned()].into());
        let dns = |name: &str| L7::Dns([Pattern::new(name)].into());
        let known = [http("GET"), http("PUT"), other("kafka"), other("tls"), dns("a"), dns("b")];
        let limits = |entry: &L7| Limits::of(Some(vec![entry.clone()]));
        for one in &known {
            for two in &known {
                assert_eq!(limits(one).within(&limits(two)), one == two, "{one:?} in {two:?}");
            }
        }
        let both = limits(&known[0]).or(&limits(&known[1]));
        assert_eq!(both.lists().map(<[L7]>::len).collect::<Vec<_>>(), [2]);
        assert!(known.iter().map(limits).all(|limits| !limits.is_none()));
        assert!(Limits::of(None).is_none() && Limits::none().lists().next().is_none());
    }

    #[test]
    fn the_example_is_of_tcp_where_there_is_one() {
        let (tcp, udp) = (tcp(&[(443, 443)]), Opening::range(Protocol::UDP, 53, 53));
        let icmp = Opening::range(Protocol::ICMP, 8, 8);
        let first = |opening: &Opening| opening.first().map(|ports| (ports.protocol, ports.first));
        let all = icmp.or(&udp).or(&tcp);
        assert_eq!(first(&all), Some((Protocol::TCP, 443)));
        assert_eq!(first(&icmp.or(&udp)), Some((Protocol::ICMP, 8)));
        assert_eq!(first(&Opening::closed()), None);
        let listed: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(listed, ["ICMP/8", "TCP/443", "UDP/53"]);
        assert_eq!(all.at(Protocol::UDP, 53), Some(&Limits::none()));
    }
}
