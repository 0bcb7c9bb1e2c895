//! Finds and reads the files of a project.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobBuilder;
use rayon::prelude::*;

use super::folders::{Folders, Matched};
use super::terraform::{self, Fills};
use super::value::RelativePath;
use super::{MISSING_TOPOLOGY, Spec, TopologySpec, UNREADABLE_FILE, delivery, duplicate};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::{self, Manifest, Variables};
use crate::source::{SourceId, SourceMap, Span, Spanned};
use crate::system::{FileError, System};
use crate::yaml::{self, INVALID_YAML, MAX_FILE, Node};

/// The file at the root of a project.
pub const ENTRY: &str = "landbridge.yaml";
/// Most values that all files of a project may have together; the largest mesh has a fifth of
/// that.
const MAX_VALUES: usize = 4_000_000;
/// Files that are parsed before what they say is put together.
const AT_ONCE: usize = 256;
/// Most bytes that all files of a project may have together.
pub const MAX_TOTAL: u64 = 512 * 1024 * 1024;

/// Reads `landbridge.yaml` and everything that it includes.
pub fn project(system: &dyn System, sources: &mut SourceMap, found: &mut Diagnostics) -> Spec {
    let mut files = Files::new(system, sources);
    let Some(entry) = files.read(ENTRY, None, found) else { return Spec::default() };
    let mut documents = yaml::parse(files.sources, entry, found);
    let fills = terraform::read(&mut files, &documents, found);
    fills.apply(&mut documents, found);
    let mut spec = Spec { today: Some(system.today()), ..Spec::default() };
    decode(&mut spec, &documents, found);
    let Some(topology) = &spec.topology else {
        let message = format!("`{ENTRY}` has no Topology");
        let help = "add a document of kind `Topology`; `landbridge init` writes a first one";
        found.push(Diagnostic::new(&MISSING_TOPOLOGY, Span::start_of(entry), message).help(help));
        return spec;
    };
    let written = topology.spec.clone();
    let mut included = Vec::new();
    for pattern in written.iter().flat_map(files_of) {
        included.extend(files.glob(&pattern.clone().map(|path| path.0), found));
    }
    // Globs may overlap, and may name the entry: each file counts once.
    let mut counted = BTreeSet::from([entry]);
    included.retain(|id| counted.insert(*id));
    let sets = written.iter().flat_map(|spec| &spec.manifests);
    let sets: Vec<_> = sets.map(|set| manifest_files(&mut files, set, found)).collect();
    let sources = &*files.sources;
    spec.manifests = sets.iter().map(|set| manifests(sources, set, found)).collect();
    parse_all(sources, &included, &fills, &mut spec, found);
    fills.finish(found);
    spec.sort();
    unique(&mut spec.clusters, "cluster", found);
    unique(&mut spec.applications, "mesh application", found);
    unique(&mut spec.capabilities, "capability", found);
    unique(&mut spec.version_facts, "set of version facts", found);
    unique(&mut spec.policies, "policy", found);
    spec
}

/// The globs of documents of the language.
fn files_of(spec: &TopologySpec) -> impl Iterator<Item = &Spanned<RelativePath>> {
    spec.include.iter().chain(&spec.rules)
}

/// The files of an entry of `spec.manifests`, and that of its variables.
struct ManifestFiles {
    files: Vec<SourceId>,
    variables: Option<SourceId>,
    /// Its variables are named and cannot be read, so nothing of it can be checked.
    unreadable: bool,
}

fn manifest_files(
    files: &mut Files<'_>,
    set: &delivery::Manifests,
    found: &mut Diagnostics,
) -> ManifestFiles {
    let map = set.substitute.as_ref().map(|substitute| &substitute.config_map);
    let variables = map.and_then(|path| files.read(&path.value.0, Some(path.span), found));
    let mut objects = Vec::new();
    for pattern in &set.files {
        objects.extend(files.glob(&pattern.clone().map(|path| path.0), found));
    }
    ManifestFiles { files: objects, variables, unreadable: map.is_some() && variables.is_none() }
}

fn manifests(sources: &SourceMap, set: &ManifestFiles, found: &mut Diagnostics) -> Vec<Manifest> {
    if set.unreadable {
        return Vec::new();
    }
    let variables = set.variables.map(|id| Variables::read(sources, id, found));
    let read = |id: &SourceId| {
        let mut found = Diagnostics::new();
        (manifest::read(sources, *id, variables.as_ref(), &mut found), found)
    };
    let parts: Vec<_> = set.files.par_iter().map(read).collect();
    let mut objects = Vec::new();
    for (more, problems) in parts {
        objects.extend(more);
        found.extend(problems);
    }
    objects
}

fn parse_all(
    sources: &SourceMap,
    ids: &[SourceId],
    fills: &Fills,
    spec: &mut Spec,
    found: &mut Diagnostics,
) {
    let mut values = 0;
    for some in ids.chunks(AT_ONCE) {
        let parsed: Vec<_> = some.par_iter().map(|id| parse_one(sources, *id, fills)).collect();
        for (part, problems, own) in parsed {
            found.extend(problems);
            merge(spec, part, found);
            values += own;
        }
        if let (true, Some(last)) = (values > MAX_VALUES, some.last()) {
            let message = format!("the project has more than {MAX_VALUES} values up to this file");
            found.push(Diagnostic::new(&UNREADABLE_FILE, Span::start_of(*last), message));
            return;
        }
    }
}

