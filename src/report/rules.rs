//! Every rule, and its page.

use std::fmt::Write as _;

use crate::check::CHECKS;
use crate::diagnostic::Rule;
use crate::{diagnostic, manifest, render, spec, topology, yaml};

/// The tables of the modules that have rules, besides those of the checks.
static TABLES: &[&[&Rule]] = &[
    diagnostic::acceptance::RULES,
    yaml::RULES,
    manifest::RULES,
    spec::RULES,
    topology::resolve::RULES,
    render::RULES,
    render::stale::RULES,
];

/// Every rule, in the order of their codes.
pub fn rules() -> Vec<&'static Rule> {
    let checks = CHECKS.iter().map(|check| check.rule);
    let mut rules: Vec<_> = TABLES.iter().copied().flatten().copied().chain(checks).collect();
    rules.sort_by(|a, b| a.code.cmp(&b.code));
    rules
}

/// A rule's page in Markdown; `level` is the depth of its heading.
pub fn page(rule: &Rule, level: usize) -> String {
    let hashes = "#".repeat(level);
    let (code, name) = (&rule.code, &rule.name);
    let mut page =
        format!("{hashes} {code} {name}\n\n{}: {}.\n", rule.severity.name(), rule.summary);
    let mut in_code = false;
    for line in rule.doc.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        in_code ^= line.starts_with("```");
        match line.strip_prefix("## ") {
            Some(title) if !in_code => write!(page, "\n{hashes}# {title}"),
            _ => write!(page, "\n{line}"),
        }
        .expect("internal error: text takes text");
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// The page of all rules, `docs/rules.md`.
pub fn index() -> String {
    let mut text = INTRODUCTION.to_owned();
    for rule in rules() {
        let (code, name) = (&rule.code, &rule.name);
        let anchor = format!("{}-{name}", code.to_lowercase());
        let severity = rule.severity.name();
        writeln!(text, "| [{code}](#{anchor}) | `{name}` | {severity} | {} |", rule.summary)
            .expect("internal error: text takes text");
    }
    for rule in rules() {
        text.push('\n');
        text.push_str(&page(rule, 2));
    }
    text
}

const INTRODUCTION: &str = "\
# Rules

Generated from the comments beside the rules; a test holds it. `landbridge explain CODE` prints one of these pages. The first digit of a code names what it is about: 0 the shape of the files, 1 addresses, 2 the mesh, 3 versions, 4 policies and flows, 5 DNS and certificates, 6 rendered files. A code is never reused.

| code | name | severity | what it finds |
| --- | --- | --- | --- |
";
