//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy.

use super::{Reader, field};
use crate::policy::label::{Key, NAMESPACE};
use crate::policy::rule::{Action, Direction, Level, Peers, PortRule, RemarkSort, Rule};
use crate::policy::selector::Selector;
use crate::yaml::Node;

/// What the items of a rule share.
pub(super) struct Scope<'a> {
    /// The policy's namespace.
    pub(super) namespace: Option<&'a str>,
    /// Whether the subject names `reserved:init`.
    pub(super) about_init: bool,
    /// Whether the subject is nodes.
    pub(super) node: bool,
    subject: Selector,
}

/// A section of a rule.
#[derive(Clone, Copy)]
pub(super) struct Section {
    key: &'static str,
    pub(super) direction: Direction,
    pub(super) action: Action,
}

const SECTIONS: [Section; 4] = [
    Section { key: "ingress", direction: Direction::Ingress, action: Action::Allow },
    Section { key: "ingressDeny", direction: Direction::Ingress, action: Action::Deny },
    Section { key: "egress", direction: Direction::Egress, action: Action::Allow },
    Section { key: "egressDeny", direction: Direction::Egress, action: Action::Deny },
];

const RULE: &[&str] = &[
    "endpointSelector",
    "nodeSelector",
    "ingress",
    "ingressDeny",
    "egress",
    "egressDeny",
    "enableDefaultDeny",
    "description",
    "labels",
    "log",
];

impl Reader<'_> {
    /// Reads `spec` and `specs` (`Parse` in `pkg/k8s/apis/cilium.io/v2/cnp_types.go`).
    pub(super) fn cilium(&mut self, object: &Node, namespace: Option<&str>) -> Vec<Rule> {
        let mut rules = Vec::new();
        let (spec, specs) = (field(object, "spec"), field(object, "specs"));
        if spec.is_none() && specs.is_none() {
            self.refuse(object.span, "it has neither `spec` nor `specs`");
        }
        if let Some(spec) = spec {
            rules.extend(self.cilium_rule(spec, namespace, false));
        }
        for spec in self.list(specs) {
            rules.extend(self.cilium_rule(spec, namespace, true));
        }
        rules
    }

    /// Reads one rule (`Rule.Sanitize` in `pkg/policy/api/rule_validation.go`, `ParseToCiliumRule`
    /// in `pkg/k8s/apis/cilium.io/utils/utils.go`).
    fn cilium_rule(&mut self, spec: &Node, namespace: Option<&str>, listed: bool) -> Vec<Rule> {
        self.only(spec, RULE);
        let sections = SECTIONS.map(|section| (section, self.list(field(spec, section.key))));
        if sections.iter().all(|(_, items)| items.is_empty()) {
            if self.semantics.wants_a_section() {
                let why =
                    "a rule needs an item of `ingress`, `ingressDeny`, `egress` or `egressDeny`";
                self.refuse(spec.span, why);
            } else {
                self.remark(spec.span, RemarkSort::Nothing);
            }
        }
        let Some(scope) = self.subject(spec, namespace, listed) else { return Vec::new() };
        let isolates = [Direction::Ingress, Direction::Egress].map(|way| self.isolates(spec, way));
        let mut rules = Vec::new();
        for (section, items) in sections {
            let default_deny = isolates[usize::from(section.direction == Direction::Egress)];
            for item in items {
                rules.push(self.item(item, section, &scope, default_deny));
            }
        }
        rules
    }

    fn subject<'a>(
        &mut self,
        spec: &Node,
        namespace: Option<&'a str>,
        listed: bool,
    ) -> Option<Scope<'a>> {
        let (written, node) = match (field(spec, "endpointSelector"), field(spec, "nodeSelector")) {
            (Some(endpoints), None) => (endpoints, false),
            (None, Some(nodes)) => (nodes, true),
            (None, None) => {
                self.refuse(spec.span, "a rule needs an `endpointSelector` or a `nodeSelector`");
                return None;
            }
            (Some(_), Some(nodes)) => {
                let why = "a rule cannot have both an `endpointSelector` and a `nodeSelector`";
                self.refuse(nodes.span, why);
                return None;
            }
        };
        let refused = !listed || self.semantics.refuses_node_selector_in_specs();
        if node && namespace.is_some() && refused {
            let why = "a CiliumNetworkPolicy cannot have a `nodeSelector`";
            self.refuse(written.span, why);
        }
        let mut subject = self.selector(written, None);
        let about_init = subject.requirements().any(|known| known.key == Key::reserved("init"));
        if let Some(namespace) = namespace.filter(|_| !node) {
            let own = subject.exact().iter().find(|known| known.key == Key::k8s(NAMESPACE));
            let other = own.filter(|own| !own.values.contains(namespace));
            if let Some(other) = other.and_then(|other| other.values.first()) {
                let other = other.to_string();
                self.remark(written.span, RemarkSort::ReplacedNamespace(other));
            }
            subject.set(Key::k8s(NAMESPACE), namespace);
        }
        self.remark_cluster(&subject, written.span);
        Some(Scope { namespace, about_init, node, subject })
    }

    /// Whether a rule isolates its subject in a direction in which it has items.
    fn isolates(&mut self, spec: &Node, direction: Direction) -> bool {
        let key = match direction {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        };
        let written = field(spec, "enableDefaultDeny").and_then(|node| field(node, key));
        let Some(written) = written else { return true };
        let isolates = self.boolean(written);
        if !isolates && !self.semantics.obeys_default_deny() {
            self.remark(written.span, RemarkSort::IgnoredDefaultDeny);
            return true;
        }
        isolates
    }

    fn item(&mut self, item: &Node, section: Section, scope: &Scope<'_>, deny: bool) -> Rule {
        let ports = self.ports_of(item, section, scope);
        let peers = self.peers(item, section, scope, ports.as_deref());
        let requires = self.requires(item, section, scope);
        Rule {
            span: item.span,
            subject: scope.subject.clone(),
            node: scope.node,
            direction: section.direction,
            action: section.action,
            level: Level::NORMAL,
            default_deny: deny,
            peers,
            ports,
            requires,
        }
    }

    /// Reads `fromRequires` and `toRequires`.
    fn requires(&mut self, item: &Node, section: Section, scope: &Scope<'_>) -> Vec<Selector> {
        let key = match section.direction {
            Direction::Ingress => "fromRequires",
            Direction::Egress => "toRequires",
        };
        let items = self.list(field(item, key));
        if let (Some(first), false) = (items.first(), self.semantics.knows_requires()) {
            self.refuse(first.span, format!("`{key}` is no longer known"));
            return Vec::new();
        }
        let mut requires = Vec::new();
        for item in items {
            let mut selector = self.selector(item, None);
            selector.scope_namespace(scope.namespace, scope.about_init);
            self.keep_to_cluster(&mut selector);
            requires.push(selector);
        }
        requires
    }

    /// Remarks peers that are no one and so mean anyone on the ports.
    pub(super) fn unsaid(
        &mut self,
        node: &Node,
        key: &'static str,
        ports: Option<&[PortRule]>,
    ) -> Peers {
        if ports.is_some() {
            self.remark(node.span, RemarkSort::OpenToAll(key));
        }
        Peers::Unsaid
    }
}
