//! One type for what every kind of policy says, for both directions.

mod pattern;
mod peer;

use std::collections::BTreeSet;
use std::fmt;

use super::selector::Selector;
use crate::source::Span;

pub use pattern::Pattern;
pub use peer::{Group, Groups, Peer, Peers};

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
    /// Whether it means something else in another cluster with the same Cilium and settings.
    pub local: bool,
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The last port as written, 0 where none is. The agent keeps the rules of a port apart from
    /// those of the range of that port alone (`portProtoKey` in `pkg/policy/l4.go`).
    pub end: u16,
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
