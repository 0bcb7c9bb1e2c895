//! What in Cilium makes a policy mean something else under another version: one row each.
//!
//! A row applies where its capability differs between two versions of one cluster, and the policy
//! has what the capability is about. The two readings of the policy decide that, not its text, so
//! that a row cannot claim what [`crate::policy`] does not do.

use crate::policy::label::CLUSTER;
use crate::policy::rule::{Direction, L7, Peer, Peers, Policy, RemarkSort, Rule, Which};
use crate::policy::selector::Selector;
use crate::policy::semantics::{Enforcement, NodesScope, Semantics};

/// A change in Cilium that changes what policies mean.
#[derive(Debug)]
pub struct Cause {
    /// Its name, which stays.
    pub name: &'static str,
    /// The first version that has it.
    pub since: &'static str,
    /// What changed, as a phrase.
    pub what: &'static str,
    /// What to do about it, as an imperative.
    pub help: &'static str,
    /// Where it is from.
    pub source: &'static str,
    /// A word for what a version does, equal where two do the same.
    does: fn(&Semantics) -> u8,
    /// Whether a policy has what it is about.
    concerns: fn(&Pair<'_>) -> bool,
}

/// A policy under two versions.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Under the old one.
    pub before: &'a Policy,
    /// Under the new one.
    pub after: &'a Policy,
}

impl Cause {
    /// Whether two versions differ in it.
    pub fn differs(&self, before: &Semantics, after: &Semantics) -> bool {
        (self.does)(before) != (self.does)(after)
    }

    /// Whether a policy has what it is about.
    pub fn concerns(&self, pair: &Pair<'_>) -> bool {
        (self.concerns)(pair)
    }

    /// Whether it concerns endpoints that no rule is about, so that no policy shows it.
    pub fn is_about_the_unselected(&self) -> bool {
        self.name == UNSELECTED
    }
}

/// The row about endpoints that no rule selects.
const UNSELECTED: &str = "host-beside-rules-only";

impl<'a> Pair<'a> {
    fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.before.rules.iter().chain(&self.after.rules)
    }

    /// Rules that stand at the same place and are not the same.
    fn changed(&self) -> impl Iterator<Item = (&'a Rule, &'a Rule)> {
        let pairs = self.before.rules.iter().zip(&self.after.rules);
        pairs.filter(|(before, after)| before != after)
    }

    /// Whether one of the two versions refuses it, with these words.
    fn refused(&self, words: &str) -> bool {
        let says = |policy: &Policy| {
            policy.refused.as_ref().is_some_and(|refusal| refusal.why.contains(words))
        };
        says(self.before) != says(self.after)
    }

    fn remarked(&self, sort: impl Fn(&RemarkSort) -> bool) -> bool {
        let says = |policy: &Policy| policy.remarks.iter().any(|remark| sort(&remark.sort));
        says(self.before) != says(self.after)
    }

    /// Whether peers that are pods differ in the cluster that they are kept to.
    fn kept_to_cluster(&self) -> bool {
        let kept = |rule: &Rule| {
            let selectors = peers(rule).filter_map(|peer| match peer {
                Peer::Labels { selector, .. } => Some(selector),
                Peer::Cidr { .. } | Peer::Name(_) | Peer::Groups(_) => None,
            });
            let all = selectors.chain(&rule.requires).flat_map(Selector::requirements);
            all.filter(|known| &*known.key.key == CLUSTER).count()
        };
        self.changed().any(|(before, after)| kept(before) != kept(after))
    }

    /// Whether a rule that named no pods does under one of the two.
    fn gained_pods(&self) -> bool {
        let pods = |rule: &Rule| {
            peers(rule).any(|peer| matches!(peer, Peer::Labels { endpoints: true, .. }))
        };
        self.changed().any(|(before, after)| pods(before) != pods(after))
    }

    /// Whether peers that are nodes are no one under one of the two.
    fn lost_nodes(&self) -> bool {
        let none = |rule: &Rule| {
            peers(rule).any(|peer| match peer {
                Peer::Labels { selector, .. } => {
                    let mut keys = selector.requirements().map(|known| &known.key);
                    keys.any(|key| *key == crate::policy::Key::reserved("none"))
                }
                Peer::Cidr { .. } | Peer::Name(_) | Peer::Groups(_) => false,
            })
        };
        self.changed().any(|(before, after)| none(before) != none(after))
    }

    /// Whether a list of peers that is there and selects no one became any peer, or the other way.
    fn opened(&self, key: &str) -> bool {
        self.remarked(|sort| matches!(sort, RemarkSort::OpenToAll(known) if known.contains(key)))
    }

    fn has_l7(&self, fits: impl Fn(&L7) -> bool) -> bool {
        let ports = self.rules().flat_map(|rule| rule.ports.iter().flatten());
        ports.filter_map(|known| known.l7.as_ref()).any(fits)
    }

    fn has_deep_pattern(&self) -> bool {
        let names = self.rules().flat_map(peers);
        let mut names = names.filter_map(|peer| match peer {
            Peer::Name(pattern) => Some(pattern),
            Peer::Labels { .. } | Peer::Cidr { .. } | Peer::Groups(_) => None,
        });
        let deep = |pattern: &crate::policy::rule::Pattern| pattern.0.starts_with("**");
        names.any(deep) || self.has_l7(|l7| matches!(l7, L7::Dns(known) if known.iter().any(deep)))
    }
}

