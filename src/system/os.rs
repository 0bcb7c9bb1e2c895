//! The real file system below one root.
#![expect(clippy::disallowed_methods, reason = "this is where the product touches files")]

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{FileError, Kind, System, is_inside};

/// The real file system below one root.
#[derive(Debug)]
pub struct OsSystem {
    root: PathBuf,
    canonical: PathBuf,
    temporary: AtomicU32,
}

impl OsSystem {
    /// Opens the folder `root` for reading.
    ///
    /// # Errors
    /// [`FileError`] where it does not exist or cannot be resolved.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, FileError> {
        let root = root.into();
        let canonical = fs::canonicalize(&root).map_err(|error| failed(&error))?;
        Ok(Self { root, canonical, temporary: AtomicU32::new(0) })
    }

    /// Opens the folder `root` for writing and makes it where it does not exist.
    ///
    /// # Errors
    /// [`FileError`] where that is not possible.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, FileError> {
        let root = root.into();
        fs::create_dir_all(&root).map_err(|error| failed(&error))?;
        Self::open(root)
    }

    /// Finds the folder that holds `file`, from `start` upwards, as cargo finds its manifest.
    pub fn find_up(start: &Path, file: &str) -> Option<PathBuf> {
        let start = fs::canonicalize(start).ok()?;
        start.ancestors().find(|folder| folder.join(file).is_file()).map(Path::to_path_buf)
    }

    /// The root, as it was given.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The place of `path` with every link resolved, if that is below the root.
    fn resolve(&self, path: &str) -> Result<PathBuf, FileError> {
        if path == "." {
            return Ok(self.canonical.clone());
        }
        if !is_inside(path) || Path::new(path).is_absolute() {
            return Err(FileError::Outside);
        }
        let full = fs::canonicalize(self.canonical.join(path)).map_err(|error| failed(&error))?;
        if full.starts_with(&self.canonical) { Ok(full) } else { Err(FileError::Outside) }
    }

    /// The place where `path` may be written: its folder exists (made if need be), lies below
    /// the root, and the last part is not a link.
    fn target(&self, path: &str) -> Result<PathBuf, FileError> {
        if !is_inside(path) || Path::new(path).is_absolute() {
            return Err(FileError::Outside);
        }
        let Some((folder, name)) = path.rsplit_once('/') else {
            return Ok(self.canonical.join(path));
        };
        // The deepest folder that exists decides whether a link leads out, before any is made.
        let mut existing = folder;
        while !self.canonical.join(existing).exists() {
            match existing.rsplit_once('/') {
                Some((parent, _)) => existing = parent,
                None => break,
            }
        }
        if self.canonical.join(existing).exists() {
            self.resolve(existing)?;
        }
        fs::create_dir_all(self.canonical.join(folder)).map_err(|error| failed(&error))?;
        Ok(self.resolve(folder)?.join(name))
    }
}

fn failed(error: &std::io::Error) -> FileError {
    match error.kind() {
        ErrorKind::NotFound => FileError::Missing,
        ErrorKind::IsADirectory | ErrorKind::NotADirectory => FileError::WrongKind,
        kind => FileError::Failed(kind.to_string()),
    }
}

impl System for OsSystem {
    fn kind(&self, path: &str) -> Result<Kind, FileError> {
        let found = fs::metadata(self.resolve(path)?).map_err(|error| failed(&error))?;
        Ok(match found {
            found if found.is_file() => Kind::File(found.len()),
            found if found.is_dir() => Kind::Directory,
            _ => Kind::Other,
        })
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let full = self.resolve(path)?;
        let found = fs::metadata(&full).map_err(|error| failed(&error))?;
        if !found.is_file() {
            return Err(FileError::WrongKind);
        }
        if found.len() > limit {
            return Err(FileError::TooLarge(limit));
        }
        let file = fs::File::open(full).map_err(|error| failed(&error))?;
        let mut content = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
        // One byte more than allowed: a file that grows while it is read is noticed.
        file.take(limit + 1).read_to_end(&mut content).map_err(|error| failed(&error))?;
        if content.len() as u64 > limit { Err(FileError::TooLarge(limit)) } else { Ok(content) }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let entries = fs::read_dir(self.resolve(path)?).map_err(|error| failed(&error))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| failed(&error))?;
            // A name that is no text cannot be written in an include either.
            if let Ok(name) = entry.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<(), FileError> {
        let target = self.target(path)?;
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let name = format!(".landbridge-{}-{number}.tmp", std::process::id());
        let temporary = target.with_file_name(name);
        let written = fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, &target));
        written.map_err(|error| {
            // The first error is what the user needs; a leftover is only untidy.
            let _ = fs::remove_file(&temporary);
            failed(&error)
        })
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        if !is_inside(path) {
            return Err(FileError::Outside);
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let folder = self.resolve(folder)?;
        fs::remove_file(folder.join(name)).map_err(|error| failed(&error))?;
        let mut empty = folder.as_path();
        while empty != self.canonical && fs::remove_dir(empty).is_ok() {
            let Some(parent) = empty.parent() else { break };
            empty = parent;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, OsSystem) {
        let folder = tempfile::tempdir().unwrap();
        let system = OsSystem::open(folder.path()).unwrap();
        (folder, system)
    }

    #[test]
    fn writes_whole_files_and_leaves_nothing_else() {
        let (folder, system) = folder();
        system.write("a/b/c.yaml", b"one").unwrap();
        system.write("a/b/c.yaml", b"two").unwrap();
        assert_eq!(system.read("a/b/c.yaml", 10).unwrap(), b"two");
        assert_eq!(system.list("a/b").unwrap(), ["c.yaml"]);
        system.remove("a/b/c.yaml").unwrap();
        assert!(!folder.path().join("a").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out() {
        let (folder, system) = folder();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        assert_eq!(system.read("link/secret", 10), Err(FileError::Outside));
        assert_eq!(system.write("link/new", b"x"), Err(FileError::Outside));
        assert_eq!(system.write("link/deep/new", b"x"), Err(FileError::Outside));
        assert_eq!(system.remove("link/secret"), Err(FileError::Outside));
        assert!(!outside.path().join("deep").exists());
        assert_eq!(system.read("../x", 10), Err(FileError::Outside));
        assert_eq!(system.read("/etc/passwd", 10), Err(FileError::Outside));
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let (_folder, system) = folder();
        system.write("big", &[0; 100]).unwrap();
        assert_eq!(system.read("big", 99), Err(FileError::TooLarge(99)));
        assert_eq!(system.read("none", 99), Err(FileError::Missing));
    }
}
