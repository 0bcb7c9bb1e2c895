//! The comments of a YAML text that speak to landbridge, and what stands below each.
//!
//! A `#` in a quoted string or in a block scalar begins no comment. The parser's events say where
//! scalars are; every other `#` that white space or the start of a line precedes begins one.

use granit_parser::{Event, Options, Parser, ScalarStyle, Span as ParserSpan, StructureStyle};

use super::{MAX_DEPTH, MAX_NODES};
use crate::source::{SourceId, SourceMap, Span};

/// How such a comment begins, in any case.
pub const PREFIX: &str = "landbridge";

/// A comment that speaks to landbridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remark {
    /// From its `#` to its end.
    pub span: Span,
    /// What it is about: the line that it ends, or what begins on the next line, with everything
    /// in it. Nothing where nothing follows.
    pub about: Option<Span>,
}

/// The comments that begin with `landbridge:` or `landbridge allow(`.
///
/// At the end of a line a comment is about that line. On a line of its own it is about the key or
/// the item that begins below it, and about the whole document where that is `---`. What stands in
/// a commented line is none. Of a document that is no YAML, those up to the mistake are read.
pub fn remarks(sources: &SourceMap, id: SourceId) -> Vec<Remark> {
    let text = sources.get(id).text();
    let queue = candidates(text);
    if queue.is_empty() {
        return Vec::new();
    }
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut parser = Parser::new_from_str_with_options(text, options).keep_tags(false);
    let mut reader = Reader::new(text, id, queue);
    for _ in 0..MAX_EVENTS {
        match parser.next_event() {
            Some(Ok((event, at))) => reader.event(&event, at),
            Some(Err(_)) => {
                reader.fail();
                if !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
            None => break,
        }
    }
    reader.remarks
}

/// A file with more events has more nodes than are read.
const MAX_EVENTS: usize = 2 * MAX_NODES;

/// What is a comment to landbridge if it is a comment.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    start: usize,
    end: usize,
    /// The first and the last byte of its line, without the line's end.
    line: (usize, usize),
    /// Nothing but comments stands on its line.
    alone: bool,
}

fn candidates(text: &str) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    let (mut seen, mut line) = (0, (0, 0));
    for (start, _) in text.match_indices('#') {
        let begins = text[..start].ends_with([' ', '\t', '\n', '\r']) || start == 0;
        if !begins || !speaks(&text[start..]) {
            continue;
        }
        if let Some(at) = text[seen..start].rfind(['\n', '\r']) {
            line = (seen + at + 1, 0);
        }
        if line.1 <= start {
            line.1 = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        }
        seen = start;
        let same = all.last_mut().filter(|last| last.line == line);
        let alone = match same {
            Some(last) => {
                last.end = start;
                last.alone
            }
            None => text[line.0..start].trim_ascii().is_empty(),
        };
        all.push(Candidate { start, end: line.1, line, alone });
    }
    all
}

/// Whether a comment begins as those that landbridge reads.
fn speaks(comment: &str) -> bool {
    let said = comment.trim_start_matches('#').trim_start_matches([' ', '\t']);
    let Some((word, rest)) = said.split_at_checked(PREFIX.len()) else { return false };
    let rest = rest.trim_start_matches([' ', '\t']);
    let allows = |rest: &str| rest.trim_start_matches([' ', '\t']).starts_with('(');
    word.eq_ignore_ascii_case(PREFIX)
        && (rest.starts_with(':') || rest.strip_prefix("allow").is_some_and(allows))
}

/// A collection whose end has not been seen yet.
struct Open {
    mapping: bool,
    flow: bool,
    /// The next node is the value of a key.
    value: bool,
    /// The comments about the whole of it.
    whole: Vec<usize>,
    /// The comments about the entry that is being read.
    entry: Vec<usize>,
    /// Where what has been read of it ends.
    end: usize,
}

