//! Which key was meant by one that no chart knows.

use super::table::{self, Node, TABLE, Verdict};
use super::{Chart, Release};

/// Longer names are not compared: the work grows with the square of their length.
const MAX_LENGTH: usize = 200;

/// The key of this chart that was probably meant: `parent` (at the path `at`) has no child `rest[0]`.
///
/// Keys beside it come first, then a key of the same name elsewhere, then the likest path.
pub(super) fn nearest<S: AsRef<str>>(
    chart: &Chart,
    parent: &'static Node,
    at: &[S],
    rest: &[S],
) -> Option<String> {
    let at: Vec<&str> = at.iter().map(AsRef::as_ref).collect();
    let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
    let name = *rest.first()?;
    if at.iter().chain(&rest).map(|name| name.len()).sum::<usize>() > MAX_LENGTH {
        return None;
    }
    let siblings = parent.children.iter().filter(|(_, child)| has(child, chart.known));
    if let Some(sibling) = likest(name, siblings.map(|(sibling, _)| sibling.as_str())) {
        let whole = table::join(&[&at[..], &[sibling], &rest[1..]].concat());
        let part = || table::join(&[&at[..], &[sibling]].concat());
        return Some(if chart.has(&whole) { whole } else { part() });
    }
    let mut paths = Vec::new();
    collect(&TABLE.root, chart.known, &mut Vec::new(), &mut paths);
    let last = plain(rest.last()?);
    let same: Vec<_> =
        paths.iter().filter(|path| path.last().is_some_and(|n| plain(n) == last)).collect();
    if let [only] = *same {
        return Some(table::join(only));
    }
    let written = table::join(&[at, rest].concat());
    let likeness =
        |path: &str| strsim::normalized_damerau_levenshtein(&plain(&written), &plain(path));
    let paths = paths.iter().map(|path| table::join(path));
    let ranked = paths.map(|path| (likeness(&path), path)).filter(|(likeness, _)| *likeness > 0.8);
    ranked.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, path)| path)
}

/// The name most like the one that is written, if any is like enough.
fn likest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = plain(written);
    let ranked = names.filter_map(|name| {
        let plain = plain(name);
        let shorter = plain.len().min(written.len());
        let extends = shorter > 3 && (plain.starts_with(&written) || written.starts_with(&plain));
        let distance = strsim::osa_distance(&written, &plain);
        (extends || distance <= (written.len() / 4).max(1)).then_some((distance, name))
    });
    ranked.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// A name without case and separators, which are what people most often get wrong.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

fn has(node: &Node, chart: Release) -> bool {
    node.versions.contain(chart) && node.fact(chart, &Verdict::REMOVED).is_none()
}

fn collect<'a>(
    node: &'a Node,
    chart: Release,
    at: &mut Vec<&'a str>,
    paths: &mut Vec<Vec<&'a str>>,
) {
    for (name, child) in
        node.children.iter().filter(|(name, child)| *name != "*" && has(child, chart))
    {
        at.push(name);
        paths.push(at.clone());
        collect(child, chart, at, paths);
        at.pop();
    }
}
