//! The only way to the outside: files, below one root, and the clock.
//!
//! Paths are relative to the root and written with `/`, whatever the platform. The root is a
//! project when reading and an output folder when writing. No operation follows a path out of
//! the root, neither by `..` nor through a symbolic link.

pub mod memory;
pub mod os;

mod date;

use std::fmt;

pub use date::{Date, NoDate};

/// Files below one root, and the clock.
pub trait System: Sync {
    /// Says what stands at `path`, symbolic links followed.
    ///
    /// # Errors
    /// [`FileError`] where nothing is there, or where it lies outside the root.
    fn kind(&self, path: &str) -> Result<Kind, FileError>;

    /// Reads a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`FileError`] where it is missing, outside the root, not a regular file, or larger.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError>;

    /// Names what a folder holds, sorted.
    ///
    /// # Errors
    /// [`FileError`] where it is missing, outside the root, or no folder.
    fn list(&self, path: &str) -> Result<Vec<String>, FileError>;

    /// Writes a file under a temporary name and renames it, making folders as needed: at every
    /// moment the old or the new content stands there, whole.
    ///
    /// # Errors
    /// [`FileError`] where that is not possible.
    fn write(&self, path: &str, content: &[u8]) -> Result<(), FileError>;

    /// Removes a file, and the folders that it leaves empty below the root.
    ///
    /// # Errors
    /// [`FileError`] where that is not possible.
    fn remove(&self, path: &str) -> Result<(), FileError>;

    /// The day on which what is read is judged: today in UTC, unless another one was asked for.
    fn today(&self) -> Date;
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file of that many bytes.
    File(u64),
    /// A folder.
    Directory,
    /// A device, a pipe, a socket.
    Other,
}

/// Why a file operation did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// Nothing is there.
    Missing,
    /// The path leads out of the root.
    Outside,
    /// A pipe, a device, or a folder where a file is wanted (or the reverse).
    WrongKind,
    /// Larger than the limit in bytes.
    TooLarge(u64),
    /// What the operating system says.
    Failed(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it does not exist"),
            Self::Outside => f.write_str("it lies outside the project"),
            Self::WrongKind => f.write_str("it is not a regular file"),
            Self::TooLarge(limit) => {
                write!(f, "it is larger than {} MiB", limit.div_ceil(1024 * 1024))
            }
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for FileError {}

/// Whether `path` stays below the root by its text alone: relative, with no `..`, no empty part
/// and no part that a platform reads specially.
pub fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|part| !part.is_empty() && part != "..")
}
