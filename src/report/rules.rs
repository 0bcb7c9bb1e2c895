//! Every rule, and its page.

use std::fmt::Write as _;

use super::untrusted::harmless;
use crate::check::CHECKS;
use crate::diagnostic::Rule;
use crate::prove::{PROOFS, flows};
use crate::validate::builtin;
use crate::{diagnostic, manifest, render, spec, topology, validate, yaml};

/// The tables of the modules that have rules, besides those of the checks.
static TABLES: &[&[&Rule]] = &[
    diagnostic::acceptance::RULES,
    yaml::RULES,
    manifest::RULES,
    spec::RULES,
    topology::resolve::RULES,
    validate::RULES,
    flows::RULES,
    validate::made_twice::RULES,
    render::RULES,
    render::stale::RULES,
];

/// Every rule that is code, in the order of their codes. Built-in policies are rules as well:
/// [`policies`].
pub fn rules() -> Vec<&'static Rule> {
    let checks = CHECKS.iter().map(|check| check.rule);
    let checks = checks.chain(PROOFS.iter().map(|proof| proof.rule));
    let mut rules: Vec<_> = TABLES.iter().copied().flatten().copied().chain(checks).collect();
    rules.sort_by(|a, b| a.code.cmp(&b.code));
    rules
}

/// The rules of the built-in policies, by name.
pub fn policies() -> Vec<&'static Rule> {
    builtin::rules()
}

/// A rule's page in Markdown; `level` is the depth of its heading.
pub fn page(rule: &Rule, level: usize) -> String {
    let hashes = "#".repeat(level);
    let title = title(rule);
    let mut page = format!("{hashes} {title}\n\n{}: {}.\n", rule.severity.name(), rule.summary);
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

/// A rule's code and name; a policy's code is its name already.
fn title(rule: &Rule) -> String {
    let (code, name) = (&rule.code, &rule.name);
    if code.strip_prefix("P-") == Some(name) { code.to_string() } else { format!("{code} {name}") }
}

/// The page of a rule that a project's author wrote, safe to be shown.
pub fn page_of_project(rule: &Rule) -> String {
    harmless(&page(rule, 1)).into_owned()
}

/// The page of all rules, `docs/rules.md`.
pub fn index() -> String {
    let mut text = INTRODUCTION.to_owned();
    for rule in rules().into_iter().chain(policies()) {
        let (code, name) = (&rule.code, &rule.name);
        let anchor = title(rule).to_lowercase().replace(' ', "-");
        let severity = rule.severity.name();
        writeln!(text, "| [{code}](#{anchor}) | `{name}` | {severity} | {} |", rule.summary)
            .expect("internal error: text takes text");
    }
    for rule in rules().into_iter().chain(policies()) {
        text.push('\n');
        text.push_str(&page(rule, 2));
    }
    text
}

const INTRODUCTION: &str = "\
# Rules

Generated from the comments beside the rules; a test holds it. `landbridge explain CODE` prints one of these pages. The first digit of a code names what it is about: 0 the shape of the files, 1 addresses, 2 the mesh, 3 versions, 4 policies and flows, 5 DNS and certificates, 6 rendered files. Codes that begin with `P-` are [policies](policies.md): those listed here are built in, and count where `spec.policies` of a topology switches them on. A code is never reused.

| code | name | severity | what it finds |
| --- | --- | --- | --- |
";
