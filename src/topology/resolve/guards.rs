//! What is declared and not made use of yet: guards, what a namespace accepts.

use super::super::Topology;
use super::{Names, dangling, region_clusters};
use crate::diagnostic::Diagnostics;
use crate::spec::TopologySpec;
use crate::spec::flow::PeerKind;
use crate::spec::guard::GuardRule;

/// Resolves the names of the guards, and says what is not checked.
pub(super) fn resolve(
    written: &TopologySpec,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) {
    for (name, guard) in written.guards.iter() {
        for rule in guard.never.iter().chain(&guard.only) {
            guard_names(rule, topology, names, found);
        }
        let why = "this version does not prove flows";
        found.not_checked(name.span, format!("the guard `{}`", name.value), why);
    }
    for namespace in topology.namespaces.iter().filter(|n| !n.accepts.is_empty()) {
        let what = format!("what the namespace `{}` accepts", namespace.name.value);
        found.not_checked(namespace.accepts[0].span, what, "this version does not prove flows");
    }
}

fn guard_names(rule: &GuardRule, topology: &Topology, names: &Names, found: &mut Diagnostics) {
    for peer in rule.from.iter().chain(&rule.to).map(|side| &side.0) {
        names.cluster_set(peer.clusters.as_deref().unwrap_or_default(), found);
        region_clusters(topology, &peer.regions, found);
        region_clusters(topology, &peer.not_regions, found);
        if let PeerKind::Capability(name) = &peer.kind
            && !names.capabilities.contains_key(&name.value)
        {
            found.push(dangling("capability", name, names.capabilities.keys(), found));
        }
    }
}
