//! Replaces Flux's variables in an object, string by string, so that every result keeps the place
//! of what the user wrote.
//!
//! Flux does it in the text of the whole object, which differs only where `${` has no `}` in its
//! own string; that is reported.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::template::{self, Problem};
use super::variables::Variables;
use super::written::{is_plain, written};
use crate::diagnostic::Diagnostics;
use crate::source::Span;
use crate::yaml::json::json;
use crate::yaml::{self, Entry, MAX_ALIAS_NODES, Node, Scalar, Value};

/// Most strings with variables in one file.
pub(super) const MAX_STRINGS: usize = 100_000;

/// Where a string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is a key of a mapping.
    Key,
    /// It is the value of a key.
    Value,
    /// It is an item of a list.
    Item,
}

/// What the strings of one file may still cost.
pub(super) struct Budget {
    bytes: usize,
    strings: usize,
    nodes: usize,
}

impl Budget {
    /// For a file of so many bytes.
    pub(super) fn new(size: usize) -> Self {
        let bytes = size.saturating_mul(4).saturating_add(1024 * 1024);
        Self { bytes, strings: MAX_STRINGS, nodes: MAX_ALIAS_NODES }
    }
}

/// Why an object has no variables replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The first string that it is about.
    pub(super) span: Span,
    /// What is wrong with it; of unknown variables, all that the object names.
    pub(super) problem: Problem,
}

/// Replaces the variables in an object.
pub(super) fn object(
    node: Node,
    variables: &Variables,
    budget: &mut Budget,
) -> Result<Node, Failure> {
    let mut substitution = Substitution { variables, budget, failure: None };
    let node = substitution.node(node, Place::Value);
    match substitution.failure {
        None => Ok(node),
        Some(failure) => Err(failure),
    }
}

struct Substitution<'a> {
    variables: &'a Variables,
    budget: &'a mut Budget,
    failure: Option<Failure>,
}

impl Substitution<'_> {
    fn fail(&mut self, span: Span, problem: Problem) {
        match (&mut self.failure, problem) {
            (Some(Failure { problem: Problem::Unknown(names), .. }), Problem::Unknown(more)) => {
                names.extend(more);
            }
            (Some(Failure { problem: Problem::Unknown(_), .. }) | None, problem) => {
                self.failure = Some(Failure { span, problem });
            }
            _ => {}
        }
    }

    /// Whether a problem was met that no other string can add to.
    fn has_failed(&self) -> bool {
        matches!(&self.failure, Some(failure) if !matches!(failure.problem, Problem::Unknown(_)))
    }

    fn node(&mut self, node: Node, place: Place) -> Node {
        let Node { span, value } = node;
        match value {
            Value::Scalar(scalar) => self.scalar(scalar, span, place),
            Value::Sequence(items) => {
                let items = items.into_iter().map(|item| self.node(item, Place::Item)).collect();
                Node { span, value: Value::Sequence(items) }
            }
            Value::Mapping(entries) => Node { span, value: Value::Mapping(self.entries(entries)) },
        }
    }

    fn entries(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let has_variables = entries.iter().any(|entry| needs_reading(&entry.key));
        let entries: Vec<Entry> = entries.into_iter().map(|entry| self.entry(entry)).collect();
        if has_variables && !self.has_failed() {
            let mut seen = BTreeSet::new();
            if let Some(again) = entries.iter().find(|entry| !seen.insert(&entry.key)) {
                let why = format!("the key `{}` would stand twice", again.key);
                self.fail(again.key_span, Problem::Unreadable(why));
            }
        }
        entries
    }

    fn entry(&mut self, entry: Entry) -> Entry {
        let Entry { mut key, key_span, value } = entry;
        if needs_reading(&key) {
            match self.replaced(&key, key_span, Place::Key) {
                Ok(Node { value: Value::Scalar(scalar), .. }) => key = scalar.text,
                Ok(_) => self.fail(key_span, Problem::Unreadable("a key must be text".to_owned())),
                Err(problem) => self.fail(key_span, problem),
            }
        }
        Entry { key, key_span, value: self.node(value, Place::Value) }
    }

    fn scalar(&mut self, scalar: Scalar, span: Span, place: Place) -> Node {
        if needs_reading(&scalar.text) && !self.has_failed() {
            match self.replaced(&scalar.text, span, place) {
                Ok(node) => return node,
                Err(problem) => self.fail(span, problem),
            }
        }
        Node { span, value: Value::Scalar(scalar) }
    }

    /// What a string becomes: it may turn into a number, a list or a mapping.
    fn replaced(&mut self, text: &str, span: Span, place: Place) -> Result<Node, Problem> {
        self.budget.strings = self.budget.strings.checked_sub(1).ok_or(Problem::TooLarge)?;
        let variables = self.variables;
        let lookup = |name: &str| variables.get(name);
        let result = template::expand(&written(text), &lookup, &mut self.budget.bytes)?;
        if place != Place::Key && is_plain(text) && is_word(&result) {
            let scalar = Scalar { text: result.into(), plain: true, tag: None };
            return Ok(Node { span, value: Value::Scalar(scalar) });
        }
        let mut node = read(&result, span, place).map_err(Problem::Unreadable)?;
        relocate(&mut node, span, &mut self.budget.nodes)?;
        Ok(node)
    }
}

