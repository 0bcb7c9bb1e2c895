//! The phases in their order, as every command runs them.

use super::resolved::Resolved;
use crate::compile::{self, Index};
use crate::diagnostic::Diagnostics;
use crate::render::{self, Files};
use crate::report::Report;
use crate::resource::Desired;
use crate::source::SourceMap;
use crate::system::System;
use crate::topology::{ClusterId, Topology};
use crate::validate::made_twice::MADE_TWICE;
use crate::{check, prove, validate};

/// A project that was read and checked.
pub(super) struct Checked {
    /// The texts of its files.
    pub(super) sources: SourceMap,
    /// What is wrong with it.
    pub(super) found: Diagnostics,
    /// What it means, with what concerns which cluster; nothing where it has errors.
    pub(super) meant: Option<Meant>,
    /// Whether the rendered files of every cluster were compared with what is meant.
    pub(super) compared: bool,
    /// Whether all was compiled and its policies were read: nothing else is wrong.
    proved: bool,
    /// Whether every rule was run over all that was written.
    whole: bool,
}

/// A folder below the output folder: a cluster's, or that of the GitOps tool that applies it.
#[derive(Clone, Copy)]
pub(super) struct Folder {
    /// The cluster.
    pub(super) cluster: ClusterId,
    /// Whether it is the tool's.
    pub(super) delivery: bool,
}

/// A topology that can be compiled.
pub(super) struct Meant {
    /// What it means.
    pub(super) topology: Topology,
    index: Index,
}

impl Checked {
    /// Reads and checks a project; problems of all phases are kept. The flows are not proved.
    pub(super) fn new(system: &dyn System) -> Self {
        let Resolved { sources, mut found, topology } = Resolved::new(system);
        let whole = topology.is_some() && !found.has_errors();
        found.accept_errors();
        if let Some(topology) = &topology {
            check::run(topology, &mut found);
            validate::run(topology, &sources, !found.has_errors(), &mut found);
        }
        let topology = topology.filter(|_| !found.has_errors());
        let meant = topology.map(|topology| Meant { index: Index::of(&topology), topology });
        Self { sources, found, meant, compared: false, proved: false, whole }
    }

    /// As [`Self::new`], and proves the flows where nothing else is wrong.
    pub(super) fn proved(system: &dyn System) -> Self {
        let mut checked = Self::new(system);
        if let Some(Meant { topology, index }) = &checked.meant {
            prove::run(topology, index, &mut checked.found);
            checked.proved = true;
        }
        checked.meant = checked.meant.filter(|_| !checked.found.has_errors());
        checked
    }

    /// The findings, sorted, also those about acceptances.
    pub(super) fn report(&mut self) -> Report<'_> {
        let mut found = std::mem::take(&mut self.found);
        let whole = self.whole && found.unchecked().is_empty();
        // The rules that are about something else than the files of the project.
        let elsewhere = |code: &str| match code.get(..3) {
            family if family == Some("LB4") || code == MADE_TWICE.code => !self.proved,
            Some("LB6") => !self.compared,
            Some("LB7" | "LB8") => true,
            _ => false,
        };
        found.judge_acceptances(&|code| whole && !elsewhere(code));
        Report::new(found, &self.sources)
    }
}

impl Meant {
    /// What should exist in a cluster. It is made anew each time, so that only the clusters that
    /// are being worked on take memory.
    pub(super) fn desired(&self, id: ClusterId) -> Desired {
        compile::cluster(&self.topology, &self.index, id)
    }

    /// The folders of clusters, and of the tool that applies them.
    pub(super) fn folders(&self, clusters: &[ClusterId]) -> Vec<Folder> {
        let tool = self.topology.gitops.is_some();
        let parts = |id: &ClusterId| {
            let folder = |delivery| Folder { cluster: *id, delivery };
            [Some(folder(false)), tool.then(|| folder(true))].into_iter().flatten()
        };
        clusters.iter().flat_map(parts).collect()
    }

    /// A folder's path below the output folder, and its files.
    ///
    /// # Errors
    /// What collides. Names are unique before anything is made of them, so that nothing should.
    pub(super) fn files(&self, folder: Folder) -> Result<(String, Files), Diagnostics> {
        let desired = if folder.delivery {
            compile::delivery(&self.topology, folder.cluster).unwrap_or_default()
        } else {
            self.desired(folder.cluster)
        };
        let files = render::files(&desired)?;
        Ok((desired.folder, files))
    }
}
