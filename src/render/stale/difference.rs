//! A short excerpt of how two texts differ.

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use crate::render::yaml::visible;

/// Most lines that are shown.
const SHOWN: usize = 20;
/// Most lines of each text that are compared, from the first difference on: comparing takes time
/// in proportion to length times difference.
const COMPARED: usize = 200;
/// Unchanged lines around a change.
const CONTEXT: usize = 2;
/// Longest line that is shown whole, in characters.
const WIDTH: usize = 160;

/// The first lines that differ: `-` what is there, `+` what the topology gives.
pub(super) fn note(there: &[u8], wanted: &[u8]) -> Option<String> {
    let (there, wanted) = (String::from_utf8_lossy(there), String::from_utf8_lossy(wanted));
    let (old, new): (Vec<_>, Vec<_>) = (there.lines().collect(), wanted.lines().collect());
    let first = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let start = first.saturating_sub(CONTEXT);
    let window = |lines: &[&str]| start.min(lines.len())..lines.len().min(start + COMPARED);
    let (old, new) = (&old[window(&old)], &new[window(&new)]);
    let diff = TextDiff::from_slices(old, new);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        let at = group.first().map_or(0, |op| op.new_range().start);
        lines.push(format!("@@ line {} @@", start + at + 1));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let text: String = change.value().chars().take(WIDTH).collect();
            lines.push(format!("{sign}{}", visible(&text)));
        }
    }
    if lines.is_empty() {
        // They differ in line breaks or in bytes that are no text.
        return None;
    }
    let mut out = "`-` is there, `+` is what the topology gives:".to_owned();
    for line in lines.iter().take(SHOWN) {
        // A `String` takes whatever is written to it.
        let _ = write!(out, "\n{line}");
    }
    if lines.len() > SHOWN {
        let _ = write!(out, "\n… and {} lines more", lines.len() - SHOWN);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_first_lines_that_differ() {
        let old = "a\nb\nc\nd\ne\nf\n";
        let new = "a\nb\nc\nD\u{1b}\ne\nf\n";
        assert_eq!(
            note(old.as_bytes(), new.as_bytes()).unwrap(),
            "`-` is there, `+` is what the topology gives:\n\
             @@ line 2 @@\n b\n c\n-d\n+D\\u{1b}\n e\n f"
        );
        assert_eq!(note(b"a\n", b"a"), None);
    }

    #[test]
    fn long_differences_are_cut() {
        let lines = |word: &str| {
            let lines: Vec<_> = (0..100_000)
                .map(|n| {
                    format!(
                        "{word} {n}
"
                    )
                })
                .collect();
            lines.concat()
        };
        let (old, new) = (lines("old"), lines("new"));
        let note = note(old.as_bytes(), new.as_bytes()).unwrap();
        assert_eq!(note.lines().count(), 1 + SHOWN + 1);
        assert!(note.ends_with("lines more"), "{note}");
    }
}
