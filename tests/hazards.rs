//! `fixtures/hazards.tsv`: every known hazard with the rule that finds it and the fixture that
//! shows it, or the reason why no rule can.
//!
//! A row has four fields, with tabs between: what the hazard is about, the hazard in Markdown, the
//! rule's code, and the fixture as its folder below `fixtures/`. A row without a rule has `-` and
//! the reason in place of the fixture.
#![expect(clippy::disallowed_methods, reason = "the tests read the source tree")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use landbridge::rules;

use crate::golden;

const FILE: &str = "fixtures/hazards.tsv";
const HEADER: [&str; 4] = ["area", "hazard", "rule", "fixture"];

/// The rows.
fn rows() -> Vec<[String; 4]> {
    let text = fs::read_to_string(golden::path(FILE)).expect("the table is there");
    let row = |line: &str| {
        let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
        <[String; 4]>::try_from(fields).unwrap_or_else(|_| panic!("{FILE}: four fields: {line}"))
    };
    let mut rows: Vec<_> = text.lines().map(row).collect();
    assert_eq!(rows.remove(0), HEADER);
    rows
}

/// The report that a fixture holds.
fn report(fixture: &str) -> String {
    let file = match fixture.split_once('/') {
        Some(("check", _)) => format!("fixtures/{fixture}/bad.out"),
        _ => format!("fixtures/{fixture}.out"),
    };
    fs::read_to_string(golden::path(&file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn every_hazard_is_found_in_its_fixture() {
    let known: BTreeSet<_> = rules().iter().map(|rule| rule.code.to_string()).collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for [area, hazard, code, fixture] in rows() {
        if area.is_empty() || hazard.is_empty() || fixture.is_empty() {
            wrong.push(format!("`{hazard}`: a field is empty"));
        }
        if code != "-" && !known.contains(&*code) {
            wrong.push(format!("`{hazard}`: there is no rule {code}"));
        } else if code != "-" && !report(&fixture).contains(&format!("[{code}]: ")) {
            wrong.push(format!("`{hazard}`: {fixture} has no finding of {code}"));
        }
        if !seen.insert((area, hazard.clone())) {
            wrong.push(format!("`{hazard}` stands twice"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() > 100, "the table has {} rows", seen.len());
}

/// The table as a part of `docs/rules.md`.
pub(crate) fn section() -> String {
    let names: Vec<_> = rules().iter().map(|rule| (&*rule.code, &*rule.name)).collect();
    let mut text = INTRODUCTION.to_owned();
    for [area, hazard, code, fixture] in rows() {
        let found = names.iter().find(|(known, _)| *known == code);
        let rule = found.map_or_else(
            || "–".to_owned(),
            |(code, name)| format!("[{code}](#{}-{name})", code.to_lowercase()),
        );
        let shown =
            if code == "-" { fixture } else { format!("[`{fixture}`](../fixtures/{fixture})") };
        writeln!(text, "| {area} | {} | {rule} | {shown} |", hazard.replace('|', "\\|"))
            .expect("text takes text");
    }
    text
}

const INTRODUCTION: &str = "
## Hazards

What is known to go wrong in a mesh, the rule that finds it, and the fixture that shows it; or why no rule can. The table is `fixtures/hazards.tsv`.

| about | hazard | rule | fixture |
| --- | --- | --- | --- |
";
