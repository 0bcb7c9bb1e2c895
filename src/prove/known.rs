//! Who is known to be in a namespace, and whether a selector may select one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use crate::policy::label::{CLUSTER, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT};
use crate::policy::selector::{Operator, Requirement};
use crate::policy::{Key, Selector};
use crate::reach::{Endpoint, Standing};
use crate::topology::{ClusterId, ClusterSet};

/// The endpoints by cluster and namespace.
pub(super) struct Places<'a> {
    places: BTreeMap<ClusterId, BTreeMap<&'a str, Vec<&'a Endpoint>>>,
    /// The declared namespaces with their clusters.
    declared: BTreeMap<&'a str, ClusterSet>,
}

impl<'a> Places<'a> {
    pub(super) fn of(case: &Case<'a>) -> Self {
        let mut places: BTreeMap<ClusterId, BTreeMap<&str, Vec<&Endpoint>>> = BTreeMap::new();
        for endpoint in &case.mesh.endpoints {
            if let Some(namespace) = endpoint.identity.namespace() {
                let cluster = places.entry(endpoint.cluster).or_default();
                cluster.entry(namespace).or_default().push(endpoint);
            }
        }
        let namespaces = case.topology.namespaces.iter();
        let declared = namespaces.map(|known| (known.name.value.as_str(), known.clusters.clone()));
        Self { places, declared: declared.collect() }
    }

    /// Those that are known in a namespace of a cluster; nothing where nobody declares it, so that
    /// anyone may be there.
    pub(super) fn known(&self, cluster: ClusterId, namespace: &str) -> Option<&[&'a Endpoint]> {
        let known = self.places.get(&cluster)?.get(namespace)?;
        let declared = self.declared.get(namespace)?.contains(cluster);
        let says = known.iter().any(|known| matches!(known.standing, Standing::Declared(_)));
        (declared && says).then_some(known)
    }

    /// The same; no one where the namespace is declared for other clusters only.
    pub(super) fn known_or_absent(
        &self,
        cluster: ClusterId,
        namespace: &str,
    ) -> Option<&[&'a Endpoint]> {
        let there = self.places.get(&cluster).is_some_and(|known| known.contains_key(namespace));
        let elsewhere = self.declared.get(namespace)?;
        if there || elsewhere.contains(cluster) || elsewhere.is_empty() {
            return self.known(cluster, namespace);
        }
        Some(&[])
    }
}

/// Whether a selector may select an endpoint: a declared workload may have labels besides those
/// that tell it from others, and a namespace labels that nobody declares.
pub(super) fn may_select(selector: &Selector, endpoint: &Endpoint) -> bool {
    selector.requirements().all(|wanted| {
        let open =
            endpoint.identity.labels.get(&wanted.key).is_none() && may_have(wanted, endpoint);
        open || wanted.matches(&endpoint.identity.labels)
    })
}

/// Whether an endpoint may have a label of which nothing is known.
fn may_have(wanted: &Requirement, endpoint: &Endpoint) -> bool {
    let key = &wanted.key;
    let given = key.is_k8s(CLUSTER) || key.is_k8s(NAMESPACE);
    let declared = matches!(endpoint.standing, Standing::Declared(_) | Standing::Possible);
    !given && key.starts_k8s("") && (declared || key.starts_k8s(NAMESPACE_LABELS))
}

/// What a selector says a label must be, if it says so with names only.
pub(super) fn named<'s>(selector: &'s Selector, label: &str) -> Option<BTreeSet<&'s str>> {
    let about = |known: &&Requirement| known.key.is_k8s(label) && known.operator == Operator::In;
    let wanted = selector.requirements().find(about)?;
    Some(wanted.values.iter().map(|value| &**value).collect())
}

/// The keys of pods' labels that a selector wants and no identity has.
pub(super) fn never_there(selector: &Selector) -> impl Iterator<Item = &Key> {
    let wanted = selector.requirements().filter(|known| !known.operator.is_negative());
    wanted.map(|known| &known.key).filter(|key| {
        let cilium = [CLUSTER, NAMESPACE].iter().any(|known| *key.key == **known);
        let of_namespace = key.starts_k8s(NAMESPACE_LABELS);
        let account = key.is_k8s(SERVICE_ACCOUNT);
        let counts = crate::reach::objects::counts(&key.key);
        key.starts_k8s("") && !cilium && !of_namespace && !account && !counts
    })
}
