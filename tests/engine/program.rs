//! A running program over Cilium's policy engine: a case per line in, an answer per line out.
#![expect(clippy::disallowed_methods, reason = "the tests run Cilium's engine")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::case::{Answer, Case};

/// The program of one minor.
pub(crate) struct Program {
    child: Child,
    /// Cases on their way. A thread of their own writes them: the program may wait for somebody to
    /// read its answers before it reads on.
    input: Option<Sender<String>>,
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
        let mut pipe = child.stdin.take().expect("standard input is a pipe");
        let (input, cases) = mpsc::channel::<String>();
        thread::spawn(move || {
            // A program that is gone is noticed where its answer is read.
            cases.iter().try_for_each(|case| pipe.write_all(case.as_bytes())).ok();
        });
        let output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Self { child, input: Some(input), output }
    }

    /// Asks several cases at once, so that the engine works while the next are made.
    pub(crate) fn send(&mut self, case: &Case) {
        let case = serde_json::to_string(case).expect("a case is JSON") + "\n";
        self.input.as_ref().expect("it is open until the end").send(case).ok();
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
