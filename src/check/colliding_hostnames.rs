//! Pods of several clusters with one host name in one headless service.

use super::written::{self, Copy};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{ClusterSet, Topology};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports a hand-written `StatefulSet` that several clusters have under the same name, behind
    /// a headless global service.
    ///
    /// ## Why it matters
    /// The pods of a `StatefulSet` are named after it and counted from 0: each cluster has a
    /// `db-0`. Cilium puts the endpoints of all clusters into one service and resolves no conflict between
    /// host names, so `db-0.db` is any of them. Members of a database that know each other by that
    /// name find themselves, or a stranger. Source: Cilium, "Load-balancing & Service Discovery",
    /// Synchronizing Kubernetes EndpointSlice.
    ///
    /// ## Example
    /// ```yaml
    /// kind: StatefulSet
    /// metadata: {name: db, namespace: ledger}           # in use1 and in euw1
    /// spec: {serviceName: db}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: StatefulSet
    /// metadata: {name: db-use1, namespace: ledger}
    /// spec: {serviceName: db}
    /// ```
    pub static COLLIDING_HOSTNAMES = { code: "LB2037", name: "colliding-hostnames", summary: "pods of several clusters with one host name in one headless service", severity: Error };
}

/// Reports each `StatefulSet` once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let sets = written::objects(topology, "apps", "StatefulSet");
    if sets.is_empty() {
        return;
    }
    let services = written::objects(topology, "", "Service");
    let declared = written::declared(topology);
    for ((namespace, name), copies) in &sets {
        let clusters = copies.iter().fold(ClusterSet::new(), |all, copy| all.or(&copy.clusters));
        let Some(of) = copies[0].object.at(&["spec", "serviceName"]).and_then(Node::text) else {
            continue;
        };
        let declared = declared.get(&(*namespace, of));
        let made = declared.filter(|service| service.headless && service.global.is_some());
        let own = services.get(&(*namespace, of)).map_or(&[][..], Vec::as_slice);
        let made_global = declared.is_some_and(|service| written::annotated(service));
        let global = global(own, made_global);
        let (span, clusters) = if let Some(service) = made {
            (service.name.span, clusters)
        } else {
            let Some(first) = global.first() else { continue };
            let there = global.iter().fold(ClusterSet::new(), |all, one| all.or(&one.clusters));
            (first.object.name.span, clusters.and(&there))
        };
        if clusters.len() < 2 {
            continue;
        }
        let message = format!(
            "{} each have a pod `{name}-0` in the service `{of}`",
            written::names(topology, &clusters)
        );
        let finding = Diagnostic::new(&COLLIDING_HOSTNAMES, copies[0].object.name.span, message);
        let finding = copies.iter().skip(1).take(3).fold(finding, |finding, copy| {
            finding.related(copy.object.name.span, "the same name here")
        });
        let finding = finding.related(span, "the headless service of all clusters");
        found.push(finding.help("give the StatefulSets of the clusters different names"));
    }
}

/// The headless Services that are global.
fn global<'a, 'b>(services: &'b [Copy<'a>], made: bool) -> Vec<&'b Copy<'a>> {
    let wanted = |copy: &&Copy<'_>| {
        let global = made || written::flag(copy.object, &written::GLOBAL) == Some(true);
        global && written::headless(copy.object)
    };
    services.iter().filter(wanted).collect()
}
