//! Who is among the objects of a cluster: what makes pods, pods, and what Cilium noted of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::Manifest;
use crate::policy::label::{CLUSTER, Labels, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT};
use crate::policy::{Identity, Pod, Semantics};
use crate::reach::mesh::{Endpoint, Standing};
use crate::reach::objects::{Objects, Pairs};
use crate::source::Span;
use crate::topology::ClusterId;
use crate::yaml::Node;

/// The endpoints of a cluster; pods that belong to something that is there too, and identities
/// that such pods have, are not told apart from it.
pub(super) fn endpoints(
    cluster: ClusterId,
    manifests: &[&Manifest],
    objects: &Objects<'_>,
    semantics: &Semantics,
) -> Vec<Endpoint> {
    let owners: BTreeMap<_, _> = manifests.iter().copied().filter_map(owned).collect();
    let mut all =
        All { cluster, endpoints: Vec::new(), names: BTreeSet::new(), known: BTreeMap::new() };
    let none = Pairs::new();
    let mut belonging = Vec::new();
    for pods in &objects.pods {
        let labels = objects.namespaces.get(&pods.namespace).unwrap_or(&none);
        let identity = pods.identity(semantics, labels);
        let key = (pods.kind.as_str(), pods.namespace.as_str(), pods.name.as_str());
        let candidate = Candidate { identity, serves: pods.serves.clone(), span: pods.span };
        match owners.get(&key) {
            None => all.add(format!("{}/{}", pods.namespace, pods.name), &pods.kind, candidate),
            Some(owner) => {
                belonging.push((format!("{}/{owner}", pods.namespace), &*pods.kind, candidate));
            }
        }
    }
    for (name, kind, candidate) in belonging {
        all.fold(name, kind, candidate);
    }
    for manifest in manifests {
        if let Some((name, identity)) = noted(manifest, semantics) {
            let candidate = Candidate { identity, serves: Vec::new(), span: manifest.name.span };
            all.fold(name, &manifest.kind.value, candidate);
        }
    }
    all.endpoints
}

struct Candidate {
    identity: Identity,
    serves: Vec<(crate::policy::Protocol, u16)>,
    span: Span,
}

struct All {
    cluster: ClusterId,
    endpoints: Vec<Endpoint>,
    names: BTreeSet<String>,
    known: BTreeMap<Labels, usize>,
}

impl All {
    fn add(&mut self, name: String, kind: &str, candidate: Candidate) {
        let name = if self.names.contains(&name) { format!("{name} ({kind})") } else { name };
        if !self.names.insert(name.clone()) {
            return;
        }
        let Candidate { identity, serves, span } = candidate;
        self.known.entry(identity.labels.clone()).or_insert(self.endpoints.len());
        self.endpoints.push(Endpoint {
            cluster: self.cluster,
            name,
            identity,
            standing: Standing::Found,
            span: Some(span),
            serves,
        });
    }

    /// Adds what is not there under another name.
    fn fold(&mut self, name: String, kind: &str, candidate: Candidate) {
        let Some(at) = self.known.get(&candidate.identity.labels) else {
            return self.add(name, kind, candidate);
        };
        let known = &mut self.endpoints[*at];
        for (name, ports) in candidate.identity.ports {
            known.identity.ports.entry(name).or_default().extend(ports);
        }
        known.serves.extend(candidate.serves);
        known.serves.sort_unstable();
        known.serves.dedup();
    }
}

/// Kind, namespace and name of what something else made, with the name of that: a `ReplicaSet`'s
/// without the hash that its Deployment put there.
fn owned(manifest: &Manifest) -> Option<((&str, &str, &str), String)> {
    let owner = manifest.at(&["metadata", "ownerReferences"])?.items()?.first()?;
    let name = owner.get("name")?.text()?;
    let hash = manifest.at(&["metadata", "labels", "pod-template-hash"]).and_then(Node::text);
    let short = hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
    let namespace = manifest.namespace.as_ref().map_or("default", |known| &known.value);
    let key = (&*manifest.kind.value, namespace, &*manifest.name.value);
    Some((key, short.unwrap_or(name).to_owned()))
}

/// What Cilium noted: a `CiliumIdentity` (`security-labels`), or a `CiliumEndpoint`
/// (`status.identity.labels`); nothing for what is no pod.
fn noted(manifest: &Manifest, semantics: &Semantics) -> Option<(String, Identity)> {
    let mut labels: Vec<(&str, &str)> = Vec::new();
    let identity = manifest.is("cilium.io", "CiliumIdentity");
    if identity {
        for entry in manifest.at(&["security-labels"])?.entries()? {
            labels.push((entry.key.strip_prefix("k8s:")?, entry.value.text()?));
        }
    } else if manifest.is("cilium.io", "CiliumEndpoint") {
        for item in manifest.at(&["status", "identity", "labels"])?.items()? {
            let label = item.text()?.strip_prefix("k8s:")?;
            labels.push(label.split_once('=').unwrap_or((label, "")));
        }
    } else {
        return None;
    }
    let of = |key: &str| labels.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let namespace = of(NAMESPACE)?;
    let prefix =
        |key: &'_ str| key.strip_prefix(NAMESPACE_LABELS)?.strip_prefix('.').map(str::to_owned);
    let of_namespace: Vec<_> =
        labels.iter().filter_map(|(key, value)| Some((prefix(key)?, *value))).collect();
    let of_namespace: Vec<_> = of_namespace.iter().map(|(key, value)| (&**key, *value)).collect();
    let given = [NAMESPACE, CLUSTER, SERVICE_ACCOUNT];
    let own: Vec<_> = labels
        .iter()
        .filter(|(key, _)| !given.contains(key) && !key.starts_with(NAMESPACE_LABELS))
        .copied()
        .collect();
    let pod = Identity::pod(&Pod {
        cluster: semantics.cluster(),
        namespace,
        service_account: of(SERVICE_ACCOUNT),
        labels: &own,
        namespace_labels: &of_namespace,
    });
    let name = &manifest.name.value;
    let name = if identity { format!("identity-{name}") } else { name.clone() };
    Some((format!("{namespace}/{name}"), pod))
}

/// The cluster that an object of Cilium's says it is in.
pub(super) fn says_cluster(manifest: &Manifest) -> Option<&str> {
    let key = format!("k8s:{CLUSTER}");
    if manifest.is("cilium.io", "CiliumIdentity") {
        let labels = manifest.at(&["security-labels"])?.entries()?;
        return labels.iter().find(|entry| *entry.key == *key)?.value.text();
    }
    if manifest.is("cilium.io", "CiliumEndpoint") {
        let mut labels = manifest.at(&["status", "identity", "labels"])?.items()?.iter();
        return labels.find_map(|item| item.text()?.strip_prefix(&*key)?.strip_prefix('='));
    }
    None
}
