//! Which Helm values stop working, begin to work, or change their default.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::Value as Json;

use crate::chart::{Chart, Problem, ProblemKind};
use crate::source::Span;
use crate::topology::{Cluster, ClusterId};
use crate::yaml::{Node, Value};

/// Longest text of a value that is kept, in characters.
const SHOWN: usize = 60;

/// What becomes of a Helm value under another chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueChange {
    /// The clusters that have it.
    pub clusters: Vec<ClusterId>,
    /// The key as a dotted path.
    pub key: String,
    /// Where the team wrote it; nothing for what compile writes and for what nobody writes.
    pub span: Option<Span>,
    /// What becomes of it.
    pub sort: ValueSort,
    /// What becomes of it, as a phrase.
    pub message: String,
    /// What to do about it, as an imperative.
    pub help: Option<String>,
}

/// What may become of a Helm value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueSort {
    /// Rendering the chart fails on it.
    Refused,
    /// The chart ignores it.
    Ignored,
    /// The chart no longer takes what it is.
    Invalid,
    /// The chart ignored it and no longer does.
    BeginsToWork,
    /// Nobody writes it, and the chart's default is another one.
    Default,
    /// It works, and is on its way out.
    Deprecated,
    /// Compile writes it otherwise for the new chart.
    Rewritten,
}

impl ValueSort {
    /// A word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Ignored => "ignored",
            Self::Invalid => "invalid",
            Self::BeginsToWork => "begins-to-work",
            Self::Default => "default",
            Self::Deprecated => "deprecated",
            Self::Rewritten => "rewritten",
        }
    }

    /// Whether something stops working. What compile writes is written anew with the chart.
    pub const fn breaks(self) -> bool {
        matches!(self, Self::Refused | Self::Ignored | Self::Invalid)
    }

    fn of(problem: &Problem) -> Self {
        match problem.kind {
            ProblemKind::Refused => Self::Refused,
            ProblemKind::Unknown | ProblemKind::Removed | ProblemKind::NotYet => Self::Ignored,
            ProblemKind::WrongType | ProblemKind::NotAllowed => Self::Invalid,
            ProblemKind::Deprecated => Self::Deprecated,
        }
    }
}

/// A cluster's values under two charts, each as compile writes them.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    /// The cluster.
    pub id: ClusterId,
    /// The cluster, for the layers of its own values.
    pub cluster: &'a Cluster,
    /// The versions of the charts.
    pub versions: (&'a Version, &'a Version),
    /// What compile writes for the old one.
    pub before: Json,
    /// What compile writes for the new one.
    pub after: Json,
}

/// What becomes of the values of clusters: one change for what is the same in several of them.
pub fn compare(clusters: &[Values<'_>]) -> Vec<ValueChange> {
    let mut changes: BTreeMap<(ValueSort, String, Option<Span>, String), ValueChange> =
        BTreeMap::new();
    for values in clusters {
        for change in of(values) {
            let key = (change.sort, change.key.clone(), change.span, change.message.clone());
            let known =
                changes.entry(key).or_insert(ValueChange { clusters: Vec::new(), ..change });
            known.clusters.push(values.id);
        }
    }
    changes.into_values().collect()
}

fn of(values: &Values<'_>) -> Vec<ValueChange> {
    let (before, after) = values.versions;
    let (Some(old), Some(new)) = (Chart::of(before), Chart::of(after)) else { return Vec::new() };
    let known = |chart: &Chart, tree: &Json| {
        let mut problems = chart.check_within(tree, &mut 0);
        problems.extend(chart.deprecated(tree));
        problems
    };
    let (old_problems, new_problems) = (known(&old, &values.before), known(&new, &values.before));
    let of = |problems: &[Problem]| -> BTreeSet<(Vec<String>, ValueSort)> {
        problems.iter().map(|one| (one.path.clone(), ValueSort::of(one))).collect()
    };
    let (was, is) = (of(&old_problems), of(&new_problems));
    let mut changes = Vec::new();
    for problem in new_problems {
        let sort = ValueSort::of(&problem);
        // What compile writes by itself follows the chart.
        let Some(span) = place(values.cluster, &problem.path) else { continue };
        if was.contains(&(problem.path.clone(), sort)) {
            continue;
        }
        let (message, help) = (problem.message, problem.help);
        changes.push(change(&problem.path.join("."), Some(span), sort, message, help));
    }
    for problem in &old_problems {
        let sort = ValueSort::of(problem);
        let works = !is.iter().any(|(path, other)| *path == problem.path && other.breaks());
        let Some(span) = place(values.cluster, &problem.path) else { continue };
        if sort.breaks() && works {
            let key = problem.path.join(".");
            let message = format!("the Cilium chart {after} heeds `{key}`: {}", problem.message);
            changes.push(change(&key, Some(span), ValueSort::BeginsToWork, message, None));
        }
    }
    changes.extend(defaults(values, &old, &new));
    changes.extend(rewritten(values));
    changes
}

fn change(
    key: &str,
    span: Option<Span>,
    sort: ValueSort,
    message: String,
    help: Option<String>,
) -> ValueChange {
    ValueChange { clusters: Vec::new(), key: key.to_owned(), span, sort, message, help }
}

/// The defaults that nobody's value stands before.
fn defaults(values: &Values<'_>, old: &Chart, new: &Chart) -> Vec<ValueChange> {
    let unsaid =
        old.changed_defaults(new).filter(|known| !known.is_said(&values.after)).map(|known| {
            let whole = |value: &Json| !value.is_array() && !value.is_object();
            let mut message = format!("`{}` has another default", known.key);
            if whole(&known.before) && whole(&known.after) {
                message = format!("{message}, {} instead of {}", known.after, known.before);
            }
            if let Some(consequence) = known.consequence {
                message = format!("{message}: {consequence}");
            }
            change(known.key, None, ValueSort::Default, message, None)
        });
    unsaid.collect()
}

/// What compile writes otherwise.
fn rewritten(values: &Values<'_>) -> Vec<ValueChange> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    leaves(&values.before, &mut Vec::new(), &mut before);
    leaves(&values.after, &mut Vec::new(), &mut after);
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let written = keys.into_iter().filter_map(|key| {
        let message = match (before.get(key), after.get(key)) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => {
                format!("compile writes `{key}: {}` instead of `{}`", shown(new), shown(old))
            }
            (Some(_), None) => format!("compile no longer writes `{key}`"),
            (None, Some(new)) => format!("compile writes `{key}: {}`", shown(new)),
            (None, None) => return None,
        };
        Some(change(key, None, ValueSort::Rewritten, message, None))
    });
    written.collect()
}

