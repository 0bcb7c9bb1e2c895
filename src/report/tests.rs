//! Places that are hard to show, and limits. `tests/report.rs` has what reports look like.

use std::borrow::Cow;

use super::*;
use crate::diagnostic::{Diagnostic, Rule};
use crate::source::{SourceId, Span};

static SAMPLE: Rule = Rule {
    code: Cow::Borrowed("LB9001"),
    name: Cow::Borrowed("sample"),
    summary: Cow::Borrowed("a sample"),
    severity: Severity::Error,
    doc: Cow::Borrowed("A page."),
};

fn finding(id: SourceId, range: std::ops::Range<usize>) -> Diagnostic {
    Diagnostic::new(&SAMPLE, Span::new(id, range), "wrong")
}

fn written(format: Format, found: Vec<Diagnostic>, sources: &SourceMap) -> String {
    let mut all = Diagnostics::new();
    for one in found {
        all.push(one);
    }
    let report = Report::new(all, sources);
    let mut out = Vec::new();
    format.write(&report, Look::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Every place of a text, and some beyond it, in every format.
fn all_places(text: &str) {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", text);
    let far = text.len() + 3;
    let mut found = Vec::new();
    for start in 0..far {
        for end in [start, start + 1, start + 2, far] {
            found.push(finding(id, start..end).label("here").related(Span::start_of(id), "top"));
        }
    }
    let count = found.len();
    let all = Look { all: true, color: true, width: 40, ..Look::default() };
    let mut sink = Diagnostics::new();
    for one in found {
        sink.push(one);
    }
    let report = Report::new(sink, &sources);
    let mut out = Vec::new();
    human::write(&report, all, &mut out).unwrap();
    json::write(&report, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.matches("LB9001").count() >= count.min(far), "{text}");
}

#[test]
fn every_place_can_be_shown() {
    for text in
        ["", "\n", "a", "a: 1\n", "a: 1\r\nb: é\u{fffd}\n\n", "\u{fffd}\u{fffd}", "\t\u{1b}[31m"]
    {
        all_places(text);
    }
}

#[test]
fn the_end_of_a_file_is_shown() {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", "a: 1\n");
    let text = written(Format::Human, vec![finding(id, 5..5).label("here")], &sources);
    assert!(text.contains("--> a.yaml:2:1"), "{text}");
    assert!(text.contains("2 |\n  | ^ here\n"), "{text}");
}

#[test]
fn a_long_line_is_shown_around_the_place() {
    let mut sources = SourceMap::new();
    let line = "é".repeat(1_000_000);
    let id = sources.add("a.yaml", format!("a: {line}x{line}\n"));
    let at = 3 + line.len();
    let found = finding(id, at..at + 1).related(Span::new(id, 0..1), "first");
    let text = written(Format::Human, vec![found], &sources);
    assert!(text.contains("--> a.yaml:1:1000004"), "{text}");
    assert!(text.contains("éx"), "{text}");
    assert!(text.len() < 2000, "{} bytes", text.len());
}

#[test]
fn a_place_of_several_lines_is_marked_on_its_first() {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", "a:\n  b: 1\n  c: 2\n");
    let text = written(Format::Human, vec![finding(id, 5..16)], &sources);
    assert!(text.contains("2 |   b: 1\n  |   ^^^^\n"), "{text}");
}

#[test]
fn many_findings_of_one_rule_are_counted() {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", "a\n".repeat(200));
    let found: Vec<_> = (0..170).map(|line| finding(id, line * 2..line * 2 + 1)).collect();
    let text = written(Format::Human, found.clone(), &sources);
    assert_eq!(text.matches("error[LB9001]").count(), human::MAX_OF_RULE);
    assert!(text.contains("\n… and 120 more of LB9001 (sample)\n"), "{text}");
    assert!(text.contains("\n170 errors in 1 file\n"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&written(Format::Json, found, &sources)).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 170);
}

#[test]
fn what_a_project_says_does_not_steer_the_terminal() {
    let mut sources = SourceMap::new();
    let id = sources.add("\u{1b}]0;x\u{7}.yaml", "a: \u{1b}[2J\u{9b}\u{202e}\n");
    let hostile = "\u{1b}[2J\u{9b}2J\u{202e}";
    let mut found = Diagnostics::new();
    let one = finding(id, 0..1).label(hostile).help(hostile).note(hostile);
    found.push(Diagnostic { message: hostile.to_owned(), ..one });
    found.not_checked(Span::start_of(id), hostile, hostile);
    let mut out = Vec::new();
    human::write(&Report::new(found, &sources), Look::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(steers), "{text:?}");
}

#[test]
fn a_long_line_with_many_places_takes_linear_time() {
    let mut sources = SourceMap::new();
    let text = "é: 1, ".repeat(1_000_000);
    let id = sources.add("a.yaml", text.as_str());
    let found: Vec<_> = (990_000..1_000_000).map(|at| finding(id, at * 7..at * 7 + 2)).collect();
    let json: serde_json::Value =
        serde_json::from_str(&written(Format::Json, found, &sources)).unwrap();
    let last = &json["findings"][9_999]["place"];
    assert_eq!(last["start"]["column"], 999_999 * 6 + 1);
    assert_eq!(last["end"]["column"], 999_999 * 6 + 2);
}

#[test]
fn credentials_are_not_shown() {
    let url = "https://me:hunter2@h/a";
    let long = format!("a: [{}, {url}, {}]\n", "x".repeat(5_000), "y".repeat(5_000));
    let all_of_it = format!("a: https://{}@h/{}\n", "hunter2".repeat(500), "x".repeat(1_000));
    for text in [format!("a: {url}\n"), long, all_of_it] {
        let mut sources = SourceMap::new();
        let id = sources.add("a.yaml", &text);
        let starts = (0..text.len()).filter(|at| at % 7 == 0 || at.abs_diff(5_000) < 50);
        for start in starts {
            let found = vec![finding(id, start..start + 3)];
            let report = written(Format::Human, found, &sources);
            assert!(report.contains("LB9001") && !report.contains("hunter2"), "{report}");
        }
    }
}
