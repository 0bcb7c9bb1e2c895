//! Documents to objects: lists are taken apart, and what is no object is told apart.

use std::ops::Range;

use super::substitute::{self, Budget, Failure};
use super::template::{self, Problem};
use super::{INVALID_SUBSTITUTION, Manifest, NOT_A_MANIFEST, Variables};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceId, SourceMap, Span, Spanned};
use crate::yaml::scalar::{Resolved, go};
use crate::yaml::{self, Node, Value};

/// Files that kustomize reads and does not apply: `RecognizedKustomizationFileNames` of
/// sigs.k8s.io/kustomize/api/konfig.
const KUSTOMIZATION_FILES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The group of kustomize's own documents: Kustomization and Component.
const KUSTOMIZE_GROUP: &str = "kustomize.config.k8s.io/";
/// The label or annotation that keeps Flux from replacing variables in an object.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Reads the objects of a file.
pub(super) fn read(
    sources: &SourceMap,
    id: SourceId,
    variables: Option<&Variables>,
    found: &mut Diagnostics,
) -> Vec<Manifest> {
    let source = sources.get(id);
    let file = source.name();
    if KUSTOMIZATION_FILES.contains(&file.rsplit('/').next().unwrap_or(file)) {
        return Vec::new();
    }
    let mut parsed = Diagnostics::new();
    let documents = yaml::parse(sources, id, &mut parsed);
    keep_secrets(source.text(), parsed, found);
    let budget = Budget::new(source.text().len());
    let variables = variables.map(|known| (known, sources.get(known.source()).name()));
    let manifests = Vec::new();
    let mut reader = Reader { file, variables, budget, exhausted: false, found, manifests };
    for document in documents {
        reader.object(document, None);
    }
    reader.manifests
}

/// Takes over what was found in a text; of what stands in a Secret only that there is something.
fn keep_secrets(text: &str, parsed: Diagnostics, found: &mut Diagnostics) {
    if !text.contains("Secret") {
        found.extend(parsed);
        return;
    }
    // Findings come in the order of the text; one document may have many.
    let (mut document, mut secret) = (0..0, false);
    for finding in parsed.iter() {
        let at = finding.primary.span.start as usize;
        if !document.contains(&at) {
            document = document_around(text.as_bytes(), at);
            secret = names_a_secret(&text.as_bytes()[document.clone()]);
        }
        if secret {
            let what = "a document that cannot be read as YAML";
            let why = "it says that it is a Secret, of which nothing is shown";
            found.not_checked(finding.primary.span, what, why);
        } else {
            found.push(finding.clone());
        }
    }
}

/// The bytes between the `---` before and after a byte.
fn document_around(text: &[u8], at: usize) -> Range<usize> {
    let (before, after) = text.split_at(at.min(text.len()));
    let mark = |part: &[u8]| part == b"\n---";
    let start = before.windows(4).rposition(mark).map_or(0, |start| start + 1);
    let end = after.windows(4).position(mark).map_or(text.len(), |end| before.len() + end + 1);
    start..end
}

/// Whether a text has `kind: Secret` somewhere, in YAML or in JSON.
fn names_a_secret(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let quote = |c: char| c == '"' || c == '\'';
    text.match_indices("kind").any(|(at, _)| {
        let rest = text[at + 4..].trim_start_matches(quote).trim_start();
        let Some(rest) = rest.strip_prefix(':') else { return false };
        let value = rest.trim_start().trim_start_matches(quote);
        let name = value.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        matches!(name, "Secret" | "SecretList")
    })
}

/// `Kind/namespace/name`.
pub(super) fn described(kind: &str, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

/// What the items of a list are, where they do not say it.
type Inherited = (Spanned<String>, Spanned<String>);

struct Reader<'a> {
    file: &'a str,
    /// The variables, and the file that they stand in.
    variables: Option<(&'a Variables, &'a str)>,
    budget: Budget,
    /// The budget is used up, which has been reported.
    exhausted: bool,
    found: &'a mut Diagnostics,
    manifests: Vec<Manifest>,
}

