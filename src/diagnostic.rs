//! Findings: what is wrong with the user's files, where, and what to do about it.
//!
//! A finding is data. Wording and place are fixed where it is made; how it looks is the business
//! of the formats.

pub mod acceptance;
pub mod rule;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::Span;
use acceptance::{Acceptance, Acceptances, Accepted, Accepting};
pub use rule::{Rule, RuleRef, Severity};

/// A place with what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is at that place: a phrase, or nothing.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The rule that it breaks.
    pub rule: RuleRef,
    /// How bad it is; the rule's severity unless the case is milder.
    pub severity: Severity,
    /// What is wrong: a lower-case phrase without a full stop.
    pub message: String,
    /// The place to look at first.
    pub primary: Label,
    /// Other places that belong to it, in the order in which they are worth reading.
    pub related: Vec<Label>,
    /// What to do, imperative.
    pub help: Vec<String>,
    /// Why, or what follows.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// Makes a finding about the place `span`.
    pub fn new(rule: impl Into<RuleRef>, span: Span, message: impl Into<String>) -> Self {
        let rule = rule.into();
        Self {
            severity: rule.severity,
            rule,
            message: message.into(),
            primary: Label { span, text: String::new() },
            related: Vec::new(),
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Says what is at the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: text.into() });
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds a reason or a consequence.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    fn shorten(&mut self) {
        shorten(&mut self.message);
        shorten(&mut self.primary.text);
        self.related.iter_mut().for_each(|label| shorten(&mut label.text));
        self.help.iter_mut().chain(&mut self.notes).for_each(shorten);
    }

    /// Makes it a warning although its rule is an error.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// Something in scope that could not be looked at: neither clean nor a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotChecked {
    /// What was not checked.
    pub what: String,
    /// Why.
    pub why: String,
    /// Where it stands.
    pub span: Span,
}

/// Longest message, label, help or note that is kept, in bytes; a longer one is cut. What is quoted
/// in it may be as long as a file.
const MAX_TEXT: usize = 2_000;

fn shorten(text: &mut String) {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.shrink_to_fit();
        text.push('…');
    }
}

/// Most findings of one rule, and most things that were not checked, that are kept; the rest is
/// counted. A hostile file could otherwise have millions.
pub const MAX_KEPT: usize = 10_000;

/// Findings that were counted and not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// Their rule.
    pub rule: RuleRef,
    /// How bad they are.
    pub severity: Severity,
    /// How many.
    pub count: usize,
}

/// The findings of a run and what could not be checked.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    kept: BTreeMap<Cow<'static, str>, usize>,
    omitted: BTreeMap<(Cow<'static, str>, Severity), Omitted>,
    not_checked: Vec<NotChecked>,
    not_checked_omitted: usize,
    accepting: Option<Box<Accepting>>,
}

impl Diagnostics {
    /// No findings.
    pub fn new() -> Self {
        Self::default()
    }

    /// No findings yet, and the same acceptances as here: for one of several that work at once.
    #[must_use]
    pub fn beside(&self) -> Self {
        let accepting = self.accepting.as_ref().map(|accepting| Box::new(accepting.beside()));
        Self { accepting, ..Self::default() }
    }

    /// Takes acceptances to heart, also for what was found before. Only warnings can be accepted
    /// until [`Self::accept_errors`].
    pub fn accept(&mut self, acceptances: Acceptances) {
        self.accepting = Some(Box::new(Accepting::new(Arc::new(acceptances))));
        let found = std::mem::take(&mut self.found);
        self.kept.clear();
        for one in found {
            self.push(one);
        }
    }

    /// Errors that are found from now on can be accepted as well: what they are about is known.
    pub fn accept_errors(&mut self) {
        if let Some(accepting) = &mut self.accepting {
            accepting.errors = true;
        }
    }

    /// Adds what is wrong with the acceptances; once, when all else has been found. `performed`
    /// says of a rule, by its code, whether it was run over everything.
    pub fn judge_acceptances(&mut self, performed: &dyn Fn(&str) -> bool) {
        let findings = self.accepting.as_ref().map(|accepting| accepting.findings(performed));
        for finding in findings.into_iter().flatten() {
            self.keep(finding);
        }
    }

