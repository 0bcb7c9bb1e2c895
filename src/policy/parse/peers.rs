//! The peers of Cilium's own policies.

use ipnet::IpNet;

use super::cilium::{Scope, Section};
use super::{CidrGroup, Reader, Service, field};
use crate::policy::label::{CLUSTER, Key, Label, Labels, NAMESPACE, Source};
use crate::policy::rule::{
    Action, Direction, Group, Groups, Pattern, Peer, Peers, PortRule, RemarkSort,
};
use crate::policy::selector::{Requirement, Selector};
use crate::policy::semantics::NodesScope;
use crate::source::Span;
use crate::yaml::Node;

/// The kinds of peers, ingress and egress.
const KINDS: [(&str, &str); 8] = [
    ("fromEndpoints", "toEndpoints"),
    ("fromNodes", "toNodes"),
    ("fromEntities", "toEntities"),
    ("fromCIDR", "toCIDR"),
    ("fromCIDRSet", "toCIDRSet"),
    ("fromGroups", "toGroups"),
    ("", "toServices"),
    ("", "toFQDNs"),
];

/// Before the name of a group in the key of the label that its addresses get
/// (`LabelPrefixGroupName` in `pkg/policy/api/cidr.go`).
const GROUP_NAME: &str = "io.cilium.policy.cidrgroupname/";

const OTHERS: [&str; 5] = ["toPorts", "icmps", "authentication", "fromRequires", "toRequires"];

/// What every entity of the cluster has but the pods
/// (`InitEntities` in `pkg/policy/api/entity.go`).
const CLUSTER_WORDS: [&str; 7] =
    ["host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"];

