//! The ports of a flow, and the requests on them.

use crate::policy::rule::L7;
use crate::policy::{Identity, Opening, Protocol};
use crate::spec::ports::{self, PortRef, Ports};
use crate::topology::{Flow, HttpMatch, Peer, PeerKind, Topology};

use super::{Names, dns_ports, http};

/// What is meant to be open, by one reason.
#[derive(Clone, Debug)]
pub struct Meant<'a> {
    /// What must be open: ports with a name are those that the called gives it.
    pub must: Opening,
    /// What may be open besides: the numbers that any pod gives the names.
    pub may: Opening,
    /// The requests to which TCP is limited; empty for no limit.
    pub requests: &'a [HttpMatch],
}

impl<'a> Meant<'a> {
    /// What a flow opens on a called peer, of whose pods `target` is one.
    pub(in crate::prove) fn new(
        topology: &Topology,
        flow: &'a Flow,
        called: &Peer,
        target: Option<&Identity>,
        names: &Names,
    ) -> Self {
        let service = matches!(called.kind, PeerKind::Service(_));
        let ports = flow.ports.as_ref().filter(|_| !service);
        let mut meant = Self::of(topology, ports, Some(called), target, names);
        // HTTP has no port to stand at then.
        if !service && !flow.http.is_empty() && flow.ports == Some(Ports::All) {
            meant.must = Opening::closed();
        }
        meant.requests = &flow.http;
        meant
    }

    /// The ports that are said, or those of a service.
    pub(in crate::prove) fn of(
        topology: &Topology,
        ports: Option<&Ports>,
        called: Option<&Peer>,
        target: Option<&Identity>,
        names: &Names,
    ) -> Self {
        let mut meant = Self { must: Opening::closed(), may: Opening::closed(), requests: &[] };
        if let (None, Some(Peer { kind: PeerKind::Service(id), .. })) = (ports, called) {
            for port in &topology.service(*id).ports {
                meant.port(&port.target, None, Some(port.protocol), target, names);
            }
        }
        match ports {
            None => {}
            Some(Ports::All) => meant.must = Opening::everything(),
            Some(Ports::Some(openings)) => {
                for opening in openings {
                    match opening {
                        ports::Opening::Icmp { v6, kind } => {
                            let protocol = if *v6 { Protocol::ICMPV6 } else { Protocol::ICMP };
                            let kind = u16::from(*kind);
                            meant.must = meant.must.or(&Opening::range(protocol, kind, kind));
                            // Cilium cannot tell type 0 from all types, which LB4022 reports.
                            if kind == 0 {
                                meant.may = meant.may.or(&Opening::range(protocol, 0, 255));
                            }
                        }
                        ports::Opening::Port { port, end, protocol } => {
                            meant.port(port, *end, *protocol, target, names);
                        }
                    }
                }
            }
        }
        meant
    }

    /// The way to DNS.
    pub fn dns() -> Self {
        Self { must: dns_ports(), may: Opening::closed(), requests: &[] }
    }

    /// What nodes check.
    pub fn everything() -> Self {
        Self { must: Opening::everything(), may: Opening::closed(), requests: &[] }
    }

    fn port(
        &mut self,
        port: &PortRef,
        end: Option<u16>,
        protocol: Option<ports::Protocol>,
        target: Option<&Identity>,
        names: &Names,
    ) {
        let protocols = protocols(protocol);
        match port {
            PortRef::Number(first) => {
                for protocol in protocols {
                    let range = Opening::range(*protocol, *first, end.unwrap_or(*first));
                    self.must = self.must.or(&range);
                }
            }
            PortRef::Name(name) => {
                let one = |(protocol, port): (Protocol, u16)| Opening::range(protocol, port, port);
                let own = target.and_then(|target| target.ports.get(name)).into_iter().flatten();
                for port in own.copied().filter(|port| protocols.contains(&port.0)) {
                    self.must = self.must.or(&one(port));
                }
                for port in names.get(name).filter(|port| protocols.contains(&port.0)) {
                    self.may = self.may.or(&one(port));
                }
            }
        }
    }
}

