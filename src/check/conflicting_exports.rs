//! Exports of one service that differ from cluster to cluster.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::written::{self, Copy, Name};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{ClusterSet, Topology};
use crate::yaml::Node;
use crate::yaml::json::json as read;

declare_rules! {
    /// ## What it does
    /// Reports hand-written Services that several clusters export under one name and that differ in
    /// their ports, in whether they are headless, in their session affinity, or in
    /// `internalTrafficPolicy` or `trafficDistribution`. Target ports may differ.
    ///
    /// ## Why it matters
    /// There is one import for all of them. What they disagree about is taken from the oldest
    /// export: which one that is changes when a cluster is built anew. The others have the condition
    /// `Conflict`, and callers of a port that the oldest lacks get no answer. Source: KEP-1645,
    /// "Conflict Resolution"; Cilium 1.19 and later report ports that differ.
    ///
    /// ## Example
    /// ```yaml
    /// spec: {ports: [{name: http, port: 8080}]}         # in euw1, and port 80 in use1
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
    /// ```
    pub static CONFLICTING_EXPORTS = { code: "LB2045", name: "conflicting-exports", summary: "exports of one service that differ from cluster to cluster", severity: Warning };
}

/// Reports each name once, with the first difference.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let exported = exported(topology);
    for (name, copies) in written::objects(topology, "", "Service") {
        let Some(clusters) = exported.get(&name) else { continue };
        let mut copies = copies.iter().filter(|copy| !copy.clusters.and(clusters).is_empty());
        let Some(first) = copies.next() else { continue };
        let Some((other, (what, span))) =
            copies.find_map(|other| Some((other, difference(first, other)?)))
        else {
            continue;
        };
        let message = format!(
            "{} is exported from {} and from {} with {what} that differ",
            other.object.describe(),
            written::names(topology, &other.clusters),
            written::names(topology, &first.clusters),
        );
        found.push(
            Diagnostic::new(&CONFLICTING_EXPORTS, span, message)
                .related(first.object.name.span, "the other")
                .help("make the two the same"),
        );
    }
}

/// The clusters from which each service is exported.
fn exported(topology: &Topology) -> BTreeMap<Name<'_>, ClusterSet> {
    let mut all: BTreeMap<Name<'_>, ClusterSet> = BTreeMap::new();
    let exports = written::objects(topology, "multicluster.x-k8s.io", "ServiceExport");
    let written = exports
        .into_iter()
        .flat_map(|(name, copies)| copies.into_iter().map(move |copy| (name, copy.clusters)));
    let declared = written::declared(topology).into_iter();
    let declared = declared.filter(|(_, service)| service.export);
    let declared = declared.map(|(name, service)| (name, service.clusters.clone()));
    for (name, clusters) in written.chain(declared) {
        let own = all.entry(name).or_default();
        *own = own.or(&clusters);
    }
    all
}

/// What of the import two Services disagree about, and where the second says it.
fn difference(first: &Copy<'_>, other: &Copy<'_>) -> Option<(&'static str, crate::source::Span)> {
    let span = |key: &str| {
        other.object.at(&["spec", key]).map_or(other.object.name.span, |node| node.span)
    };
    let (Some(own), Some(theirs)) = (ports(first), ports(other)) else { return None };
    if own != theirs {
        return Some(("ports", span("ports")));
    }
    if written::headless(first.object) != written::headless(other.object) {
        return Some(("types", span("clusterIP")));
    }
    let fields = [
        ("sessionAffinity", "session affinities", json!("None")),
        ("internalTrafficPolicy", "internal traffic policies", json!("Cluster")),
        ("trafficDistribution", "traffic distributions", Json::Null),
    ];
    fields.into_iter().find_map(|(key, what, default)| {
        let said = |copy: &Copy<'_>| copy.object.at(&["spec", key]).map_or(default.clone(), read);
        let (own, theirs) = (said(first), said(other));
        let known = ![&own, &theirs].iter().any(|value| value.to_string().contains("${"));
        (known && own != theirs).then(|| (what, span(key)))
    })
}

/// Name, number, protocol and application protocol of each port, sorted; nothing where a variable
/// hides one.
fn ports(copy: &Copy<'_>) -> Option<Vec<String>> {
    let ports = copy.object.at(&["spec", "ports"]).and_then(Node::items).unwrap_or_default();
    let mut all = Vec::new();
    for port in ports {
        let field = |key: &str, default: &str| {
            port.get(key).and_then(Node::text).unwrap_or(default).to_owned()
        };
        let fields = [
            field("name", ""),
            field("port", ""),
            field("protocol", "TCP"),
            field("appProtocol", ""),
        ];
        all.push(fields.join("\n"));
    }
    all.sort_unstable();
    (!all.iter().any(|port| port.contains("${"))).then_some(all)
}
