//! Names of many endpoints at once, so that a list of them stays readable.

use std::collections::{BTreeMap, BTreeSet};

/// Everyone who is named.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Sorted.
    members: Vec<Name>,
    of_cluster: BTreeMap<String, usize>,
    of_namespace: BTreeMap<(String, String), usize>,
    /// The clusters in which there is a workload or a namespace of a name.
    places: BTreeMap<String, BTreeSet<String>>,
}

/// A name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The namespace.
    pub namespace: String,
    /// `namespace/workload`.
    pub name: String,
    /// The cluster.
    pub cluster: String,
}

impl Roster {
    /// Takes names in, each once.
    pub fn new(names: impl IntoIterator<Item = Name>) -> Self {
        let members: BTreeSet<Name> = names.into_iter().collect();
        let mut roster = Self { members: members.into_iter().collect(), ..Self::default() };
        for Name { namespace, name, cluster } in &roster.members {
            *roster.of_cluster.entry(cluster.clone()).or_default() += 1;
            let key = (namespace.clone(), cluster.clone());
            *roster.of_namespace.entry(key).or_default() += 1;
            for part in [name.clone(), format!("{namespace}/*")] {
                roster.places.entry(part).or_default().insert(cluster.clone());
            }
        }
        roster
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The name of a member.
    pub fn get(&self, at: usize) -> &Name {
        &self.members[at]
    }

    /// All names.
    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        self.members.iter()
    }

    /// The member of a name.
    pub fn find(&self, name: &Name) -> Option<usize> {
        self.members.binary_search(name).ok()
    }

    /// What some members are called together: `*` stands for everything in a namespace, a cluster
    /// or, after `@`, for every cluster that has it.
    pub fn describe(&self, some: &[usize]) -> Vec<String> {
        if some.len() == self.len() && self.of_cluster.len() > 1 {
            return vec!["*@*".to_owned()];
        }
        let mut clusters: BTreeMap<&str, usize> = BTreeMap::new();
        let mut namespaces: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for at in some {
            let Name { namespace, cluster, .. } = self.get(*at);
            *clusters.entry(cluster).or_default() += 1;
            *namespaces.entry((namespace, cluster)).or_default() += 1;
        }
        let whole = |cluster: &str| {
            clusters
                .get(cluster)
                .is_some_and(|count| *count > 1 && *count == self.of_cluster[cluster])
        };
        let mut parts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for at in some {
            let Name { namespace, name, cluster } = self.get(*at);
            let count = namespaces[&(namespace.as_str(), cluster.as_str())];
            let key = (namespace.clone(), cluster.clone());
            let part = if whole(cluster) {
                "*".to_owned()
            } else if count > 1 && count == self.of_namespace[&key] {
                format!("{namespace}/*")
            } else {
                name.clone()
            };
            parts.entry(part).or_default().insert(cluster);
        }
        let mut names = Vec::new();
        for (part, clusters) in parts {
            let all = self.places.get(&part).map_or(self.of_cluster.len(), BTreeSet::len);
            if clusters.len() > 1 && clusters.len() == all {
                names.push(format!("{part}@*"));
            } else {
                names.extend(clusters.iter().map(|cluster| format!("{part}@{cluster}")));
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster() -> Roster {
        let all = ["shop/web@a", "shop/api@a", "ops/log@a", "shop/web@b", "shop/api@b", "ops/x@b"];
        Roster::new(all.map(|text| {
            let (name, cluster) = text.split_once('@').expect("a name");
            let (namespace, _) = name.split_once('/').expect("a name");
            let text = |part: &str| part.to_owned();
            Name { namespace: text(namespace), name: text(name), cluster: text(cluster) }
        }))
    }

    #[test]
    fn what_is_whole_has_one_name() {
        let roster = roster();
        let of = |wanted: &[&str]| {
            let is = |at: &usize| {
                let Name { name, cluster, .. } = roster.get(*at);
                wanted.contains(&&*format!("{name}@{cluster}"))
            };
            let some: Vec<usize> = (0..roster.len()).filter(is).collect();
            assert_eq!(some.len(), wanted.len());
            roster.describe(&some).join(" ")
        };
        assert_eq!(of(&["shop/web@a"]), "shop/web@a");
        assert_eq!(of(&["shop/web@a", "shop/web@b"]), "shop/web@*");
        assert_eq!(of(&["shop/web@a", "shop/api@a"]), "shop/*@a");
        assert_eq!(of(&["shop/web@a", "shop/api@a", "ops/log@a"]), "*@a");
        assert_eq!(of(&["shop/web@a", "shop/api@a", "shop/web@b", "shop/api@b"]), "shop/*@*");
        assert_eq!(of(&["shop/web@a", "ops/x@b"]), "ops/x@b shop/web@a");
        let all: Vec<usize> = (0..roster.len()).collect();
        assert_eq!(roster.describe(&all), ["*@*"]);
    }

    #[test]
    fn the_only_one_of_a_cluster_keeps_its_name() {
        let name = |cluster: &str, name: &str| Name {
            namespace: "shop".to_owned(),
            name: format!("shop/{name}"),
            cluster: cluster.to_owned(),
        };
        let roster = Roster::new([name("a", "web"), name("b", "web"), name("b", "api")]);
        let of = |cluster: &str| {
            let own = (0..roster.len()).filter(|at| roster.get(*at).cluster == cluster);
            roster.describe(&own.collect::<Vec<_>>()).join(" ")
        };
        assert_eq!([of("a"), of("b")], ["shop/web@a", "*@b"]);
        assert!(!roster.is_empty() && Roster::new([]).is_empty());
    }
}
