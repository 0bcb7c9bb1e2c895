//! A shared service that no passive cluster can take over.

use std::collections::BTreeSet;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::cluster::Role;
use crate::topology::{Cluster, Service, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a global or exported service that active clusters of one region serve and no
    /// passive cluster runs, in a mesh with a passive cluster outside of that region. Where all
    /// passive clusters stand in the same region, a service of a single cluster is reported.
    /// A service that also runs in another region outlives the loss of one, and is not.
    ///
    /// A workload that need not be taken over says `failover: false`.
    ///
    /// ## Why it matters
    /// A passive cluster is there for the day on which the active one is gone. Callers that were
    /// taken over by it still ask for this service, and nobody serves it.
    ///
    /// ## Example
    /// ```yaml
    /// workloads: {api: {labels: {app: api}, clusters: [use1]}}   # euw1 has `role: passive`
    /// services: {api: {workload: api, ports: [{port: 80}], global: true}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// workloads: {api: {labels: {app: api}, clusters: [use1, euw1]}}
    /// ```
    pub static MISSING_STANDBY = { code: "LB2041", name: "missing-standby", summary: "a shared service that no passive cluster can take over", severity: Warning };
}

/// Reports each such service once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let members = topology.clusters.iter().filter(|cluster| cluster.in_mesh);
    let passive: Vec<_> = members.filter(|cluster| cluster.role == Role::Passive).collect();
    if passive.is_empty() {
        return;
    }
    for service in &topology.services {
        let offered = service.export
            || service.global.as_ref().is_some_and(|global| !global.shared.is_empty());
        let workload = topology.workload(service.workload);
        if !offered || !workload.failover {
            continue;
        }
        if let Some(standby) = unused(topology, service, &passive) {
            let name = &service.name;
            let message = format!("no passive cluster can take over `{}`", name.value);
            let label = format!("`{}` is passive and does not run it", standby.name.value);
            found.push(
                Diagnostic::new(&MISSING_STANDBY, name.span, message)
                    .related(workload.name.span, "its workload")
                    .related(standby.name.span, label)
                    .help(
                        "run the workload in a passive cluster as well, or say `failover: false`",
                    ),
            );
        }
    }
}

/// A passive cluster that could take the service over and does not run it.
fn unused<'a>(
    topology: &Topology,
    service: &Service,
    passive: &[&'a Cluster],
) -> Option<&'a Cluster> {
    let own: Vec<_> = service.clusters.iter().map(|id| topology.cluster(id)).collect();
    let regions: BTreeSet<_> = own.iter().map(|cluster| cluster.region).collect();
    let active = own.iter().all(|cluster| cluster.in_mesh && cluster.role == Role::Active);
    let region = *regions.first().filter(|_| active && regions.len() == 1)?;
    let elsewhere = passive.iter().find(|cluster| cluster.region != region);
    let beside = passive.first().filter(|_| own.len() == 1);
    elsewhere.or(beside).copied()
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn found(text: &str) -> bool {
        let (_, found) = resolved(text);
        found.iter().any(|line| line.contains(" LB2041 no passive cluster can take over"))
    }

    #[test]
    fn a_passive_cluster_runs_what_the_active_one_shares() {
        let passive = TWO_CLUSTERS.replace("  id: 2\n", "  id: 2\n  role: passive\n");
        assert!(!found(&passive));
        let alone = |text: &str| text.replace("clusters: [use1, euw1]", "clusters: [use1]");
        assert!(found(&alone(&passive)));
        assert!(!found(&alone(TWO_CLUSTERS)));
        let accepted = passive.replace("serviceAccount: fraud", "failover: false");
        assert!(!found(&alone(&accepted)));
        // Where the passive cluster is the active one's neighbour.
        let near = passive.replace("region: eu-west-1", "region: us-east-1");
        assert!(found(&alone(&near)));
        // What a passive cluster alone runs is not to be taken over.
        assert!(!found(&passive.replace("clusters: [use1, euw1]", "clusters: [euw1]")));
    }
}
