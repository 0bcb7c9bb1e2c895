//! The standard streams.

use std::io::{self, BufWriter, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use super::args::When;
use super::error::Error;

/// Standard output. Its reader may go away (`| head`): the exit code is then the only result.
pub(super) struct Output {
    inner: BufWriter<AutoStream<io::Stdout>>,
    closed: bool,
}

impl Output {
    pub(super) fn new(choice: ColorChoice) -> Self {
        let inner = BufWriter::with_capacity(64 * 1024, AutoStream::new(io::stdout(), choice));
        Self { inner, closed: false }
    }

    fn attempt<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let done = self.inner.write(bytes);
        self.attempt(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let done = self.inner.flush();
        self.attempt(done, ())
    }
}

/// Standard error, which keeps colours where they are wanted.
pub(super) fn stderr(choice: ColorChoice) -> AutoStream<io::Stderr> {
    AutoStream::new(io::stderr(), choice)
}

/// Why standard output could not be written.
pub(super) fn broken(error: &io::Error) -> Error {
    Error::new("standard output cannot be written").cause(error)
}

/// Whether a result on standard output is written in colours.
pub(super) fn colored(choice: ColorChoice) -> bool {
    let auto = choice == ColorChoice::Auto;
    (if auto { AutoStream::choice(&io::stdout()) } else { choice }) != ColorChoice::Never
}

/// What the user says of colours.
pub(super) fn choice(when: When) -> ColorChoice {
    match when {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    }
}
