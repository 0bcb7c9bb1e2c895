//! Addresses as ranges: which of them must not meet, and which are free.
//!
//! The plan of a topology is a list of [entries](plan::Entry). Which entries see each other is said by
//! [domains](domain): the mesh, networks that are joined, one cluster. Inside a domain a
//! sweep over the sorted ranges finds what meets, in time that grows with the number of ranges
//! and not with the number of pairs.

pub mod allocate;
pub mod cover;
pub mod domain;
pub mod hazard;
pub mod overlap;
pub mod plan;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Consecutive addresses of one family, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// Whether they are IPv6.
    pub v6: bool,
    /// The first address as a number.
    pub first: u128,
    /// The last address as a number.
    pub last: u128,
}

impl Range {
    /// The addresses from `first` to `last`; the ends are of one family and in order.
    pub fn between(first: IpAddr, last: IpAddr) -> Self {
        let number = |address| match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        Self { v6: first.is_ipv6(), first: number(first), last: number(last) }
    }

    /// Whether it has an address of `other`.
    pub const fn meets(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.last && other.first <= self.last
    }

    /// Whether it has all addresses of `other`.
    pub const fn contains(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last <= self.last
    }

    /// Its first address.
    pub fn start(&self) -> IpAddr {
        address(self.v6, self.first)
    }

    /// Its last address.
    pub fn end(&self) -> IpAddr {
        address(self.v6, self.last)
    }

    /// The prefix that it is exactly, if it is one.
    pub fn as_prefix(&self) -> Option<IpNet> {
        let [net] = self.prefixes()[..] else { return None };
        Some(net)
    }

    /// The fewest prefixes that together are exactly this range: at most 62 for IPv4.
    pub fn prefixes(&self) -> Vec<IpNet> {
        match (self.start(), self.end()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                ipnet::Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                ipnet::Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The address of a number.
#[expect(clippy::cast_possible_truncation, reason = "an IPv4 number has 32 bits")]
fn address(v6: bool, number: u128) -> IpAddr {
    if v6 { Ipv6Addr::from(number).into() } else { Ipv4Addr::from(number as u32).into() }
}

impl From<IpNet> for Range {
    fn from(net: IpNet) -> Self {
        Self::between(net.network(), net.broadcast())
    }
}

impl From<Ipv4Net> for Range {
    fn from(net: Ipv4Net) -> Self {
        Self::from(IpNet::V4(net))
    }
}

impl From<Ipv6Net> for Range {
    fn from(net: Ipv6Net) -> Self {
        Self::from(IpNet::V6(net))
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_prefix() {
            Some(net) => net.fmt(f),
            None => write!(f, "{}-{}", self.start(), self.end()),
        }
    }
}
