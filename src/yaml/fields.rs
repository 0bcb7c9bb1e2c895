//! Decodes trees into the language's types and reports every problem on the way.
//!
//! A type that can be read implements [`Decode`]. Mappings with known keys are declared by
//! [`object!`](crate::object) and words by [`choice!`](crate::choice): the declaration makes the
//! type, its decoder and its [`Shape`], so that they cannot differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scalar::{Resolved, go, is_ambiguous};
use super::shape::Shape;
use super::{
    AMBIGUOUS_SCALAR, Entry, INVALID_VALUE, MISSING_KEY, Node, Scalar, UNKNOWN_KEY, Value,
    WRONG_TYPE,
};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};

/// A value that can be read from a tree.
pub trait Decode: Sized {
    /// What it takes.
    fn shape() -> Shape;

    /// Reads it; every problem is reported, and a value is given where enough is left of it.
    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self>;

    /// The value where the key is absent; `None` where the key must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// The value where the key is there and its value could not be read. The problem has been
    /// reported already.
    fn broken() -> Option<Self> {
        Self::absent()
    }

    /// Whether the key must be there.
    fn required() -> bool {
        Self::absent().is_none()
    }
}

/// Reports a value of the wrong kind.
pub fn wrong_type(node: &Node, wanted: &str, found: &mut Diagnostics) {
    let message = format!("expected {wanted}, found {}", node.describe());
    found.push(Diagnostic::new(&WRONG_TYPE, node.span, message));
}

/// Reports a value that is not allowed.
pub fn invalid(span: Span, message: impl Into<String>, help: &str, found: &mut Diagnostics) {
    let mut diagnostic = Diagnostic::new(&INVALID_VALUE, span, message);
    if !help.is_empty() {
        diagnostic = diagnostic.help(help);
    }
    found.push(diagnostic);
}

/// Longest text of the language and longest name, in bytes. Nothing that it says needs more, and
/// what is longer would be repeated in every finding about it.
pub const MAX_TEXT: usize = 16 * 1024;

/// The text of a node that must be text; `wanted` names its form.
pub fn text<'a>(node: &'a Node, wanted: &str, found: &mut Diagnostics) -> Option<&'a str> {
    let Value::Scalar(scalar) = &node.value else {
        wrong_type(node, wanted, found);
        return None;
    };
    if too_long(&scalar.text, node.span, found) {
        return None;
    }
    if !scalar.plain || go(&scalar.text) == Resolved::Text {
        return Some(&scalar.text);
    }
    if node.is_null() {
        wrong_type(node, wanted, found);
        return None;
    }
    ambiguous(node, scalar, wanted, found);
    None
}

fn too_long(text: &str, span: Span, found: &mut Diagnostics) -> bool {
    let long = text.len() > MAX_TEXT;
    if long {
        invalid(span, format!("the text is longer than {} KiB", MAX_TEXT / 1024), "", found);
    }
    long
}

fn ambiguous(node: &Node, scalar: &Scalar, wanted: &str, found: &mut Diagnostics) {
    let text = &scalar.text;
    let seen = match go(text) {
        Resolved::Bool(value) => format!("the boolean {value}"),
        Resolved::Integer(value) => format!("the number {value}"),
        Resolved::Float(value) => format!("the number {value}"),
        Resolved::Null => "nothing".to_owned(),
        Resolved::Text => "text".to_owned(),
    };
    found.push(
        Diagnostic::new(
            &AMBIGUOUS_SCALAR,
            node.span,
            format!("`{text}` without quotes is not {wanted}"),
        )
        .label(format!("kubectl, Helm and Argo CD read {seen}"))
        .help(format!("write `\"{text}\"` if text is meant")),
    );
}

impl Decode for String {
    fn shape() -> Shape {
        Shape::Text { what: "text", pattern: None }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        text(node, "text", found).map(str::to_owned)
    }
}

impl Decode for bool {
    fn shape() -> Shape {
        Shape::Bool
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        if let Value::Scalar(scalar) = &node.value
            && scalar.plain
            && let Resolved::Bool(value) = go(&scalar.text)
        {
            if is_ambiguous(&scalar.text) {
                let help = format!("write `{value}`");
                let message = format!("`{}` is a boolean to some readers only", scalar.text);
                found.push(Diagnostic::new(&AMBIGUOUS_SCALAR, node.span, message).help(help));
                return None;
            }
            return Some(value);
        }
        wrong_type(node, "`true` or `false`", found);
        None
    }
}