impl Reader<'_> {
    fn object(&mut self, node: Node, inherited: Option<&Inherited>) {
        if node.is_null() {
            return;
        }
        let kind = text(&node, "kind").or_else(|| Some(inherited?.1.value.clone()));
        let kind = kind.unwrap_or_default();
        let api_version = text(&node, "apiVersion").unwrap_or_default();
        let is_secret = matches!(&*kind, "Secret" | "SecretList");
        if is_secret || api_version.starts_with(KUSTOMIZE_GROUP) {
            return;
        }
        if node.get("sops").is_some_and(|sops| sops.entries().is_some()) {
            let what = self.what(&node);
            self.found.not_checked(first_key(&node), what, "it is encrypted with SOPS");
            return;
        }
        if is_list(&node, &kind, &api_version) {
            self.list(node);
            return;
        }
        if let Some(node) = self.replaced(node) {
            self.add(node, inherited);
        }
    }

    /// Takes a list apart, as kubectl and kustomize do.
    fn list(&mut self, node: Node) {
        let inherited = typed_items(&node);
        let Value::Mapping(entries) = node.value else { return };
        let Some(items) = entries.into_iter().find(|entry| &*entry.key == "items") else { return };
        if items.value.is_null() {
            return;
        }
        let span = items.value.span;
        let Value::Sequence(items) = items.value.value else {
            let message = "the `items` of a List are no list";
            self.found.push(Diagnostic::new(&NOT_A_MANIFEST, span, message));
            return;
        };
        for item in items {
            self.object(item, inherited.as_ref());
        }
    }

    /// Replaces the variables; gives nothing where the object cannot be known.
    fn replaced(&mut self, node: Node) -> Option<Node> {
        let Some((variables, file)) = self.variables else {
            self.report_undeclared(&node);
            return Some(node);
        };
        if is_disabled(&node) {
            return Some(node);
        }
        if let Some(why) = variables.unusable(file) {
            let Some((span, _)) = first_variable(&node) else { return Some(node) };
            let what = self.what(&node);
            self.found.not_checked(span, what, why);
            return None;
        }
        let what = self.what(&node);
        match substitute::object(node, variables, &mut self.budget) {
            Ok(node) => Some(node),
            Err(failure) => {
                self.report(failure, what, file);
                None
            }
        }
    }

    fn report(&mut self, Failure { span, problem }: Failure, what: String, file: &str) {
        let finding = |message: String| Diagnostic::new(&INVALID_SUBSTITUTION, span, message);
        match problem {
            Problem::Unknown(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let why = match &*names {
                    [name] => format!("the variable {name} is not in `{file}`"),
                    _ => format!("the variables {} are not in `{file}`", names.join(", ")),
                };
                self.found.not_checked(span, what, why);
            }
            Problem::Unsupported(why) => {
                let why = format!("a variable in it is not replaced here: {why}");
                self.found.not_checked(span, what, why);
            }
            Problem::Refused(why) => {
                let finding = finding(format!("Flux cannot read the variable: {why}"));
                self.found.push(finding.help("write `$${` where no variable is meant"));
            }
            Problem::Unreadable(why) => {
                let message = "with its variables replaced, the value cannot be read".to_owned();
                self.found.push(finding(message).note(why));
            }
            // One finding for the file; nothing that follows could be replaced either.
            Problem::TooLarge if self.exhausted => {}
            Problem::TooLarge => {
                self.exhausted = true;
                let message = "replacing the variables of this file takes too much".to_owned();
                let note = "at most four times its size and 1 MiB, and 100,000 strings";
                self.found.push(finding(message).note(note).help("split the file"));
            }
        }
    }

    /// Reports an object that names a variable although none are declared.
    fn report_undeclared(&mut self, node: &Node) {
        if is_disabled(node) {
            return;
        }
        if let Some((span, name)) = first_variable(node) {
            let why = format!("it has `${{{name}}}` and no `substitute` is declared");
            let what = self.what(node);
            self.found.not_checked(span, what, why);
        }
    }

    /// Names an object as well as it can be named.
    fn what(&self, node: &Node) -> String {
        let metadata = node.get("metadata");
        let of = |key: &str| metadata.and_then(|metadata| text(metadata, key));
        match (text(node, "kind"), of("name")) {
            (Some(kind), Some(name)) => described(&kind, of("namespace").as_deref(), &name),
            (Some(kind), None) => format!("{kind} in `{}`", self.file),
            _ => format!("`{}`", self.file),
        }
    }

    fn add(&mut self, node: Node, inherited: Option<&Inherited>) {
        if node.entries().is_none() {
            let message = format!("expected a Kubernetes object, found {}", node.describe());
            self.reject(first_key(&node), message);
            return;
        }
        let inherited = inherited.filter(|_| node.get("kind").is_none());
        let api_version = inherited.map(|(api_version, _)| api_version.clone());
        let Some(api_version) = api_version.or_else(|| self.required(&node, "apiVersion")) else {
            return;
        };
        let kind = inherited.map(|(_, kind)| kind.clone());
        let Some(kind) = kind.or_else(|| self.required(&node, "kind")) else { return };
        let Some(metadata) = node.get("metadata") else {
            self.reject(first_key(&node), "the object has no `metadata`".to_owned());
            return;
        };
        if let (None, Some(generated)) = (metadata.get("name"), metadata.entry("generateName")) {
            let message = "an object with `generateName` has no name of its own".to_owned();
            self.reject(generated.key_span, message);
            return;
        }
        let Some(name) = self.required(metadata, "name") else { return };
        let namespace = match metadata.get("namespace") {
            Some(namespace) if !namespace.is_null() => match self.required(metadata, "namespace") {
                Some(namespace) => Some(namespace),
                None => return,
            },
            _ => None,
        };
        let span = node.span;
        self.manifests.push(Manifest { node, api_version, kind, namespace, name, span });
    }

    /// The text of a key that an object must have.
    fn required(&mut self, node: &Node, key: &str) -> Option<Spanned<String>> {
        let value = node.get(key);
        if let Some((value, text)) = value.and_then(|value| Some((value, text(node, key)?)))
            && !text.is_empty()
        {
            return Some(Spanned::new(text, value.span));
        }
        match value {
            Some(value) if !value.is_null() && value.text() != Some("") => {
                let message = format!("expected text as `{key}`, found {}", value.describe());
                self.reject(value.span, message);
            }
            _ => self.reject(first_key(node), format!("the object has no `{key}`")),
        }
        None
    }

    fn reject(&mut self, span: Span, message: String) {
        let help = "complete the object, or leave the file out of `spec.manifests`";
        self.found.push(Diagnostic::new(&NOT_A_MANIFEST, span, message).help(help));
    }
}

