//! Findings for programs. `schemas/report.v1.json` describes it; what is there keeps its name and
//! meaning as long as `version` stays the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Serialize;

use super::{Report, Summary};
use crate::diagnostic::acceptance::Acceptance;
use crate::diagnostic::{Diagnostic, Label, NotChecked, Omitted};
use crate::source::{SourceId, SourceMap, Span};

/// The version of the format.
pub const VERSION: u32 = 1;
/// The JSON Schema of the format.
pub const SCHEMA: &str = include_str!("../../schemas/report.v1.json");

#[derive(Serialize)]
struct Root<'a> {
    version: u32,
    findings: Vec<Finding<'a>>,
    accepted: Vec<AcceptedFinding<'a>>,
    not_checked: Vec<Unchecked<'a>>,
    /// Counted and not listed, where there are more than ten thousand of a rule.
    omitted: Vec<OmittedFindings<'a>>,
    summary: Counts,
}

#[derive(Serialize)]
struct OmittedFindings<'a> {
    code: &'a str,
    name: &'a str,
    severity: &'a str,
    count: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    name: &'a str,
    severity: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Labelled<'a>,
    related: Vec<Labelled<'a>>,
    help: &'a [String],
    notes: &'a [String],
}

#[derive(Serialize)]
struct AcceptedFinding<'a> {
    #[serde(flatten)]
    finding: Finding<'a>,
    acceptance: By<'a>,
}

#[derive(Serialize)]
struct By<'a> {
    reason: &'a str,
    owner: Option<&'a str>,
    /// The last day.
    until: Option<String>,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Labelled<'a> {
    label: &'a str,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Unchecked<'a> {
    what: &'a str,
    why: &'a str,
    place: Place<'a>,
}

#[derive(Serialize)]
pub(in crate::report) struct Place<'a> {
    file: &'a str,
    start: Point,
    end: Point,
}

#[derive(Clone, Copy, Serialize)]
struct Point {
    line: usize,
    column: usize,
    byte: usize,
}

#[derive(Serialize)]
struct Counts {
    errors: usize,
    warnings: usize,
    accepted: usize,
    not_checked: usize,
    files: usize,
}

/// Writes a report.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let found = report.found();
    let spans = found
        .iter()
        .chain(found.accepted().map(|(one, _)| one))
        .flat_map(|one| std::iter::once(&one.primary).chain(&one.related))
        .map(|label| label.span)
        .chain(found.accepted().map(|(_, by)| by.place))
        .chain(found.unchecked().iter().map(|one| one.span));
    let points = Points::of(report.sources(), spans);
    let Summary { errors, warnings, accepted, not_checked, files } = report.summary();
    let root = Root {
        version: VERSION,
        findings: found.iter().map(|one| finding(&points, one)).collect(),
        accepted: found.accepted().map(|(one, by)| self::accepted(&points, one, by)).collect(),
        not_checked: found.unchecked().iter().map(|one| unchecked(&points, one)).collect(),
        omitted: found.omitted().map(omitted).collect(),
        summary: Counts { errors, warnings, accepted, not_checked, files },
    };
    serde_json::to_writer_pretty(&mut *out, &root)?;
    writeln!(out)
}

fn finding<'a>(points: &Points<'a>, one: &'a Diagnostic) -> Finding<'a> {
    Finding {
        code: &one.rule.code,
        name: &one.rule.name,
        severity: one.severity.name(),
        message: &one.message,
        place: points.label(&one.primary),
        related: one.related.iter().map(|label| points.label(label)).collect(),
        help: &one.help,
        notes: &one.notes,
    }
}

fn accepted<'a>(
    points: &Points<'a>,
    one: &'a Diagnostic,
    by: &'a Acceptance,
) -> AcceptedFinding<'a> {
    let acceptance = By {
        reason: &by.reason,
        owner: by.owner.as_deref(),
        until: by.until.map(|day| day.to_string()),
        place: points.place(by.place),
    };
    AcceptedFinding { finding: finding(points, one), acceptance }
}

fn unchecked<'a>(points: &Points<'a>, one: &'a NotChecked) -> Unchecked<'a> {
    Unchecked { what: &one.what, why: &one.why, place: points.place(one.span) }
}

fn omitted(one: &Omitted) -> OmittedFindings<'_> {
    let (code, name) = (&*one.rule.code, &*one.rule.name);
    OmittedFindings { code, name, severity: one.severity.name(), count: one.count }
}

/// Lines and columns of all places, found in one pass over each text: counting the characters of
/// a long line for each place anew would take quadratic time.
pub(super) struct Points<'a> {
    sources: &'a SourceMap,
    points: BTreeMap<(SourceId, u32), Point>,
}

impl<'a> Points<'a> {
    pub(super) fn of(sources: &'a SourceMap, spans: impl Iterator<Item = Span>) -> Self {
        let ends = |span: Span| [(span.source, span.start), (span.source, span.end)];
        let places: BTreeSet<_> = spans.flat_map(ends).collect();
        let mut last: Option<(SourceId, Point)> = None;
        let points = places.into_iter().map(|(id, at)| {
            let source = sources.get(id);
            let byte = source.text().floor_char_boundary(at as usize);
            let point = match last {
                Some((same, last)) if same == id && last.line == source.line_of(byte) => {
                    let between = source.text()[last.byte..byte].chars().count();
                    Point { line: last.line, column: last.column + between, byte }
                }
                _ => {
                    let (line, column) = source.position(byte);
                    Point { line, column, byte }
                }
            };
            last = Some((id, point));
            ((id, at), point)
        });
        Self { sources, points: points.collect() }
    }

    pub(super) fn place(&self, span: Span) -> Place<'a> {
        let point = |at: u32| self.points[&(span.source, at)];
        let file = self.sources.get(span.source).name();
        Place { file, start: point(span.start), end: point(span.end) }
    }

    fn label<'b>(&self, label: &'b Label) -> Labelled<'b>
    where
        'a: 'b,
    {
        Labelled { label: &label.text, place: self.place(label.span) }
    }
}
