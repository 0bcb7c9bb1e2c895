//! Builds trees from parser events.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span as ParserSpan, Tag};

use super::{
    DUPLICATE_KEY, Entry, INVALID_YAML, MAX_ALIAS_NODES, MAX_DEPTH, MAX_NODES, Node, Scalar, Value,
};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceId, Span};

/// Reads every document of `text`.
pub(super) fn documents(text: &str, id: SourceId, found: &mut Diagnostics) -> Vec<Node> {
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut parser = Parser::new_from_str_with_options(text, options).keep_tags(false);
    let mut builder = Builder {
        id,
        text,
        found,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        budget: MAX_ALIAS_NODES,
        anchored: 0,
        nodes: 0,
        broken: false,
    };
    let mut documents = Vec::new();
    while let Some(next) = parser.next_event() {
        if builder.nodes > MAX_NODES {
            builder.too_many();
            break;
        }
        match next {
            Ok((event, span)) => documents.extend(builder.event(&event, span)),
            Err(error) => {
                builder.syntax(&error);
                builder.reset();
                if !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
    }
    documents
}

/// A collection whose end has not been seen yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<(Box<str>, Span)>,
    /// Mappings that `<<` names, to be merged at the end.
    merged: Vec<Node>,
    mapping: bool,
    extent: Extent,
    /// Where each key stands among the entries; kept from the [`MANY`]th entry on.
    seen: BTreeMap<Box<str>, usize>,
}

/// How large a node is.
#[derive(Clone, Copy)]
struct Extent {
    /// How many nodes it has, itself included. Copies of a long text count for more.
    nodes: usize,
    /// How many collections stand in one another.
    levels: usize,
}

impl Extent {
    const SCALAR: Self = Self { nodes: 1, levels: 0 };
    /// The bytes of a text that take about as much memory as a node.
    const BYTES: usize = 64;
    const COLLECTION: Self = Self { nodes: 1, levels: 1 };

    fn scalar(text: &str) -> Self {
        Self { nodes: 1 + text.len() / Self::BYTES, levels: 0 }
    }

    fn contain(&mut self, inner: Self) {
        self.nodes += inner.nodes;
        self.levels = self.levels.max(inner.levels + 1);
    }
}

/// From so many entries on a mapping's keys are looked up in a tree.
const MANY: usize = 16;

struct Builder<'a> {
    id: SourceId,
    text: &'a str,
    found: &'a mut Diagnostics,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, Extent)>,
    /// How many nodes the aliases may still expand to.
    budget: usize,
    /// How many nodes the anchors of the document hold.
    anchored: usize,
    /// How many nodes the file has so far.
    nodes: usize,
    /// The document has a problem that leaves its tree incomplete.
    broken: bool,
}

