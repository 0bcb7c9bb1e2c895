//! Names of objects, made of names that need not be names of objects.

use sha2::{Digest, Sha256};

/// The longest name of an object. Source: `DNS1123SubdomainMaxLength` of `k8s.io/apimachinery`.
pub(super) const LONGEST: usize = 253;

/// What can be read of a name in a name of an object: its labels, without the characters that no
/// label has, at most 200 characters together. Different names may give the same.
pub(super) fn readable(name: &str) -> String {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let name = name.to_lowercase();
    let name: String = name.chars().map(|c| if known(c) { c } else { '-' }).take(200).collect();
    let labels = name.split('.').map(|label| label.trim_matches('-'));
    labels.filter(|label| !label.is_empty()).collect::<Vec<_>>().join(".")
}

/// Ten digits that tell a name from others.
pub(super) fn digest(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let digest = digest.iter().take(5).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{digest:010x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_is_labels() {
        for (name, expected) in [
            ("a.b", "a.b"),
            ("*.example.com", "example.com"),
            ("_Sip.example.com", "sip.example.com"),
            ("a--.-.é", "a"),
        ] {
            assert_eq!(readable(name), expected);
        }
        assert_eq!(readable(&"a".repeat(300)).len(), 200);
        assert_eq!(digest("").len(), 10);
        assert_ne!(digest("a"), digest("b"));
    }
}
