//! Programs and data that `scripts/test` provides for the tests and names in the environment.
//!
//! - `LANDBRIDGE_KUBECTL`: a current kubectl, for `kubectl kustomize`;
//! - `LANDBRIDGE_GOYAML`: `tests/goyaml`, a YAML stream to one line of JSON a document;
//! - `LANDBRIDGE_GOFLUX`: `tests/goflux`, variables in an object to what Flux makes of them;
//! - `LANDBRIDGE_GOFLUXAPI`: `tests/gofluxapi`, Flux's objects to what its types say of them;
//! - `LANDBRIDGE_GOINSTALLERS`: `tests/goinstallers`, bootstrap files to what their installers read;
//! - `LANDBRIDGE_PYYAML`: a folder with `PyYAML`, for python3;
//! - `LANDBRIDGE_CHARTS`: a folder with `cilium-<version>.tgz`, from the user;
//! - `LANDBRIDGE_HELM`: helm, where there are charts.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run other programs, which the environment names"
)]

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The program or folder that the variable names. Where it names none, says so on standard error
/// and gives nothing: the test that asked ends there.
pub(crate) fn named_by(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    match &path {
        Some(path) => {
            assert!(path.exists(), "{variable} is `{}`, which does not exist", path.display());
        }
        None => {
            // Not `eprintln!`, whose output the harness keeps from whoever reads a passing run.
            writeln!(
                io::stderr(),
                "skipped: {variable} is not set, as `scripts/test` would set it"
            )
            .expect("standard error takes a line");
        }
    }
    path
}

/// Runs a command to its end with `input` on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    std::thread::scope(|scope| {
        // A program that rejects its input may close the pipe before it has read all of it.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("the program ends")
    })
}
