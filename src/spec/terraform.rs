//! What Terraform made, read back into the topology: ids, addresses and host names.
//!
//! `terraform output -json` writes every output with its value, those of sensitive outputs in
//! clear (source: developer.hashicorp.com, "terraform output"). A value is put into the documents
//! before they are decoded, with its place in that file, so that whatever is wrong with it is
//! reported there. Sensitive values are never used, and are struck out of the text before
//! anything could show it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::load::Files;
use super::value::{OneOrMany, RelativePath, Word};
use super::{CONTRADICTING_OUTPUT, KINDS, UNUSABLE_OUTPUT};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::object;
use crate::source::{SourceMap, Span, Spanned};
use crate::yaml::fields::{Decode, Map};
use crate::yaml::json::json;
use crate::yaml::{self, Entry, MAX_ALIAS_NODES, Node, Value};

/// Most parts of a place. The deepest key of the language lies a dozen levels deep; together with
/// the value, what is nested stays about as deep as what may be written.
const MAX_PARTS: usize = 32;
/// Most nodes that are looked at or copied to put all values where they belong. A mesh of a
/// thousand clusters with twenty values each needs a tenth of it.
const MAX_WORK: usize = 20_000_000;

object! {
    /// What Terraform made, read back.
    pub struct Terraform {
        /// A file with what `terraform output -json` prints, below the project.
        "file" => file: Spanned<RelativePath>,
        /// The places in the topology that each output's value belongs to, by output. A place is
        /// a path below `spec` with `/`: `regions/eu-west-1/networks/main/vpcID`,
        /// `dns/zones/example.com/hostedZoneID`; behind a kind and a name, one of that document:
        /// `Cluster/use1/clustermesh/endpoint/hostname`. Parts of an output that is an object
        /// are named behind it: `vpc_ids/use1`.
        "map" => map: Map<OneOrMany<Spanned<Word>>>,
    }
}

/// A value for one place.
#[derive(Debug)]
struct Fill {
    /// The path below `spec`.
    path: Vec<String>,
    /// Where the topology names the place.
    named: Span,
    /// The value, with its place in Terraform's file.
    value: Node,
    /// How many nodes the value has.
    size: usize,
    applied: AtomicBool,
}

/// The values that are mapped.
#[derive(Debug, Default)]
pub(super) struct Fills {
    /// By kind and name of the document that they belong to; the Topology has no name.
    documents: BTreeMap<(String, String), Vec<Fill>>,
    /// The nodes that were looked at or copied.
    work: AtomicUsize,
}

/// Reads the files that a Topology document names; `documents` are those of `landbridge.yaml`.
pub(super) fn read(files: &mut Files<'_>, documents: &[Node], found: &mut Diagnostics) -> Fills {
    let mut fills = Fills::default();
    let topology = documents.iter().find(|document| head(document).0 == "Topology");
    let Some(sets) = topology.and_then(|topology| topology.at(&["spec", "terraform"])) else {
        return fills;
    };
    // What cannot be decoded is reported with the rest of the document.
    let sets = Vec::<Terraform>::decode(sets, &mut Diagnostics::new()).unwrap_or_default();
    let mut left = MAX_ALIAS_NODES;
    for set in &sets {
        let Some(outputs) = outputs(files, &set.file, found) else { continue };
        for (name, places) in set.map.iter() {
            let Some(value) = value(&outputs, name, found) else { continue };
            let size = count(value);
            for place in &places.0 {
                if place.value.split('/').count() > MAX_PARTS {
                    let message = format!("a place has at most {MAX_PARTS} parts");
                    found.push(Diagnostic::new(&UNUSABLE_OUTPUT, place.span, message));
                    continue;
                }
                let Some(rest) = left.checked_sub(size) else {
                    let message = "the outputs that are mapped are too large together";
                    found.push(Diagnostic::new(&UNUSABLE_OUTPUT, place.span, message));
                    return fills;
                };
                left = rest;
                fills.add(place, value.clone(), size);
            }
        }
    }
    fills
}

