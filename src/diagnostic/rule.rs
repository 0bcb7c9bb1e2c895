//! A rule: the identity of a kind of finding.

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
    /// `LB` and four digits; the first is the family. Never reused.
    pub code: &'static str,
    /// Names the bad pattern in kebab-case; reads well after "allow".
    pub name: &'static str,
    /// One line: what is wrong.
    pub summary: &'static str,
    /// How bad it is, unless a finding says it is milder.
    pub severity: Severity,
    /// The page, in Markdown.
    pub doc: &'static str,
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
                code: $code,
                name: $name,
                summary: $summary,
                severity: $crate::diagnostic::Severity::$severity,
                doc: concat!($($doc, "\n"),+),
            };
        )+

        /// The rules of this module, in the order of their codes.
        pub static RULES: &[&$crate::diagnostic::Rule] = &[$(&$ident),+];
    };
}
