//! Findings that somebody accepts, with a reason, where they stand or centrally.
//!
//! A finding is judged when it is added to a [`Diagnostics`](super::Diagnostics), before findings
//! are capped: one that is accepted never takes the place of another.

mod judge;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Diagnostic, MAX_KEPT, Severity};
use crate::source::{SourceId, Span};
use crate::system::Date;
pub use rules::{
    EXPIRED_ACCEPTANCE, FORBIDDEN_ACCEPTANCE, INVALID_ACCEPTANCE, RULES, UNNEEDED_ACCEPTANCE,
};

/// Most acceptances that one project may have; a rule that a comment names counts as one.
pub const MAX_ACCEPTANCES: usize = 100_000;

/// That findings of a rule are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The rule's code.
    pub code: String,
    /// Where the rule is named.
    pub place: Span,
    /// Which of the rule's findings.
    pub scope: Scope,
    /// Why.
    pub reason: Arc<str>,
    /// Who answers for it.
    pub owner: Option<Arc<str>>,
    /// The last day on which it holds; without one it does not end.
    pub until: Option<Date>,
}

/// Which findings of a rule an acceptance is about, by the start of their primary place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those in a part of a file, its end included.
    Part(Span),
    /// Those in these files.
    Files(Vec<SourceId>),
    /// All.
    Everywhere,
    /// None: nothing follows the comment.
    Nothing,
}

/// A finding that is accepted.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    /// The finding.
    pub(super) finding: Diagnostic,
    /// Which of the acceptances.
    pub(super) by: usize,
}

/// The acceptances of a project.
#[derive(Debug, Default)]
pub struct Acceptances {
    list: Vec<Acceptance>,
    today: Option<Date>,
    /// By code: those that hold, and those that have ended.
    valid: BTreeMap<String, Index>,
    ended: BTreeMap<String, Index>,
}

/// The acceptances of one rule by place.
#[derive(Debug, Default)]
struct Index {
    /// From which byte on which one is the nearest, sorted.
    parts: BTreeMap<SourceId, Vec<(u32, Option<usize>)>>,
    files: BTreeMap<SourceId, usize>,
    everywhere: Option<usize>,
}

impl Acceptances {
    /// Orders acceptances by what they are about; on the day `today` those that end before it do
    /// not hold.
    pub fn new(list: Vec<Acceptance>, today: Date) -> Self {
        let (mut valid, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for (at, one) in list.iter().enumerate() {
            let over = one.until.is_some_and(|until| until < today);
            let by_code = if over { &mut ended } else { &mut valid };
            by_code.entry(one.code.clone()).or_insert_with(Vec::new).push(at);
        }
        let index = |by_code: BTreeMap<String, Vec<usize>>| {
            by_code.into_iter().map(|(code, of_code)| (code, Index::of(&list, &of_code))).collect()
        };
        let (valid, ended) = (index(valid), index(ended));
        Self { list, today: Some(today), valid, ended }
    }

    /// An acceptance that a finding or a set of these names.
    pub fn get(&self, at: usize) -> &Acceptance {
        &self.list[at]
    }

    fn ended(&self, one: &Acceptance) -> bool {
        one.until.zip(self.today).is_some_and(|(until, today)| until < today)
    }
}

impl Index {
    fn of(list: &[Acceptance], of_code: &[usize]) -> Self {
        let mut index = Self::default();
        let mut parts: BTreeMap<SourceId, Vec<(Span, usize)>> = BTreeMap::new();
        for at in of_code {
            match &list[*at].scope {
                Scope::Part(span) => parts.entry(span.source).or_default().push((*span, *at)),
                Scope::Files(files) => {
                    for file in files {
                        index.files.entry(*file).or_insert(*at);
                    }
                }
                Scope::Everywhere => index.everywhere = index.everywhere.or(Some(*at)),
                Scope::Nothing => {}
            }
        }
        index.parts = parts.into_iter().map(|(file, parts)| (file, segments(&parts))).collect();
        index
    }

