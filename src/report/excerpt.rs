//! The lines of a finding, as few as show it, and of bounded length.

use annotate_snippets::{Annotation, AnnotationKind, Element, Origin, Snippet};

use super::untrusted;
use crate::diagnostic::{Diagnostic, Label};
use crate::source::{Source, SourceId, SourceMap};

/// Longer lines, in bytes, are shown around the place only.
const LONG_LINE: usize = 4096;
/// How much of a long line is shown on either side of the place, in bytes.
const AROUND: usize = 60;
/// Places of one file that stand further apart, in lines, are shown apart.
const FAR: usize = 200;
/// Most related places that are shown.
pub(super) const MAX_RELATED: usize = 10;

/// A place on one line of a source.
#[derive(Clone, Copy)]
struct Mark<'a> {
    source: SourceId,
    line: usize,
    /// Bytes in the whole source.
    start: usize,
    end: usize,
    label: &'a str,
    primary: bool,
}

impl<'a> Mark<'a> {
    /// Places that cover several lines are marked on the first one.
    fn of(sources: &SourceMap, label: &'a Label, primary: bool) -> Self {
        let source = sources.get(label.span.source);
        let range = label.span.range();
        let line = source.line_of(range.start);
        let bounds = source.line_range(line);
        let start = source.text().floor_char_boundary(range.start.min(bounds.end));
        let end = source.text().ceil_char_boundary(range.end.clamp(start, bounds.end));
        Self { source: label.span.source, line, start, end, label: &label.text, primary }
    }

    fn annotation(&self, start: usize, end: usize) -> Annotation<'a> {
        let kind = if self.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let text = (!self.label.is_empty()).then(|| untrusted::line(self.label));
        kind.span(start..end).label(text)
    }
}

/// The excerpts that show a finding, its primary place first.
pub(super) fn of<'a>(sources: &'a SourceMap, finding: &'a Diagnostic) -> Vec<Element<'a>> {
    let related = finding.related.iter().take(MAX_RELATED);
    let related = related.map(|label| Mark::of(sources, label, false));
    let mut blocks: Vec<Vec<Mark<'_>>> = Vec::new();
    for mark in std::iter::once(Mark::of(sources, &finding.primary, true)).chain(related) {
        match blocks.iter_mut().find(|block| joins(sources, block, &mark)) {
            Some(block) => block.push(mark),
            None => blocks.push(vec![mark]),
        }
    }
    blocks.iter().flat_map(|block| excerpt(sources, block)).collect()
}

fn is_long(source: &Source, line: usize) -> bool {
    source.line_range(line).len() > LONG_LINE
}

fn joins(sources: &SourceMap, block: &[Mark<'_>], mark: &Mark<'_>) -> bool {
    let source = sources.get(mark.source);
    let near = |other: &Mark<'_>| {
        other.source == mark.source
            && other.line.abs_diff(mark.line) <= FAR
            && !is_long(source, other.line)
    };
    !is_long(source, mark.line) && block.iter().all(near)
}

fn excerpt<'a>(sources: &'a SourceMap, block: &[Mark<'a>]) -> Vec<Element<'a>> {
    let source = sources.get(block[0].source);
    if is_long(source, block[0].line) {
        return part_of_line(source, &block[0]);
    }
    let first = block.iter().map(|mark| mark.line).min().unwrap_or(1);
    let last = block.iter().map(|mark| mark.line).max().unwrap_or(first);
    let mut text = String::new();
    let mut starts = Vec::new();
    for line in first..=last {
        starts.push(text.len());
        // What stands between two places is folded anyway.
        let shown =
            if is_long(source, line) { "…" } else { &source.text()[source.line_range(line)] };
        text.push_str(&untrusted::same_length(shown));
        text.push('\n');
    }
    let marks = block.iter().map(|mark| {
        let begin = source.line_range(mark.line).start;
        let offset = starts[mark.line - first];
        mark.annotation(offset + mark.start - begin, offset + mark.end - begin)
    });
    let marks: Vec<_> = marks.collect();
    vec![
        Snippet::source(text)
            .path(untrusted::line(source.name()))
            .line_start(first)
            .annotations(marks)
            .into(),
    ]
}

/// A line that is too long to be shown whole; its column is told apart from the text.
fn part_of_line<'a>(source: &'a Source, mark: &Mark<'a>) -> Vec<Element<'a>> {
    let text = source.text();
    let line = source.line_range(mark.line);
    let from = text.floor_char_boundary(mark.start.saturating_sub(AROUND).max(line.start));
    let to = text.ceil_char_boundary((mark.start + AROUND).min(line.end));
    let before = if from > line.start { "…" } else { "" };
    let after = if to < line.end { "…" } else { "" };
    // Where the part begins or ends inside of credentials, they are seen in more of the line only.
    let begin = text.floor_char_boundary(from.saturating_sub(LONG_LINE).max(line.start));
    let end = text.ceil_char_boundary((to + LONG_LINE).min(line.end));
    let part = untrusted::same_length(&text[begin..end]);
    let shown = format!("{before}{}{after}\n", &part[from - begin..to - begin]);
    let offset = |at: usize| at.clamp(from, to) - from + before.len();
    let annotation = mark.annotation(offset(mark.start), offset(mark.end));
    let (number, column) = source.position(mark.start);
    let origin = Origin::path(untrusted::line(source.name())).line(number).char_column(column);
    let snippet = Snippet::source(shown).line_start(mark.line).annotation(annotation);
    vec![origin.into(), snippet.into()]
}
