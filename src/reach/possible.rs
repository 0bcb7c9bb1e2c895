//! Pods that nobody declares and that may be there all the same: what the selectors of the
//! policies can tell apart.
//!
//! A selector with positive requirements selects more than its smallest set of labels; but each
//! further label can only be noticed by another selector, which has a smallest set of its own. So
//! that one pod for each selector, one without any label in each namespace, and one in a namespace
//! that nobody names, stand for all others. A pod that is told apart only by the labels of two
//! selectors at once, neither of which is enough, is not among them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::distinct::Distinct;
use super::mesh::{Endpoint, Mesh, Standing};
use crate::diagnostic::NotChecked;
use crate::policy::label::{CLUSTER, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT};
use crate::policy::selector::Operator;
use crate::policy::{Identity, Labels, Pod, Selector, Source};
use crate::topology::ClusterId;
use crate::topology::pods::NAMESPACE_NAME;

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
    add_beside(mesh, []);
}

/// The same where labels with these keys tell pods apart as well, whatever the policies say.
pub fn add_beside(mesh: &mut Mesh, keys: impl IntoIterator<Item = Box<str>>) {
    let mut selectors = Selectors::of(mesh);
    selectors.keys.extend(keys);
    let names = Names::of(mesh, &selectors);
    let mut there: Vec<Vec<&Endpoint>> = vec![Vec::new(); mesh.clusters.len()];
    for endpoint in &mesh.endpoints {
        there[endpoint.cluster.index()].push(endpoint);
    }
    let most = MOST / mesh.clusters.len().max(1);
    let added: Vec<(Vec<Endpoint>, bool)> = there
        .par_iter()
        .enumerate()
        .map(|(at, there)| {
            let cluster = ClusterId::new(at);
            let mut possible = Possible::new(mesh, &names, cluster, there, most);
            possible.put(&names.another, &[]);
            for namespace in &names.namespaces[at] {
                possible.put(namespace, &[]);
            }
            for wanted in &selectors.wanted[at] {
                possible.smallest(&selectors.all[*wanted as usize]);
            }
            (possible.added, possible.full)
        })
        .collect();
    let full = added.iter().any(|(_, full)| *full);
    mesh.endpoints.extend(added.into_iter().flat_map(|(added, _)| added));
    if full && let Some(member) = mesh.clusters.first() {
        mesh.unread.push(NotChecked {
            what: "pods that nobody declares".to_owned(),
            why: format!("policies tell more than {most} sorts of them apart in a cluster"),
            span: member.span,
        });
    }
}

/// What the smallest pods of the selectors of a mesh have, each selector once.
struct Selectors {
    all: Vec<Wanted>,
    /// Those that are looked at in each cluster.
    wanted: Vec<Vec<u32>>,
    /// The keys that some selector names, or somebody else.
    keys: BTreeSet<Box<str>>,
}

impl Selectors {
    fn of(mesh: &Mesh) -> Self {
        let (policies, of_clusters) = mesh.distinct_policies();
        // The selectors of each policy, and whether one is a subject.
        let (mut given, mut said) = (Vec::new(), Vec::with_capacity(policies.len()));
        for policy in policies {
            let start = given.len();
            let mut subjects = Vec::new();
            for rule in &policy.rules {
                if !rule.node {
                    subjects.push(given.len());
                    given.push(&rule.subject);
                }
                given.extend(rule.peers.selectors());
            }
            said.push((start..given.len(), subjects));
        }
        let distinct = Distinct::of(&given);
        let keys = distinct.selectors.iter().flat_map(|one| one.requirements());
        let keys = keys.map(|wanted| &wanted.key.key).collect::<BTreeSet<_>>();
        let clusters: BTreeMap<&str, ClusterId> =
            mesh.clusters().map(|(id, member)| (member.name.as_str(), id)).collect();
        let all: Vec<Option<Wanted>> =
            distinct.selectors.par_iter().map(|one| Wanted::of(one, &clusters)).collect();
        let said: Vec<Vec<(u32, bool)>> = said
            .into_iter()
            .map(|(range, subjects)| {
                let is_subject = |at: &usize| subjects.binary_search(at).is_ok();
                let mut own: Vec<(u32, bool)> =
                    range.map(|at| (distinct.places[at], is_subject(&at))).collect();
                own.sort_unstable();
                own.dedup();
                own
            })
            .collect();
        let mut wanted: Vec<Vec<u32>> = vec![Vec::new(); mesh.clusters.len()];
        // Peers that say their clusters are looked at in the same ones wherever the policy is.
        let mut done = vec![false; all.len()];
        for (id, policies) in mesh.clusters().map(|(id, _)| id).zip(&of_clusters) {
            for (at, is_subject) in policies.iter().flat_map(|policy| &said[*policy as usize]) {
                let Some(known) = &all[*at as usize] else { continue };
                if *is_subject {
                    wanted[id.index()].push(*at);
                    continue;
                }
                let everywhere = known.clusters.is_some();
                if everywhere && std::mem::replace(&mut done[*at as usize], true) {
                    continue;
                }
                for cluster in places(mesh, id, known) {
                    wanted[cluster.index()].push(*at);
                }
            }
        }
        wanted.par_iter_mut().for_each(|wanted| {
            wanted.sort_unstable();
            wanted.dedup();
        });
        Self {
            all: all.into_iter().map(Option::unwrap_or_default).collect(),
            wanted,
            keys: keys.into_iter().cloned().collect(),
        }
    }
}