    /// Adds a finding.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        let accepting = self.accepting.as_mut();
        match accepting.and_then(|accepting| Some((accepting.judge(&mut diagnostic)?, accepting))) {
            Some((by, accepting)) => {
                diagnostic.shorten();
                accepting.keep(Accepted { finding: diagnostic, by });
            }
            None => self.keep(diagnostic),
        }
    }

    fn keep(&mut self, mut diagnostic: Diagnostic) {
        let kept = self.kept.entry(diagnostic.rule.code.clone()).or_default();
        if *kept < MAX_KEPT {
            *kept += 1;
            diagnostic.shorten();
            self.found.push(diagnostic);
        } else {
            let Diagnostic { rule, severity, .. } = diagnostic;
            self.omit(Omitted { rule, severity, count: 1 });
        }
    }

    fn omit(&mut self, more: Omitted) {
        let (key, count) = ((more.rule.code.clone(), more.severity), more.count);
        let none = Omitted { count: 0, ..more };
        self.omitted.entry(key).or_insert(none).count += count;
    }

    /// Records something that could not be checked.
    pub fn not_checked(&mut self, span: Span, what: impl Into<String>, why: impl Into<String>) {
        let mut one = NotChecked { what: what.into(), why: why.into(), span };
        shorten(&mut one.what);
        shorten(&mut one.why);
        self.add_not_checked(one);
    }

    fn add_not_checked(&mut self, one: NotChecked) {
        if self.not_checked.len() < MAX_KEPT {
            self.not_checked.push(one);
        } else {
            self.not_checked_omitted += 1;
        }
    }

    /// Takes over everything of another sink.
    pub fn extend(&mut self, other: Self) {
        let judged = other.accepting.is_some();
        for one in other.found {
            if judged { self.keep(one) } else { self.push(one) }
        }
        match (&mut self.accepting, other.accepting) {
            (Some(accepting), Some(more)) => accepting.extend(*more),
            (accepting @ None, more) => *accepting = more,
            (Some(_), None) => {}
        }
        for more in other.omitted.into_values() {
            self.omit(more);
        }
        for one in other.not_checked {
            self.add_not_checked(one);
        }
        self.not_checked_omitted += other.not_checked_omitted;
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.severity == Severity::Error)
            || self.omitted.values().any(|omitted| omitted.severity == Severity::Error)
    }

    /// Whether there is neither a finding nor a thing that was not checked.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.not_checked.is_empty()
    }

    /// How many findings are kept.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// The findings that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// The findings that are not kept, by rule.
    pub fn omitted(&self) -> impl Iterator<Item = &Omitted> {
        self.omitted.values()
    }

    /// The findings that are accepted, as far as they are kept, each with its acceptance.
    pub fn accepted(&self) -> impl Iterator<Item = (&Diagnostic, &Acceptance)> {
        self.accepting.iter().flat_map(|accepting| accepting.accepted())
    }

    /// How many more findings are accepted than are kept.
    pub fn accepted_omitted(&self) -> usize {
        self.accepting.as_ref().map_or(0, |accepting| accepting.omitted)
    }

    /// What could not be checked, as far as it is kept.
    pub fn unchecked(&self) -> &[NotChecked] {
        &self.not_checked
    }

    /// How many more things could not be checked than are kept.
    pub fn unchecked_omitted(&self) -> usize {
        self.not_checked_omitted
    }

    /// Sorts by place, then by rule and message, and drops exact repetitions, so that a report
    /// does not depend on the order in which files were read.
    pub fn sort(&mut self) {
        let key = |d: &Diagnostic| (d.primary.span, d.rule.code.clone(), d.message.clone());
        self.found.sort_by_cached_key(key);
        self.found.dedup_by(|a, b| key(a) == key(b));
        if let Some(accepting) = &mut self.accepting {
            accepting.accepted.sort_by_cached_key(|one| key(&one.finding));
            accepting.accepted.dedup_by(|a, b| key(&a.finding) == key(&b.finding));
        }
        self.not_checked.sort_by(|a, b| (a.span, &a.what, &a.why).cmp(&(b.span, &b.what, &b.why)));
        self.not_checked.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SAMPLE: Rule = Rule {
        code: Cow::Borrowed("LB9001"),
        name: Cow::Borrowed("sample"),
        summary: Cow::Borrowed("a sample"),
        severity: Severity::Warning,
        doc: Cow::Borrowed("A page."),
    };

    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut found = Diagnostics::new();
        let long = "é".repeat(MAX_TEXT);
        let finding = Diagnostic::new(&SAMPLE, Span::default(), format!("x{long}")).help(&*long);
        found.push(finding.related(Span::default(), "short"));
        let kept = found.iter().next().unwrap();
        assert_eq!(kept.message, format!("x{}…", "é".repeat(MAX_TEXT / 2 - 1)));
        assert_eq!(kept.help, [format!("{}…", "é".repeat(MAX_TEXT / 2))]);
        assert_eq!(kept.related[0].text, "short");
    }

    #[test]
    fn what_is_not_kept_is_counted() {
        let mut all = Diagnostics::new();
        for _ in 0..3 {
            let mut some = Diagnostics::new();
            for _ in 0..MAX_KEPT {
                some.push(Diagnostic::new(&SAMPLE, Span::default(), "wrong"));
                some.not_checked(Span::default(), "a thing", "it is hidden");
            }
            all.extend(some);
        }
        let mut error = Diagnostic::new(&SAMPLE, Span::default(), "wrong");
        assert!(!all.has_errors());
        error.severity = Severity::Error;
        all.push(error);
        assert_eq!(all.len(), MAX_KEPT);
        let omitted: Vec<_> = all.omitted().map(|one| (one.severity, one.count)).collect();
        assert_eq!(omitted, [(Severity::Warning, 2 * MAX_KEPT), (Severity::Error, 1)]);
        assert!(all.has_errors());
        assert_eq!((all.unchecked().len(), all.unchecked_omitted()), (MAX_KEPT, 2 * MAX_KEPT));
    }
}