fn peers(rule: &Rule) -> impl Iterator<Item = &Peer> {
    match &rule.peers {
        Peers::Of(peers) => peers.iter(),
        Peers::Nobody | Peers::Unsaid => [].iter(),
    }
}

/// Every change that is known, by version.
pub static CAUSES: &[Cause] = &[
    Cause {
        name: "empty-policy-refused",
        since: "1.17.0",
        what: "a policy whose sections are all empty is refused; before, it was loaded without effect",
        help: "write `ingress: [{}]` or `egress: [{}]` if everything should be denied, or remove it",
        source: "`Rule.Sanitize` in pkg/policy/api/rule_validation.go",
        does: |semantics| semantics.wants_a_section().into(),
        concerns: |pair| pair.refused("a rule needs an item"),
    },
    Cause {
        name: "services-with-ports",
        since: "1.17.0",
        what: "`toServices` may stand beside `toPorts`, and selects the pods of a Service with a selector; before, such a Service was passed over",
        help: "select the pods behind the service instead: `toServices` opens every destination where it matches none",
        source: "cilium/cilium#20067",
        does: |semantics| semantics.services_take_ports().into(),
        concerns: |pair| pair.refused("`toServices` and `toPorts`") || pair.gained_pods(),
    },
    Cause {
        name: "cidr-groups-are-labels",
        since: "1.17.0",
        what: "a CIDR group is a label of its addresses; before, these stood in the policy in its place",
        help: "create groups that do not exist, or write the addresses into the policy",
        source: "pkg/policy/api/cidr.go",
        does: |semantics| semantics.inlines_groups().into(),
        concerns: |pair| {
            let grouped = |rule: &Rule| peers(rule).any(|peer| matches!(peer, Peer::Groups(_)));
            pair.remarked(|sort| matches!(sort, RemarkSort::OpenToAll(_)))
                || pair.changed().any(|(before, after)| grouped(before) != grouped(after))
        },
    },
    Cause {
        name: "cidr-group-selector",
        since: "1.17.0",
        what: "`cidrGroupSelector` is known",
        help: "wait with the policy until every cluster has that version",
        source: "CustomResourceDefinition of CiliumNetworkPolicy 1.30",
        does: |semantics| semantics.knows_group_selectors().into(),
        concerns: |pair| pair.refused("`cidrGroupSelector`"),
    },
    Cause {
        name: "l7-port-ranges",
        since: "1.17.0",
        what: "HTTP rules may have a range of ports",
        help: "wait with the policy until every cluster has that version",
        source: "`PortRule.sanitize` in pkg/policy/api/rule_validation.go",
        does: |semantics| semantics.l7_forbids_ranges().into(),
        concerns: |pair| pair.refused("a range of ports"),
    },
    Cause {
        name: "node-selector-in-specs",
        since: "1.18.0",
        what: "a CiliumNetworkPolicy with a `nodeSelector` in its `specs` is refused",
        help: "make it a CiliumClusterwideNetworkPolicy",
        source: "`CiliumNetworkPolicy.Parse` in pkg/k8s/apis/cilium.io/v2/cnp_types.go",
        does: |semantics| semantics.refuses_node_selector_in_specs().into(),
        concerns: |pair| pair.refused("cannot have a `nodeSelector`"),
    },
    Cause {
        name: "l7-parsers-per-peer",
        since: "1.18.0",
        what: "HTTP and DNS rules may meet on one port if their peers differ; before, the agent kept the policy that it had",
        help: "give HTTP and DNS ports of their own",
        source: "`mergePortProto` in pkg/policy/rule.go",
        does: |semantics| semantics.one_parser_per_port().into(),
        concerns: |pair| pair.has_l7(|l7| matches!(l7, L7::Dns(_) | L7::Http(_))),
    },
    Cause {
        name: "policy-default-local-cluster",
        since: "1.19.0",
        what: "a peer that names no cluster is one of the policy's own cluster; before, of any (`clustermesh.policyDefaultLocalCluster`, which 1.18 reads and 1.19 sets)",
        help: "name the cluster of the peer: `io.cilium.k8s.policy.cluster: NAME`, or `Exists` for every cluster",
        source: "cilium/cilium#39338, #40609, #40108",
        does: |semantics| semantics.default_cluster().is_some().into(),
        concerns: |pair| pair.kept_to_cluster(),
    },
    Cause {
        name: "requires-removed",
        since: "1.19.0",
        what: "`fromRequires` and `toRequires` are no longer known, so that the policy is refused",
        help: "write what they require into every peer of the policy",
        source: "CustomResourceDefinition of CiliumNetworkPolicy 1.32, pkg/policy/api/ingress.go",
        does: |semantics| semantics.knows_requires().into(),
        concerns: |pair| pair.refused("is no longer known"),
    },
    Cause {
        name: "port-may-be-absent",
        since: "1.19.0",
        what: "a port may be left out, with the agent's `enable-extended-ip-protocols`",
        help: "wait with the policy until every cluster has that version",
        source: "CustomResourceDefinition of CiliumNetworkPolicy 1.32",
        does: |semantics| semantics.port_may_be_absent().into(),
        concerns: |pair| pair.refused("a `port` is wanted"),
    },
    Cause {
        name: "subdomain-wildcard",
        since: "1.19.0",
        what: "`**.` at the start of a pattern of names stands for one or more labels; before, for a part of one",
        help: "write `*.` where one label is meant",
        source: "pkg/fqdn/matchpattern/matchpattern.go",
        does: |semantics| semantics.knows_subdomain_wildcard().into(),
        concerns: |pair| pair.has_deep_pattern(),
    },
    Cause {
        name: "nodes-without-peers",
        since: "1.19.0",
        what: "`fromNodes` and `toNodes` select no node where peers are local by default; mended in 1.19.5",
        help: "take 1.19.5 or later",
        source: "cilium/cilium#46068",
        does: |semantics| (semantics.nodes_scope() == NodesScope::None).into(),
        concerns: |pair| pair.lost_nodes(),
    },
    Cause {
        name: "groups-keep-every-value",
        since: "1.19.4",
        what: "an address in several groups has the value of each for `cidrGroupSelector`; before, a label had one of them only, and a selector of values could select pods by theirs",
        help: "check the addresses that are in several groups",
        source: "cilium/cilium#45225, #45356",
        does: |semantics| semantics.groups_keep_every_value().into(),
        concerns: |pair| pair.rules().any(names_values_of_groups),
    },
    Cause {
        name: "extended-protocols",
        since: "1.19.0",
        what: "more protocols are known: VRRP and IGMP from 1.19, GRE, IPIP, IPV6, ESP and AH from 1.20, with the agent's `enable-extended-ip-protocols`",
        help: "wait with the policy until every cluster has that version",
        source: "CustomResourceDefinition of CiliumNetworkPolicy 1.32 and 1.33",
        does: |semantics| {
            let known = ["VRRP", "GRE"].map(|name| semantics.knows_extended_protocol(name));
            u8::from(known[0]) + u8::from(known[1])
        },
        concerns: |pair| pair.refused("is no protocol that this Cilium knows"),
    },
    Cause {
        name: "named-ports-per-peer",
        since: "1.20.0",
        what: "the name of an egress port is looked up for every peer; before, it had to be one number in the whole mesh",
        help: "write the number of the port",
        source: "pkg/policy/l4.go, cilium/cilium#44429",
        does: |semantics| semantics.names_ports_per_peer().into(),
        concerns: |pair| pair.rules().any(names_egress_port),
    },
    Cause {
        name: "identity-aggregation",
        since: "1.20.0",
        what: "a selector that says only what it excludes selects what it excludes, too",
        help: "say what is wanted, too: `Exists` on the cluster or the namespace",
        source: "pkg/policy/aggregate.go, cilium/cilium#46949, #47035, #47216",
        does: |semantics| semantics.aggregates().into(),
        concerns: |pair| pair.rules().any(excludes_only),
    },
    Cause {
        name: "groups-select-addresses-only",
        since: "1.20.0",
        what: "a selector of groups of addresses that says only what it excludes no longer selects pods",
        help: "select the pods with `fromEndpoints` or `toEndpoints`, if they are meant",
        source: "`CIDRSelector` in pkg/policy/types/selector.go",
        does: |semantics| semantics.groups_are_of_addresses().into(),
        concerns: |pair| pair.rules().any(excludes_groups_only),
    },
    Cause {
        name: "cluster-mesh-entity",
        since: "1.20.0",
        what: "the entity `cluster-mesh` is known",
        help: "select every cluster by `io.cilium.k8s.policy.cluster` with `Exists` until every cluster has that version",
        source: "cilium/cilium#46813, #47397",
        does: |semantics| semantics.knows_cluster_mesh().into(),
        concerns: |pair| pair.refused("`cluster-mesh`"),
    },
    Cause {
        name: UNSELECTED,
        since: "1.20.0",
        what: "with enforcement `always` a pod that no rule selects no longer lets in its own node",
        help: "write a policy with `fromEntities: [host]` for such pods, or their probes fail",
        source: "`computePolicyEnforcementAndRules` in pkg/policy/repository.go",
        does: |semantics| {
            let always = semantics.enforcement() == Enforcement::Always;
            (always && semantics.admits_host_without_rules()).into()
        },
        concerns: |_| false,
    },
    Cause {
        name: "groups-select-no-one",
        since: "1.20.0",
        what: "`toGroups` and `fromGroups` that resolve to nothing select no one; before, with ports, everyone",
        help: "check that the groups exist",
        source: "pkg/policy/api/groups.go",
        does: |semantics| semantics.groups_fail_open().into(),
        concerns: |pair| pair.opened("Groups"),
    },
    Cause {
        name: "kafka-removed",
        since: "1.20.0",
        what: "Kafka rules and custom L7 rules are dropped, so that everything on the port goes through",
        help: "limit who may reach the port, or let the broker authorise its clients",
        source: "pkg/policy/api/l4.go of 1.20, whose L7Rules have neither",
        does: |semantics| semantics.knows_kafka().into(),
        concerns: |pair| pair.remarked(|sort| matches!(sort, RemarkSort::DroppedL7(_))),
    },
    Cause {
        name: "narrow-exceptions",
        since: "1.20.0",
        what: "an exception must lie in its prefix as a whole, or the policy is refused",
        help: "narrow the exception",
        source: "`CIDRRule.sanitize` in pkg/policy/api/rule_validation.go",
        does: |semantics| semantics.wants_narrow_exceptions().into(),
        concerns: |pair| pair.refused("is not in the prefix"),
    },
    Cause {
        name: "addresses-of-pods",
        since: "1.20.0",
        what: "with `pods` in `policyCIDRMatchMode`, addresses select pods",
        help: "name the pods by labels",
        source: "pkg/option/config.go",
        does: |semantics| semantics.cidr_matches_pods().into(),
        concerns: |pair| {
            let mut all = pair.rules().flat_map(peers);
            all.any(|peer| matches!(peer, Peer::Cidr { .. }))
        },
    },
    Cause {
        name: "cluster-network-policy",
        since: "1.20.0",
        what: "ClusterNetworkPolicies of Kubernetes are read, with `k8sClusterNetworkPolicy.enabled`",
        help: "apply them when every cluster has that version",
        source: "pkg/k8s/cluster_network_policy.go",
        does: |semantics| semantics.reads_cluster_network_policy().into(),
        concerns: |pair| pair.refused("ClusterNetworkPolicies are read"),
    },
    Cause {
        name: "non-default-deny-forbidden",
        since: "1.20.2",
        what: "`enableNonDefaultDenyPolicies: false` is obeyed: policies with `enableDefaultDeny: false` isolate all the same",
        help: "remove `enableNonDefaultDenyPolicies: false` from the values",
        source: "cilium/cilium#48391",
        does: |semantics| semantics.obeys_default_deny().into(),
        concerns: |pair| pair.remarked(|sort| matches!(sort, RemarkSort::IgnoredDefaultDeny)),
    },
];