/// The clusters in which a peer of a policy in a cluster is looked at. One that says none may be
/// in any: its own and the next one that is joined stand for all.
fn places(mesh: &Mesh, own: ClusterId, wanted: &Wanted) -> Vec<ClusterId> {
    if let Some(clusters) = &wanted.clusters {
        return clusters.clone();
    }
    let joined = &mesh.cluster(own).joined;
    let after = joined.iter().find(|id| *id > own);
    let other = after.or_else(|| joined.iter().find(|id| *id != own));
    std::iter::once(own).chain(other).collect()
}

/// The namespaces that somebody names, and one that nobody does.
struct Names<'k> {
    namespaces: Vec<BTreeSet<String>>,
    another: String,
    keys: &'k BTreeSet<Box<str>>,
}

impl<'k> Names<'k> {
    fn of(mesh: &Mesh, selectors: &'k Selectors) -> Self {
        let mut namespaces: Vec<BTreeSet<String>> = vec![BTreeSet::new(); mesh.clusters.len()];
        for endpoint in &mesh.endpoints {
            let known = &mut namespaces[endpoint.cluster.index()];
            if let Some(name) = endpoint.identity.namespace()
                && !known.contains(name)
            {
                known.insert(name.to_owned());
            }
        }
        for (at, member) in mesh.clusters.iter().enumerate() {
            let own = member.policies.iter().filter_map(|one| one.policy.namespace.clone());
            namespaces[at].extend(own);
            for wanted in &selectors.wanted[at] {
                let named = selectors.all[*wanted as usize].namespaces.iter().flatten();
                namespaces[at].extend(named.cloned());
            }
        }
        let taken = |name: &str| namespaces.iter().any(|known| known.contains(name));
        let numbered = (1..).map(|at| format!("another-{at}"));
        let mut free = std::iter::once("another".to_owned()).chain(numbered);
        let another = free.find(|name| !taken(name)).unwrap_or_default();
        Self { namespaces, another, keys: &selectors.keys }
    }
}

/// The pods that may be there in one cluster, as far as they are known.
struct Possible<'a> {
    cluster: ClusterId,
    name: &'a str,
    names: &'a Names<'a>,
    /// The labels of namespaces.
    labels: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
    /// What is there, as selectors see it.
    seen: BTreeSet<Labels>,
    added: Vec<Endpoint>,
    most: usize,
    full: bool,
}

