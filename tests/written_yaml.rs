//! What other readers make of the YAML that `render` writes.
#![expect(clippy::disallowed_methods, reason = "the test runs other readers")]

use std::fmt::Write as _;
use std::process::Command;

use landbridge::render::yaml;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::tools::{named_by, run};

/// Reads a stream with `PyYAML`, one line of JSON a document; times and the like are no JSON, and
/// would end it.
const PYTHON: &str = "\
import json, sys, yaml
for document in yaml.safe_load_all(sys.stdin.buffer):
    print(json.dumps(document))
";

/// Text that a reader could take for something else, or that is hard to write.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-+]?[0-9][0-9._,:xobeETtZ+-]{0,12}",
        "[+-]?(0[xob])?[0-9a-f_]{1,6}",
        "[0-9]{1,3}(:[0-9]{1,2}){1,2}(\\.[0-9_]*)?",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([tT ][0-9:.+ Z-]{1,12})?",
        "[-?:,\\[\\]{}#&*!|>'\"%@`=<~ \t\n\r\\\\a1]{0,8}",
        "([ \t]{0,2}[a-b:# -]{0,3}\n){0,4}[a-b ]{0,2}",
        "(?i)(null|true|false|yes|no|on|off|y|n|~|[-+]?\\.inf|\\.nan|<<|=|---|\\.\\.\\.)",
        "[\u{85}\u{a0}\u{2028}\u{2029}\u{feff}\u{7f}\u{202e}\u{fffe}\u{1f600}é]{1,3}",
    ]
}

/// Documents with such text as keys, items and values, at several depths.
fn documents() -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    let mut next = || text().new_tree(&mut runner).expect("a text").current();
    let mut documents = Vec::new();
    for _ in 0..400 {
        let mut map = Map::new();
        for _ in 0..5 {
            let inner = json!({ next(): next() });
            map.insert(next(), json!([next(), [next()], inner, {next(): [next()], next(): {}}]));
            map.insert(next(), json!(next()));
        }
        documents.push(Value::Object(map));
    }
    documents.push(json!([0, -1, i64::MIN, i64::MAX, 9_007_199_254_740_993_u64, true, null]));
    documents.push(json!({ "x".repeat(2_000): { "y".repeat(2_000): ["z", {"a": "b"}] } }));
    documents
}

fn stream(documents: &[Value]) -> String {
    let mut out = String::new();
    for (at, document) in documents.iter().enumerate() {
        if at > 0 {
            yaml::separator(&mut out);
        }
        yaml::comment(&mut out, "one of many");
        yaml::document(&mut out, document);
    }
    out
}

fn assert_read(read: &[u8], documents: &[Value]) {
    let text = String::from_utf8_lossy(read);
    let lines: Vec<_> = text.lines().collect();
    let mut wrong = String::new();
    for (line, document) in lines.iter().zip(documents) {
        let read: Value = serde_json::from_str(line).expect("a line of JSON");
        if read != *document {
            let _ = writeln!(wrong, "meant {document}\n read {read}");
        }
    }
    assert_eq!(wrong, "");
    assert_eq!(lines.len(), documents.len());
}

#[test]
fn go_reads_what_was_meant() {
    let Some(goyaml) = named_by("LANDBRIDGE_GOYAML") else { return };
    let documents = documents();
    let output = run(Command::new(goyaml).arg("-strict"), stream(&documents).as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_read(&output.stdout, &documents);
}

#[test]
fn go_reads_the_same_floating_point_numbers() {
    let Some(goyaml) = named_by("LANDBRIDGE_GOYAML") else { return };
    let numbers = [0.1, 1.0, -0.5, 1e16, 1e300, 5e-324, 1.797e308, 1e-7, 123_456_789.125];
    let output = run(&mut Command::new(goyaml), stream(&[json!(numbers)]).as_bytes());
    let read: Vec<f64> = serde_json::from_slice(&output.stdout).expect("a list of numbers");
    assert_eq!(read, numbers);
}

#[test]
fn pyyaml_reads_what_was_meant() {
    let Some(folder) = named_by("LANDBRIDGE_PYYAML") else { return };
    let documents = documents();
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", folder).args(["-c", PYTHON]);
    let output = run(&mut python, stream(&documents).as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_read(&output.stdout, &documents);
}
