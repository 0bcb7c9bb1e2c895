//! What a command runs in: its project, its streams, how much it says.

use std::io::{self, Write as _};
use std::path::Path;

use anstream::ColorChoice;

use super::args::Global;
use super::error::Error;
use super::output::{Output, broken, choice, colored, stderr};
use super::project;
use crate::report::{Format, Look, Report};
use crate::system::os::OsSystem;

/// What a command runs in.
pub(super) struct Context {
    global: Global,
    out: Output,
}

impl Context {
    pub(super) fn new(global: Global) -> Self {
        let out = Output::new(choice(global.color));
        Self { global, out }
    }

    /// Whether to write colours.
    pub(super) fn color(&self) -> ColorChoice {
        choice(self.global.color)
    }

    /// The folder that was named by `--project`.
    pub(super) fn named_project(&self) -> Option<&Path> {
        self.global.project.as_deref()
    }

    /// The project: the folder that was named, or the nearest one upwards.
    pub(super) fn project(&self) -> Result<OsSystem, Error> {
        let project = project::open(self.named_project())?;
        self.detail(&format!("the project is `{}`", project.root().display()));
        Ok(match self.global.now {
            Some(day) => project.on(day),
            None => project,
        })
    }

    /// Whether a project is named, or there is one here or above.
    pub(super) fn has_project(&self) -> bool {
        self.named_project().is_some() || project::nearest().is_some()
    }

    /// Writes a result to standard output.
    pub(super) fn print(&mut self, text: impl AsRef<[u8]>) -> Result<(), Error> {
        self.out.write_all(text.as_ref()).map_err(|error| broken(&error))
    }

    /// Writes a report to standard output.
    pub(super) fn report(&mut self, report: &Report<'_>, format: Format) -> Result<(), Error> {
        self.present(|look, out| format.write(report, look, out))
    }

    /// Writes a result to standard output as the terminal wants it.
    pub(super) fn present<F>(&mut self, write: F) -> Result<(), Error>
    where
        F: FnOnce(Look, &mut dyn io::Write) -> io::Result<()>,
    {
        let width = terminal_size::terminal_size_of(io::stdout());
        let look = Look {
            color: colored(self.color()),
            width: width.map_or(Look::default().width, |(width, _)| width.0.max(40).into()),
            all: self.global.verbose,
            summary: !self.global.quiet,
        };
        write(look, &mut self.out).map_err(|error| broken(&error))
    }

    /// Writes what was found to standard error, where standard output is for something else.
    pub(super) fn complain(&self, report: &Report<'_>) -> Result<(), Error> {
        if report.found().is_empty() {
            return Ok(());
        }
        let look = Look { all: self.global.verbose, ..Look::default() };
        Format::Human
            .write(report, look, &mut stderr(self.color()))
            .map_err(|error| Error::new("standard error cannot be written").cause(error))
    }

    /// Tells the user about progress.
    pub(super) fn note(&self, text: &str) {
        if !self.global.quiet {
            self.log(text);
        }
    }

    /// Tells a curious user about progress.
    pub(super) fn detail(&self, text: &str) {
        if self.global.verbose {
            self.log(text);
        }
    }

    fn log(&self, text: &str) {
        // What is not a result may get lost.
        let _ = writeln!(stderr(self.color()), "{text}");
    }

    /// Writes what is still buffered.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.out.flush().map_err(|error| broken(&error))
    }
}
