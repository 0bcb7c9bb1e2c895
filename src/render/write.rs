//! The files of a cluster to disk, without touching what landbridge did not make.
//!
//! First everything is looked at, and if anything would be lost nothing is written. Then the lock
//! is replaced by one that knows the old and the new content of each file, the files are removed
//! and written, and the final lock is written last. Wherever that is interrupted, each file has a
//! content that the lock knows, so that the next run may go on.

use std::collections::BTreeSet;
use std::fmt;

use super::Files;
use super::disk::{Folder, NoLock, State};
use super::layout::{LOCK, TOOLS, is_own_folder, is_own_path};
use super::lock::{Lock, LockError};
use crate::system::{FileError, Kind, System};

/// What was done to a cluster's folder; paths are relative to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or changed.
    pub written: Vec<String>,
    /// Files that nothing asks for any more.
    pub removed: Vec<String>,
    /// How many files held already what they should.
    pub unchanged: usize,
}

/// Why a cluster's folder was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// Something that landbridge did not write would be lost. Nothing was written.
    Refused {
        /// The cluster's folder.
        folder: String,
        /// Every file that stands in the way, sorted.
        files: Vec<Kept>,
    },
    /// The lock is not one, so nothing is known to be landbridge's own. Nothing was written.
    Lock {
        /// The lock.
        path: String,
        /// What is wrong with it.
        error: LockError,
    },
    /// A file could not be read, written or removed; some others may have been.
    File {
        /// The file.
        path: String,
        /// Why.
        error: FileError,
    },
}

/// A file that is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its path inside the cluster's folder.
    pub path: String,
    /// Why it is kept.
    pub why: Why,
}

/// Why a file is kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not in the lock.
    Foreign,
    /// Somebody changed it since landbridge wrote it.
    Edited,
    /// It is a folder, a device, or a link that leads out. Never overwritten, even by force.
    NoFile,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "not made by landbridge",
            Self::Edited => "edited since landbridge wrote it",
            Self::NoFile => "no regular file of this folder",
        })
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { folder, files } => {
                let what = if files.len() == 1 { "a file" } else { "files" };
                write!(f, "`{folder}` has {what} that would be lost")?;
                files.iter().try_for_each(|kept| write!(f, "\n  {}: {}", kept.path, kept.why))
            }
            Self::Lock { path, error } => write!(f, "`{path}` cannot be read: {error}"),
            Self::File { path, error } => write!(f, "`{path}`: {error}"),
        }
    }
}

impl std::error::Error for WriteError {}

/// Writes what differs in one cluster's folder, removes what landbridge made there and nothing
/// asks for any more, and leaves everything else alone. With `force`, files that it did not make
/// and files that were edited are overwritten and removed too.
///
/// Clusters are independent: they may be written at the same time.
///
/// # Errors
/// [`WriteError`]; unless it is [`WriteError::File`], nothing has been written.
pub fn write(
    system: &dyn System,
    folder: &str,
    files: &Files,
    force: bool,
) -> Result<Written, WriteError> {
    let foreign = files.keys().map(String::as_str).find(|path| !is_own_path(path));
    if let Some(path) = foreign.or_else(|| (!is_own_folder(folder)).then_some(folder)) {
        return Err(WriteError::File { path: path.to_owned(), error: FileError::Outside });
    }
    let job = Job { folder: Folder::new(system, folder), files, force };
    let exists = job.folder.exists().map_err(|error| job.failed("", error))?;
    let old = if exists { job.old_lock()? } else { None };
    let plan = if exists {
        job.plan(old.as_ref(), folder)?
    } else {
        Plan { write: job.wanted().collect(), ..Plan::default() }
    };
    job.carry_out(plan, old.as_ref())
}

/// Removes what landbridge made in the folder of a cluster that is gone.
///
/// # Errors
/// [`WriteError`], as for [`write()`].
pub fn remove(system: &dyn System, folder: &str, force: bool) -> Result<Written, WriteError> {
    write(system, folder, &Files::new(), force)
}

/// The folders of clusters that are no longer declared, and of tools for them: those that hold a
/// lock.
///
/// # Errors
/// [`FileError`] where the output folder cannot be read; that it does not exist is none.
pub fn orphans(system: &dyn System, declared: &BTreeSet<&str>) -> Result<Vec<String>, FileError> {
    let mut names = match system.list(".") {
        Err(FileError::Missing) => return Ok(Vec::new()),
        names => names?,
    };
    for tool in TOOLS {
        if matches!(system.kind(tool), Ok(Kind::Directory)) {
            names.extend(system.list(tool)?.into_iter().map(|name| format!("{tool}/{name}")));
        }
    }
    names.retain(|name| {
        let lock = || matches!(system.kind(&format!("{name}/{LOCK}")), Ok(Kind::File(_)));
        !declared.contains(name.as_str()) && is_own_folder(name) && lock()
    });
    Ok(names)
}

