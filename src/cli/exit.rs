//! Exit codes.

use std::panic::PanicHookInfo;
use std::process::ExitCode;

use anstream::eprintln;

use crate::expression::PARSER;

/// How a run ended; a later one outranks an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Complete, nothing found at or above the threshold: 0.
    Clean,
    /// Findings: 1.
    Findings,
    /// Something in scope could not be checked: 3.
    Incomplete,
    /// It could not do its job: 2.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Failed => FAILED,
            Exit::Incomplete => 3,
        })
    }
}

const FAILED: u8 = 2;

/// Prints what is wrong with a command line, or the help that it asks for.
pub(super) fn of_usage(error: &clap::Error) -> ExitCode {
    // A reader that went away needs no help any more.
    let _ = error.print();
    if error.use_stderr() { Exit::Failed.into() } else { Exit::Clean.into() }
}

/// Makes a panic, in any thread but one that parses an expression, end the program with exit code 2 and say that it is a bug.
#[expect(clippy::exit, reason = "a panic of another thread would not end the program")]
pub fn on_panic() {
    std::panic::set_hook(Box::new(|info| {
        // A parser of others that breaks off is a finding about what it was given.
        if std::thread::current().name() == Some(PARSER) {
            return;
        }
        eprintln!("{}", message(info));
        std::process::exit(FAILED.into());
    }));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let what = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    format!(
        "error: this is a bug in landbridge {}: {what}\n  at {place}\n\
         help: report it with the command and the files that led to it; nothing is half-written",
        env!("CARGO_PKG_VERSION"),
    )
}