impl Fills {
    fn add(&mut self, place: &Spanned<Word>, value: Node, size: usize) {
        let mut path: Vec<String> = place.value.split('/').map(str::to_owned).collect();
        let mut document = ("Topology".to_owned(), String::new());
        if path.len() > 2 && KINDS.iter().any(|kind| kind.name == path[0]) {
            let mut head = path.drain(..2);
            document = (head.next().unwrap_or_default(), head.next().unwrap_or_default());
        }
        let (named, applied) = (place.span, AtomicBool::new(false));
        self.documents.entry(document).or_default().push(Fill {
            path,
            named,
            value,
            size,
            applied,
        });
    }

    /// Puts the values that belong to these documents where they belong.
    pub(super) fn apply(&self, documents: &mut [Node], found: &mut Diagnostics) {
        if self.documents.is_empty() {
            return;
        }
        for document in documents {
            let (kind, name) = head(document);
            let name = if kind == "Topology" { "" } else { name };
            let Some(fills) = self.documents.get(&(kind.to_owned(), name.to_owned())) else {
                continue;
            };
            for fill in fills {
                fill.applied.store(true, Ordering::Relaxed);
                if self.exhausted() {
                    return;
                }
                let work = fill.put(document, &["spec".to_owned()], found);
                self.work.fetch_add(work, Ordering::Relaxed);
            }
        }
    }

    /// Whether putting the values takes more than any mesh needs.
    fn exhausted(&self) -> bool {
        self.work.load(Ordering::Relaxed) > MAX_WORK
    }

    /// Reports the values whose document was not there.
    pub(super) fn finish(&self, found: &mut Diagnostics) {
        let first = self.documents.values().flatten().map(|fill| fill.named).min();
        if let Some(first) = first.filter(|_| self.exhausted()) {
            let message = "the outputs that are mapped take too long to put into the topology";
            let finding = Diagnostic::new(&UNUSABLE_OUTPUT, first, message);
            found.push(finding.help("map each output once, into mappings of a usual size"));
            return;
        }
        for ((kind, name), fills) in &self.documents {
            for fill in fills.iter().filter(|fill| !fill.applied.load(Ordering::Relaxed)) {
                let message = format!("there is no {kind} `{}`", name.escape_debug());
                found.push(Diagnostic::new(&UNUSABLE_OUTPUT, fill.named, message));
            }
        }
    }
}

impl Fill {
    /// Puts the value where it belongs; gives the number of nodes that this took.
    fn put(&self, document: &mut Node, start: &[String], found: &mut Diagnostics) -> usize {
        let mut node = document;
        let mut work = self.size;
        let path: Vec<&String> = start.iter().chain(&self.path).collect();
        for (at, part) in path.iter().enumerate() {
            if node.is_null() {
                node.value = Value::Mapping(Vec::new());
            }
            work += width(node);
            let place = match &mut node.value {
                Value::Mapping(entries) => {
                    let known = entries.iter().position(|entry| *entry.key == ***part);
                    let Some(known) = known else {
                        entries.push(self.rest(&path[at..]));
                        return work;
                    };
                    Some(&mut entries[known].value)
                }
                Value::Sequence(items) => item(items, part),
                Value::Scalar(_) => None,
            };
            let Some(next) = place else {
                let message =
                    format!("there is no `{}` to put the output into", part.escape_debug());
                let finding = Diagnostic::new(&UNUSABLE_OUTPUT, self.named, message);
                found.push(finding.related(node.span, "it would stand here"));
                return work;
            };
            node = next;
        }
        work += count(node);
        if node.is_null() {
            *node = self.value.clone();
        } else if json(node) != json(&self.value) {
            let message = "the topology and Terraform's output disagree";
            let finding = Diagnostic::new(&CONTRADICTING_OUTPUT, node.span, message)
                .label("the topology says this")
                .related(self.value.span, "Terraform says this")
                .related(self.named, "mapped here");
            found.push(finding.help("remove the value from the topology, or apply Terraform"));
        }
        work
    }

