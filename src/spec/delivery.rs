//! Hand-written manifests and the GitOps tool, as they were written.

use super::value::{RelativePath, Word};
use crate::source::Spanned;
use crate::{choice, object};

object! {
    /// Hand-written Kubernetes objects beside the generated ones.
    pub struct Manifests {
        /// Their files, as globs below the project.
        "files" => files: Vec<Spanned<RelativePath>>,
        /// The clusters that they are applied to; every cluster unless said here.
        "clusters" => clusters: Vec<Spanned<String>>,
        /// Where the values of Flux's `${VARIABLE}` come from.
        "substitute" => substitute: Option<Substitute>,
    }

    /// Where the values of Flux's `${VARIABLE}` come from.
    pub struct Substitute {
        /// A file with the ConfigMap, below the project.
        "configMap" => config_map: Spanned<RelativePath>,
    }

    /// The GitOps tool that applies the rendered files.
    pub struct GitOps {
        /// Which.
        "tool" => tool: Spanned<GitOpsTool>,
        /// The repository that it reads.
        "url" => url: Option<Spanned<Word>>,
        /// The branch that it reads.
        "branch" => branch: Option<Spanned<Word>>,
    }
}

choice! {
    /// A GitOps tool.
    pub enum GitOpsTool {
        /// Flux.
        "flux" => Flux,
        /// Argo CD.
        "argocd" => ArgoCd,
    }
}