impl<'a> Possible<'a> {
    fn new(
        mesh: &'a Mesh,
        names: &'a Names<'a>,
        cluster: ClusterId,
        there: &[&'a Endpoint],
        most: usize,
    ) -> Self {
        let mut possible = Self {
            cluster,
            name: &mesh.cluster(cluster).name,
            names,
            labels: BTreeMap::new(),
            seen: BTreeSet::new(),
            added: Vec::new(),
            most,
            full: false,
        };
        for endpoint in there {
            let seen = possible.shown(&endpoint.identity);
            possible.seen.insert(seen);
            let Some(namespace) = endpoint.identity.namespace() else { continue };
            possible.labels.entry(namespace).or_insert_with(|| {
                let labels = endpoint.identity.labels.iter();
                labels.filter_map(|one| Some((of_namespace(&one.key)?, &*one.value))).collect()
            });
        }
        possible
    }

    /// Adds the smallest pods of a selector.
    fn smallest(&mut self, wanted: &Wanted) {
        let by_labels = || wanted.labels.iter().any(|(key, _)| of_namespace(key).is_some());
        let names = self.names;
        let namespaces: Vec<&str> = match &wanted.namespaces {
            Some(named) => named.iter().map(String::as_str).collect(),
            None if by_labels() => vec![&names.another],
            None => {
                let known = names.namespaces[self.cluster.index()].iter().take(MOST_NAMESPACES);
                std::iter::once(&names.another).chain(known).map(String::as_str).collect()
            }
        };
        let mut sets: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
        for (key, values) in &wanted.labels {
            let room = (MOST_VALUES / sets.len()).max(1);
            let with = |set: &Vec<_>, value| set.iter().copied().chain([(&**key, value)]).collect();
            let values: Vec<&str> = values.iter().take(room).map(|value| &**value).collect();
            let wider = sets.iter().flat_map(|set| values.iter().map(|value| with(set, *value)));
            sets = wider.collect();
        }
        for namespace in namespaces {
            for set in &sets {
                self.put(namespace, set);
            }
        }
    }

    /// Adds a pod unless one that looks the same to every selector is there.
    fn put(&mut self, namespace: &str, labels: &[(&str, &str)]) {
        if self.added.len() >= self.most {
            self.full = true;
            return;
        }
        let known = self.labels.get(namespace).into_iter().flatten().copied();
        let identity = identity(self.name, namespace, labels, known);
        let shown = self.shown(&identity);
        if !self.seen.insert(shown) {
            return;
        }
        let another = namespace == self.names.another;
        let place = if another { "(another namespace)" } else { namespace };
        let mut endpoint = endpoint(self.cluster, place, labels, identity);
        if another && labels.is_empty() {
            endpoint.name = format!("{place}/(any pod)");
        }
        self.added.push(endpoint);
    }

    /// The labels of an identity that some selector can see.
    fn shown(&self, identity: &Identity) -> Labels {
        let seen = identity.labels.iter().filter(|label| self.names.keys.contains(&label.key));
        seen.cloned().collect()
    }
}

/// Who a pod with some labels is. Those with the prefix of a namespace's are its namespace's, over
/// those that are `known` of that.
pub(crate) fn identity<'l>(
    cluster: &str,
    namespace: &'l str,
    labels: &[(&'l str, &'l str)],
    known: impl IntoIterator<Item = (&'l str, &'l str)>,
) -> Identity {
    let mut of = BTreeMap::from([(NAMESPACE_NAME, namespace)]);
    of.extend(known);
    of.extend(labels.iter().filter_map(|(key, value)| Some((of_namespace(key)?, *value))));
    let own = labels.iter().filter(|(key, _)| of_namespace(key).is_none());
    Identity::pod(&Pod {
        cluster,
        namespace,
        service_account: None,
        labels: &own.copied().collect::<Vec<_>>(),
        namespace_labels: &of.into_iter().collect::<Vec<_>>(),
    })
}

/// A pod that may be there, called by its place and its labels.
pub(crate) fn endpoint(
    cluster: ClusterId,
    place: &str,
    labels: &[(&str, &str)],
    identity: Identity,
) -> Endpoint {
    let said = labels.iter().map(|(key, value)| match *key {
        SERVICE_ACCOUNT => format!("service account {value}"),
        key => format!("{key}={value}"),
    });
    let said: Vec<String> = said.collect();
    let pod = if said.is_empty() {
        "(any other pod)".to_owned()
    } else {
        format!("(pod with {})", said.join(", "))
    };
    Endpoint {
        cluster,
        name: format!("{place}/{pod}"),
        identity,
        standing: Standing::Possible,
        span: None,
        serves: Vec::new(),
    }
}

/// The key of a namespace's label among those of its pods.
fn of_namespace(key: &str) -> Option<&str> {
    key.strip_prefix(NAMESPACE_LABELS)?.strip_prefix('.')
}

/// What the smallest pod of a selector has.
#[derive(Default)]
struct Wanted {
    clusters: Option<Vec<ClusterId>>,
    namespaces: Option<Vec<String>>,
    /// The values of each other label.
    labels: Vec<(Box<str>, Vec<Box<str>>)>,
}

impl Wanted {
    /// Nothing for a selector of what is no pod.
    fn of(selector: &Selector, clusters: &BTreeMap<&str, ClusterId>) -> Option<Self> {
        let mut known = Self::default();
        let mut labels: BTreeMap<Box<str>, Vec<Box<str>>> = BTreeMap::new();
        let mut any: BTreeSet<Box<str>> = BTreeSet::new();
        for one in selector.requirements().filter(|one| !one.operator.is_negative()) {
            if !matches!(one.key.source, None | Some(Source::K8s)) {
                return None;
            }
            let values = || one.values.iter();
            match (&*one.key.key, one.operator) {
                (CLUSTER | NAMESPACE, Operator::Exists) => {}
                (CLUSTER, _) => {
                    let ids = values().filter_map(|name| clusters.get(&**name));
                    known.clusters = Some(ids.copied().collect());
                }
                (NAMESPACE, _) => {
                    known.namespaces = Some(values().map(ToString::to_string).collect());
                }
                // The label by which Kubernetes names a namespace is its name.
                (key, Operator::In)
                    if key.strip_prefix(NAMESPACE_LABELS)
                        == Some(".kubernetes.io/metadata.name") =>
                {
                    known.namespaces = Some(values().map(ToString::to_string).collect());
                }
                (key, Operator::Exists) => {
                    any.insert(key.into());
                }
                (key, _) => {
                    labels.insert(key.into(), values().cloned().collect());
                }
            }
        }
        for key in any {
            labels.entry(key).or_insert_with(|| vec![ANY.into()]);
        }
        known.labels = labels.into_iter().collect();
        Some(known)
    }
}

#[cfg(test)]
mod tests;
