//! The policies and flows of a step, put together as people read them: one policy of many clusters
//! is one, and its flows stand below it.

use std::collections::BTreeMap;

use crate::policy::rule::Remark;
use crate::source::Span;
use crate::topology::ClusterId;
use crate::upgrade::Outcome;
use crate::upgrade::cause::Cause;
use crate::upgrade::flows::FlowChange;
use crate::upgrade::policies::{Fate, PolicyChange};

/// A policy with what its change does, or a change that no policy shows.
pub(super) struct Group<'a> {
    pub(super) policy: Option<&'a PolicyChange>,
    /// The clusters in which it changes.
    pub(super) clusters: Vec<ClusterId>,
    pub(super) causes: Vec<&'static Cause>,
    pub(super) remarks: Vec<&'a Remark>,
    /// Its flows with their indices; a flow of several policies stands below the first.
    pub(super) flows: Vec<(usize, &'a FlowChange)>,
}

/// What tells the policies of several clusters apart.
type Key = (String, Span, &'static str);

/// The policies that change something or are refused, accepted or remarked; and how many others
/// are read otherwise without any consequence.
pub(super) fn of(outcome: &Outcome) -> (Vec<Group<'_>>, usize) {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    let mut places: Vec<usize> = Vec::new();
    for change in &outcome.policies {
        let key = (change.title(), change.span, change.fate.name());
        let at = *known.entry(key).or_insert_with(|| {
            groups.push(Group {
                policy: Some(change),
                clusters: Vec::new(),
                causes: change.causes.clone(),
                remarks: change.remarks.iter().collect(),
                flows: Vec::new(),
            });
            groups.len() - 1
        });
        groups[at].clusters.push(change.cluster);
        places.push(at);
    }
    let mut unnamed: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for (index, flow) in outcome.flows.changes.iter().enumerate() {
        let at = if let Some(policy) = flow.policies.first() {
            places[*policy]
        } else {
            let names = flow.causes.iter().map(|cause| cause.name).collect();
            *unnamed.entry(names).or_insert_with(|| {
                let causes = flow.causes.clone();
                let (clusters, flows) = (Vec::new(), Vec::new());
                groups.push(Group { policy: None, clusters, causes, remarks: Vec::new(), flows });
                groups.len() - 1
            })
        };
        groups[at].flows.push((index, flow));
    }
    let counts = |group: &Group<'_>| {
        !group.flows.is_empty()
            || !group.remarks.is_empty()
            || group.policy.is_some_and(|change| {
                matches!(change.fate, Fate::Refused(_) | Fate::Accepted(_))
                    || change.flows != (0, 0)
            })
    };
    let all = groups.len();
    groups.retain(counts);
    let silent = all - groups.len();
    (groups, silent)
}

/// What becomes of a policy, as the rest of a sentence.
pub(super) fn fate(change: &PolicyChange) -> String {
    match &change.fate {
        Fate::Refused(why) => format!("is refused and enforces nothing: {why}"),
        Fate::Accepted(why) => format!("was refused and is enforced; until now: {why}"),
        Fate::ReadOtherwise => "is read otherwise".to_owned(),
        Fate::MeansOtherwise => "means something else".to_owned(),
        Fate::Remarked => "is remarked".to_owned(),
    }
}
