//! The JSON Schema of the language, made from the shapes that its decoder has.
//!
//! Draft 2020-12, and of it what editors understand: yaml-language-server completes and explains
//! with it. `enumDescriptions` and `patternErrorMessage` are its own; other readers ignore them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{API_VERSION, KINDS, Kind};
use crate::yaml::shape::{Object, Shape};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Objects that are referred to, by name.
type Definitions = BTreeMap<&'static str, Value>;

/// The schema of one kind's documents.
pub fn of_kind(kind: &Kind) -> Value {
    let mut definitions = Definitions::new();
    let (metadata, spec) = parts(kind, &mut definitions);
    let title = format!("landbridge {}", kind.name);
    json!({
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION, "description": API_VERSION_DOC},
            "kind": {"const": kind.name, "description": KIND_DOC},
            "metadata": metadata,
            "spec": spec,
        },
        "required": FRAME,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// The schema of any document; its kind decides.
pub fn of_document() -> Value {
    let mut definitions = Definitions::new();
    let choices = KINDS.iter().map(|kind| {
        let (metadata, spec) = parts(kind, &mut definitions);
        json!({
            "if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
            "then": {"properties": {"metadata": metadata, "spec": spec}},
        })
    });
    let choices: Vec<_> = choices.collect();
    let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    let docs: Vec<_> = KINDS.iter().map(doc_of).collect();
    json!({
        "$schema": DRAFT,
        "title": "landbridge",
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION, "description": API_VERSION_DOC},
            "kind": {"enum": names, "enumDescriptions": docs, "description": KIND_DOC},
            "metadata": {},
            "spec": {},
        },
        "required": FRAME,
        "additionalProperties": false,
        "allOf": choices,
        "$defs": definitions,
    })
}

const API_VERSION_DOC: &str = "The version of the language.";
const KIND_DOC: &str = "What the document is.";
const FRAME: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

/// A comment without the line ends at which it was wrapped.
pub(super) fn flowed(doc: &str) -> String {
    let paragraphs: Vec<_> = doc.split("\n\n").map(|part| part.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}

/// What a kind is, from the declaration of its `spec`.
pub(super) fn doc_of(kind: &Kind) -> String {
    match (kind.spec)() {
        Shape::Object(object) => flowed(&object().doc),
        _ => String::new(),
    }
}

fn parts(kind: &Kind, definitions: &mut Definitions) -> (Value, Value) {
    (of((kind.metadata)(), definitions), of((kind.spec)(), definitions))
}

fn of(shape: Shape, definitions: &mut Definitions) -> Value {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Text { what, pattern } => {
            let mut text = json!({"type": "string"});
            if let Some(pattern) = pattern {
                text["pattern"] = pattern.into();
                text["patternErrorMessage"] = format!("expected {what}").into();
            }
            if what != "text" {
                text["description"] = sentence(what).into();
            }
            text
        }
        Shape::Choice(words) => {
            let (words, docs): (Vec<_>, Vec<_>) =
                words.into_iter().map(|(word, doc)| (word, flowed(&doc))).unzip();
            json!({"enum": words, "enumDescriptions": docs})
        }
        // The decoder takes nothing for an empty list or mapping.
        Shape::List(item) => json!({"type": ["array", "null"], "items": of(*item, definitions)}),
        Shape::Map { value, .. } => {
            json!({"type": ["object", "null"], "additionalProperties": of(*value, definitions)})
        }
        Shape::Object(object) => {
            let object = object();
            let reference = format!("#/$defs/{}", object.name);
            if !definitions.contains_key(object.name) {
                definitions.insert(object.name, Value::Null);
                let name = object.name;
                let schema = of_object(object, definitions);
                definitions.insert(name, schema);
            }
            json!({"$ref": reference})
        }
        Shape::Any(shapes) => {
            let any: Vec<_> = shapes.into_iter().map(|shape| of(shape, definitions)).collect();
            json!({"anyOf": any})
        }
        Shape::Free => json!({}),
    }
}

fn of_object(object: Object, definitions: &mut Definitions) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in object.fields {
        let mut schema = of(field.shape, definitions);
        let form = schema.get("description").and_then(Value::as_str);
        let mut doc = flowed(&field.doc);
        if let Some(form) = form {
            doc = format!("{doc}\n\n{form}");
        }
        schema["description"] = doc.into();
        properties.insert(field.key.to_owned(), schema);
        if field.required {
            required.push(field.key);
        }
    }
    let kind = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    let mut schema = json!({
        "type": kind,
        "description": flowed(&object.doc),
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// A form in words as a sentence of its own.
fn sentence(what: &str) -> String {
    let mut letters = what.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).chain(std::iter::once('.')).collect()
    })
}
