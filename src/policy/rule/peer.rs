//! The other side of a rule.

use std::sync::Arc;

use ipnet::IpNet;

use super::super::identity::{Identity, Sort};
use super::super::label::{CLUSTER, Label, Labels, Source};
use super::super::selector::{Operator, Requirement, Selector};
use super::super::semantics::Semantics;
use super::Pattern;

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
            Peer::Cidr { .. } | Peer::Groups(_) | Peer::Name(_) => None,
        })
    }
}

impl Peers {
    /// The selectors of the peers, one for each that the agent's cache of selectors tells apart,
    /// with what `fromRequires` adds to those by labels. What says nothing selects everything, and
    /// so does a list in which one does (`AddSelectorsTxn` in `pkg/policy/selectorcache.go`).
    pub fn cached(&self, required: &[&Selector]) -> Vec<Peer> {
        let everyone = Peer::Labels { selector: Selector::default(), endpoints: false };
        let mut cached: Vec<Peer> = self.said().iter().map(|peer| peer.cached(required)).collect();
        if *self == Self::Unsaid || cached.contains(&everyone) {
            return vec![everyone];
        }
        for peer in &mut cached {
            // It has the key of the selector of everyone, in a list too.
            if matches!(peer, Peer::Groups(one) if one.selector.is_wildcard() && one.except.is_empty())
            {
                *peer = everyone.clone();
            }
        }
        cached
    }
}

/// One peer of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// By the groups that the address is in.
    Groups(Box<Groups>),
    /// By the name under which the address was looked up.
    Name(Pattern),
}

/// Addresses by the labels of the groups that they are in (from 1.17): an address has the labels
/// of every group around it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Groups {
    /// What the labels of an address must fulfil.
    pub selector: Selector,
    /// The groups whose labels count.
    pub known: Arc<[Group]>,
    /// Addresses that are left out.
    pub except: Vec<IpNet>,
}

/// A CiliumCIDRGroup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The labels that its addresses get, all of the source `cidrgroup`.
    pub labels: Labels,
    /// Its addresses.
    pub prefixes: Vec<IpNet>,
}

impl Groups {
    /// Whether it may select pods, which have no label of a group: until 1.19 where it says only
    /// what it excludes, or something of other labels.
    fn may_be_pods(&self, semantics: &Semantics) -> bool {
        let pods = |wanted: &Requirement| {
            wanted.operator.is_negative() || wanted.key.source != Some(Source::CidrGroup)
        };
        semantics.cidr_matches_pods()
            || (!semantics.groups_are_of_addresses() && self.selector.requirements().all(pods))
    }

    /// Whether it selects an identity. Until 1.19 it is a selector of labels like any other, which
    /// what has none of its keys may fulfil, a pod too, but that from 1.19.4 values are those of
    /// groups; from 1.20 it selects addresses only
    /// (`CIDRSelector.Matches` in `pkg/policy/types/selector.go`).
    fn matches(&self, peer: &Identity, semantics: &Semantics) -> bool {
        let strict = semantics.groups_are_of_addresses();
        if strict && !cidr_may_match(peer, semantics) {
            return false;
        }
        let labels = self.labels(peer, semantics);
        let narrowest = || -> Labels {
            let mut merged: Vec<Label> = peer.labels.iter().cloned().collect();
            for label in labels.iter().flat_map(|labels| labels.iter()) {
                if !merged.iter().any(|known| known.key == label.key) {
                    merged.push(label.clone());
                }
            }
            merged.into_iter().collect()
        };
        let fulfils = if strict {
            self.selector.requirements().all(|wanted| fulfils(wanted, &labels))
        } else {
            let (one, every) = (narrowest(), semantics.groups_keep_every_value());
            self.selector.requirements().all(|wanted| {
                let by_value = every && wanted.operator.takes_values();
                if by_value { fulfils(wanted, &labels) } else { wanted.matches(&one) }
            })
        };
        let out = |out: &IpNet| holds(out, peer, false, semantics);
        fulfils && !(cidr_may_match(peer, semantics) && self.except.iter().any(out))
    }

    /// The labels of the groups around an identity's address, those of the narrowest first.
    fn labels(&self, peer: &Identity, semantics: &Semantics) -> Vec<&Labels> {
        let Some(address) = peer.address.filter(|_| cidr_may_match(peer, semantics)) else {
            return Vec::new();
        };
        let mut found: Vec<(u8, &Labels)> = Vec::new();
        for group in self.known.iter() {
            let around = group.prefixes.iter().filter(|net| net.contains(&address));
            if let Some(net) = around.max_by_key(|net| net.prefix_len()) {
                found.push((net.prefix_len(), &group.labels));
            }
        }
        found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        found.into_iter().map(|(_, labels)| labels).collect()
    }
}