fn leaves<'v>(value: &'v Json, path: &mut Vec<String>, into: &mut BTreeMap<String, &'v Json>) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (name, below) in map {
                path.push(name.replace('.', "\\."));
                leaves(below, path, into);
                path.pop();
            }
        }
        _ => {
            into.insert(path.join("."), value);
        }
    }
}

/// Where the last layer of a cluster's own values has the key of a path.
fn place(cluster: &Cluster, path: &[String]) -> Option<Span> {
    cluster.values.iter().rev().find_map(|layer| {
        let (mut node, mut span): (&Node, Span) = (layer, layer.span);
        for name in path {
            match &node.value {
                Value::Mapping(_) => {
                    let entry = node.entry(name)?;
                    (node, span) = (&entry.value, entry.key_span);
                }
                Value::Sequence(items) => {
                    node = name.parse().ok().and_then(|index: usize| items.get(index))?;
                    span = node.span;
                }
                Value::Scalar(_) => return None,
            }
        }
        Some(span)
    })
}

/// A value for a message.
fn shown(value: &Json) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{self, Index};
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// What becomes of the values of `use1` with these, as `sort key`.
    fn changes(old: &str, new: &str, values: &str) -> Vec<String> {
        let text = TWO_CLUSTERS
            .replacen("  id: 1\n", &format!("  id: 1\n  ciliumValues: {values}\n"), 1)
            .replace("cilium: 1.19.6", &format!("cilium: {old}"));
        let (topology, _) = resolved(&text);
        let topology = topology.expect("a topology");
        let version = Version::parse(new).expect("a version");
        let mut later = topology.clone();
        later.clusters.iter_mut().for_each(|cluster| cluster.cilium.value = version.clone());
        let (id, cluster) = topology.clusters().find(|(_, one)| one.name.value == "use1").unwrap();
        let written =
            |topology| compile::cilium_values(topology, &Index::of(topology), id).expect("a chart");
        let compared = compare(&[Values {
            id,
            cluster,
            versions: (&cluster.cilium, &version),
            before: written(&topology),
            after: written(&later),
        }]);
        assert!(compared.iter().all(|change| change.clusters == [id]));
        compared.iter().map(|change| format!("{} {}", change.sort.name(), change.key)).collect()
    }

    #[test]
    fn the_same_chart_changes_nothing() {
        assert_eq!(changes("1.19.6", "1.19.6", "{tunnel: disabled, nonsense: 1}"), [""; 0]);
    }

    #[test]
    fn keys_go_and_come() {
        let strict = "{encryption: {strictMode: {enabled: true, cidr: 100.64.0.0/16}}}";
        let found = changes("1.19.6", "1.20.2", strict);
        assert!(found.contains(&"ignored encryption.strictMode.enabled".to_owned()), "{found:?}");
        assert!(found.contains(&"ignored encryption.strictMode.cidr".to_owned()), "{found:?}");
        let found = changes("1.18.12", "1.19.6", strict);
        assert!(
            found.contains(&"deprecated encryption.strictMode.enabled".to_owned()),
            "{found:?}"
        );
        let local = "{clustermesh: {policyDefaultLocalCluster: true}}";
        let found = changes("1.17.18", "1.18.12", local);
        let key = "begins-to-work clustermesh.policyDefaultLocalCluster".to_owned();
        assert!(found.contains(&key), "{found:?}");
        let found = changes("1.18.12", "1.19.6", local);
        assert!(!found.iter().any(|one| one.ends_with("policyDefaultLocalCluster")), "{found:?}");
    }

    #[test]
    fn defaults_count_where_nobody_writes_the_key() {
        let key = "default authentication.enabled".to_owned();
        assert!(changes("1.18.12", "1.19.6", "{}").contains(&key));
        let said = "{authentication: {enabled: true}}";
        assert!(!changes("1.18.12", "1.19.6", said).contains(&key));
    }

    #[test]
    fn compile_follows_the_chart() {
        let found = changes("1.18.12", "1.19.6", "{}");
        assert!(found.contains(&"rewritten clustermesh.mcsapi.enabled".to_owned()), "{found:?}");
        assert!(
            !found.iter().any(|one| one.starts_with("ignored")),
            "what compile writes is not the team's: {found:?}"
        );
    }
}
