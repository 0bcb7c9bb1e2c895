//! What a program wrote.

use std::fs;
use std::path::Path;

/// How many files a folder holds, and how many bytes these have.
pub(crate) fn weight(folder: &Path) -> (usize, u64) {
    let mut sum = (0, 0);
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            let (files, bytes) = weight(&path);
            sum = (sum.0 + files, sum.1 + bytes);
        } else {
            let bytes = fs::metadata(&path).expect("the file is there").len();
            sum = (sum.0 + 1, sum.1 + bytes);
        }
    }
    sum
}