/// Whether an address with the labels of several groups fulfils a requirement: a key may have
/// several values (`matchesEncodedRequirement` in `pkg/policy/types/requirements.go`).
fn fulfils(wanted: &Requirement, labels: &[&Labels]) -> bool {
    let mut values = labels.iter().filter_map(|labels| labels.get(&wanted.key));
    match wanted.operator {
        Operator::In => values.any(|value| wanted.values.contains(value)),
        Operator::NotIn => !values.any(|value| wanted.values.contains(value)),
        Operator::Exists => values.next().is_some(),
        Operator::DoesNotExist => values.next().is_none(),
    }
}

impl Peer {
    /// Whether it is these identities, as the agent of a cluster sees them.
    pub fn matches(&self, peer: &Identity, semantics: &Semantics, requires: &[&Selector]) -> bool {
        self.matches_itself(peer, semantics, requires)
            || self.matches_aggregate(peer, semantics, requires)
    }

    /// Whether it may select pods, although it speaks of addresses.
    pub fn takes_pods_as_addresses(&self, semantics: &Semantics) -> bool {
        match self {
            Self::Cidr { .. } => semantics.cidr_matches_pods(),
            Self::Groups(groups) => groups.may_be_pods(semantics),
            Self::Labels { .. } | Self::Name(_) => false,
        }
    }

    fn cached(&self, required: &[&Selector]) -> Self {
        match self {
            Self::Labels { selector, endpoints } => {
                let mut selector = selector.sorted();
                let required = required.iter().filter(|_| *endpoints);
                required.for_each(|more| selector.extend(more));
                Self::Labels { selector, endpoints: false }
            }
            _ => self.clone(),
        }
    }

    /// Whether it selects the identity that stands for all of a sort in policy maps, and so
    /// admits this one.
    fn matches_aggregate(
        &self,
        peer: &Identity,
        semantics: &Semantics,
        requires: &[&Selector],
    ) -> bool {
        let Self::Labels { selector, endpoints } = self else { return false };
        // An address that policies may select gives a node an identity of its own.
        let addressed = matches!(peer.sort, Sort::RemoteNode { .. })
            && peer.address.is_some()
            && semantics.settings().cidr_matches_nodes;
        let name = peer.aggregate(semantics.cluster());
        let name = name.or(addressed.then_some("aggregate-remote-node"));
        let Some(name) = name.filter(|_| semantics.aggregates()) else { return false };
        let requires = if *endpoints { requires } else { &[] };
        let label = Label::new(Source::Reserved, name, "");
        selects(selector, requires, &std::iter::once(label).collect())
    }

    /// Whether it selects the identity itself.
    pub fn matches_itself(
        &self,
        peer: &Identity,
        semantics: &Semantics,
        requires: &[&Selector],
    ) -> bool {
        match self {
            Self::Labels { selector, endpoints } => {
                let requires = if *endpoints { requires } else { &[] };
                if peer.sort == (Sort::RemoteNode { labelled: true })
                    && !semantics.labels_nodes_with_cluster()
                {
                    let own = peer.labels.iter().filter(|label| *label.key != *CLUSTER);
                    return selects(selector, requires, &own.cloned().collect());
                }
                selects(selector, requires, &peer.labels)
            }
            Self::Cidr { net, except } => {
                cidr_may_match(peer, semantics)
                    && holds(net, peer, true, semantics)
                    && !except.iter().any(|out| holds(out, peer, false, semantics))
            }
            Self::Groups(groups) => groups.matches(peer, semantics),
            Self::Name(pattern) => {
                peer.is_world() && peer.names.iter().any(|name| pattern.matches(name, semantics))
            }
        }
    }
}

fn selects(selector: &Selector, requires: &[&Selector], labels: &Labels) -> bool {
    selector.matches(labels) && requires.iter().all(|more| more.matches(labels))
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
/// addresses only, which from 1.19 is another word for the world and holds no node
/// (`IPStringToLabel` in `pkg/labels/cidr.go`).
fn holds(net: &IpNet, peer: &Identity, whole_world: bool, semantics: &Semantics) -> bool {
    match &peer.address {
        Some(_) if net.prefix_len() == 0 && semantics.all_addresses_are_the_world() => {
            peer.is_world() && peer.address.is_some_and(|address| net.contains(&address))
        }
        Some(address) => net.contains(address),
        None if net.prefix_len() > 0 => false,
        None => {
            let family = if net.addr().is_ipv4() { "world-ipv4" } else { "world-ipv6" };
            (whole_world || semantics.all_addresses_are_the_world())
                && (peer.labels.is_reserved("world") || peer.labels.is_reserved(family))
        }
    }
}
