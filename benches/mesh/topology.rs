//! A generated project, read and resolved.

use std::path::Path;

use landbridge::diagnostic::Diagnostics;
use landbridge::source::SourceMap;
use landbridge::spec::{Spec, load};
use landbridge::system::os::OsSystem;
use landbridge::topology::Topology;
use landbridge::topology::resolve::resolve;

/// Reads a project without findings.
pub(crate) fn read(folder: &Path) -> (Spec, SourceMap) {
    let system = OsSystem::open(folder).expect("the project opens");
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system, &mut sources, &mut found);
    assert!(found.is_empty(), "{:?}", found.iter().next());
    (spec, sources)
}

/// What it means.
pub(crate) fn topology_of(spec: &Spec) -> Topology {
    let mut found = Diagnostics::new();
    let topology = resolve(spec, &mut found);
    assert!(found.is_empty(), "{:?}", found.iter().next());
    topology.expect("a project without findings has a topology")
}
