//! The table of the chart's keys against the charts, where those are at hand.
#![expect(clippy::disallowed_methods, reason = "the test runs the script that makes the table")]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use landbridge::chart::Chart;
use semver::Version;

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
