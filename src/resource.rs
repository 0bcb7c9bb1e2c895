//! What should exist in a cluster, each thing with the line of the topology that caused it.

use std::borrow::Cow;

use serde_json::Value;

use crate::source::Span;

/// One Kubernetes object that should exist, or a patch of one that somebody else owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The object, with `apiVersion`, `kind` and `metadata` first; keys keep their order.
    pub body: Value,
    /// What is to be done with it.
    pub role: Role,
    /// The line that caused it.
    pub origin: Span,
}

/// What is to be done with a [`Resource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It is applied as it stands.
    Object,
    /// It is a strategic merge patch for an object that a team owns; the team includes the
    /// folder of patches as a kustomize component.
    Patch,
}

impl Resource {
    /// An object that is applied as it stands.
    pub fn object(body: Value, origin: Span) -> Self {
        Self { body, role: Role::Object, origin }
    }

    /// A patch of an object that a team owns.
    pub fn patch(body: Value, origin: Span) -> Self {
        Self { body, role: Role::Patch, origin }
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.body["apiVersion"].as_str().unwrap_or_default()
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.body["kind"].as_str().unwrap_or_default()
    }

    /// `metadata.namespace`; nothing for what stands in no namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.body["metadata"]["namespace"].as_str()
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.body["metadata"]["name"].as_str().unwrap_or_default()
    }
}

/// A file that is no Kubernetes object: Helm values, what an installer reads, an IAM policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where it is written, relative to the cluster's folder, such as `cilium/values.yaml`. What
    /// ends with `.json` is written as JSON, everything else as YAML.
    pub path: Cow<'static, str>,
    /// Comment lines at its top, without `#`. JSON has none.
    pub header: Vec<String>,
    /// Its content: one document, or several in a stream. JSON has one.
    pub bodies: Vec<Value>,
    /// The line that caused it.
    pub origin: Span,
}

impl Document {
    /// A file with one document and no comment.
    pub fn new(path: impl Into<Cow<'static, str>>, body: Value, origin: Span) -> Self {
        Self { path: path.into(), header: Vec::new(), bodies: vec![body], origin }
    }

    /// With these comment lines at its top.
    #[must_use]
    pub fn header(self, header: Vec<String>) -> Self {
        Self { header, ..self }
    }
}

/// Everything that should exist for one cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// The cluster's name.
    pub cluster: String,
    /// The folder that it is written to, below the output folder: the cluster's name for what
    /// is applied there, `argocd/<cluster>` or `flux/<cluster>` for what applies that.
    pub folder: String,
    /// Files that are no Kubernetes objects.
    pub documents: Vec<Document>,
    /// Kubernetes objects and patches.
    pub resources: Vec<Resource>,
}
