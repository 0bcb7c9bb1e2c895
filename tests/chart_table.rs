//! The table of the chart's keys against the charts, where those are at hand.
#![expect(clippy::disallowed_methods, reason = "the test runs the script that makes the table")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use landbridge::chart::Chart;
use landbridge::diagnostic::Diagnostics;
use landbridge::source::SourceMap;
use landbridge::yaml::{self, json::json};
use semver::Version;
use serde_json::Value;

/// The folder with the charts' files and what runs the script; says why where one is absent.
fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cilium");
    let python = Command::new("python3").arg("--version").output();
    let why = match (data.join("keys.tsv").is_file(), python) {
        (false, _) => "there is no ../shared/data/cilium",
        (true, Err(_)) => "there is no python3",
        (true, Ok(_)) => return Some(data),
    };
    writeln!(io::stderr(), "skipped: {why}").expect("standard error takes a line");
    None
}

fn script(arguments: &[&str], data: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/chart-table");
    let output = Command::new("python3").arg(script).args(arguments).arg(data).output();
    let output = output.expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the table is text")
}

#[test]
fn the_table_is_what_the_script_makes() {
    let Some(data) = data() else { return };
    let committed = include_str!("../schemas/cilium/keys.tsv");
    let made = script(&[], &data);
    let differs = committed.lines().zip(made.lines()).find(|(ours, theirs)| ours != theirs);
    assert_eq!(differs, None, "run `scripts/chart-table --write`");
    assert_eq!(committed.len(), made.len(), "run `scripts/chart-table --write`");
}

#[test]
fn every_key_of_values_yaml_is_known() {
    let Some(data) = data() else { return };
    for (major, minor) in Chart::MINORS {
        let minor = format!("{major}.{minor}");
        let version = fs::read_to_string(data.join(&minor).join("VERSION")).expect("a version");
        let version = Version::parse(version.trim()).expect("a version");
        let chart = Chart::of(&version).expect("a chart of the table");
        assert_eq!(chart.known_as(), version);
        let leaves = script(&["--leaves", &minor], &data);
        assert!(leaves.lines().count() > 900, "only {} keys", leaves.lines().count());
        let unknown: Vec<_> = leaves.lines().filter(|key| !chart.has(key)).collect();
        assert_eq!(unknown, Vec::<&str>::new(), "in {version}");
    }
}

/// The defaults of a minor's newest chart by their keys, but those of images.
fn defaults(data: &Path, minor: &str) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(data.join(minor).join("values.yaml")).expect("values");
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let id = sources.add("values.yaml", text);
    let documents = yaml::parse(&sources, id, &mut found);
    assert!(found.is_empty(), "{found:?}");
    let mut leaves = BTreeMap::new();
    collect(&json(&documents[0]), &mut Vec::new(), &mut leaves);
    leaves
}

fn collect(value: &Value, path: &mut Vec<String>, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, below) in map {
                path.push(name.replace('.', "\\."));
                collect(below, path, into);
                path.pop();
            }
        }
        _ => {
            let of_image = |name: &String| {
                name.to_lowercase().ends_with("image") || name == "digest" || name == "tag"
            };
            if !path.iter().any(of_image) {
                into.insert(path.join("."), value.clone());
            }
        }
    }
}

#[test]
fn every_default_that_changed_is_known() {
    let Some(data) = data() else { return };
    for pair in Chart::MINORS.windows(2) {
        let [old, new] = pair else { unreachable!("pairs") };
        let of = |(major, minor): (u64, u64)| defaults(&data, &format!("{major}.{minor}"));
        let (before, after) = (of(*old), of(*new));
        let changed = after.iter().filter_map(|(key, value)| {
            let known = before.get(key)?;
            (known != value).then(|| (key.clone(), known.clone(), value.clone()))
        });
        let changed: Vec<_> = changed.collect();
        let chart = |minor: (u64, u64)| Chart::of(&Version::new(minor.0, minor.1, 0));
        let (old, new) = (chart(*old).expect("a chart"), chart(*new).expect("a chart"));
        let known: Vec<_> = old
            .changed_defaults(&new)
            .map(|one| (one.key.to_owned(), one.before.clone(), one.after.clone()))
            .collect();
        assert_eq!(known, changed, "from {} to {}", old.version(), new.version());
    }
}
