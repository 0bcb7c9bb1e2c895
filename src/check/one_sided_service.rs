//! A global service that is one in some of its clusters only.

use std::collections::BTreeMap;

use super::written::{self, Copy, Name};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::application::Manage;
use crate::topology::{ClusterSet, Service, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a service that is shared on one side only, as far as the hand-written manifests
    /// show it:
    ///
    /// - a Service that is global in one member of the mesh, and stands in another without being
    ///   global there;
    /// - a declared global service with `manage: annotations` or `none` whose Service is among the
    ///   manifests of some of its clusters and not of others, whether it runs there or is only
    ///   called from there;
    /// - one with `manage: none` whose Service lacks the annotation that makes it global.
    ///
    /// ## Why it matters
    /// A global service must exist with the same name and namespace in every participating
    /// cluster, and be global in each. Where it is missing or not global, callers find the local
    /// endpoints or none, and no failover happens: nothing shows that before the day on which it
    /// is needed. Source: Cilium, "Load-balancing & Service Discovery".
    ///
    /// ## Example
    /// ```yaml
    /// # use1/api.yaml, and the same without the annotation in euw1/api.yaml
    /// metadata: {name: api, namespace: shop, annotations: {service.cilium.io/global: "true"}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// # use1/api.yaml and euw1/api.yaml
    /// metadata: {name: api, namespace: shop, annotations: {service.cilium.io/global: "true"}}
    /// ```
    pub static ONE_SIDED_SERVICE = { code: "LB2030", name: "one-sided-service", summary: "a global service that is one in some of its clusters only", severity: Warning };
}

/// Reports hand-written Services, alone and against what is declared of them.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let copies = written::objects(topology, "", "Service");
    if copies.is_empty() {
        return;
    }
    let declared = written::declared(topology);
    for (name, copies) in &copies {
        if !declared.contains_key(name) {
            annotated_once(topology, copies, found);
        }
    }
    // Clusters whose manifests are in another place say nothing about what is missing.
    let covered = topology
        .manifests
        .iter()
        .filter(|set| !set.objects.is_empty())
        .fold(ClusterSet::new(), |all, set| all.or(&set.clusters));
    for (name, service) in &declared {
        against_declared(topology, *name, service, &copies, &covered, found);
    }
}

/// One cluster alone has made it global.
fn annotated_once(topology: &Topology, copies: &[Copy<'_>], found: &mut Diagnostics) {
    let mut clusters = [ClusterSet::new(), ClusterSet::new()];
    let mut places = [None, None];
    for copy in copies.iter().filter(|copy| !copy.clusters.is_empty()) {
        let Some(global) = written::flag(copy.object, &written::GLOBAL) else { return };
        let side = usize::from(!global);
        clusters[side] = clusters[side].or(&copy.clusters);
        places[side].get_or_insert(copy.object);
    }
    let [Some(global), Some(local)] = places else { return };
    if clusters[0].len() != 1 {
        return;
    }
    let Some(note) = written::annotation(global, &written::GLOBAL) else { return };
    let message = format!(
        "{} is global in {} only",
        global.describe(),
        written::names(topology, &clusters[0])
    );
    let label = format!("not global in {}", written::names(topology, &clusters[1]));
    found.push(
        Diagnostic::new(&ONE_SIDED_SERVICE, note.key_span, message)
            .related(local.name.span, label)
            .help("add `service.cilium.io/global: \"true\"` to the others, or remove it here"),
    );
}

fn against_declared(
    topology: &Topology,
    name: Name<'_>,
    service: &Service,
    copies: &BTreeMap<Name<'_>, Vec<Copy<'_>>>,
    covered: &ClusterSet,
    found: &mut Diagnostics,
) {
    let own = service.global.is_some() && service.manage != Manage::Full;
    let Some(copies) = copies.get(&name).filter(|_| own) else { return };
    let there = copies.iter().fold(ClusterSet::new(), |all, copy| all.or(&copy.clusters));
    let needed = service.clusters.or(&service.client_clusters);
    let missing = needed.and(covered).without(&there);
    if !missing.is_empty() && !there.and(&needed).is_empty() {
        let clusters = written::names(topology, &missing);
        let message = format!("the Service `{}/{}` is missing in {clusters}", name.0, name.1);
        let label = format!("it stands here for {}", written::names(topology, &there));
        found.push(
            Diagnostic::new(&ONE_SIDED_SERVICE, service.name.span, message)
                .related(copies[0].object.name.span, label)
                .help(
                    "add the Service to the manifests of those clusters, or write `manage: full`",
                ),
        );
    }
    if service.manage == Manage::None {
        let lacks = |copy: &&Copy<'_>| {
            !copy.clusters.is_empty() && written::flag(copy.object, &written::GLOBAL) == Some(false)
        };
        for copy in copies.iter().filter(lacks) {
            let message = format!("{} is declared global and is not", copy.object.describe());
            found.push(
                Diagnostic::new(&ONE_SIDED_SERVICE, copy.object.name.span, message)
                    .related(service.name.span, "declared here, with `manage: none`")
                    .help(
                        "add `service.cilium.io/global: \"true\"`, or write `manage: annotations`",
                    ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::with_manifests;

    fn service(name: &str, global: bool) -> String {
        let annotations = if global { "service.cilium.io/global: \"true\"" } else { "" };
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: payments, annotations: {{{annotations}}}}}\n"
        )
    }

    /// With the declared service in the hands of its team.
    fn declared(manage: &str, east: &str, west: &str) -> Vec<String> {
        let changes = [
            ("      export: true", &*format!("      manage: {manage}")),
            ("affinity: local, ", ""),
        ];
        with_manifests("LB2030", &changes, east, west)
    }

    #[test]
    fn a_declared_service_stands_in_each_of_its_clusters() {
        let name = "fraud-detection";
        let (plain, global) = (service(name, false), service(name, true));
        let missing = "the Service `payments/fraud-detection` is missing in `euw1`";
        let not = "Service/payments/fraud-detection is declared global and is not";
        let other = service("other", true);
        for (manage, east, west, expected) in [
            ("annotations", &plain, &plain, vec![]),
            ("annotations", &plain, &other, vec![missing]),
            ("none", &global, &global, vec![]),
            ("none", &global, &plain, vec![not]),
            ("full", &other, &other, vec![]),
            // Where the others are is nobody's business here.
            ("annotations", &plain, &String::new(), vec![]),
            ("annotations", &other, &other, vec![]),
        ] {
            assert_eq!(declared(manage, east, west), expected, "{manage} {east} {west}");
        }
    }

    #[test]
    fn a_service_of_one_cluster_alone_is_not_judged() {
        let (global, local) = (service("api", true), service("api", false));
        let once = "Service/payments/api is global in `euw1` only";
        let found = |east: &str, west: &str| with_manifests("LB2030", &[], east, west);
        assert_eq!(found(&local, &global), [once]);
        assert_eq!(found(&global, &global), [""; 0]);
        assert_eq!(found(&local, &local), [""; 0]);
        assert_eq!(found("", &global), [""; 0]);
    }
}
