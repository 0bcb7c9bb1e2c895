//! The texts of a run and places in them.
//!
//! Every file that is read gets a [`SourceId`]; a [`Span`] is a byte range in one of them. Spans
//! are small and `Copy`, so that everything that may be reported later can carry one.

pub mod credentials;

use std::ops::Range;

/// Names one text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(u32);

/// A byte range in one source; never larger than 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The text that the range is in.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Makes a span of the bytes `range` of `source`; positions past 4 GiB are clamped.
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { source, start: clamp(range.start), end: clamp(range.end) }
    }

    /// The start of a source: where a finding about the file as a whole points.
    pub fn start_of(source: SourceId) -> Self {
        Self { source, start: 0, end: 0 }
    }

    /// The byte range.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value with the place where it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Applies `f` to the value and keeps the place.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// One text with its name.
#[derive(Debug)]
pub struct Source {
    name: String,
    text: String,
    lines: Vec<u32>,
}

impl Source {
    fn new(name: String, text: String) -> Self {
        let mut lines = vec![0];
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        lines.extend(starts.filter_map(|(at, _)| u32::try_from(at + 1).ok()));
        Self { name, text, lines }
    }

    /// The path as the user knows it: relative to the project, with `/`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of the line that a byte stands in, from 1.
    pub fn line_of(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start as usize <= byte.min(self.text.len()))
    }

    /// The bytes of a line, without its end; empty for a line that is not there.
    pub fn line_range(&self, line: usize) -> Range<usize> {
        let start = |line: usize| self.lines.get(line).map_or(self.text.len(), |at| *at as usize);
        let (first, next) = (start(line.wrapping_sub(1)), start(line));
        let text = self.text.get(first..next).unwrap_or_default();
        first..first + text.trim_end_matches(['\n', '\r']).len()
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let line = self.lines.partition_point(|start| *start as usize <= byte) - 1;
        let start = self.lines[line] as usize;
        let column = self.text.get(start..byte).map_or(0, |before| before.chars().count());
        (line + 1, column + 1)
    }
}

/// All texts of a run.
#[derive(Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text and gives its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).expect("internal error: 2^32 files"));
        self.sources.push(Source::new(name.into(), text.into()));
        id
    }

    /// The source of an id that this map gave out.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    /// All sources with their ids, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.sources)
    }

    /// `file:line:column` of a span's start, as compilers print it.
    pub fn location(&self, span: Span) -> String {
        let source = self.get(span.source);
        let (line, column) = source.position(span.start as usize);
        format!("{}:{line}:{column}", source.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines() {
        let mut map = SourceMap::new();
        let id = map.add("a.yaml", "é: 1\nb: 2\n");
        assert_eq!(map.get(id).position(0), (1, 1));
        assert_eq!(map.get(id).position(2), (1, 2));
        assert_eq!(map.get(id).position(6), (2, 1));
        assert_eq!(map.get(id).position(9999), (3, 1));
        assert_eq!(map.location(Span::new(id, 9..10)), "a.yaml:2:4");
    }

    #[test]
    fn lines_have_no_end() {
        let mut map = SourceMap::new();
        let id = map.add("a.yaml", "a: 1\r\n\nb: 2");
        let source = map.get(id);
        let lines = [1, 2, 3, 4, 0].map(|line| &source.text()[source.line_range(line)]);
        assert_eq!(lines, ["a: 1", "", "b: 2", "", ""]);
        assert_eq!([0, 5, 6, 7, 99].map(|byte| source.line_of(byte)), [1, 1, 2, 3, 3]);
    }
}
