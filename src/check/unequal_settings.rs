//! Settings that must be equal over the mesh and differ by the Helm values of its members.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a setting that every member of the mesh must have alike, that the topology does not
    /// declare, and in which members differ because `ciliumValues` of some of them say so: the
    /// port and the addresses of the tunnel, whether the Multi-Cluster Services API is used, what
    /// a policy without a cluster means (`policyDefaultLocalCluster`), and the way in which clusters
    /// authenticate to each other. What contradicts a declaration is LB2013.
    ///
    /// ## Why it matters
    /// Nodes of all clusters talk to each other: a packet to another tunnel port is lost. A policy
    /// that means its own cluster here and every cluster there opens what the author closed.
    /// Source: Cilium, "Setting up Cluster Mesh", Prepare the Clusters; the chart's comments on
    /// `tunnelPort`, `underlayProtocol` and `clustermesh.apiserver.tls.authMode`.
    ///
    /// ## Example
    /// ```yaml
    /// # one of two clusters
    /// ciliumValues: {tunnelPort: 8473}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh:
    ///   ciliumValues: {tunnelPort: 8473}
    /// ```
    pub static UNEQUAL_SETTINGS = { code: "LB2027", name: "unequal-settings", summary: "a setting in which members of the mesh differ", severity: Error };
}

/// A setting.
struct Setting {
    /// Its keys; later charts have renamed it.
    keys: &'static [&'static str],
    /// What a chart makes of it that nobody told, by its minor.
    default: fn(u64) -> Json,
    /// Which of its values work beside each other: equal ones do.
    together: fn(&Json, &Json) -> bool,
    /// What follows.
    why: &'static str,
}

/// The settings. Sources of the defaults: `values.yaml` of the charts 1.16 to 1.20.
static SETTINGS: &[Setting] = &[
    Setting {
        keys: &["tunnelPort"],
        default: |_| json!(0),
        together: |_, _| false,
        why: "nodes send to the port that they listen on themselves",
    },
    Setting {
        keys: &["underlayProtocol"],
        default: |_| json!(""),
        // Left to itself it is IPv4.
        together: |a, b| [a, b].iter().all(|value| matches!(value.as_str(), Some("" | "ipv4"))),
        why: "one end of the tunnel has no address of the other's family",
    },
    Setting {
        keys: &["clustermesh.mcsapi.enabled", "clustermesh.enableMCSAPISupport"],
        default: |_| json!(false),
        together: |_, _| false,
        why: "services are exported that some clusters never import",
    },
    Setting {
        keys: &["clustermesh.policyDefaultLocalCluster"],
        default: |minor| json!(minor >= 19),
        together: |_, _| false,
        why: "a policy without a cluster selects its own pods here, and those of all clusters there",
    },
    Setting {
        keys: &["clustermesh.apiserver.tls.authMode"],
        default: |minor| json!(if minor >= 19 { "migration" } else { "legacy" }),
        // Each understands its neighbour: legacy, migration, cluster.
        together: |a, b| a == "migration" || b == "migration",
        why: "a cluster with `cluster` does not know the common user name of one with `legacy`",
    },
];

/// Reports each setting once, at the first cluster that differs from the first of all.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let members: Vec<_> = topology.clusters.iter().filter(|cluster| cluster.in_mesh).collect();
    for setting in SETTINGS {
        if topology.mesh.mcs && setting.keys[0].contains("mcsapi") {
            continue;
        }
        if let Some(finding) = differing(&members, setting) {
            found.push(finding);
        }
    }
}

/// A value, where it is said, and a cluster that has it.
type Found<'a> = (Json, Option<Span>, &'a Cluster);