    /// What is not there yet of a path, with the value at its end.
    fn rest(&self, path: &[&String]) -> Entry {
        let key = |part: &String| part.as_str().into();
        let value = path[1..].iter().rev().fold(self.value.clone(), |value, part| {
            let entry = Entry { key: key(part), key_span: self.named, value };
            Node { span: self.named, value: Value::Mapping(vec![entry]) }
        });
        Entry { key: key(path[0]), key_span: self.named, value }
    }
}

/// How many nodes are looked at to find a part in a node.
fn width(node: &Node) -> usize {
    let entries = |node: &Node| node.entries().map_or(1, <[Entry]>::len);
    match &node.value {
        Value::Sequence(items) => items.iter().map(entries).sum(),
        _ => entries(node),
    }
}

/// The item of a list with this name, or at this place, counted from 0.
fn item<'a>(items: &'a mut [Node], part: &str) -> Option<&'a mut Node> {
    let named = |item: &Node| item.get("name").and_then(Node::text) == Some(part);
    let at = items.iter().position(named).or_else(|| part.parse().ok())?;
    items.get_mut(at)
}

/// The kind and the name of a document.
fn head(document: &Node) -> (&str, &str) {
    let text = |path: &[&str]| document.at(path).and_then(Node::text).unwrap_or_default();
    (text(&["kind"]), text(&["metadata", "name"]))
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(_) => 0,
        Value::Sequence(items) => items.iter().map(count).sum(),
        Value::Mapping(entries) => entries.iter().map(|entry| count(&entry.value)).sum(),
    }
}

/// The outputs of a file: a mapping of names.
fn outputs(
    files: &mut Files<'_>,
    file: &Spanned<RelativePath>,
    found: &mut Diagnostics,
) -> Option<Node> {
    let mut readable = true;
    let strike = |text: String| {
        let struck = without_secrets(&text);
        readable = struck.is_some();
        struck.unwrap_or_default()
    };
    let id = files.read_as(&file.value, Some(file.span), strike, found)?;
    let document = yaml::parse(files.sources, id, &mut Diagnostics::new()).into_iter().next();
    let outputs = document.filter(|node| readable && node.entries().is_some());
    if outputs.is_none() {
        let message = format!("`{}` is not what `terraform output -json` prints", file.value.0);
        let help = "write it anew: `terraform output -json`, to that file";
        found.push(Diagnostic::new(&UNUSABLE_OUTPUT, file.span, message).help(help));
    }
    outputs
}

/// The text with every sensitive value struck out; nothing where it cannot be read. Its places
/// stay what they were.
fn without_secrets(text: &str) -> Option<String> {
    let mut sources = SourceMap::new();
    let id = sources.add("outputs", text);
    let mut found = Diagnostics::new();
    let documents = yaml::parse(&sources, id, &mut found);
    let [document] = &documents[..] else { return None };
    let mut bytes = text.as_bytes().to_vec();
    for output in document.entries()?.iter().filter(|_| found.is_empty()) {
        let open = output.value.get("sensitive").and_then(Node::text) == Some("false");
        let value = output.value.entry("value").map_or(output.value.span, |entry| entry.value.span);
        if !open {
            let struck = bytes.get_mut(value.range())?;
            struck.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'0');
        }
    }
    found.is_empty().then(|| String::from_utf8(bytes).ok())?
}

