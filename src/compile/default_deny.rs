//! The default deny of each declared namespace.

use serde_json::{Map, Value, json};

use super::Input;
use super::metadata::Object;
use crate::resource::Desired;

/// Adds a policy that isolates the pods of each namespace in the directions that it declares.
///
/// The section of a direction has one empty rule, which allows nothing. An empty section would be
/// accepted and enforce nothing: the agent demands that one section has a rule.
/// Source: `Sanitize` in Cilium's `pkg/policy/api/rule_validation.go`.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    for namespace in index.namespaces[id.index()].iter().map(|id| topology.namespace(*id)) {
        let directions = [("ingress", namespace.deny_ingress), ("egress", namespace.deny_egress)];
        let denied: Vec<_> =
            directions.iter().filter(|(_, denied)| *denied).map(|(name, _)| *name).collect();
        if denied.is_empty() {
            continue;
        }
        let mut spec = Map::new();
        spec.insert("description".into(), format!("default deny: {}", denied.join(", ")).into());
        spec.insert("endpointSelector".into(), json!({}));
        spec.extend(denied.iter().map(|direction| ((*direction).to_owned(), json!([{}]))));
        let object = Object {
            api_version: "cilium.io/v2",
            kind: "CiliumNetworkPolicy",
            namespace: Some(&namespace.name.value),
            name: "default-deny",
            labels: &[],
            annotations: Vec::new(),
            origin: namespace.name.span,
        };
        desired.resources.push(object.with(topology, Some(("spec", Value::Object(spec)))));
    }
}
