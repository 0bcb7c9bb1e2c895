//! The real file system below one root.
#![expect(clippy::disallowed_methods, reason = "this is where the product touches files")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Date, FileError, Kind, System, is_inside};

/// The real file system below one root.
#[derive(Debug)]
pub struct OsSystem {
    root: PathBuf,
    canonical: PathBuf,
    temporary: AtomicU32,
    /// Folders that lie below the root, links resolved: a mesh has tens of thousands of files in
    /// a few thousand folders, and to resolve a folder takes more calls than to write a file.
    folders: Mutex<BTreeMap<String, PathBuf>>,
    today: Option<Date>,
}

impl OsSystem {
    /// Opens the folder `root` for reading.
    ///
    /// # Errors
    /// [`FileError`] where it does not exist or cannot be resolved.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, FileError> {
        let root = root.into();
        let canonical = fs::canonicalize(&root).map_err(|error| failed(&error))?;
        let (temporary, folders) = (AtomicU32::new(0), Mutex::default());
        Ok(Self { root, canonical, temporary, folders, today: None })
    }

    /// Judges on another day than today.
    #[must_use]
    pub fn on(self, today: Date) -> Self {
        Self { today: Some(today), ..self }
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
        let (folder, name) = split(path)?;
        let full = self.folder(folder, false)?.join(name);
        let found = fs::symlink_metadata(&full).map_err(|error| failed(&error))?;
        if found.is_symlink() || name == "." { self.below(&full) } else { Ok(full) }
    }

    /// Resolves every link of a path, and refuses one that leads out.
    fn below(&self, full: &Path) -> Result<PathBuf, FileError> {
        let full = fs::canonicalize(full).map_err(|error| failed(&error))?;
        if full.starts_with(&self.canonical) { Ok(full) } else { Err(FileError::Outside) }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, PathBuf>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a folder, if it is below the root; where `make` says so, a folder that is
    /// missing is made. Every part is looked at before the next: a link decides where it leads.
    fn folder(&self, folder: &str, make: bool) -> Result<PathBuf, FileError> {
        if folder == "." {
            return Ok(self.canonical.clone());
        }
        if let Some(known) = self.known().get(folder) {
            return Ok(known.clone());
        }
        let (parent, name) = split(folder)?;
        let full = self.folder(parent, make)?.join(name);
        let full = match fs::symlink_metadata(&full) {
            Ok(found) if found.is_symlink() || name == "." => self.below(&full)?,
            Ok(found) if found.is_dir() => full,
            Ok(_) => return Err(FileError::WrongKind),
            // Another thread may make it first.
            Err(error) if error.kind() == ErrorKind::NotFound && make => {
                let made = fs::create_dir(&full);
                made.or_else(|error| match error.kind() {
                    ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(failed(&error)),
                })?;
                return self.folder(folder, false);
            }
            Err(error) => return Err(failed(&error)),
        };
        self.known().insert(folder.to_owned(), full.clone());
        Ok(full)
    }

    /// Forgets a folder that is gone, and what was inside it.
    fn forget(&self, gone: &Path) {
        self.known().retain(|_, known| !known.starts_with(gone));
    }

    fn replace(&self, folder: &Path, name: &str, content: &[u8]) -> Result<(), FileError> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!(".landbridge-{}-{number}.tmp", std::process::id()));
        let written =
            fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, folder.join(name)));
        written.map_err(|error| {
            // The first error is what the user needs; a leftover is only untidy.
            let _ = fs::remove_file(&temporary);
            failed(&error)
        })
    }
}

/// The folder of a path and its last part, if the text of the path stays inside.
fn split(path: &str) -> Result<(&str, &str), FileError> {
    if !is_inside(path) || Path::new(path).is_absolute() {
        return Err(FileError::Outside);
    }
    Ok(path.rsplit_once('/').unwrap_or((".", path)))
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
        let (folder, name) = split(path)?;
        let attempt = || self.replace(&self.folder(folder, true)?, name, content);
        match attempt() {
            // Somebody, perhaps `remove` beside this call, took a folder away.
            Err(FileError::Missing) => {
                self.known().clear();
                attempt()
            }
            result => result,
        }
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        let (folder, name) = split(path)?;
        let folder = self.folder(folder, false)?;
        fs::remove_file(folder.join(name)).map_err(|error| failed(&error))?;
        let mut empty = folder.as_path();
        while empty != self.canonical && fs::remove_dir(empty).is_ok() {
            self.forget(empty);
            let Some(parent) = empty.parent() else { break };
            empty = parent;
        }
        Ok(())
    }

    fn today(&self) -> Date {
        // A clock before 1970 is wrong by more than any rule minds.
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.today.unwrap_or_else(|| Date::of_unix(now().as_secs()))
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

    #[test]
    fn a_folder_that_is_taken_away_is_made_again() {
        let (folder, system) = folder();
        system.write("a/b/c.yaml", b"1").unwrap();
        system.remove("a/b/c.yaml").unwrap();
        assert_eq!(system.read("a/b/c.yaml", 10), Err(FileError::Missing));
        assert_eq!(system.list("a"), Err(FileError::Missing));
        system.write("a/b/c.yaml", b"2").unwrap();
        fs::remove_dir_all(folder.path().join("a")).unwrap();
        system.write("a/b/c.yaml", b"3").unwrap();
        assert_eq!(system.read("a/b/c.yaml", 10).unwrap(), b"3");
        assert_eq!(system.kind("a/./b"), Ok(Kind::Directory));
        assert_eq!(system.list("."), Ok(vec!["a".to_owned()]));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_stay_inside_are_followed() {
        let (folder, system) = folder();
        system.write("real/x", b"1").unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink("x", folder.path().join("real/y")).unwrap();
        assert_eq!(system.read("link/y", 10).unwrap(), b"1");
        assert_eq!(system.list("link").unwrap(), ["x", "y"]);
        // A link that is written to is replaced; what it names stays as it was.
        system.write("link/y", b"2").unwrap();
        assert_eq!(system.read("real/x", 10).unwrap(), b"1");
        assert_eq!(system.read("real/y", 10).unwrap(), b"2");
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
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("name")).unwrap();
        assert_eq!(system.read("name", 1000), Err(FileError::Outside));
        assert_eq!(system.kind("name"), Err(FileError::Outside));
        assert_eq!(system.list("link"), Err(FileError::Outside));
        // A link to nothing is no folder to make things in.
        std::os::unix::fs::symlink(outside.path().join("new"), folder.path().join("none")).unwrap();
        assert!(system.write("none/x", b"x").is_err());
        assert!(system.write("none/deep/x", b"x").is_err());
        assert!(!outside.path().join("new").exists());
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
