//! NetworkPolicy of Kubernetes (`pkg/k8s/network_policy.go`).

use super::ports::span_of;
use super::{Reader, field};
use crate::policy::label::{Key, NAMESPACE, Source};
use crate::policy::rule::{
    Action, Direction, Level, Peer, Peers, PortRule, Ports, Protocol, Rule, Which,
};
use crate::policy::selector::Selector;
use crate::yaml::Node;

impl Reader<'_> {
    pub(super) fn kubernetes(&mut self, object: &Node, namespace: &str) -> Vec<Rule> {
        let Some(spec) = field(object, "spec") else {
            self.refuse(object.span, "it has no `spec`");
            return Vec::new();
        };
        self.only(spec, &["podSelector", "policyTypes", "ingress", "egress"]);
        let mut subject = Selector::default();
        if let Some(node) = field(spec, "podSelector") {
            subject = self.selector(node, Some(&Source::K8s));
            self.remark_cluster(&subject, node.span);
        }
        subject.set(Key::k8s(NAMESPACE), namespace);
        let mut types = Vec::new();
        for node in self.list(field(spec, "policyTypes")) {
            types.push(self.text(node));
        }
        let says = |name: &str| types.iter().any(|known| known == name);
        let mut rules = Vec::new();
        for (direction, key, peers_key) in
            [(Direction::Ingress, "ingress", "from"), (Direction::Egress, "egress", "to")]
        {
            let rule = |node: &Node, peers, ports| Rule {
                span: node.span,
                subject: subject.clone(),
                node: false,
                direction,
                action: Action::Allow,
                level: Level::NORMAL,
                default_deny: true,
                peers,
                ports,
                requires: Vec::new(),
            };
            let items = self.list(field(spec, key));
            for item in items {
                let (peers, ports) = self.kubernetes_item(item, peers_key, namespace);
                rules.push(rule(item, peers, ports));
            }
            let isolates = match direction {
                Direction::Ingress => says("Ingress") || !says("Egress"),
                Direction::Egress => says("Egress"),
            };
            if items.is_empty() && isolates {
                rules.push(rule(spec, Peers::Nobody, None));
            }
        }
        rules
    }

    fn kubernetes_item(
        &mut self,
        item: &Node,
        key: &str,
        namespace: &str,
    ) -> (Peers, Option<Vec<PortRule>>) {
        self.only(item, &[key, "ports"]);
        let mut ports = Vec::new();
        for port in self.list(field(item, "ports")) {
            ports.extend(self.kubernetes_port(port));
        }
        let mut peers = Vec::new();
        let written = self.list(field(item, key));
        for peer in written {
            peers.extend(self.kubernetes_peer(peer, key, namespace));
        }
        if written.is_empty() {
            peers.push(Peer::Labels { selector: Selector::default(), endpoints: true });
        }
        let ports = (!ports.is_empty()).then(|| vec![PortRule { ports, l7: None }]);
        (Peers::Of(peers), ports)
    }

    /// Reads a peer (`parseNetworkPolicyPeer`).
    fn kubernetes_peer(&mut self, item: &Node, key: &str, namespace: &str) -> Option<Peer> {
        self.only(item, &["podSelector", "namespaceSelector", "ipBlock"]);
        if let Some(block) = field(item, "ipBlock") {
            self.only(block, &["cidr", "except"]);
            if key == "from" && self.semantics.refuses_ip_blocks() {
                let why = "Cilium 1.18 takes no `ipBlock` in `ingress` where `policyDefaultLocalCluster` is on";
                self.refuse(block.span, why);
            }
            let net = field(block, "cidr").and_then(|node| self.prefix(node))?;
            let mut except = Vec::new();
            for out in self.list(field(block, "except")) {
                except.extend(self.prefix(out));
            }
            return Some(Peer::Cidr { net, except });
        }
        let pods = field(item, "podSelector");
        let namespaces = field(item, "namespaceSelector");
        if pods.is_none() && namespaces.is_none() {
            self.refuse(item.span, "a peer says nothing");
        }
        let mut selector = match namespaces {
            Some(node) => self.namespaces(node),
            None => Selector::default(),
        };
        let mut own =
            pods.map_or_else(Selector::default, |node| self.selector(node, Some(&Source::K8s)));
        self.keep_to_cluster(&mut own);
        if namespaces.is_none() {
            own.set(Key::k8s(NAMESPACE), namespace);
        }
        selector.extend(&own);
        Some(Peer::Labels { selector, endpoints: true })
    }

    /// Reads a port (`parsePorts`).
    fn kubernetes_port(&mut self, item: &Node) -> Option<Ports> {
        self.only(item, &["port", "endPort", "protocol"]);
        let name = field(item, "protocol").map_or_else(|| "TCP".to_owned(), |node| self.text(node));
        let protocol =
            Protocol::named(&name.to_ascii_uppercase()).filter(|known| known.has_ports());
        let Some(protocol) = protocol else {
            self.refuse(item.span, format!("`{name}` is no protocol that Kubernetes knows"));
            return None;
        };
        let mut end = 0;
        let which = match field(item, "port").map(|node| self.number_or_text(node)) {
            None => Which::All,
            Some(Err(name)) => Which::Named(name),
            Some(Ok(first)) => {
                let last = field(item, "endPort").map(|node| self.number_or_text(node));
                end = last.and_then(Result::ok).unwrap_or_default();
                span_of(first, end)
            }
        };
        Some(Ports { protocols: vec![protocol], which, end })
    }
}
