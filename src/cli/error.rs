//! Why the tool could not do its job: one reason, its cause, and a way out.

use std::fmt;
use std::io::Write as _;

use annotate_snippets::renderer::{AnsiColor, Style};

use super::output::stderr;
use crate::diagnostic::Diagnostics;

/// Why the tool could not do its job.
#[derive(Debug)]
pub(super) struct Error {
    message: String,
    cause: Option<String>,
    help: Option<String>,
}

impl Error {
    /// `message` is a lower-case phrase.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, help: None }
    }

    /// Says what led to it.
    #[must_use]
    pub(super) fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says what to do, imperative.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Prints it to standard error.
    pub(super) fn print(&self, color: anstream::ColorChoice) {
        let part =
            |style: Style, head: &str, text: &str| format!("{style}{head}{style:#}: {text}\n");
        let mut text = part(AnsiColor::BrightRed.on_default().bold(), "error", &self.message);
        if let Some(cause) = &self.cause {
            text += &part(Style::new(), "  because", cause);
        }
        if let Some(help) = &self.help {
            text += &part(AnsiColor::BrightCyan.on_default().bold(), "help", help);
        }
        // There is nowhere left to say that this did not work.
        let _ = stderr(color).write_all(text.as_bytes());
    }
}

/// Findings that no project should be able to cause, as an error.
pub(super) fn collision(found: &Diagnostics) -> Error {
    let messages: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
    Error::new("what was compiled cannot be written").cause(messages.join("; "))
}
