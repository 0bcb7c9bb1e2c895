//! The two files of `schemas/cilium/`, read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use semver::Version;

/// The table. Its files are part of the program: a line that can't be read is the program's mistake.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::parse(
        include_str!("../../schemas/cilium/keys.tsv"),
        include_str!("../../schemas/cilium/facts.tsv"),
    )
});

/// All charts and all keys that any of them has or had.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Oldest first.
    pub(super) charts: Vec<Release>,
    pub(super) root: Node,
}

/// One key in all charts.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) children: BTreeMap<String, Self>,
    /// The charts that have the key.
    pub(super) versions: Ranges,
    /// The charts that take any child of it, listed or not.
    pub(super) open: Ranges,
    pub(super) types: Vec<(Ranges, Vec<Type>)>,
    pub(super) allowed: Vec<(Ranges, Allowed)>,
    pub(super) facts: Vec<Fact>,
}

/// A line of `facts.tsv`.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) versions: Ranges,
    pub(super) verdict: Verdict,
    /// The keys to write instead, as dotted paths.
    pub(super) replacement: Vec<&'static str>,
    /// An imperative; `-` if the table has none.
    help: &'static str,
}

/// What a fact says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    Refused,
    Ignored,
    Deprecated,
    Absent,
    Known,
}

/// A JSON type as the chart's schema names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Nothing but null: a slip in the chart's schema, which then refuses every value.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// A string.
    String,
    /// A list whose items have one of these types, or any type if there are none.
    Array(Vec<Self>),
    /// A mapping.
    Object,
}

/// The values that work for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// One of these strings, or the boolean or number that is written so.
    OneOf(Vec<&'static str>),
    /// An integer from the first to the second, both included.
    Between(i32, i32),
}

/// Major, minor and patch of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release(pub(super) u64, pub(super) u64, pub(super) u64);

/// Ranges of releases, both ends included.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranges(Vec<(Release, Release)>);

impl Table {
    fn parse(keys: &'static str, facts: &'static str) -> Self {
        let mut table = Self::default();
        for line in keys.lines().filter(|line| !line.starts_with('#')) {
            match *line.split('\t').collect::<Vec<_>>() {
                ["@charts", charts] => table.charts.extend(charts.split(' ').map(Release::parse)),
                ["key", ..] => {}
                [key, versions, open, types, allowed] => {
                    let node = table.root.at(&split(key));
                    node.versions = Ranges::parse(versions);
                    node.open = Ranges::parse(open);
                    node.types = by_range(types)
                        .map(|(range, types)| (range, types.split(',').map(Type::parse).collect()))
                        .collect();
                    node.allowed = by_range(allowed)
                        .map(|(range, allowed)| (range, Allowed::parse(allowed)))
                        .collect();
                }
                _ => unreadable(line),
            }
        }
        for line in facts.lines().filter(|line| !line.starts_with('#')) {
            match *line.split('\t').collect::<Vec<_>>() {
                ["key", ..] => {}
                [key, versions, verdict, value, help, _source] => {
                    table.add(&split(key), versions, Verdict::parse(verdict), value, help);
                }
                _ => unreadable(line),
            }
        }
        table
    }

    fn add(
        &mut self,
        path: &[String],
        versions: &str,
        verdict: Verdict,
        value: &'static str,
        help: &'static str,
    ) {
        let versions = Ranges::parse(versions);
        if matches!(verdict, Verdict::Known | Verdict::Deprecated) {
            for end in 1..=path.len() {
                self.root.at(&path[..end]).versions.0.extend(&versions.0);
            }
        }
        let node = self.root.at(path);
        let mut replacement = Vec::new();
        if verdict == Verdict::Allowed {
            node.allowed.insert(0, (versions.clone(), Allowed::parse(value)));
        } else if value != "-" {
            replacement = value.split(',').collect();
        }
        node.facts.push(Fact { versions, verdict, replacement, help });
    }
}

impl Node {
    fn at(&mut self, path: &[String]) -> &mut Self {
        path.iter().fold(self, |node, name| node.children.entry(name.clone()).or_default())
    }

    /// The key below this one: by its own name, or the one that takes any name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.get(name).or_else(|| self.children.get("*"))
    }

    /// What the table says of this key in that chart, if it says that.
    pub(super) fn fact(&self, chart: Release, wanted: &[Verdict]) -> Option<&Fact> {
        self.facts.iter().find(|f| wanted.contains(&f.verdict) && f.versions.contain(chart))
    }

    /// Whether the table says anything of a key below this one in that chart.
    pub(super) fn has_facts_below(&self, chart: Release) -> bool {
        self.children.values().any(|child| {
            child.facts.iter().any(|fact| fact.versions.contain(chart))
                || child.has_facts_below(chart)
        })
    }

    /// The first chart after that one which has the key.
    pub(super) fn begins_after(&self, chart: Release) -> Option<Release> {
        self.versions.0.iter().map(|range| range.0).filter(|&first| first > chart).min()
    }

    /// The end of the last range before that chart in which charts have the key.
    pub(super) fn ends_before(&self, chart: Release) -> Option<Release> {
        self.versions.0.iter().map(|range| range.1).filter(|&last| last < chart).max()
    }
}