/// The protocols of a port that says one or none, TCP first.
pub(in crate::prove) fn protocols(said: Option<ports::Protocol>) -> &'static [Protocol] {
    match said {
        None => &Protocol::ANY,
        Some(ports::Protocol::Tcp) => &[Protocol::TCP],
        Some(ports::Protocol::Udp) => &[Protocol::UDP],
        Some(ports::Protocol::Sctp) => &[Protocol::SCTP],
    }
}

/// What is meant to be open altogether.
#[derive(Clone, Debug)]
pub struct Permitted<'a> {
    /// Without a limit.
    free: Opening,
    /// With a limit to requests.
    limited: Vec<(Opening, &'a [HttpMatch])>,
}

impl<'a> Permitted<'a> {
    /// Nothing.
    pub fn nothing() -> Self {
        Self { free: Opening::closed(), limited: Vec::new() }
    }

    /// Everything.
    pub fn everything() -> Self {
        Self { free: Opening::everything(), limited: Vec::new() }
    }

    /// Adds a part.
    pub fn add(&mut self, meant: &Meant<'a>) {
        let all = meant.must.or(&meant.may);
        if meant.requests.is_empty() {
            self.free = self.free.or(&all);
            return;
        }
        let tcp = Opening::range(Protocol::TCP, 1, u16::MAX);
        self.free = self.free.or(&all.without(&tcp));
        self.limited.push((all.and(&tcp), meant.requests));
    }

    /// The ports, whatever the requests.
    pub fn ports(&self) -> Opening {
        self.limited.iter().fold(self.free.clone(), |all, (ports, _)| all.or(ports))
    }

    /// The ports of `open` on which requests go through that are not meant to. Ports that are not
    /// meant to be open at all are not among them.
    pub fn requests_beyond(&self, open: &Opening) -> Opening {
        let mut beyond = Opening::closed();
        if self.limited.is_empty() {
            return beyond;
        }
        for ports in open.without(&self.free).iter() {
            let range = Opening::range(ports.protocol, ports.first, ports.last);
            let mut within = Opening::closed();
            let meant: Vec<&[HttpMatch]> = (self.limited.iter())
                .filter(|(known, _)| !known.and(&range).is_closed())
                .map(|(known, requests)| {
                    within = within.or(known);
                    *requests
                })
                .collect();
            let narrow = ports.limits.lists().any(|list| {
                list.iter().all(|entry| match entry {
                    L7::Http(requests) => requests.iter().all(|request| {
                        meant.iter().copied().flatten().any(|known| http::within(request, known))
                    }),
                    L7::Dns(_) => false,
                    L7::Other(_) => true,
                })
            });
            if !narrow {
                beyond = beyond.or(&range.and(&within));
            }
        }
        beyond
    }
}

/// What of what must be open is not: ports that are closed, and those whose limits keep out
/// requests that are meant to go through.
pub fn missing(meant: &Meant<'_>, open: &Opening) -> Opening {
    let mut missing = meant.must.without(&plain(open));
    for ports in open.iter().filter(|ports| !ports.limits.is_none()) {
        let range = Opening::range(ports.protocol, ports.first, ports.last);
        let through = ports.limits.lists().all(|list| lets_through(list, meant.requests));
        if !through {
            missing = missing.or(&meant.must.and(&range));
        }
    }
    missing
}

/// Whether a list of limits lets all requests through that are meant to.
fn lets_through(list: &[L7], requests: &[HttpMatch]) -> bool {
    list.iter().any(|entry| match entry {
        L7::Http(known) if requests.is_empty() => known.iter().any(http::is_any),
        L7::Http(known) => requests
            .iter()
            .all(|request| known.iter().any(|one| http::may_let_through(one, request))),
        L7::Dns(patterns) => patterns.iter().any(|pattern| &*pattern.0 == "*"),
        L7::Other(_) => true,
    })
}

/// The ports of an opening, whatever their limits.
pub fn plain(open: &Opening) -> Opening {
    open.iter().fold(Opening::closed(), |all, ports| {
        all.or(&Opening::range(ports.protocol, ports.first, ports.last))
    })
}
