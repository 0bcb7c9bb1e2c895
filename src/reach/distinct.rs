//! Selectors that are the same, told apart once.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rayon::prelude::*;

use crate::policy::Selector;

/// Some selectors, and which of them are the same.
#[derive(Clone, Debug)]
pub(super) struct Distinct<'s> {
    /// Each selector once, in the order of its first place.
    pub(super) selectors: Vec<&'s Selector>,
    /// For each of those that were given, its place in `selectors`.
    pub(super) places: Vec<u32>,
}

impl<'s> Distinct<'s> {
    /// Compares selectors by a hash first: those of a large mesh list hundreds of clusters.
    pub(super) fn of(given: &[&'s Selector]) -> Self {
        let hash = |selector: &&Selector| {
            let mut hasher = DefaultHasher::new();
            selector.hash(&mut hasher);
            hasher.finish()
        };
        let mut order: Vec<(u64, u32)> = given.par_iter().map(hash).zip(0..u32::MAX).collect();
        order.par_sort_unstable();
        // For each selector the first one that is the same.
        let mut firsts: Vec<u32> = vec![0; given.len()];
        for same_hash in order.chunk_by(|one, other| one.0 == other.0) {
            let mut known: Vec<u32> = Vec::new();
            for (_, at) in same_hash {
                let same = |first: &&u32| given[**first as usize] == given[*at as usize];
                let first = known.iter().find(same).copied();
                if first.is_none() {
                    known.push(*at);
                }
                firsts[*at as usize] = first.unwrap_or(*at);
            }
        }
        let (mut selectors, mut places) = (Vec::new(), vec![0; given.len()]);
        for (at, first) in (0..).zip(firsts) {
            places[at as usize] = if first == at {
                selectors.push(given[at as usize]);
                u32::try_from(selectors.len() - 1).expect("internal error: 2^32 selectors")
            } else {
                places[first as usize]
            };
        }
        Self { selectors, places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_selector_is_there_once() {
        let [a, b] = ["health", "ingress"].map(Selector::reserved);
        let copy = a.clone();
        let distinct = Distinct::of(&[&a, &b, &copy, &b]);
        assert_eq!(distinct.selectors, [&a, &b]);
        assert_eq!(distinct.places, [0, 1, 0, 1]);
    }
}
