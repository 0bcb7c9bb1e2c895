//! What stands in a cluster's folder, held against its lock.

use std::collections::BTreeSet;

use super::layout::LOCK;
use super::lock::{Digest, Lock, LockError, MAX_LOCK};
use crate::system::{FileError, Kind, System};
use crate::yaml::MAX_FILE;

/// The folder of one cluster.
#[derive(Clone, Copy)]
pub(super) struct Folder<'a> {
    system: &'a dyn System,
    name: &'a str,
}

/// What stands where a file belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing.
    Absent,
    /// What would be written.
    Same,
    /// Something else that landbridge wrote.
    Own,
    /// A file that landbridge wrote and somebody changed.
    Edited,
    /// A file that landbridge did not write.
    Foreign,
    /// No regular file, or one beyond a link that leads out.
    NoFile,
}

/// Why a lock could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoLock {
    /// It could not be read.
    File(FileError),
    /// It says nothing that landbridge would write.
    Invalid(LockError),
}

impl<'a> Folder<'a> {
    pub(super) fn new(system: &'a dyn System, name: &'a str) -> Self {
        Self { system, name }
    }

    /// The path of a file of the folder.
    pub(super) fn path(self, file: &str) -> String {
        format!("{}/{file}", self.name)
    }

    /// Whether the folder is there. Where it is not, no file needs to be looked at.
    pub(super) fn exists(self) -> Result<bool, FileError> {
        match self.system.kind(self.name) {
            Ok(Kind::Directory) => Ok(true),
            Ok(_) => Err(FileError::WrongKind),
            Err(FileError::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The folder's lock, if it has one.
    pub(super) fn lock(self) -> Result<Option<Lock>, NoLock> {
        match self.system.read(&self.path(LOCK), MAX_LOCK) {
            Ok(text) => Lock::parse(&text).map(Some).map_err(NoLock::Invalid),
            Err(FileError::Missing) => Ok(None),
            Err(error) => Err(NoLock::File(error)),
        }
    }

    /// What stands at `file`, where `wanted` belongs and landbridge last wrote one of `own`; and
    /// the content, as far as it was read.
    pub(super) fn look(
        self,
        file: &str,
        wanted: Option<&[u8]>,
        own: Option<&BTreeSet<Digest>>,
    ) -> Result<(State, Vec<u8>), FileError> {
        let changed = if own.is_some() { State::Edited } else { State::Foreign };
        let content = match self.system.read(&self.path(file), MAX_FILE) {
            Ok(content) => content,
            Err(FileError::Missing) => return Ok((State::Absent, Vec::new())),
            Err(FileError::TooLarge(_)) => return Ok((changed, Vec::new())),
            Err(FileError::WrongKind | FileError::Outside) => {
                return Ok((State::NoFile, Vec::new()));
            }
            Err(error) => return Err(error),
        };
        let state = if wanted == Some(content.as_slice()) {
            State::Same
        } else if own.is_some_and(|digests| digests.contains(&Digest::of(&content))) {
            State::Own
        } else {
            changed
        };
        Ok((state, content))
    }

    pub(super) fn write(self, file: &str, content: &[u8]) -> Result<(), FileError> {
        self.system.write(&self.path(file), content)
    }

    /// Removes a file; one that is gone already is no error.
    pub(super) fn remove(self, file: &str) -> Result<(), FileError> {
        match self.system.remove(&self.path(file)) {
            Err(FileError::Missing) => Ok(()),
            other => other,
        }
    }
}
