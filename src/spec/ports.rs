//! Ports of flows and of Services.

use crate::diagnostic::Diagnostics;
use crate::yaml::fields::{Decode, invalid, word, wrong_type};
use crate::yaml::scalar::{Resolved, go, is_ambiguous};
use crate::yaml::shape::Shape;
use crate::yaml::{Node, Value};

crate::choice! {
    /// A transport protocol of a Service port.
    pub enum Protocol {
        /// TCP.
        "TCP" => Tcp,
        /// UDP.
        "UDP" => Udp,
        /// SCTP.
        "SCTP" => Sctp,
    }
}

/// A port by number or by the name that the pod gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortRef {
    /// From 1 to 65535.
    Number(u16),
    /// An IANA service name: at most 15 lower-case letters, digits and `-`, one letter at least.
    Name(String),
}

impl std::fmt::Display for PortRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// What a flow opens on a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opening {
    /// A port, or the ports up to `end`; no protocol means TCP, UDP and SCTP.
    Port {
        /// The port, or the first of a range.
        port: PortRef,
        /// The last port of a range.
        end: Option<u16>,
        /// The protocol; nothing for `ANY`.
        protocol: Option<Protocol>,
    },
    /// An ICMP message type.
    Icmp {
        /// Whether it is of ICMPv6.
        v6: bool,
        /// The type's number.
        kind: u8,
    },
}

impl Decode for Opening {
    fn shape() -> Shape {
        Shape::Any(vec![
            Shape::Integer { min: 1, max: 65535 },
            Shape::Text {
                what: "a port with its protocol (`25/TCP`), a range (`60000-61000/UDP`), a port's name, or an ICMP type (`8/ICMP`)",
                pattern: None,
            },
        ])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let Value::Scalar(scalar) = &node.value else {
            wrong_type(node, "a port", found);
            return None;
        };
        if scalar.plain && is_ambiguous(&scalar.text) {
            let message = format!("`{}` is not a port to all readers", scalar.text);
            invalid(
                node.span,
                message,
                "write the number in plain decimal digits, or quote a name",
                found,
            );
            return None;
        }
        match opening(&scalar.text) {
            Ok(opening) => Some(opening),
            Err(why) => {
                let message = format!("`{}` is not a port", scalar.text.escape_debug());
                invalid(node.span, message, &why, found);
                None
            }
        }
    }
}

fn opening(text: &str) -> Result<Opening, String> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
    if matches!(protocol, "ICMP" | "ICMPv6") {
        let kind =
            ports.parse().map_err(|_| "an ICMP type is a number from 0 to 255".to_owned())?;
        return Ok(Opening::Icmp { v6: protocol == "ICMPv6", kind });
    }
    let protocol = match protocol {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        "SCTP" => Some(Protocol::Sctp),
        "ANY" => None,
        _ => {
            return Err("the protocols are `TCP`, `UDP`, `SCTP`, `ANY`, `ICMP` and `ICMPv6`".into());
        }
    };
    if ports.contains(|c: char| c.is_ascii_alphabetic()) {
        let name = port_name(ports)?;
        return Ok(Opening::Port { port: PortRef::Name(name), end: None, protocol });
    }
    let number = |text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err("a port is a number from 1 to 65535".to_owned()),
    };
    let (first, last) = match ports.split_once('-') {
        Some((first, last)) => (number(first)?, Some(number(last)?)),
        None => (number(ports)?, None),
    };
    if last.is_some_and(|last| last < first) {
        return Err("a range goes from the smaller port to the larger".into());
    }
    let end = last.filter(|last| *last != first);
    Ok(Opening::Port { port: PortRef::Number(first), end, protocol })
}

/// Source: `IsValidPortName` in `k8s.io/apimachinery/pkg/util/validation`.
fn port_name(name: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let valid = name.len() <= 15
        && name.chars().all(known)
        && name.contains(|c: char| c.is_ascii_lowercase())
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-');
    if valid {
        Ok(name.to_owned())
    } else {
        Err("a port's name has at most 15 lower-case letters, digits and single `-`".into())
    }
}

impl Decode for PortRef {
    fn shape() -> Shape {
        Shape::Any(vec![
            Shape::Integer { min: 1, max: 65535 },
            Shape::Text {
                what: "the name of a port",
                pattern: Some("^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$"),
            },
        ])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let opening = Opening::decode(node, found)?;
        if let Opening::Port { port, end: None, protocol: Some(Protocol::Tcp) } = opening {
            return Some(port);
        }
        invalid(node.span, "a number or a name is wanted here", "", found);
        None
    }
}

/// Which ports a flow opens.
#[derive(Clone, Debug, PartialEq)]
pub enum Ports {
    /// All ports of all protocols.
    All,
    /// These.
    Some(Vec<Opening>),
}

impl Decode for Ports {
    fn shape() -> Shape {
        let all = ("all", "Every port of every protocol.".to_owned());
        Shape::Any(vec![Shape::Choice(vec![all]), Shape::List(Box::new(Opening::shape()))])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        if let Value::Scalar(scalar) = &node.value {
            if scalar.plain && matches!(go(&scalar.text), Resolved::Integer(_)) {
                let help = format!("write `[{}]`", scalar.text);
                invalid(node.span, "`all` or a list of ports is wanted here", &help, found);
                return None;
            }
            return word(node, &["all"], found).map(|_| Self::All);
        }
        let ports = Vec::decode(node, found)?;
        if node.items().is_some_and(<[Node]>::is_empty) {
            let message = "an empty list of ports opens nothing";
            invalid(node.span, message, "list the ports, or write `all`", found);
            return None;
        }
        Some(Self::Some(ports))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_names_ranges_and_icmp() {
        let port = |port, end, protocol| Ok(Opening::Port { port, end, protocol });
        assert_eq!(opening("443"), port(PortRef::Number(443), None, Some(Protocol::Tcp)));
        assert_eq!(opening("53/ANY"), port(PortRef::Number(53), None, None));
        assert_eq!(
            opening("60000-61000/UDP"),
            port(PortRef::Number(60000), Some(61000), Some(Protocol::Udp))
        );
        assert_eq!(opening("http"), port(PortRef::Name("http".into()), None, Some(Protocol::Tcp)));
        assert_eq!(opening("8/ICMP"), Ok(Opening::Icmp { v6: false, kind: 8 }));
        for bad in ["0", "65536", "2-1", "80/tcp", "", "-", "80-", "UPPER", "a--b", "300/ICMP"] {
            assert!(opening(bad).is_err(), "{bad}");
        }
    }
}
