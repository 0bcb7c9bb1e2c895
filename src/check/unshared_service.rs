//! A global service whose endpoints no cluster offers.

use super::written::{self, Copy};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a global service that no cluster shares: `shared` is `false` or an empty list, or
    /// each member of the mesh has a hand-written copy with `service.cilium.io/shared: "false"`.
    ///
    /// ## Why it matters
    /// `shared: false` lets a cluster use the endpoints of the others without offering its own.
    /// Where all do so there are no others: the service is as local as one that is not global,
    /// and nothing takes over when its last local endpoint is gone. Source: Cilium, "Load-balancing
    /// & Service Discovery", Disabling Global Service Sharing.
    ///
    /// ## Example
    /// ```yaml
    /// services: {api: {workload: api, ports: [{port: 80}], global: {shared: false}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// services: {api: {workload: api, ports: [{port: 80}], global: {shared: [use1]}}}
    /// ```
    pub static UNSHARED_SERVICE = { code: "LB2031", name: "unshared-service", summary: "a global service that no cluster shares", severity: Warning };
}

/// Reports declared services and hand-written ones.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for service in &topology.services {
        let Some(global) = &service.global else { continue };
        // An exported one is offered all the same.
        if global.shared.is_empty() && !service.export && !service.clusters.is_empty() {
            let message = format!("no cluster shares the global service `{}`", service.name.value);
            found.push(Diagnostic::new(&UNSHARED_SERVICE, global.span, message).help(
                "list the clusters that offer their endpoints in `shared`, or remove `global`",
            ));
        }
    }
    let members: ClusterSet =
        topology.clusters().filter(|(_, cluster)| cluster.in_mesh).map(|(id, _)| id).collect();
    let declared = written::declared(topology);
    for (name, copies) in written::objects(topology, "", "Service") {
        if !declared.contains_key(&name) && members.len() > 1 {
            hand_written(&members, &copies, found);
        }
    }
}

fn hand_written(members: &ClusterSet, copies: &[Copy<'_>], found: &mut Diagnostics) {
    let kept_back = |copy: &&Copy<'_>| {
        written::flag(copy.object, &written::GLOBAL) == Some(true)
            && written::shares(copy.object) == Some(false)
    };
    let kept: Vec<_> = copies.iter().filter(kept_back).collect();
    let covered = kept.iter().fold(ClusterSet::new(), |all, copy| all.or(&copy.clusters));
    if covered != *members || kept.len() < copies.len() {
        return;
    }
    let Some(note) = written::annotation(kept[0].object, &written::SHARED) else { return };
    let message = format!("no cluster shares the global {}", kept[0].object.describe());
    let finding = Diagnostic::new(&UNSHARED_SERVICE, note.key_span, message);
    let finding = kept.iter().skip(1).take(5).fold(finding, |finding, copy| {
        finding.related(copy.object.name.span, "not shared from here either")
    });
    found.push(finding.help("remove the annotation where its endpoints are to be used by others"));
}
