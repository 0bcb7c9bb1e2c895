//! A value that contradicts what the topology declares.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::invariant::{Invariant, invariants, missing_peers};
use super::wrong_helm_value::{encryption_without_type, eni_mode_alone};
use crate::chart::Chart;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::{Cluster, ClusterId, Topology};

/// The list of the other clusters' endpoints.
const PEERS: &str = "clustermesh.config.clusters";

declare_rules! {
    /// ## What it does
    /// Reports a key of `ciliumValues` that contradicts what the topology declares of the mesh:
    /// name and id, `maxConnectedClusters`, routing, encryption, pod ranges and the IPAM mode,
    /// the endpoints of the other clusters, the discovery of services, the way certificates are
    /// made. A value that is equal to the declared one is fine.
    ///
    /// ## Why it matters
    /// These settings must fit together over all clusters. Everything else that is generated and
    /// proved (addresses that do not overlap, policies, the other clusters' values) follows from
    /// the declaration, and would be about another mesh than the one that runs.
    ///
    /// ## Example
    /// ```yaml
    /// ciliumValues:
    ///   routingMode: native
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh:
    ///   routing: {mode: native, nativeRoutingCIDR: 100.64.0.0/10}
    /// ```
    pub static OVERRIDDEN_INVARIANT = { code: "LB2013", name: "overridden-invariant", summary: "a Helm value that contradicts the topology", severity: Error };
}

/// Reports overrides that differ from what is declared, each place once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut findings: BTreeMap<Span, (Diagnostic, usize)> = BTreeMap::new();
    for (id, cluster) in topology.clusters().filter(|(_, cluster)| !cluster.values.is_empty()) {
        let Some(chart) = Chart::of(&cluster.cilium) else { continue };
        for finding in contradictions(topology, id, cluster, &chart) {
            let place = finding.primary.span;
            findings.entry(place).and_modify(|(_, more)| *more += 1).or_insert((finding, 0));
        }
    }
    for (finding, more) in findings.into_values() {
        found.push(match more {
            0 => finding,
            1 => finding.note("1 more cluster inherits it"),
            more => finding.note(format!("{more} more clusters inherit it")),
        });
    }
}

fn contradictions(
    topology: &Topology,
    id: ClusterId,
    cluster: &Cluster,
    chart: &Chart,
) -> Vec<Diagnostic> {
    // What is reported as a value that cannot work is not reported again.
    let reported = [encryption_without_type(topology, cluster), eni_mode_alone(cluster)];
    let mut findings = Vec::new();
    for invariant in invariants(topology, cluster) {
        let Some((key, value)) = cluster.said(invariant.key) else { continue };
        let broken = !same(&value, &invariant.declared)
            && !reported.contains(&Some(key))
            && chart.check_within(&at(invariant.key, &value), &mut 0).is_empty();
        if broken {
            findings.push(contradiction(&invariant, key, &value, cluster));
        }
    }
    if cluster.in_mesh
        && let Some((key, value)) = cluster.said(PEERS)
        && let missing = missing_peers(topology, id, &value)
        && !missing.is_empty()
    {
        let named = missing.iter().take(3).map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let more = missing.len() - named.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let message = format!("`{PEERS}` leaves out {}{more}", named.join(", "));
        findings.push(
            Diagnostic::new(&OVERRIDDEN_INVARIANT, key, message)
                .label("replaces the list that is made from the topology")
                .related(cluster.name.span, "the cluster that would not find them")
                .help("remove it, and declare `clustermesh.endpoint` of each cluster"),
        );
    }
    findings
}

fn contradiction(invariant: &Invariant, key: Span, value: &Json, cluster: &Cluster) -> Diagnostic {
    let message = match value {
        Json::Null => format!("this deletes `{}`, which the topology declares", invariant.key),
        _ => format!("`{}` contradicts the topology", invariant.key),
    };
    let declared = shown(&invariant.declared);
    let finding = Diagnostic::new(&OVERRIDDEN_INVARIANT, key, message)
        .label(format!("is {declared} for cluster `{}`", cluster.name.value))
        .help(format!("remove it; if it is meant, change {} instead", invariant.source));
    match invariant.span {
        Some(span) => finding.related(span, "what it follows from"),
        None => finding,
    }
}

/// Whether the chart makes the same of both: it writes all of them into a ConfigMap as text, a
/// list with spaces between.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Array(_), Json::Array(_) | Json::String(_)) | (Json::String(_), Json::Array(_)) => {
            words(a) == words(b)
        }
        (Json::Object(_), _) | (_, Json::Object(_)) => a == b,
        _ => text(a) == text(b),
    }
}

fn words(value: &Json) -> Vec<String> {
    let mut words: Vec<String> = match value {
        Json::Array(items) => items.iter().map(text).collect(),
        other => text(other).split_whitespace().map(str::to_owned).collect(),
    };
    words.sort_unstable();
    words
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &Json) -> String {
    match value {
        Json::Object(_) => "another".to_owned(),
        other => format!("`{}`", words(other).join(", ")),
    }
}

/// A tree with one value.
fn at(key: &str, value: &Json) -> Json {
    key.rsplit('.').fold(value.clone(), |tree, name| json!({name: tree}))
}
