//! The page of what is known about versions.

use std::fmt::Write as _;

use crate::spec::version_facts::{
    BadVersion, EndOfLife, SupportWindow, Unpublished, VersionRange, VersionRanges,
};
use crate::version::{Fact, Known, built_in, named};

/// The built-in knowledge, in Markdown.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    section::<BadVersion>(
        &mut page,
        "Known faults (LB3004)",
        &["where", "consequence", "fixed in"],
        |bad| {
            let fixed: Vec<_> = bad.fixed_in.0.iter().map(|text| text.value.0.clone()).collect();
            vec![concerned(bad), bad.consequence.value.0.clone(), fixed.join(", ")]
        },
    );
    section::<SupportWindow>(
        &mut page,
        "Windows of support (LB3005)",
        &["need", "otherwise"],
        |window| {
            let otherwise = window.consequence.as_ref().map(|text| text.value.0.clone());
            vec![ranges(&window.needs), otherwise.unwrap_or_else(|| "not tested".into())]
        },
    );
    section::<EndOfLife>(&mut page, "Ends of support (LB3006)", &["since"], |ended| {
        vec![ended.since.value.to_string()]
    });
    section::<Unpublished>(&mut page, "Never published (LB3008)", &[], |_| Vec::new());
    page
}

const INTRODUCTION: &str = "\
# Versions

What is built in about versions, generated from `policies/versions/`; a test holds it. `landbridge explain versions` prints this page.

A project adds what its team found out by documents of kind `VersionFacts`. An entry of the same name overrules a built-in one, and switches it off with `severity: none`. `policies/README.md` shows how.
";

/// A table of one sort; `columns` come behind the versions.
fn section<T: Known + 'static>(
    page: &mut String,
    title: &str,
    columns: &[&str],
    cells: impl Fn(&T) -> Vec<String>,
) {
    let columns: Vec<_> = ["versions"]
        .iter()
        .chain(columns)
        .chain(&["severity", "name", "source"])
        .copied()
        .collect();
    let rule = vec!["---"; columns.len()].join(" | ");
    write!(page, "\n## {title}\n\n| {} |\n| {rule} |\n", columns.join(" | ")).expect(TEXT);
    for Fact { name, severity, fact, .. } in built_in::<T>() {
        let mut row = vec![ranges(fact.versions())];
        row.extend(cells(fact));
        let source = fact.source().unwrap_or_default().to_owned();
        row.extend([severity.name().to_owned(), format!("`{name}`"), source]);
        let row: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        writeln!(page, "| {} |", row.join(" | ")).expect(TEXT);
    }
}

const TEXT: &str = "internal error: text takes text";

/// What a cluster must have for a fault to concern it.
fn concerned(bad: &BadVersion) -> String {
    let values: Vec<_> = bad.values.iter().map(|test| format!("`{}`", test.value.0)).collect();
    let conditions = bad.when.iter().map(|condition| condition.word().to_owned());
    let all: Vec<_> = conditions.chain((!values.is_empty()).then(|| values.join(" or "))).collect();
    if all.is_empty() { "anywhere".to_owned() } else { all.join(", ") }
}

fn ranges(ranges: &VersionRanges) -> String {
    let texts = |ranges: &[VersionRange]| {
        ranges.iter().map(|range| range.text.clone()).collect::<Vec<_>>().join(" or ")
    };
    let named = named(ranges).into_iter();
    named.map(|(product, all)| format!("{product} {}", texts(all))).collect::<Vec<_>>().join(", ")
}
