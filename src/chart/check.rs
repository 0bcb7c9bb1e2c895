//! A tree of values against what a chart knows.

use serde_json::{Map, Value};

use super::table::{self, Node, TABLE, Verdict};
use super::{Allowed, Chart, Key, Known, Type, nearest};

/// How many misspelt keys of one tree, or of many that are checked together, get a suggestion: each
/// is compared with all keys of the chart.
pub const SUGGESTIONS: usize = 50;

/// The longest part of a value that a message repeats, in characters.
const SHOWN: usize = 40;

/// Something in a tree of values that the chart does not do, or does not do for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is: the names of the keys from the root, and the indices of lists.
    pub path: Vec<String>,
    /// What is wrong.
    pub kind: ProblemKind,
    /// What is wrong, as a phrase.
    pub message: String,
    /// What to do about it, as an imperative.
    pub help: Option<String>,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The chart has never had the key, and ignores it.
    Unknown,
    /// The chart ignores the key, though an older chart had it or people believe that it exists.
    Removed,
    /// Rendering fails on the key.
    Refused,
    /// The chart ignores the key, which a later one has.
    NotYet,
    /// The chart's schema refuses the type of the value.
    WrongType,
    /// The value is none of those that work.
    NotAllowed,
    /// The key does no harm, but is on its way out. Only [`Chart::deprecated`] reports it.
    Deprecated,
}

impl Chart {
    /// All values that this chart ignores, refuses or can't work with, in the order of the tree.
    ///
    /// Children of open keys ([`Known::open`]) are not reported, and null is always right. The tree
    /// need not be complete: the chart's defaults fill it.
    pub fn check(&self, values: &Value) -> Vec<Problem> {
        self.check_within(values, &mut { SUGGESTIONS })
    }

    /// The same as [`Self::check`] for one tree of many: `suggestions` is how many misspelt keys
    /// may still get one, and becomes how many are left.
    pub fn check_within(&self, values: &Value, suggestions: &mut usize) -> Vec<Problem> {
        let mut problems = self.walk(values, suggestions);
        problems.retain(|problem| problem.kind != ProblemKind::Deprecated);
        problems
    }

    /// All keys of the tree that the chart has but that are on their way out.
    pub fn deprecated(&self, values: &Value) -> Vec<Problem> {
        let mut problems = self.walk(values, &mut 0);
        problems.retain(|problem| problem.kind == ProblemKind::Deprecated);
        problems
    }

    fn walk(&self, values: &Value, suggestions: &mut usize) -> Vec<Problem> {
        let mut walk = Walk { chart: self, path: Vec::new(), problems: Vec::new(), suggestions };
        match values {
            Value::Null => {}
            Value::Object(map) => walk.map(&TABLE.root, &self.fate(&TABLE.root, None), map),
            other => walk.wrong_type(&[Type::Object], other),
        }
        walk.problems
    }
}

/// A walk along the tree and the table at once; as deep as the table, however deep the tree.
struct Walk<'a> {
    chart: &'a Chart,
    path: Vec<String>,
    problems: Vec<Problem>,
    suggestions: &'a mut usize,
}

