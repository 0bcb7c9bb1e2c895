use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::render::lock::Digest;
use crate::system::Date;
use crate::system::memory::MemorySystem;

fn files(all: &[(&str, &str)]) -> Files {
    let mut files: Files =
        all.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    files.insert(LOCK.to_owned(), Lock::of(&files).text().into_bytes());
    files
}

/// What the folder `use1` holds.
fn folder(system: &MemorySystem) -> Files {
    let inside = |(path, content): (String, Vec<u8>)| {
        Some((path.strip_prefix("use1/")?.to_owned(), content))
    };
    system.files().into_iter().filter_map(inside).collect()
}

fn refused(result: Result<Written, WriteError>) -> Vec<(String, Why)> {
    match result.unwrap_err() {
        WriteError::Refused { files, .. } => {
            files.into_iter().map(|kept| (kept.path, kept.why)).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn writes_what_differs_and_removes_what_is_gone() {
    let system = MemorySystem::new();
    let first = files(&[("a.yaml", "1"), ("b/c.yaml", "2"), ("d.yaml", "3")]);
    let written = write(&system, "use1", &first, false).unwrap();
    assert_eq!(written.written, ["a.yaml", "b/c.yaml", "d.yaml"]);
    assert_eq!(folder(&system), first);

    let second = files(&[("a.yaml", "1"), ("b/c.yaml", "changed"), ("e.yaml", "new")]);
    let written = write(&system, "use1", &second, false).unwrap();
    let expected = Written {
        written: vec!["b/c.yaml".into(), "e.yaml".into()],
        removed: vec!["d.yaml".into()],
        unchanged: 1,
    };
    assert_eq!(written, expected);
    assert_eq!(folder(&system), second);

    let written = write(&system, "use1", &second, false).unwrap();
    assert_eq!(written, Written { unchanged: 3, ..Written::default() });
}

#[test]
fn what_it_did_not_write_is_kept() {
    let old = files(&[("a.yaml", "1"), ("b.yaml", "2"), ("c.yaml", "3")]);
    let new = files(&[("a.yaml", "one"), ("b.yaml", "two"), ("d.yaml", "four"), ("e.yaml", "5")]);
    let system = MemorySystem::new().with("use1/notes.md", "mine").with("use1/e.yaml", "5");
    write(&system, "use1", &old, false).unwrap();
    system.write("use1/b.yaml", b"edited").unwrap();
    system.write("use1/c.yaml", b"edited").unwrap();
    system.write("use1/d.yaml", b"foreign").unwrap();
    let before = system.files();
    assert_eq!(
        refused(write(&system, "use1", &new, false)),
        [
            ("b.yaml".into(), Why::Edited),
            ("c.yaml".into(), Why::Edited),
            ("d.yaml".into(), Why::Foreign)
        ]
    );
    assert_eq!(system.files(), before);

    write(&system, "use1", &new, true).unwrap();
    let mut expected = new.clone();
    expected.insert("notes.md".into(), b"mine".to_vec());
    assert_eq!(folder(&system), expected);
}

#[test]
fn what_is_no_file_is_kept_even_by_force() {
    let system = MemorySystem::new().with("use1/a.yaml/inner", "1");
    let new = files(&[("a.yaml", "1")]);
    assert_eq!(refused(write(&system, "use1", &new, true)), [("a.yaml".into(), Why::NoFile)]);
}

#[test]
fn a_lock_that_reaches_outside_is_refused() {
    let digest = Digest::of(b"secret");
    let hostile = format!("# landbridge 0.1.0\n{digest}  ../other/a.yaml\n");
    let system = MemorySystem::new()
        .with("other/a.yaml", "secret")
        .with("use1/a.yaml", "old")
        .with("use1/landbridge.lock", hostile);
    let before = system.files();
    let new = files(&[("a.yaml", "new")]);
    let error = write(&system, "use1", &new, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`use1/landbridge.lock` cannot be read: line 2: it names a path that landbridge does not write"
    );
    assert_eq!(system.files(), before);
    assert!(remove(&system, "use1", false).is_err());
    assert_eq!(system.files(), before);

    write(&system, "use1", &new, true).unwrap();
    assert_eq!(system.files()["other/a.yaml"], b"secret");
    assert_eq!(folder(&system), new);
}

#[test]
fn paths_that_lead_out_are_not_written() {
    let system = MemorySystem::new();
    for (folder, path) in [("use1", "../x"), ("use1", ".git/config"), ("..", "a"), ("a/../b", "c")]
    {
        let result = write(&system, folder, &files(&[(path, "1")]), true);
        assert!(matches!(result, Err(WriteError::File { error: FileError::Outside, .. })));
    }
    assert_eq!(system.files(), BTreeMap::new());
}

#[test]
fn folders_of_former_clusters_are_found_and_emptied() {
    let system = MemorySystem::new().with("docs/a.md", "1").with("use2/mine.txt", "2");
    for cluster in ["use1", "use2"] {
        write(&system, cluster, &files(&[("a.yaml", "1")]), false).unwrap();
    }
    let declared = BTreeSet::from(["use1"]);
    assert_eq!(orphans(&system, &declared).unwrap(), ["use2"]);
    assert_eq!(remove(&system, "use2", false).unwrap().removed, ["a.yaml"]);
    assert_eq!(orphans(&system, &declared).unwrap(), [] as [&str; 0]);
    assert!(system.files().contains_key("use2/mine.txt"));
    assert_eq!(remove(&system, "use2", false).unwrap(), Written::default());

    system.write("use1/a.yaml", b"edited").unwrap();
    assert_eq!(refused(remove(&system, "use1", false)), [("a.yaml".into(), Why::Edited)]);
}

/// A file system that fails from the n-th change on.
struct Failing<'a> {
    inner: &'a MemorySystem,
    left: AtomicUsize,
}

impl Failing<'_> {
    fn change(&self) -> Result<(), FileError> {
        let left =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        left.map(|_| ()).map_err(|_| FileError::Failed("no space left".into()))
    }
}

impl System for Failing<'_> {
    fn kind(&self, path: &str) -> Result<Kind, FileError> {
        self.inner.kind(path)
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        self.inner.read(path, limit)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        self.inner.list(path)
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.change()?;
        self.inner.write(path, content)
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        self.change()?;
        self.inner.remove(path)
    }

    fn today(&self) -> Date {
        self.inner.today()
    }
}

