//! Namespaces, where an application asks for them.

use std::collections::BTreeSet;

use super::Input;
use super::metadata::Object;
use crate::resource::Desired;
use crate::topology::NamespaceId;

/// Adds the Namespaces that must exist in the cluster: those of its pods, and those of services
/// of other clusters that are known here under their own name.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, index, id } = *input;
    let mut wanted: BTreeSet<NamespaceId> = index.namespaces[id.index()].iter().copied().collect();
    // A global Service stands in every cluster that calls it, and Cilium makes the Service of an
    // import in the namespace of the export. Source: KEP-1645, "namespace sameness".
    let services = index.services[id.index()].iter().map(|service| topology.service(*service));
    wanted.extend(services.map(|service| service.namespace));

    for namespace in wanted.into_iter().map(|id| topology.namespace(id)) {
        if !namespace.create {
            continue;
        }
        let object = Object {
            api_version: "v1",
            kind: "Namespace",
            namespace: None,
            name: &namespace.name.value,
            labels: &namespace.labels,
            // Pruning a Namespace removes everything in it, whoever put it there.
            annotations: vec![
                ("argocd.argoproj.io/sync-options", "Prune=false".to_owned()),
                ("kustomize.toolkit.fluxcd.io/prune", "disabled".to_owned()),
            ],
            origin: namespace.name.span,
        };
        desired.resources.push(object.with(topology, None));
    }
}
