//! What Go's YAML libraries make of plain scalars: the ground truth for `yaml`.
#![expect(clippy::disallowed_methods, reason = "the test runs Go's reader")]

use std::process::Command;

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
