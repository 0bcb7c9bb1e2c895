//! What a run found, and how it is shown.
//!
//! A format owns what it writes: [`human`] for people, [`json`] for programs. Both show every
//! kind of result, also what could not be checked.

pub mod human;
pub mod json;
pub mod reach;
pub mod rules;
pub mod samples;
pub mod upgrade;
pub mod versions;

mod excerpt;
pub mod untrusted;

use std::io;

use crate::diagnostic::{Diagnostics, Severity};
use crate::source::SourceMap;

/// The result of a run: findings, what could not be checked, and the texts that they point into.
#[derive(Debug)]
pub struct Report<'a> {
    found: Diagnostics,
    sources: &'a SourceMap,
}

/// How much of what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are accepted; they are neither errors nor warnings.
    pub accepted: usize,
    /// Things in scope that could not be checked.
    pub not_checked: usize,
    /// Files that were read.
    pub files: usize,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: each finding with the lines that it is about
    #[default]
    Human,
    /// For programs: `landbridge schema report` describes it
    Json,
}

/// What a terminal wants of the human format.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether to write colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to show every finding of a rule, however many there are.
    pub all: bool,
    /// Whether to end with a line that counts.
    pub summary: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { color: false, width: 120, all: false, summary: true }
    }
}

impl<'a> Report<'a> {
    /// Sorts what was found, so that a report does not depend on the order of the work.
    pub fn new(mut found: Diagnostics, sources: &'a SourceMap) -> Self {
        found.sort();
        Self { found, sources }
    }

    /// The findings by place, and what could not be checked.
    pub fn found(&self) -> &Diagnostics {
        &self.found
    }

    /// The texts that the findings point into.
    pub fn sources(&self) -> &'a SourceMap {
        self.sources
    }

    /// Counts.
    pub fn summary(&self) -> Summary {
        let count = |severity| {
            let kept = self.found.iter().filter(|one| one.severity == severity).count();
            let omitted = self.found.omitted().filter(|one| one.severity == severity);
            kept + omitted.map(|one| one.count).sum::<usize>()
        };
        Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            accepted: self.found.accepted().count() + self.found.accepted_omitted(),
            not_checked: self.found.unchecked().len() + self.found.unchecked_omitted(),
            files: self.sources.iter().count(),
        }
    }
}

impl Format {
    /// Writes a report.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(self, report: &Report<'_>, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Self::Human => human::write(report, look, out),
            Self::Json => json::write(report, out),
        }
    }
}

#[cfg(test)]
mod tests;
