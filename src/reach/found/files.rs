//! The objects of a folder, a file or a stream, as `kubectl apply -R` would take them.
//!
//! A folder with a kustomization stands for what `kustomize build` makes of it: where that is the
//! listed files as they are, they are read; anywhere else nothing of the folder is, and that is
//! said. A chart is not rendered either.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::kustomization::{self, Plain};
use crate::diagnostic::Diagnostics;
use crate::manifest::{self, Manifest};
use crate::source::{SourceId, SourceMap, Span};
use crate::spec::load::MAX_TOTAL;
use crate::system::{FileError, Kind, System};
use crate::yaml::{self, MAX_FILE};

/// Most files, and most folders, of one cluster.
const MAX_FILES: usize = 50_000;
/// Deepest folder that is looked into: links that lead back up can make a tree endless.
const DEEPEST: usize = 32;
/// What kubectl takes for manifests (`FileExtensions` in
/// `staging/src/k8s.io/cli-runtime/pkg/resource/builder.go`).
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// The file that makes a folder a chart of Helm.
const CHART: &str = "Chart.yaml";

/// Where the objects of a cluster stand.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The files.
    pub system: &'a dyn System,
    /// The root of the files, as the user knows it.
    pub shown: &'a str,
    /// The cluster, for the command that would render them.
    pub cluster: &'a str,
}

/// Reads the objects of the folder or file at `path`. What cannot be read is a finding, or not
/// checked.
pub fn read(
    place: Place<'_>,
    path: &str,
    sources: &mut SourceMap,
    found: &mut Diagnostics,
) -> Vec<Manifest> {
    let mut reader = Reader {
        place,
        sources,
        found,
        left: MAX_TOTAL,
        folders: 0,
        seen: BTreeSet::new(),
        ids: Vec::new(),
    };
    match place.system.kind(path) {
        Ok(Kind::Directory) => reader.folder(path),
        Ok(Kind::File(_) | Kind::Other) => reader.file(path),
        Err(error) => reader.unread(path, &error),
    }
    let ids = reader.ids;
    objects(sources, &ids, found)
}

/// Reads the objects of a stream.
pub fn stream(
    shown: &str,
    content: Vec<u8>,
    sources: &mut SourceMap,
    found: &mut Diagnostics,
) -> Vec<Manifest> {
    let id = add(shown, content, sources, found);
    objects(sources, id.as_slice(), found)
}

fn objects(sources: &SourceMap, ids: &[SourceId], found: &mut Diagnostics) -> Vec<Manifest> {
    let read = |id: &SourceId| {
        let mut found = Diagnostics::new();
        (manifest::read(sources, *id, None, &mut found), found)
    };
    let parts: Vec<_> = ids.par_iter().map(read).collect();
    let mut objects = Vec::new();
    for (more, problems) in parts {
        objects.extend(more);
        found.extend(problems);
    }
    objects
}

/// Takes a text in; nothing, and a word about it, if it is none.
fn add(
    shown: &str,
    content: Vec<u8>,
    sources: &mut SourceMap,
    found: &mut Diagnostics,
) -> Option<SourceId> {
    let Ok(text) = String::from_utf8(content) else {
        let span = Span::start_of(sources.add(shown, ""));
        found.not_checked(span, format!("`{shown}`"), "it is not UTF-8");
        return None;
    };
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Some(sources.add(shown, text))
}

struct Reader<'a> {
    place: Place<'a>,
    sources: &'a mut SourceMap,
    found: &'a mut Diagnostics,
    /// Bytes that may still be read.
    left: u64,
    folders: usize,
    seen: BTreeSet<String>,
    ids: Vec<SourceId>,
}