impl Walk<'_> {
    fn map(&mut self, node: &'static Node, fate: &Key, map: &Map<String, Value>) {
        for (name, value) in map {
            self.path.push(name.clone());
            self.entry(node, fate, name, value);
            self.path.pop();
        }
    }

    fn entry(&mut self, parent: &'static Node, parents_fate: &Key, name: &str, value: &Value) {
        match parent.child(name) {
            Some(node) => {
                let fate = self.chart.fate(node, Some((parent, parents_fate)));
                match (&fate, value) {
                    (Key::Known(known), _) => self.known(node, &fate, known, value),
                    (_, Value::Object(map)) if node.has_facts_below(self.chart.known) => {
                        self.map(node, &fate, map);
                    }
                    (_, Value::Null) => {}
                    _ => self.missing(&fate),
                }
            }
            None => match parents_fate {
                Key::Known(known) if known.open => {}
                Key::Known(_) => {
                    let (last, at) = self.path.split_last().expect("internal error: no key");
                    let nearest = (*self.suggestions > 0).then(|| {
                        nearest::nearest(self.chart, parent, at, std::slice::from_ref(last))
                    });
                    *self.suggestions = self.suggestions.saturating_sub(1);
                    self.missing(&Key::Unknown { nearest: nearest.flatten() });
                }
                gone => self.missing(gone),
            },
        }
    }

    fn known(&mut self, node: &'static Node, fate: &Key, known: &Known, value: &Value) {
        if let Some(help) = &known.deprecated {
            let message = format!("the Cilium chart is about to drop `{}`", self.key());
            self.push(ProblemKind::Deprecated, message, Some(help.clone()));
        }
        if !known.types.is_empty() && !known.types.iter().any(|t| fits(t, value)) {
            return self.wrong_type(known.types, value);
        }
        if let Some(allowed) = known.allowed
            && !is_allowed(allowed, value)
        {
            self.not_allowed(node, allowed, value);
        }
        match value {
            Value::Object(map) => self.map(node, fate, map),
            Value::Array(items) => {
                let types = known.types.iter().find_map(|t| match t {
                    Type::Array(items) if !items.is_empty() => Some(&**items),
                    _ => None,
                });
                for (index, item) in items.iter().enumerate() {
                    self.path.push(index.to_string());
                    match types {
                        Some(types) if !types.iter().any(|t| fits(t, item)) => {
                            self.wrong_type(types, item);
                        }
                        _ if node.children.contains_key("*") => {
                            self.entry(node, fate, "*", item);
                        }
                        _ => {}
                    }
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn missing(&mut self, fate: &Key) {
        let (key, version) = (self.key(), self.chart.version());
        let (kind, message, help) = match fate {
            Key::Unknown { nearest } => (
                ProblemKind::Unknown,
                format!("the Cilium chart {version} has no `{key}` and ignores it"),
                nearest.as_ref().map(|nearest| format!("write `{nearest}`")),
            ),
            Key::NotYet(later) => (
                ProblemKind::NotYet,
                format!(
                    "the Cilium chart {version} ignores `{key}`, which charts have from {} on",
                    later.since
                ),
                Some(later.help.clone()),
            ),
            Key::Removed(removed) => {
                let verb = if removed.refused { "refuses" } else { "ignores" };
                let since = match &removed.since {
                    Some(since) => format!(", which {since} removed"),
                    None => String::new(),
                };
                let kind =
                    if removed.refused { ProblemKind::Refused } else { ProblemKind::Removed };
                let message = format!("the Cilium chart {version} {verb} `{key}`{since}");
                (kind, message, Some(removed.help.clone()))
            }
            Key::Known(_) => return,
        };
        self.push(kind, message, help);
    }

    fn wrong_type(&mut self, types: &[Type], value: &Value) {
        let wanted: Vec<_> = types.iter().map(name_of).collect();
        let key = if self.path.is_empty() { "values".to_owned() } else { self.key() };
        let message = format!("`{key}` must be {}, not {}", wanted.join(" or "), kind_of(value));
        let help = match value {
            Value::String(text)
                if types.contains(&Type::Integer) && text.parse::<i64>().is_ok() =>
            {
                Some(format!("remove the quotes: `{text}`"))
            }
            Value::String(text) if types.contains(&Type::Boolean) && is_boolean(text) => {
                Some(format!("remove the quotes: `{text}`"))
            }
            Value::Number(_) | Value::Bool(_) if types.contains(&Type::String) => {
                Some(format!("quote it: `\"{value}\"`"))
            }
            _ => None,
        };
        self.push(ProblemKind::WrongType, message, help);
    }

    fn not_allowed(&mut self, node: &Node, allowed: &Allowed, value: &Value) {
        let message = format!("`{}` can't be `{}`", self.key(), shown(value));
        let list = match allowed {
            Allowed::OneOf(values) => {
                let values = values.iter().filter(|value| !value.is_empty());
                let values: Vec<_> = values.map(|value| format!("`{value}`")).collect();
                format!("write {}", values.join(" or "))
            }
            Allowed::Between(low, high) => format!("write an integer from {low} to {high}"),
        };
        let fact = node.fact(self.chart.known, &[Verdict::Allowed]);
        let help = match fact.and_then(table::Fact::remark) {
            Some(remark) => format!("{list}; {remark}"),
            None => list,
        };
        self.push(ProblemKind::NotAllowed, message, Some(help));
    }

    fn push(&mut self, kind: ProblemKind, message: String, help: Option<String>) {
        self.problems.push(Problem { path: self.path.clone(), kind, message, help });
    }

    fn key(&self) -> String {
        table::join(&self.path)
    }
}

/// Whether the schema takes the value for this type. Items of a list are looked at on their own.
fn fits(wanted: &Type, value: &Value) -> bool {
    match (wanted, value) {
        (_, Value::Null)
        | (Type::Boolean, Value::Bool(_))
        | (Type::Number, Value::Number(_))
        | (Type::String, Value::String(_))
        | (Type::Array(_), Value::Array(_))
        | (Type::Object, Value::Object(_)) => true,
        // JSON Schema: a number with a fraction of zero is an integer.
        (Type::Integer, Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => false,
    }
}

fn is_allowed(allowed: &Allowed, value: &Value) -> bool {
    match (allowed, value) {
        (_, Value::Null) => true,
        (Allowed::OneOf(values), Value::String(text)) => values.contains(&text.as_str()),
        (Allowed::OneOf(values), Value::Bool(_) | Value::Number(_)) => {
            values.contains(&value.to_string().as_str())
        }
        (Allowed::Between(low, high), Value::Number(number)) => {
            let range = f64::from(*low)..=f64::from(*high);
            number.as_f64().is_some_and(|number| range.contains(&number))
        }
        _ => false,
    }
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "false")
}

fn name_of(wanted: &Type) -> &'static str {
    match wanted {
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Integer => "an integer",
        Type::Number => "a number",
        Type::String => "a string",
        Type::Array(_) => "a list",
        Type::Object => "a mapping",
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// A scalar for a message: without control characters, and not longer than a line.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.escape_debug().to_string(),
        Value::Array(_) | Value::Object(_) => return kind_of(value).to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
