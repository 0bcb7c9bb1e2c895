//! The projects of the source tree that compile without a finding.
#![expect(clippy::disallowed_methods, reason = "the tests read projects of the source tree")]

use std::fs;
use std::path::{Path, PathBuf};

use landbridge::diagnostic::{Diagnostics, Severity};
use landbridge::source::SourceMap;
use landbridge::spec::load;
use landbridge::system::os::OsSystem;
use landbridge::topology::Topology;
use landbridge::topology::resolve::resolve;

use crate::golden;

/// Every example, and the input of every fixture of compile.
pub(crate) fn all() -> Vec<PathBuf> {
    let fixtures = folders("fixtures/compile").into_iter().map(|case| case.join("in"));
    let mut projects: Vec<_> = examples().into_iter().chain(fixtures).collect();
    projects.retain(|project| project.join(load::ENTRY).is_file());
    projects.sort();
    projects
}

/// Every example.
pub(crate) fn examples() -> Vec<PathBuf> {
    let mut examples = folders("examples");
    examples.sort();
    examples
}

fn folders(path: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(golden::path(path)) else { return Vec::new() };
    let folders = entries.map(|entry| entry.expect("the folder is readable").path());
    folders.filter(|path| path.is_dir()).collect()
}

/// Reads a project, which must have no error.
pub(crate) fn read(project: &Path) -> Option<Topology> {
    let system = OsSystem::open(project).expect("the project is a folder");
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system, &mut sources, &mut found);
    let topology = resolve(&spec, &mut found);
    let errors: Vec<String> = found
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| format!("{} {}", sources.location(finding.primary.span), finding.message))
        .collect();
    assert!(errors.is_empty(), "{}:\n{}", project.display(), errors.join("\n"));
    topology
}
