//! Values to YAML text that every reader understands as it was meant.
//!
//! What is written here is read by Go (YAML 1.1, `sigs.k8s.io/yaml`), by readers of YAML 1.2 and
//! by `PyYAML`. Text that any of them would take for something else stands in quotes. Lists stand
//! at the indentation of their key, as `kubectl get -o yaml` prints them.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

mod scalar;

/// From so many bytes on a key is written as `? key`: readers give up looking for the `:` of
/// a simple key after 1,024 characters (YAML 1.1, 7.4.2).
const LONG_KEY: usize = 1_000;

/// Appends one document, ended by a line break.
pub fn document(out: &mut String, body: &Value) {
    match body {
        Value::Object(map) if !map.is_empty() => mapping(out, map, 0),
        Value::Array(items) if !items.is_empty() => sequence(out, items, 0),
        leaf => {
            scalar_or_empty(out, leaf, 0);
            out.push('\n');
        }
    }
}

/// Appends the line that separates two documents.
pub fn separator(out: &mut String) {
    out.push_str("---\n");
}

/// Appends one comment line. What could end the line, or change how a terminal shows it, is
/// written as an escape.
pub fn comment(out: &mut String, text: &str) {
    out.push('#');
    if !text.is_empty() {
        out.push(' ');
        out.push_str(&visible(text));
    }
    out.push('\n');
}

/// The text with every character that does not show written as an escape.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if scalar::shows(char) { out.push(char) } else { out.extend(char.escape_unicode()) }
    }
    out
}

fn indent(out: &mut String, width: usize) {
    const SPACES: &str = "                                                                ";
    let mut left = width;
    while left > SPACES.len() {
        out.push_str(SPACES);
        left -= SPACES.len();
    }
    out.push_str(&SPACES[..left]);
}

/// Writes the entries, each on a line of its own at `width`; the first line is indented too.
fn mapping(out: &mut String, map: &Map<String, Value>, width: usize) {
    for (at, (key, value)) in map.iter().enumerate() {
        if at > 0 || width_is_open(out) {
            indent(out, width);
        }
        entry(out, key, value, width);
    }
}

/// Whether the last line has ended, so that the next one needs its indentation. Behind `- ` the
/// first entry follows on the same line.
fn width_is_open(out: &str) -> bool {
    out.is_empty() || out.ends_with('\n')
}

fn entry(out: &mut String, key: &str, value: &Value, width: usize) {
    let long = key.len() > LONG_KEY;
    if long {
        out.push_str("? ");
        scalar::quoted(out, key);
        out.push('\n');
        indent(out, width);
    } else {
        scalar::inline(out, key);
    }
    out.push(':');
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            mapping(out, map, width + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            sequence(out, items, if long { width + 2 } else { width });
        }
        leaf => {
            out.push(' ');
            scalar_or_empty(out, leaf, width + 2);
            out.push('\n');
        }
    }
}

fn sequence(out: &mut String, items: &[Value], width: usize) {
    for item in items {
        if width_is_open(out) {
            indent(out, width);
        }
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => mapping(out, map, width + 2),
            Value::Array(inner) if !inner.is_empty() => sequence(out, inner, width + 2),
            leaf => {
                scalar_or_empty(out, leaf, width + 2);
                out.push('\n');
            }
        }
    }
}

