//! `landbridge.lock`: which files of a cluster's folder landbridge made, and what they held.
//!
//! The text is what `sha256sum --check` takes. It is read from a repository that anybody may have
//! written to: a path that landbridge would not write makes the whole lock invalid, since
//! whatever it names may be overwritten or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use super::Files;
use super::layout::{LOCK, is_own_path};

/// Largest lock that is read, in bytes: some 40,000 files.
pub const MAX_LOCK: u64 = 4 * 1024 * 1024;

const TOOL: &str = "# landbridge ";
const ABOUT: &str = "# the files that it made here; `sha256sum --check landbridge.lock` compares";
const UNFINISHED: &str = "# unfinished: it was interrupted here; compile again";

/// The SHA-256 of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests a file's content.
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    fn parse(hex: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        if pairs.len() != digest.len() || !rest.is_empty() {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(digest))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What landbridge made in one cluster's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The version of landbridge that wrote it.
    pub tool: String,
    /// Whether writing began and has not ended: each file holds the old or the new content.
    pub unfinished: bool,
    /// The content that each file had when landbridge last wrote it; more than one while a
    /// run is unfinished, or where git left the marks of a conflict.
    pub files: BTreeMap<String, BTreeSet<Digest>>,
}

/// Why a lock cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for LockError {}

impl Lock {
    /// The lock of these files, written by this version.
    pub fn of(files: &Files) -> Self {
        let digests = files
            .iter()
            .filter(|(path, _)| *path != LOCK)
            .map(|(path, content)| (path.clone(), BTreeSet::from([Digest::of(content)])))
            .collect();
        let tool = env!("CARGO_PKG_VERSION").to_owned();
        Self { tool, unfinished: false, files: digests }
    }

    /// Reads a lock. Marks of a conflict that git left are passed over: what either side wrote
    /// was landbridge's own, and compiling again settles it.
    ///
    /// # Errors
    /// The first line that is no entry, or that names a path outside the folder.
    pub fn parse(text: &[u8]) -> Result<Self, LockError> {
        let text = std::str::from_utf8(text).map_err(|error| {
            let before = text[..error.valid_up_to()].split(|byte| *byte == b'\n');
            LockError { line: before.count(), why: "it is not UTF-8" }
        })?;
        let mut lock = Self::default();
        for (at, line) in text.lines().enumerate() {
            let failed = |why| LockError { line: at + 1, why };
            if let Some(tool) = line.strip_prefix(TOOL) {
                tool.clone_into(&mut lock.tool);
            } else if line == UNFINISHED {
                lock.unfinished = true;
            } else if !line.is_empty() && !line.starts_with('#') && !is_conflict_mark(line) {
                let (digest, path) = line
                    .split_once("  ")
                    .and_then(|(hex, path)| Some((Digest::parse(hex)?, path)))
                    .ok_or_else(|| failed("it is not a SHA-256, two spaces and a path"))?;
                if !is_own_path(path) || path.eq_ignore_ascii_case(LOCK) {
                    return Err(failed("it names a path that landbridge does not write"));
                }
                lock.files.entry(path.to_owned()).or_default().insert(digest);
            }
        }
        Ok(lock)
    }

    /// The text of the lock.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(256 + 100 * self.files.len());
        let _ = writeln!(out, "{TOOL}{}\n{ABOUT}", self.tool);
        if self.unfinished {
            let _ = writeln!(out, "{UNFINISHED}");
        }
        for (path, digests) in &self.files {
            for digest in digests {
                let _ = writeln!(out, "{digest}  {path}");
            }
        }
        out
    }

    /// The lock of a run that goes from this one to `next`: whichever of the two contents a file
    /// has, it is known.
    #[must_use]
    pub fn towards(&self, next: &Self) -> Self {
        let mut both = self.clone();
        for (path, digests) in &next.files {
            both.files.entry(path.clone()).or_default().extend(digests);
        }
        both.tool.clone_from(&next.tool);
        both.unfinished = true;
        both
    }
}

fn is_conflict_mark(line: &str) -> bool {
    ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lock() -> Lock {
        let files = [("a/b.yaml", "one"), ("c.yaml", "two"), (LOCK, "not itself")];
        Lock::of(&files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into())
    }

    #[test]
    fn is_what_sha256sum_takes() {
        let tool = env!("CARGO_PKG_VERSION");
        assert_eq!(
            lock().text(),
            format!(
                "# landbridge {tool}\n\
                 # the files that it made here; `sha256sum --check landbridge.lock` compares\n\
                 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  a/b.yaml\n\
                 3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  c.yaml\n"
            )
        );
        assert_eq!(Lock::parse(lock().text().as_bytes()), Ok(lock()));
        let unfinished = lock().towards(&Lock::default());
        assert_eq!(Lock::parse(unfinished.text().as_bytes()), Ok(unfinished));
    }

    #[test]
    fn a_conflict_keeps_what_both_sides_wrote() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let text = format!(
            "# landbridge 0.1.0\n<<<<<<< HEAD\n{one}  a.yaml\n=======\n{two}  a.yaml\n>>>>>>> b\n"
        );
        let lock = Lock::parse(text.as_bytes()).unwrap();
        assert_eq!(lock.files["a.yaml"], BTreeSet::from([one, two]));
    }

    #[test]
    fn a_lock_that_reaches_outside_is_refused() {
        let digest = Digest::of(b"");
        for path in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            ".git/config",
            "a//b",
            "",
            "a\u{1b}",
            "LANDBRIDGE.lock",
        ] {
            let text = format!("# landbridge 0.1.0\n{digest}  {path}\n");
            assert_eq!(Lock::parse(text.as_bytes()).unwrap_err().line, 2, "{path:?}");
        }
        for text in ["x  a.yaml", "a.yaml", "é  a"] {
            assert_eq!(Lock::parse(text.as_bytes()).unwrap_err().line, 1);
        }
        assert_eq!(
            Lock::parse(b"\n\xff").unwrap_err(),
            LockError { line: 2, why: "it is not UTF-8" }
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_lock_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(lock) = Lock::parse(&bytes) {
                prop_assert!(lock.files.keys().all(|path| is_own_path(path)));
            }
        }
    }
}
