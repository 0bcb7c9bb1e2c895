//! What Flux makes of variables: the ground truth for `manifest`.
#![expect(clippy::disallowed_methods, reason = "the test runs Flux's own code")]

use std::process::Command;

use landbridge::diagnostic::Diagnostics;
use landbridge::manifest::{self, Variables};
use landbridge::source::SourceMap;
use landbridge::yaml::json::json;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json as literal};

use crate::tools::{named_by, run};

/// Values that are awkward for the language, for YAML or for both.
const VALUES: &[&str] = &[
    "abcABC",
    "10",
    "",
    "a: b",
    "[1, 2]",
    "{a: 1}",
    "x # y",
    "\"",
    "'",
    "yes",
    "a/b.c",
    "|",
    ">",
    "- a",
    "é",
    "~",
    "a:",
    "#",
    "\\",
    " x ",
    "*a",
    "0x1F",
    "@a",
    "---",
    "2001:db8::/32",
];

/// What strings are made of: pieces of the language and of YAML.
const PIECES: &[&str] = &[
    "${", "${", "${A", "${A}", "${B}", "${A:=", "${B:-", "${X:=", "${A:1:2}", "${#B}", "${A^^}",
    "${B,}", "${A/b/", "${A//b/", "${A#*", "${A%?", "${A##", "${A%%", "${A/#", "${A/%", "${X}",
    "}", "}", "}", "A", "b", "$", "$$", ":", "=", "-", "+", "?", "#", "%", "/", "\\", "*", "1",
    " ", "\n", "\t", "'", "\"", ": ", " #", "[", "]", "{", ",", "é", "|", "&a ", "- ", "! ",
];

/// What Flux makes of each object, or its error.
fn flux(objects: &[(Value, Value)]) -> Option<Vec<Value>> {
    let goflux = named_by("LANDBRIDGE_GOFLUX")?;
    let question = |(variables, object): &(Value, Value)| {
        format!("{}\n", literal!({"variables": variables, "object": object}))
    };
    let questions = objects.iter().map(question).collect::<Vec<_>>().concat();
    let output = run(&mut Command::new(goflux), questions.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    Some(answers.map(|answer| answer.expect("goflux writes JSON")).collect())
}

/// What is made of the object here: nothing where it is not worked out, or a finding.
enum Ours {
    Object(Value),
    NotChecked(String),
    Finding,
}

fn ours(variables: &Value, object: &Value) -> Ours {
    let mut sources = SourceMap::new();
    let mut found = Diagnostics::new();
    let map = literal!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": variables,
    });
    let map = sources.add("settings.yaml", map.to_string());
    let variables = Variables::read(&sources, map, &mut found);
    assert!(found.is_empty(), "{found:?}");
    let id = sources.add("a.yaml", object.to_string());
    let manifests = manifest::read(&sources, id, Some(&variables), &mut found);
    match (manifests.as_slice(), found.unchecked()) {
        ([object], []) if found.is_empty() => Ours::Object(json(&object.node)),
        ([], [not_checked]) => Ours::NotChecked(not_checked.why.clone()),
        _ => Ours::Finding,
    }
}

/// Whether both are lists, or both mappings of one key.
fn alike(object: &Value, flux: &Value) -> bool {
    object.is_array() == flux.is_array()
        && object.as_object().map(serde_json::Map::len)
            == flux.as_object().map(serde_json::Map::len)
}

/// Why the two do not agree.
fn difference(object: &Value, ours: &Ours, flux: &Value) -> Option<String> {
    let error = flux["error"].as_str();
    match (ours, error) {
        (Ours::Object(ours), None) if *ours == flux["object"] => None,
        (Ours::Object(ours), _) => Some(format!("here {ours}, Flux {flux}")),
        (Ours::Finding, Some(error)) if !error.contains("not set") => None,
        (Ours::NotChecked(why), Some(error)) if why.contains("not in `settings.yaml`") => {
            (!error.contains("not set")).then(|| format!("here {why}, Flux {error}"))
        }
        (Ours::NotChecked(why), _) if why.contains("not replaced here") => None,
        (Ours::NotChecked(why), _) => Some(format!("here {why}, Flux {flux}")),
        // A key that becomes something else than one key is not what anyone meant, and to Flux `[]#`
        // has a comment, which YAML does not.
        (Ours::Finding, None) if !alike(&object["spec"], &flux["object"]["spec"]) => None,
        (Ours::Finding, None) if object.to_string().contains('#') => None,
        (Ours::Finding, _) => Some(format!("here a finding, Flux {flux}")),
    }
}

#[test]
fn variables_are_replaced_as_flux_replaces_them() {
    if named_by("LANDBRIDGE_GOFLUX").is_none() {
        return;
    }
    let value = || prop::sample::select(VALUES);
    let text = || prop::collection::vec(prop::sample::select(PIECES), 1..6);
    let strategy = (value(), value(), text(), 0..4);
    let mut runner = TestRunner::deterministic();
    let objects: Vec<(Value, Value)> = (0..30_000)
        .map(|_| {
            let tree = strategy.new_tree(&mut runner).expect("the strategy gives values");
            let (a, b, pieces, place) = tree.current();
            let text = pieces.concat();
            let spec = match place {
                0 => literal!({ "x": text }),
                1 => literal!([text]),
                2 => literal!({ "x": [{ "y": text }] }),
                _ => literal!({ text: "x" }),
            };
            let variables = literal!({"A": a, "B": b});
            (
                variables,
                literal!({
                    "apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec,
                }),
            )
        })
        .collect();
    let Some(answers) = flux(&objects) else { return };
    assert_eq!(answers.len(), objects.len());
    let mut agreed = 0;
    let mut wrong = Vec::new();
    for ((variables, object), flux) in objects.iter().zip(&answers) {
        let ours = ours(variables, object);
        match difference(object, &ours, flux) {
            Some(why) => wrong.push(format!("{} with {variables}: {why}", object["spec"])),
            None => agreed += usize::from(matches!(ours, Ours::Object(_))),
        }
    }
    wrong.truncate(60);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(agreed > 5_000, "only {agreed} objects have a result");
}
