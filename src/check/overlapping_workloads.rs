//! Two workloads whose selectors match the same pods.

use std::collections::{BTreeMap, BTreeSet};

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::{ClusterId, NamespaceId, Topology, Workload, WorkloadId};

declare_rules! {
    /// ## What it does
    /// Reports two workloads of one namespace that run in the same cluster, where the labels of
    /// one are among the labels of the other. Two that have different service accounts are told
    /// apart by policies, so they count only where a service is in front of the wider one.
    ///
    /// ## Why it matters
    /// Labels are all that selects pods. Every policy and Service of the workload with fewer labels
    /// is one of the other's pods too: they may call and be called as the first, and answer
    /// requests that are meant for it.
    ///
    /// ## Example
    /// ```yaml
    /// workloads:
    ///   api: {labels: {app: api}, clusters: [use1]}
    ///   api-admin: {labels: {app: api, part: admin}, clusters: [use1]}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// workloads:
    ///   api: {labels: {app: api, part: public}, clusters: [use1]}
    ///   api-admin: {labels: {app: api, part: admin}, clusters: [use1]}
    /// ```
    pub static OVERLAPPING_WORKLOADS = { code: "LB2039", name: "overlapping-workloads", summary: "two workloads whose labels match the same pods", severity: Warning };
}

/// Most comparisons of two sets of labels. Labels that tell workloads apart need few: sets are
/// only compared where one has the rarest label of the other.
const MOST: usize = 20_000_000;

type Label<'a> = (&'a str, &'a str);

/// Workloads of one namespace with the same labels and the same service account.
struct Group<'a> {
    labels: BTreeSet<Label<'a>>,
    account: Option<&'a str>,
    members: Vec<WorkloadId>,
    /// One of them for each cluster in which any runs.
    by_cluster: BTreeMap<ClusterId, WorkloadId>,
    /// The same of those with a service in front.
    fronted: BTreeMap<ClusterId, WorkloadId>,
}

/// Reports each workload once, with the first whose labels match its pods.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let fronted: BTreeSet<_> = topology.services.iter().map(|service| service.workload).collect();
    let mut namespaces: BTreeMap<NamespaceId, Vec<WorkloadId>> = BTreeMap::new();
    for (at, workload) in topology.workloads.iter().enumerate() {
        // One without labels has been reported.
        if !workload.labels.is_empty() {
            namespaces.entry(workload.namespace).or_default().push(WorkloadId::new(at));
        }
    }
    let mut left = MOST;
    for (namespace, workloads) in &namespaces {
        let groups = groups(topology, workloads, &fronted);
        let Some(pairs) = pairs(topology, &groups, &mut left) else {
            let name = &topology.namespace(*namespace).name;
            let what = format!("whether workloads of `{}` match the same pods", name.value);
            found.not_checked(name.span, what, "too many of them share their labels");
            return;
        };
        for (narrow, wide) in pairs {
            found.push(finding(topology.workload(narrow), topology.workload(wide)));
        }
    }
}

fn groups<'a>(
    topology: &'a Topology,
    workloads: &[WorkloadId],
    fronted: &BTreeSet<WorkloadId>,
) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<_, Group<'a>> = BTreeMap::new();
    for id in workloads {
        let workload = topology.workload(*id);
        let account = workload.service_account.as_deref();
        let group = groups.entry((&workload.labels, account)).or_insert_with(|| Group {
            labels: workload.labels.iter().map(|(key, value)| (&**key, &**value)).collect(),
            account,
            members: Vec::new(),
            by_cluster: BTreeMap::new(),
            fronted: BTreeMap::new(),
        });
        group.members.push(*id);
        for cluster in workload.clusters.iter() {
            group.by_cluster.entry(cluster).or_insert(*id);
            if fronted.contains(id) {
                group.fronted.entry(cluster).or_insert(*id);
            }
        }
    }
    groups.into_values().collect()
}

