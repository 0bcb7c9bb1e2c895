//! What each chart of Cilium knows: which values keys it has, what they may hold, and what became of
//! the keys that it has no longer.
//!
//! The chart itself does not say: its schema has no `additionalProperties: false`, so a key that is
//! misspelt, removed or not there yet is ignored without a word, and few enumerations are checked.
//! The table is `schemas/cilium/`; `schemas/README.md` says where it comes from.

mod check;
mod default;
mod nearest;
mod table;

use semver::Version;

pub use check::{Problem, ProblemKind, SUGGESTIONS};
pub use default::ChangedDefault;
pub use table::{Allowed, Type};

use table::{Fact, Node, Release, TABLE, Verdict};

/// The values keys of one exact version of the Cilium chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    version: Version,
    known: Release,
}

/// What a chart makes of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The chart has the key.
    Known(Known),
    /// The chart refuses or ignores the key: an older chart had it, or it is a well-known mistake.
    Removed(Removed),
    /// Only later charts have the key; this one ignores it.
    NotYet(NotYet),
    /// The chart ignores the key, and the table has never heard of it.
    Unknown {
        /// The key of this chart that was probably meant, as a dotted path.
        nearest: Option<String>,
    },
}

/// A key that the chart has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The JSON types that the chart's schema takes; empty where it declares none. Null is always
    /// taken: Helm reads it as "delete the default".
    pub types: &'static [Type],
    /// The values that work, whether the chart checks them or not.
    pub allowed: Option<&'static Allowed>,
    /// Whether any child key is taken: Kubernetes objects, annotations, values without known children.
    pub open: bool,
    /// What to write instead, as an imperative, if the key is on its way out but does no harm yet.
    pub deprecated: Option<String>,
}

/// A key that the chart has no longer, or that no chart had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The first chart without the key; none if no chart of the table had it.
    pub since: Option<Version>,
    /// Whether rendering fails on the key; otherwise it is ignored without a word.
    pub refused: bool,
    /// The keys to write instead, as dotted paths.
    pub replacement: Vec<&'static str>,
    /// What to do about it, as an imperative.
    pub help: String,
}

/// A key that only later charts have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotYet {
    /// The first later chart that has the key.
    pub since: Version,
    /// The keys to write until then, as dotted paths.
    pub replacement: Vec<&'static str>,
    /// What to do about it, as an imperative.
    pub help: String,
}

impl Chart {
    /// The minors that the table covers, oldest first.
    pub const MINORS: [(u64, u64); 5] = [(1, 16), (1, 17), (1, 18), (1, 19), (1, 20)];

    /// The chart of that version, or none if its minor is not in [`Self::MINORS`].
    ///
    /// A version that the table does not list (a newer patch, a pre-release, 1.16.14 which was never
    /// published) has the keys of [`Self::known_as`].
    pub fn of(version: &Version) -> Option<Self> {
        let asked = Release(version.major, version.minor, version.patch);
        let minor = TABLE.charts.iter().filter(|chart| (chart.0, chart.1) == (asked.0, asked.1));
        let known = minor.clone().filter(|&&chart| chart <= asked).max().or_else(|| minor.min())?;
        Some(Self { version: version.clone(), known: *known })
    }

    /// The newest known chart of the next minor, if there is one.
    pub fn next_minor(&self) -> Option<Self> {
        let (major, minor) = (self.version.major, self.version.minor + 1);
        let newest = Self::of(&Version::new(major, minor, u64::MAX))?;
        Some(Self { version: newest.known_as(), known: newest.known })
    }

    /// The published charts of a minor that the table lists, oldest first.
    pub fn published(major: u64, minor: u64) -> impl Iterator<Item = Version> {
        let of_minor =
            TABLE.charts.iter().filter(move |chart| (chart.0, chart.1) == (major, minor));
        of_minor.map(|chart| chart.version())
    }

    /// The version that was asked for.
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// The chart whose keys are used: the newest one in the table that is not newer than
    /// [`Self::version`]. The two differ where the table does not list that version.
    pub const fn known_as(&self) -> Version {
        self.known.version()
    }

    /// Whether the chart has this key, written as for [`Self::key`].
    pub fn has(&self, key: &str) -> bool {
        matches!(self.key(key), Key::Known(_))
    }