impl Fact {
    /// What to do, as an imperative.
    pub(super) fn advice(&self) -> String {
        match &*self.replacement {
            _ if self.help != "-" => self.help.to_owned(),
            [] => "remove it".to_owned(),
            keys => format!("write `{}`", keys.join("` or `")),
        }
    }

    /// The remark that goes with the allowed values, if there is one.
    pub(super) fn remark(&self) -> Option<&'static str> {
        (self.help != "-").then_some(self.help)
    }
}

impl Verdict {
    pub(super) const REMOVED: [Self; 2] = [Self::Refused, Self::Ignored];

    fn parse(text: &str) -> Self {
        match text {
            "allowed" => Self::Allowed,
            "refused" => Self::Refused,
            "ignored" => Self::Ignored,
            "deprecated" => Self::Deprecated,
            "absent" => Self::Absent,
            "known" => Self::Known,
            _ => unreadable(text),
        }
    }
}

impl Type {
    fn parse(text: &str) -> Self {
        match text {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array(Vec::new()),
            "object" => Self::Object,
            _ => {
                let items = text.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>'));
                let Some(items) = items else { unreadable(text) };
                Self::Array(items.split('|').map(Self::parse).collect())
            }
        }
    }

    /// Whether a value of this type has values inside.
    pub(super) const fn nests(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object)
    }
}

impl Allowed {
    fn parse(text: &'static str) -> Self {
        if let Some((low, high)) = text.split_once("..")
            && let (Ok(low), Ok(high)) = (low.parse(), high.parse())
        {
            return Self::Between(low, high);
        }
        Self::OneOf(text.split(',').map(|value| if value == "\"\"" { "" } else { value }).collect())
    }
}

impl Release {
    pub(super) const fn version(self) -> Version {
        Version::new(self.0, self.1, self.2)
    }

    fn parse(text: &str) -> Self {
        Self::bound(text, 0)
    }

    /// `1.19.2`, or `1.19` for the patch that is given.
    fn bound(text: &str, patch: u64) -> Self {
        let parts = text.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>();
        match parts.as_deref() {
            Some(&[major, minor]) => Self(major, minor, patch),
            Some(&[major, minor, patch]) => Self(major, minor, patch),
            _ => unreadable(text),
        }
    }
}

impl Ranges {
    fn parse(text: &str) -> Self {
        let all = (Release(0, 0, 0), Release(u64::MAX, u64::MAX, u64::MAX));
        match text {
            "-" => Self::default(),
            "*" => Self(vec![all]),
            _ => Self(text.split(',').map(|range| Self::range(range, all)).collect()),
        }
    }

    fn range(text: &str, all: (Release, Release)) -> (Release, Release) {
        let Some((first, last)) = text.split_once("..") else { unreadable(text) };
        let first = if first.is_empty() { all.0 } else { Release::bound(first, 0) };
        let last = if last.is_empty() { all.1 } else { Release::bound(last, u64::MAX) };
        (first, last)
    }

    pub(super) fn contain(&self, chart: Release) -> bool {
        self.0.iter().any(|&(first, last)| first <= chart && chart <= last)
    }
}

/// The parts of a path that is written as Helm's `--set` does: `\.` is a dot inside a name.
pub(super) fn split(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '.' => names.push(String::new()),
            '\\' => names.last_mut().into_iter().for_each(|name| name.extend(chars.next())),
            _ => names.last_mut().into_iter().for_each(|name| name.push(c)),
        }
    }
    names
}

/// The inverse of [`split`].
pub(super) fn join<S: AsRef<str>>(path: &[S]) -> String {
    let names = path.iter().map(|name| name.as_ref().replace('.', "\\."));
    names.collect::<Vec<_>>().join(".")
}

/// `VALUE` for all charts, `RANGE=VALUE RANGE=VALUE`, or `-` for nothing.
fn by_range(text: &'static str) -> impl Iterator<Item = (Ranges, &'static str)> {
    text.split(' ').filter(|part| *part != "-").map(|part| match part.split_once('=') {
        Some((range, value)) => (Ranges::parse(range), value),
        None => (Ranges::parse("*"), part),
    })
}

fn unreadable(text: &str) -> ! {
    panic!("internal error: schemas/cilium can't be read at {text:?}")
}
