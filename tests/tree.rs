//! The files of the source tree.
#![expect(clippy::disallowed_methods, reason = "the tests read the source tree")]

use std::fs;

use crate::golden::path;

/// Calls `look` with the path and text of every file below a folder, in the order of their paths;
/// a file that is no text is left out.
pub(crate) fn each_file(folder: &str, look: &mut dyn FnMut(&str, &str)) {
    let Ok(entries) = fs::read_dir(path(folder)) else { return };
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("the entry is readable").file_name()).collect();
    names.sort();
    for name in names {
        let inner = format!("{folder}/{}", name.to_str().expect("a name is text"));
        // One that leads out of its project is part of a fixture.
        if path(&inner).is_symlink() {
            continue;
        }
        if path(&inner).is_dir() {
            each_file(&inner, look);
        } else if let Ok(text) = fs::read_to_string(path(&inner)) {
            look(&inner, &text);
        }
    }
}
