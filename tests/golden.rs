//! Files of the source tree that hold what is expected. `UPDATE=1` writes them.
#![expect(clippy::disallowed_methods, reason = "the tests read and write the source tree")]

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Whether what is made is to be written instead of compared.
pub(crate) fn update() -> bool {
    env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// A path of the source tree.
pub(crate) fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds a file of the source tree against what it should contain.
pub(crate) fn holds(file: &str, made: &str) {
    let full = path(file);
    if update() {
        let folder = full.parent().expect("a file stands in a folder");
        fs::create_dir_all(folder).expect("the folder can be made");
        fs::write(&full, made).expect("the file can be written");
        return;
    }
    let kept = fs::read_to_string(&full).unwrap_or_default();
    let change = difference(&kept, made);
    assert!(kept == made, "{file} differs; run with UPDATE=1 and read the difference\n{change}");
}

/// The lines that differ, with some around them.
pub(crate) fn difference(kept: &str, made: &str) -> String {
    let diff = similar::TextDiff::from_lines(kept, made);
    diff.unified_diff().context_radius(3).header("kept", "made").to_string()
}
