//! Names and patterns of names.

use super::super::semantics::Semantics;

/// A name or a pattern of names, in lower case, without a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(pub Box<str>);

impl Pattern {
    /// Reads a name or a pattern.
    pub fn new(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        Self(text.strip_suffix('.').unwrap_or(&text).into())
    }

    /// Whether it matches a name (`ToAnchoredRegexp` in `pkg/fqdn/matchpattern/matchpattern.go`):
    /// `*` stays within a label, `*` alone is every name, and from 1.19 `**.` at the start is one
    /// or more labels.
    pub fn matches(&self, name: &str, semantics: &Semantics) -> bool {
        let stars = self.0.chars().all(|known| known == '*') && !self.0.is_empty();
        if &*self.0 == "*" || (stars && semantics.knows_subdomain_wildcard()) {
            return true;
        }
        let labels: Vec<&str> = name.split('.').collect();
        let parts: Vec<&str> = self.0.split('.').collect();
        let deep = parts[0].len() > 1
            && parts[0].chars().all(|known| known == '*')
            && semantics.knows_subdomain_wildcard();
        let (parts, labels) = if deep {
            let Some(rest) = labels.len().checked_sub(parts.len() - 1).filter(|rest| *rest > 0)
            else {
                return false;
            };
            (&parts[1..], &labels[rest..])
        } else {
            (&parts[..], &labels[..])
        };
        parts.len() == labels.len()
            && parts.iter().zip(labels).all(|(part, label)| glob(part, label))
    }
}

/// Whether a part with stars matches a label: from the left, and back to the last star when it
/// does not, so that the work is bounded by the product of the lengths.
fn glob(part: &str, label: &str) -> bool {
    let (part, label) = (part.as_bytes(), label.as_bytes());
    let (mut at, mut in_label, mut star) = (0, 0, None);
    while in_label < label.len() {
        if part.get(at) == Some(&b'*') {
            star = Some((at, in_label));
            at += 1;
        } else if part.get(at) == label.get(in_label) {
            at += 1;
            in_label += 1;
        } else if let Some((known, before)) = star {
            // The star is read again, and takes one more.
            (at, in_label) = (known, before + 1);
        } else {
            return false;
        }
    }
    part[at..].iter().all(|known| *known == b'*')
}