/// The value of an output, or of a part of one: `vpc_ids/use1`.
fn value<'a>(
    outputs: &'a Node,
    name: &Spanned<String>,
    found: &mut Diagnostics,
) -> Option<&'a Node> {
    let mut parts = name.value.split('/');
    let output = parts.next().and_then(|output| outputs.get(output));
    let refuse = |message: String, help: &str, found: &mut Diagnostics| {
        let finding = Diagnostic::new(&UNUSABLE_OUTPUT, name.span, message).label("mapped here");
        found.push(finding.help(help));
    };
    let shown = name.value.escape_debug();
    let Some(output) = output else {
        let help = "run `terraform output -json` again after `terraform apply`, or mend the name";
        refuse(format!("Terraform has no output `{shown}`"), help, found);
        return None;
    };
    if output.get("sensitive").and_then(Node::text) != Some("false") {
        let help = "keep the secret in a Secret, and name that";
        refuse(format!("the output `{shown}` is sensitive"), help, found);
        return None;
    }
    let mut value = output.get("value");
    for part in parts {
        value = value.and_then(|value| value.get(part));
    }
    if value.is_none_or(Node::is_null) {
        let help = "map an output that has a value, or a part that is in it";
        refuse(format!("the output `{shown}` has no value"), help, found);
        return None;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;
    use crate::system::memory::MemorySystem;

    const OUTPUTS: &str = r#"{
  "vpc_ids": {"sensitive": false, "type": ["object", {}], "value": {"use1": "vpc-0a1b2c3d4e5f60001"}},
  "zone_id": {"sensitive": false, "type": "string", "value": "Z0123456789ABCDEFGHIJ"},
  "mesh_ips": {"sensitive": false, "type": ["list", "string"], "value": ["10.0.1.20"]},
  "nothing": {"sensitive": false, "type": "string", "value": null},
  "password": {"sensitive": true, "type": "string", "value": "hunter2"}
}
"#;

    const PROJECT: &str = r"apiVersion: landbridge.dev/v1alpha1
kind: Topology
metadata: {name: t}
spec:
  include: [a.yaml]
  terraform: [{file: outputs.json, map: {MAP}}]
  regions: {r: {networks: {main: }}}
  dns: {zones: [{name: example.com, provider: route53}]}