fn differing(members: &[&Cluster], setting: &Setting) -> Option<Diagnostic> {
    let mut values: BTreeMap<String, (Found<'_>, usize)> = BTreeMap::new();
    for cluster in members {
        let said = setting.keys.iter().find_map(|key| cluster.said(key));
        let said = said.filter(|(_, value)| !value.is_null());
        let (value, span) = match said {
            Some((span, value)) => (value, Some(span)),
            None => ((setting.default)(cluster.cilium.minor), None),
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let entry = values.entry(text).or_insert(((value, span, *cluster), 0));
        entry.1 += 1;
        // A place where it is written is worth more than one where it is not.
        entry.0.1 = entry.0.1.or(span);
    }
    let mut values: Vec<_> = values.into_iter().collect();
    // The rarest that somebody wrote is the odd one.
    values.sort_by_key(|(_, ((_, span, _), count))| (span.is_none(), *count, *span));
    let (text, ((value, span, cluster), _)) = values.first()?;
    let place = (*span)?;
    let wrong = |(_, ((other, ..), _)): &&(String, (Found<'_>, usize))| {
        other != value && !(setting.together)(value, other)
    };
    let (other_text, ((_, other_span, other), count)) = values.iter().find(wrong)?;
    let key = setting.keys[0];
    let message = format!("`{key}` is `{text}` here and `{other_text}` in `{}`", other.name.value);
    let finding = Diagnostic::new(&UNEQUAL_SETTINGS, place, message)
        .label(format!("for cluster `{}`", cluster.name.value))
        .related(other_span.unwrap_or(other.name.span), format!("`{other_text}`"))
        .note(setting.why)
        .help("write it once, in `ciliumValues` of the mesh");
    let more = count - 1;
    Some(if more == 0 {
        finding
    } else {
        finding.note(format!("{more} more clusters have `{other_text}`"))
    })
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// The findings where the two clusters have these values and charts.
    fn with(one: (&str, &str), two: (&str, &str)) -> Vec<String> {
        let own = |(cilium, values): (&str, &str)| {
            format!("  versions: {{cilium: {cilium}}}\n  ciliumValues: {values}\n")
        };
        let text = TWO_CLUSTERS
            .replacen("mcs: true", "mcs: false", 1)
            .replacen("export: true", "export: false", 1)
            .replacen("  id: 1\n", &format!("  id: 1\n{}", own(one)), 1)
            .replacen("  id: 2\n", &format!("  id: 2\n{}", own(two)), 1);
        let found = resolved(&text).1.into_iter().filter(|line| !line.contains(" LB3"));
        found.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    const NEW: &str = "1.20.2";
    const LATE: &str = "1.19.6";
    const OLD: &str = "1.18.12";

    #[test]
    fn members_differ_by_what_one_of_them_says() {
        for (values, expected) in [
            ("{tunnelPort: 8473}", "`tunnelPort` is `8473` here and `0` in `euw1`"),
            ("{underlayProtocol: ipv6}", "`underlayProtocol` is `ipv6` here and `` in `euw1`"),
            (
                "{clustermesh: {mcsapi: {enabled: true}}}",
                "`clustermesh.mcsapi.enabled` is `true` here and `false` in `euw1`",
            ),
            (
                "{clustermesh: {policyDefaultLocalCluster: false}}",
                "`clustermesh.policyDefaultLocalCluster` is `false` here and `true` in `euw1`",
            ),
        ] {
            assert_eq!(with((NEW, values), (NEW, "{}")), [format!("LB2027 {expected}")]);
            assert_eq!(with((NEW, values), (NEW, values)), [""; 0], "{values}");
        }
    }

    #[test]
    fn what_nobody_says_is_the_chart_s_own() {
        let local = |value| format!("{{clustermesh: {{policyDefaultLocalCluster: {value}}}}}");
        assert_eq!(with((OLD, "{}"), (LATE, "{}")), [""; 0], "an upgrade on its way");
        assert_eq!(with((OLD, &local(true)), (LATE, "{}")), [""; 0]);
        assert_eq!(with((OLD, &local(false)), (LATE, "{}")).len(), 1);
        assert_eq!(with((NEW, "{underlayProtocol: ipv4}"), (NEW, "{}")), [""; 0]);
    }

    #[test]
    fn neighbours_on_the_way_to_another_authentication_work() {
        let mode = |mode| format!("{{clustermesh: {{apiserver: {{tls: {{authMode: {mode}}}}}}}}}");
        assert_eq!(with((LATE, &mode("cluster")), (LATE, "{}")), [""; 0]);
        assert_eq!(with((OLD, &mode("migration")), (OLD, "{}")), [""; 0]);
        assert_eq!(with((LATE, &mode("cluster")), (OLD, "{}")).len(), 1);
    }
}
