//! Namespaces, where an application asks for them.

use std::collections::BTreeSet;

use super::Input;
use super::metadata::Object;
use crate::resource::Desired;
use crate::topology::{Cluster, NamespaceId};

/// Adds the Namespaces that must exist in the cluster: those of its pods, and those of services
/// of other clusters that are known here under their own name.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    let mut wanted: BTreeSet<NamespaceId> = index.namespaces[id.index()].iter().copied().collect();
    // A global Service stands in every cluster that calls it, and Cilium makes the Service of an
    // import in the namespace of the export. Source: KEP-1645, "namespace sameness".
    let services = || index.services[id.index()].iter().map(|service| topology.service(*service));
    wanted.extend(services().map(|service| service.namespace));
    let shared = services().filter(|service| service.global.is_some() || service.export);
    let shared: BTreeSet<_> = shared.map(|service| service.namespace).collect();
    let local = kept_by_default(topology.cluster(id));

    for namespace_id in wanted {
        let namespace = topology.namespace(namespace_id);
        if !namespace.create {
            continue;
        }
        // Pruning a Namespace removes everything in it, whoever put it there.
        let mut annotations = vec![
            ("argocd.argoproj.io/sync-options", "Prune=false".to_owned()),
            ("kustomize.toolkit.fluxcd.io/prune", "disabled".to_owned()),
        ];
        if local && shared.contains(&namespace_id) {
            annotations.push(("clustermesh.cilium.io/global", "true".to_owned()));
        }
        let object = Object {
            api_version: "v1",
            kind: "Namespace",
            namespace: None,
            name: &namespace.name.value,
            labels: &namespace.labels,
            annotations,
            origin: namespace.name.span,
        };
        desired.resources.push(object.with(topology, None));
    }
}

/// Whether a cluster keeps namespaces to itself that do not say otherwise. Source: Cilium 1.20,
/// `clustermesh.defaultGlobalNamespace`.
fn kept_by_default(cluster: &Cluster) -> bool {
    let said = cluster.said("clustermesh.defaultGlobalNamespace");
    cluster.in_mesh && cluster.cilium.minor >= 20 && said.is_some_and(|(_, said)| said == false)
}