    /// What the chart makes of this key, written as for Helm's `--set`: `clustermesh.useAPIServer`,
    /// with `\.` for a dot inside a name. An index of a list is a part of the path like any other.
    pub fn key(&self, key: &str) -> Key {
        self.key_at(&table::split(key))
    }

    /// The same as [`Self::key`] for a path in parts, as in [`Problem::path`].
    pub fn key_at<S: AsRef<str>>(&self, path: &[S]) -> Key {
        let mut node = &TABLE.root;
        let mut fate = self.fate(node, None);
        for (depth, name) in path.iter().map(AsRef::as_ref).enumerate() {
            match node.child(name) {
                Some(child) => {
                    fate = self.fate(child, Some((node, &fate)));
                    node = child;
                }
                None if matches!(&fate, Key::Known(known) if !known.open) => {
                    let nearest = nearest::nearest(self, node, &path[..depth], &path[depth..]);
                    return Key::Unknown { nearest };
                }
                None if matches!(fate, Key::Known(_)) => return Self::free(),
                None => return fate,
            }
        }
        fate
    }

    /// What becomes of a key, given its parent and the parent's fate (none for the root).
    fn fate(&self, node: &'static Node, parent: Option<(&'static Node, &Key)>) -> Key {
        let Some((parent, parents_fate)) = parent else {
            return Key::Known(Known { types: &[], allowed: None, open: false, deprecated: None });
        };
        let in_open = matches!(parents_fate, Key::Known(known) if known.open);
        let gone = node.fact(self.known, &Verdict::REMOVED);
        if gone.is_none() && node.versions.contain(self.known) {
            return Key::Known(self.known(node, in_open));
        }
        if in_open {
            return Self::free();
        }
        // What the table says of a parent holds for its children, unless the chart has the parent.
        let inherited = |wanted: &[Verdict]| {
            let parents = !matches!(parents_fate, Key::Known(_));
            let own = node.fact(self.known, wanted);
            own.or_else(|| parent.fact(self.known, wanted).filter(|_| parents))
        };
        let since = node.begins_after(self.known).map(Release::version);
        match (inherited(&Verdict::REMOVED), since) {
            (None, Some(since)) => {
                let fact = inherited(&[Verdict::Absent]);
                let upgrade = format!("remove it, or use the chart of {since} or later");
                let replacement = fact.map(|fact| fact.replacement.clone()).unwrap_or_default();
                Key::NotYet(NotYet { since, replacement, help: fact.map_or(upgrade, Fact::advice) })
            }
            (fact, _) => Key::Removed(Removed {
                since: self.gone_since(node),
                refused: fact.is_some_and(|fact| fact.verdict == Verdict::Refused),
                replacement: fact.map(|fact| fact.replacement.clone()).unwrap_or_default(),
                help: fact.map_or_else(|| "remove it".to_owned(), Fact::advice),
            }),
        }
    }

    /// A key that the chart has; the children of an open one are open too.
    fn known(&self, node: &'static Node, in_open: bool) -> Known {
        let types = node.types.iter().find(|(range, _)| range.contain(self.known));
        let types = types.map_or(&[][..], |(_, types)| types);
        let allowed = node.allowed.iter().find(|(range, _)| range.contain(self.known));
        let nests = types.is_empty() || types.iter().any(Type::nests);
        let childless = !node.children.values().any(|child| child.versions.contain(self.known));
        let deprecated = node.fact(self.known, &[Verdict::Deprecated]);
        Known {
            types,
            allowed: allowed.map(|(_, allowed)| allowed),
            open: node.open.contain(self.known) || (nests && (childless || in_open)),
            deprecated: deprecated.map(Fact::advice),
        }
    }

    /// A key below an open one.
    const fn free() -> Key {
        Key::Known(Known { types: &[], allowed: None, open: true, deprecated: None })
    }

    /// The first chart without a key that an older one had.
    fn gone_since(&self, node: &Node) -> Option<Version> {
        let last = node.ends_before(self.known)?;
        TABLE.charts.iter().find(|&&chart| chart > last).map(|chart| chart.version())
    }
}

#[cfg(test)]
mod tests;
