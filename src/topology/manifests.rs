//! Hand-written Kubernetes objects that belong to clusters.

use super::id::ClusterSet;
use crate::manifest::Manifest;
use crate::source::Span;

/// An entry of `spec.manifests`.
#[derive(Clone, Debug)]
pub struct ManifestSet {
    /// Where it stands.
    pub span: Span,
    /// The clusters that its objects are applied to.
    pub clusters: ClusterSet,
    /// The objects, their variables replaced.
    pub objects: Vec<Manifest>,
}
