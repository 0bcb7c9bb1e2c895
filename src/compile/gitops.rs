//! What points a GitOps tool at a cluster's folder.
//!
//! It stands beside the clusters' folders, one folder for each cluster with a lock of its own, so
//! that two pull requests for two clusters do not meet: `argocd/<cluster>` is applied where Argo
//! CD runs, `flux/<cluster>` by the Flux of that cluster.

mod argocd;
mod flux;
mod settings;

use crate::resource::Desired;
use crate::spec::delivery::GitOpsTool;
use crate::topology::{Cluster, ClusterId, GitOps, Topology};

/// One cluster, with the tool that applies its folder.
struct Site<'a> {
    topology: &'a Topology,
    gitops: &'a GitOps,
    cluster: &'a Cluster,
}

impl Site<'_> {
    /// The path of the cluster's folder in the repository.
    fn path(&self) -> String {
        let name = &self.cluster.name.value;
        match self.gitops.path.as_str() {
            "" => name.clone(),
            path => format!("{path}/{name}"),
        }
    }
}

/// The tool's folder for one cluster.
pub(super) fn folder(topology: &Topology, id: ClusterId) -> Option<String> {
    let tool = match topology.gitops.as_ref()?.tool {
        GitOpsTool::ArgoCd => "argocd",
        GitOpsTool::Flux => "flux",
    };
    Some(format!("{tool}/{}", topology.cluster(id).name.value))
}

/// The tool's objects for one cluster.
pub(super) fn desired(topology: &Topology, id: ClusterId) -> Option<Desired> {
    let gitops = topology.gitops.as_ref()?;
    let cluster = topology.cluster(id);
    let site = Site { topology, gitops, cluster };
    let resources = match gitops.tool {
        GitOpsTool::ArgoCd => argocd::objects(&site),
        GitOpsTool::Flux => flux::objects(&site),
    };
    Some(Desired {
        cluster: cluster.name.value.clone(),
        folder: folder(topology, id)?,
        documents: Vec::new(),
        resources,
    })
}