/// Whether a string may have something to replace.
fn needs_reading(text: &str) -> bool {
    text.contains("${") || text.contains("$$")
}

/// Whether a text is one plain scalar at any place.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte))
}

/// Reads a text as it would be read at its place.
fn read(text: &str, span: Span, place: Place) -> Result<Node, String> {
    let around = match place {
        Place::Value => format!("k: {text}\n"),
        Place::Item => format!("- {text}\n"),
        Place::Key if text.contains('\n') => format!("? {text}\n: v\n"),
        Place::Key => format!("m:\n  {text}: v\n"),
    };
    let mut found = Diagnostics::new();
    let documents = yaml::parse_text(&around, span.source, &mut found);
    if let Some(problem) = found.iter().next() {
        return Err(problem.message.clone());
    }
    let document = <[Node; 1]>::try_from(documents).ok().map(|[document]| document);
    let inside = document.and_then(|document| match place {
        Place::Item => match document.value {
            Value::Sequence(items) => <[Node; 1]>::try_from(items).ok().map(|[item]| item),
            Value::Scalar(_) | Value::Mapping(_) => None,
        },
        Place::Value => only_entry(document).map(|entry| entry.value),
        Place::Key if text.contains('\n') => key_of(only_entry(document)?, text),
        Place::Key => key_of(only_entry(only_entry(document)?.value)?, text),
    });
    inside.ok_or_else(|| "it is not one value".to_owned())
}

/// The key as Go makes text of it: `yes` is `true`, and nothing is no key.
fn key_of(Entry { key, key_span, .. }: Entry, written: &str) -> Option<Node> {
    // The parser gives an absent key as `~`.
    let plain = written.trim() == &*key || &*key == "~";
    let scalar = Scalar { plain, text: key, tag: None };
    let text = match json(&Node { span: key_span, value: Value::Scalar(scalar) }) {
        Json::String(text) => text,
        other @ (Json::Bool(_) | Json::Number(_)) => other.to_string(),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    };
    let scalar = Scalar { plain: true, text: text.into(), tag: None };
    Some(Node { span: key_span, value: Value::Scalar(scalar) })
}

fn only_entry(node: Node) -> Option<Entry> {
    match node.value {
        Value::Mapping(entries) => <[Entry; 1]>::try_from(entries).ok().map(|[entry]| entry),
        Value::Scalar(_) | Value::Sequence(_) => None,
    }
}

/// Gives everything in a result the place of the string that it comes from.
fn relocate(node: &mut Node, span: Span, left: &mut usize) -> Result<(), Problem> {
    *left = left.checked_sub(1).ok_or(Problem::TooLarge)?;
    node.span = span;
    match &mut node.value {
        Value::Scalar(_) => Ok(()),
        Value::Sequence(items) => items.iter_mut().try_for_each(|item| relocate(item, span, left)),
        Value::Mapping(entries) => entries.iter_mut().try_for_each(|entry| {
            if entry.key.is_empty() || &*entry.key == "~" {
                return Err(Problem::Unreadable("a key must be text".to_owned()));
            }
            entry.key_span = span;
            relocate(&mut entry.value, span, left)
        }),
    }
}
