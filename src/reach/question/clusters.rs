//! The clusters whose policies an answer depends on, so that no others have to be read.

use super::{Asked, What};
use crate::topology::{ClusterId, ClusterSet, Service, Topology};

impl Asked {
    /// The clusters that pods of this side may be in, those of services and their clients among
    /// them. What cannot be told from the topology alone may be in any.
    pub fn clusters(&self, topology: &Topology) -> ClusterSet {
        let all = || topology.clusters().map(|(id, _)| id).collect();
        // Pods of hand-written objects may have any name.
        let of_objects = || union(topology.manifests.iter().map(|set| &set.clusters));
        let services = |name: &str| {
            let service = topology.services.iter().find(|known| called(topology, known) == name);
            service.map(|service| {
                let pods = &topology.workload(service.workload).clusters;
                union([pods, &service.clusters, &service.client_clusters, &of_objects()])
            })
        };
        let own = self.cluster.as_ref().map(|name| -> ClusterSet {
            let ids = topology.clusters().filter(|(_, cluster)| cluster.name.value == *name);
            ids.map(|(id, _): (ClusterId, _)| id).collect()
        });
        match &self.what {
            // Which addresses are told apart is a matter of the other side's policies.
            What::Word(_) | What::Name(_) | What::Prefix(_) => ClusterSet::new(),
            What::Service(name) => services(name).unwrap_or_else(all),
            What::Everything | What::Labels(..) => own.unwrap_or_else(all),
            What::Namespace(name) => own.unwrap_or_else(|| {
                let declared = topology.namespaces.iter().find(|known| known.name.value == *name);
                declared.map_or_else(all, |known| known.clusters.or(&of_objects()))
            }),
            What::Named(namespace, name) => {
                let wanted = |of: &str| namespace.as_ref().is_none_or(|wanted| wanted == of);
                let named = topology.workloads.iter().filter(|known| {
                    known.name.value == *name
                        && wanted(&topology.namespace(known.namespace).name.value)
                });
                let clusters = union(named.map(|known| &known.clusters));
                match (own, namespace) {
                    (Some(own), _) if !clusters.and(&own).is_empty() => own,
                    (None, _) if !clusters.is_empty() => clusters.or(&of_objects()),
                    (_, Some(namespace)) => {
                        services(&format!("{namespace}/{name}")).unwrap_or_else(all)
                    }
                    (_, None) => all(),
                }
            }
        }
    }
}

fn called(topology: &Topology, service: &Service) -> String {
    format!("{}/{}", topology.namespace(service.namespace).name.value, service.name.value)
}

fn union<'s>(sets: impl IntoIterator<Item = &'s ClusterSet>) -> ClusterSet {
    sets.into_iter().fold(ClusterSet::new(), |all, set| all.or(set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::sample::{TWO_CLUSTERS, topology};

    #[test]
    fn a_side_is_in_the_clusters_that_its_pods_may_be_in() {
        let topology = topology(TWO_CLUSTERS);
        let names = |text: &str| {
            let asked: Asked = text.parse().expect("a side of a question");
            let ids: Vec<ClusterId> = asked.clusters(&topology).iter().collect();
            let names = ids.into_iter().map(|id| topology.cluster(id).name.value.clone());
            names.collect::<Vec<_>>().join(" ")
        };
        let all = names("*");
        assert_eq!(all.split(' ').count(), 2);
        for outside in ["world", "api.example.com", "10.1.2.3", "10.0.0.0/8"] {
            assert_eq!(names(outside), "", "{outside}");
        }
        for anywhere in ["shop/{app=x}", "nobody/", "no/such", "svc:no/such", "such"] {
            assert_eq!(names(anywhere), all, "{anywhere}");
        }
        assert_eq!(names("@use1"), "use1");
        assert_eq!(names("shop/{app=x}@use1"), "use1");
        for workload in &topology.workloads {
            let namespace = &topology.namespace(workload.namespace).name.value;
            let clusters: Vec<_> = workload
                .clusters
                .iter()
                .map(|id| topology.cluster(id).name.value.clone())
                .collect();
            let name = format!("{namespace}/{}", workload.name.value);
            assert_eq!(names(&name), clusters.join(" "), "{name}");
            assert_eq!(names(&format!("{name}@{}", clusters[0])), clusters[0], "{name}");
        }
    }
}