/// Reads an integer between `min` and `max`, written in plain decimal digits.
pub fn integer(node: &Node, min: i64, max: i64, found: &mut Diagnostics) -> Option<i64> {
    let wanted = format!("a whole number from {min} to {max}");
    let Value::Scalar(scalar) = &node.value else {
        wrong_type(node, &wanted, found);
        return None;
    };
    let Resolved::Integer(value) = (if scalar.plain { go(&scalar.text) } else { Resolved::Text })
    else {
        wrong_type(node, &wanted, found);
        return None;
    };
    if is_ambiguous(&scalar.text) {
        let message = format!("`{}` is not the same number to all readers", scalar.text);
        found.push(
            Diagnostic::new(&AMBIGUOUS_SCALAR, node.span, message)
                .label(format!("kubectl, Helm and Argo CD read {value}"))
                .help("write the number in plain decimal digits"),
        );
        return None;
    }
    match i64::try_from(value) {
        Ok(value) if value >= min && value <= max => Some(value),
        _ => {
            invalid(node.span, format!("`{value}` is not {wanted}"), "", found);
            None
        }
    }
}

/// An integer whose bounds are part of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Decode for Int<MIN, MAX> {
    fn shape() -> Shape {
        Shape::Integer { min: MIN, max: MAX }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        integer(node, MIN, MAX, found).map(Self)
    }
}

impl<T: Decode> Decode for Spanned<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        T::decode(node, found).map(|value| Self::new(value, node.span))
    }
}

impl<T: Decode> Decode for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        T::decode(node, found).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Box<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        T::decode(node, found).map(Self::new)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        if node.is_null() {
            return Some(Self::new());
        }
        let Some(items) = node.items() else {
            wrong_type(node, "a list", found);
            return None;
        };
        let read: Self = items.iter().filter_map(|item| T::decode(item, found)).collect();
        // A list of which nothing could be read is broken, not empty.
        (items.is_empty() || !read.is_empty()).then_some(read)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// A mapping whose keys are the user's own names, in the order in which they were written.
///
/// A value that could not be read keeps its key, so that references to it do not dangle.
#[derive(Clone, Debug, PartialEq)]
pub struct Map<T> {
    /// Keys with their places, and values.
    pub entries: Vec<(Spanned<String>, Option<T>)>,
    index: BTreeMap<String, usize>,
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: BTreeMap::new() }
    }
}

impl<T> Map<T> {
    /// The keys and values that could be read.
    pub fn iter(&self) -> impl Iterator<Item = (&Spanned<String>, &T)> {
        self.entries.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }

    /// Whether the key is there, readable or not.
    pub fn contains(&self, key: &str) -> bool {
        self.index.contains_key(key)
    }

