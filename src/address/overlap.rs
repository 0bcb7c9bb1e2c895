//! Which ranges meet.
//!
//! Prefixes either contain each other or have nothing in common, so a sweep over them in order
//! keeps the open ones on a stack. There is one stack for each class, and each element knows the
//! lowest one that belongs to somebody else than the bottom; so the question "does this range meet
//! one of that class that is not its own owner's" takes constant time, however many are open. The
//! answer is the outermost such range, so that a range around very many is named once.

use super::Range;

/// A prefix in a sweep. A range that is no prefix is swept as the prefixes that it is made of.
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
    /// They must not.
    Never,
}

/// The order of a sweep: by family and first address, the wider prefix first.
pub fn order(range: &Range) -> (bool, u128, u128) {
    (range.v6, range.first, u128::MAX - range.last)
}

/// An open prefix.
struct Open {
    range: Range,
    owner: u32,
    tag: usize,
    /// The lowest prefix of the stack up to here whose owner is not the bottom's.
    other: Option<usize>,
}

/// Finds, for each item and each class, the outermost open item that it must not meet. Calls
/// `conflict` with the tags of the outer and the inner item.
///
/// The items are prefixes in [order], those of equal ranges in any. Takes time proportional to
/// their number times that of the classes. Every item that meets one that it must not meet is in
/// some call, or has one inside it that is.
pub fn sweep(
    items: impl IntoIterator<Item = Item>,
    classes: usize,
    rule: impl Fn(usize, usize) -> Rule,
    mut conflict: impl FnMut(usize, usize),
) {
    // Whom an item of a class is compared with, and whether anybody is compared with it.
    let forbidden: Vec<Vec<(usize, Rule)>> = (0..classes)
        .map(|inner| {
            let rules = (0..classes).map(|outer| (outer, rule(outer, inner)));
            rules.filter(|(_, rule)| *rule != Rule::May).collect()
        })
        .collect();
    let mut compared = vec![false; classes];
    forbidden.iter().flatten().for_each(|(outer, _)| compared[*outer] = true);
    let mut stacks: Vec<Vec<Open>> = (0..classes).map(|_| Vec::new()).collect();
    for item in items {
        for &(class, rule) in &forbidden[item.class] {
            let stack = &mut stacks[class];
            close(stack, &item.range);
            let (Some(bottom), Some(top)) = (stack.first(), stack.last()) else { continue };
            let met = if rule == Rule::Never || bottom.owner != item.owner {
                Some(bottom.tag)
            } else {
                top.other
            };
            if let Some(met) = met {
                conflict(met, item.tag);
            }
        }
        if compared[item.class] {
            let stack = &mut stacks[item.class];
            close(stack, &item.range);
            let Item { range, owner, tag, .. } = item;
            let below = stack.last().and_then(|top| top.other);
            let own = stack.first().is_some_and(|bottom| bottom.owner != owner).then_some(tag);
            stack.push(Open { range, owner, tag, other: below.or(own) });
        }
    }
}

/// Closes what ends before a range begins.
fn close(stack: &mut Vec<Open>, range: &Range) {
    while stack.last().is_some_and(|open| !open.range.contains(range)) {
        stack.pop();
    }
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

    fn forbidden(a: &Item, b: &Item) -> bool {
        let wrong = match rule(a.class, b.class) {
            Rule::Never => true,
            Rule::SameOwner => a.owner != b.owner,
            Rule::May => false,
        };
        wrong && a.tag != b.tag && a.range.meets(&b.range)
    }

    proptest! {
        #[test]
        fn agrees_with_all_pairs(random in prop::collection::vec(item(), 0..40)) {
            let mut items: Vec<_> = random.into_iter().enumerate().map(|(tag, (range, class, owner))| {
                Item { range, class, owner, tag }
            }).collect();
            let all = items.clone();
            let mut expected = BTreeSet::new();
            for a in &all {
                expected.extend(all.iter().filter(|b| forbidden(a, b)).map(|_| a.tag));
            }
            items.sort_by_key(|item| order(&item.range));
            let mut found = BTreeSet::new();
            let mut wrong = Vec::new();
            sweep(items, 3, rule, |outer, inner| {
                let (outer, inner) = (&all[outer], &all[inner]);
                if !forbidden(outer, inner) || !outer.range.contains(&inner.range) {
                    wrong.push((*outer, *inner));
                }
                found.insert(outer.tag);
                found.insert(inner.tag);
            });
            prop_assert!(wrong.is_empty(), "{wrong:?}");
            prop_assert!(found.is_subset(&expected));
            // Of several around one only the outermost is named.
            for tag in expected.difference(&found) {
                let one = &all[*tag];
                let named = all.iter().any(|other| {
                    found.contains(&other.tag) && forbidden(one, other) && one.range.contains(&other.range)
                });
                prop_assert!(named, "{one:?}");
            }
        }
    }

    fn pairs(items: &[(&str, u32)]) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        let items = items.iter().enumerate().map(|(tag, (net, owner))| Item {
            range: net.parse::<IpNet>().unwrap().into(),
            class: 0,
            owner: *owner,
            tag,
        });
        sweep(items, 1, |_, _| Rule::SameOwner, |a, b| pairs.push((a, b)));
        pairs
    }

    #[test]
    fn a_range_of_one_owner_is_seen_through() {
        let nested = [("10.0.0.0/8", 1), ("10.0.0.0/16", 2), ("10.0.1.0/24", 2)];
        assert_eq!(pairs(&nested), [(0, 1), (0, 2)]);
        let nested =
            [("10.0.0.0/8", 1), ("10.0.0.0/16", 2), ("10.0.1.0/24", 1), ("10.1.0.0/24", 1)];
        assert_eq!(pairs(&nested), [(0, 1), (1, 2)]);
    }

    #[test]
    fn the_outermost_is_named_with_all_inside_it() {
        let same: Vec<_> = (0..1_000).map(|owner| ("10.0.0.0/8", owner)).collect();
        assert!(pairs(&same).into_iter().eq((1..1_000).map(|inner| (0, inner))));
    }
}
