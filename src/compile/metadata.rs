//! What every generated object carries: its place, whose it is, and what its readers need.

use serde_json::{Map, Value};

use crate::resource::Resource;
use crate::source::Span;
use crate::spec::delivery::GitOpsTool;
use crate::topology::Topology;

/// An object before its content.
pub(super) struct Object<'a> {
    /// `apiVersion`.
    pub(super) api_version: &'static str,
    /// `kind`.
    pub(super) kind: &'static str,
    /// `metadata.namespace`; nothing for what stands in no namespace.
    pub(super) namespace: Option<&'a str>,
    /// `metadata.name`.
    pub(super) name: &'a str,
    /// Labels besides those that every object has.
    pub(super) labels: &'a [(String, String)],
    /// Annotations besides those that every object has.
    pub(super) annotations: Vec<(&'static str, String)>,
    /// The line that caused it.
    pub(super) origin: Span,
}

impl Object<'_> {
    /// The object with what stands beside `metadata`.
    pub(super) fn with<'b>(
        mut self,
        topology: &Topology,
        content: impl IntoIterator<Item = (&'b str, Value)>,
    ) -> Resource {
        if topology.gitops.as_ref().is_some_and(|gitops| gitops.tool == GitOpsTool::Flux) {
            // Flux would read every `$` of a regular expression as a variable of its own.
            // Source: fluxcd.io, Kustomization, "Post build variable substitution".
            let off = ("kustomize.toolkit.fluxcd.io/substitute", "disabled".to_owned());
            self.annotations.push(off);
        }
        let mut labels: Vec<(&str, String)> = Vec::with_capacity(self.labels.len() + 1);
        labels.push(("app.kubernetes.io/managed-by", "landbridge".to_owned()));
        labels.extend(self.labels.iter().map(|(key, value)| (key.as_str(), value.clone())));
        let mut metadata = Map::with_capacity(4);
        if let Some(namespace) = self.namespace {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        metadata.insert("name".to_owned(), self.name.into());
        metadata.insert("labels".to_owned(), texts(labels));
        if !self.annotations.is_empty() {
            metadata.insert("annotations".to_owned(), texts(self.annotations));
        }
        let mut body = Map::with_capacity(4);
        body.insert("apiVersion".to_owned(), self.api_version.into());
        body.insert("kind".to_owned(), self.kind.into());
        body.insert("metadata".to_owned(), metadata.into());
        body.extend(content.into_iter().map(|(key, value)| (key.to_owned(), value)));
        Resource::object(body.into(), self.origin)
    }
}

/// A mapping of texts, sorted by key; the first of two equal keys stays.
pub(super) fn texts<K: Ord + Into<String>>(mut pairs: Vec<(K, String)>) -> Value {
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs.dedup_by(|again, first| again.0 == first.0);
    let pairs = pairs.into_iter().map(|(key, value)| (key.into(), Value::String(value)));
    Value::Object(pairs.collect())
}

/// A mapping with these entries. Unlike `json!`, which writes its values anew, it keeps them.
pub(super) fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(Map::from_iter(entries.map(|(key, value)| (key.to_owned(), value))))
}
