//! One type for what every kind of policy says, for both directions.

use std::collections::BTreeSet;
use std::fmt;

use ipnet::IpNet;

use super::identity::Identity;
use super::label::{Label, Labels, Source};
use super::selector::Selector;
use super::semantics::Semantics;
use crate::source::Span;

/// Which way a connection goes, seen from the subject of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the subject.
    Ingress,
    /// From the subject.
    Egress,
}

/// A protocol over IP, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP; its types take the place of ports.
    pub const ICMP: Self = Self(1);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// ICMPv6; its types take the place of ports.
    pub const ICMPV6: Self = Self(58);
    /// SCTP.
    pub const SCTP: Self = Self(132);

    /// What `ANY` stands for in a policy.
    pub const ANY: [Self; 3] = [Self::TCP, Self::UDP, Self::SCTP];

    /// The protocol of a name in capitals (`pkg/u8proto/u8proto.go`); not ICMP, which has its own
    /// place in a policy.
    pub fn named(name: &str) -> Option<Self> {
        let number = match name {
            "TCP" => 6,
            "UDP" => 17,
            "SCTP" => 132,
            "VRRP" => 112,
            "IGMP" => 2,
            "GRE" => 47,
            "IPIP" => 4,
            "IPV6" => 41,
            "ESP" => 50,
            "AH" => 51,
            _ => return None,
        };
        Some(Self(number))
    }

    /// Whether it has ports.
    pub fn has_ports(self) -> bool {
        Self::ANY.contains(&self)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TCP => write!(out, "TCP"),
            Self::UDP => write!(out, "UDP"),
            Self::SCTP => write!(out, "SCTP"),
            Self::ICMP => write!(out, "ICMP"),
            Self::ICMPV6 => write!(out, "ICMPv6"),
            Self(number) => write!(out, "protocol {number}"),
        }
    }
}

/// The kinds of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `cilium.io` CiliumNetworkPolicy.
    Cilium,
    /// `cilium.io` CiliumClusterwideNetworkPolicy.
    CiliumClusterwide,
    /// `networking.k8s.io` NetworkPolicy.
    Kubernetes,
    /// `policy.networking.k8s.io` ClusterNetworkPolicy.
    KubernetesCluster,
}

/// A policy as a version of Cilium reads it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; nothing for a policy of the cluster.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What it enforces; nothing if it was refused.
    pub rules: Vec<Rule>,
    /// Why Cilium refuses it, so that it enforces nothing.
    pub refused: Option<Refusal>,
    /// What Cilium reads otherwise than it looks, or does not read at all.
    pub remarks: Vec<Remark>,
}

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is refused.
    pub span: Span,
    /// Why, as a phrase.
    pub why: String,
}

/// Something that Cilium reads otherwise than it looks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub sort: RemarkSort,
}

/// The sorts of remarks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemarkSort {
    /// A key that is not read.
    Unread(String),
    /// A policy without any section, which does nothing.
    Nothing,
    /// Two keys of `matchLabels` become one; which value counts is not determined.
    MergedKeys(String),
    /// The namespace that the subject names is replaced by the policy's own.
    ReplacedNamespace(String),
    /// A subject of another cluster: no endpoint of this cluster has its labels.
    SubjectElsewhere(String),
    /// A selector that says only what is excluded.
    OnlyNegative,
    /// A list of peers that is there and empty, or resolves to nothing: any peer on the ports.
    OpenToAll(&'static str),
    /// A group of addresses that does not exist.
    UnknownGroup(String),
    /// `enableDefaultDeny` that the settings overrule.
    IgnoredDefaultDeny,
    /// L7 rules that this version drops, so that the port is open.
    DroppedL7(String),
    /// `namespaces` of a ClusterNetworkPolicy, which reach into every cluster.
    NamespacesOfEveryCluster,
    /// ICMP type 0, which as a port is any type.
    AnyIcmpType,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Denies it, whatever else allows it at the same level.
    Deny,
    /// Allows it.
    Allow,
    /// Leaves it to the next tier.
    Pass,
}

