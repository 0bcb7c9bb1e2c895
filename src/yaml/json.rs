//! A tree as Go reads it, without places: what Helm, kubectl, Argo CD and Flux make of the text.

use serde_json::{Map, Number, Value as Json};

use super::scalar::{self, Resolved};
use super::{Node, Scalar, Value};

/// Gives a tree as JSON, which is what `sigs.k8s.io/yaml` turns YAML into before anything else
/// looks at it.
///
/// A number that JSON does not have (infinite, or none at all) stays the text that was written.
pub fn json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(scalar) => plain(scalar),
        Value::Sequence(items) => Json::Array(items.iter().map(json).collect()),
        Value::Mapping(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.to_string(), json(&entry.value)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

fn plain(scalar: &Scalar) -> Json {
    let text = || Json::String(scalar.text.to_string());
    let tagged = matches!(scalar.tag.as_deref(), Some("!!int" | "!!float" | "!!bool" | "!!null"));
    if !scalar.plain && !tagged {
        return text();
    }
    match scalar::go(&scalar.text) {
        Resolved::Null => Json::Null,
        Resolved::Bool(value) => Json::Bool(value),
        Resolved::Integer(value) => {
            let number = i64::try_from(value).map(Number::from);
            let number = number.or_else(|_| u64::try_from(value).map(Number::from));
            number.map_or_else(|_| text(), Json::Number)
        }
        Resolved::Float(value) => float(value).map_or_else(text, Json::Number),
        Resolved::Text => text(),
    }
}

/// Go writes a number without a fraction as a whole one, and then reads it as that.
fn float(value: f64) -> Option<Number> {
    if value.fract() == 0.0 && value.abs() < 1e18 {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^63")]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json as literal;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::source::SourceMap;

    #[test]
    fn scalars_are_what_go_reads() {
        let mut sources = SourceMap::new();
        let text = "{a: 0x10, b: yes, c: \"yes\", d: ~, e: [1.5, 1_000, v1], f: !!str 5, \
                    g: .inf, h: 18446744073709551615, i: !!int \"5\", j: 1.0, k: 1e3}";
        let id = sources.add("a.yaml", text);
        let documents = super::super::parse(&sources, id, &mut Diagnostics::new());
        let expected = literal!({
            "a": 16, "b": true, "c": "yes", "d": null, "e": [1.5, 1000, "v1"], "f": "5",
            "g": ".inf", "h": 18_446_744_073_709_551_615_u64, "i": 5, "j": 1, "k": 1000,
        });
        assert_eq!(json(&documents[0]), expected);
    }
}
