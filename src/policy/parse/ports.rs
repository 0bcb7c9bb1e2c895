//! Ports, ICMP types and L7 rules of Cilium's own policies.

use std::collections::BTreeSet;

use super::cilium::{Scope, Section};
use super::{Reader, field};
use crate::policy::expression;
use crate::policy::rule::{
    Action, Direction, Http, L7, PortRule, Ports, Protocol, RemarkSort, Which,
};
use crate::yaml::Node;

/// Most ports and most ICMP types of one list (`pkg/policy/api/rule_validation.go`).
const MOST: usize = 40;

/// What redirects the traffic to a proxy without being looked into.
const REDIRECTS: [&str; 4] = ["serverNames", "terminatingTLS", "originatingTLS", "listener"];

impl Reader<'_> {
    /// Reads `toPorts` and `icmps`; nothing if both are empty.
    pub(super) fn ports_of(
        &mut self,
        item: &Node,
        section: Section,
        scope: &Scope<'_>,
    ) -> Option<Vec<PortRule>> {
        let ports = self.list(field(item, "toPorts"));
        let icmps = self.list(field(item, "icmps"));
        if let (false, Some(first)) = (ports.is_empty(), icmps.first()) {
            self.refuse(first.span, "`icmps` and `toPorts` cannot stand in one item");
        }
        if let (false, Some(first)) = (self.semantics.settings().icmp_rules, icmps.first()) {
            self.refuse(first.span, "`icmps` need `enable-icmp-rules`");
        }
        let mut rules = Vec::new();
        for port in ports {
            rules.push(self.port_rule(port, section, scope));
        }
        for icmp in icmps {
            rules.push(self.icmp_rule(icmp));
        }
        (!rules.is_empty()).then_some(rules)
    }

    /// Reads an item of `toPorts` (`PortRule.sanitize`).
    fn port_rule(&mut self, item: &Node, section: Section, scope: &Scope<'_>) -> PortRule {
        if section.action == Action::Deny {
            self.only(item, &["ports"]);
        } else {
            self.only(item, &[&["ports", "rules"], &REDIRECTS[..]].concat());
        }
        let written = self.list(field(item, "ports"));
        if written.len() > MOST {
            self.refuse(
                item.span,
                format!("{} ports stand in one list of at most 40", written.len()),
            );
        }
        let mut ports = Vec::new();
        for port in written {
            ports.extend(self.port(port));
        }
        if section.action == Action::Deny {
            return PortRule { ports, l7: None };
        }
        let l7 = field(item, "rules").and_then(|rules| self.l7(rules));
        if let (Some(l7), Some(rules)) = (&l7, field(item, "rules")) {
            self.check_l7(rules, l7, &ports, section, scope);
        }
        self.check_redirects(item, l7.is_some(), section.direction);
        let said = |key: &&&str| {
            field(item, key).is_some_and(|node| !node.items().is_some_and(<[Node]>::is_empty))
        };
        let redirected = REDIRECTS.iter().filter(said);
        let redirected: BTreeSet<String> = redirected.map(|key| (*key).to_owned()).collect();
        let other = (!redirected.is_empty()).then_some(L7::Other(redirected));
        PortRule { ports, l7: l7.or(other) }
    }

    fn check_redirects(&mut self, item: &Node, has_rules: bool, direction: Direction) {
        if let Some(names) = field(item, "serverNames").filter(|_| has_rules)
            && field(item, "terminatingTLS").is_none()
        {
            self.refuse(names.span, "`serverNames` beside L7 rules need `terminatingTLS`");
        }
        if let Some(listener) = field(item, "listener") {
            if direction == Direction::Ingress {
                self.refuse(listener.span, "a `listener` cannot stand in `ingress`");
            }
            if has_rules {
                self.refuse(listener.span, "a `listener` cannot stand beside L7 rules");
            }
        }
    }

    /// Reads an item of `ports` (`PortProtocol.sanitize`).
    fn port(&mut self, item: &Node) -> Option<Ports> {
        self.only(item, &["port", "endPort", "protocol"]);
        let text = field(item, "port").map(|node| self.text(node)).unwrap_or_default();
        let name = field(item, "protocol").map(|node| self.text(node)).unwrap_or_default();
        let protocols = self.protocols(item, &name.to_ascii_uppercase());
        let mut end = 0;
        let which = if text.is_empty() {
            if !self.semantics.port_may_be_absent() {
                self.refuse(item.span, "a `port` is wanted");
            }
            Which::All
        } else if is_port_name(&text) {
            Which::Named(text.to_ascii_lowercase())
        } else {
            let Some(first) = number(&text) else {
                self.refuse(item.span, format!("`{text}` is no port"));
                return None;
            };
            let last = field(item, "endPort").map(|node| self.number_or_text(node));
            if let Some(Err(text)) = &last {
                self.refuse(item.span, format!("`endPort` is `{text}`, which is no number"));
            }
            end = last.and_then(Result::ok).unwrap_or_default();
            span_of(first, end)
        };
        if which != Which::All && protocols.iter().any(|known| !known.has_ports()) {
            self.refuse(item.span, format!("`{name}` has no ports"));
        }
        Some(Ports { protocols, which, end })
    }

    fn protocols(&mut self, item: &Node, name: &str) -> Vec<Protocol> {
        if matches!(name, "" | "ANY") {
            return Protocol::ANY.to_vec();
        }
        let known = Protocol::named(name);
        let known =
            known.filter(|known| known.has_ports() || self.semantics.knows_extended_protocol(name));
        if known.is_none() {
            self.refuse(item.span, format!("`{name}` is no protocol that this Cilium knows"));
        }
        known.into_iter().collect()
    }

    /// Reads an item of `icmps` (`pkg/policy/api/icmp.go`): types are ports, and so type 0 is
    /// every type.
    fn icmp_rule(&mut self, item: &Node) -> PortRule {
        self.only(item, &["fields"]);
        let fields = self.list(field(item, "fields"));
        if fields.len() > MOST {
            self.refuse(
                item.span,
                format!("{} types stand in one list of at most 40", fields.len()),
            );
        }
        let mut ports = Vec::new();
        for known in fields {
            self.only(known, &["family", "type"]);
            let family = field(known, "family").map(|node| self.text(node));
            let protocol = match family.as_deref() {
                None | Some("" | "IPv4") => Protocol::ICMP,
                Some("IPv6") => Protocol::ICMPV6,
                Some(other) => {
                    self.refuse(known.span, format!("`{other}` is no family of addresses"));
                    continue;
                }
            };
            let Some(node) = field(known, "type") else {
                self.refuse(known.span, "a `type` is wanted");
                continue;
            };
            let of_text =
                |text: String| number(&text).or_else(|| icmp_type(protocol, &text)).ok_or(text);
            match self.number_or_text(node).or_else(of_text) {
                Ok(kind) if kind <= 255 => {
                    if kind == 0 {
                        self.remark(node.span, RemarkSort::AnyIcmpType);
                    }
                    let which = span_of(kind, 0);
                    ports.push(Ports { protocols: vec![protocol], which, end: 0 });
                }
                Ok(kind) => self.refuse(node.span, format!("`{kind}` is no ICMP type")),
                Err(text) => self.refuse(node.span, format!("`{text}` is no ICMP type")),
            }
        }
        PortRule { ports, l7: None }
    }

    /// Reads L7 rules; nothing if there is none.
    fn l7(&mut self, rules: &Node) -> Option<L7> {
        self.only(rules, &["http", "dns", "kafka", "l7", "l7proto"]);
        let mut found = Vec::new();
        let http = self.list(field(rules, "http"));
        if !http.is_empty() {
            found.push(L7::Http(http.iter().map(|item| self.http(item)).collect()));
        }
        let dns = self.list(field(rules, "dns"));
        if !dns.is_empty() {
            let patterns = dns.iter().filter_map(|item| self.name(item)).collect();
            found.push(L7::Dns(patterns));
        }
        for key in ["kafka", "l7proto"] {
            let Some(node) = field(rules, key) else { continue };
            if node.items().is_some_and(<[Node]>::is_empty) {
                continue;
            }
            if self.semantics.knows_kafka() {
                found.push(L7::Other(BTreeSet::from([key.to_owned()])));
            } else {
                self.remark(node.span, RemarkSort::DroppedL7(key.to_owned()));
            }
        }
        if found.len() > 1 {
            self.refuse(rules.span, "L7 rules of several protocols stand in one item");
        }
        found.into_iter().next()
    }

    fn http(&mut self, item: &Node) -> Http {
        self.only(item, &["method", "path", "host", "headers", "headerMatches"]);
        let [method, path, host] = ["method", "path", "host"].map(|key| {
            let node = field(item, key)?;
            let text = self.text(node);
            if key != "host" && !expression::is_valid(&text) {
                self.refuse(node.span, format!("`{text}` is no regular expression"));
            }
            (!text.is_empty()).then_some(text)
        });
        let mut headers = Vec::new();
        for header in self.list(field(item, "headers")) {
            headers.push(self.text(header));
        }
        for header in self.list(field(item, "headerMatches")) {
            headers.push(crate::yaml::json::json(header).to_string());
        }
        Http { method, path, host, headers }
    }

    /// Refuses L7 rules where Cilium takes none.
    fn check_l7(
        &mut self,
        node: &Node,
        l7: &L7,
        ports: &[Ports],
        section: Section,
        scope: &Scope<'_>,
    ) {
        let dns = matches!(l7, L7::Dns(_));
        let known = self.semantics.knows_dns_rules_of_nodes();
        let mut refuse = |wrong: bool, why: &str| {
            if wrong {
                self.refuse(node.span, why);
            }
        };
        let ingress = section.direction == Direction::Ingress;
        refuse(dns && ingress, "DNS rules cannot stand in `ingress`");
        let fit = dns && !ingress && known;
        refuse(scope.node && !fit, "a policy for nodes cannot have such L7 rules");
        let other = |known: &Ports| known.protocols != [Protocol::TCP];
        refuse(!dns && ports.iter().any(other), "L7 rules other than DNS need the protocol TCP");
        let zero = |known: &Ports| known.which == Which::All;
        refuse(ports.iter().any(zero), "L7 rules need a port");
        refuse(dns && ports.is_empty(), "DNS rules need a port");
        let range =
            |known: &Ports| matches!(known.which, Which::Range(first, last) if first < last);
        let forbidden = dns || self.semantics.l7_forbids_ranges();
        let range = forbidden && ports.iter().any(range);
        if range {
            self.refuse(node.span, "such L7 rules cannot have a range of ports");
        }
        if !self.semantics.settings().l7_proxy {
            self.refuse(node.span, "L7 rules need `l7Proxy`");
        }
    }
}

