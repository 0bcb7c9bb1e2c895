//! The DNS-01 solvers of the language against cert-manager's CRD.

use std::io::{self, Write};

use landbridge::spec::solver::Dns01;
use landbridge::yaml::fields::Decode;
use landbridge::yaml::shape::Shape;
use serde_json::{Map, Value, json};

use crate::{crds, golden};

/// Providers that the language knows itself, and keys of `dns01` that are not of a provider.
const OTHERS: [&str; 4] = ["route53", "cloudflare", "cnameStrategy", "nameservers"];

/// What a shape takes, as the CRD would say it.
fn described(shape: Shape) -> Value {
    match shape {
        Shape::Object(object) => {
            let fields = object().fields;
            let required: Vec<_> = fields.iter().filter(|f| f.required).map(|f| f.key).collect();
            let mut properties = Map::new();
            for field in fields {
                properties.insert(field.key.to_owned(), described(field.shape));
            }
            let mut described = json!({"type": "object", "properties": properties});
            if !required.is_empty() {
                described["required"] = sorted(required.iter().map(|key| json!(key)).collect());
            }
            described
        }
        Shape::Choice(words) => {
            let words = words.into_iter().map(|(word, _)| json!(word)).collect();
            json!({"type": "string", "enum": sorted(words)})
        }
        Shape::Text { .. } => json!({"type": "string"}),
        Shape::Free => json!({"x-kubernetes-preserve-unknown-fields": true}),
        other => panic!("no solver has {other:?}"),
    }
}

fn sorted(mut list: Vec<Value>) -> Value {
    list.sort_by_key(ToString::to_string);
    list.into()
}

/// The same of a part of the CRD, without words for people.
fn published(schema: &Value) -> Value {
    let Value::Object(map) = schema else { panic!("a schema is a mapping") };
    let mut out = Map::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "properties" => {
                let fields = value.as_object().expect("properties are a mapping");
                fields.iter().map(|(key, value)| (key.clone(), published(value))).collect()
            }
            "required" | "enum" => sorted(value.as_array().expect("a list").clone()),
            "type" | "x-kubernetes-preserve-unknown-fields" => value.clone(),
            "description" => continue,
            other => panic!("the schema says `{other}`, which the language does not know"),
        };
        out.insert(key.clone(), value);
    }
    out.into()
}

#[test]
fn solvers_are_declared_as_cert_manager_has_them() {
    let path = golden::path("../shared/data/crds/cert-manager/cert-manager.io_clusterissuers.yaml");
    if !path.is_file() {
        let why = "skipped: there is no ../shared/data/crds/cert-manager";
        return writeln!(io::stderr(), "{why}").expect("standard error takes a line");
    }
    let crd = crds::documents(&path);
    let acme = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/acme/properties";
    let dns01 = format!("{acme}/solvers/items/properties/dns01/properties");
    let mut known = crd[0].pointer(&dns01).expect("the CRD has solvers").clone();
    let providers = known.as_object_mut().expect("properties are a mapping");
    for other in OTHERS {
        assert!(providers.remove(other).is_some(), "the CRD has no `{other}`");
    }
    let all = published(&json!({"type": "object", "properties": known}));
    let (all, own) = (all.to_string(), described(Dns01::shape()));
    let mut own = own;
    own.sort_all_objects();
    let mut all: Value = serde_json::from_str(&all).expect("it was JSON");
    all.sort_all_objects();
    assert_eq!(own, all);
}
