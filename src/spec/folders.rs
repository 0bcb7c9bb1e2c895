//! Finds the files that globs match. Each folder is listed once, however many globs look into it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::system::{FileError, Kind, System};

/// Most files that one project may include.
pub(super) const MAX_FILES: usize = 50_000;
/// Most folders of a project. Links that lead back up can make a tree endless.
const MAX_FOLDERS: usize = 50_000;
/// Most entries of folders that all globs of a project may be compared with.
const MAX_LOOKS: usize = 1_000_000;
/// Deepest folder that a glob looks into.
const DEEPEST: usize = 32;

/// An entry of a folder: its path, and what it is.
type Entry = (String, Result<Kind, FileError>);

/// The folders that were listed.
#[derive(Default)]
pub(super) struct Folders {
    listed: BTreeMap<String, Result<Arc<[Entry]>, FileError>>,
    looks: usize,
}

/// What a glob matches.
#[derive(Default)]
pub(super) struct Matched {
    /// The files.
    pub(super) paths: BTreeSet<String>,
    /// What cannot be looked at.
    pub(super) problems: Vec<(String, FileError)>,
}

impl Folders {
    /// Files in a folder and, if `deep`, below it; an error where they are too many.
    pub(super) fn matching(
        &mut self,
        system: &dyn System,
        folder: &str,
        deep: bool,
        glob: &dyn Fn(&str) -> bool,
    ) -> Result<Matched, String> {
        let mut matched = Matched::default();
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            let entries = match self.list(system, folder) {
                Ok(entries) => entries,
                Err((_, FileError::Missing)) => continue,
                Err(problem) => {
                    matched.problems.push(problem);
                    continue;
                }
            };
            self.looks += entries.len();
            if self.looks > MAX_LOOKS || self.listed.len() > MAX_FOLDERS {
                return Err(format!(
                    "the globs look at more than {MAX_LOOKS} files or {MAX_FOLDERS} folders"
                ));
            }
            for (path, kind) in entries.iter() {
                match kind {
                    Ok(Kind::Directory) => {
                        if deep && path.split('/').count() < DEEPEST {
                            open.push(path.clone());
                        }
                    }
                    Ok(_) if glob(path) => {
                        matched.paths.insert(path.clone());
                    }
                    Err(error) if glob(path) => {
                        matched.problems.push((path.clone(), error.clone()));
                    }
                    Ok(_) | Err(_) => {}
                }
            }
            if matched.paths.len() > MAX_FILES {
                return Err(format!("the glob matches more than {MAX_FILES} files"));
            }
        }
        Ok(matched)
    }

    fn list(
        &mut self,
        system: &dyn System,
        folder: String,
    ) -> Result<Arc<[Entry]>, (String, FileError)> {
        let listed = self.listed.entry(folder);
        let folder = listed.key().clone();
        let read = || Ok(entries(system, &folder, system.list(&folder)?));
        listed.or_insert_with(read).clone().map_err(|error| (folder, error))
    }
}

/// The entries with their paths. Hidden ones hold git's objects and editors' leftovers, never a
/// topology.
fn entries(system: &dyn System, folder: &str, names: Vec<String>) -> Arc<[Entry]> {
    let names = names.into_iter().filter(|name| !name.starts_with('.'));
    let entries = names.map(|name| {
        let path = if folder == "." { name } else { format!("{folder}/{name}") };
        let kind = system.kind(&path);
        (path, kind)
    });
    entries.collect()
}
