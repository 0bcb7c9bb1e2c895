//! Hand-written manifests and the GitOps tool, as they were written.

use super::value::{ChartRepository, Label, RelativePath, Subdomain, Word};
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
        /// The Git repository that it reads. Argo CD needs it; Flux reads the `GitRepository` of
        /// its bootstrap, `flux-system`, unless it is said here.
        "url" => url: Option<Spanned<Word>>,
        /// The branch that it reads; `main` unless said otherwise.
        "branch" => branch: Option<Spanned<Word>>,
        /// The folder of the project in that repository; its root unless said otherwise.
        "path" => path: Option<Spanned<RelativePath>>,
        /// The namespace of the tool's own objects: `argocd`, `flux-system`.
        "namespace" => namespace: Option<Spanned<Label>>,
        /// The Secret with which Flux reads `url`.
        "secretName" => secret_name: Option<Spanned<Subdomain>>,
        /// Where the chart of Cilium is: a Helm repository, or `oci://` and a registry's folder.
        /// `https://helm.cilium.io` unless said otherwise.
        "chartRepository" => chart_repository: Option<Spanned<ChartRepository>>,
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
