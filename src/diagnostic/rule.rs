//! A rule: the identity of a kind of finding.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; never changes the exit code by default.
    Warning,
    /// The mesh would not do what the topology says.
    Error,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A kind of finding: its code, its name, and its page.
///
/// The page is the doc comment that stands beside the rule's code; `explain`, `docs/rules.md`
/// and other formats all show that text.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `LB` and four digits, of which the first is the family, or `P-` and a policy's name. Never
    /// reused.
    pub code: Cow<'static, str>,
    /// Names the bad pattern in kebab-case; reads well after "allow".
    pub name: Cow<'static, str>,
    /// One line: what is wrong.
    pub summary: Cow<'static, str>,
    /// How bad it is, unless a finding says it is milder.
    pub severity: Severity,
    /// The page, in Markdown.
    pub doc: Cow<'static, str>,
}

/// The rule of a finding: one that is declared beside its code, or one of the team's own policies,
/// which lives as long as its findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleRef {
    /// Declared beside its code.
    Declared(&'static Rule),
    /// Read from a file.
    Read(Arc<Rule>),
}

impl Deref for RuleRef {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        match self {
            Self::Declared(rule) => rule,
            Self::Read(rule) => rule,
        }
    }
}

impl From<&'static Rule> for RuleRef {
    fn from(rule: &'static Rule) -> Self {
        Self::Declared(rule)
    }
}

impl From<Arc<Rule>> for RuleRef {
    fn from(rule: Arc<Rule>) -> Self {
        Self::Read(rule)
    }
}

/// Declares rules: the doc comment becomes the rule's page.
#[macro_export]
macro_rules! declare_rules {
    ($(
        $(#[doc = $doc:literal])+
        $vis:vis static $ident:ident = { code: $code:literal, name: $name:literal, summary: $summary:literal, severity: $severity:ident $(,)? };
    )+) => {
        $(
            #[doc = $summary]
            ///
            $(#[doc = $doc])+
            $vis static $ident: $crate::diagnostic::Rule = $crate::diagnostic::Rule {
                code: ::std::borrow::Cow::Borrowed($code),
                name: ::std::borrow::Cow::Borrowed($name),
                summary: ::std::borrow::Cow::Borrowed($summary),
                severity: $crate::diagnostic::Severity::$severity,
                doc: ::std::borrow::Cow::Borrowed(concat!($($doc, "\n"),+)),
            };
        )+

        /// The rules of this module, in the order of their codes.
        pub static RULES: &[&$crate::diagnostic::Rule] = &[$(&$ident),+];
    };
}
