//! ClusterNetworkPolicy of Kubernetes, with its tiers (`pkg/k8s/cluster_network_policy.go`).

use std::collections::BTreeSet;

use super::ports::span_of;
use super::{Reader, field};
use crate::policy::label::{CLUSTER, Key, Source};
use crate::policy::rule::{
    Action, Direction, L7, Level, Pattern, Peer, Peers, PortRule, Ports, Protocol, RemarkSort,
    Rule, Which,
};
use crate::policy::selector::{Operator, Requirement, Selector};
use crate::policy::values::Values;
use crate::yaml::Node;

/// The rules that one peer makes: the peer and what it does, and the DNS rule beside names.
type Made = Vec<(Peers, Action, Option<Vec<PortRule>>)>;

impl Reader<'_> {
    pub(super) fn cluster(&mut self, object: &Node) -> Vec<Rule> {
        if !self.semantics.reads_cluster_network_policy() {
            let why = "ClusterNetworkPolicies are read from Cilium 1.20 with \
                       `k8sClusterNetworkPolicy.enabled`";
            self.refuse(object.span, why);
            return Vec::new();
        }
        let Some(spec) = field(object, "spec") else {
            self.refuse(object.span, "it has no `spec`");
            return Vec::new();
        };
        self.only(spec, &["tier", "priority", "subject", "ingress", "egress"]);
        let tier = match field(spec, "tier").map(|node| self.text(node)).as_deref() {
            Some("Admin") => 100,
            Some("Baseline") => 250,
            _ => {
                self.refuse(spec.span, "`tier` is neither `Admin` nor `Baseline`");
                return Vec::new();
            }
        };
        let priority = field(spec, "priority").and_then(|node| self.number_or_text(node).ok());
        let priority = priority.unwrap_or_default();
        let Some(subject) = self.cluster_subject(spec) else { return Vec::new() };
        let mut rules = Vec::new();
        for (direction, key, peers_key) in
            [(Direction::Ingress, "ingress", "from"), (Direction::Egress, "egress", "to")]
        {
            for (index, item) in (0u32..).zip(self.list(field(spec, key))) {
                let level = Level { tier, priority: u32::from(priority) * 100 + index };
                for (peers, action, ports) in self.cluster_item(item, peers_key) {
                    rules.push(Rule {
                        span: item.span,
                        subject: subject.clone(),
                        node: false,
                        direction,
                        action,
                        level,
                        default_deny: false,
                        peers,
                        ports,
                        requires: Vec::new(),
                    });
                }
            }
        }
        rules
    }

    fn cluster_subject(&mut self, spec: &Node) -> Option<Selector> {
        let subject = field(spec, "subject");
        let namespaces = subject.and_then(|node| field(node, "namespaces"));
        let pods = subject.and_then(|node| field(node, "pods"));
        match (namespaces, pods) {
            (Some(node), _) => Some(self.namespaces(node)),
            (None, Some(node)) => Some(self.pods(node, false)),
            (None, None) => {
                self.refuse(spec.span, "`subject` names neither `namespaces` nor `pods`");
                None
            }
        }
    }

    /// Reads pods of namespaces (`kcnpParseNamespacedPod`).
    fn pods(&mut self, node: &Node, scoped: bool) -> Selector {
        self.only(node, &["namespaceSelector", "podSelector"]);
        let mut selector = match field(node, "namespaceSelector") {
            Some(namespaces) => self.namespaces(namespaces),
            None => self.namespaces(&super::tree(serde_json::json!({}), node.span)),
        };
        let mut own = match field(node, "podSelector") {
            Some(pods) => self.selector(pods, Some(&Source::K8s)),
            None => Selector::default(),
        };
        if scoped {
            self.keep_to_cluster(&mut own);
        }
        selector.extend(&own);
        selector
    }

    fn cluster_item(&mut self, item: &Node, key: &str) -> Made {
        self.only(item, &["name", "action", key, "protocols"]);
        let action = match field(item, "action").map(|node| self.text(node)).as_deref() {
            Some("Accept") => Action::Allow,
            Some("Deny") => Action::Deny,
            Some("Pass") => Action::Pass,
            _ => {
                self.refuse(item.span, "`action` is none of `Accept`, `Deny` and `Pass`");
                return Vec::new();
            }
        };
        let mut ports = Vec::new();
        for protocol in self.list(field(item, "protocols")) {
            let ports_of = self.cluster_port(protocol);
            ports.push(PortRule { ports: ports_of, l7: None });
        }
        let ports = (!ports.is_empty()).then_some(ports);
        let written = self.list(field(item, key));
        if written.is_empty() {
            return vec![(anyone(), action, ports)];
        }
        let mut made = Vec::new();
        for peer in written {
            made.extend(self.cluster_peer(peer, action, ports.as_ref()));
        }
        made
    }

    fn cluster_peer(&mut self, peer: &Node, action: Action, ports: Option<&Vec<PortRule>>) -> Made {
        self.only(peer, &["namespaces", "pods", "nodes", "networks", "domainNames"]);
        let ports = ports.cloned();
        let labels = |selector| Peer::Labels { selector, endpoints: false };
        if let Some(node) = field(peer, "pods") {
            let selector = self.pods(node, true);
            return vec![(Peers::Of(vec![labels(selector)]), action, ports)];
        }
        if let Some(node) = field(peer, "namespaces") {
            let selector = self.namespaces(node);
            self.remark(node.span, RemarkSort::NamespacesOfEveryCluster);
            return vec![(Peers::Of(vec![labels(selector)]), action, ports)];
        }
        if let Some(node) = field(peer, "nodes") {
            let selectors = self.cluster_nodes(node);
            return vec![(Peers::Of(selectors.into_iter().map(labels).collect()), action, ports)];
        }
        if let Some(node) = field(peer, "networks") {
            let nets: Vec<_> = self.list(Some(node)).iter().map(|net| self.prefix(net)).collect();
            let peer = |net| Peer::Cidr { net, except: Vec::new() };
            return vec![(
                Peers::Of(nets.into_iter().flatten().map(peer).collect()),
                action,
                ports,
            )];
        }
        if let Some(node) = field(peer, "domainNames") {
            return self.cluster_names(node, action, ports);
        }
        // What names no peer that is known fails closed.
        match action {
            Action::Allow => Vec::new(),
            Action::Deny | Action::Pass => vec![(anyone(), Action::Deny, ports)],
        }
    }

    /// Reads nodes (`kcnpProcessNodeSelector`): the subject's own node and all others.
    fn cluster_nodes(&mut self, node: &Node) -> Vec<Selector> {
        if !self.semantics.settings().node_selector_labels {
            self.refuse(node.span, "nodes as peers need `nodeSelectorLabels`");
        }
        let written = self.selector(node, Some(&Source::Node));
        // Only the bare key counts, since keys are looked at before their source is added.
        let says_cluster = written.requirements().any(|known| *known.key.key == *CLUSTER);
        let mut selectors = Vec::new();
        for word in ["host", "remote-node"] {
            let mut selector = written.clone();
            selector.add(Requirement::exists(Key::reserved(word)));
            if !says_cluster && let Some(cluster) = self.default_cluster() {
                selector.set(Key::k8s(CLUSTER), cluster);
            }
            selectors.push(selector);
        }
        selectors
    }

    /// Reads names (`kcnpParseFQDNSelectors`): `*.` is any depth, and queries for them are let
    /// through to pods with `k8s-app=kube-dns` anywhere.
    fn cluster_names(&mut self, node: &Node, action: Action, ports: Option<Vec<PortRule>>) -> Made {
        if action != Action::Allow {
            self.refuse(node.span, "`domainNames` can only be accepted");
        }
        if !self.semantics.settings().l7_proxy {
            self.refuse(node.span, "`domainNames` need `l7Proxy`");
        }
        let mut patterns = BTreeSet::new();
        for name in self.list(Some(node)) {
            let text = self.text(name);
            let single = text.starts_with('*') && !text.starts_with("**");
            patterns.insert(Pattern::new(&if single { format!("*{text}") } else { text }));
        }
        let named = |name: &str| Ports {
            protocols: Protocol::ANY.to_vec(),
            which: Which::Named(name.to_owned()),
            end: 0,
        };
        let mut dns = Selector::default();
        dns.add(Requirement {
            key: Key::parse("k8s-app", None),
            operator: Operator::In,
            values: Values::one("kube-dns"),
        });
        let queries = PortRule {
            ports: vec![named("dns"), named("dns-tcp")],
            l7: Some(L7::Dns(patterns.clone())),
        };
        let dns = Peer::Labels { selector: dns, endpoints: false };
        let names = patterns.into_iter().map(Peer::Name).collect();
        vec![
            (Peers::Of(vec![dns]), Action::Allow, Some(vec![queries])),
            (Peers::Of(names), action, ports),
        ]
    }

    /// Reads an item of `protocols` (`kcnpParseProtocols`).
    fn cluster_port(&mut self, item: &Node) -> Vec<Ports> {
        self.only(item, &["tcp", "udp", "sctp", "destinationNamedPort"]);
        let of = [("tcp", Protocol::TCP), ("udp", Protocol::UDP), ("sctp", Protocol::SCTP)];
        for (key, protocol) in of {
            let Some(written) = field(item, key) else { continue };
            self.only(written, &["destinationPort"]);
            let (which, end) = match field(written, "destinationPort") {
                None => (Which::All, 0),
                Some(port) => self.cluster_destination(port),
            };
            return vec![Ports { protocols: vec![protocol], which, end }];
        }
        match field(item, "destinationNamedPort") {
            Some(name) => {
                let which = Which::Named(self.text(name));
                vec![Ports { protocols: Protocol::ANY.to_vec(), which, end: 0 }]
            }
            None => vec![Ports { protocols: Protocol::ANY.to_vec(), which: Which::All, end: 0 }],
        }
    }

    fn cluster_destination(&mut self, port: &Node) -> (Which, u16) {
        self.only(port, &["number", "range"]);
        let mut number = |node: Option<&Node>| {
            node.and_then(|node| self.number_or_text(node).ok()).unwrap_or_default()
        };
        match field(port, "range") {
            Some(range) => {
                let (first, last) = (number(field(range, "start")), number(field(range, "end")));
                (span_of(first, last), last)
            }
            None => (span_of(number(field(port, "number")), 0), 0),
        }
    }
}

fn anyone() -> Peers {
    Peers::Of(vec![Peer::Labels { selector: Selector::default(), endpoints: false }])
}
