//! A running program over Cilium's policy engine: a case per line in, an answer per line out.
#![expect(clippy::disallowed_methods, reason = "the tests run Cilium's engine")]

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::case::{Answer, Case};

/// The program of one minor.
pub(crate) struct Program {
    child: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(path: &Path) -> Self {
        let mut child = Command::new(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take().map(BufWriter::new);
        let output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Self { child, input, output }
    }

    /// Asks several cases at once, so that the engine works while the next are made.
    pub(crate) fn send(&mut self, case: &Case) {
        let input = self.input.as_mut().expect("it is open until the end");
        serde_json::to_writer(&mut *input, case).expect("the program reads");
        input.write_all(b"\n").expect("the program reads");
        input.flush().expect("the program reads");
    }

    pub(crate) fn receive(&mut self) -> Answer {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the program writes");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: no answer: {line}"))
    }

    pub(crate) fn ask(&mut self, case: &Case) -> Answer {
        self.send(case);
        self.receive()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.input = None;
        self.child.wait().ok();
    }
}
