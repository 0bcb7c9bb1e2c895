//! The phases in their order, as every command runs them.

use crate::diagnostic::Diagnostics;
use crate::report::Report;
use crate::source::SourceMap;
use crate::system::System;
use crate::topology::Topology;
use crate::{check, spec, topology};

/// A project that was read and checked.
pub(super) struct Checked {
    /// The texts of its files.
    pub(super) sources: SourceMap,
    /// What is wrong with it.
    pub(super) found: Diagnostics,
    /// What it means; nothing where that could not be made out.
    pub(super) topology: Option<Topology>,
}

impl Checked {
    /// Reads and checks a project; problems of all phases are kept.
    pub(super) fn new(system: &dyn System) -> Self {
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let spec = spec::load::project(system, &mut sources, &mut found);
        let topology = topology::resolve::resolve(&spec, &mut found);
        if let Some(topology) = &topology {
            check::run(topology, &mut found);
        }
        Self { sources, found, topology }
    }

    /// The findings, sorted.
    pub(super) fn report(&mut self) -> Report<'_> {
        Report::new(std::mem::take(&mut self.found), &self.sources)
    }
}
