//! A tree as the JSON that Go's readers make of it.

use serde_json::{Map, Number, Value as Json};

use crate::yaml::scalar::{Resolved, go};
use crate::yaml::{Node, Scalar, Value};

/// The JSON value of a node, as sigs.k8s.io/yaml makes it: YAML 1.1's booleans and octal numbers
/// are resolved, a decimal number without a fraction is a whole number. Infinity and what is no
/// number, which that library refuses, stay text.
pub fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(scalar) => self::scalar(scalar),
        Value::Sequence(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Mapping(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.to_string(), to_json(&entry.value)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

fn scalar(scalar: &Scalar) -> Json {
    let text = || Json::String(scalar.text.to_string());
    let resolves = scalar.plain
        || matches!(scalar.tag.as_deref(), Some("!!int" | "!!float" | "!!bool" | "!!null"));
    if !resolves {
        return text();
    }
    match go(&scalar.text) {
        Resolved::Null => Json::Null,
        Resolved::Bool(value) => Json::Bool(value),
        Resolved::Integer(value) => Number::from_i128(value).map_or_else(text, Json::Number),
        Resolved::Float(value) => float(value).map_or_else(text, Json::Number),
        Resolved::Text => text(),
    }
}

/// Go writes a float below 10^21 without a fraction if it has none, and then reads an integer.
fn float(value: f64) -> Option<Number> {
    if value.fract() == 0.0 && value.abs() < 1e18 {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 10^18")]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}