struct Reader<'a> {
    text: &'a str,
    id: SourceId,
    queue: Vec<Candidate>,
    next: usize,
    remarks: Vec<Remark>,
    /// Comments on lines of their own, until something begins below them, and where the last ends.
    waiting: Vec<usize>,
    waiting_end: usize,
    /// Comments about the document that begins.
    document: Vec<usize>,
    open: Vec<Open>,
    /// Where the last scalar ended.
    scalar_end: usize,
    /// What is passed over is no YAML.
    failed: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, id: SourceId, queue: Vec<Candidate>) -> Self {
        Self {
            text,
            id,
            queue,
            next: 0,
            remarks: Vec::new(),
            waiting: Vec::new(),
            waiting_end: 0,
            document: Vec::new(),
            open: Vec::new(),
            scalar_end: 0,
            failed: false,
        }
    }

    fn fail(&mut self) {
        self.failed = true;
        self.open.clear();
        self.waiting.clear();
        self.document.clear();
    }

    fn event(&mut self, event: &Event<'_>, at: ParserSpan) {
        let range = at.byte_range().unwrap_or(0..0);
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        self.comments_before(start);
        match event {
            Event::DocumentStart(explicit, _) => {
                self.failed = false;
                if *explicit {
                    self.document.append(&mut self.waiting);
                }
            }
            Event::DocumentEnd => self.document.clear(),
            Event::Scalar(_, style, ..) => {
                // A comment may stand between the lines of a plain scalar, never in its text.
                if *style != ScalarStyle::Plain {
                    self.pass_over(end);
                }
                self.scalar_end = end;
                let length = self.text[start..end].trim_end().len();
                self.node(start, Some(start + length), false);
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.node(start, Some(end), false);
            }
            Event::SequenceStart(style, ..) => self.begin(start, *style, false),
            Event::MappingStart(style, ..) => self.begin(start, *style, true),
            Event::SequenceEnd | Event::MappingEnd => self.finish(end),
            _ => {}
        }
    }

    /// Takes the candidates up to `start` for comments.
    fn comments_before(&mut self, start: usize) {
        while let Some(candidate) = self.queue.get(self.next).filter(|c| c.start < start) {
            let candidate = *candidate;
            self.next += 1;
            if !self.failed && !self.is_commented_out(candidate) {
                self.comment(candidate);
            }
        }
    }

    /// Passes over the candidates in a scalar.
    fn pass_over(&mut self, end: usize) {
        while self.queue.get(self.next).is_some_and(|candidate| candidate.start < end) {
            self.next += 1;
        }
    }

    /// Whether it stands in another comment that is alone on its line.
    fn is_commented_out(&self, candidate: Candidate) -> bool {
        let line = &self.text[candidate.line.0..candidate.start];
        !candidate.alone
            && line.trim_ascii_start().starts_with('#')
            && self.scalar_end <= candidate.line.0
    }

    fn comment(&mut self, Candidate { start, end, line, alone }: Candidate) {
        let about = (!alone).then(|| Span::new(self.id, line.0..line.1));
        if alone {
            self.waiting.push(self.remarks.len());
            self.waiting_end = end;
        }
        self.remarks.push(Remark { span: Span::new(self.id, start..end), about });
    }

    fn begin(&mut self, start: usize, style: StructureStyle, mapping: bool) {
        let flow = style == StructureStyle::Flow;
        let whole = self.node(start, None, !flow);
        let entry = Vec::new();
        self.open.push(Open { mapping, flow, value: false, whole, entry, end: start });
    }

    /// A node begins; one with an `end` is complete. Gives the comments about the whole of it.
    fn node(&mut self, start: usize, end: Option<usize>, block: bool) -> Vec<usize> {
        let mut whole = Vec::new();
        if self.open.is_empty() {
            whole.append(&mut self.document);
        }
        let open = self.open.last();
        let key = open.is_some_and(|open| open.mapping && !open.value);
        let item = open.filter(|open| !open.mapping).map(|open| open.flow);
        if !self.waiting.is_empty() {
            let begins = match item {
                Some(true) => true,
                Some(false) => !block || self.dash_follows(start),
                // The first key of a block mapping begins below the comment, not the mapping.
                None => !block,
            };
            if key {
                let waiting = std::mem::take(&mut self.waiting);
                self.open.last_mut().expect("internal error: a key stands in a mapping").entry =
                    waiting;
            } else if begins {
                whole.append(&mut self.waiting);
            }
        }
        match end {
            Some(end) => {
                self.complete(whole, end);
                Vec::new()
            }
            None => whole,
        }
    }

    /// Whether the dash of the item that begins stands below the comments.
    fn dash_follows(&self, start: usize) -> bool {
        let mut between = self.text.get(self.waiting_end..start).unwrap_or_default().trim_start();
        while between.starts_with('#') {
            let end = between.find(['\n', '\r']).unwrap_or(between.len());
            between = between[end..].trim_start();
        }
        between.starts_with('-')
    }

    fn finish(&mut self, at: usize) {
        let Some(open) = self.open.pop() else { return };
        if open.flow {
            // Nothing follows them in the brackets.
            self.waiting.clear();
        }
        self.complete(open.whole, if open.flow { at } else { open.end });
    }

    fn complete(&mut self, whole: Vec<usize>, end: usize) {
        self.settle(whole, end);
        let Some(open) = self.open.last_mut() else { return };
        open.end = open.end.max(end);
        let entry = if open.value { std::mem::take(&mut open.entry) } else { Vec::new() };
        open.value = open.mapping && !open.value;
        let end = open.end;
        self.settle(entry, end);
    }

    fn settle(&mut self, comments: Vec<usize>, end: usize) {
        for at in comments {
            let remark = &mut self.remarks[at];
            let start = remark.span.end as usize;
            remark.about = Some(Span::new(self.id, start..end.max(start)));
        }
    }
}

#[cfg(test)]
mod tests;
