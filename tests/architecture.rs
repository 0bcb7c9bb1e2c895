//! Holds the shape of `src/`: the order of the layers, the length of files, and their names.
//!
//! `docs/architecture.md` says why. A failure names the file, the line and what to do.
#![expect(clippy::disallowed_methods, reason = "the test reads the source tree itself")]

mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// Every top-level module, bottom to top: a module uses its own layer and those before it.
const LAYERS: &[&str] = &[
    "system",
    "source",
    "diagnostic",
    "yaml",
    "manifest",
    "chart",
    "expression",
    "spec",
    "topology",
    "address",
    "version",
    "check",
    "resource",
    "compile",
    "validate",
    "policy",
    "reach",
    "prove",
    "upgrade",
    "render",
    "observe",
    "drift",
    "report",
    "cli",
];

/// The files above all layers: they may use every one.
const ROOTS: &[&str] = &["lib.rs", "main.rs"];

/// Most lines that a file may have without its tests, by the folder it stands in.
const BUDGETS: &[(&str, usize)] =
    &[("check/", 200), ("compile/", 200), ("cli/", 120), ("report/", 300), ("", 500)];

/// Files that may be longer, each with its own bound and the reason.
const LONG_FILES: &[(&str, usize, &str)] = &[];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"];

/// The layer of a file (`check/overlapping_cidr.rs` is in `check`), or nothing for the roots.
fn layer_of(path: &str) -> Option<&str> {
    if ROOTS.contains(&path) {
        return None;
    }
    path.split('/').next().map(|first| first.trim_end_matches(".rs"))
}

/// What is wrong with the uses of one file, one sentence each.
fn upward_uses(path: &str, source: &Source, macros: &[(String, String)]) -> Vec<String> {
    let Some(own) = layer_of(path) else { return Vec::new() };
    let rank = |layer: &str| LAYERS.iter().position(|known| *known == layer);
    let Some(height) = rank(own) else {
        return vec![format!("src/{path}: `{own}` is not in LAYERS of tests/architecture.rs")];
    };
    let mut wrong = Vec::new();
    for used in &source.uses {
        let exported = macros.iter().find(|(name, _)| *name == used.name);
        let target = exported.map_or(used.name.as_str(), |(_, layer)| layer.as_str());
        let place = format!("src/{path}:{}", used.line);
        match rank(target) {
            None => wrong.push(format!(
                "{place}: `crate::{target}` is not a layer; name the module that it stands in"
            )),
            Some(other) if other > height => wrong.push(format!(
                "{place}: `{own}` uses `{target}`, which stands above it; move what is shared down"
            )),
            Some(_) => {}
        }
    }
    wrong
}

/// The most lines that the file may have.
fn budget_of(path: &str) -> usize {
    if let Some((_, lines, _)) = LONG_FILES.iter().find(|(file, ..)| *file == path) {
        return *lines;
    }
    BUDGETS.iter().find(|(folder, _)| path.starts_with(folder)).map_or(500, |(_, lines)| *lines)
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file below `folder`, as paths relative to `src/` with `/`, sorted.
fn files_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            let relative = path.strip_prefix(src()).expect("the file is below src");
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            found.insert(parts.join("/"));
        }
    }
}

/// Every Rust file of `src/` that is part of the product, read; files that exist for tests only are
/// left out.
fn sources() -> Vec<(String, Source)> {
    let mut paths = BTreeSet::new();
    files_below(&src(), &mut paths);
    let mut sources: Vec<(String, Source)> = paths
        .into_iter()
        .filter(|path| has_extension(path))
        .map(|path| {
            let text = fs::read_to_string(src().join(&path)).expect("a source file is UTF-8");
            let source = Source::read(&path, &text)
                .unwrap_or_else(|error| panic!("src/{path} does not lex: {error}"));
            (path, source)
        })
        .collect();
    let tests: BTreeSet<String> =
        sources.iter().flat_map(|(_, source)| source.test_modules.iter().cloned()).collect();
    sources.retain(|(path, source)| {
        let module = path.trim_end_matches(".rs");
        let inside_tests =
            |test: &String| module == test || module.starts_with(&format!("{test}/"));
        !source.tests_only && !tests.iter().any(inside_tests)
    });
    sources
}

fn has_extension(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Names of exported macros with the layer that declares them: they are used as `crate::name`.
fn exported_macros(sources: &[(String, Source)]) -> Vec<(String, String)> {
    let named = |(path, source): &(String, Source)| -> Vec<(String, String)> {
        let Some(layer) = layer_of(path) else { return Vec::new() };
        source.macros.iter().map(|name| (name.clone(), layer.to_owned())).collect()
    };
    sources.iter().flat_map(named).collect()
}

fn assert_none(wrong: &[String], what: &str) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

#[test]
fn layers_use_only_what_stands_below_them() {
    let sources = sources();
    assert!(!sources.is_empty(), "no source file was found");
    let macros = exported_macros(&sources);
    let wrong: Vec<String> =
        sources.iter().flat_map(|(path, source)| upward_uses(path, source, &macros)).collect();
    assert_none(&wrong, "uses against the order of the layers");
}

#[test]
fn files_keep_to_their_length() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (path, source) in &sources {
        let (lines, most) = (source.lines_without_tests, budget_of(path));
        if lines > most {
            wrong.push(format!(
                "src/{path}: {lines} lines without tests, at most {most}; split it by meaning"
            ));
        }
    }
    for (file, ..) in LONG_FILES {
        if !sources.iter().any(|(path, _)| path == file) {
            wrong.push(format!("src/{file}: listed in LONG_FILES, and does not exist"));
        }
    }
    assert_none(&wrong, "files over their budget");
}

