//! Pods that nobody declares and that may be there all the same: what the selectors of the
//! policies can tell apart.
//!
//! A selector with positive requirements selects more than its smallest set of labels; but each
//! further label can only be noticed by another selector, which has a smallest set of its own. So
//! that one pod for each selector, one without any label in each namespace, and one in a namespace
//! that nobody names, stand for all others. A pod that is told apart only by the labels of two
//! selectors at once, neither of which is enough, is not among them.

use std::collections::{BTreeMap, BTreeSet};

use super::mesh::{Endpoint, Mesh, Standing};
use crate::diagnostic::NotChecked;
use crate::policy::label::{CLUSTER, NAMESPACE, NAMESPACE_LABELS};
use crate::policy::selector::Operator;
use crate::policy::{Identity, Labels, Pod, Rule, Selector, Source};
use crate::topology::ClusterId;

/// Most endpoints that are added, so that a hostile repository ends.
const MOST: usize = 400_000;
/// Most combinations of values that one selector stands for.
const MOST_VALUES: usize = 16;
/// Most namespaces in which a pod is looked at that a selector selects in any.
const MOST_NAMESPACES: usize = 16;
/// The word for a key that only has to be there.
const ANY: &str = "any";

/// Adds the pods that may be there to a mesh.
pub fn add(mesh: &mut Mesh) {
    let mut possible = Possible::new(mesh);
    for (id, member) in mesh.clusters() {
        for namespace in possible.namespaces[id.index()].clone() {
            possible.put(id, &namespace, &[]);
        }
        for rule in member.policies.iter().flat_map(|written| &written.policy.rules) {
            possible.rule(mesh, id, rule);
        }
    }
    let full = possible.full;
    let added = possible.added;
    mesh.endpoints.extend(added);
    if full && let Some(member) = mesh.clusters.first() {
        mesh.unread.push(NotChecked {
            what: "pods that nobody declares".to_owned(),
            why: format!("policies tell more than {MOST} sorts of them apart"),
            span: member.span,
        });
    }
}

/// The pods that may be there, as far as they are known.
struct Possible {
    /// The namespaces of each cluster that somebody names.
    namespaces: Vec<BTreeSet<String>>,
    /// The labels of the namespaces of each cluster.
    labels: BTreeMap<(ClusterId, String), Vec<(String, String)>>,
    /// The names of the clusters.
    names: Vec<String>,
    clusters: BTreeMap<String, ClusterId>,
    /// The keys that some selector names.
    keys: BTreeSet<Box<str>>,
    /// The namespace that nobody names.
    another: String,
    /// What is there, as the keys show it.
    seen: BTreeSet<(ClusterId, Labels)>,
    /// The selectors that were looked at, in the cluster of the policy.
    asked: BTreeSet<(ClusterId, bool, Selector)>,
    added: Vec<Endpoint>,
    full: bool,
}

/// What the smallest pod of a selector has.
#[derive(Default)]
struct Wanted {
    clusters: Option<Vec<String>>,
    namespaces: Option<Vec<String>>,
    /// The values of each other label.
    labels: Vec<(Box<str>, Vec<Box<str>>)>,
}

impl Possible {
    fn new(mesh: &Mesh) -> Self {
        let rules = || mesh.clusters.iter().flat_map(|member| &member.policies);
        let rules = || rules().flat_map(|written| &written.policy.rules);
        let all = || rules().flat_map(|rule| rule.peers.selectors().chain([&rule.subject]));
        let keys: BTreeSet<Box<str>> =
            all().flat_map(Selector::requirements).map(|wanted| wanted.key.key.clone()).collect();
        let clusters = mesh.clusters().map(|(id, member)| (member.name.clone(), id)).collect();
        let mut possible = Self {
            namespaces: vec![BTreeSet::new(); mesh.clusters.len()],
            labels: BTreeMap::new(),
            names: mesh.clusters.iter().map(|member| member.name.clone()).collect(),
            clusters,
            keys,
            another: String::new(),
            seen: BTreeSet::new(),
            asked: BTreeSet::new(),
            added: Vec::new(),
            full: false,
        };
        possible.find_namespaces(mesh);
        let taken = |name: &str| possible.namespaces.iter().any(|known| known.contains(name));
        let names =
            (0..).map(|at| if at == 0 { "another".to_owned() } else { format!("another-{at}") });
        possible.another = names.into_iter().find(|name| !taken(name)).unwrap_or_default();
        for endpoint in &mesh.endpoints {
            let seen = (endpoint.cluster, possible.shown(&endpoint.identity));
            possible.seen.insert(seen);
        }
        for (id, _) in mesh.clusters() {
            let another = possible.another.clone();
            possible.put(id, &another, &[]);
        }
        possible
    }

