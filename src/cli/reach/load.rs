//! What `landbridge reach` reads: the project, or plain manifests.

use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Exit;
use super::super::manifests::{Manifests, clusters};
use super::super::pinned::Pinned;
use super::super::resolved::Resolved;
use crate::compile::Index;
use crate::diagnostic::Diagnostics;
use crate::reach::found;
use crate::reach::found::settings::Because;
use crate::reach::question::Asked;
use crate::reach::service::{self, Service};
use crate::reach::{Mesh, declared};
use crate::report::Report;
use crate::source::SourceMap;
use crate::system::os::OsSystem;

/// What is read.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Origin {
    /// Read plain manifests of a cluster instead of a project: a folder, a file, or `-` for
    /// standard input
    #[arg(long, value_name = "CLUSTER=PATH")]
    pub(super) manifests: Vec<Manifests>,
    /// The version of Cilium that reads the manifests, such as 1.18, or use1=1.18 for one cluster
    #[arg(long, value_name = "VERSION", requires = "manifests")]
    pub(super) cilium: Vec<Pinned>,
}

/// A mesh with all that an answer needs.
pub(super) struct Loaded {
    pub(super) sources: SourceMap,
    /// What is wrong with what was read.
    pub(super) found: Diagnostics,
    pub(super) mesh: Mesh,
    pub(super) services: Vec<Service>,
    pub(super) because: Vec<Because>,
}

impl Origin {
    /// Reads a mesh, or gives the outcome where there is none.
    /// `sides` are those of a question; without any the answer is about all.
    pub(super) fn load(
        &self,
        sides: &[&Asked],
        context: &Context,
    ) -> Result<Result<Loaded, Exit>, Error> {
        if self.manifests.is_empty() {
            return project(&context.project()?, sides, context);
        }
        self.read().map(Ok)
    }

    /// Reads plain manifests.
    pub(super) fn read(&self) -> Result<Loaded, Error> {
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let clusters =
            clusters(&self.manifests, &self.cilium, "--cilium", &mut sources, &mut found)?;
        let meant = found::mesh(&clusters);
        let meant = meant.map_err(|refused| Error::new(refused.why).help(refused.help))?;
        let found::Found { mesh, services, because } = meant;
        Ok(Loaded { sources, found, mesh, services, because })
    }
}

/// The mesh of a project, with the policies that matter to the sides of a question if there are
/// some. Without a topology there is none.
pub(super) fn project(
    system: &OsSystem,
    sides: &[&Asked],
    context: &Context,
) -> Result<Result<Loaded, Exit>, Error> {
    let Resolved { sources, found, topology } = Resolved::new(system);
    let Some(topology) = topology else {
        context.complain(&Report::new(found, &sources))?;
        return Ok(Err(Exit::Failed));
    };
    let index = Index::of(&topology);
    let clusters = sides.iter().map(|side| side.clusters(&topology)).reduce(|a, b| a.or(&b));
    let mesh = match clusters {
        Some(clusters) => declared::mesh_with(&topology, &index, &clusters),
        None => declared::mesh(&topology, &index),
    };
    let services = service::declared(&topology, &mesh);
    let because = vec![Because::Said; mesh.clusters.len()];
    Ok(Ok(Loaded { sources, found, mesh, services, because }))
}
