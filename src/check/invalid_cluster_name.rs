//! A cluster name that Cilium refuses.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;
use crate::yaml::scalar::{Resolved, go};

declare_rules! {
    /// ## What it does
    /// Reports a cluster name longer than 32 characters, the name `default`, and a name that YAML
    /// reads as something else than text: `no`, `on`, `7`, `1e3`. Names in a list of
    /// `clustermesh.config.clusters` of one's own count too.
    ///
    /// ## Why it matters
    /// Cilium takes names of 1 to 32 lower-case letters, digits and `-`; a DNS label of 63 is not
    /// short enough. `default` is refused for a cluster with an id. Source: the chart's
    /// `templates/validate.yaml` and the agents from 1.17 on.
    ///
    /// The chart writes the name without quotes into `cilium-config` (1.16 and 1.17), the settings
    /// of Hubble's relay and the list of clusters: `no` becomes `false` there, and the API server
    /// refuses the object.
    ///
    /// ## Example
    /// ```yaml
    /// metadata: {name: payments-production-us-east-1-blue}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// metadata: {name: payments-prod-use1-blue}
    /// ```
    pub static INVALID_CLUSTER_NAME = { code: "LB2004", name: "invalid-cluster-name", summary: "a cluster name that Cilium refuses", severity: Error };
}

/// Reports names that are too long, reserved, or no text.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for cluster in &topology.clusters {
        let name = &cluster.name;
        let (message, help) = if name.value.len() > 32 {
            let length = name.value.len();
            (
                format!("the cluster name `{}` is {length} characters long", name.value),
                "use at most 32",
            )
        } else if name.value == "default" && cluster.id.value != 0 {
            ("a cluster with an id cannot be called `default`".to_owned(), "give it another name")
        } else if go(&name.value) != Resolved::Text {
            (
                format!("YAML does not read the cluster name `{}` as text", name.value),
                "use a name that YAML reads as text, such as one with a `-` and a letter",
            )
        } else {
            continue;
        };
        found.push(Diagnostic::new(&INVALID_CLUSTER_NAME, name.span, message).help(help));
    }
    listed(topology, found);
}

/// Reports names in lists of one's own, each list once. The chart renders them, and agents from
/// 1.17 on refuse them. Source: `ValidateClusterName` in pkg/clustermesh/types/types.go.
fn listed(topology: &Topology, found: &mut Diagnostics) {
    let mut seen = BTreeSet::new();
    for cluster in topology.clusters.iter().filter(|cluster| cluster.in_mesh) {
        let Some((span, list)) = cluster.said("clustermesh.config.clusters") else { continue };
        let names: Vec<String> = match list {
            Json::Array(items) => {
                items.iter().filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
            }
            Json::Object(map) => map.into_iter().map(|(name, _)| name).collect(),
            _ => continue,
        };
        let Some(name) = names.iter().find(|name| !is_name(name)) else { continue };
        if seen.insert(span) {
            let message = format!("no cluster can be called `{}`", name.escape_debug());
            found.push(
                Diagnostic::new(&INVALID_CLUSTER_NAME, span, message).help(
                    "use 1 to 32 lower-case letters, digits and `-`, with no `-` at either end",
                ),
            );
        }
    }
}

fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let edges = name.starts_with('-') || name.ends_with('-');
    (1..=32).contains(&name.len()) && name.bytes().all(inner) && !edges
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    #[test]
    fn a_name_is_text_to_the_charts_templates() {
        for name in ["no", "7", "1e3", "0x10", "null"] {
            let text = TWO_CLUSTERS
                .replace("metadata: {name: use1}", &format!("metadata: {{name: \"{name}\"}}"))
                .replace("clusters: [use1, euw1]", &format!("clusters: [\"{name}\", euw1]"));
            let (_, found) = resolved(&text);
            let expected = format!("LB2004 YAML does not read the cluster name `{name}` as text");
            let found: Vec<_> = found.iter().filter_map(|line| line.split_once(' ')).collect();
            assert!(found.iter().all(|(_, finding)| *finding == expected), "{found:#?}");
            assert_eq!(found.len(), 1, "{name}");
        }
    }
}