/// Interrupts the way from one set of files to another at every step, and then goes on to
/// a third, without force.
fn every_interruption(from: Option<&Files>, to: &Files, then: &Files) -> usize {
    for step in 0.. {
        let system = MemorySystem::new().with("use1/mine.txt", "mine");
        if let Some(from) = from {
            write(&system, "use1", from, false).unwrap();
        }
        let failing = Failing { inner: &system, left: AtomicUsize::new(step) };
        let result = write(&failing, "use1", to, false);
        if result.is_ok() {
            return step;
        }
        assert!(matches!(result, Err(WriteError::File { .. })), "step {step}");
        write(&system, "use1", then, false).unwrap_or_else(|error| panic!("step {step}: {error}"));
        let mut expected = then.clone();
        expected.insert("mine.txt".into(), b"mine".to_vec());
        assert_eq!(folder(&system), expected, "step {step}");
    }
    unreachable!("the loop ends where nothing fails")
}

#[test]
fn the_next_run_goes_on_from_every_interruption() {
    let one = files(&[("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1")]);
    let two = files(&[("a.yaml", "2"), ("b.yaml", "1"), ("d.yaml", "2")]);
    let three = files(&[("a.yaml", "3"), ("c.yaml", "3"), ("d.yaml", "3"), ("e.yaml", "3")]);
    // A lock, the changes (removals among them), and the last lock.
    assert_eq!(every_interruption(None, &one, &two), 1 + 3 + 1);
    assert_eq!(every_interruption(Some(&one), &two, &one), 1 + 3 + 1);
    assert_eq!(every_interruption(Some(&one), &two, &three), 1 + 3 + 1);
    assert_eq!(every_interruption(Some(&one), &Files::new(), &three), 1 + 3 + 1);
}

#[test]
fn an_edit_after_an_interruption_is_kept() {
    let (one, two) = (files(&[("a.yaml", "1")]), files(&[("a.yaml", "2"), ("b.yaml", "2")]));
    let system = MemorySystem::new();
    write(&system, "use1", &one, false).unwrap();
    let failing = Failing { inner: &system, left: AtomicUsize::new(2) };
    write(&failing, "use1", &two, false).unwrap_err();
    system.write("use1/a.yaml", b"edited").unwrap();
    assert_eq!(refused(write(&system, "use1", &two, false)), [("a.yaml".into(), Why::Edited)]);
}