impl Reader<'_> {
    /// A path as the user knows it.
    fn shown(&self, path: &str) -> String {
        let root = self.place.shown.trim_end_matches('/');
        match (path, root) {
            (".", _) => self.place.shown.to_owned(),
            (_, "" | ".") => path.to_owned(),
            _ => format!("{root}/{path}"),
        }
    }

    fn not_checked(&mut self, path: &str, why: impl Into<String>) {
        let shown = self.shown(path);
        let span = Span::start_of(self.sources.add(shown.clone(), ""));
        self.found.not_checked(span, format!("`{}`", shown.escape_debug()), why);
    }

    fn unread(&mut self, path: &str, error: &FileError) {
        self.not_checked(path, error.to_string());
    }

    /// The command that would render a folder.
    fn rendered(&self, program: &str, path: &str) -> String {
        let Place { cluster, .. } = self.place;
        let shown = self.shown(path);
        format!("`{program} {shown} | landbridge reach --manifests {cluster}=-`")
    }

    fn folder(&mut self, folder: &str) {
        self.folders += 1;
        if self.folders > MAX_FILES || self.ids.len() > MAX_FILES {
            if self.folders == MAX_FILES + 1 {
                let why = format!("there are more than {MAX_FILES} files or folders");
                self.not_checked(folder, why);
            }
            return;
        }
        if !self.seen.insert(folder.to_owned()) {
            return;
        }
        if folder.split('/').count() > DEEPEST {
            self.not_checked(folder, format!("it is more than {DEEPEST} folders deep"));
            return;
        }
        let names = match self.place.system.list(folder) {
            Ok(names) => names,
            Err(error) => return self.unread(folder, &error),
        };
        let inside = |name: &str| match folder {
            "." => name.to_owned(),
            _ => format!("{folder}/{name}"),
        };
        let is_kustomization = |name: &&String| kustomization::FILES.contains(&name.as_str());
        if let Some(name) = names.iter().find(is_kustomization) {
            return self.kustomization(folder, &inside(name));
        }
        if names.iter().any(|name| name == CHART) {
            let command = self.rendered("helm template", folder);
            let why = format!("it is a chart of Helm, which is not rendered here: {command}");
            return self.not_checked(folder, why);
        }
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let path = inside(name);
            let wanted = name.rsplit_once('.').is_some_and(|(_, end)| EXTENSIONS.contains(&end));
            match self.place.system.kind(&path) {
                Ok(Kind::Directory) => self.folder(&path),
                Ok(Kind::File(_) | Kind::Other) if wanted => self.file(&path),
                Err(error) if wanted => self.unread(&path, &error),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Reads what a kustomization lists, if it does nothing else.
    fn kustomization(&mut self, folder: &str, path: &str) {
        let Some(id) = self.text(path) else { return };
        let mut problems = Diagnostics::new();
        let documents = yaml::parse(self.sources, id, &mut problems);
        if !problems.is_empty() {
            return self.found.extend(problems);
        }
        match kustomization::read(&documents, Span::start_of(id)) {
            Plain::Lists(resources) => {
                for (span, listed) in resources {
                    self.listed(folder, span, &listed);
                }
            }
            Plain::Changes(span, key) => {
                let command = self.rendered("kustomize build", folder);
                let why = format!("its `{key}` is not applied here: {command}");
                let what = format!("the kustomization `{}`", self.shown(folder));
                self.found.not_checked(span, what, why);
            }
        }
    }

    fn listed(&mut self, folder: &str, span: Span, listed: &str) {
        let Some(path) = kustomization::join(folder, listed) else {
            let command = self.rendered("kustomize build", folder);
            let why = format!("it lies outside, or elsewhere: {command}");
            return self.found.not_checked(span, format!("`{}`", listed.escape_debug()), why);
        };
        match self.place.system.kind(&path) {
            Ok(Kind::Directory) => self.folder(&path),
            Ok(Kind::File(_) | Kind::Other) => self.file(&path),
            Err(error) => {
                let what = format!("`{}`", listed.escape_debug());
                self.found.not_checked(span, what, error.to_string());
            }
        }
    }

    fn file(&mut self, path: &str) {
        if self.ids.len() <= MAX_FILES && self.seen.insert(path.to_owned()) {
            let id = self.text(path);
            self.ids.extend(id);
        }
    }

    fn text(&mut self, path: &str) -> Option<SourceId> {
        match self.place.system.read(path, MAX_FILE.min(self.left)) {
            Ok(content) => {
                self.left -= content.len() as u64;
                add(&self.shown(path), content, self.sources, self.found)
            }
            Err(error) => {
                self.unread(path, &error);
                None
            }
        }
    }
}
