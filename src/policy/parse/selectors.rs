//! Selectors as written.

use super::cilium::Scope;
use super::{Reader, field};
use crate::policy::label::{CLUSTER, Key, NAMESPACE, NAMESPACE_LABELS, Source};
use crate::policy::rule::RemarkSort;
use crate::policy::selector::{Operator, Requirement, Selector};
use crate::source::Span;
use crate::yaml::Node;

impl<'a> Reader<'a> {
    /// Reads a selector whose keys are of the source `otherwise` where they name none
    /// (`EndpointSelector.Sanitize` in `pkg/policy/api/selector.go`).
    pub(super) fn selector(&mut self, node: &Node, otherwise: Option<&Source>) -> Selector {
        self.selector_below(node, otherwise, None)
    }

    /// Reads a selector of namespaces by their labels; an empty one is every namespace
    /// (`processNamespaceSelector` in `pkg/k8s/network_policy.go`).
    pub(super) fn namespaces(&mut self, node: &Node) -> Selector {
        let prefix = format!("{NAMESPACE_LABELS}.");
        let mut selector = self.selector_below(node, Some(&Source::K8s), Some(&prefix));
        if selector.is_wildcard() {
            selector.add(Requirement::exists(Key::k8s(NAMESPACE)));
        }
        selector
    }

    fn selector_below(
        &mut self,
        node: &Node,
        otherwise: Option<&Source>,
        prefix: Option<&str>,
    ) -> Selector {
        self.only(node, &["matchLabels", "matchExpressions"]);
        let key = |text: &str| match prefix {
            Some(prefix) => Key::k8s(format!("{prefix}{text}")),
            None => Key::parse(text, otherwise.cloned()),
        };
        let mut selector = Selector::default();
        if let Some(labels) = field(node, "matchLabels") {
            for entry in self.mapping(labels) {
                let value = self.text(&entry.value);
                self.label_value(&value, entry.value.span);
                self.label_key(&entry.key, entry.key_span);
                let key = key(&entry.key);
                if !selector.set(key.clone(), value) {
                    self.remark(entry.key_span, RemarkSort::MergedKeys(key.to_string()));
                }
            }
        }
        for item in self.list(field(node, "matchExpressions")) {
            self.only(item, &["key", "operator", "values"]);
            if let Some(requirement) = self.expression(item, key) {
                selector.add(requirement);
            }
        }
        selector
    }

    /// Reads an item of `matchExpressions` (`ValidateLabelSelectorRequirement` in `pkg/labels`).
    fn expression(&mut self, item: &Node, key: impl Fn(&str) -> Key) -> Option<Requirement> {
        let (Some(name), Some(word)) = (field(item, "key"), field(item, "operator")) else {
            self.refuse(item.span, "an expression has no `key` or no `operator`");
            return None;
        };
        let (name, word_text) = (self.text(name), self.text(word));
        self.label_key(&name, item.span);
        let Some(operator) = Operator::named(&word_text) else {
            self.refuse(word.span, format!("`{word_text}` is no operator"));
            return None;
        };
        let values = self.list(field(item, "values"));
        if values.is_empty() == operator.takes_values() {
            let verb = if values.is_empty() { "has no" } else { "takes no" };
            self.refuse(item.span, format!("`{word_text}` {verb} values"));
        }
        let value = |value: &Node| {
            let text = self.text(value);
            self.label_value(&text, value.span);
            text.into_boxed_str()
        };
        let values = values.iter().map(value).collect();
        Some(Requirement { key: key(&name), operator, values })
    }

    /// Refuses what Kubernetes does not take as the value of a label.
    fn label_value(&mut self, value: &str, span: Span) {
        if !(value.is_empty() || is_name(value)) {
            self.refuse(span, format!("`{value}` is no value that a label can have"));
        }
    }

    /// Refuses what Kubernetes does not take as the key of a label, its source put aside.
    fn label_key(&mut self, key: &str, span: Span) {
        let bare = key.split_once(':').map_or(key, |(_, bare)| bare);
        let bare = bare.strip_prefix('$').unwrap_or(bare);
        let name = bare.rsplit_once('/').map_or(bare, |(_, name)| name);
        if !is_name(name) && !key.starts_with("cidr:") {
            self.refuse(span, format!("`{key}` is no key that a label can have"));
        }
    }

    /// The cluster that a peer is kept to which says none ([`Semantics::default_cluster`]).
    ///
    /// [`Semantics::default_cluster`]: crate::policy::Semantics::default_cluster
    pub(super) fn default_cluster(&mut self) -> Option<&'a str> {
        let cluster = self.semantics.default_cluster();
        self.local |= cluster.is_some();
        cluster
    }

    /// Keeps a selector to the cluster unless it says something of the cluster itself.
    pub(super) fn keep_to_cluster(&mut self, selector: &mut Selector) {
        if !selector.says_cluster() {
            selector.keep_to_cluster(self.default_cluster());
        }
    }

    /// Gives a peer the scope that it does not say.
    pub(super) fn scope_peer(&mut self, selector: &mut Selector, scope: &Scope<'_>) {
        let said = selector.says_cluster() || selector.is_reserved();
        let cluster = if said { None } else { self.default_cluster() };
        selector.scope_peer(scope.namespace, cluster, scope.about_init);
    }

    /// Remarks a subject that names another cluster: it selects nothing, and isolates nothing.
    pub(super) fn remark_cluster(&mut self, subject: &Selector, span: Span) {
        let own = self.semantics.cluster();
        for known in subject.requirements().filter(|known| known.key.is_k8s(CLUSTER)) {
            self.local = true;
            if known.operator == Operator::In && !known.values.contains(own) {
                let named = known.values.iter().map(|value| &**value).collect::<Vec<_>>();
                self.remark(span, RemarkSort::SubjectElsewhere(named.join(", ")));
            }
        }
    }
}

/// Whether it is what Kubernetes takes as the name part of a label's key, or as its value.
fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.iter().copied().all(inner)
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}
