//! `fixtures/hazards.tsv`: every known hazard with the rule that finds it and the fixture that
//! shows it, or the reason why no rule can.
//!
//! A row has four fields, with tabs between: what the hazard is about, the hazard in Markdown, the
//! rule's code, and the fixture as its folder below `fixtures/`. A row without a rule has `-` and
//! the reason in place of the fixture.
#![expect(clippy::disallowed_methods, reason = "the tests read the source tree")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::{fs, io};

use landbridge::rules;
use regex::Regex;

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

/// Where the facts about versions are collected, with a line for each.
const FACTS: &str = "../shared/facts/cilium-mcs-cert-manager.md";

/// What is known about versions: each entry of `policies/versions` and each row of the hazards.
fn known_about_versions() -> Vec<String> {
    let mut known: Vec<String> = rows().iter().map(|row| row.join(" ")).collect();
    for name in ["cilium", "cert-manager"] {
        let file = format!("policies/versions/{name}.yaml");
        let text = fs::read_to_string(golden::path(&file)).expect("the file is there");
        let starts = text.split("\n    ").fold(Vec::<String>::new(), |mut entries, line| {
            match entries.last_mut() {
                Some(entry) if line.starts_with([' ', '#']) => {
                    *entry += "\n";
                    *entry += line;
                }
                _ => entries.push(line.to_owned()),
            }
            entries
        });
        known.extend(starts);
    }
    known
}

#[test]
fn every_version_of_the_facts_is_known() {
    let Ok(text) = fs::read_to_string(golden::path(FACTS)) else {
        writeln!(io::stderr(), "skipped: there is no {FACTS}").expect("stderr takes text");
        return;
    };
    let (_, section) = text.split_once("\n## 7.").expect("there is a section about versions");
    let section = section.split("\n## ").next().expect("it has a text");
    let known = known_about_versions();
    let issue = Regex::new(r"#\d+|GHSA-[\w-]+").expect("a pattern");
    let version = Regex::new(r"\b\d+\.\d+\.\d+").expect("a pattern");
    let (mut rows, mut missing) = (0, Vec::new());
    for line in section.lines().filter(|line| line.starts_with("| ")).skip(1) {
        // By one of its issues, else by the first version that has it and the one that mends it.
        let issues: Vec<_> = issue.find_iter(line).map(|found| found.as_str()).collect();
        let versions: Vec<_> = version.find_iter(line).map(|found| found.as_str()).collect();
        assert!(!issues.is_empty() || !versions.is_empty(), "nothing to go by: {line}");
        let has = |entry: &&String| match &*issues {
            [] => [versions.first(), versions.last()]
                .into_iter()
                .flatten()
                .all(|one| entry.contains(one)),
            issues => issues.iter().any(|issue| entry.contains(issue)),
        };
        rows += 1;
        if known.iter().find(has).is_none() {
            missing.push(line);
        }
    }
    assert!(missing.is_empty(), "no fact, rule or reason:\n{}", missing.join("\n"));
    assert!(rows > 30, "the section has {rows} rows");

    // `1.19 1.32–1.35`: a minor of Cilium with the Kubernetes minors of its tests.
    let window = Regex::new(r"(1\.\d+) (1\.\d+)–(1\.\d+)").expect("a pattern");
    let mut windows = 0;
    for found in window.captures_iter(section) {
        let (cilium, from, to) = (&found[1], &found[2], &found[3]);
        let entry =
            format!("{{cilium: \"{cilium}\"}}, needs: {{kubernetes: \">={from}, <={to}\"}}");
        // LB3002 refuses the charts before 1.16.
        if cilium != "1.15" {
            assert!(known.iter().any(|known| known.contains(&entry)), "no window `{entry}`");
            windows += 1;
        }
    }
    assert!(windows > 4, "the section has {windows} windows");
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
