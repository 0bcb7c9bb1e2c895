//! How what is open differs from what is meant, one example of each sort.

use std::collections::BTreeMap;

use crate::policy::Direction;
use crate::prove::intent::Why;
use crate::source::Span;
use crate::topology::ClusterId;

/// A flow at one of its ends, as an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::prove) struct Example {
    /// The end that is asked about.
    pub(in crate::prove) end: String,
    /// The other side.
    pub(in crate::prove) other: String,
    /// Which way, seen from the end.
    pub(in crate::prove) direction: Direction,
    /// The ports.
    pub(in crate::prove) ports: String,
    /// The cluster of the end.
    pub(in crate::prove) cluster: ClusterId,
}

/// What decides something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::prove) struct Cause {
    /// Where the rules stand, sorted.
    pub(in crate::prove) rules: Vec<Span>,
    /// The policies that they are of.
    pub(in crate::prove) policies: Vec<String>,
    /// Whether a rule denies it; otherwise nothing allows it.
    pub(in crate::prove) denied: bool,
}

/// What is declared and does not go through.
#[derive(Clone, Debug)]
pub(in crate::prove) struct Blocked {
    pub(in crate::prove) why: Why,
    pub(in crate::prove) span: Span,
    pub(in crate::prove) example: Example,
    pub(in crate::prove) cause: Cause,
}

/// What goes through and is not declared.
#[derive(Clone, Debug)]
pub(in crate::prove) struct Beyond {
    /// Where it is caused: a rule, or the namespace whose pods nothing isolates.
    pub(in crate::prove) span: Span,
    pub(in crate::prove) example: Example,
    pub(in crate::prove) cause: Cause,
    /// Whether the other end lets it through as well.
    pub(in crate::prove) through: bool,
}

/// How what is open differs from what is meant.
#[derive(Clone, Debug, Default)]
pub(in crate::prove) struct Differences {
    pub(in crate::prove) blocked: Vec<Blocked>,
    pub(in crate::prove) beyond: Vec<Beyond>,
}

type BlockedKey = (Why, Direction, Cause);
type BeyondKey = (Span, Direction);

/// Differences in the making: one of each sort, the worst of what is open.
#[derive(Default)]
pub(super) struct Groups {
    blocked: BTreeMap<BlockedKey, Blocked>,
    beyond: BTreeMap<BeyondKey, Beyond>,
}

impl Groups {
    pub(super) fn blocked(&mut self, one: Blocked) {
        let key = (one.why, one.example.direction, one.cause.clone());
        self.blocked.entry(key).or_insert(one);
    }

    pub(super) fn beyond(&mut self, one: Beyond) {
        let key = (one.span, one.example.direction);
        let known = self.beyond.entry(key).or_insert_with(|| one.clone());
        if one.through && !known.through {
            *known = one;
        }
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        other.blocked.into_values().for_each(|one| self.blocked(one));
        other.beyond.into_values().for_each(|one| self.beyond(one));
        self
    }
}

impl From<Groups> for Differences {
    fn from(groups: Groups) -> Self {
        Self {
            blocked: groups.blocked.into_values().collect(),
            beyond: groups.beyond.into_values().collect(),
        }
    }
}
