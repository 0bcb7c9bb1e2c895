//! Ranges of versions, as one interval each.

use semver::{Comparator, Op, Version, VersionReq};

use crate::diagnostic::Diagnostics;
use crate::yaml::Node;
use crate::yaml::fields::{Decode, invalid, text};
use crate::yaml::shape::Shape;

/// Major, minor and patch. What follows a patch is not compared: `1.34.2-eks-113cf36` and
/// `1.34.2+k3s1` are builds of 1.34.2, and a candidate of a release has the release's faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u64, pub u64, pub u64);

impl Release {
    const FIRST: Self = Self(0, 0, 0);

    const fn next_patch(self) -> Self {
        Self(self.0, self.1, self.2.saturating_add(1))
    }

    const fn next_minor(self) -> Self {
        Self(self.0, self.1.saturating_add(1), 0)
    }

    const fn next_major(self) -> Self {
        Self(self.0.saturating_add(1), 0, 0)
    }
}

impl From<&Version> for Release {
    fn from(version: &Version) -> Self {
        Self(version.major, version.minor, version.patch)
    }
}

/// Releases from one on and before another; no second one: all that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    first: Release,
    end: Option<Release>,
}

impl Interval {
    const ALL: Self = Self { first: Release::FIRST, end: None };

    /// One release.
    pub fn one(version: &Version) -> Self {
        let release = Release::from(version);
        Self { first: release, end: Some(release.next_patch()) }
    }

    /// All patches of a minor.
    pub fn minor(major: u64, minor: u64) -> Self {
        let first = Release(major, minor, 0);
        Self { first, end: Some(first.next_minor()) }
    }

    /// The first release of it.
    pub const fn first(self) -> Release {
        self.first
    }

    /// What is in both; it may be empty.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let end = match (self.end, other.end) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        Self { first: self.first.max(other.first), end }
    }

    /// Whether no release is in it.
    pub fn is_empty(self) -> bool {
        self.end.is_some_and(|end| end <= self.first)
    }

    /// Whether all of another interval is in it.
    pub fn contains(self, other: Self) -> bool {
        other.is_empty() || self.and(other) == other
    }

    /// Whether any release is in both.
    pub fn meets(self, other: Self) -> bool {
        !self.and(other).is_empty()
    }

    /// The releases that one comparator takes.
    fn of(comparator: &Comparator) -> Self {
        let (minor, patch) = (comparator.minor, comparator.patch);
        let first = Release(comparator.major, minor.unwrap_or(0), patch.unwrap_or(0));
        // The first release behind all that were written: 1.19.6 is one, 1.19 is all of its
        // patches.
        let behind = match (minor, patch) {
            (Some(_), Some(_)) => first.next_patch(),
            (Some(_), None) => first.next_minor(),
            (None, _) => first.next_major(),
        };
        let between = |end| Self { first, end: Some(end) };
        match comparator.op {
            Op::Greater => Self { first: behind, end: None },
            Op::GreaterEq => Self { first, end: None },
            Op::Less => Self { first: Release::FIRST, end: Some(first) },
            Op::LessEq => Self { first: Release::FIRST, end: Some(behind) },
            Op::Tilde if minor.is_some() => between(first.next_minor()),
            Op::Caret => between(match (first, minor, patch) {
                (Release(0, 0, _), Some(_), Some(_)) => first.next_patch(),
                (Release(0, _, _), Some(_), _) => first.next_minor(),
                _ => first.next_major(),
            }),
            // Exact, a wildcard, and a tilde before a major alone.
            _ => between(behind),
        }
    }
}

/// A range of versions as it was written: comparisons joined by commas, all of which hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The text.
    pub text: String,
    /// The releases.
    pub interval: Interval,
}

/// What is taken, for messages.
const WHAT: &str = "a range of versions";
/// How ranges are written.
const HELP: &str = "write `1.19.6` for one version, `1.19` for all of its patches, or comparisons \
                    such as `>=1.19.0, <1.19.4`";

impl VersionRange {
    /// Reads a range. A version without an operator is that version, and `1.19` all patches of
    /// that minor, since exact versions are the rule here; Cargo would read a caret.
    ///
    /// # Errors
    /// What is wrong, as a help.
    pub fn parse(text: &str) -> Result<Self, String> {
        let exact = |part: &str| {
            let part = part.trim();
            let bare =
                part.starts_with(|c: char| c.is_ascii_digit()) && !part.contains(['*', 'x', 'X']);
            if bare { format!("={part}") } else { part.to_owned() }
        };
        let parts: Vec<_> = text.split(',').map(exact).collect();
        let Ok(range) = VersionReq::parse(&parts.join(",")) else { return Err(HELP.to_owned()) };
        if range.comparators.iter().any(|comparator| !comparator.pre.is_empty()) {
            return Err("leave out what follows the patch: it is not compared".to_owned());
        }
        let interval =
            range.comparators.iter().map(Interval::of).fold(Interval::ALL, Interval::and);
        if interval.is_empty() {
            return Err(
                "no version is in it; write a list where any of several may hold".to_owned()
            );
        }
        Ok(Self { text: text.to_owned(), interval })
    }
}

