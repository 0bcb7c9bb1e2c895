//! Files in memory: for tests, fuzzing, and everything that must not touch a disk.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use super::{Date, FileError, Kind, System, is_inside};

/// Files in memory. Cloneable content is not shared: each value is its own file system.
#[derive(Debug, Default)]
pub struct MemorySystem {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    today: Option<Date>,
}

/// Its day unless another one is set: one and the same in every run.
const TODAY: Option<Date> = Date::new(2026, 12, 1);

impl MemorySystem {
    /// An empty file system.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, for building one in an expression.
    #[must_use]
    pub fn with(self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.lock().insert(path.into(), content.into());
        self
    }

    /// Sets the day.
    #[must_use]
    pub fn on(self, today: Date) -> Self {
        Self { today: Some(today), ..self }
    }

    /// All files with their content, in order of their paths.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn normal(path: &str) -> Result<String, FileError> {
    if path == "." {
        return Ok(String::new());
    }
    if !is_inside(path) {
        return Err(FileError::Outside);
    }
    Ok(path.split('/').filter(|part| *part != ".").collect::<Vec<_>>().join("/"))
}

/// The paths below a folder, which ends with `/` unless it is the root, without that folder.
fn below<'a>(
    files: &'a BTreeMap<String, Vec<u8>>,
    folder: &'a str,
) -> impl Iterator<Item = &'a str> {
    let all = files.range::<str, _>((Bound::Included(folder), Bound::Unbounded));
    all.map_while(move |(name, _)| name.strip_prefix(folder))
}

impl System for MemorySystem {
    fn kind(&self, path: &str) -> Result<Kind, FileError> {
        let path = normal(path)?;
        let files = self.lock();
        if let Some(content) = files.get(&path) {
            return Ok(Kind::File(content.len() as u64));
        }
        let folder = format!("{path}/");
        if path.is_empty() || below(&files, &folder).next().is_some() {
            return Ok(Kind::Directory);
        }
        Err(FileError::Missing)
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        match self.kind(path)? {
            Kind::File(length) if length > limit => Err(FileError::TooLarge(limit)),
            Kind::File(_) => Ok(self.lock().get(&normal(path)?).cloned().unwrap_or_default()),
            Kind::Directory | Kind::Other => Err(FileError::WrongKind),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        if self.kind(path)? != Kind::Directory {
            return Err(FileError::WrongKind);
        }
        let path = normal(path)?;
        let folder = if path.is_empty() { path } else { format!("{path}/") };
        let files = self.lock();
        let mut names: Vec<_> = below(&files, &folder)
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<(), FileError> {
        let path = normal(path)?;
        self.lock().insert(path, content.to_vec());
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        let path = normal(path)?;
        self.lock().remove(&path).map(|_| ()).ok_or(FileError::Missing)
    }

    fn today(&self) -> Date {
        self.today.or(TODAY).expect("internal error: no day")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_what_files_stand_in() {
        let system = MemorySystem::new().with("a/b.yaml", "1").with("a/c/d.yaml", "2");
        assert_eq!(system.list(".").unwrap(), ["a"]);
        assert_eq!(system.list("a").unwrap(), ["b.yaml", "c"]);
        let siblings = MemorySystem::new().with("a/x", "").with("a-b/y", "").with("a/z", "");
        assert_eq!(siblings.list(".").unwrap(), ["a", "a-b"]);
        assert_eq!(siblings.kind("a-b"), Ok(Kind::Directory));
        assert_eq!(system.kind("a/b.yaml"), Ok(Kind::File(1)));
        assert_eq!(system.kind("a/x"), Err(FileError::Missing));
        assert_eq!(system.read("../etc/passwd", 10), Err(FileError::Outside));
        assert_eq!(system.read("a/b.yaml", 0), Err(FileError::TooLarge(0)));
    }
}
