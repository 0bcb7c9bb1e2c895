//! Every object that compile makes against the schema of its kind.
//!
//! The schemas are the published CRDs below `../shared/data`; without them the test says so and
//! ends. An API server drops fields that it does not know, so here they are errors.
#![expect(clippy::disallowed_methods, reason = "the test reads projects and published files")]

mod gateway;
mod load_balancer;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use jsonschema::Validator;
use landbridge::compile::{self, Index};
use landbridge::diagnostic::Diagnostics;
use landbridge::resource::{Resource, Role};
use landbridge::source::SourceMap;
use landbridge::topology::{ClusterId, Topology};
use landbridge::yaml::scalar::{Resolved, go};
use landbridge::yaml::{self, Node};
use serde_json::{Map, Value, json};

use crate::{golden, projects};

/// A patch version of each Cilium minor.
const CILIUM: [&str; 5] = ["1.16.19", "1.17.13", "1.18.7", "1.19.6", "1.20.2"];

#[test]
fn every_object_fits_its_schema() {
    let Some(schemas) = Schemas::published() else { return };
    let projects = projects::all();
    assert!(projects.len() > 10, "only {} projects", projects.len());
    let (mut objects, mut wrong) = (0, Vec::new());
    for project in &projects {
        let Some(mut topology) = projects::read(project) else { continue };
        let index = Index::of(&topology);
        for version in CILIUM {
            for cluster in &mut topology.clusters {
                cluster.cilium.value = version.parse().expect("a version");
            }
            for (id, cluster) in topology.clusters() {
                for resource in objects_of(&topology, &index, id) {
                    objects += 1;
                    let place = format!(
                        "{} {} {version}: {} {}",
                        project.display(),
                        cluster.name.value,
                        resource.kind(),
                        resource.name()
                    );
                    let problems = schemas.problems(&resource, version);
                    wrong.extend(problems.into_iter().map(|problem| format!("{place}: {problem}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong.join("\n"));
    assert!(objects > 1_000, "only {objects} objects");
}

/// What stands in a cluster's folder and in its tool's.
pub(crate) fn objects_of(topology: &Topology, index: &Index, id: ClusterId) -> Vec<Resource> {
    let mut objects = compile::cluster(topology, index, id).resources;
    objects.extend(compile::delivery(topology, id).into_iter().flat_map(|tool| tool.resources));
    objects
}

/// Whether it is one of Flux's own kinds, which have no published file here: `go_flux` reads them
/// with Flux's types.
pub(crate) fn is_flux(resource: &Resource) -> bool {
    resource.api_version().contains(".toolkit.fluxcd.io/")
}

#[test]
fn a_misspelt_field_is_found() {
    let Some(schemas) = Schemas::published() else { return };
    let policy = |spec: Value| {
        let body = json!({
            "apiVersion": "cilium.io/v2",
            "kind": "CiliumNetworkPolicy",
            "metadata": {
                "namespace": "a",
                "name": "b",
                "labels": {"app.kubernetes.io/managed-by": "landbridge"},
            },
            "spec": spec,
        });
        Resource::object(body, landbridge::source::Span::default())
    };
    let problems = |spec: Value| schemas.problems(&policy(spec), "1.19.6");
    let good = json!({"endpointSelector": {}, "egress": [{"toEntities": ["world"]}]});
    assert_eq!(problems(good), Vec::<String>::new());
    for bad in [
        json!({"endpointSelector": {}, "egress": [{"toEntity": ["world"]}]}),
        json!({"endpointSelector": {}, "egress": [{"toEntities": ["cluster-mesh"]}]}),
        json!({"endpointSelector": {}, "egress": [{"toPorts": [{"ports": [{"port": 80}]}]}]}),
        json!({"endpointSelector": {"matchlabels": {}}, "egress": [{}]}),
        json!({"endpointSelector": {}, "ingress": []}),
        json!({"endpointSelector": {}, "egress": [{"toEndpoints": []}]}),
        json!({"endpointSelector": {}, "egress": [{"toEndpoints": [{"matchLabels": {"k8s:a": "b"}}]}]}),
    ] {
        assert_ne!(problems(bad.clone()), Vec::<String>::new(), "{bad}");
    }
}

/// Strict schemas by `apiVersion/kind`; those of Cilium by minor too.
pub(crate) struct Schemas {
    by_kind: BTreeMap<String, Validator>,
}

impl Schemas {
    /// Those of `../shared/data`; where it is missing, says so and gives nothing.
    pub(crate) fn published() -> Option<Self> {
        let folder = golden::path("../shared/data/crds");
        if !folder.is_dir() {
            writeln!(io::stderr(), "skipped: there is no ../shared/data/crds")
                .expect("standard error takes a line");
            return None;
        }
        let mut schemas = Self { by_kind: BTreeMap::new() };
        for group in ["argocd", "cert-manager", "mcs-api"] {
            schemas.add(&folder.join(group), "");
        }
        for version in CILIUM {
            let minor = minor(version);
            schemas.add(&folder.join("cilium").join(minor), minor);
        }
        let path = folder.join("externaldns/dnsendpoint_v1alpha1.schema.json");
        let text = fs::read_to_string(path).expect("a published file is UTF-8");
        let mut schema = serde_json::from_str(&text).expect("a schema is JSON");
        make_strict(&mut schema);
        let kind = "externaldns.k8s.io/v1alpha1/DNSEndpoint";
        schemas.by_kind.insert(kind.to_owned(), compiled(&schema));
        for (kind, schema) in core() {
            schemas.by_kind.insert(kind.to_owned(), compiled(&schema));
        }
        for (kind, mut schema) in gateway::schemas(&folder.join("gateway-api")) {
            make_strict(&mut schema);
            schemas.by_kind.insert(kind, compiled(&schema));
        }
        for (kind, schema) in load_balancer::schemas() {
            schemas.by_kind.insert(kind, compiled(&schema));
        }
        Some(schemas)
    }

    fn add(&mut self, folder: &Path, minor: &str) {
        for entry in fs::read_dir(folder).expect("the folder is readable") {
            let path = entry.expect("the folder is readable").path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let crd = &documents(&path)[0]["spec"];
            let (group, kind) = (text(&crd["group"]), text(&crd["names"]["kind"]));
            for version in crd["versions"].as_array().expect("a CRD has versions") {
                let mut schema = version["schema"]["openAPIV3Schema"].clone();
                make_strict(&mut schema);
                let key = format!("{minor}{group}/{}/{kind}", text(&version["name"]));
                self.by_kind.insert(key, compiled(&schema));
            }
        }
    }

    /// What is wrong with an object for a version of Cilium.
    pub(crate) fn problems(&self, resource: &Resource, version: &str) -> Vec<String> {
        let own =
            if resource.api_version().starts_with("cilium.io/") { minor(version) } else { "" };
        let key = format!("{own}{}/{}", resource.api_version(), resource.kind());
        let place =
            |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        let mut problems: Vec<_> = match self.by_kind.get(&key) {
            Some(schema) => schema.iter_errors(&resource.body).map(place).collect(),
            None if is_flux(resource) => Vec::new(),
            None => vec![format!("there is no schema for {key}")],
        };
        problems.extend(metadata_problems(resource));
        problems.extend(rule_problems("", &resource.body));
        problems
    }
}

impl Schemas {
    /// What is wrong with an object of Cilium's own, its schema aside from what else the tests want.
    pub(crate) fn problems_of(&self, object: &Value, version: &str) -> Vec<String> {
        let key =
            format!("{}{}/{}", minor(version), text(&object["apiVersion"]), text(&object["kind"]));
        let Some(schema) = self.by_kind.get(&key) else {
            return vec![format!("there is no schema for {key}")];
        };
        let place =
            |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        schema.iter_errors(object).map(place).collect()
    }
}

fn minor(version: &str) -> &str {
    version.rsplit_once('.').expect("a version has a patch").0
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn compiled(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("the schema is valid")
}

/// Makes fields that the schema does not name errors, and reads Kubernetes' own keywords.
fn make_strict(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if map.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
        map.remove("type");
        map.insert("anyOf".to_owned(), json!([{"type": "integer"}, {"type": "string"}]));
    }
    let open = map.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if map.contains_key("properties") && !map.contains_key("additionalProperties") && !open {
        map.insert("additionalProperties".to_owned(), json!(false));
    }
    // Branches of `oneOf` and its kin name a part of the fields only.
    for key in ["items", "additionalProperties"] {
        map.get_mut(key).into_iter().for_each(make_strict);
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(make_strict);
    }
}

/// The kinds of Kubernetes itself, with the fields that compile may write.
/// Source: Kubernetes' OpenAPI document of 1.34, `io.k8s.api.core.v1`.
fn core() -> Vec<(&'static str, Value)> {
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let object = |properties: Value, required: &[&str]| {
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    let port = object(
        json!({
            "name": {"type": "string", "maxLength": 63},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            "targetPort": {"type": ["integer", "string"]},
            "protocol": {"enum": ["TCP", "UDP", "SCTP"]},
            "appProtocol": {"type": "string"},
        }),
        &["port"],
    );
    let spec = object(
        json!({
            "clusterIP": {"enum": ["None"]},
            "selector": texts,
            "ports": {"type": "array", "items": port},
            "trafficDistribution": {"enum": ["PreferClose", "PreferSameZone", "PreferSameNode"]},
        }),
        &["selector"],
    );
    let frame = |kind: &str, with_spec: bool| {
        let mut properties = json!({
            "apiVersion": {"const": "v1"}, "kind": {"const": kind}, "metadata": {"type": "object"},
        });
        if with_spec {
            properties["spec"] = spec.clone();
        }
        object(properties, &["apiVersion", "kind", "metadata"])
    };
    let settings = object(
        json!({
            "apiVersion": {"const": "v1"},
            "kind": {"const": "ConfigMap"},
            "metadata": {"type": "object"},
            "data": texts,
        }),
        &["apiVersion", "kind", "metadata"],
    );
    let [role, binding] = rbac();
    vec![
        ("v1/Namespace", frame("Namespace", false)),
        ("v1/Service", frame("Service", true)),
        ("v1/ConfigMap", settings),
        ("argoproj.io/v1alpha1/AppProject", project()),
        ("v1/ServiceAccount", frame("ServiceAccount", false)),
        ("rbac.authorization.k8s.io/v1/Role", role),
        ("rbac.authorization.k8s.io/v1/RoleBinding", binding),
    ]
}

/// A mapping with these keys and no others.
fn closed(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// `Role`s and `RoleBinding`s. Source: the same document, `io.k8s.api.rbac.v1`.
fn rbac() -> [Value; 2] {
    let group = "rbac.authorization.k8s.io";
    let object = |kind: &str, mut properties: Value| {
        properties["apiVersion"] = json!({"const": format!("{group}/v1")});
        properties["kind"] = json!({"const": kind});
        properties["metadata"] = json!({"type": "object"});
        let keys = properties.as_object().expect("a mapping").clone();
        closed(&properties, &keys.keys().map(String::as_str).collect::<Vec<_>>())
    };
    let many = |items: Value| json!({"type": "array", "items": items, "minItems": 1});
    let (text, list) = (json!({"type": "string"}), many(json!({"type": "string"})));
    let rule = closed(
        &json!({"apiGroups": list, "resources": list, "resourceNames": list, "verbs": list}),
        &["apiGroups", "resources", "verbs"],
    );
    let reference = closed(
        &json!({
            "apiGroup": {"const": group}, "kind": {"enum": ["Role", "ClusterRole"]}, "name": text,
        }),
        &["apiGroup", "kind", "name"],
    );
    let subject = closed(
        &json!({"kind": {"const": "ServiceAccount"}, "namespace": text, "name": text}),
        &["kind", "namespace", "name"],
    );
    [
        object("Role", json!({"rules": many(rule)})),
        object("RoleBinding", json!({"roleRef": reference, "subjects": many(subject)})),
    ]
}

/// Source: argo-cd.readthedocs.io, "Project Specification Reference"; the fields that compile
/// may write.
fn project() -> Value {
    let destination = json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "namespace": {"type": "string"}},
        "required": ["name", "namespace"],
        "additionalProperties": false,
    });
    let kind = json!({
        "type": "object",
        "properties": {"group": {"type": "string"}, "kind": {"type": "string"}},
        "required": ["group", "kind"],
        "additionalProperties": false,
    });
    let spec = json!({
        "type": "object",
        "properties": {
            "description": {"type": "string", "maxLength": 255},
            "sourceRepos": {"type": "array", "items": {"type": "string"}},
            "destinations": {"type": "array", "items": destination},
            "clusterResourceWhitelist": {"type": "array", "items": kind},
        },
        "required": ["sourceRepos", "destinations"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
        },
        "required": ["spec"],
        "additionalProperties": false,
    })
}

/// What every object carries, and the forms of its name and annotations.
fn metadata_problems(resource: &Resource) -> Vec<String> {
    let metadata = &resource.body["metadata"];
    let mut problems = Vec::new();
    let name = resource.name();
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if name.is_empty() || name.len() > 253 || !name.chars().all(known) {
        problems.push(format!("`{name}` is no name"));
    }
    let managed = metadata["labels"]["app.kubernetes.io/managed-by"] == "landbridge";
    if managed == (resource.role == Role::Patch) {
        problems.push("an object is marked as managed, a patch is not".to_owned());
    }
    for part in ["labels", "annotations"] {
        let values = metadata[part].as_object();
        if values.into_iter().flatten().any(|(_, value)| !value.is_string()) {
            problems.push(format!("`{part}` has a value that is no text"));
        }
    }
    if metadata["annotations"]["service.cilium.io/affinity"] == "none" {
        problems.push("`affinity: none` drops remote backends in some versions".to_owned());
    }
    problems
}

/// What the schema accepts and Cilium reads as something else than it says.
fn rule_problems(place: &str, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let place = format!("{place}/{key}");
                problems.extend(rule_problems(&place, value));
                let empty = value.as_array().is_some_and(Vec::is_empty);
                if empty {
                    problems.push(format!("{place}: an empty list"));
                }
                if ["toServices", "toGroups", "fromNodes", "toNodes"].contains(&key.as_str()) {
                    problems.push(format!("{place}: fails open, or needs what the mesh has not"));
                }
                if ["toEndpoints", "fromEndpoints"].contains(&key.as_str()) {
                    let peers = value.as_array().into_iter().flatten();
                    let unplaced = peers.filter(|peer| !is_placed(peer));
                    problems.extend(unplaced.map(|peer| format!("{place}: {peer} is not placed")));
                }
            }
            let kinds = map.keys().filter(|key| key.starts_with("to") || key.starts_with("from"));
            // A ReferenceGrant has both `from` and `to`.
            let kinds: Vec<_> =
                kinds.filter(|key| !["toPorts", "from", "to"].contains(&key.as_str())).collect();
            if kinds.len() > 1 {
                problems.push(format!("{place}: {kinds:?} cannot be combined"));
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                problems.extend(rule_problems(&format!("{place}/{at}"), item));
            }
        }
        _ => {}
    }
    problems
}

/// Whether a peer says its namespace and its cluster, so that it means the same everywhere.
fn is_placed(peer: &Value) -> bool {
    let labels = peer["matchLabels"].as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let expressions = peer["matchExpressions"].as_array().into_iter().flatten();
    let positive = expressions.filter(|e| e["operator"] == "In" || e["operator"] == "Exists");
    let keys: Vec<&str> = labels.chain(positive.filter_map(|e| e["key"].as_str())).collect();
    let namespace = |key: &&str| {
        *key == "k8s:io.kubernetes.pod.namespace"
            || key.starts_with("k8s:io.cilium.k8s.namespace.labels.")
    };
    keys.iter().any(namespace) && keys.contains(&"k8s:io.cilium.k8s.policy.cluster")
}

/// The documents of a published file.
pub(crate) fn documents(path: &Path) -> Vec<Value> {
    let mut sources = SourceMap::new();
    let text = fs::read_to_string(path).expect("a published file is UTF-8");
    let id = sources.add(path.display().to_string(), text);
    let mut found = Diagnostics::new();
    let documents = yaml::parse(&sources, id, &mut found);
    assert!(found.is_empty(), "{}: {found:?}", path.display());
    documents.iter().map(json_of).collect()
}

fn json_of(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Scalar(scalar) if !scalar.plain => scalar.text.to_string().into(),
        yaml::Value::Scalar(scalar) => match go(&scalar.text) {
            Resolved::Null => Value::Null,
            Resolved::Bool(truth) => truth.into(),
            Resolved::Integer(number) => {
                i64::try_from(number).expect("a published number is small").into()
            }
            Resolved::Float(number) => number.into(),
            Resolved::Text => scalar.text.to_string().into(),
        },
        yaml::Value::Sequence(items) => items.iter().map(json_of).collect(),
        yaml::Value::Mapping(entries) => {
            let pair = |entry: &yaml::Entry| (entry.key.to_string(), json_of(&entry.value));
            Value::Object(entries.iter().map(pair).collect::<Map<_, _>>())
        }
    }
}