/// Each workload with one whose labels match its pods; nothing where they are too many to compare.
fn pairs(
    topology: &Topology,
    groups: &[Group<'_>],
    left: &mut usize,
) -> Option<Vec<(WorkloadId, WorkloadId)>> {
    let mut count: BTreeMap<Label<'_>, usize> = BTreeMap::new();
    for label in groups.iter().flat_map(|group| &group.labels) {
        *count.entry(*label).or_default() += 1;
    }
    let mut by_rarest: BTreeMap<Label<'_>, Vec<&Group<'_>>> = BTreeMap::new();
    for group in groups {
        if let Some(rarest) = group.labels.iter().min_by_key(|label| count[*label]) {
            by_rarest.entry(*rarest).or_default().push(group);
        }
    }
    let (mut pairs, mut taken) = (Vec::new(), BTreeSet::new());
    for narrow in groups {
        for wide in narrow.labels.iter().filter_map(|label| by_rarest.get(label)).flatten() {
            *left = left.checked_sub(1)?;
            if !wide.labels.is_subset(&narrow.labels) {
                continue;
            }
            let apart = narrow.account.zip(wide.account).is_some_and(|(a, b)| a != b);
            let others = if apart { &wide.fronted } else { &wide.by_cluster };
            for own in &narrow.members {
                *left = left.checked_sub(1)?;
                let mut clusters = topology.workload(*own).clusters.iter();
                let other = clusters.find_map(|id| others.get(&id).filter(|other| *other != own));
                if let Some(other) = other.filter(|_| !taken.contains(own)) {
                    pairs.push((*own, *other));
                    taken.insert(*own);
                    // Of two that are equal one is enough.
                    if narrow.labels.len() == wide.labels.len() {
                        taken.insert(*other);
                    }
                }
            }
        }
    }
    Some(pairs)
}

fn finding(narrow: &Workload, wide: &Workload) -> Diagnostic {
    let (own, other) = (&narrow.name, &wide.name);
    let message = if narrow.labels == wide.labels {
        format!("the workloads `{}` and `{}` have the same labels", own.value, other.value)
    } else {
        format!("the labels of `{}` match the pods of `{}` too", other.value, own.value)
    };
    Diagnostic::new(&OVERLAPPING_WORKLOADS, own.span, message)
        .related(other.span, format!("`{}`", other.value))
        .help(format!("give `{}` a label that `{}` does not have", other.value, own.value))
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn findings(workloads: &str) -> Vec<String> {
        let text = TWO_CLUSTERS.replace("  workloads:\n", &format!("  workloads:\n{workloads}\n"));
        let (_, found) = resolved(&text);
        let own = found.iter().filter(|line| line.contains(" LB2039 "));
        own.map(|line| line.split_once(" LB2039 ").unwrap().1.to_owned()).collect()
    }

    #[test]
    fn pods_are_matched_where_one_has_all_labels_of_the_other() {
        let both = "clusters: [use1, euw1]";
        for (workloads, expected) in [
            (format!("    a: {{labels: {{x: one}}, {both}}}"), None),
            (
                format!("    a: {{labels: {{app: fraud-detection, part: a}}, {both}}}"),
                Some("the labels of `fraud-detection` match the pods of `a` too"),
            ),
            (
                "    a: {labels: {app: payment-frontend, part: a}, clusters: [use1]}".to_owned(),
                None,
            ),
            (
                format!(
                    "    a: {{labels: {{x: one}}, {both}}}\n    b: {{labels: {{x: one}}, {both}}}"
                ),
                Some("the workloads `b` and `a` have the same labels"),
            ),
            (
                format!(
                    "    a: {{labels: {{x: one}}, {both}, serviceAccount: a}}\n    b: {{labels: {{x: one}}, {both}, serviceAccount: b}}"
                ),
                None,
            ),
            (
                format!(
                    "    a: {{labels: {{app: fraud-detection, x: one}}, {both}, serviceAccount: a}}"
                ),
                Some("the labels of `fraud-detection` match the pods of `a` too"),
            ),
        ] {
            assert_eq!(findings(&workloads), Vec::from_iter(expected), "{workloads}");
        }
    }

    #[test]
    fn many_of_one_label_are_compared_with_the_first() {
        let workload = |n: usize| format!("    w{n:05}: {{labels: {{x: one}}, clusters: [use1]}}");
        let many: Vec<_> = (0..500).map(workload).collect();
        assert_eq!(findings(&many.join("\n")).len(), 499);
    }
}