fn decode(spec: &mut Spec, documents: &[Node], found: &mut Diagnostics) {
    for document in documents {
        spec.add(document, found);
    }
}

/// What a file says, what is wrong with it, and how many values it has.
fn parse_one(sources: &SourceMap, id: SourceId, fills: &Fills) -> (Spec, Diagnostics, usize) {
    let mut found = Diagnostics::new();
    let mut documents = yaml::parse(sources, id, &mut found);
    fills.apply(&mut documents, &mut found);
    let mut spec = Spec::default();
    decode(&mut spec, &documents, &mut found);
    (spec, found, documents.iter().map(Node::count).sum())
}

fn merge(spec: &mut Spec, part: Spec, found: &mut Diagnostics) {
    if let (Some(again), Some(first)) = (&part.topology, &spec.topology) {
        found.push(duplicate("topology", &again.name, &first.name));
    }
    spec.clusters.extend(part.clusters);
    spec.applications.extend(part.applications);
    spec.capabilities.extend(part.capabilities);
    spec.version_facts.extend(part.version_facts);
    spec.policies.extend(part.policies);
}

/// Reports and drops documents whose name an earlier one has; the list is sorted by name.
fn unique<T>(list: &mut Vec<super::Named<T>>, what: &str, found: &mut Diagnostics) {
    list.dedup_by(|again, first| {
        let same = again.name.value == first.name.value;
        if same {
            found.push(duplicate(what, &again.name, &first.name));
        }
        same
    });
}

/// Reads files once each and within the limits.
pub struct Files<'a> {
    system: &'a dyn System,
    /// Where the texts go.
    pub sources: &'a mut SourceMap,
    total: u64,
    folders: Folders,
    seen: BTreeMap<String, SourceId>,
}

impl<'a> Files<'a> {
    /// Reads files of `system` into `sources`.
    pub fn new(system: &'a dyn System, sources: &'a mut SourceMap) -> Self {
        Self { system, sources, total: 0, folders: Folders::default(), seen: BTreeMap::new() }
    }

    /// Reads one file, or gives the id of what was read before; `named` is where it is named.
    pub fn read(
        &mut self,
        path: &str,
        named: Option<Span>,
        found: &mut Diagnostics,
    ) -> Option<SourceId> {
        self.read_as(path, named, |text| text, found)
    }

