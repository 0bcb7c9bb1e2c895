//! Policies as written to rules, under the semantics of one cluster.
//!
//! What the API server or an agent refuses enforces nothing: such a policy has no rules, and the
//! reason. What is written and not read is a remark, so that nothing passes in silence.

mod cilium;
mod cluster;
mod kubernetes;
mod peers;
mod ports;
mod selectors;

use ipnet::IpNet;
use serde_json::Value as Json;

use super::rule::{Kind, Policy, Refusal, Remark, RemarkSort, Rule};
use super::semantics::Semantics;
use crate::source::Span;
use crate::yaml::json::json;
use crate::yaml::{Entry, Node, Scalar, Value};

/// What a policy refers to. What is not known selects no one, and is no empty list.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Every CiliumCIDRGroup of the cluster.
    pub cidr_groups: Vec<CidrGroup>,
    /// Every Service of the cluster, if they are known.
    pub services: Option<Vec<Service>>,
    /// The addresses that groups of the cloud stand for, if they are known.
    pub external_groups: Option<Vec<IpNet>>,
}

/// A CiliumCIDRGroup.
#[derive(Clone, Debug, Default)]
pub struct CidrGroup {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Its addresses.
    pub prefixes: Vec<IpNet>,
}

/// A Service as `toServices` sees it.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// What it selects; empty for one whose endpoints are written by hand.
    pub selector: Vec<(String, String)>,
    /// The addresses of endpoints that are written by hand.
    pub addresses: Vec<IpNet>,
}

/// Reads an object; nothing if it is no policy.
pub fn read(object: &Node, semantics: &Semantics, known: &Known) -> Option<Policy> {
    let text = |path: &[&str]| object.at(path).and_then(Node::text);
    let group = text(&["apiVersion"])?.split_once('/')?.0;
    let kind = match (group, text(&["kind"])?) {
        ("cilium.io", "CiliumNetworkPolicy") => Kind::Cilium,
        ("cilium.io", "CiliumClusterwideNetworkPolicy") => Kind::CiliumClusterwide,
        ("networking.k8s.io", "NetworkPolicy") => Kind::Kubernetes,
        ("policy.networking.k8s.io", "ClusterNetworkPolicy") => Kind::KubernetesCluster,
        _ => return None,
    };
    let namespace = match kind {
        Kind::Cilium | Kind::Kubernetes => {
            Some(text(&["metadata", "namespace"]).unwrap_or("default").to_owned())
        }
        Kind::CiliumClusterwide | Kind::KubernetesCluster => None,
    };
    let mut reader = Reader { semantics, known, refused: None, remarks: Vec::new(), local: false };
    let rules = match kind {
        Kind::Cilium | Kind::CiliumClusterwide => reader.cilium(object, namespace.as_deref()),
        Kind::Kubernetes => reader.kubernetes(object, namespace.as_deref().unwrap_or_default()),
        Kind::KubernetesCluster => reader.cluster(object),
    };
    reader.remark_rules(&rules);
    let rules = if reader.refused.is_some() { Vec::new() } else { rules };
    Some(Policy {
        kind,
        namespace,
        name: text(&["metadata", "name"]).unwrap_or_default().to_owned(),
        span: object.span,
        rules,
        refused: reader.refused,
        remarks: reader.remarks,
        local: reader.local,
    })
}

/// Makes a tree of an object that has no text; every place in it is `span`.
pub fn tree(value: Json, span: Span) -> Node {
    let scalar = |text: String, plain| {
        Value::Scalar(Scalar { text: text.into_boxed_str(), plain, tag: None })
    };
    let value = match value {
        Json::Null => scalar("null".to_owned(), true),
        Json::Bool(known) => scalar(known.to_string(), true),
        Json::Number(number) => scalar(number.to_string(), true),
        Json::String(text) => scalar(text, false),
        Json::Array(items) => {
            Value::Sequence(items.into_iter().map(|item| tree(item, span)).collect())
        }
        Json::Object(entries) => {
            let entry = |(key, value): (String, Json)| Entry {
                key: key.into_boxed_str(),
                key_span: span,
                value: tree(value, span),
            };
            Value::Mapping(entries.into_iter().map(entry).collect())
        }
    };
    Node { span, value }
}

