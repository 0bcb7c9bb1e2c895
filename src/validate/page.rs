//! A policy's page, in the form of every rule's.

use std::fmt::Write as _;

use crate::source::Span;
use crate::spec::policy::{Over, PolicySpec, Sample};
use crate::yaml::json::json;

const TEXT: &str = "internal error: text takes text";

/// The page; `source` is the text of the policy's file, from which samples are shown.
pub(super) fn of(name: &str, spec: &PolicySpec, source: Option<&str>) -> String {
    let mut page = String::new();
    let over = match spec.over.value {
        Over::Topology => "the topology as a whole".to_owned(),
        Over::Resource if !spec.kinds.is_empty() => {
            let kinds: Vec<_> =
                spec.kinds.iter().map(|kind| format!("`{}`", kind.value.0)).collect();
            format!("each {} of each cluster", kinds.join(", "))
        }
        Over::Resource => "each Kubernetes object of each cluster".to_owned(),
        other => format!("each {}", other.word()),
    };
    writeln!(page, "## What it does\nLooks at {over}, and asks for").expect(TEXT);
    writeln!(page, "```cel\n{}\n```", spec.expression.value.trim()).expect(TEXT);
    for (name, condition) in spec.match_conditions.iter() {
        writeln!(page, "\nOnly where `{}` ({}).", condition.value.trim(), name.value).expect(TEXT);
    }
    for (name, variable) in spec.variables.iter() {
        writeln!(page, "\n`variables.{}` is `{}`.", name.value, variable.value.trim()).expect(TEXT);
    }
    writeln!(page, "\nOtherwise it says: {}", spec.message.value.trim()).expect(TEXT);
    if !spec.params.is_empty() {
        page.push_str("\n| parameter | unless a project says otherwise |\n| --- | --- |\n");
        for (key, value) in spec.params.iter() {
            writeln!(page, "| `{}` | `{}` |", key.value, json(&value.0)).expect(TEXT);
        }
    }
    page.push_str("\n## Why it matters\n");
    let because = spec.because.as_ref().map_or("The team asks for it.", |text| text.value.trim());
    writeln!(page, "{because}").expect(TEXT);
    if let Some(source) = &spec.source {
        writeln!(page, "Source: {}.", source.value.0).expect(TEXT);
    }
    if let Some(remediation) = &spec.remediation {
        writeln!(page, "\nTo do: {}.", remediation.value.trim()).expect(TEXT);
    }
    let sample = |list: &[Sample]| {
        let first = list.first()?;
        Some(dedented(source?, first.span))
    };
    let samples = spec.samples.as_ref();
    if let Some(fail) = samples.and_then(|all| sample(&all.fail)) {
        writeln!(page, "\n## Example\n```yaml\n{fail}\n```").expect(TEXT);
    }
    if let Some(pass) = samples.and_then(|all| sample(&all.pass)) {
        writeln!(page, "\nUse instead:\n```yaml\n{pass}\n```").expect(TEXT);
    }
    writeln!(page, "\n{}", switched(name, source.is_some())).expect(TEXT);
    // Doc comments have a blank before each line, and pages are made from those.
    page.lines().flat_map(|line| [" ", line, "\n"]).collect()
}

fn switched(name: &str, built_in: bool) -> String {
    if built_in {
        format!("Off unless the topology has `policies: {{{name}: {{}}}}`.")
    } else {
        format!("The project's own; `policies: {{{name}: {{severity: none}}}}` switches it off.")
    }
}

/// A part of a text without the indentation that all its lines but the first have.
fn dedented(text: &str, span: Span) -> String {
    let part = text.get(span.range()).unwrap_or_default().trim_end();
    let indents = part.lines().skip(1).filter(|line| !line.trim().is_empty());
    let least = indents.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines = part
        .lines()
        .enumerate()
        .map(|(at, line)| if at == 0 { line } else { line.get(least..).unwrap_or_default() });
    lines.collect::<Vec<_>>().join("\n")
}
