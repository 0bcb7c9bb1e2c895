//! The values of CEL: read from JSON without copying it, or made by an expression.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Value as Json;

/// A value.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without a sign, written `1u`.
    Uint(u64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Text(Text<'a>),
    /// A list.
    List(List<'a>),
    /// A mapping.
    Map(Map<'a>),
    /// A range of addresses, made by `cidr()`.
    Cidr(IpNet),
}

/// Text.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// Of the input.
    Read(&'a str),
    /// Made by an expression.
    Made(Arc<str>),
}

/// A list.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// Of the input.
    Read(&'a [Json]),
    /// Made by an expression.
    Made(Arc<[Value<'a>]>),
}

/// A mapping.
#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// Of the input: keys are text, in the order in which they were written.
    Read(&'a serde_json::Map<String, Json>),
    /// Made by an expression, in the order of the keys.
    Made(Arc<BTreeMap<Key, Value<'a>>>),
}

/// A key of a mapping. Whole numbers are one kind of key, however they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i128),
    /// Text.
    Text(String),
}

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Read(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> List<'a> {
    /// How many items it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Read(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An item.
    pub fn get(&self, at: usize) -> Option<Value<'a>> {
        match self {
            Self::Read(items) => items.get(at).map(Value::from),
            Self::Made(items) => items.get(at).cloned(),
        }
    }

    /// The items.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

impl<'a> Map<'a> {
    /// How many keys it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Read(entries) => entries.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &Key) -> Option<Value<'a>> {
        match (self, key) {
            (Self::Read(entries), Key::Text(key)) => entries.get(key).map(Value::from),
            (Self::Read(_), _) => None,
            (Self::Made(entries), key) => entries.get(key).cloned(),
        }
    }

    /// The value of a text key.
    pub fn field(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Read(entries) => entries.get(key).map(Value::from),
            Self::Made(entries) => entries.get(&Key::Text(key.to_owned())).cloned(),
        }
    }

    /// The keys, as values.
    pub fn keys(&self) -> Vec<Value<'a>> {
        match self {
            Self::Read(entries) => entries.keys().map(|key| Value::Text(Text::Read(key))).collect(),
            Self::Made(entries) => entries.keys().map(Key::value).collect(),
        }
    }

    /// Its text keys, for the help of an error.
    pub fn names(&self) -> Vec<String> {
        let keys = self.keys().into_iter();
        keys.filter_map(|key| match key {
            Value::Text(text) => Some(text.as_str().to_owned()),
            _ => None,
        })
        .collect()
    }
}

impl Key {
    /// The key that a value is; nothing for one that cannot be.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Number(i128::from(*value)),
            Value::Uint(value) => Self::Number(i128::from(*value)),
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
            Value::Double(value) if value.fract() == 0.0 && value.abs() < 1e18 => {
                Self::Number(*value as i128)
            }
            Value::Text(value) => Self::Text(value.as_str().to_owned()),
            _ => return None,
        })
    }

    fn value<'a>(&self) -> Value<'a> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(value) => i64::try_from(*value)
                .map(Value::Int)
                .or_else(|_| u64::try_from(*value).map(Value::Uint))
                .unwrap_or(Value::Null),
            Self::Text(value) => Value::text(value),
        }
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => {
                let whole = number.as_i64().map(Self::Int);
                let whole = whole.or_else(|| number.as_u64().map(Self::Uint));
                whole.unwrap_or_else(|| Self::Double(number.as_f64().unwrap_or(f64::NAN)))
            }
            Json::String(text) => Self::Text(Text::Read(text)),
            Json::Array(items) => Self::List(List::Read(items)),
            Json::Object(entries) => Self::Map(Map::Read(entries)),
        }
    }
}

impl Value<'_> {
    /// Text of its own.
    pub fn text(text: &str) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    /// A list of its own.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(items.into()))
    }

    /// What it is, in CEL's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Cidr(_) => "cidr",
        }
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// How two numbers, two texts or two booleans stand to each other; numbers of different kinds
    /// compare by value. Nothing for values that have no order.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.as_str().cmp(b.as_str())),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Double(a), b) => order(b.whole()?, *a).map(Ordering::reverse),
            (a, Self::Double(b)) => order(a.whole()?, *b),
            (a, b) => Some(a.whole()?.cmp(&b.whole()?)),
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(i128::from(*value)),
            Self::Uint(value) => Some(i128::from(*value)),
            _ => None,
        }
    }
}

/// How a whole number of 64 bits stands to another number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "beyond 2^64 the sign decides, and below it the whole part fits"
)]
fn order(whole: i128, other: f64) -> Option<Ordering> {
    if other.is_nan() {
        return None;
    }
    if other.abs() >= 2e19 {
        return Some(if other > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let floor = other.floor();
    Some(whole.cmp(&(floor as i128)).then(if other > floor {
        Ordering::Less
    } else {
        Ordering::Equal
    }))
}

/// Deepest value that is printed or compared.
pub(super) const MAX_NESTING: usize = 96;

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self, 0, f)
    }
}

fn print(value: &Value<'_>, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if depth > MAX_NESTING {
        return f.write_str("…");
    }
    match value {
        Value::Null => f.write_str("null"),
        Value::Bool(value) => write!(f, "{value}"),
        Value::Int(value) => write!(f, "{value}"),
        Value::Uint(value) => write!(f, "{value}"),
        Value::Double(value) => write!(f, "{value}"),
        Value::Text(text) => f.write_str(text.as_str()),
        Value::Cidr(range) => write!(f, "{range}"),
        Value::List(list) => {
            for (at, item) in list.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { ", " })?;
                print(&item, depth + 1, f)?;
            }
            Ok(())
        }
        Value::Map(map) => {
            for (at, key) in map.keys().iter().enumerate() {
                f.write_str(if at == 0 { "" } else { ", " })?;
                print(key, depth + 1, f)?;
                f.write_str(": ")?;
                let value = Key::of(key).and_then(|key| map.get(&key)).unwrap_or(Value::Null);
                print(&value, depth + 1, f)?;
            }
            Ok(())
        }
    }
}
