//! The first phases: what every command reads.

use crate::diagnostic::{Diagnostics, Rule};
use crate::report::rules::{policies, rules};
use crate::source::SourceMap;
use crate::system::System;
use crate::topology::Topology;
use crate::validate::policy;
use crate::{spec, topology};

/// A project that was read and resolved, with whatever is wrong with it.
pub(super) struct Resolved {
    /// The texts of its files.
    pub(super) sources: SourceMap,
    /// What is wrong with its shape and its names.
    pub(super) found: Diagnostics,
    /// What could be resolved; nothing where there is no topology to speak of.
    pub(super) topology: Option<Topology>,
}

impl Resolved {
    /// Reads and resolves a project; no rule is run over it.
    pub(super) fn new(system: &dyn System) -> Self {
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let spec = spec::load::project(system, &mut sources, &mut found);
        let today = system.today();
        let own = policy::own(&spec);
        // Where two rules share a name, that of the code counts.
        let known = own.iter().map(|policy| &*policy.rule).chain(policies()).chain(rules());
        let known: Vec<&Rule> = known.collect();
        let allowed = spec::allow::read(&spec, &sources, &known, today, &mut found);
        found.accept(allowed);
        let topology = topology::resolve::resolve(&spec, &mut found);
        Self { sources, found, topology }
    }
}
