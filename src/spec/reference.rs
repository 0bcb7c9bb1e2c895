//! The reference page of the language, made from the shapes that its decoder has.

use std::fmt::Write as _;

use super::{API_VERSION, KINDS, Kind, schema};
use crate::yaml::shape::{Field, Object, Shape};

/// The page, in Markdown.
pub fn page() -> String {
    let mut objects = Vec::new();
    for kind in &KINDS {
        collect(&(kind.spec)(), &mut objects);
    }
    let mut page = INTRODUCTION.replace("{API_VERSION}", API_VERSION);
    for kind in &KINDS {
        let doc = schema::doc_of(kind);
        write!(page, "\n## {}\n\n{doc}\n\n", kind.name).expect(TEXT);
        if let Shape::Object(metadata) = (kind.metadata)() {
            for field in metadata().fields {
                row_list(&mut page, &format!("metadata.{}", field.key), &field);
            }
        }
        if let Shape::Object(spec) = (kind.spec)() {
            page.push_str("\nUnder `spec`:\n\n");
            table(&mut page, &spec());
        }
    }
    page.push_str("\n## Types\n\nMappings that stand under the keys above.\n");
    for object in objects.iter().filter(|object| kind_of(object).is_none()) {
        write!(page, "\n### {}\n\n{}\n\n", object.name, schema::flowed(&object.doc)).expect(TEXT);
        table(&mut page, object);
    }
    page
}

const TEXT: &str = "internal error: text takes text";

const INTRODUCTION: &str = "\
# The language

Generated from the declarations in `src/spec/`; a test holds it. `landbridge schema` prints the same as a JSON Schema, with which an editor completes and explains.

A project has a `landbridge.yaml` at its root. It is a stream of documents, and `spec.include` of its Topology brings in more files. Every document has this frame:

```yaml
apiVersion: {API_VERSION}
kind: Cluster            # Topology · Cluster · MeshApplication · Capability · VersionFacts · Policy
metadata: {name: use1}
spec: {}
```

There is one Topology. An unknown key is an error, a key that stands twice as well; so is a plain scalar that YAML 1.1 and 1.2 read differently, such as `no` or `010`. Durations carry their unit, address ranges have no host bits, and a secret is never written, only where it is.
";

/// The objects of a shape in the order in which they are first met.
fn collect(shape: &Shape, objects: &mut Vec<Object>) {
    match shape {
        Shape::Object(object) => {
            let object = object();
            if objects.iter().any(|known| known.name == object.name) {
                return;
            }
            objects.push(object.clone());
            for field in &object.fields {
                collect(&field.shape, objects);
            }
        }
        Shape::List(value) | Shape::Map { value, .. } => collect(value, objects),
        Shape::Any(shapes) => shapes.iter().for_each(|shape| collect(shape, objects)),
        Shape::Bool
        | Shape::Integer { .. }
        | Shape::Text { .. }
        | Shape::Choice(_)
        | Shape::Free => {}
    }
}

/// The kind whose `spec` an object is.
fn kind_of(object: &Object) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|kind| matches!((kind.spec)(), Shape::Object(spec) if spec().name == object.name))
}

fn row_list(page: &mut String, key: &str, field: &Field) {
    let doc = schema::flowed(&field.doc);
    writeln!(page, "- `{key}` ({}): {doc}", words(&field.shape)).expect(TEXT);
}

fn table(page: &mut String, object: &Object) {
    page.push_str("| key | value | meaning |\n| --- | --- | --- |\n");
    for field in &object.fields {
        let required = if field.required { "**Required.** " } else { "" };
        let mut meaning = format!("{required}{}", schema::flowed(&field.doc));
        for (word, doc) in choices(&field.shape) {
            let doc = schema::flowed(&doc);
            write!(meaning, "<br>`{word}`: {doc}").expect(TEXT);
        }
        let value = words(&field.shape);
        writeln!(page, "| `{}` | {} | {} |", field.key, cell(&value), cell(&meaning)).expect(TEXT);
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// What may be written, in words.
fn words(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Integer { min, max } => format!("a whole number from {min} to {max}"),
        Shape::Text { what, .. } => (*what).to_owned(),
        Shape::Choice(choices) => {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            words.join(" · ")
        }
        Shape::List(item) => format!("list: {}", words(item)),
        Shape::Map { key, value } => format!("by {key}: {}", words(value)),
        Shape::Object(object) => {
            let object = object();
            let name = kind_of(&object).map_or(object.name, |kind| kind.name);
            format!("[{name}](#{})", name.to_lowercase())
        }
        Shape::Any(shapes) => {
            let any: Vec<_> = shapes.iter().map(words).collect();
            any.join(", or ")
        }
        Shape::Free => "any YAML".to_owned(),
    }
}

/// The words of which one may be written, with their meanings.
fn choices(shape: &Shape) -> Vec<(&'static str, String)> {
    match shape {
        Shape::Choice(choices) => choices.clone(),
        Shape::List(value) | Shape::Map { value, .. } => choices(value),
        Shape::Any(shapes) => {
            let mut all: Vec<(&str, String)> = Vec::new();
            for (word, doc) in shapes.iter().flat_map(choices) {
                if all.iter().all(|(known, _)| *known != word) {
                    all.push((word, doc));
                }
            }
            all
        }
        Shape::Bool
        | Shape::Integer { .. }
        | Shape::Text { .. }
        | Shape::Object(_)
        | Shape::Free => Vec::new(),
    }
}
