//! Finds the endpoints that a selector selects without asking every one.

use std::collections::BTreeMap;

use super::mesh::{EndpointId, Mesh};
use crate::policy::selector::{Operator, Requirement};
use crate::policy::{Selector, Source};

/// The endpoints of a mesh by their labels.
#[derive(Clone, Debug)]
pub(super) struct Index<'m> {
    mesh: &'m Mesh,
    all: Vec<EndpointId>,
    labels: BTreeMap<(&'m str, &'m str), Vec<EndpointId>>,
}

impl<'m> Index<'m> {
    pub(super) fn new(mesh: &'m Mesh) -> Self {
        let mut labels: BTreeMap<(&str, &str), Vec<EndpointId>> = BTreeMap::new();
        for (id, endpoint) in mesh.endpoints() {
            for label in endpoint.identity.labels.iter() {
                let known = labels.entry((&label.key, &label.value)).or_default();
                // A key of two sources is one key here.
                if known.last() != Some(&id) {
                    known.push(id);
                }
            }
        }
        Self { mesh, all: mesh.endpoints().map(|(id, _)| id).collect(), labels }
    }

    /// The endpoints that a selector selects, sorted.
    pub(super) fn selected(&self, selector: &Selector) -> Vec<EndpointId> {
        let matches = |id: &EndpointId| selector.matches(&self.mesh.endpoint(*id).identity.labels);
        let lists = selector.requirements().filter_map(|wanted| self.lists(wanted));
        let Some(lists) =
            lists.min_by_key(|lists| lists.iter().map(|ids| ids.len()).sum::<usize>())
        else {
            return self.all.iter().copied().filter(matches).collect();
        };
        let mut ids: Vec<_> = lists.into_iter().flatten().copied().filter(matches).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The endpoints that have one of the values that a requirement wants; nothing where it does
    /// not say values, or means the addresses in a range.
    fn lists<'s>(&'s self, wanted: &'s Requirement) -> Option<Vec<&'s [EndpointId]>> {
        if wanted.operator != Operator::In || wanted.key.source == Some(Source::Cidr) {
            return None;
        }
        let known = |value| self.labels.get(&(&*wanted.key.key, value)).map(Vec::as_slice);
        Some(wanted.values.iter().filter_map(|value| known(&**value)).collect())
    }
}
