//! What the tests of this phase start from.

use semver::Version;

use crate::diagnostic::Diagnostics;
use crate::policy::{Semantics, Settings};
use crate::source::SourceMap;
use crate::yaml::{self, Node};

/// The semantics of a version for cluster `use1`.
pub(super) fn semantics(version: &str, set: fn(&mut Settings)) -> Semantics {
    let mut settings = Settings::of("use1");
    set(&mut settings);
    let version = Version::parse(version).expect("a version");
    Semantics::new(version, settings).expect("a known minor")
}

/// One object, with its text.
pub(super) fn object(text: &str) -> (SourceMap, Node) {
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let id = sources.add("x.yaml", text);
    let mut documents = yaml::parse(&sources, id, &mut found);
    assert!(found.is_empty(), "{found:?}");
    (sources, documents.pop().expect("a document"))
}
