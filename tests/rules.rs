//! Rules: their codes, their pages, and their fixtures.

use std::collections::BTreeSet;

use landbridge::{policies, rules};

use crate::{golden, tree};

#[test]
fn codes_and_names_are_their_own() {
    let rules = rules();
    for pair in rules.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} stands twice", pair[1].code);
    }
    let names: BTreeSet<_> = rules.iter().map(|rule| &*rule.name).collect();
    assert_eq!(names.len(), rules.len(), "two rules share a name");
    for rule in rules {
        let digits = rule.code.strip_prefix("LB").unwrap_or_default();
        assert!(digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{rule:?}");
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(rule.name.chars().all(known), "{}: `{}`", rule.code, rule.name);
        assert!(!rule.summary.ends_with('.'), "{}: a summary has no full stop", rule.code);
    }
}

#[test]
fn every_rule_has_a_whole_page() {
    let mut wrong = Vec::new();
    for rule in rules().into_iter().chain(policies()) {
        let parts = ["## What it does", "## Why it matters", "## Example", "Use instead:"];
        let places: Vec<_> = parts.iter().map(|part| rule.doc.find(part)).collect();
        if places.iter().any(Option::is_none) || !places.is_sorted() {
            wrong.push(format!("{}: its page needs {parts:?}, in this order", rule.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules that no project can break, with the reason.
const WITHOUT_FIXTURE: &[(&str, &str)] = &[(
    "LB0014",
    "names are unique before anything is made of them; src/render/tests.rs makes a collision",
)];

#[test]
fn every_rule_has_a_fixture() {
    let mut wrong = Vec::new();
    for rule in rules() {
        if WITHOUT_FIXTURE.iter().any(|(code, _)| *code == rule.code) {
            continue;
        }
        let folder = format!("fixtures/check/{}-{}", rule.code, rule.name);
        for file in ["bad", "good", "bad.out"] {
            let path = format!("{folder}/{file}");
            if !golden::path(&path).exists() {
                wrong.push(format!("{path} is missing"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_declared_rule_is_in_the_table() {
    let known: BTreeSet<_> = rules().into_iter().map(|rule| &*rule.code).collect();
    let mut declared = BTreeSet::new();
    tree::each_file("src", &mut |path, text| {
        if path.ends_with("tests.rs") {
            return;
        }
        for part in text.split("= { code: \"LB").skip(1) {
            declared.insert(format!("LB{}", part.split('"').next().unwrap_or_default()));
        }
    });
    let declared: BTreeSet<_> = declared.iter().map(String::as_str).collect();
    assert_eq!(declared, known, "add the module's RULES to TABLES of src/report/rules.rs");
}

#[test]
fn every_built_in_policy_is_embedded_and_has_a_name_of_its_own() {
    let known: BTreeSet<_> = landbridge::validate::builtin::FILES.iter().map(|(n, _)| *n).collect();
    let mut files = BTreeSet::new();
    tree::each_file("policies", &mut |path, _| {
        let path = path.trim_start_matches("policies/").to_owned();
        if path != "README.md" && !path.contains('/') {
            files.insert(path);
        }
    });
    let files: BTreeSet<_> = files.iter().map(String::as_str).collect();
    assert_eq!(known, files, "FILES of src/validate/builtin.rs lists every file of policies/");
    assert!(policies().len() >= 12, "a dozen built-in policies at least");
    for policy in policies() {
        assert_eq!(policy.code, format!("P-{}", policy.name));
        assert!(!policy.summary.ends_with('.'), "{}: a summary has no full stop", policy.code);
        assert!(rules().iter().all(|rule| rule.name != policy.name), "{}", policy.name);
    }
}

#[test]
fn every_file_about_versions_is_embedded() {
    let mut embedded = String::new();
    tree::each_file("src", &mut |path, text| {
        if path == "src/version.rs" {
            embedded = text.to_owned();
        }
    });
    let mut files = 0;
    tree::each_file("policies/versions", &mut |path, _| {
        let row = format!("include_str!(\"../{path}\")");
        assert!(embedded.contains(&row), "add `{path}` to FILES of src/version.rs");
        files += 1;
    });
    assert!(files > 1, "policies/versions/ has {files} files");
}
