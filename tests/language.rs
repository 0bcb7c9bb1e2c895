//! The decoder and the JSON Schema take the same documents.

use jsonschema::Validator;
use landbridge::diagnostic::Diagnostics;
use landbridge::source::SourceMap;
use landbridge::spec::{KINDS, Spec, schema};
use landbridge::yaml::scalar::{Resolved, go};
use landbridge::yaml::{self, Node, Value as Yaml};
use serde_json::{Map, Number, Value};

use crate::tree;

/// A document as an editor's schema validator sees it.
fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            let entry = |entry: &yaml::Entry| (entry.key.to_string(), json(&entry.value));
            Value::Object(entries.iter().map(entry).collect::<Map<_, _>>())
        }
        Yaml::Scalar(scalar) if !scalar.plain => Value::from(&*scalar.text),
        Yaml::Scalar(scalar) => match go(&scalar.text) {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => value.into(),
            Resolved::Integer(value) => i64::try_from(value).map_or(Value::Null, Value::from),
            Resolved::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
            Resolved::Text => Value::from(&*scalar.text),
        },
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::meta::validate(schema).expect("it is a schema");
    jsonschema::draft202012::new(schema).expect("it is a schema")
}

/// The schema of any document, and that of each kind.
fn validators() -> (Validator, Vec<(&'static str, Validator)>) {
    let kinds = KINDS.iter().map(|kind| (kind.name, validator(&schema::of_kind(kind))));
    (validator(&schema::of_document()), kinds.collect())
}

fn documents(text: &str) -> Vec<Node> {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", text);
    yaml::parse(&sources, id, &mut Diagnostics::new())
}

/// The codes of what the decoder says.
fn codes(node: &Node) -> Vec<String> {
    let mut found = Diagnostics::new();
    Spec::default().add(node, &mut found);
    found.iter().map(|one| one.rule.code.to_string()).collect()
}

/// What the schema must refuse as the decoder does: the shape. Values have forms that a schema
/// cannot say (host bits, the order of a range), and an empty list of alternatives is one.
const OF_SHAPE: [&str; 2] = ["LB0005", "LB0006"];

fn agree(path: &str, node: &Node, any: &Validator, kinds: &[(&str, Validator)]) -> Vec<String> {
    let codes = codes(node);
    let value = json(node);
    let kind = kinds.iter().find(|(name, _)| value["kind"] == *name);
    let mut wrong = Vec::new();
    for (name, schema) in
        kind.into_iter().map(|(name, schema)| (*name, schema)).chain([("any", any)])
    {
        let errors: Vec<_> =
            schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        if codes.is_empty() && !errors.is_empty() {
            wrong.push(format!(
                "{path}: the schema of {name} refuses what the decoder takes: {errors:?}"
            ));
        }
        if errors.is_empty() && codes.iter().any(|code| OF_SHAPE.contains(&code.as_str())) {
            wrong.push(format!(
                "{path}: the schema of {name} takes what the decoder refuses: {codes:?}"
            ));
        }
    }
    wrong
}

#[test]
fn the_schema_takes_what_the_decoder_takes() {
    let (any, kinds) = validators();
    let (mut wrong, mut taken) = (Vec::new(), 0);
    let mut look = |path: &str, text: &str| {
        if !path.contains(".yaml") || path.contains("/out/") {
            return;
        }
        for node in documents(text) {
            let frame = node.get("apiVersion").and_then(Node::text);
            if frame == Some(landbridge::spec::API_VERSION) {
                taken += usize::from(codes(&node).is_empty());
                wrong.extend(agree(path, &node, &any, &kinds));
            }
        }
    };
    for folder in ["fixtures", "examples", "src/cli/init"] {
        tree::each_file(folder, &mut look);
    }
    assert!(taken > 20, "only {taken} documents were taken");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every key of every mapping that a good document has, misspelt once.
#[test]
fn the_schema_refuses_every_unknown_key() {
    let (any, kinds) = validators();
    let mut tried = 0;
    tree::each_file("src/cli/init", &mut |path, text| {
        for node in documents(text) {
            let value = json(&node);
            let mut pointers = Vec::new();
            mappings(&value, String::new(), &mut pointers);
            for pointer in pointers {
                let mut broken = value.clone();
                let mapping = broken.pointer_mut(&pointer).and_then(Value::as_object_mut);
                mapping.expect("the pointer names a mapping").insert("zzz".into(), 1.into());
                let text = serde_json::to_string(&broken).expect("JSON is YAML");
                let node = &documents(&text)[0];
                let known = codes(node);
                let refused = known.iter().any(|code| code == "LB0005");
                assert!(!known.is_empty(), "{path}{pointer}: the decoder takes `zzz: 1`");
                tried += usize::from(refused);
                let wrong = agree(&format!("{path}{pointer}"), node, &any, &kinds);
                assert_eq!(wrong, Vec::<String>::new());
            }
        }
    });
    assert!(tried > 30, "only {tried} mappings were tried");
}

fn mappings(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                mappings(value, format!("{pointer}/{key}"), found);
            }
            found.push(pointer);
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                mappings(value, format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn two_objects_of_one_name_are_one() {
    use landbridge::yaml::shape::{Object, Shape};
    fn visit(
        shape: &Shape,
        known: &mut std::collections::BTreeMap<&'static str, Vec<&'static str>>,
    ) {
        match shape {
            Shape::Object(object) => {
                let Object { name, fields, .. } = object();
                let keys: Vec<_> = fields.iter().map(|field| field.key).collect();
                if let Some(other) = known.insert(name, keys.clone()) {
                    assert_eq!(other, keys, "two objects are called `{name}`");
                    return;
                }
                for field in fields {
                    visit(&field.shape, known);
                }
            }
            Shape::List(value) | Shape::Map { value, .. } => visit(value, known),
            Shape::Any(shapes) => shapes.iter().for_each(|shape| visit(shape, known)),
            _ => {}
        }
    }
    let mut known = std::collections::BTreeMap::new();
    for kind in &KINDS {
        visit(&(kind.metadata)(), &mut known);
        visit(&(kind.spec)(), &mut known);
    }
    assert!(known.len() > 30);
}
