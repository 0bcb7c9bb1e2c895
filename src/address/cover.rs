//! Which ranges lie in others.

use super::Range;

/// Ranges that are asked whether one of them has all addresses of another.
#[derive(Clone, Debug, Default)]
pub struct Cover {
    /// By family and first address, each with the last address that one up to it has.
    sorted: Vec<(Range, u128)>,
}

impl Cover {
    /// The ranges, in any order. Takes `n log n`.
    pub fn new(ranges: impl IntoIterator<Item = Range>) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().map(|range| (range, range.last)).collect();
        sorted.sort_unstable();
        for at in 1..sorted.len() {
            let (before, _) = sorted[at - 1];
            if before.v6 == sorted[at].0.v6 {
                sorted[at].1 = sorted[at].1.max(sorted[at - 1].1);
            }
        }
        Self { sorted }
    }

    /// Whether one of them contains a range. Takes `log n`.
    pub fn contains(&self, inner: &Range) -> bool {
        let begins =
            |(outer, _): &(Range, u128)| (outer.v6, outer.first) <= (inner.v6, inner.first);
        let before = &self.sorted[..self.sorted.partition_point(begins)];
        before.last().is_some_and(|(outer, last)| outer.v6 == inner.v6 && *last >= inner.last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range() -> impl Strategy<Value = Range> {
        (any::<bool>(), 0_u128..40, 0_u128..20).prop_map(|(v6, first, more)| Range {
            v6,
            first,
            last: first + more,
        })
    }

    proptest! {
        #[test]
        fn agrees_with_looking_at_each(
            outer in prop::collection::vec(range(), 0..12), inner in range()
        ) {
            let one = outer.iter().any(|outer| outer.contains(&inner));
            prop_assert_eq!(Cover::new(outer).contains(&inner), one);
        }
    }
}