impl Decode for VersionRange {
    fn shape() -> Shape {
        Shape::Text { what: "a range of versions such as `>=1.19.0, <1.19.4`", pattern: None }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = text(node, WHAT, found)?;
        let long = written.len() > 128;
        match if long { Err(HELP.to_owned()) } else { Self::parse(written) } {
            Ok(range) => Some(range),
            Err(help) => {
                let start: String = written.chars().take(40).collect();
                let message = format!("`{}` is not {WHAT}", start.escape_debug());
                invalid(node.span, message, &help, found);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contains(range: &str, version: &str) -> bool {
        let range = VersionRange::parse(range).unwrap_or_else(|help| panic!("{range}: {help}"));
        range.interval.contains(Interval::one(&version.parse().unwrap()))
    }

    #[test]
    fn a_range_means_what_it_says() {
        for (range, inside, outside) in [
            ("1.16.0", &["1.16.0", "1.16.0-rc.1", "1.16.0+k3s1"][..], &["1.16.1", "1.15.9"][..]),
            ("1.16", &["1.16.0", "1.16.19"], &["1.17.0", "1.15.9"]),
            ("1.16.x", &["1.16.0", "1.16.19"], &["1.17.0"]),
            (">=1.19.0, <1.19.4", &["1.19.0", "1.19.3"], &["1.19.4", "1.18.12"]),
            (">=1.32, <=1.35", &["1.32.0", "1.35.9"], &["1.31.14", "1.36.0"]),
            ("<1.18.7", &["1.18.6", "0.1.0"], &["1.18.7"]),
            ("~1.19.2", &["1.19.2", "1.19.9"], &["1.19.1", "1.20.0"]),
            ("^1.19.2", &["1.19.2", "1.30.0"], &["2.0.0", "1.19.1"]),
            ("*", &["0.0.0", "9.9.9"], &[]),
        ] {
            for version in inside {
                assert!(contains(range, version), "{version} is in {range}");
            }
            for version in outside {
                assert!(!contains(range, version), "{version} is not in {range}");
            }
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "latest",
            "",
            "v1.19.0",
            ">=1.19 <1.20",
            "1.19.0-rc.1",
            ">=1.20, <1.19",
            ">1.2.x.y",
            "<0",
        ] {
            assert!(VersionRange::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_minor_is_all_its_patches() {
        let minor = Interval::minor(1, 34);
        let range = |text: &str| VersionRange::parse(text).unwrap().interval;
        assert!(range("1.34").contains(minor) && range(">=1.32, <=1.35").contains(minor));
        assert!(!range("1.34.2").contains(minor) && range("1.34.2").meets(minor));
        assert!(!range(">=1.35").meets(minor) && !range("<1.34").meets(minor));
        assert_eq!(minor.first(), Release(1, 34, 0));
    }

    fn comparator() -> impl Strategy<Value = String> {
        let op = prop::sample::select(vec!["=", "", ">", ">=", "<", "<=", "~", "^"]);
        let number = 0..4_u64;
        (op, number.clone(), prop::option::of((number.clone(), prop::option::of(number)))).prop_map(
            |(op, major, rest)| match rest {
                None => format!("{op}{major}"),
                Some((minor, None)) => format!("{op}{major}.{minor}"),
                Some((minor, Some(patch))) => format!("{op}{major}.{minor}.{patch}"),
            },
        )
    }

    proptest! {
        /// Cargo's own reading is the measure, except that a bare version is exact here.
        #[test]
        fn ranges_are_read_as_cargo_reads_them(
            parts in prop::collection::vec(comparator(), 1..4),
            version in (0..5_u64, 0..5_u64, 0..5_u64),
        ) {
            let text = parts.join(", ");
            let exact: Vec<_> = parts
                .iter()
                .map(|p| if p.starts_with(char::is_numeric) { format!("={p}") } else { p.clone() })
                .collect();
            let measure = VersionReq::parse(&exact.join(", ")).unwrap();
            let version = Version::new(version.0, version.1, version.2);
            match VersionRange::parse(&text) {
                Ok(range) => {
                    let one = Interval::one(&version);
                    prop_assert_eq!(range.interval.contains(one), measure.matches(&version));
                    prop_assert_eq!(range.interval.meets(one), measure.matches(&version));
                    prop_assert!(range.interval.contains(range.interval));
                }
                Err(_) => prop_assert!(!measure.matches(&version), "{} {}", text, version),
            }
        }

        /// Containing and meeting follow from the releases of the two.
        #[test]
        fn intervals_are_sets_of_releases(
            (a, b) in (comparator(), comparator()),
            minor in (0..5_u64, 0..5_u64),
        ) {
            let (Ok(a), Ok(b)) = (VersionRange::parse(&a), VersionRange::parse(&b)) else {
                return Ok(());
            };
            for (a, b) in [(a.interval, b.interval), (a.interval, Interval::minor(minor.0, minor.1))] {
                let all = (0..6).flat_map(|x| (0..6).flat_map(move |y| (0..6).map(move |z| (x, y, z))));
                let one = |at: (u64, u64, u64)| Interval::one(&Version::new(at.0, at.1, at.2));
                let (mut both, mut outside) = (false, false);
                for at in all {
                    let (in_a, in_b) = (a.contains(one(at)), b.contains(one(at)));
                    both |= in_a && in_b;
                    outside |= in_b && !in_a;
                    prop_assert_eq!(a.and(b).contains(one(at)), in_a && in_b);
                }
                prop_assert_eq!(a.meets(b), both);
                prop_assert!(!(a.contains(b) && outside));
            }
        }
    }
}