    /// The value of `key`, if it could be read.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.entries[*self.index.get(key)?].1.as_ref()
    }

    /// The keys, readable or not.
    pub fn keys(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes over the entries of another mapping whose keys are not here.
    pub fn fill(&mut self, other: &Self)
    where
        T: Clone,
    {
        for (key, value) in &other.entries {
            if !self.contains(&key.value) {
                self.index.insert(key.value.clone(), self.entries.len());
                self.entries.push((key.clone(), value.clone()));
            }
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<T: Decode> Decode for Map<T> {
    fn shape() -> Shape {
        Shape::Map { key: "name", value: Box::new(T::shape()) }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        if node.is_null() {
            return Some(Self::default());
        }
        let Some(entries) = node.entries() else {
            wrong_type(node, "a mapping", found);
            return None;
        };
        let mut map = Self::default();
        for Entry { key, key_span, value } in entries {
            if too_long(key, *key_span, found) {
                continue;
            }
            map.index.insert(key.to_string(), map.entries.len());
            let value = T::decode(value, found);
            map.entries.push((Spanned::new(key.to_string(), *key_span), value));
        }
        Some(map)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// A tree that is handed on as it is, and shared by all that inherit it.
#[derive(Clone, Debug, PartialEq)]
pub struct Free(pub Arc<Node>);

impl Decode for Free {
    fn shape() -> Shape {
        Shape::Free
    }

    fn decode(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(Arc::new(node.clone())))
    }
}

/// That a key is there, whatever its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present;

impl Decode for Present {
    fn shape() -> Shape {
        Shape::Free
    }

    fn decode(_: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Self)
    }
}

/// The entries of a mapping while its known keys are taken one by one.
pub struct Fields<'a> {
    node: &'a Node,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    broken: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Opens a mapping; reports a node that is none.
    pub fn open(node: &'a Node, what: &str, found: &mut Diagnostics) -> Option<Self> {
        if node.is_null() {
            return Some(Self { node, entries: &[], known: Vec::new(), broken: Vec::new() });
        }
        let Some(entries) = node.entries() else {
            wrong_type(node, what, found);
            return None;
        };
        Some(Self { node, entries, known: Vec::new(), broken: Vec::new() })
    }

    /// Takes the value of a known key.
    pub fn take<T: Decode>(&mut self, key: &'static str, found: &mut Diagnostics) -> Option<T> {
        self.known.push(key);
        if let Some(entry) = self.entries.iter().find(|entry| &*entry.key == key) {
            let value = T::decode(&entry.value, found);
            if value.is_none() {
                self.broken.push(key);
            }
            return value.or_else(T::broken);
        }
        let absent = T::absent();
        if absent.is_none() {
            let message = format!("the key `{key}` is missing");
            found.push(Diagnostic::new(&MISSING_KEY, start(self.node), message));
        }
        absent
    }

    /// Reports every key that was not taken; gives the keys whose values could not be read.
    pub fn finish(self, found: &mut Diagnostics) -> Vec<&'static str> {
        for entry in self.entries {
            if !self.known.contains(&&*entry.key) {
                let near = suggests(found).then(|| nearest(&entry.key, self.known.iter().copied()));
                found.push(unknown_key(&entry.key, entry.key_span, near.flatten(), &self.known));
            }
        }
        self.broken
    }
}

/// The first key of a mapping, or its brace: a missing key has no better place.
fn start(node: &Node) -> Span {
    let first = node.entries().and_then(<[Entry]>::first).map(|entry| entry.key_span);
    if let Some(first) = first.filter(|first| first.start == node.span.start) {
        return first;
    }
    Span { end: node.span.end.min(node.span.start + 1), ..node.span }
}

/// A finding for an unknown key with the nearest known one.
fn unknown_key(key: &str, span: Span, near: Option<&str>, known: &[&'static str]) -> Diagnostic {
    let diagnostic = Diagnostic::new(&UNKNOWN_KEY, span, format!("unknown key `{key}`"));
    match near {
        Some(near) => diagnostic.help(format!("write `{near}` if that is meant")),
        None => diagnostic.help(format!("the keys here are: {}", quoted(known))),
    }
}

/// Most findings of a run that still get a suggestion where looking for it takes long.
const SUGGESTIONS: usize = 50;

/// Whether it is worth looking for the name that was meant: whoever has many findings mends the
/// first ones first, and ten thousand wrong names among ten thousand right ones would take minutes.
pub fn suggests(found: &Diagnostics) -> bool {
    found.len() < SUGGESTIONS
}

/// Longer names, in bytes, are not compared: the work grows with the product of the lengths.
const LONGEST_NAME: usize = 200;
/// The least likeness of a name that is suggested.
const LIKENESS: f64 = 0.6;

/// The name that was probably meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = name.to_lowercase();
    // No name can be as like as that whose length is not.
    let comparable = |candidate: &&str| {
        let (short, long) = (name.len().min(candidate.len()), name.len().max(candidate.len()));
        long <= LONGEST_NAME && short * 2 >= long
    };
    let scored = known.into_iter().filter(comparable).map(|candidate| {
        (strsim::normalized_damerau_levenshtein(&name, &candidate.to_lowercase()), candidate)
    });
    let (score, best) = scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))?;
    (score >= LIKENESS).then_some(best)
}

/// Names in backticks, separated by commas.
pub fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Reads one of `words`.
pub fn word<'a>(
    node: &'a Node,
    words: &[&'static str],
    found: &mut Diagnostics,
) -> Option<&'a str> {
    let written = text(node, &format!("one of {}", quoted(words)), found)?;
    if words.contains(&written) {
        return Some(written);
    }
    let near = suggests(found).then(|| nearest(written, words.iter().copied())).flatten();
    let help = match near {
        Some(near) => format!("write `{near}` if that is meant; the choices are {}", quoted(words)),
        None => format!("the choices are {}", quoted(words)),
    };
    invalid(node.span, format!("`{written}` is not a choice here"), &help, found);
    None
}
