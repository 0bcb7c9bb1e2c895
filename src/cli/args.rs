//! Arguments that several commands take.

use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::Exit;
use crate::report::{Format, Summary};
use crate::system::Date;

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Global {
    /// The project's folder: the one with `landbridge.yaml`. Without it, the current folder and
    /// those above it are looked at
    #[arg(short = 'C', long, value_name = "DIR", global = true)]
    pub(super) project: Option<PathBuf>,
    /// When to write colours; `NO_COLOR` is heeded
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        default_value = "auto",
        hide_possible_values = true
    )]
    #[arg(help = "When to write colours: auto, always or never. NO_COLOR is heeded")]
    pub(super) color: When,
    /// The day on which the project is judged, such as 2027-01-31; today unless said here
    #[arg(long, value_name = "DATE", global = true)]
    pub(super) now: Option<Date>,
    /// Print results only: neither progress nor the counts at the end
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print every finding of a rule, and what is being done
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

/// When to write colours.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum When {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a command writes its result.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Output {
    /// How to write the result: human or json
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true
    )]
    pub(super) format: Format,
}

/// What makes a command fail.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Threshold {
    /// The mildest finding that makes the exit code 1: error, warning or never
    #[arg(long, value_name = "SEVERITY", default_value = "error", hide_possible_values = true)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Never,
}

impl Threshold {
    /// The outcome of a run that found that much.
    pub(super) fn judge(self, summary: &Summary) -> Exit {
        let findings = match self.fail_on {
            FailOn::Error => summary.errors,
            FailOn::Warning => summary.errors + summary.warnings,
            FailOn::Never => 0,
        };
        let found = if findings > 0 { Exit::Findings } else { Exit::Clean };
        let seen = if summary.not_checked > 0 { Exit::Incomplete } else { Exit::Clean };
        found.max(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_counts() {
        let judge = |fail_on, errors, warnings, not_checked| {
            let summary = Summary { errors, warnings, accepted: 3, not_checked, files: 1 };
            Threshold { fail_on }.judge(&summary)
        };
        assert_eq!(judge(FailOn::Error, 0, 5, 0), Exit::Clean);
        assert_eq!(judge(FailOn::Error, 1, 0, 0), Exit::Findings);
        assert_eq!(judge(FailOn::Warning, 0, 5, 0), Exit::Findings);
        assert_eq!(judge(FailOn::Never, 1, 5, 0), Exit::Clean);
        assert_eq!(judge(FailOn::Never, 1, 5, 1), Exit::Incomplete);
        assert_eq!(judge(FailOn::Error, 1, 0, 1), Exit::Incomplete);
    }
}