impl Builder<'_> {
    fn reset(&mut self) {
        self.open.clear();
        self.anchors.clear();
        self.anchored = 0;
        self.broken = false;
    }

    fn span(&self, span: ParserSpan) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        // A block scalar's event ends behind its last line break.
        let length = self.text.get(start..end).map_or(end - start, |t| t.trim_end().len());
        Span::new(self.id, start..start + length)
    }

    fn syntax(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
        let line_end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
        let length = self.text[at..line_end].chars().next().map_or(0, char::len_utf8);
        let span = Span::new(self.id, at..at + length);
        let message = format!("the YAML cannot be read: {}", error.info());
        self.found.push(Diagnostic::new(&INVALID_YAML, span, message));
    }

    fn too_many(&mut self) {
        let end = self.text.len();
        let last = self.open.last().map_or(Span::new(self.id, end..end), |open| open.node.span);
        let message = format!("the file has more than {MAX_NODES} values");
        let start = Span { end: last.start, ..last };
        let finding = Diagnostic::new(&INVALID_YAML, start, message);
        self.found.push(finding.help("split it into several files, and name them in `include`"));
    }

    fn problem(&mut self, span: Span, message: impl Into<String>) {
        self.broken = true;
        self.found.push(Diagnostic::new(&INVALID_YAML, span, message));
    }

    /// Reports what would be found again and again in one document.
    fn problem_once(&mut self, span: Span, message: impl Into<String>) {
        if !self.broken {
            self.problem(span, message);
        }
    }

    fn event(&mut self, event: &Event<'_>, at: ParserSpan) -> Option<Node> {
        let span = self.span(at);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = *style == ScalarStyle::Plain && tag.is_none();
                let scalar = Scalar {
                    text: text.as_ref().into(),
                    plain,
                    tag: tag.as_ref().map(|tag| tag_name(tag)),
                };
                let extent = Extent::scalar(&scalar.text);
                let value = Value::Scalar(scalar);
                self.complete(Node { span, value }, *anchor, extent)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.start(span, Value::Sequence(Vec::new()), *anchor, false);
                None
            }
            Event::MappingStart(_, anchor, _) => {
                self.start(span, Value::Mapping(Vec::new()), *anchor, true);
                None
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(*anchor, span),
            Event::UnresolvedAlias(name) => {
                self.problem(span, format!("the alias `*{name}` names no anchor"));
                self.complete(null(span), 0, Extent::SCALAR)
            }
            Event::DocumentEnd => {
                self.reset();
                None
            }
            _ => None,
        }
    }

    fn start(&mut self, span: Span, value: Value, anchor: usize, mapping: bool) {
        let node = Node { span, value };
        let (merged, seen) = (Vec::new(), BTreeMap::new());
        let extent = Extent::COLLECTION;
        self.open.push(Open { node, anchor, key: None, merged, mapping, extent, seen });
    }

    fn end(&mut self, span: Span) -> Option<Node> {
        let mut open = self.open.pop()?;
        if let Value::Mapping(entries) = &mut open.node.value {
            merge(entries, open.merged);
        }
        // A block collection's end is where the next thing starts; its last child ends earlier.
        let last = match &open.node.value {
            Value::Mapping(entries) => {
                entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end))
            }
            Value::Sequence(items) => items.last().map(|item| item.span.end),
            Value::Scalar(_) => None,
        };
        let flow = self
            .text
            .get(open.node.span.start as usize..)
            .is_some_and(|t| t.starts_with(['{', '[']));
        let end = if flow { span.end } else { last.unwrap_or(span.start) };
        open.node.span.end = end.max(open.node.span.start);
        self.complete(open.node, open.anchor, open.extent)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Option<Node> {
        let Some((node, extent)) = self.anchors.get(&anchor) else {
            // Or the anchor holds too much, which has been reported.
            self.problem_once(span, "the alias stands inside the anchor that it names");
            return self.complete(null(span), 0, Extent::SCALAR);
        };
        let extent = *extent;
        let wrong = if extent.nodes > self.budget {
            format!("the aliases expand to more than {MAX_ALIAS_NODES} nodes")
        } else if self.open.len() + extent.levels > MAX_DEPTH {
            format!("the aliases nest collections deeper than {MAX_DEPTH} levels")
        } else {
            self.budget -= extent.nodes;
            self.nodes += extent.nodes;
            let node = node.clone();
            return self.complete(node, 0, extent);
        };
        self.problem_once(span, wrong);
        self.complete(null(span), 0, Extent::SCALAR)
    }

    /// Keeps a node for the aliases that name it.
    fn keep(&mut self, anchor: usize, node: &Node, extent: Extent) {
        self.anchored += extent.nodes;
        if self.anchored > MAX_ALIAS_NODES {
            let wrong = format!("the anchors hold more than {MAX_ALIAS_NODES} nodes");
            self.problem_once(node.span, wrong);
        } else {
            self.anchors.insert(anchor, (node.clone(), extent));
        }
    }

    /// Puts a finished node where it belongs; gives it back if it is a whole document.
    fn complete(&mut self, node: Node, anchor: usize, extent: Extent) -> Option<Node> {
        self.nodes += 1;
        if anchor != 0 {
            self.keep(anchor, &node, extent);
        }
        let Some(open) = self.open.last_mut() else {
            let empty = node.is_null() && node.span.start == node.span.end;
            return (!self.broken && !empty).then_some(node);
        };
        open.extent.contain(extent);
        if !open.mapping {
            if let Value::Sequence(items) = &mut open.node.value {
                items.push(node);
            }
            return None;
        }
        match open.key.take() {
            None => self.key(node),
            Some((key, key_span)) => self.value(key, key_span, node),
        }
        None
    }

    fn key(&mut self, node: Node) {
        let Value::Scalar(scalar) = node.value else {
            self.problem(node.span, "a key must be text");
            // The value still has to find a key, or every later pair would be shifted by one.
            if let Some(open) = self.open.last_mut() {
                open.key = Some(("".into(), node.span));
            }
            return;
        };
        // A quoted "<<" is a key like any other; the mark cannot stand in a text.
        let key =
            if scalar.plain && &*scalar.text == "<<" { "\0merge".into() } else { scalar.text };
        if let Some(open) = self.open.last_mut() {
            open.key = Some((key, node.span));
        }
    }

    fn value(&mut self, key: Box<str>, key_span: Span, value: Node) {
        let Some(open) = self.open.last_mut() else { return };
        if &*key == "\0merge" {
            match value.value {
                Value::Mapping(_) => open.merged.push(value),
                Value::Sequence(items)
                    if items.iter().all(|item| matches!(item.value, Value::Mapping(_))) =>
                {
                    open.merged.extend(items);
                }
                _ => self.problem(key_span, "`<<` merges a mapping or a list of mappings"),
            }
            return;
        }
        let Value::Mapping(entries) = &mut open.node.value else { return };
        if let Some(first) = earlier(entries, &mut open.seen, &key) {
            let first = entries[first].key_span;
            let message = format!("the key `{key}` stands twice in one mapping");
            let twice = Diagnostic::new(&DUPLICATE_KEY, key_span, message).label("again here");
            self.found.push(twice.related(first, "first here").help("keep one of them"));
            return;
        }
        entries.push(Entry { key, key_span, value });
    }
}

