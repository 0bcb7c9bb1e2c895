//! Any bytes as a project: reading them ends without a panic, and every place that is reported
//! lies in the source.
#![no_main]

use landbridge::diagnostic::Diagnostics;
use landbridge::source::{SourceMap, Span};
use landbridge::yaml::{self, Node, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut sources = SourceMap::new();
    let id = sources.add("landbridge.yaml", text);
    let mut found = Diagnostics::new();
    for document in yaml::parse(&sources, id, &mut found) {
        visit(&document, text);
    }
});

fn visit(node: &Node, text: &str) {
    place(node.span, text);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter().for_each(|item| visit(item, text)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| {
            place(entry.key_span, text);
            visit(&entry.value, text);
        }),
    }
}

fn place(span: Span, text: &str) {
    assert!(text.get(span.range()).is_some(), "{:?} is no range of the text", span.range());
}
