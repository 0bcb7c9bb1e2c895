//! Pages and schemas that the code generates: what is kept in the tree must equal what it makes.

use std::fmt::Write as _;

use landbridge::report::{rules, versions};
use landbridge::spec::{reference, schema};

use crate::{golden, hazards};

#[test]
fn docs_rules() {
    golden::holds("docs/rules.md", &(rules::index() + &hazards::section()));
}

#[test]
fn docs_versions() {
    golden::holds("docs/versions.md", &versions::page());
}

#[test]
fn docs_reference() {
    let page = reference::page();
    let mut headings: Vec<_> = page.lines().filter(|line| line.starts_with("##")).collect();
    let count = headings.len();
    headings.sort_by_key(|heading| heading.trim_start_matches('#').to_lowercase());
    headings.dedup_by_key(|heading| heading.trim_start_matches('#').to_lowercase());
    assert_eq!(headings.len(), count, "two headings have one anchor");
    golden::holds("docs/reference.md", &page);
}

#[test]
fn docs_cli() {
    golden::holds("docs/cli.md", &cli());
}

#[test]
fn schemas() {
    let text = |schema: &serde_json::Value| format!("{schema:#}\n");
    golden::holds("schemas/landbridge.v1alpha1.json", &text(&schema::of_document()));
}

/// The help of every command.
fn cli() -> String {
    let mut root = landbridge::cli::command().term_width(90);
    root.build();
    let mut page = "# The command line\n\nGenerated from `src/cli/`; a test holds it.\n".to_owned();
    write!(page, "\n```text\n{}```\n", trimmed(&root.render_help().to_string())).expect("text");
    for command in root.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let name = command.get_name().to_owned();
        let help = trimmed(&command.clone().term_width(90).render_long_help().to_string());
        write!(page, "\n## landbridge {name}\n\n```text\n{help}```\n").expect("text");
    }
    page
}

/// Without blanks at the end of lines, and with one line end at the end.
fn trimmed(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