struct Job<'a> {
    folder: Folder<'a>,
    files: &'a Files,
    force: bool,
}

#[derive(Default)]
struct Plan<'a> {
    write: Vec<&'a str>,
    remove: Vec<String>,
    unchanged: usize,
}

impl<'a> Job<'a> {
    /// The files without the lock.
    fn wanted(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.files.keys().map(String::as_str).filter(|path| *path != LOCK)
    }

    fn failed(&self, file: &str, error: FileError) -> WriteError {
        WriteError::File { path: self.folder.path(file).trim_end_matches('/').to_owned(), error }
    }

    fn old_lock(&self) -> Result<Option<Lock>, WriteError> {
        match self.folder.lock() {
            Ok(lock) => Ok(lock),
            // Without a lock every file counts as somebody else's, which force overrides too.
            Err(NoLock::Invalid(_) | NoLock::File(FileError::TooLarge(_))) if self.force => {
                Ok(Some(Lock::default()))
            }
            Err(NoLock::Invalid(error)) => {
                Err(WriteError::Lock { path: self.folder.path(LOCK), error })
            }
            Err(NoLock::File(error)) => Err(self.failed(LOCK, error)),
        }
    }

    /// Looks at every file that is wanted or was made before.
    fn plan(&self, old: Option<&Lock>, folder: &str) -> Result<Plan<'a>, WriteError> {
        let none = Lock::default();
        let old = old.unwrap_or(&none);
        let (mut plan, mut kept) = (Plan::default(), Vec::new());
        let mut keep = |path: &str, why| kept.push(Kept { path: path.to_owned(), why });
        let look = |path: &str, wanted| {
            let looked = self.folder.look(path, wanted, old.files.get(path));
            looked.map(|(state, _)| state).map_err(|error| self.failed(path, error))
        };
        for path in self.wanted() {
            match look(path, self.files.get(path).map(Vec::as_slice))? {
                State::Same => plan.unchanged += 1,
                State::NoFile => keep(path, Why::NoFile),
                State::Edited if !self.force => keep(path, Why::Edited),
                State::Foreign if !self.force => keep(path, Why::Foreign),
                _ => plan.write.push(path),
            }
        }
        for path in old.files.keys().filter(|path| !self.files.contains_key(*path)) {
            match look(path, None)? {
                State::Absent => {}
                State::NoFile => keep(path, Why::NoFile),
                State::Edited if !self.force => keep(path, Why::Edited),
                _ => plan.remove.push(path.clone()),
            }
        }
        if kept.is_empty() {
            return Ok(plan);
        }
        kept.sort_by(|a, b| a.path.cmp(&b.path));
        Err(WriteError::Refused { folder: folder.to_owned(), files: kept })
    }

    fn carry_out(&self, plan: Plan<'_>, old: Option<&Lock>) -> Result<Written, WriteError> {
        let put = |path: &str, content: &[u8]| {
            self.folder.write(path, content).map_err(|error| self.failed(path, error))
        };
        let take = |path: &str| self.folder.remove(path).map_err(|error| self.failed(path, error));
        let next = match self.files.get(LOCK) {
            Some(text) => Lock::parse(text)
                .map(Some)
                .map_err(|error| WriteError::Lock { path: self.folder.path(LOCK), error })?,
            None => None,
        };
        if !plan.write.is_empty() || !plan.remove.is_empty() {
            let from = old.cloned().unwrap_or_default();
            let both = from.towards(next.as_ref().unwrap_or(&Lock::default()));
            put(LOCK, both.text().as_bytes())?;
        } else if next.as_ref() == old {
            return Ok(Written { unchanged: plan.unchanged, ..Written::default() });
        }
        // Removed first: where case is ignored, an old name may be the new one.
        plan.remove.iter().try_for_each(|path| take(path))?;
        for path in &plan.write {
            put(path, self.files.get(*path).map_or(&[], Vec::as_slice))?;
        }
        match self.files.get(LOCK) {
            Some(lock) => put(LOCK, lock)?,
            None => take(LOCK)?,
        }
        let written = plan.write.into_iter().map(str::to_owned).collect();
        Ok(Written { written, removed: plan.remove, unchanged: plan.unchanged })
    }
}

#[cfg(test)]
mod tests;
