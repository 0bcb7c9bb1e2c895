//! What Go's YAML libraries make of plain scalars: the ground truth for `yaml`.
#![expect(clippy::disallowed_methods, reason = "the tests run Go's reader, on published files too")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use landbridge::diagnostic::Diagnostics;
use landbridge::source::SourceMap;
use landbridge::yaml::scalar::{self, Resolved};
use landbridge::yaml::{self, Node};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::tools::{named_by, run};

/// A plain scalar, and what kubectl, Helm, Argo CD and Flux read.
const SCALARS: &[(&str, &str)] = &[
    ("yes", "true"),
    ("on", "true"),
    ("y", "true"),
    ("no", "false"),
    ("0644", "420"),
    ("1_000", "1000"),
    ("0o644", "420"),
    ("0x1F", "31"),
    ("0b11", "3"),
    ("1e3", "1000"),
    ("~", "null"),
    ("12:30:45", "\"12:30:45\""),
    ("2024-01-01", "\"2024-01-01\""),
    ("1.0", "1"),
    ("18446744073709551615", "18446744073709551615"),
    ("1e1000", "\"1e1000\""),
];

#[test]
fn go_reads_scalars_as_the_table_says() {
    let Some(goyaml) = named_by("LANDBRIDGE_GOYAML") else { return };
    for (text, json) in SCALARS {
        let output = run(&mut Command::new(&goyaml), format!("value: {text}\n").as_bytes());
        let read = String::from_utf8_lossy(&output.stdout);
        assert_eq!(read, format!("{{\"value\":{json}}}\n"), "`{text}`");
    }
}

#[test]
fn go_rejects_what_json_cannot_say() {
    let Some(goyaml) = named_by("LANDBRIDGE_GOYAML") else { return };
    let output = run(&mut Command::new(&goyaml), b"value: 1\n---\nvalue: .inf\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"{\"value\":1}\n");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("document 2: "));
}

#[test]
fn two_equal_keys_are_read_differently_by_tool() {
    let Some(goyaml) = named_by("LANDBRIDGE_GOYAML") else { return };
    let text = b"key: 1\nkey: 2\n";
    let last = run(&mut Command::new(&goyaml), text);
    assert_eq!(last.stdout, b"{\"key\":2}\n");
    let strict = run(Command::new(&goyaml).arg("-strict"), text);
    assert_eq!(strict.status.code(), Some(1));
}