/// The place of `key` among the entries, in less than linear time for large mappings.
fn earlier(entries: &[Entry], seen: &mut BTreeMap<Box<str>, usize>, key: &str) -> Option<usize> {
    if entries.len() < MANY {
        return entries.iter().position(|entry| &*entry.key == key);
    }
    for (at, entry) in entries.iter().enumerate().skip(seen.len()) {
        seen.insert(entry.key.clone(), at);
    }
    seen.get(key).copied()
}

/// Adds what the merged mappings have and the mapping itself has not; the earlier one wins.
fn merge(entries: &mut Vec<Entry>, merged: Vec<Node>) {
    if merged.is_empty() {
        return;
    }
    let mut seen: BTreeSet<Box<str>> = entries.iter().map(|entry| entry.key.clone()).collect();
    for node in merged {
        let Value::Mapping(more) = node.value else { continue };
        entries.extend(more.into_iter().filter(|entry| seen.insert(entry.key.clone())));
    }
}

fn null(span: Span) -> Node {
    Node { span, value: Value::Scalar(Scalar { text: "".into(), plain: true, tag: None }) }
}

fn tag_name(tag: &Tag) -> Box<str> {
    tag.original().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn read(text: &str) -> (SourceMap, Vec<Node>, Diagnostics) {
        let mut sources = SourceMap::new();
        let id = sources.add("a.yaml", text);
        let mut found = Diagnostics::new();
        let documents = documents(text, id, &mut found);
        (sources, documents, found)
    }

    fn messages(found: &Diagnostics) -> Vec<String> {
        found.iter().map(|d| format!("{}: {}", d.rule.code, d.message)).collect()
    }

    #[test]
    fn spans_are_bytes_of_keys_and_values() {
        let text = "é: {a: 1}\nlist:\n  - x\n  - yy  # c\nlast: |\n  text\n\n";
        let (_, documents, found) = read(text);
        assert!(found.is_empty(), "{:?}", messages(&found));
        let slice = |span: Span| &text[span.range()];
        let root = &documents[0];
        assert_eq!(slice(root.entry("é").unwrap().key_span), "é");
        assert_eq!(slice(root.get("é").unwrap().span), "{a: 1}");
        assert_eq!(slice(root.get("list").unwrap().span), "- x\n  - yy");
        assert_eq!(root.get("last").unwrap().text(), Some("text\n"));
        assert_eq!(slice(root.get("last").unwrap().span), "text");
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next() {
        let (_, documents, found) = read("a: [1\n---\nb: 2\n---\nc: *nothing\n---\nd: 4\n");
        assert_eq!(documents.len(), 2, "{documents:?}");
        assert_eq!(found.len(), 2, "{:?}", messages(&found));
    }

    #[test]
    fn merges_as_go_does() {
        let (_, documents, found) = read("base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  x: 3\n");
        assert!(found.is_empty());
        let own = documents[0].get("own").unwrap();
        assert_eq!(own.get("x").unwrap().text(), Some("3"));
        assert_eq!(own.get("y").unwrap().text(), Some("2"));
    }

    #[test]
    fn a_duplicate_key_is_reported_once_and_the_first_wins() {
        let (_, documents, found) = read("a: 1\na: 2\n");
        assert_eq!(messages(&found), ["LB0002: the key `a` stands twice in one mapping"]);
        assert_eq!(documents[0].get("a").unwrap().text(), Some("1"));
    }

    #[test]
    fn many_keys_take_near_linear_time() {
        let mut text = (0..200_000).map(|n| format!("k{n}: 1\n")).collect::<Vec<_>>().concat();
        text.push_str("k7: 2\n");
        let (_, documents, found) = read(&text);
        assert_eq!(documents[0].entries().unwrap().len(), 200_000);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn bombs_are_findings() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..20 {
            let before = format!("*a{}", n - 1);
            let line = format!("a{n}: &a{n} [{}]\n", vec![before; 10].join(", "));
            bomb.push_str(&line);
        }
        let (_, documents, found) = read(&bomb);
        assert!(documents.is_empty());
        assert_eq!(messages(&found), ["LB0001: the aliases expand to more than 500000 nodes"]);
        let (_, documents, found) = read(&"[".repeat(100_000));
        assert!(documents.is_empty());
        assert_eq!(found.len(), 1);
        let (_, _, found) = read("a: &a [*a]\n");
        assert_eq!(found.len(), 1);
        let copies = vec!["*long"; 100_000].join(", ");
        let (_, documents, found) =
            read(&format!("long: &long {}\ncopies: [{copies}]\n", "x".repeat(10_000)));
        assert!(documents.is_empty());
        assert_eq!(messages(&found), ["LB0001: the aliases expand to more than 500000 nodes"]);
        let (_, documents, found) = read(&format!("a: 1\n---\n[{}]\n", "1,".repeat(MAX_NODES)));
        assert_eq!(documents.len(), 1);
        assert_eq!(messages(&found), ["LB0001: the file has more than 2000000 values"]);
        // Each alias stands at the bottom of what the next one names.
        let (open, close) = ("[".repeat(190), "]".repeat(190));
        let floor = |n: usize| format!("a{n}: &a{n} {open}*a{}{close}\n", n - 1);
        let floors: Vec<String> = (1..60).map(floor).collect();
        let tower = format!("a0: &a0 {open}{close}\n{}", floors.concat());
        let (_, documents, found) = read(&tower);
        assert!(documents.is_empty());
        assert_eq!(
            messages(&found),
            ["LB0001: the aliases nest collections deeper than 200 levels"]
        );
        // Each anchor holds all that stands inside it.
        let anchors: Vec<String> = (0..190).map(|n| format!("&a{n} [")).collect();
        let many = "x, ".repeat(10_000);
        let (_, documents, found) = read(&format!("{}{many}{close}", anchors.concat()));
        assert!(documents.is_empty());
        assert_eq!(messages(&found), ["LB0001: the anchors hold more than 500000 nodes"]);
    }
}
