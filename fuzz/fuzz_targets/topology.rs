//! Any bytes as a project: it is read, resolved and checked without a panic, every place that is
//! reported lies in its source, and what cannot be used is never without a finding.
//!
//! The bytes are `landbridge.yaml`, and after each line `#file: PATH` another file.
#![no_main]

use landbridge::check;
use landbridge::diagnostic::Diagnostics;
use landbridge::source::{SourceMap, Span};
use landbridge::spec::load;
use landbridge::system::memory::MemorySystem;
use landbridge::topology::resolve::resolve;
use libfuzzer_sys::fuzz_target;

const SEPARATOR: &[u8] = b"\n#file: ";

fuzz_target!(|bytes: &[u8]| {
    let system = unpack(bytes);
    let mut sources = SourceMap::new();
    let mut found = Diagnostics::new();
    let spec = load::project(&system, &mut sources, &mut found);
    match resolve(&spec, &mut found) {
        Some(topology) => check::run(&topology, &mut found),
        None => assert!(found.has_errors(), "no topology, and no finding says so"),
    }
    places(&sources, &found);
});

/// The project that the bytes describe.
fn unpack(mut bytes: &[u8]) -> MemorySystem {
    let mut system = MemorySystem::new();
    let mut path = load::ENTRY.to_owned();
    loop {
        let end = bytes.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        system = system.with(path, &bytes[..end.unwrap_or(bytes.len())]);
        let Some(end) = end else { return system };
        let rest = &bytes[end + SEPARATOR.len()..];
        let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        path = String::from_utf8_lossy(&rest[..line]).into_owned();
        // The line's end stays: it may begin the next separator.
        bytes = &rest[line..];
    }
}

/// Every place of every finding lies in its source, so that a report can show it.
fn places(sources: &SourceMap, found: &Diagnostics) {
    let place = |span: Span| {
        let text = sources.get(span.source).text();
        let range = span.range();
        assert!(text.get(range.clone()).is_some(), "{range:?} is no range of the text");
    };
    for diagnostic in found.iter() {
        place(diagnostic.primary.span);
        diagnostic.related.iter().for_each(|label| place(label.span));
    }
}
