//! What a command runs in: its project, its streams, how much it says.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};

use super::args::{Global, When};
use super::error::Error;
use super::output::{Output, broken, stderr};
use crate::report::{Format, Look, Report};
use crate::spec::load::ENTRY;
use crate::system::os::OsSystem;
use crate::system::{FileError, System as _};

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
        let init = "`landbridge init` writes a first project";
        let Some(root) = self.named_project().map(Path::to_path_buf).or_else(find) else {
            let message = format!("there is no `{ENTRY}` here, nor in a folder above");
            return Err(Error::new(message).help(format!("{init}; `-C DIR` names another folder")));
        };
        self.detail(&format!("the project is `{}`", root.display()));
        let failed = |error| {
            let message = format!("the project `{}` cannot be opened", root.display());
            Error::new(message).cause(error)
        };
        let system = OsSystem::open(&root).map_err(failed)?;
        if system.kind(ENTRY) == Err(FileError::Missing) {
            let message = format!("there is no `{ENTRY}` in `{}`", root.display());
            return Err(Error::new(message).help(init));
        }
        Ok(system)
    }

    /// Writes a result to standard output.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Error> {
        self.out.write_all(text.as_bytes()).map_err(|error| broken(&error))
    }

    /// Writes a report to standard output.
    pub(super) fn report(&mut self, report: &Report<'_>, format: Format) -> Result<(), Error> {
        let color = AutoStream::choice(&io::stdout());
        let color = if self.color() == ColorChoice::Auto { color } else { self.color() };
        let width = terminal_size::terminal_size_of(io::stdout());
        let look = Look {
            color: color != ColorChoice::Never,
            width: width.map_or(Look::default().width, |(width, _)| width.0.max(40).into()),
            all: self.global.verbose,
            summary: !self.global.quiet,
        };
        format.write(report, look, &mut self.out).map_err(|error| broken(&error))
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

fn find() -> Option<PathBuf> {
    OsSystem::find_up(Path::new("."), ENTRY)
}

fn choice(when: When) -> ColorChoice {
    match when {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    }
}