/// Writes what fits behind a key or a dash; lines of a block scalar stand at `width`.
fn scalar_or_empty(out: &mut String, value: &Value, width: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(value) => number(out, value),
        Value::String(text) => scalar::text(out, text, width),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

fn number(out: &mut String, value: &Number) {
    let float = if value.is_f64() { value.as_f64() } else { None };
    let Some(float) = float else {
        // A `String` takes whatever is written to it.
        let _ = write!(out, "{value}");
        return;
    };
    // The shortest digits that read back as the same number. `PyYAML` takes an exponent only
    // behind a fraction and with a sign (its resolver's pattern for floats).
    let digits = format!("{float:?}");
    let Some((mantissa, exponent)) = digits.split_once('e') else {
        out.push_str(&digits);
        return;
    };
    let fraction = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    let _ = write!(out, "{mantissa}{fraction}e{sign}{exponent}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::source::SourceMap;
    use crate::yaml::scalar::{Resolved, go};
    use crate::yaml::{self, Node};

    fn emit(value: &Value) -> String {
        let mut out = String::new();
        document(&mut out, value);
        out
    }

    /// What Go makes of a tree.
    fn as_go(node: &Node) -> Value {
        match &node.value {
            yaml::Value::Sequence(items) => items.iter().map(as_go).collect(),
            yaml::Value::Mapping(entries) => {
                entries.iter().map(|entry| (entry.key.to_string(), as_go(&entry.value))).collect()
            }
            yaml::Value::Scalar(scalar) if !scalar.plain => json!(*scalar.text),
            yaml::Value::Scalar(scalar) => match go(&scalar.text) {
                Resolved::Null => Value::Null,
                Resolved::Bool(value) => json!(value),
                Resolved::Integer(value) => u64::try_from(value)
                    .map_or_else(|_| json!(i64::try_from(value).unwrap()), |v| json!(v)),
                Resolved::Float(value) => json!(value),
                Resolved::Text => json!(*scalar.text),
            },
        }
    }

    fn read_back(text: &str) -> Vec<Value> {
        let mut sources = SourceMap::new();
        let id = sources.add("a.yaml", text);
        let mut found = Diagnostics::new();
        let documents = yaml::parse(&sources, id, &mut found);
        let messages: Vec<_> = found.iter().map(|d| d.message.clone()).collect();
        assert!(messages.is_empty(), "{messages:?}\n{text}");
        documents.iter().map(as_go).collect()
    }

    #[test]
    fn looks_like_what_kubectl_prints() {
        let value = json!({
            "apiVersion": "cilium.io/v2",
            "metadata": {"name": "a", "labels": {}, "annotations": {"n": "1", "b": "yes"}},
            "specs": [{"toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}]}], "x": []}, "y"],
            "nested": [[1, 2], [], [[3]]],
            "note": "one\n\n  two\n", "open": "one\ntwo", "cidr": "10.0.0.0/8", "ip": "10.0.0.1",
            "pattern": "*.example.com", "json": "{\"a\": \"it's\"}", "null": null, "f": 1.0,
        });
        let expected = "\
apiVersion: cilium.io/v2
metadata:
  name: a
  labels: {}
  annotations:
    \"n\": \"1\"
    b: \"yes\"
specs:
- toPorts:
  - ports:
    - port: \"80\"
      protocol: TCP
  x: []
- \"y\"
nested:
- - 1
  - 2
- []
- - - 3
note: |
  one

    two
open: |-
  one
  two
cidr: 10.0.0.0/8
ip: 10.0.0.1
pattern: \"*.example.com\"
json: '{\"a\": \"it''s\"}'
\"null\": null
f: 1.0
";
        assert_eq!(emit(&value), expected);
        assert_eq!(read_back(expected), [value]);
    }

    #[test]
    fn numbers_keep_every_digit() {
        let value = json!([u64::MAX, i64::MIN, 9_007_199_254_740_993_u64, 0.1, 1e300, -2.5e-10]);
        assert_eq!(
            emit(&value),
            "- 18446744073709551615\n- -9223372036854775808\n- 9007199254740993\n- 0.1\n\
             - 1.0e+300\n- -2.5e-10\n"
        );
    }

    #[test]
    fn long_keys_are_explicit() {
        let key = "k".repeat(2_000);
        let value =
            json!({"a": {&key: [1, {"b": 2}]}, "c": {&key: {"d": "e"}}, "f": [{&key: 1, "g": 2}]});
        let text = emit(&value);
        assert!(text.contains("\n  ? \"kkk"), "{text}");
        assert_eq!(read_back(&text), [value]);
    }

    #[test]
    fn comments_stay_on_their_line() {
        let mut out = String::new();
        comment(&mut out, "a\nb: 1\r\u{2028}\u{1b}[31m\u{85}é");
        comment(&mut out, "");
        assert_eq!(out, "# a\\u{a}b: 1\\u{d}\\u{2028}\\u{1b}[31m\\u{85}é\n#\n");
        assert!(read_back(&out).is_empty());
    }

    /// Text of the kinds that readers of YAML stumble over.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[a-z0-9.-]{1,12}",
            "[-+]?[0-9._,:xobeE+-]{1,10}",
            "[-?:,\\[\\]{}#&*!|>'\"%@`=<~ \t\n\r\\\\a1]{0,8}",
            "([ \t]{0,2}[a-b:# -]{0,3}\n){0,4}[a-b ]{0,2}",
            "(null|Null|true|TRUE|yes|No|on|OFF|y|N|~|\\.inf|-\\.INF|\\.nan|<<|=|---|\\.\\.\\.)",
            "[\u{85}\u{a0}\u{2028}\u{2029}\u{feff}\u{7f}\u{202e}\u{1f600}é]{1,3}",
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("JSON has none", |f| f.is_finite()).prop_map(Value::from),
            text().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    /// Tells floating-point numbers apart by their digits, so that no rounding goes unseen.
    fn normal(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(normal).collect(),
            Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), normal(v))).collect(),
            Value::Number(number) => number
                .as_f64()
                .filter(|_| number.is_f64())
                .map_or_else(|| value.clone(), |float| json!(format!("{float:?} as a float"))),
            other => other.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_is_written_is_read_back(values in prop::collection::vec(value(), 1..4)) {
            let mut text = String::new();
            comment(&mut text, "made by a test");
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    separator(&mut text);
                }
                document(&mut text, value);
            }
            let read: Vec<_> = read_back(&text).iter().map(normal).collect();
            let meant: Vec<_> = values.iter().map(normal).collect();
            prop_assert_eq!(read, meant, "{}", text);
        }
    }
}