/// When rules are asked: lower first (`pkg/policy/types/policyentry.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level {
    /// 100 for Admin, 200 for policies, 250 for Baseline.
    pub tier: u8,
    /// The priority of the policy, in hundredths, plus the index of the rule.
    pub priority: u32,
}

impl Level {
    /// The level of all policies but ClusterNetworkPolicies.
    pub const NORMAL: Self = Self { tier: 200, priority: 0 };
}

/// One item of a policy's section.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands.
    pub span: Span,
    /// The endpoints that it is about.
    pub subject: Selector,
    /// Whether it is about nodes, not endpoints.
    pub node: bool,
    /// Which way.
    pub direction: Direction,
    /// What it does.
    pub action: Action,
    /// When it is asked.
    pub level: Level,
    /// Whether it isolates its subject in this direction.
    pub default_deny: bool,
    /// The other side.
    pub peers: Peers,
    /// The ports; nothing for every protocol and port.
    pub ports: Option<Vec<PortRule>>,
    /// What the peers of every rule about the same subject must fulfil besides (`fromRequires`).
    pub requires: Vec<Selector>,
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// No one: a list that is there and empty.
    Nobody,
    /// Nothing is said: anyone on the ports, and no one without ports
    /// (`mergeL4Filter` in `pkg/policy/rule.go`).
    Unsaid,
    /// Those that one of them selects.
    Of(Vec<Peer>),
}

impl Peers {
    /// The peers that are said, if some are.
    pub fn said(&self) -> &[Peer] {
        match self {
            Self::Of(peers) => peers,
            Self::Nobody | Self::Unsaid => &[],
        }
    }

    /// The selectors by which peers are said.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        self.said().iter().filter_map(|peer| match peer {
            Peer::Labels { selector, .. } => Some(selector),
            Peer::Cidr { .. } | Peer::Name(_) => None,
        })
    }
}

/// One peer of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// By labels; `named` where `fromRequires` constrains it too.
    Labels {
        /// What it selects.
        selector: Selector,
        /// Whether it stands in `fromEndpoints` or `toEndpoints`.
        endpoints: bool,
    },
    /// By address.
    Cidr {
        /// The addresses.
        net: IpNet,
        /// Those of them that are left out.
        except: Vec<IpNet>,
    },
    /// By the name under which the address was looked up.
    Name(Pattern),
}

impl Peer {
    /// Whether it is these identities, as the agent of a cluster sees them.
    pub fn matches(&self, peer: &Identity, semantics: &Semantics, requires: &[&Selector]) -> bool {
        match self {
            Self::Labels { selector, endpoints } => {
                let requires = if *endpoints { requires } else { &[] };
                selects(selector, requires, peer, semantics)
            }
            Self::Cidr { net, except } => {
                cidr_may_match(peer, semantics) && holds(net, peer, true) && {
                    !except.iter().any(|out| holds(out, peer, false))
                }
            }
            Self::Name(pattern) => {
                peer.is_world() && peer.names.iter().any(|name| pattern.matches(name, semantics))
            }
        }
    }
}

fn selects(
    selector: &Selector,
    requires: &[&Selector],
    peer: &Identity,
    semantics: &Semantics,
) -> bool {
    let all = |labels: &Labels| {
        selector.matches(labels) && requires.iter().all(|more| more.matches(labels))
    };
    let aggregate = || {
        let name = peer.aggregate(semantics.cluster())?;
        let label = Label::new(Source::Reserved, name, "");
        Some(all(&[label].into_iter().collect()))
    };
    all(&peer.labels) || (semantics.aggregates() && aggregate().unwrap_or_default())
}

/// Whether addresses may select an identity (`CIDRSelector.Matches` in
/// `pkg/policy/types/selector.go`).
fn cidr_may_match(peer: &Identity, semantics: &Semantics) -> bool {
    let (world, node) = (peer.is_world(), peer.is_node());
    if node && !world {
        return semantics.settings().cidr_matches_nodes;
    }
    world || semantics.cidr_matches_pods()
}

