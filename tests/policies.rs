//! `docs/policies.md` has every variable and function that an expression may use.

use std::collections::BTreeSet;

use landbridge::compile::{self, Index};
use landbridge::diagnostic::Diagnostics;
use landbridge::expression::FUNCTIONS;
use landbridge::source::SourceMap;
use landbridge::spec::load;
use landbridge::system::os::OsSystem;
use landbridge::topology::resolve::resolve;
use landbridge::validate;
use landbridge::validate::made_twice::MADE;
use serde_json::Value;

use crate::golden;

#[expect(clippy::disallowed_methods, reason = "the test reads the page")]
fn page() -> String {
    std::fs::read_to_string(golden::path("docs/policies.md")).expect("the page is there")
}

#[test]
fn the_page_has_every_function() {
    let page = page();
    for function in FUNCTIONS {
        let row = format!("| `{}` | {} |", function.signature, function.summary);
        assert!(page.contains(&row), "docs/policies.md lacks the row\n{row}");
    }
}

#[test]
fn compile_makes_no_object_that_policies_leave_out() {
    let mut objects = 0;
    crate::tree::each_file("fixtures/compile", &mut |path, text| {
        if !path.contains("/out/") {
            return;
        }
        for kind in text.lines().filter_map(|line| line.strip_prefix("kind: ")) {
            assert!(!validate::NEVER_MADE.contains(&kind), "{path}: NEVER_MADE has `{kind}`");
            objects += 1;
        }
    });
    assert!(objects > 100, "the fixtures show {objects} objects only");
}

#[test]
fn every_kind_that_compile_makes_may_be_made_twice() {
    let mut kinds = BTreeSet::new();
    for project in crate::projects::all() {
        let Some(topology) = crate::projects::read(&project) else { continue };
        let index = Index::of(&topology);
        for (id, _) in topology.clusters() {
            for made in compile::cluster(&topology, &index, id).resources {
                let group = made.api_version().split_once('/').map_or("", |(group, _)| group);
                let kind = (group, made.kind());
                assert!(MADE.contains(&kind), "MADE has no {kind:?}");
                kinds.insert((group.to_owned(), made.kind().to_owned()));
            }
        }
    }
    assert!(kinds.len() > 15, "the projects have {kinds:?} only");
}

/// The keys of mappings whose keys are not the user's own.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                found.insert(key.clone());
                if !["labels", "annotations", "components", "namespaceLabels"].contains(&&**key) {
                    keys(value, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn the_page_has_every_key() {
    let mut found = BTreeSet::new();
    for folder in ["examples/000-kubeadm-ec2", "examples/003-talos-wireguard", "fixtures/spec"] {
        for project in projects(folder) {
            let system = OsSystem::open(&project).expect("a folder");
            let (mut sources, mut problems) = (SourceMap::new(), Diagnostics::new());
            let spec = load::project(&system, &mut sources, &mut problems);
            if let Some(topology) = resolve(&spec, &mut problems) {
                keys(&validate::view(&topology), &mut found);
            }
        }
    }
    assert!(found.len() > 80, "the projects show {} keys only", found.len());
    let page = page();
    let missing: Vec<_> = found.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/policies.md lacks {missing:?}");
}

/// A folder that is a project, or the projects in it.
#[expect(clippy::disallowed_methods, reason = "the test looks for projects")]
fn projects(folder: &str) -> Vec<std::path::PathBuf> {
    let folder = golden::path(folder);
    if folder.join(load::ENTRY).exists() {
        return vec![folder];
    }
    let entries = std::fs::read_dir(folder).expect("a folder");
    let folders = entries.map(|entry| entry.expect("an entry").path());
    folders.filter(|folder| folder.join(load::ENTRY).exists()).collect()
}