#[test]
fn names_say_what_is_inside() {
    let mut paths = BTreeSet::new();
    files_below(&src(), &mut paths);
    let mut wrong = Vec::new();
    for path in &paths {
        if path.rsplit('/').next() == Some("mod.rs") {
            wrong.push(format!("src/{path}: write `x.rs` beside `x/`, not `x/mod.rs`"));
        }
        for part in path.split('/').map(|part| part.trim_end_matches(".rs")) {
            if EMPTY_NAMES.contains(&part) {
                wrong.push(format!(
                    "src/{path}: `{part}` names a technique; name the thing or the phase"
                ));
            }
        }
    }
    assert_none(&wrong, "names");
}

/// What the layer test says about `text` as the file `path`.
fn judge(path: &str, text: &str) -> Vec<String> {
    let source = Source::read(path, text).expect("the sample lexes");
    let macros = vec![("declare_rule".to_owned(), "diagnostic".to_owned())];
    upward_uses(path, &source, &macros)
}

#[test]
fn an_upward_use_is_found_in_every_form() {
    let upward = [
        ("spec/load.rs", "use crate::topology::Topology;"),
        ("spec/load.rs", "use crate::{yaml::{self, Node}, topology::Topology};"),
        ("spec/load.rs", "fn f() { let x = crate::topology::resolve(); }"),
        ("spec/load.rs", "macro_rules! m { () => { $crate::topology::resolve() } }"),
        ("spec/load.rs", "use super::super::topology::Topology;"),
        ("spec.rs", "use super::topology::Topology;"),
        ("spec.rs", "mod inner { use super::super::topology::Topology; }"),
        ("spec.rs", "pub(in crate::topology) fn f() {}"),
        ("spec.rs", "pub use crate::r#topology as meaning;"),
        ("system.rs", "crate::declare_rule! {}"),
        ("spec.rs", "#[cfg(not(test))] use crate::topology::Topology;"),
    ];
    for (path, text) in upward {
        let wrong = judge(path, text);
        assert_eq!(wrong.len(), 1, "{path}: {text}: {wrong:?}");
        assert!(wrong[0].starts_with(&format!("src/{path}:1: ")), "{wrong:?}");
        assert!(wrong[0].contains("stands above it"), "{wrong:?}");
    }
}

#[test]
fn an_allowed_use_is_not_reported() {
    let allowed = [
        ("topology.rs", "use crate::{spec::{self, Spec}, yaml};"),
        ("topology/resolve.rs", "use super::Topology; use crate::topology::id::ClusterId;"),
        ("spec.rs", "mod inner { use super::Spec; }"),
        ("spec.rs", "//! Resolved by [`crate::topology`].\nconst TEXT: &str = \"crate::cli\";"),
        (
            "spec.rs",
            "#[cfg(test)]\nmod tests { use crate::cli; fn f() { crate::report::write(); } }",
        ),
        ("spec.rs", "#[cfg(test)] #[expect(unused)] use crate::{cli, report};"),
        ("spec.rs", "struct S { #[cfg(test)] seen: crate::cli::Cli, }"),
        ("spec.rs", "pub(crate) fn f() {}"),
        ("yaml.rs", "crate::declare_rule! {}"),
        ("yaml.rs", "use crate::declare_rule;"),
        ("lib.rs", "pub use crate::cli::run;"),
    ];
    for (path, text) in allowed {
        assert_eq!(judge(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn a_use_of_the_crate_root_is_reported() {
    for text in ["use crate::*;", "use crate::VERSION;", "use crate::{self as all};"] {
        let wrong = judge("spec.rs", text);
        assert_eq!(wrong.len(), 1, "{text}: {wrong:?}");
        assert!(wrong[0].contains("is not a layer"), "{wrong:?}");
    }
    assert!(judge("helper.rs", "")[0].contains("is not in LAYERS"));
}

#[test]
fn lines_of_tests_are_not_counted() {
    let text = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn g() {}\n}\nfn h() {}\n";
    let source = Source::read("spec.rs", text).expect("the sample lexes");
    assert_eq!(source.lines_without_tests, 3);
    let source = Source::read("spec.rs", "#[cfg(test)]\nmod tests;\n").expect("the sample lexes");
    assert_eq!(source.test_modules, ["spec/tests"]);
    let source =
        Source::read("a/tests.rs", "#![cfg(test)]\nfn f() {}\n").expect("the sample lexes");
    assert!(source.tests_only);
}

#[test]
fn the_narrowest_budget_holds() {
    let budgets = ["check/x.rs", "compile/x.rs", "cli/x.rs", "report/x.rs", "check.rs", "yaml.rs"]
        .map(budget_of);
    assert_eq!(budgets, [200, 200, 120, 300, 500, 500]);
}
