//! Where the plain manifests of clusters are, and which Cilium reads them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::Error;
use super::pinned::{Pinned, of};
use crate::diagnostic::Diagnostics;
use crate::manifest::Manifest;
use crate::reach::found::{Cluster, files};
use crate::source::{SourceMap, Span};
use crate::system::os::OsSystem;
use crate::system::{FileError, System};
use crate::yaml::MAX_FILE;

/// A cluster and where its manifests are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifests {
    pub(super) cluster: String,
    pub(super) path: PathBuf,
}

impl FromStr for Manifests {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((cluster, path)) if !cluster.is_empty() && !path.is_empty() => {
                Ok(Self { cluster: cluster.to_owned(), path: path.into() })
            }
            _ => Err("name the cluster and the folder: `use1=k8s/use1`".to_owned()),
        }
    }
}

impl Manifests {
    /// Reads the cluster.
    fn cluster(
        &self,
        cilium: &[Pinned],
        sources: &mut SourceMap,
        found: &mut Diagnostics,
    ) -> Result<Cluster, Error> {
        let begin = sources.iter().count();
        let objects = if self.path == Path::new("-") {
            files::stream("<standard input>", input()?, sources, found)
        } else {
            folder(self, sources, found)?
        };
        let first = sources.iter().nth(begin).map(|(id, _)| id);
        let shown = self.path.display().to_string();
        let span = Span::start_of(first.unwrap_or_else(|| sources.add(shown, "")));
        let version = of(&self.cluster, cilium);
        Ok(Cluster { name: self.cluster.clone(), span, objects, version })
    }
}

/// Reads clusters, each named once. `option` is what names versions.
pub(super) fn clusters(
    manifests: &[Manifests],
    pinned: &[Pinned],
    option: &str,
    sources: &mut SourceMap,
    found: &mut Diagnostics,
) -> Result<Vec<Cluster>, Error> {
    let mut clusters = Vec::new();
    for known in manifests {
        let same = |other: &&Manifests| other.cluster == known.cluster;
        if manifests.iter().filter(same).count() > 1 {
            let error = Error::new(format!("`{}` is named twice in `--manifests`", known.cluster));
            return Err(error.help("name a folder that has all of its manifests"));
        }
        clusters.push(known.cluster(pinned, sources, found)?);
    }
    let unknown = pinned.iter().filter_map(Pinned::cluster);
    let known = |name: &&str| clusters.iter().any(|cluster| cluster.name == **name);
    if let Some(name) = unknown.filter(|name| !known(name)).min() {
        return Err(Error::new(format!("`{option}` names `{name}`, which is no cluster here")));
    }
    Ok(clusters)
}

/// Reads a folder, or one file of it.
fn folder(
    known: &Manifests,
    sources: &mut SourceMap,
    found: &mut Diagnostics,
) -> Result<Vec<Manifest>, Error> {
    let failed = |error| {
        let message = format!("the manifests `{}` cannot be read", known.path.display());
        Error::new(message).cause(error)
    };
    let cluster = known.cluster.as_str();
    let read = |system: &dyn System, shown: &Path, path: &str, sources: &mut _, found: &mut _| {
        let shown = shown.display().to_string();
        files::read(files::Place { system, shown: &shown, cluster }, path, sources, found)
    };
    let opened = OsSystem::open(&known.path).map_err(failed)?;
    if opened.list(".").is_ok() {
        return Ok(read(&opened, &known.path, ".", sources, found));
    }
    let name = known.path.file_name().and_then(|name| name.to_str());
    let Some(name) = name else { return Err(failed(FileError::WrongKind)) };
    let parent = known.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let system = OsSystem::open(parent).map_err(failed)?;
    Ok(read(&system, parent, name, sources, found))
}

fn input() -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    let read = std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut content);
    read.map_err(|error| Error::new("standard input cannot be read").cause(error))?;
    if content.len() as u64 > MAX_FILE {
        let message = format!("standard input has more than {} MiB", MAX_FILE / 1024 / 1024);
        return Err(Error::new(message).help("name a folder with the manifests"));
    }
    Ok(content)
}