/// Whether a rule lets its subject reach a port by its name.
pub(super) fn names_egress_port(rule: &Rule) -> bool {
    let mut ports = rule.ports.iter().flatten().flat_map(|known| &known.ports);
    rule.direction == Direction::Egress && ports.any(|port| matches!(port.which, Which::Named(_)))
}

/// Whether a peer of a rule is a selector of groups that what is in no group fulfils.
fn excludes_groups_only(rule: &Rule) -> bool {
    peers(rule).any(|peer| match peer {
        Peer::Groups(groups) => groups.selector.is_wildcard() || groups.selector.is_only_negative(),
        Peer::Cidr { .. } | Peer::Name(_) | Peer::Labels { .. } => false,
    })
}

/// Whether a peer of a rule is a selector of groups that asks for values.
fn names_values_of_groups(rule: &Rule) -> bool {
    peers(rule).any(|peer| match peer {
        Peer::Groups(groups) => {
            groups.selector.requirements().any(|known| known.operator.takes_values())
        }
        Peer::Cidr { .. } | Peer::Name(_) | Peer::Labels { .. } => false,
    })
}

/// Whether a peer of a rule says only what it excludes, or selects what has no other label.
pub(super) fn excludes_only(rule: &Rule) -> bool {
    peers(rule).any(|peer| match peer {
        Peer::Labels { selector, .. } => selector.is_only_negative(),
        Peer::Cidr { .. } | Peer::Name(_) | Peer::Groups(_) => false,
    })
}