impl Reader<'_> {
    /// Reads the peers of an item (`mergeEndpointSelectors` in `pkg/policy/utils/parserules.go`).
    pub(super) fn peers(
        &mut self,
        item: &Node,
        section: Section,
        scope: &Scope<'_>,
        ports: Option<&[PortRule]>,
    ) -> Peers {
        let of = |known: &(&'static str, &'static str)| match section.direction {
            Direction::Ingress => known.0,
            Direction::Egress => known.1,
        };
        let keys: Vec<&'static str> = KINDS.iter().map(of).filter(|key| !key.is_empty()).collect();
        self.only(item, &[&keys[..], &OTHERS].concat());
        let mut found: Vec<(&'static str, &Node, &[Node])> = Vec::new();
        for key in keys {
            if let Some(node) = field(item, key) {
                let items = self.list(Some(node));
                // Groups are replaced before kinds of peers are counted, and after they are checked.
                let none = self.semantics.inlines_groups() && self.are_empty_groups(items);
                if none {
                    for item in items {
                        self.cidr_rule(item);
                    }
                }
                found.push((key, node, if none { &[] } else { items }));
            }
        }
        let full: Vec<_> = found.iter().filter(|(.., items)| !items.is_empty()).collect();
        if let [(first, ..), (second, node, _), ..] = full[..] {
            self.refuse(node.span, format!("`{first}` and `{second}` cannot stand in one item"));
        }
        // Only these five are no one when they are there and empty.
        let closed = |key: &str| KINDS[..5].iter().any(|kind| kind.0 == key || kind.1 == key);
        if found.iter().any(|(key, _, items)| items.is_empty() && closed(key)) {
            return Peers::Nobody;
        }
        match (full.first(), found.first()) {
            (Some((key, node, items)), _) => {
                self.peers_of(key, (item, node, items), section, scope, ports)
            }
            (None, Some((key, node, _))) => self.unsaid(node, key, ports),
            (None, None) => Peers::Unsaid,
        }
    }

    fn peers_of(
        &mut self,
        key: &'static str,
        (whole, node, items): (&Node, &Node, &[Node]),
        section: Section,
        scope: &Scope<'_>,
        ports: Option<&[PortRule]>,
    ) -> Peers {
        let mut peers = Vec::new();
        for item in items {
            match key {
                "fromEndpoints" | "toEndpoints" => peers.push(self.endpoints(item, scope)),
                "fromNodes" | "toNodes" => peers.push(self.nodes(item)),
                "fromEntities" | "toEntities" => peers.extend(self.entity(item)),
                "fromCIDR" | "toCIDR" => {
                    let net = self.prefix(item);
                    peers.extend(net.map(|net| Peer::Cidr { net, except: Vec::new() }));
                }
                "fromCIDRSet" | "toCIDRSet" => peers.extend(self.cidr_rule(item)),
                "toFQDNs" => peers.extend(self.name(item).map(Peer::Name)),
                _ => {}
            }
        }
        match key {
            "fromGroups" | "toGroups" => return self.groups(node, key, ports),
            "toServices" => return self.services((whole, node, items), section, scope, ports),
            _ => {}
        }
        match key {
            "fromCIDRSet" | "toCIDRSet"
                if peers.is_empty() && self.semantics.cuts_exceptions_out() =>
            {
                self.unsaid(node, key, ports)
            }
            _ => Peers::Of(peers),
        }
    }

    /// Whether all items refer to groups without addresses.
    fn are_empty_groups(&self, items: &[Node]) -> bool {
        let empty = |item: &Node| {
            let name = field(item, "cidrGroupRef").and_then(Node::text);
            let mut groups = self.known.cidr_groups.iter();
            name.is_some_and(|name| {
                groups
                    .find(|group| group.name == name)
                    .is_none_or(|group| group.prefixes.is_empty())
            })
        };
        !items.is_empty() && items.iter().all(empty)
    }

    fn endpoints(&mut self, item: &Node, scope: &Scope<'_>) -> Peer {
        let mut selector = self.selector(item, None);
        self.scope_peer(&mut selector, scope);
        Peer::Labels { selector, endpoints: true }
    }

    fn nodes(&mut self, item: &Node) -> Peer {
        if !self.semantics.settings().node_selector_labels {
            self.refuse(item.span, "nodes as peers need `nodeSelectorLabels`");
        }
        let mut selector = self.selector(item, None);
        selector.add(Requirement::exists(Key::reserved("remote-node")));
        match self.semantics.nodes_scope() {
            NodesScope::Any => {}
            NodesScope::Cluster(_) => self.keep_to_cluster(&mut selector),
            NodesScope::None => selector.add(Requirement::exists(Key::reserved("none"))),
        }
        Peer::Labels { selector, endpoints: false }
    }

    /// Reads an entity (`EntitySelectorMapping` in `pkg/policy/api/entity.go`).
    fn entity(&mut self, item: &Node) -> Vec<Peer> {
        let name = self.text(item);
        let mut selectors: Vec<Selector> = match name.as_str() {
            "all" => vec![Selector::default()],
            "world" => ["world", "world-ipv4", "world-ipv6", "aggregate-world"]
                .map(Selector::reserved)
                .to_vec(),
            "remote-node" => {
                ["remote-node", "aggregate-remote-node"].map(Selector::reserved).to_vec()
            }
            "host" | "init" | "ingress" | "unmanaged" | "health" | "none" | "kube-apiserver" => {
                vec![Selector::reserved(&name)]
            }
            "cluster" | "cluster-mesh" => CLUSTER_WORDS.map(Selector::reserved).to_vec(),
            _ => Vec::new(),
        };
        let mut pods = Selector::default();
        match name.as_str() {
            "cluster" => {
                self.local = true;
                pods.set(Key::k8s(CLUSTER), self.semantics.cluster());
                selectors.push(pods);
            }
            "cluster-mesh" if self.semantics.knows_cluster_mesh() => {
                pods.add(Requirement::exists(Key::parse(CLUSTER, None)));
                selectors.push(pods);
            }
            "cluster-mesh" => {
                self.refuse(item.span, "the entity `cluster-mesh` is known from Cilium 1.20");
            }
            _ if selectors.is_empty() => self.refuse(item.span, format!("`{name}` is no entity")),
            _ => {}
        }
        selectors.into_iter().map(|selector| Peer::Labels { selector, endpoints: false }).collect()
    }

    /// Reads an item of `fromCIDRSet` and `toCIDRSet` (`CIDRRule.sanitize` in
    /// `pkg/policy/api/rule_validation.go`).
    fn cidr_rule(&mut self, item: &Node) -> Vec<Peer> {
        self.only(item, &["cidr", "cidrGroupRef", "cidrGroupSelector", "except"]);
        let written = ["cidr", "cidrGroupRef", "cidrGroupSelector"].map(|key| field(item, key));
        let [cidr, reference, selector] = written;
        if written.iter().flatten().count() != 1 {
            let why = "one of `cidr`, `cidrGroupRef` and `cidrGroupSelector` is wanted";
            self.refuse(item.span, why);
        }
        let mut except = Vec::new();
        for item in self.list(field(item, "except")) {
            except.extend(self.prefix(item).map(|net| (item.span, net)));
        }
        if let Some(cidr) = cidr {
            self.cidr_without(cidr, &except)
        } else if let Some(reference) = reference {
            self.group_by_name(reference, &except)
        } else if let Some(selector) = selector {
            self.groups_by_label(selector, except)
        } else {
            Vec::new()
        }
    }

    fn cidr_without(&mut self, cidr: &Node, except: &[(Span, IpNet)]) -> Vec<Peer> {
        let Some(net) = self.prefix(cidr) else { return Vec::new() };
        for (span, out) in except {
            let inside = if self.semantics.wants_narrow_exceptions() {
                net.contains(out)
            } else {
                net.contains(&out.addr())
            };
            if !inside {
                self.refuse(*span, format!("the exception `{out}` is not in the prefix"));
            }
        }
        let except: Vec<IpNet> = except.iter().map(|(_, out)| *out).collect();
        if self.semantics.cuts_exceptions_out() && except.iter().any(|out| out.contains(&net)) {
            return Vec::new();
        }
        vec![Peer::Cidr { net, except }]
    }

    fn group_by_name(&mut self, node: &Node, except: &[(Span, IpNet)]) -> Vec<Peer> {
        if let (true, Some((span, _))) =
            (self.semantics.refuses_exceptions_of_groups(), except.first())
        {
            self.refuse(*span, "`except` cannot stand beside `cidrGroupRef` before Cilium 1.17");
        }
        let name = self.text(node);
        let group = self.known.cidr_groups.iter().find(|group| group.name == name);
        if group.is_none() {
            self.remark(node.span, RemarkSort::UnknownGroup(name.clone()));
        }
        let except: Vec<IpNet> = except.iter().map(|(_, out)| *out).collect();
        if self.semantics.inlines_groups() {
            let peer = |net: &IpNet| Peer::Cidr { net: *net, except: Vec::new() };
            return group.into_iter().flat_map(|group| &group.prefixes).map(peer).collect();
        }
        let key =
            Key { source: Some(Source::CidrGroup), key: format!("{GROUP_NAME}{name}").into() };
        let label = Label::new(Source::CidrGroup, key.key.clone(), "");
        let labelled = |group: &CidrGroup| Group {
            labels: std::iter::once(label.clone()).collect(),
            prefixes: group.prefixes.clone(),
        };
        let mut selector = Selector::default();
        selector.add(Requirement::exists(key));
        let known = group.into_iter().map(labelled).collect();
        vec![Peer::Groups(Box::new(Groups { selector, known, except }))]
    }

    /// Reads `cidrGroupSelector`. One without any requirement selects everyone, pods too: before
    /// 1.20 it is a selector like any other, and in 1.20 it has the key of the selector of
    /// everything, in whose place it stands (`CIDRRule.SelectorKey` in `pkg/policy/api/cidr.go`).
    fn groups_by_label(&mut self, node: &Node, except: Vec<(Span, IpNet)>) -> Vec<Peer> {
        if !self.semantics.knows_group_selectors() {
            self.refuse(node.span, "`cidrGroupSelector` is known from Cilium 1.17");
        }
        let selector = self.selector(node, Some(&Source::CidrGroup));
        if selector.is_wildcard() {
            self.remark(node.span, RemarkSort::OpenToAll("cidrGroupSelector"));
            if except.is_empty() && self.semantics.empty_groups_are_everyone() {
                return vec![Peer::Labels { selector, endpoints: false }];
            }
        } else if selector.is_only_negative() {
            self.remark(node.span, RemarkSort::OnlyNegative);
        }
        let group = |group: &CidrGroup| Group {
            labels: labels(&Source::CidrGroup, &group.labels),
            prefixes: group.prefixes.clone(),
        };
        let known = self.known.cidr_groups.iter().map(group).collect();
        let except = except.into_iter().map(|(_, out)| out).collect();
        vec![Peer::Groups(Box::new(Groups { selector, known, except }))]
    }

    /// Groups of a cloud. The operator looks them up and writes their addresses into a policy in
    /// place of this one, from 1.20 into a group of addresses: without any they are no one
    /// (`CreateDerivative` in `pkg/policy/api/egress.go`, `pkg/policy/api/groups.go`).
    fn groups(&mut self, node: &Node, key: &'static str, ports: Option<&[PortRule]>) -> Peers {
        match &self.known.external_groups {
            Some(nets) if nets.is_empty() && self.semantics.groups_fail_open() => {
                self.unsaid(node, key, ports)
            }
            None => Peers::Nobody,
            Some(nets) if nets.is_empty() => Peers::Nobody,
            Some(nets) => {
                let peer = |net: &IpNet| Peer::Cidr { net: *net, except: Vec::new() };
                Peers::Of(nets.iter().map(peer).collect())
            }
        }
    }

    pub(super) fn name(&mut self, item: &Node) -> Option<Pattern> {
        self.only(item, &["matchName", "matchPattern"]);
        let written = [field(item, "matchName"), field(item, "matchPattern")];
        let ([Some(node), None] | [None, Some(node)]) = written else {
            let why = "one of `matchName` and `matchPattern` is wanted";
            self.refuse(item.span, why);
            return None;
        };
        let text = self.text(node);
        let star = field(item, "matchPattern").is_some();
        let fits = |byte: u8| {
            byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) || (star && byte == b'*')
        };
        if text.is_empty() || text.len() > 255 || !text.bytes().all(fits) {
            self.refuse(node.span, format!("`{text}` is no name and no pattern of names"));
        }
        Some(Pattern::new(&text))
    }

    /// Resolves `toServices` (`pkg/policy/k8s/service.go`); rules that deny are never resolved.
    fn services(
        &mut self,
        (item, node, items): (&Node, &Node, &[Node]),
        section: Section,
        scope: &Scope<'_>,
        ports: Option<&[PortRule]>,
    ) -> Peers {
        let with_ports =
            field(item, "toPorts").is_some_and(|node| !self.list(Some(node)).is_empty());
        if with_ports && !self.semantics.services_take_ports() {
            self.refuse(node.span, "`toServices` and `toPorts` cannot stand in one item");
        }
        if section.action == Action::Deny {
            return self.unsaid(node, "toServices", ports);
        }
        let Some(services) = &self.known.services else { return Peers::Nobody };
        let mut peers = Vec::new();
        for item in items {
            for service in self.services_of(item, services) {
                if !service.selector.is_empty() && !self.semantics.services_select_pods() {
                    continue;
                }
                peers.extend(self.service(service, scope));
            }
        }
        if peers.is_empty() { self.unsaid(node, "toServices", ports) } else { Peers::Of(peers) }
    }

    fn services_of<'s>(&mut self, item: &Node, services: &'s [Service]) -> Vec<&'s Service> {
        self.only(item, &["k8sService", "k8sServiceSelector"]);
        let text = |reader: &mut Self, node: &Node, key: &str| {
            field(node, key).map(|node| reader.text(node)).filter(|text| !text.is_empty())
        };
        if let Some(by_label) = field(item, "k8sServiceSelector") {
            let namespace = text(self, by_label, "namespace");
            let selector = field(by_label, "selector").map(|node| self.selector(node, None));
            let fits = |service: &&Service| {
                namespace.as_ref().is_none_or(|known| *known == service.namespace)
                    && selector.as_ref().is_none_or(|selector| {
                        selector.matches(&labels(&Source::K8s, &service.labels))
                    })
            };
            return services.iter().filter(fits).collect();
        }
        let Some(by_name) = field(item, "k8sService") else { return Vec::new() };
        let (name, namespace) =
            (text(self, by_name, "serviceName"), text(self, by_name, "namespace"));
        let fits = |service: &&Service| {
            name.as_ref() == Some(&service.name)
                && namespace.as_ref().is_none_or(|known| *known == service.namespace)
        };
        services.iter().filter(fits).collect()
    }

    fn service(&mut self, service: &Service, scope: &Scope<'_>) -> Vec<Peer> {
        if service.selector.is_empty() {
            let peer = |net: &IpNet| Peer::Cidr { net: *net, except: Vec::new() };
            return service.addresses.iter().map(peer).collect();
        }
        let mut selector = Selector::default();
        for (key, value) in &service.selector {
            selector.set(Key::k8s(key.as_str()), value.as_str());
        }
        selector.set(Key::k8s(NAMESPACE), service.namespace.as_str());
        self.scope_peer(&mut selector, scope);
        vec![Peer::Labels { selector, endpoints: true }]
    }
}

fn labels(source: &Source, pairs: &[(String, String)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| Label::new(source.clone(), key.as_str(), value.as_str()))
        .collect()
}