";

    const CLUSTER: &str = "apiVersion: landbridge.dev/v1alpha1\nkind: Cluster\n\
        metadata: {name: use1}\nspec: {region: r, id: 1}\n";

    fn loaded(map: &str, outputs: &str) -> (crate::spec::Spec, Vec<String>, SourceMap) {
        let system = MemorySystem::new()
            .with(load::ENTRY, PROJECT.replace("MAP", map))
            .with("a.yaml", CLUSTER)
            .with("outputs.json", outputs);
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let spec = load::project(&system, &mut sources, &mut found);
        let line = |d: &Diagnostic| {
            format!("{} {} {}", sources.location(d.primary.span), d.rule.code, d.message)
        };
        let lines = found.iter().map(line).collect();
        (spec, lines, sources)
    }

    #[test]
    fn values_get_to_their_places() {
        let map = "vpc_ids/use1: regions/r/networks/main/vpcID, \
                   zone_id: [dns/zones/example.com/hostedZoneID, dns/zones/0/hostedZoneID], \
                   mesh_ips: Cluster/use1/clustermesh/endpoint/ips";
        let (spec, found, sources) = loaded(map, OUTPUTS);
        assert_eq!(found, Vec::<String>::new());
        let topology = spec.topology.unwrap().spec.unwrap();
        let network = topology.regions.get("r").unwrap().networks.get("main").unwrap().clone();
        let id = network.vpc_id.unwrap();
        assert_eq!(id.value.0, "vpc-0a1b2c3d4e5f60001");
        assert_eq!(sources.location(id.span), "outputs.json:2:77");
        let zone = topology.dns.unwrap().zones[0].hosted_zone_id.clone().unwrap();
        assert_eq!(zone.value.0, "Z0123456789ABCDEFGHIJ");
        let cluster = spec.clusters[0].spec.clone().unwrap();
        assert_eq!(cluster.clustermesh.unwrap().endpoint.unwrap().ips.len(), 1);
    }

    #[test]
    fn what_cannot_be_used_is_reported() {
        for (map, finding) in [
            ("zone: a", "landbridge.yaml:6:42 LB0028 Terraform has no output `zone`"),
            ("password: a", "landbridge.yaml:6:42 LB0028 the output `password` is sensitive"),
            ("nothing: a", "landbridge.yaml:6:42 LB0028 the output `nothing` has no value"),
            (
                "vpc_ids/euw1: a",
                "landbridge.yaml:6:42 LB0028 the output `vpc_ids/euw1` has no value",
            ),
            ("zone_id: Cluster/x/id", "landbridge.yaml:6:51 LB0028 there is no Cluster `x`"),
            ("zone_id: dns/zones/x/role", "landbridge.yaml:6:51 LB0028 there is no `x` to put"),
            ("zone_id: dns/zones/0/name/x", "landbridge.yaml:6:51 LB0028 there is no `x` to put"),
            ("zone_id: dns/zones/0/name", "landbridge.yaml:8:24 LB0027 the topology and Terraform"),
            ("zone_id: Cluster/use1/id", "a.yaml:4:23 LB0027 the topology and Terraform"),
            ("zone_id: dns/zones/0/roel", "landbridge.yaml:6:51 LB0005 unknown key `roel`"),
        ] {
            let (_, found, _) = loaded(map, OUTPUTS);
            assert_eq!(found.len(), 1, "{map}: {found:?}");
            assert!(found[0].starts_with(finding), "{map}: {found:?}");
        }
    }

    #[test]
    fn secrets_are_struck_out() {
        for outputs in [
            OUTPUTS,
            r#"{"password": {"value": "hunter2"}}"#,
            r#"{"password": {"sensitive": "no", "value": ["hunter2", {"a": "hunter2"}]}}"#,
            "{\"password\": {\"sensitive\": true, \"value\": {\n  \"a\": \"hunter2\"\n}}}",
            r#"{"a": "hunter2", "b": "#,
            r#"{"a": "hunter2", "a": "hunter2"}"#,
            r#"["hunter2"]"#,
            "hunter2",
        ] {
            let (_, found, sources) = loaded("password: a", outputs);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains("LB0028"), "{found:?}");
            let all: Vec<_> = sources.iter().map(|(_, source)| source.text()).collect();
            assert!(!all.concat().contains("hunter2"), "{all:?}");
        }
    }

    #[test]
    fn a_place_is_not_deeper_than_the_language() {
        let place = vec!["a"; 2_000].join("/");
        let (_, found, _) = loaded(&format!("zone_id: {place}"), OUTPUTS);
        assert_eq!(found, ["landbridge.yaml:6:51 LB0028 a place has at most 32 parts"]);
        let (_, found, _) = loaded(&format!("zone_id: {}", vec!["a"; 32].join("/")), OUTPUTS);
        assert_eq!(found, ["landbridge.yaml:6:51 LB0005 unknown key `a`"]);
    }

    #[test]
    fn many_places_in_a_large_mapping_end() {
        let places: Vec<_> = (0..20_000).map(|at| format!("regions/r{at}")).collect();
        let (_, found, _) = loaded(&format!("zone_id: [{}]", places.join(",")), OUTPUTS);
        let long = |found: &&String| found.contains("LB0028 the outputs that are mapped take too");
        assert_eq!(found.iter().filter(long).count(), 1, "{:?}", found.first());
    }

    #[test]
    fn an_output_is_not_copied_without_bound() {
        let list = vec!["1"; 1_000].join(",");
        let outputs = format!(r#"{{"x": {{"sensitive": false, "value": [{list}]}}}}"#);
        let places: Vec<_> = (0..600).map(|at| format!("a{at}")).collect();
        let (_, found, _) = loaded(&format!("x: [{}]", places.join(",")), &outputs);
        let large = |found: &&String| found.contains("LB0028 the outputs that are mapped are too");
        assert_eq!(found.iter().filter(large).count(), 1);
    }
}
