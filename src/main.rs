//! `landbridge`: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    landbridge::cli::exit::on_panic();
    landbridge::cli::run(std::env::args_os())
}
