//! What Go's YAML libraries make of plain scalars: the ground truth for `yaml`.
#![expect(clippy::disallowed_methods, reason = "the test runs Go's reader")]

use std::collections::BTreeSet;
use std::process::Command;

use landbridge::yaml::scalar::{self, Resolved};
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
    let stream: String = texts.iter().map(|text| format!("- {text}\n")).collect();
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
