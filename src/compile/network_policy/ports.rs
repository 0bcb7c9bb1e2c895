//! Which ports a half opens, and the requests on them.

use serde_json::{Map, Value, json};

use super::http;
use crate::compile::metadata::object;
use crate::spec::ports::{Opening, PortRef, Ports, Protocol};
use crate::topology::{Flow, HttpMatch, Peer, PeerKind, Topology};

/// The most ports of an entry of `toPorts`, and the most fields of an entry of `icmps`.
/// Source: `maxItems` in the CRD of CiliumNetworkPolicy.
const MOST: usize = 40;

/// The ports that a flow opens on a called peer: those of the pods behind a service, as policies
/// are compared after the Service was translated; the flow's own for every other peer.
pub(super) fn opened(topology: &Topology, flow: &Flow, called: &Peer) -> Option<Ports> {
    let PeerKind::Service(service) = called.kind else { return flow.ports.clone() };
    let mut ports: Vec<Opening> = Vec::new();
    for port in &topology.service(service).ports {
        let opening =
            Opening::Port { port: port.target.clone(), end: None, protocol: Some(port.protocol) };
        if !ports.contains(&opening) {
            ports.push(opening);
        }
    }
    (!ports.is_empty()).then_some(Ports::Some(ports))
}

/// What follows the peers in the rules that open `ports`: one rule for transport ports and one
/// for ICMP, which one rule cannot have both. HTTP limits TCP only; without a port to stand at it
/// opens nothing rather than everything.
pub(super) fn tails(ports: &Ports, requests: &[HttpMatch]) -> Vec<Map<String, Value>> {
    let openings = match ports {
        Ports::All if requests.is_empty() => return vec![Map::new()],
        Ports::All => return Vec::new(),
        Ports::Some(openings) => openings,
    };
    let (mut limited, mut open, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    for opening in openings {
        match opening {
            Opening::Icmp { v6, kind } => {
                let family = if *v6 { "IPv6" } else { "IPv4" };
                messages.push(json!({"family": family, "type": kind}));
            }
            Opening::Port { port, end, protocol } => match protocol {
                _ if requests.is_empty() => open.push(entry(port, *end, *protocol)),
                Some(Protocol::Tcp) => limited.push(entry(port, *end, *protocol)),
                Some(_) => open.push(entry(port, *end, *protocol)),
                None => {
                    limited.push(entry(port, *end, Some(Protocol::Tcp)));
                    let others = [Protocol::Udp, Protocol::Sctp];
                    open.extend(others.map(|other| entry(port, *end, Some(other))));
                }
            },
        }
    }
    let mut entries =
        split(limited, |ports| object([("ports", ports.into()), ("rules", http::rules(requests))]));
    entries.extend(split(open, |ports| object([("ports", ports.into())])));
    let messages = split(messages, |fields| object([("fields", fields.into())]));
    let sections = [("toPorts", entries), ("icmps", messages)];
    let tails = sections.into_iter().filter(|(_, entries)| !entries.is_empty());
    tails.map(|(key, entries)| Map::from_iter([(key.to_owned(), entries.into())])).collect()
}

/// Lists of at most [`MOST`] items, each made into an entry.
fn split(mut items: Vec<Value>, entry: impl Fn(Vec<Value>) -> Value) -> Vec<Value> {
    let mut entries = Vec::new();
    while !items.is_empty() {
        let rest = items.split_off(items.len().min(MOST));
        entries.push(entry(std::mem::replace(&mut items, rest)));
    }
    entries
}

fn entry(port: &PortRef, end: Option<u16>, protocol: Option<Protocol>) -> Value {
    let mut entry = Map::new();
    entry.insert("port".into(), port.to_string().into());
    entry.extend(end.map(|end| ("endPort".to_owned(), end.into())));
    entry.insert("protocol".into(), protocol.map_or("ANY", Protocol::word).into());
    entry.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(number: u16, protocol: Option<Protocol>) -> Opening {
        Opening::Port { port: PortRef::Number(number), end: None, protocol }
    }

    fn written(ports: &Ports, requests: &[HttpMatch]) -> Value {
        tails(ports, requests).into_iter().map(Value::Object).collect()
    }

    const GET: HttpMatch = HttpMatch { method: None, path: None };

    #[test]
    fn more_than_forty_ports_are_split() {
        let many = (1..=41).map(|number| port(number, Some(Protocol::Tcp))).collect();
        let rules = tails(&Ports::Some(many), &[]);
        let entries = rules[0]["toPorts"].as_array().expect("a list");
        let sizes: Vec<_> =
            entries.iter().map(|entry| entry["ports"].as_array().map_or(0, Vec::len)).collect();
        assert_eq!((rules.len(), sizes), (1, vec![40, 1]));
    }

    #[test]
    fn icmp_stands_in_a_rule_of_its_own() {
        let range = Opening::Port {
            port: PortRef::Number(60000),
            end: Some(61000),
            protocol: Some(Protocol::Udp),
        };
        let ports = Ports::Some(vec![Opening::Icmp { v6: false, kind: 8 }, range, port(53, None)]);
        let expected = json!([
            {"toPorts": [{"ports": [
                {"port": "60000", "endPort": 61000, "protocol": "UDP"},
                {"port": "53", "protocol": "ANY"},
            ]}]},
            {"icmps": [{"fields": [{"family": "IPv4", "type": 8}]}]},
        ]);
        assert_eq!(written(&ports, &[]), expected);
    }

    #[test]
    fn http_limits_tcp_only_and_needs_a_port() {
        let ports = Ports::Some(vec![port(80, None), port(53, Some(Protocol::Udp))]);
        let expected = json!([{"toPorts": [
            {"ports": [{"port": "80", "protocol": "TCP"}], "rules": {"http": [{}]}},
            {"ports": [
                {"port": "80", "protocol": "UDP"},
                {"port": "80", "protocol": "SCTP"},
                {"port": "53", "protocol": "UDP"},
            ]},
        ]}]);
        assert_eq!(written(&ports, &[GET]), expected);
        assert_eq!(written(&Ports::All, &[GET]), json!([]));
        assert_eq!(written(&Ports::All, &[]), json!([{}]));
    }
}
