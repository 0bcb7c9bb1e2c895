//! Which ranges are free.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Range;

/// The gaps between `used` inside `space`, in order. Takes `n log n`.
pub fn gaps(space: Range, used: &[Range]) -> Vec<Range> {
    let mut inside: Vec<Range> = used.iter().filter(|range| range.meets(&space)).copied().collect();
    inside.sort_unstable();
    let mut gaps = Vec::new();
    // The first address that no range so far has; nothing behind the last address there is.
    let mut next = Some(space.first);
    for range in inside {
        let Some(start) = next else { break };
        if range.first > start {
            gaps.push(Range { first: start, last: range.first - 1, ..space });
        }
        next =
            range.last.checked_add(1).map(|after| after.max(start)).filter(|at| *at <= space.last);
    }
    if let Some(start) = next.filter(|start| *start <= space.last) {
        gaps.push(Range { first: start, last: space.last, ..space });
    }
    gaps
}

/// The lowest free prefixes of a length inside `space`, aligned, as many as `most`.
///
/// Gives nothing for a length that the family does not have or that is shorter than the space's.
pub fn free(space: Range, used: &[Range], length: u8, most: usize) -> Vec<IpNet> {
    let bits = if space.v6 { 128 } else { 32 };
    if length > bits {
        return Vec::new();
    }
    let Some(size) = 1_u128.checked_shl(u32::from(bits - length)) else {
        // A prefix of length 0 of IPv6: the whole family.
        let whole = gaps(space, used).iter().any(|gap| gap.first == 0 && gap.last == u128::MAX);
        return if whole { vec![IpNet::V6(Ipv6Net::default())] } else { Vec::new() };
    };
    let mut found = Vec::new();
    for gap in gaps(space, used) {
        let mut next = gap.first.checked_next_multiple_of(size);
        while let Some(first) = next {
            let Some(last) = first.checked_add(size - 1).filter(|last| *last <= gap.last) else {
                break;
            };
            if found.len() == most {
                return found;
            }
            found.extend(prefix(Range { first, last, ..space }.start(), length));
            next = last.checked_add(1);
        }
    }
    found
}

fn prefix(address: IpAddr, length: u8) -> Option<IpNet> {
    match address {
        IpAddr::V4(address) => Ipv4Net::new(address, length).ok().map(IpNet::V4),
        IpAddr::V6(address) => Ipv6Net::new(address, length).ok().map(IpNet::V6),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(text: &str) -> Range {
        text.parse::<IpNet>().unwrap().into()
    }

    #[test]
    fn the_lowest_comes_first() {
        let used = [range("10.0.0.0/16"), range("10.1.128.0/17")];
        let found = free(range("10.0.0.0/8"), &used, 16, 2);
        assert_eq!(found, ["10.2.0.0/16".parse().unwrap(), "10.3.0.0/16".parse().unwrap()]);
        assert!(free(range("10.0.0.0/16"), &used, 24, 1).is_empty());
        assert!(free(range("10.0.0.0/16"), &[], 8, 1).is_empty());
        assert_eq!(free(range("::/0"), &[], 0, 9), ["::/0".parse().unwrap()]);
        assert_eq!(free(range("0.0.0.0/0"), &[], 0, 9), ["0.0.0.0/0".parse().unwrap()]);
        assert_eq!(free(range("255.255.255.255/32"), &[], 32, 9).len(), 1);
    }

    proptest! {
        #[test]
        fn finds_one_whenever_there_is_one(
            used in prop::collection::vec((0_u32..256, 24_u8..=32), 0..20),
            length in 24_u8..=32,
        ) {
            let space = range("0.0.0.0/24");
            let used: Vec<Range> = used.into_iter().map(|(address, length)| {
                Range::from(Ipv4Net::new(address.into(), length).unwrap().trunc())
            }).collect();
            let size = 1_u32 << (32 - length);
            let expected: Vec<IpNet> = (0..256).step_by(size as usize)
                .map(|address: u32| IpNet::V4(Ipv4Net::new(address.into(), length).unwrap()))
                .filter(|net| !used.iter().any(|range| range.meets(&Range::from(*net))))
                .collect();
            prop_assert_eq!(free(space, &used, length, 1000), expected);
        }
    }
}