/// The ports from a first to a last one; 0 is all, and a last one that is not higher is none
/// (`keysForRange` in `pkg/policy/l4.go`).
pub(super) fn span_of(first: u16, last: u16) -> Which {
    if first == 0 { Which::All } else { Which::Range(first, last.max(first)) }
}

/// Reads a port number as Go does, base by prefix; `0x` and `0b` are names before that.
fn number(text: &str) -> Option<u16> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u16::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// Whether it is the name of a service (`pkg/iana/svcname.go`).
fn is_port_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 15
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && !text.contains("--")
        && bytes.iter().any(u8::is_ascii_alphabetic)
}

/// The number of an ICMP type by its name (`pkg/policy/api/icmp.go`).
fn icmp_type(protocol: Protocol, name: &str) -> Option<u16> {
    let table = if protocol == Protocol::ICMP { ICMP_TYPES } else { ICMPV6_TYPES };
    table.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

const ICMP_TYPES: &[(&str, u16)] = &[
    ("EchoReply", 0),
    ("DestinationUnreachable", 3),
    ("Redirect", 5),
    ("Echo", 8),
    ("EchoRequest", 8),
    ("RouterAdvertisement", 9),
    ("RouterSelection", 10),
    ("TimeExceeded", 11),
    ("ParameterProblem", 12),
    ("Timestamp", 13),
    ("TimestampReply", 14),
    ("Photuris", 40),
    ("ExtendedEchoRequest", 42),
    ("ExtendedEchoReply", 43),
];

const ICMPV6_TYPES: &[(&str, u16)] = &[
    ("DestinationUnreachable", 1),
    ("PacketTooBig", 2),
    ("TimeExceeded", 3),
    ("ParameterProblem", 4),
    ("EchoRequest", 128),
    ("EchoReply", 129),
    ("MulticastListenerQuery", 130),
    ("MulticastListenerReport", 131),
    ("MulticastListenerDone", 132),
    ("RouterSolicitation", 133),
    ("RouterAdvertisement", 134),
    ("NeighborSolicitation", 135),
    ("NeighborAdvertisement", 136),
    ("RedirectMessage", 137),
    ("RouterRenumbering", 138),
    ("ICMPNodeInformationQuery", 139),
    ("ICMPNodeInformationResponse", 140),
    ("InverseNeighborDiscoverySolicitation", 141),
    ("InverseNeighborDiscoveryAdvertisement", 142),
    ("HomeAgentAddressDiscoveryRequest", 144),
    ("HomeAgentAddressDiscoveryReply", 145),
    ("MobilePrefixSolicitation", 146),
    ("MobilePrefixAdvertisement", 147),
    ("DuplicateAddressRequestCodeSuffix", 157),
    ("DuplicateAddressConfirmationCodeSuffix", 158),
    ("ExtendedEchoRequest", 160),
    ("ExtendedEchoReply", 161),
];