    /// Reads one file and keeps what `change` makes of its text.
    pub(super) fn read_as(
        &mut self,
        path: &str,
        named: Option<Span>,
        change: impl FnOnce(String) -> String,
        found: &mut Diagnostics,
    ) -> Option<SourceId> {
        if let Some(id) = self.seen.get(path) {
            return Some(*id);
        }
        let limit = MAX_FILE.min(MAX_TOTAL - self.total);
        let content = match self.system.read(path, limit) {
            Ok(content) => content,
            Err(error) => {
                self.unreadable(path, named, &error, found);
                return None;
            }
        };
        self.total += content.len() as u64;
        let text = match String::from_utf8(content) {
            Ok(text) => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = change(String::from_utf8_lossy(error.as_bytes()).into_owned());
                // The first bad byte has become a replacement character.
                let bad = valid..valid + char::REPLACEMENT_CHARACTER.len_utf8();
                let range = if text.get(bad.clone()).is_some() { bad } else { 0..0 };
                let id = self.sources.add(path, text);
                let span = Span::new(id, range);
                let message = "the file is not UTF-8";
                found.push(Diagnostic::new(&INVALID_YAML, span, message).help("save it as UTF-8"));
                return None;
            }
        };
        let id = self.sources.add(path, change(text));
        self.seen.insert(path.to_owned(), id);
        Some(id)
    }

    fn unreadable(
        &mut self,
        path: &str,
        named: Option<Span>,
        error: &FileError,
        found: &mut Diagnostics,
    ) {
        let span = named.unwrap_or_else(|| Span::start_of(self.sources.add(path, "")));
        let message = format!("cannot read `{}`: {error}", path.escape_debug());
        found.push(Diagnostic::new(&UNREADABLE_FILE, span, message));
    }

    /// Reads every file that a glob matches, in the order of their paths.
    pub fn glob(&mut self, pattern: &Spanned<String>, found: &mut Diagnostics) -> Vec<SourceId> {
        let written = pattern.value.as_str();
        let pattern_text = written.strip_prefix("./").unwrap_or(written);
        if !pattern_text.contains(['*', '?', '[', '{']) {
            return self.read(pattern_text, Some(pattern.span), found).into_iter().collect();
        }
        let glob = match GlobBuilder::new(pattern_text).literal_separator(true).build() {
            Ok(glob) => glob.compile_matcher(),
            Err(error) => {
                let message = format!("the glob cannot be read: {}", error.kind());
                found.push(Diagnostic::new(&UNREADABLE_FILE, pattern.span, message));
                return Vec::new();
            }
        };
        let fixed = pattern_text.find(['*', '?', '[', '{']).unwrap_or(0);
        let base = pattern_text[..fixed].rsplit_once('/').map_or(".", |(folder, _)| folder);
        let deep = pattern_text[fixed..].contains('/');
        let is_match = |path: &str| glob.is_match(path);
        let matched = self.folders.matching(self.system, base, deep, &is_match);
        let Matched { mut paths, problems } = match matched {
            Ok(matched) => matched,
            Err(message) => {
                found.push(Diagnostic::new(&UNREADABLE_FILE, pattern.span, message));
                return Vec::new();
            }
        };
        for (path, error) in problems {
            self.unreadable(&path, Some(pattern.span), &error, found);
        }
        paths.remove(ENTRY);
        if paths.is_empty() {
            let message = format!("`{}` matches no file", pattern.value.escape_debug());
            found.push(Diagnostic::new(&UNREADABLE_FILE, pattern.span, message).warning());
        }
        paths.iter().filter_map(|path| self.read(path, Some(pattern.span), found)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::memory::MemorySystem;

    fn load(system: &MemorySystem) -> (Spec, Vec<String>) {
        let mut sources = SourceMap::new();
        let mut found = Diagnostics::new();
        let spec = project(system, &mut sources, &mut found);
        found.sort();
        let line = |d: &Diagnostic| {
            let span = d.primary.span;
            assert!(sources.get(span.source).text().get(span.range()).is_some(), "{span:?}");
            format!("{} {} {}", sources.location(d.primary.span), d.rule.code, d.message)
        };
        (spec, found.iter().map(line).collect())
    }

    const TOPOLOGY: &str = "apiVersion: landbridge.dev/v1alpha1\nkind: Topology\nmetadata: {name: t}\nspec:\n  include: [\"clusters/**/*.yaml\"]\n";

    fn cluster(name: &str) -> String {
        format!(
            "apiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {name}}}\nspec: {{region: r, id: 1}}\n"
        )
    }

    #[test]
    fn includes_are_read_in_any_order() {
        let system = MemorySystem::new()
            .with(ENTRY, TOPOLOGY)
            .with("clusters/b.yaml", cluster("b"))
            .with("clusters/deep/a.yaml", cluster("a"))
            .with("clusters/notes.txt", "not yaml: [");
        let (spec, found) = load(&system);
        assert!(found.is_empty(), "{found:?}");
        let names: Vec<_> = spec.clusters.iter().map(|c| c.name.value.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_place_is_made_of_whole_characters() {
        let (_, found) = load(&MemorySystem::new().with(ENTRY, b"a: \xaf\n".as_slice()));
        assert_eq!(found, ["landbridge.yaml:1:4 LB0001 the file is not UTF-8"]);
        let (_, found) = load(&MemorySystem::new().with(ENTRY, "é: 1\n"));
        assert!(
            found.contains(&"landbridge.yaml:1:1 LB0005 unknown key `é`".to_owned()),
            "{found:?}"
        );
    }

    #[test]
    fn a_file_that_several_globs_match_counts_once() {
        let globs =
            r#"["clusters/*.yaml", "clusters/a.yaml", "./clusters/**/*.yaml", landbridge.yaml]"#;
        let system = MemorySystem::new()
            .with(ENTRY, TOPOLOGY.replace(r#"["clusters/**/*.yaml"]"#, globs))
            .with("clusters/a.yaml", cluster("a"));
        let (spec, found) = load(&system);
        assert_eq!((spec.clusters.len(), found), (1, Vec::new()));
    }

    #[test]
    fn all_problems_of_all_files_are_reported() {
        let system = MemorySystem::new()
            .with(ENTRY, TOPOLOGY)
            .with("clusters/a.yaml", cluster("a").replace("region: r", "regoin: r"))
            .with("clusters/b.yaml", cluster("a").replace("id: 1", "id: 010"))
            .with("clusters/c.yaml", "x: [\n")
            .with("clusters/d.yaml", vec![b'a', b':', 0xff]);
        let (_, found) = load(&system);
        let codes: Vec<_> = found.iter().map(|f| f.split(' ').nth(1).unwrap()).collect();
        assert_eq!(codes, ["LB0005", "LB0009", "LB0003", "LB0001", "LB0001"], "{found:#?}");
    }

    #[test]
    fn what_leads_out_or_matches_nothing_is_a_finding() {
        let entry = TOPOLOGY.replace("clusters/**/*.yaml", "../x.yaml");
        let (_, found) = load(&MemorySystem::new().with(ENTRY, entry));
        assert!(found[0].contains("LB0007"), "{found:?}");
        let (_, found) = load(&MemorySystem::new().with(ENTRY, TOPOLOGY));
        assert!(found[0].contains("LB0010 `clusters/**/*.yaml` matches no file"), "{found:?}");
        let (_, found) = load(&MemorySystem::new());
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("cannot read `landbridge.yaml`: it does not exist"), "{found:?}");
    }
}
