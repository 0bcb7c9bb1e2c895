//! Ports that a flow opens, and those that a namespace has agreed to.

use crate::spec::ports::{Opening, PortRef, Ports, Protocol};
use crate::topology::pods::Pods;
use crate::topology::{Accept, Peer, PeerKind, Topology};

/// Ports of one protocol: numbers from the first to the last, or the one with a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    protocol: &'static str,
    name: Option<String>,
    first: u16,
    last: u16,
}

/// What the agreed ports of an entry are: its own, or those of the services that it names.
pub(super) fn accepted(topology: &Topology, accept: &Accept, to: &Pods<'_>) -> Vec<Range> {
    let mut all = Vec::new();
    for called in &accept.to {
        if Pods::of(topology, called).is_some_and(|known| to.within(&known)) {
            all.extend(ranges(topology, accept.ports.as_ref(), called));
        }
    }
    if accept.to.is_empty() {
        all.extend(of(accept.ports.as_ref().unwrap_or(&Ports::All)));
    }
    all.sort();
    all
}

/// The ports that are meant on a called peer.
pub(super) fn ranges(topology: &Topology, ports: Option<&Ports>, called: &Peer) -> Vec<Range> {
    match (&called.kind, ports) {
        (PeerKind::Service(id), None) => {
            let port = |port: &PortRef, protocol| Opening::Port {
                port: port.clone(),
                end: None,
                protocol: Some(protocol),
            };
            let ports = topology.service(*id).ports.iter();
            of(&Ports::Some(ports.map(|known| port(&known.target, known.protocol)).collect()))
        }
        (_, ports) => of(ports.unwrap_or(&Ports::All)),
    }
}

fn of(ports: &Ports) -> Vec<Range> {
    let range = |protocol, name, first, last| Range { protocol, name, first, last };
    let openings = match ports {
        Ports::All => {
            let words = ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "other"];
            return words.map(|word| range(word, None, 0, u16::MAX)).into();
        }
        Ports::Some(openings) => openings,
    };
    let mut all = Vec::new();
    for opening in openings {
        match opening {
            Opening::Icmp { v6, kind } => {
                let word = if *v6 { "ICMPv6" } else { "ICMP" };
                all.push(range(word, None, u16::from(*kind), u16::from(*kind)));
            }
            Opening::Port { port, end, protocol } => {
                let every = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
                let protocols = protocol.as_ref().map_or(&every[..], std::slice::from_ref);
                all.extend(protocols.iter().map(|protocol| match port {
                    PortRef::Number(first) => {
                        range(protocol.word(), None, *first, end.unwrap_or(*first))
                    }
                    PortRef::Name(name) => range(protocol.word(), Some(name.clone()), 0, 0),
                }));
            }
        }
    }
    all
}

/// Whether all of a range is among agreed ones, which are sorted. A port with a name may have any
/// number.
pub(super) fn covered(range: &Range, agreed: &[Range]) -> bool {
    let same = |known: &&Range| known.protocol == range.protocol && known.name == range.name;
    if range.name.is_some() && agreed.iter().any(|known| same(&known)) {
        return true;
    }
    let (mut next, last) = match range.name {
        Some(_) => (0, u32::from(u16::MAX)),
        None => (u32::from(range.first), u32::from(range.last)),
    };
    let numbers = |known: &&Range| known.protocol == range.protocol && known.name.is_none();
    for known in agreed.iter().filter(numbers) {
        if u32::from(known.first) <= next {
            next = next.max(u32::from(known.last) + 1);
        }
    }
    next > last
}
