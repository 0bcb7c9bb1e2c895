//! Defaults of the chart that change from one minor to the next: `schemas/cilium/defaults.tsv`.

use std::sync::LazyLock;

use serde_json::Value;

use super::{Chart, table};

/// The table. Its file is part of the program: a line that can't be read is the program's mistake.
static CHANGES: LazyLock<Vec<ChangedDefault>> = LazyLock::new(|| {
    let text = include_str!("../../schemas/cilium/defaults.tsv");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("key\t"));
    lines.map(read).collect()
});

/// A key whose default the chart of a minor changed.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedDefault {
    /// The key as a dotted path.
    pub key: &'static str,
    /// The minor that changed it.
    pub since: (u64, u64),
    /// The default until then.
    pub before: Value,
    /// The default from then on.
    pub after: Value,
    /// What that does, as a phrase, where it is known.
    pub consequence: Option<&'static str>,
}

fn read(line: &'static str) -> ChangedDefault {
    let read = || {
        let [key, since, before, after, consequence] =
            *line.split('\t').collect::<Vec<_>>().as_slice()
        else {
            return None;
        };
        let (major, minor) = since.split_once('.')?;
        Some(ChangedDefault {
            key,
            since: (major.parse().ok()?, minor.parse().ok()?),
            before: serde_json::from_str(before).ok()?,
            after: serde_json::from_str(after).ok()?,
            consequence: (consequence != "-").then_some(consequence),
        })
    };
    read().unwrap_or_else(|| panic!("internal error: schemas/cilium can't be read at {line:?}"))
}

impl Chart {
    /// The defaults that change on the way from this chart to a newer one, in the table's order:
    /// by minor, then by key.
    pub fn changed_defaults(&self, newer: &Self) -> impl Iterator<Item = &'static ChangedDefault> {
        let minor = |chart: &Self| (chart.version.major, chart.version.minor);
        let (old, new) = (minor(self), minor(newer));
        CHANGES.iter().filter(move |change| old < change.since && change.since <= new)
    }
}

impl ChangedDefault {
    /// Whether values say something of the key, or of one above or below it.
    pub fn is_said(&self, values: &Value) -> bool {
        let mut value = values;
        for name in table::split(self.key) {
            match value {
                Value::Object(map) => match map.get(&name) {
                    Some(below) => value = below,
                    None => return false,
                },
                _ => return true,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;
    use serde_json::json;

    use super::*;

    /// The newest chart of a minor.
    fn chart(major: u64, minor: u64) -> Chart {
        Chart::of(&Version::new(major, minor, u64::MAX)).expect("a chart of the table")
    }

    #[test]
    fn every_line_is_about_a_key_that_both_charts_have() {
        for change in CHANGES.iter() {
            let (major, minor) = change.since;
            assert!(chart(major, minor).has(change.key), "{change:?}");
            assert!(chart(major, minor - 1).has(change.key), "{change:?}");
            assert_ne!(change.before, change.after, "{change:?}");
        }
    }

    #[test]
    fn defaults_change_on_the_way_up_only() {
        let keys = |old: (u64, u64), new: (u64, u64)| {
            let (old, new) = (chart(old.0, old.1), chart(new.0, new.1));
            old.changed_defaults(&new).map(|change| change.key).collect::<Vec<_>>()
        };
        assert_eq!(keys((1, 19), (1, 20)), ["clustermesh.apiserver.tls.auto.certValidityDuration"]);
        assert_eq!(keys((1, 20), (1, 19)), [""; 0]);
        assert!(keys((1, 18), (1, 20)).contains(&"clustermesh.policyDefaultLocalCluster"));
    }

    #[test]
    fn what_the_values_say_is_no_default() {
        let change = CHANGES.iter().find(|change| change.key == "authentication.enabled").unwrap();
        assert!(change.is_said(&json!({"authentication": {"enabled": false}})));
        assert!(change.is_said(&json!({"authentication": null})), "what is above it is deleted");
        assert!(!change.is_said(&json!({"authentication": {"mutual": {}}})));
    }
}