/// The value of a key where Go reads text.
fn text(node: &Node, key: &str) -> Option<String> {
    match &node.get(key)?.value {
        Value::Scalar(scalar) if !scalar.plain || go(&scalar.text) == Resolved::Text => {
            Some(scalar.text.to_string())
        }
        _ => None,
    }
}

/// The first key of a mapping, or the first line of anything else.
fn first_key(node: &Node) -> Span {
    match node.entries() {
        Some([first, ..]) => first.key_span,
        _ => Span { end: node.span.start, ..node.span },
    }
}

/// Whether kubectl would take the items for the objects: `UnstructuredList` of
/// k8s.io/apimachinery, where a List without items is an empty one.
fn is_list(node: &Node, kind: &str, api_version: &str) -> bool {
    let has_items = node.get("items").is_some_and(|items| items.items().is_some());
    kind.ends_with("List") && has_items || (kind, api_version) == ("List", "v1")
}

/// What the items of a typed list are: `CiliumNetworkPolicyList` has CiliumNetworkPolicies.
fn typed_items(node: &Node) -> Option<Inherited> {
    let spanned = |key| Some(Spanned::new(text(node, key)?, node.get(key)?.span));
    let (api_version, kind) = (spanned("apiVersion")?, spanned("kind")?);
    let kind = kind.map(|kind| kind.trim_end_matches("List").to_owned());
    (!kind.is_empty()).then_some((api_version, kind))
}

/// Whether Flux leaves the variables of an object alone.
fn is_disabled(node: &Node) -> bool {
    ["labels", "annotations"].iter().any(|which| {
        node.at(&["metadata", which, SUBSTITUTE]).and_then(Node::text) == Some("disabled")
    })
}

/// The first variable that an object names. The texts that a ConfigMap carries are for programs,
/// whose variables they may be.
fn first_variable(node: &Node) -> Option<(Span, &str)> {
    let is_map = text(node, "kind").as_deref() == Some("ConfigMap");
    let skipped = |key: &str| is_map && (key == "data" || key == "binaryData");
    let entries = node.entries().unwrap_or_default();
    entries.iter().filter(|entry| !skipped(&entry.key)).find_map(|entry| {
        let key = template::first_name(&entry.key).map(|name| (entry.key_span, name));
        key.or_else(|| variable_in(&entry.value))
    })
}

fn variable_in(node: &Node) -> Option<(Span, &str)> {
    match &node.value {
        Value::Scalar(scalar) => template::first_name(&scalar.text).map(|name| (node.span, name)),
        Value::Sequence(items) => items.iter().find_map(variable_in),
        Value::Mapping(entries) => entries.iter().find_map(|entry| {
            let key = template::first_name(&entry.key).map(|name| (entry.key_span, name));
            key.or_else(|| variable_in(&entry.value))
        }),
    }
}