/// Whether a prefix holds an identity. The world that no policy speaks of is in the prefix of all
/// addresses only (`IPStringToLabel` in `pkg/labels/cidr.go`).
fn holds(net: &IpNet, peer: &Identity, whole_world: bool) -> bool {
    match &peer.address {
        Some(address) => net.contains(address),
        None if net.prefix_len() > 0 => false,
        None => {
            let family = if net.addr().is_ipv4() { "world-ipv4" } else { "world-ipv6" };
            whole_world && (peer.labels.is_reserved("world") || peer.labels.is_reserved(family))
        }
    }
}

/// A name or a pattern of names, in lower case, without a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(pub Box<str>);

impl Pattern {
    /// Reads a name or a pattern.
    pub fn new(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        Self(text.strip_suffix('.').unwrap_or(&text).into())
    }

    /// Whether it matches a name (`ToAnchoredRegexp` in `pkg/fqdn/matchpattern/matchpattern.go`):
    /// `*` stays within a label, `*` alone is every name, and from 1.19 `**.` at the start is one
    /// or more labels.
    pub fn matches(&self, name: &str, semantics: &Semantics) -> bool {
        let stars = self.0.chars().all(|known| known == '*') && !self.0.is_empty();
        if &*self.0 == "*" || (stars && semantics.knows_subdomain_wildcard()) {
            return true;
        }
        let labels: Vec<&str> = name.split('.').collect();
        let parts: Vec<&str> = self.0.split('.').collect();
        let deep = parts.len() > 1
            && parts[0].len() > 1
            && parts[0].chars().all(|known| known == '*')
            && semantics.knows_subdomain_wildcard();
        let (parts, labels) = if deep {
            let Some(rest) = labels.len().checked_sub(parts.len() - 1).filter(|rest| *rest > 0)
            else {
                return false;
            };
            (&parts[1..], &labels[rest..])
        } else {
            (&parts[..], &labels[..])
        };
        parts.len() == labels.len()
            && parts.iter().zip(labels).all(|(part, label)| glob(part, label))
    }
}

/// Whether a part with stars matches a label: from the left, and back to the last star when it
/// does not, so that the work is bounded by the product of the lengths.
fn glob(part: &str, label: &str) -> bool {
    let (part, label) = (part.as_bytes(), label.as_bytes());
    let (mut at, mut in_label, mut star) = (0, 0, None);
    while in_label < label.len() {
        if part.get(at) == Some(&b'*') {
            star = Some((at, in_label));
            at += 1;
        } else if part.get(at) == label.get(in_label) {
            at += 1;
            in_label += 1;
        } else if let Some((known, before)) = star {
            star = Some((known, before + 1));
            at = known + 1;
            in_label = before + 1;
        } else {
            return false;
        }
    }
    part[at..].iter().all(|known| *known == b'*')
}

/// Ports with what is allowed on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRule {
    /// The ports; none means none.
    pub ports: Vec<Ports>,
    /// What of the traffic is allowed.
    pub l7: Option<L7>,
}

/// Some ports of some protocols.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports {
    /// The protocols.
    pub protocols: Vec<Protocol>,
    /// The ports.
    pub which: Which,
}

/// Which ports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// Every one, written as 0.
    All,
    /// From the first to the last.
    Range(u16, u16),
    /// The one that the pod gives this name.
    Named(String),
}

/// What of the traffic on a port is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum L7 {
    /// HTTP requests that one of the rules matches.
    Http(BTreeSet<Http>),
    /// DNS queries for names that one of the patterns matches.
    Dns(BTreeSet<Pattern>),
    /// Something that is not looked into: Kafka, TLS server names, a listener of Envoy.
    Other(BTreeSet<String>),
}

/// Which HTTP requests are allowed; all fields but headers are POSIX extended expressions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Http {
    /// The method, if it matters.
    pub method: Option<String>,
    /// The path, if it matters.
    pub path: Option<String>,
    /// The host, if it matters.
    pub host: Option<String>,
    /// The headers that must be there, as written.
    pub headers: Vec<String>,
}

#[cfg(test)]
mod tests;