#[test]
fn random_scalars_are_read_as_go_reads_them() {
    let Some(goyaml) = named_by("LANDBRIDGE_GOYAML") else { return };
    // Numbers in all their writings, words of YAML 1.1, times, and what looks like one of them.
    let pattern = "[+-]?(0[xXbBoO]?)?[0-9_]{0,20}([.eE:-][+-]?[0-9_]{0,5}){0,2}\
                   |[0-9a-fxoXO_.+eE~-]{1,6}\
                   |[+-]?\\.?(y|yes|no|on|off|true|false|null|nan|inf|NaN|Inf|INF|Yes|NO|On|N|Null|tRUE|~)";
    let strategy = proptest::string::string_regex(pattern).expect("the pattern is valid");
    let mut runner = TestRunner::deterministic();
    let texts: BTreeSet<String> = (0..50_000)
        .map(|_| strategy.new_tree(&mut runner).expect("the pattern gives texts").current())
        .filter(|text| is_one_plain_scalar(text))
        .filter(|text| !matches!(scalar::go(text), Resolved::Float(number) if !number.is_finite()))
        .collect();
    let stream = texts.iter().fold(String::new(), |stream, text| stream + "- " + text + "\n");
    let output = run(&mut Command::new(&goyaml), stream.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Vec<Value> = serde_json::from_slice(&output.stdout).expect("Go writes JSON");
    assert_eq!(read.len(), texts.len());
    let wrong: Vec<String> = texts
        .iter()
        .zip(&read)
        .filter(|(text, value)| !agrees(text, value))
        .map(|(text, value)| format!("`{text}`: Go {value}, here {:?}", scalar::go(text)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), texts.len(), wrong.join("\n"));
}

/// Whether `- text` is a list of one plain scalar.
fn is_one_plain_scalar(text: &str) -> bool {
    !text.is_empty() && !text.ends_with(':') && !text.starts_with(':') && text != "-"
}

fn agrees(text: &str, value: &Value) -> bool {
    match scalar::go(text) {
        Resolved::Null => value.is_null(),
        Resolved::Bool(truth) => value.as_bool() == Some(truth),
        Resolved::Integer(number) => {
            value.as_i64().map(i128::from).or(value.as_u64().map(i128::from)) == Some(number)
        }
        Resolved::Float(number) => value.as_f64() == Some(number),
        Resolved::Text => value.as_str() == Some(text),
    }
}

#[test]
fn published_files_are_read_as_go_reads_them() {
    let Some(goyaml) = named_by("LANDBRIDGE_GOYAML") else { return };
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let Some(files) = published(&data) else { return };
    for file in files {
        let text = fs::read_to_string(&file).expect("a published file is UTF-8");
        let output = run(&mut Command::new(&goyaml), text.as_bytes());
        assert!(output.status.success(), "{}", file.display());
        let go: Vec<Value> = serde_json::Deserializer::from_slice(&output.stdout)
            .into_iter()
            .map(|document| document.expect("Go writes JSON"))
            .filter(|document: &Value| !document.is_null())
            .collect();
        let mut sources = SourceMap::new();
        let id = sources.add(file.display().to_string(), text);
        let mut found = Diagnostics::new();
        let documents = yaml::parse(&sources, id, &mut found);
        assert!(found.is_empty(), "{}: {found:?}", file.display());
        assert_eq!(documents.len(), go.len(), "{}", file.display());
        for (ours, theirs) in documents.iter().zip(&go) {
            let mut wrong = Vec::new();
            differences("", ours, theirs, &mut wrong);
            assert!(wrong.is_empty(), "{}:\n{}", file.display(), wrong.join("\n"));
        }
    }
}

/// The CRDs and chart values that others publish, where they are at hand.
fn published(data: &Path) -> Option<Vec<PathBuf>> {
    let mut folders = vec![data.join("crds"), data.join("cilium")];
    if !folders.iter().all(|folder| folder.is_dir()) {
        let absent = "skipped: ../shared/data has no published CRDs and chart values";
        writeln!(io::stderr(), "{absent}").expect("standard error takes a line");
        return None;
    }
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is readable") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "../shared/data has no YAML");
    Some(files)
}

/// Where a tree and what Go read differ.
fn differences(path: &str, ours: &Node, theirs: &Value, wrong: &mut Vec<String>) {
    match (&ours.value, theirs) {
        (yaml::Value::Mapping(entries), Value::Object(object)) => {
            let keys = |key: &str| entries.iter().any(|entry| &*entry.key == key);
            wrong.extend(object.keys().filter(|key| !keys(key)).map(|key| format!("{path}/{key}")));
            for entry in entries {
                let path = format!("{path}/{}", entry.key);
                match object.get(&*entry.key) {
                    Some(value) => differences(&path, &entry.value, value, wrong),
                    None => wrong.push(path),
                }
            }
        }
        (yaml::Value::Sequence(items), Value::Array(values)) if items.len() == values.len() => {
            for (at, (item, value)) in items.iter().zip(values).enumerate() {
                differences(&format!("{path}/{at}"), item, value, wrong);
            }
        }
        (yaml::Value::Scalar(scalar), _) if scalar.plain && agrees(&scalar.text, theirs) => {}
        (yaml::Value::Scalar(scalar), Value::String(text))
            if !scalar.plain && *scalar.text == **text => {}
        _ => wrong.push(format!("{path}: Go {theirs}, here {:?}", ours.value)),
    }
}
