//! Text to a tree that keeps the place of every key and value.
//!
//! One tree serves two readers. The language's own files are decoded strictly ([`fields`]); the
//! Kubernetes files of others are read as Go reads them ([`scalar::go`]), since that is what
//! kubectl, Argo CD and Flux do.
//!
//! Parsing does not stop at the first problem: what is broken in one document of a stream does
//! not hide the next document.

pub mod comments;
pub mod fields;
pub mod json;
pub mod scalar;
pub mod shape;

mod build;
mod declare;

use crate::declare_rules;
use crate::source::{SourceId, SourceMap, Span};

/// Largest file that is read, in bytes.
pub const MAX_FILE: u64 = 32 * 1024 * 1024;
/// Most nodes that one file may have, what its aliases expand to included: a node takes a hundred
/// times the memory of the two bytes that it may be written with.
pub const MAX_NODES: usize = 2_000_000;
/// Most nodes that the aliases of one file may expand to, and that the anchors of one document may
/// hold.
pub const MAX_ALIAS_NODES: usize = 500_000;
/// Deepest nesting of block or flow collections.
pub const MAX_DEPTH: usize = 200;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands, without trailing white space.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A scalar as it was written; what it means depends on who reads it.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order in which it was written; its keys are distinct.
    Mapping(Vec<Entry>),
}

/// A scalar as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text with quotes and escapes resolved.
    pub text: Box<str>,
    /// Whether it was written without quotes, so that it may be something else than text.
    pub plain: bool,
    /// The tag that was written with it, such as `!!str`.
    pub tag: Option<Box<str>>,
}

/// A key of a mapping with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entries, if it is a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// The items, if it is a list.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The text, if it is a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The value of `key`, if it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of `key`, if it is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| &*entry.key == key)
    }

    /// The node at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Whether it is an empty plain scalar, `~` or `null`.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => {
                scalar.plain && matches!(scalar::go(&scalar.text), scalar::Resolved::Null)
            }
            Value::Sequence(_) | Value::Mapping(_) => false,
        }
    }

    /// How many nodes it has, itself included.
    pub fn count(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::Sequence(items) => items.iter().map(Self::count).sum::<usize>(),
            Value::Mapping(entries) => entries.iter().map(|entry| entry.value.count()).sum(),
        }
    }

    /// What kind of value it is, in words.
    pub fn describe(&self) -> &'static str {
        match &self.value {
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Scalar(scalar) if !scalar.plain => "text",
            Value::Scalar(scalar) => match scalar::go(&scalar.text) {
                scalar::Resolved::Null => "nothing",
                scalar::Resolved::Bool(_) => "a boolean",
                scalar::Resolved::Integer(_) => "a number",
                scalar::Resolved::Float(_) => "a decimal number",
                scalar::Resolved::Text => "text",
            },
        }
    }
}

/// Reads every document of a source. Empty documents are left out, and what follows the node
/// beyond [`MAX_NODES`].
///
/// What cannot be read is reported; the documents that can be read are returned all the same.
pub fn parse(
    sources: &SourceMap,
    id: SourceId,
    found: &mut crate::diagnostic::Diagnostics,
) -> Vec<Node> {
    build::documents(sources.get(id).text(), id, found)
}

/// Reads every document of a text that was made from the source `id` and is not that source's
/// text: spans and findings count the bytes of `text`, and the caller moves them.
pub fn parse_text(
    text: &str,
    id: SourceId,
    found: &mut crate::diagnostic::Diagnostics,
) -> Vec<Node> {
    build::documents(text, id, found)
}

declare_rules! {
    /// ## What it does
    /// Reports text that is not YAML: a syntax error, an alias that names no anchor, a key that
    /// is no text, nesting deeper than 200 levels, more than 2,000,000 values in one file, anchors or aliases of more than 500,000 nodes,
    /// or a file that is not UTF-8.
    ///
    /// ## Why it matters
    /// Nothing of a document that cannot be read is checked. The limits keep a hostile file from
    /// using up the memory of a shared Argo CD plugin.
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {name: use1
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// metadata: {name: use1}
    /// ```
    pub static INVALID_YAML = { code: "LB0001", name: "invalid-yaml", summary: "text that cannot be read as YAML", severity: Error };

    /// ## What it does
    /// Reports a key that stands twice in one mapping.
    ///
    /// ## Why it matters
    /// YAML parsers disagree: some keep the first value, some the last, some refuse. What was
    /// meant cannot be known.
    ///
    /// ## Example
    /// ```yaml
    /// id: 1
    /// id: 2
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// id: 1
    /// ```
    pub static DUPLICATE_KEY = { code: "LB0002", name: "duplicate-key", summary: "a key that stands twice in one mapping", severity: Error };

    /// ## What it does
    /// Reports a plain scalar that YAML 1.1 and YAML 1.2 read differently, or that is a number or
    /// a boolean where text is wanted: `no`, `on`, `y`, `010`, `1_000`, `0x10`, `1.20`.
    ///
    /// ## Why it matters
    /// kubectl, Helm and Argo CD read YAML 1.1: `no` is false and `010` is 8. A version `1.20`
    /// becomes the number 1.2. What was meant cannot be known from the text.
    ///
    /// ## Example
    /// ```yaml
    /// account: 012345678901
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// account: "012345678901"
    /// ```
    pub static AMBIGUOUS_SCALAR = { code: "LB0003", name: "ambiguous-scalar", summary: "a plain scalar that YAML readers understand differently", severity: Error };

    /// ## What it does
    /// Reports a value of another kind than the key takes: a list where a mapping is wanted, text
    /// where a number is wanted.
    ///
    /// ## Why it matters
    /// A value of the wrong kind says nothing that could be compiled, so nothing of it is.
    ///
    /// ## Example
    /// ```yaml
    /// podCIDRs: 10.1.0.0/16
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// podCIDRs: [10.1.0.0/16]
    /// ```
    pub static WRONG_TYPE = { code: "LB0004", name: "wrong-type", summary: "a value of another kind than the key takes", severity: Error };

    /// ## What it does
    /// Reports a key that the language does not know, with the nearest one that it does.
    ///
    /// ## Why it matters
    /// A key that is ignored looks as if it worked.
    ///
    /// ## Example
    /// ```yaml
    /// podCidrs: [10.1.0.0/16]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// podCIDRs: [10.1.0.0/16]
    /// ```
    pub static UNKNOWN_KEY = { code: "LB0005", name: "unknown-key", summary: "a key that the language does not know", severity: Error };

    /// ## What it does
    /// Reports a key that must be there and is not.
    ///
    /// ## Why it matters
    /// Nothing is guessed: without the key there is no manifest to write.
    ///
    /// ## Example
    /// ```yaml
    /// zones:
    ///   - {provider: route53}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// zones:
    ///   - {name: example.com, provider: route53}
    /// ```
    pub static MISSING_KEY = { code: "LB0006", name: "missing-key", summary: "a key that must be there and is not", severity: Error };

    /// ## What it does
    /// Reports a value of the right kind that is not allowed: an address with host bits, a
    /// duration without a unit, a name that Kubernetes refuses, a number out of range, a word
    /// that is not one of the choices, more of something than any mesh needs.
    ///
    /// ## Why it matters
    /// Such a value fails later, in the chart, in the API server or in the data path, where it is
    /// harder to find.
    ///
    /// ## Example
    /// ```yaml
    /// podCIDRs: [10.1.0.1/16]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// podCIDRs: [10.1.0.0/16]
    /// ```
    pub static INVALID_VALUE = { code: "LB0007", name: "invalid-value", summary: "a value that is not allowed", severity: Error };
}
