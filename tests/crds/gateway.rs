//! The kinds of the Gateway API: published schemas, and a small one of grants.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// The schemas by `apiVersion/kind`.
pub(super) fn schemas(folder: &Path) -> Vec<(String, Value)> {
    let published = |file: &str| -> Value {
        let text = fs::read_to_string(folder.join(file)).expect("a published file is UTF-8");
        serde_json::from_str(&text).expect("a published schema is JSON")
    };
    let mut all = vec![
        ("gateway.networking.k8s.io/v1/Gateway".to_owned(), published("gateway_v1.schema.json")),
        (
            "gateway.networking.k8s.io/v1/HTTPRoute".to_owned(),
            published("httproute_v1.schema.json"),
        ),
    ];
    for version in ["v1beta1", "v1"] {
        let api_version = format!("gateway.networking.k8s.io/{version}");
        all.push((format!("{api_version}/ReferenceGrant"), grant(&api_version)));
    }
    all
}

/// Source: Gateway API 1.6, `apis/v1/referencegrant_types.go`; `v1beta1` has the same fields.
fn grant(api_version: &str) -> Value {
    let text = json!({"type": "string"});
    let list = |properties: Value, required: &[&str]| {
        json!({"type": "array", "minItems": 1, "maxItems": 16, "items": {
            "type": "object", "properties": properties, "required": required,
        }})
    };
    let from = json!({"group": text, "kind": text, "namespace": text});
    let to = json!({"group": text, "kind": text, "name": text});
    let spec = json!({
        "type": "object",
        "properties": {
            "from": list(from, &["group", "kind", "namespace"]),
            "to": list(to, &["group", "kind"]),
        },
        "required": ["from", "to"],
    });
    json!({
        "type": "object",
        "properties": {
            "apiVersion": {"const": api_version},
            "kind": {"const": "ReferenceGrant"},
            "metadata": {"type": "object"},
            "spec": spec,
        },
        "required": ["spec"],
    })
}
