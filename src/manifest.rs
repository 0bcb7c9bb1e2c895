//! Kubernetes objects that others wrote, with the places of all they say.
//!
//! Files are read as kubectl, Argo CD and Flux read them: streams of documents, lists taken apart,
//! scalars as Go resolves them, and Flux's `${VARIABLE}` replaced from a ConfigMap. What stands in
//! a Secret is never kept and never shown.

mod objects;
mod substitute;
mod template;
mod variables;
mod written;

use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::source::{SourceId, SourceMap, Span, Spanned};
use crate::yaml::{Entry, Node};

pub use variables::Variables;

/// A Kubernetes object as someone wrote it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// All of it, its variables replaced; what was replaced has the place of the string in which
    /// the variable stands.
    pub node: Node,
    /// Its `apiVersion`.
    pub api_version: Spanned<String>,
    /// Its `kind`.
    pub kind: Spanned<String>,
    /// Its namespace, where it says one.
    pub namespace: Option<Spanned<String>>,
    /// Its name.
    pub name: Spanned<String>,
    /// Where it stands.
    pub span: Span,
}

/// A label or an annotation.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    /// Its key.
    pub key: &'a str,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub value: &'a Node,
}

impl Manifest {
    /// The API group; empty for the core of Kubernetes.
    pub fn group(&self) -> &str {
        self.api_version.value.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version in the API group.
    pub fn version(&self) -> &str {
        self.api_version.value.split_once('/').map_or(&*self.api_version.value, |(_, v)| v)
    }

    /// Whether it is of a kind, whatever the version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group() == group && self.kind.value == kind
    }

    /// The node at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        self.node.at(path)
    }

    /// The annotations, in the order in which they were written.
    pub fn annotations(&self) -> impl Iterator<Item = Note<'_>> {
        notes(&self.node, "annotations")
    }

    /// The labels, in the order in which they were written.
    pub fn labels(&self) -> impl Iterator<Item = Note<'_>> {
        notes(&self.node, "labels")
    }

    /// `Kind/namespace/name`, or `Kind/name` where it says no namespace.
    pub fn describe(&self) -> String {
        let namespace = self.namespace.as_ref().map(|namespace| &*namespace.value);
        objects::described(&self.kind.value, namespace, &self.name.value)
    }
}

fn notes<'a>(node: &'a Node, which: &str) -> impl Iterator<Item = Note<'a>> {
    let entries = node.at(&["metadata", which]).and_then(Node::entries).unwrap_or_default();
    entries.iter().map(|Entry { key, key_span, value }| Note { key, key_span: *key_span, value })
}

/// Reads the objects of a file, and replaces the variables in them.
///
/// Secrets, kustomize's own files and empty documents are left out. Whatever else cannot be read is
/// a finding; an object whose variables are not known, or that is encrypted, is left out and
/// reported as not checked. Without `variables` an object that names one is kept as it stands and
/// reported as not checked.
pub fn read(
    sources: &SourceMap,
    id: SourceId,
    variables: Option<&Variables>,
    found: &mut Diagnostics,
) -> Vec<Manifest> {
    objects::read(sources, id, variables, found)
}

declare_rules! {
    /// ## What it does
    /// Reports a document among the hand-written Kubernetes objects that is none: it has no
    /// `apiVersion`, `kind` or `metadata.name`, or one of them is no text. Kustomize's own files
    /// and Secrets are passed over.
    ///
    /// ## Why it matters
    /// Such a document is not checked. A chart's values file or a patch among the manifests looks
    /// as if it were, and an object with `generateName` has no name that anything could refer to.
    ///
    /// ## Example
    /// ```yaml
    /// kind: Service
    /// metadata: {name: fraud-detection}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: fraud-detection}
    /// ```
    pub static NOT_A_MANIFEST = { code: "LB0012", name: "not-a-manifest", summary: "a document that is no Kubernetes object", severity: Error };

    /// ## What it does
    /// Reports a string that Flux cannot replace variables in: a `}` is missing, the form is not
    /// one that Flux knows, the result is no YAML, or the results are much larger than the file.
    ///
    /// ## Why it matters
    /// Flux fails on the whole Kustomization and applies nothing of it. Some forms of bash are
    /// such errors: `${NAME-word}`, `${NAME?word}` and `${NAME+word}` without a colon. A shell
    /// script needs `$${NAME}`, or its object the annotation
    /// `kustomize.toolkit.fluxcd.io/substitute: disabled`.
    ///
    /// ## Example
    /// ```yaml
    /// replicas: ${REPLICAS-2}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// replicas: ${REPLICAS:-2}
    /// ```
    pub static INVALID_SUBSTITUTION = { code: "LB0018", name: "invalid-substitution", summary: "a string in which Flux cannot replace variables", severity: Error };
}

#[cfg(test)]
mod tests;
