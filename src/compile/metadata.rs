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
    pub(super) fn with(self, topology: &Topology, content: Option<(&str, Value)>) -> Resource {
        let mut metadata = Map::new();
        if let Some(namespace) = self.namespace {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        metadata.insert("name".to_owned(), self.name.into());
        let own = [("app.kubernetes.io/managed-by", "landbridge")];
        let labels = self.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        metadata.insert("labels".to_owned(), sorted(labels.chain(own)));
        let mut annotations = self.annotations;
        if topology.gitops.as_ref().is_some_and(|tool| tool.value == GitOpsTool::Flux) {
            // Flux would read every `$` of a regular expression as a variable of its own.
            // Source: fluxcd.io, Kustomization, "Post build variable substitution".
            annotations.push(("kustomize.toolkit.fluxcd.io/substitute", "disabled".to_owned()));
        }
        if !annotations.is_empty() {
            let pairs = annotations.iter().map(|(key, value)| (*key, value.as_str()));
            metadata.insert("annotations".to_owned(), sorted(pairs));
        }
        let mut body = Map::new();
        body.insert("apiVersion".to_owned(), self.api_version.into());
        body.insert("kind".to_owned(), self.kind.into());
        body.insert("metadata".to_owned(), Value::Object(metadata));
        if let Some((key, value)) = content {
            body.insert(key.to_owned(), value);
        }
        Resource::object(Value::Object(body), self.origin)
    }
}

/// A mapping of texts, sorted by key; the last of two equal keys stays.
pub(super) fn sorted<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let sorted: std::collections::BTreeMap<_, _> = pairs.collect();
    sorted
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect::<Map<_, _>>()
        .into()
}