    fn find_namespaces(&mut self, mesh: &Mesh) {
        for endpoint in &mesh.endpoints {
            let Some(namespace) = endpoint.identity.namespace() else { continue };
            let own = &mut self.namespaces[endpoint.cluster.index()];
            if own.insert(namespace.to_owned()) {
                let labels = endpoint.identity.labels.iter().filter_map(|label| {
                    let key = label.key.strip_prefix(NAMESPACE_LABELS)?.strip_prefix('.')?;
                    Some((key.to_owned(), label.value.to_string()))
                });
                self.labels.insert((endpoint.cluster, namespace.to_owned()), labels.collect());
            }
        }
        for (id, member) in mesh.clusters() {
            for policy in member.policies.iter().map(|written| &written.policy) {
                self.namespaces[id.index()].extend(policy.namespace.clone());
                for wanted in
                    policy.rules.iter().flat_map(|rule| rule.peers.selectors()).filter_map(wanted)
                {
                    for cluster in self.places(mesh, id, &wanted) {
                        let named = wanted.namespaces.iter().flatten().cloned();
                        self.namespaces[cluster.index()].extend(named);
                    }
                }
            }
        }
    }

    /// The clusters in which a peer of a policy in a cluster is looked at. One that says none may
    /// be in any: its own and the next one that is joined stand for all.
    fn places(&self, mesh: &Mesh, own: ClusterId, wanted: &Wanted) -> Vec<ClusterId> {
        let joined = &mesh.cluster(own).joined;
        match &wanted.clusters {
            Some(names) => {
                let known = names.iter().filter_map(|name| self.clusters.get(name)).copied();
                known.filter(|id| joined.contains(*id)).collect()
            }
            None => {
                let after = joined.iter().find(|id| *id > own);
                let other = after.or_else(|| joined.iter().find(|id| *id != own));
                std::iter::once(own).chain(other).collect()
            }
        }
    }

    /// Adds the smallest pods of a rule's subject and peers.
    fn rule(&mut self, mesh: &Mesh, id: ClusterId, rule: &Rule) {
        let subject = (!rule.node).then_some((true, &rule.subject));
        for (is_subject, selector) in
            subject.into_iter().chain(rule.peers.selectors().map(|peer| (false, peer)))
        {
            // Peers that say their cluster are the same wherever the policy is.
            let Some(wanted) = wanted(selector) else { continue };
            let place =
                if wanted.clusters.is_some() && !is_subject { ClusterId::new(0) } else { id };
            if !self.asked.insert((place, is_subject, selector.clone())) {
                continue;
            }
            let clusters = if is_subject { vec![id] } else { self.places(mesh, id, &wanted) };
            for cluster in clusters {
                self.smallest(cluster, &wanted);
            }
        }
    }

    fn smallest(&mut self, cluster: ClusterId, wanted: &Wanted) {
        let namespaces = wanted.namespaces.clone().unwrap_or_else(|| {
            let known = self.namespaces[cluster.index()].iter().take(MOST_NAMESPACES).cloned();
            let by_labels = wanted.labels.iter().any(|(key, _)| key.starts_with(NAMESPACE_LABELS));
            let known: Vec<String> = if by_labels { Vec::new() } else { known.collect() };
            std::iter::once(self.another.clone()).chain(known).collect()
        });
        let mut sets: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
        for (key, values) in &wanted.labels {
            let room = (MOST_VALUES / sets.len()).max(1);
            let values: Vec<_> = values.iter().take(room).collect();
            sets = sets
                .iter()
                .flat_map(|set| {
                    values.iter().map(|value| {
                        let mut set = set.clone();
                        set.push((&**key, &***value));
                        set
                    })
                })
                .collect();
        }
        for namespace in &namespaces {
            for set in &sets {
                self.put(cluster, namespace, set);
            }
        }
    }

