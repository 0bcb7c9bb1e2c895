//! Which ranges meet.
//!
//! Prefixes either contain each other or have nothing in common, so a sweep over them in order
//! keeps the open ones on a stack. There is one stack for each class, and each element knows the
//! nearest one below it that belongs to somebody else; so the question "does this range meet one
//! of that class that is not its own owner's" takes constant time, however many ranges are open.

use super::Range;

/// A range in a sweep. A range that is no prefix is swept as the prefixes that it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The addresses.
    pub range: Range,
    /// What the range is used for: an index below the number of classes.
    pub class: usize,
    /// Whose it is.
    pub owner: u32,
    /// What the caller calls it.
    pub tag: usize,
}

/// Whether two classes may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// They may.
    May,
    /// They may if they belong to the same owner.
    SameOwner,
    /// They may if they belong to different owners.
    OtherOwner,
    /// They must not.
    Never,
}

/// An open range with the nearest one below it of another owner.
struct Open {
    item: usize,
    other: Option<usize>,
}

/// Finds, for each item and each class, one open item that it must not meet. Calls `conflict`
/// with the outer and the inner item; gives the number of calls.
///
/// Takes `n log n` for sorting and time proportional to `n` times the number of classes for the
/// rest. Every item that meets one that it must not meet is in some call.
pub fn sweep(
    items: &mut [Item],
    classes: usize,
    rule: impl Fn(usize, usize) -> Rule,
    mut conflict: impl FnMut(&Item, &Item),
) -> usize {
    items.sort_unstable_by_key(|item| {
        (item.range.v6, item.range.first, u128::MAX - item.range.last, item.tag)
    });
    let mut stacks: Vec<Vec<Open>> = (0..classes).map(|_| Vec::new()).collect();
    let mut calls = 0;
    for at in 0..items.len() {
        let item = items[at];
        for (class, stack) in stacks.iter_mut().enumerate() {
            while stack.last().is_some_and(|open| !items[open.item].range.contains(&item.range)) {
                stack.pop();
            }
            let Some(top) = stack.last() else { continue };
            let same = items[top.item].owner == item.owner;
            let (own, other) =
                if same { (Some(top.item), top.other) } else { (None, Some(top.item)) };
            let met = match rule(class, item.class) {
                Rule::May => None,
                Rule::SameOwner => other,
                Rule::OtherOwner => own,
                Rule::Never => Some(top.item),
            };
            if let Some(met) = met.filter(|met| items[*met].tag != item.tag) {
                conflict(&items[met], &item);
                calls += 1;
            }
        }
        let stack = &mut stacks[item.class];
        let other = stack.last().and_then(|top| {
            if items[top.item].owner == item.owner { top.other } else { Some(top.item) }
        });
        stack.push(Open { item: at, other });
    }
    calls
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ipnet::IpNet;
    use proptest::prelude::*;

    use super::*;

    const RULES: [Rule; 3] = [Rule::Never, Rule::SameOwner, Rule::May];

    fn rule(a: usize, b: usize) -> Rule {
        RULES[(a + b) % 3]
    }

    fn item() -> impl Strategy<Value = (Range, usize, u32)> {
        let v4 = (0_u32..64, 24_u8..=32).prop_map(|(address, length)| {
            let net = ipnet::Ipv4Net::new(address.into(), length).unwrap().trunc();
            Range::from(IpNet::V4(net))
        });
        let v6 = (0_u128..64, 120_u8..=128).prop_map(|(address, length)| {
            let net = ipnet::Ipv6Net::new(address.into(), length).unwrap().trunc();
            Range::from(IpNet::V6(net))
        });
        (prop_oneof![v4, v6], 0_usize..3, 0_u32..4)
    }

    proptest! {
        #[test]
        fn agrees_with_all_pairs(random in prop::collection::vec(item(), 0..40)) {
            let items: Vec<_> = random.into_iter().enumerate().map(|(tag, (range, class, owner))| {
                Item { range, class, owner, tag }
            }).collect();
            let forbidden = |a: &Item, b: &Item| a.tag != b.tag && a.range.meets(&b.range)
                && match rule(a.class, b.class) {
                    Rule::Never => true,
                    Rule::SameOwner => a.owner != b.owner,
                    Rule::OtherOwner => a.owner == b.owner,
                    Rule::May => false,
                };
            let mut expected = BTreeSet::new();
            for a in &items {
                for b in &items {
                    if forbidden(a, b) {
                        expected.insert(a.tag);
                    }
                }
            }
            let mut found = BTreeSet::new();
            let mut wrong = Vec::new();
            let mut swept = items.clone();
            sweep(&mut swept, 3, rule, |outer, inner| {
                if !forbidden(outer, inner) {
                    wrong.push((*outer, *inner));
                }
                found.insert(outer.tag);
                found.insert(inner.tag);
            });
            prop_assert!(wrong.is_empty(), "{wrong:?}");
            // The outer one of several may be named once only: whoever is not named contains one
            // that is.
            for tag in expected.difference(&found) {
                let named = items.iter().any(|other| found.contains(&other.tag) && forbidden(&items[*tag], other));
                prop_assert!(named, "{:?}", items[*tag]);
            }
            prop_assert!(found.is_subset(&expected));
        }
    }

    #[test]
    fn a_range_of_one_owner_is_seen_through() {
        let net = |text: &str| Range::from(text.parse::<IpNet>().unwrap());
        let mut items = [
            Item { range: net("10.0.0.0/8"), class: 0, owner: 1, tag: 0 },
            Item { range: net("10.0.0.0/16"), class: 0, owner: 2, tag: 1 },
            Item { range: net("10.0.1.0/24"), class: 0, owner: 2, tag: 2 },
        ];
        let mut pairs = Vec::new();
        sweep(&mut items, 1, |_, _| Rule::SameOwner, |a, b| pairs.push((a.tag, b.tag)));
        assert_eq!(pairs, [(0, 1), (0, 2)]);
    }
}
