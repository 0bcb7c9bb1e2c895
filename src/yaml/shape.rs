//! What the language takes, as data: the decoder, the JSON Schema and the reference page all
//! come from it.

/// What a value may be.
#[derive(Clone, Debug)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer within bounds, both included.
    Integer {
        /// The least value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// Text; `what` names its form in words, `pattern` is a regular expression of JSON Schema.
    Text {
        /// The form in words, such as `a CIDR`.
        what: &'static str,
        /// A regular expression that every such text matches.
        pattern: Option<&'static str>,
    },
    /// One of these words, each with its meaning.
    Choice(Vec<(&'static str, String)>),
    /// A list of such values.
    List(Box<Self>),
    /// A mapping from names of the user's own to such values.
    Map {
        /// What the keys are, in words.
        key: &'static str,
        /// What the values are.
        value: Box<Self>,
    },
    /// A mapping with known keys.
    Object(fn() -> Object),
    /// Any of these.
    Any(Vec<Self>),
    /// Whatever YAML can say.
    Free,
}

/// A mapping with known keys.
#[derive(Clone, Debug)]
pub struct Object {
    /// The name of the type, unique in the language.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub doc: String,
    /// Its keys, in the order in which they are best read.
    pub fields: Vec<Field>,
}

/// A known key.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What it means, in Markdown.
    pub doc: String,
    /// Whether it must be there.
    pub required: bool,
    /// What its value may be.
    pub shape: Shape,
}

/// Joins the lines of a doc comment.
pub fn doc(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().to_owned()
}
