//! The user's own values over the generated ones.

use serde_json::{Map, Value};

use crate::yaml::{self, Node, json::json};

/// Merges a layer into values as Helm merges a second values file: mappings key by key, anything
/// else as a whole. New keys follow the old ones in their own order, not in that of the text.
///
/// Null stays in the result. There Helm takes it as "delete the chart's default", so it deletes
/// the generated value and the default at once, as `--set key=null` does.
/// Source: Helm, "Values Files", Deleting a default key.
pub(in crate::compile) fn merge(values: &mut Value, layer: &Node) {
    let yaml::Value::Mapping(entries) = &layer.value else { return };
    let Value::Object(map) = values else { return };
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    for entry in entries {
        if entry.value.entries().is_none() {
            let mut value = json(&entry.value);
            value.sort_all_objects();
            map.insert(entry.key.to_string(), value);
            continue;
        }
        let below = map.entry(&*entry.key).or_insert(Value::Null);
        if !below.is_object() {
            *below = Value::Object(Map::new());
        }
        merge(below, &entry.value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as literal;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::source::SourceMap;

    fn merged(mut values: Value, layers: &[&str]) -> Value {
        let mut sources = SourceMap::new();
        for layer in layers {
            let id = sources.add("a.yaml", *layer);
            for layer in &yaml::parse(&sources, id, &mut Diagnostics::new()) {
                merge(&mut values, layer);
            }
        }
        values
    }

    #[test]
    fn mappings_meet_and_lists_are_replaced() {
        let values = literal!({"a": {"b": 1, "c": [1, 2]}, "d": true});
        let layers = ["a: {c: [3], e: yes}", "a: {e: null}\nf: {g: {h: \"1\"}}"];
        assert_eq!(
            merged(values, &layers),
            literal!({"a": {"b": 1, "c": [3], "e": null}, "d": true, "f": {"g": {"h": "1"}}}),
        );
    }

    #[test]
    fn null_deletes_and_a_later_layer_may_set_again() {
        let values = literal!({"a": {"b": 1}, "c": 2});
        assert_eq!(
            merged(values.clone(), &["a: null"]),
            literal!({"a": null, "c": 2}),
            "Helm deletes the chart's default for it"
        );
        assert_eq!(
            merged(values, &["a: null", "a: {d: 5}", "c: {e: 1}"]),
            literal!({"a": {"d": 5}, "c": {"e": 1}}),
        );
    }

    #[test]
    fn the_order_of_the_text_does_not_matter() {
        let layers =
            ["{z: 1, a: {y: [{d: 1, c: 2}], x: 0}}", "{a: {x: 0, y: [{c: 2, d: 1}]}, z: 1}"];
        let [one, two] = layers.map(|layer| merged(literal!({"m": 0}), &[layer]).to_string());
        assert_eq!(one, r#"{"m":0,"a":{"x":0,"y":[{"c":2,"d":1}]},"z":1}"#);
        assert_eq!(one, two);
    }

    #[test]
    fn what_is_no_mapping_changes_nothing() {
        assert_eq!(merged(literal!({"a": 1}), &["[1]", "x"]), literal!({"a": 1}));
    }
}
