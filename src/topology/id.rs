//! Small names for the things of a topology, and sets of clusters.

/// Declares an index into one of the lists of a topology.
macro_rules! ids {
    ($( $(#[doc = $doc:literal])+ $name:ident; )+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// The id of the thing at `index` in its list.
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("internal error: 2^32 things"))
            }

            /// The index in its list.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+ };
}

ids! {
    /// A cluster: index into `Topology::clusters`.
    ClusterId;
    /// A region: index into `Topology::regions`.
    RegionId;
    /// A network: index into `Topology::networks`.
    NetworkId;
    /// A declared namespace: index into `Topology::namespaces`.
    NamespaceId;
    /// A workload: index into `Topology::workloads`.
    WorkloadId;
    /// A service: index into `Topology::services`.
    ServiceId;
    /// A capability: index into `Topology::capabilities`.
    CapabilityId;
    /// A DNS zone: index into `Topology::zones`.
    ZoneId;
    /// A gateway: index into `Topology::gateways`.
    GatewayId;
    /// An issuer of certificates: index into `Topology::issuers`.
    IssuerId;
}

/// A set of clusters, one bit each.
#[derive(Clone, Debug, Default)]
pub struct ClusterSet {
    words: Vec<u64>,
}

impl ClusterSet {
    /// No cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a cluster.
    pub fn insert(&mut self, id: ClusterId) {
        let word = id.index() / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (id.index() % 64);
    }

    /// Whether a cluster is in it.
    pub fn contains(&self, id: ClusterId) -> bool {
        self.words.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
    }

    /// Whether it has no cluster.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many clusters it has.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect() }
    }

    /// What is in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let length = self.words.len().max(other.words.len());
        let word = |set: &Self, at: usize| set.words.get(at).copied().unwrap_or(0);
        Self { words: (0..length).map(|at| word(self, at) | word(other, at)).collect() }
    }

    /// What is in this one only.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let word = |at: usize| other.words.get(at).copied().unwrap_or(0);
        Self { words: self.words.iter().enumerate().map(|(at, own)| own & !word(at)).collect() }
    }

    /// Its clusters in order.
    pub fn iter(&self) -> impl Iterator<Item = ClusterId> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let rest = |word: &u64| Some(word & (word - 1)).filter(|rest| *rest != 0);
            let words = std::iter::successors(Some(*word).filter(|word| *word != 0), rest);
            words.map(move |word| ClusterId::new(at * 64 + word.trailing_zeros() as usize))
        })
    }
}

impl PartialEq for ClusterSet {
    fn eq(&self, other: &Self) -> bool {
        let (short, long) = if self.words.len() <= other.words.len() {
            (&self.words, &other.words)
        } else {
            (&other.words, &self.words)
        };
        let (same, more) = long.split_at(short.len());
        short == same && more.iter().all(|word| *word == 0)
    }
}

impl Eq for ClusterSet {}

impl FromIterator<ClusterId> for ClusterSet {
    fn from_iter<I: IntoIterator<Item = ClusterId>>(ids: I) -> Self {
        let mut set = Self::new();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[usize]) -> ClusterSet {
        ids.iter().map(|id| ClusterId::new(*id)).collect()
    }

    #[test]
    fn sets_of_different_size_meet() {
        let (a, b) = (set(&[1, 70, 200]), set(&[1, 2]));
        assert_eq!(a.and(&b), set(&[1]));
        assert_eq!(a.or(&b), set(&[1, 2, 70, 200]));
        assert_eq!(a.without(&b), set(&[70, 200]));
        assert_eq!(b.without(&a), set(&[2]));
        assert_eq!(a.iter().map(ClusterId::index).collect::<Vec<_>>(), [1, 70, 200]);
        assert_eq!((a.len(), set(&[]).is_empty()), (3, true));
        assert_eq!(a.and(&b).or(&a).without(&set(&[70, 200])), set(&[1]));
        assert_ne!(a, b);
        assert_ne!(b, a);
        assert!(!b.contains(ClusterId::new(500)));
    }
}
