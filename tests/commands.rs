//! The commands: a page each in `tests/cmd/`, and what no page can show.
#![expect(clippy::disallowed_methods, reason = "the tests run the program")]

use std::env;
use std::process::{Command, Stdio};

use crate::golden;

/// `TRYCMD=overwrite cargo test --test main commands` writes the outputs.
#[test]
fn pages() {
    let bin = env!("CARGO_BIN_EXE_landbridge");
    trycmd::TestCases::new()
        .register_bin("landbridge", std::path::Path::new(bin))
        .env("NO_COLOR", "1")
        .case("tests/cmd/*.md");
}

#[test]
fn every_command_has_a_page() {
    let root = landbridge::cli::command();
    for command in root.get_subcommands() {
        let page = format!("tests/cmd/{}.md", command.get_name());
        assert!(golden::path(&page).is_file(), "{page} is missing");
    }
}

fn landbridge(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landbridge"));
    command.args(args).current_dir(golden::path("tests/cmd/check.in"));
    command
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for args in [&["schema"][..], &["check", "-o", "json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = landbridge(args);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().expect("it starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        let expected = i32::from(args[0] == "check");
        assert_eq!(output.status.code(), Some(expected), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_lost_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let output = landbridge(&["schema"]).stdout(full).stderr(Stdio::piped()).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("error: standard output cannot be written\n"), "{text}");
}

/// Set in the process that is to panic.
const PANIC: &str = "LANDBRIDGE_TEST_PANIC";

#[test]
fn a_panic_is_a_bug_with_exit_code_2() {
    if env::var_os(PANIC).is_some() {
        landbridge::cli::exit::on_panic();
        let worker = std::thread::spawn(|| panic!("the sky is falling"));
        let _ = worker.join();
        return;
    }
    let this = env::current_exe().expect("the test has a program");
    let mut again = Command::new(this);
    again.args(["--exact", "commands::a_panic_is_a_bug_with_exit_code_2", "--nocapture"]);
    let output = again.env(PANIC, "1").output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("error: this is a bug in landbridge"), "{text}");
    assert!(text.contains("the sky is falling\n  at tests/commands.rs:"), "{text}");
}
