//! What `landbridge cidr suggest` prints fits the project for which it was asked.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use landbridge::check;
use landbridge::diagnostic::Diagnostics;
use landbridge::source::SourceMap;
use landbridge::spec::load;
use landbridge::topology::Cluster;
use landbridge::topology::resolve::resolve;

use super::project::system;
use super::{accepted, for_each_project, listing};

/// Runs it on a project, if there is room for what it looks for.
#[expect(clippy::disallowed_methods, reason = "the test runs the program")]
fn suggestion(files: &BTreeMap<String, String>) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
        fs::write(path, text).expect("the file can be written");
    }
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landbridge"));
        command.arg("-C").arg(folder.path()).args(["cidr", "suggest"]).output().expect("it starts")
    };
    let (first, again) = (run(), run());
    assert_eq!(first, again, "a second run differs");
    let text = String::from_utf8_lossy(&first.stderr);
    if first.status.success() {
        return Some(String::from_utf8(first.stdout).expect("the suggestion is UTF-8"));
    }
    assert!(text.contains(" is free in "), "{text}{}", listing(files));
    None
}

/// What the rules about addresses find.
fn of_addresses(files: &BTreeMap<String, String>) -> Vec<String> {
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system(files), &mut sources, &mut found);
    let topology = resolve(&spec, &mut found).expect("there is a topology");
    check::run(&topology, &mut found);
    let found = found.iter().filter(|finding| finding.rule.code.starts_with("LB1"));
    found.map(|finding| format!("{} {}", finding.rule.code, finding.message)).collect()
}

#[test]
fn suggested_ranges_have_no_findings() {
    let tried = std::cell::Cell::new(0);
    for_each_project(|project, dice| {
        let mut files = project.whole();
        let (topology, _) = accepted(&files);
        if !dice.chance(30) || !topology.clusters.iter().any(Cluster::has_v4) {
            return;
        }
        let Some(suggested) = suggestion(&files) else { return };
        let place = &topology.clusters[0];
        let (region, network) =
            (&topology.region_of(place).name.value, &topology.networks[place.network.index()]);
        let keys = suggested.lines().collect::<Vec<_>>().join("\n  ");
        let document = format!(
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: suggested}}\n\
             spec:\n  region: {region}\n  network: {}\n  mesh: false\n  id: 1\n  {keys}\n",
            network.name.value
        );
        let entry = files.get_mut("landbridge.yaml").expect("every project has it");
        entry.push_str(&document);
        let found = of_addresses(&files);
        assert!(found.is_empty(), "{found:#?}\n{}", listing(&files));
        tried.set(tried.get() + 1);
    });
    assert!(tried.get() > 0, "no project was tried");
}