    /// Adds a pod unless one that looks the same to every selector is there.
    fn put(&mut self, cluster: ClusterId, namespace: &str, labels: &[(&str, &str)]) {
        if self.added.len() >= MOST {
            self.full = true;
            return;
        }
        let of_namespace =
            |key: &str| key.strip_prefix(NAMESPACE_LABELS)?.strip_prefix('.').map(str::to_owned);
        let known = self.labels.get(&(cluster, namespace.to_owned()));
        let mut of: BTreeMap<String, String> =
            BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), namespace.to_owned())]);
        of.extend(known.into_iter().flatten().cloned());
        let named = labels
            .iter()
            .filter_map(|(key, value)| Some((of_namespace(key)?, (*value).to_owned())));
        of.extend(named);
        let namespace_labels: Vec<(&str, &str)> =
            of.iter().map(|(key, value)| (&**key, &**value)).collect();
        let own: Vec<(&str, &str)> =
            labels.iter().filter(|(key, _)| of_namespace(key).is_none()).copied().collect();
        let identity = Identity::pod(&Pod {
            cluster: &self.names[cluster.index()],
            namespace,
            service_account: None,
            labels: &own,
            namespace_labels: &namespace_labels,
        });
        let shown = self.shown(&identity);
        if !self.seen.insert((cluster, shown)) {
            return;
        }
        let place = if namespace == self.another { "(another namespace)" } else { namespace };
        let pairs: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let pod = match pairs.as_slice() {
            [] if namespace == self.another => "(any pod)".to_owned(),
            [] => "(any other pod)".to_owned(),
            pairs => format!("(pod with {})", pairs.join(", ")),
        };
        self.added.push(Endpoint {
            cluster,
            name: format!("{place}/{pod}"),
            identity,
            standing: Standing::Possible,
            span: None,
            serves: Vec::new(),
        });
    }

    /// The labels of an identity that some selector can see.
    fn shown(&self, identity: &Identity) -> Labels {
        identity.labels.iter().filter(|label| self.keys.contains(&label.key)).cloned().collect()
    }
}

/// What the smallest pod of a selector has; nothing for a selector of what is no pod.
fn wanted(selector: &Selector) -> Option<Wanted> {
    let mut known = Wanted::default();
    for one in selector.requirements().filter(|one| !one.operator.is_negative()) {
        if !matches!(one.key.source, None | Some(Source::K8s)) {
            return None;
        }
        let key = &*one.key.key;
        let texts = || Some(one.values.iter().map(|value| value.to_string()).collect::<Vec<_>>());
        match (key, one.operator) {
            (CLUSTER, Operator::Exists) | (NAMESPACE, Operator::Exists) => {}
            (CLUSTER, _) => known.clusters = texts(),
            (NAMESPACE, _) => known.namespaces = texts(),
            (_, Operator::Exists) => known.labels.push((key.into(), vec![ANY.into()])),
            _ => known.labels.push((key.into(), one.values.iter().cloned().collect())),
        }
    }
    // A key that must be there beside one that says its value is there already.
    let mut labels: BTreeMap<Box<str>, Vec<Box<str>>> = BTreeMap::new();
    for (key, values) in known.labels {
        let exists = values.len() == 1 && &*values[0] == ANY;
        match labels.get_mut(&key) {
            Some(_) if exists => {}
            Some(had) => *had = values,
            None => {
                labels.insert(key, values);
            }
        }
    }
    known.labels = labels.into_iter().collect();
    Some(known)
}

#[cfg(test)]
mod tests;