/// Reads one policy and collects what is to be said about it.
pub(super) struct Reader<'a> {
    pub(super) semantics: &'a Semantics,
    pub(super) known: &'a Known,
    refused: Option<Refusal>,
    remarks: Vec<Remark>,
    /// Whether the cluster's name was asked for.
    local: bool,
}

impl Reader<'_> {
    /// Refuses the policy; the first reason stays.
    fn refuse(&mut self, span: Span, why: impl Into<String>) {
        if self.refused.is_none() {
            self.refused = Some(Refusal { span, why: why.into() });
        }
    }

    fn remark(&mut self, span: Span, sort: RemarkSort) {
        self.remarks.push(Remark { span, sort });
    }

    /// The items of a list; refuses what is none.
    fn list<'n>(&mut self, node: Option<&'n Node>) -> &'n [Node] {
        let Some(node) = node else { return &[] };
        node.items().unwrap_or_else(|| {
            self.refuse(node.span, format!("{} stands where a list is wanted", node.describe()));
            &[]
        })
    }

    /// The entries of a mapping; refuses what is none.
    fn mapping<'n>(&mut self, node: &'n Node) -> &'n [Entry] {
        if node.is_null() {
            return &[];
        }
        node.entries().unwrap_or_else(|| {
            self.refuse(node.span, format!("{} stands where a mapping is wanted", node.describe()));
            &[]
        })
    }

    /// Text; refuses what is none.
    fn text(&mut self, node: &Node) -> String {
        if let Json::String(text) = json(node) {
            return text;
        }
        self.refuse(node.span, format!("{} stands where text is wanted", node.describe()));
        String::new()
    }

    /// A number from 0 to 65535, or text; refuses what is neither.
    fn number_or_text(&mut self, node: &Node) -> Result<u16, String> {
        match json(node) {
            Json::Number(number) => {
                let small = number.as_u64().and_then(|number| u16::try_from(number).ok());
                Ok(small.unwrap_or_else(|| {
                    self.refuse(node.span, format!("`{number}` is not from 0 to 65535"));
                    0
                }))
            }
            _ => Err(self.text(node)),
        }
    }

    /// Whether it is true; refuses what is no boolean.
    fn boolean(&mut self, node: &Node) -> bool {
        if let Json::Bool(known) = json(node) {
            return known;
        }
        self.refuse(node.span, format!("{} stands where a boolean is wanted", node.describe()));
        false
    }

    /// Remarks the keys of a mapping that are not read.
    fn only(&mut self, node: &Node, keys: &[&str]) {
        for entry in self.mapping(node) {
            if !keys.contains(&&*entry.key) {
                self.remark(entry.key_span, RemarkSort::Unread(entry.key.to_string()));
            }
        }
    }

    /// A prefix, its host bits cut off; refuses what is none. The schemas take no address alone
    /// (`format: cidr`).
    fn prefix(&mut self, node: &Node) -> Option<IpNet> {
        let text = self.text(node);
        let net = text.parse::<IpNet>().ok();
        if net.is_none() {
            self.refuse(node.span, format!("`{text}` is no prefix"));
        }
        net.map(|net| net.trunc())
    }

    /// Remarks what only the finished rules show.
    fn remark_rules(&mut self, rules: &[Rule]) {
        for rule in rules {
            if rule.subject.is_only_negative() {
                self.remark(rule.span, RemarkSort::OnlyNegative);
            }
            let only_negative = rule.peers.selectors().any(super::Selector::is_only_negative);
            if only_negative {
                self.remark(rule.span, RemarkSort::OnlyNegative);
            }
        }
        self.remarks.sort();
        self.remarks.dedup();
    }
}

/// The value of a key that says something: Go reads nothing as if the key were not there.
fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests;