    /// The nearest: the part that begins last, then the file, then all.
    fn find(&self, span: Span) -> Option<usize> {
        let part = self.parts.get(&span.source).and_then(|segments| {
            let after = segments.partition_point(|(from, _)| *from <= span.start);
            segments[after.checked_sub(1)?].1
        });
        part.or_else(|| self.files.get(&span.source).copied()).or(self.everywhere)
    }
}

/// Cuts a file where parts begin and end, and names the part of each piece that begins last.
fn segments(parts: &[(Span, usize)]) -> Vec<(u32, Option<usize>)> {
    let key = |(span, at): &(Span, usize)| (span.start, *at);
    let starts = parts.iter().map(|part| (part.0.start, true, key(part)));
    // The byte behind a part still belongs to it: that of a key without a value.
    let ends = parts.iter().map(|part| (part.0.end.saturating_add(1), false, key(part)));
    let mut bounds: Vec<_> = starts.chain(ends).collect();
    bounds.sort_unstable();
    let mut open = BTreeSet::new();
    let mut segments: Vec<(u32, Option<usize>)> = Vec::new();
    for (byte, starts, part) in bounds {
        if starts {
            open.insert(part);
        } else {
            open.remove(&part);
        }
        let nearest = open.last().map(|(_, at)| *at);
        match segments.last_mut() {
            Some(last) if last.0 == byte => last.1 = nearest,
            _ => segments.push((byte, nearest)),
        }
    }
    segments
}

/// A reason or an owner, no longer than what a finding says may be.
pub fn shortened(text: &str) -> String {
    let mut text = text.to_owned();
    super::shorten(&mut text);
    text
}

/// What a set of findings knows about acceptances.
#[derive(Clone, Debug, Default)]
pub(super) struct Accepting {
    pub(super) acceptances: Arc<Acceptances>,
    /// Whether errors may be accepted: what is left out for one of the first phases is missed.
    pub(super) errors: bool,
    /// Those that a finding needed.
    used: BTreeSet<usize>,
    /// Those that an error would have needed that cannot be accepted, with that error.
    refused: BTreeMap<usize, Span>,
    /// What is accepted, as far as it is kept, and how much more there is.
    pub(super) accepted: Vec<Accepted>,
    pub(super) omitted: usize,
}

impl Accepting {
    pub(super) fn new(acceptances: Arc<Acceptances>) -> Self {
        Self { acceptances, ..Self::default() }
    }

    /// Another set of findings that knows the same, and that no finding was added to.
    pub(super) fn beside(&self) -> Self {
        Self { errors: self.errors, ..Self::new(Arc::clone(&self.acceptances)) }
    }

    /// Which acceptance a finding has. One that it had is named in the finding.
    pub(super) fn judge(&mut self, finding: &mut Diagnostic) -> Option<usize> {
        let code = &*finding.rule.code;
        let find =
            |by_code: &BTreeMap<String, Index>| by_code.get(code)?.find(finding.primary.span);
        match (find(&self.acceptances.valid), find(&self.acceptances.ended)) {
            (Some(at), _) if finding.severity == Severity::Error && !self.errors => {
                self.refused.entry(at).or_insert(finding.primary.span);
                None
            }
            (Some(at), _) => {
                self.used.insert(at);
                Some(at)
            }
            (None, Some(at)) => {
                let one = self.acceptances.get(at);
                let until = one.until.map(|day| day.to_string()).unwrap_or_default();
                let place =
                    super::Label { span: one.place, text: format!("was accepted until {until}") };
                finding.related.push(place);
                None
            }
            (None, None) => None,
        }
    }

    pub(super) fn keep(&mut self, one: Accepted) {
        if self.accepted.len() < MAX_KEPT {
            self.accepted.push(one);
        } else {
            self.omitted += 1;
        }
    }

    pub(super) fn accepted(&self) -> impl Iterator<Item = (&Diagnostic, &Acceptance)> {
        self.accepted.iter().map(|one| (&one.finding, self.acceptances.get(one.by)))
    }

    pub(super) fn extend(&mut self, other: Self) {
        for one in other.accepted {
            self.keep(one);
        }
        self.omitted += other.omitted;
        self.used.extend(other.used);
        for (at, error) in other.refused {
            self.refused.entry(at).or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests;
