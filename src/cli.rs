//! The command line: one line per command.
//!
//! A command parses nothing and decides nothing that a phase could decide: it calls phases, and
//! its outcome is an [`Exit`]. Results go to standard output, everything else to
//! standard error.

pub mod exit;

mod args;
mod check;
mod cidr;
mod compare;
mod compile;
mod completions;
mod context;
mod error;
mod explain;
mod init;
mod man;
mod manifests;
mod output;
mod pinned;
mod pipeline;
mod project;
mod reach;
mod resolved;
mod rules;
mod schema;
mod select;
mod target;
mod terraform;
mod upgrade;
mod write;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use args::Global;
use context::Context;
use error::Error;
use exit::Exit;

/// What is printed above the commands.
const ABOUT: &str = "Compiles one topology of regions, clusters and flows into every cluster's \
                     Cilium manifests, and checks it";

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing found at or above --fail-on
  1  findings
  2  it could not do its job: usage, configuration, internal error
  3  something in scope could not be checked

A first project: `landbridge init`, `landbridge check`, `landbridge compile`.";

#[derive(Debug, Parser)]
#[command(name = "landbridge", version, about = ABOUT, after_help = EXIT_CODES)]
#[command(max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Check(check::Args),
    Compile(compile::Args),
    Reach(Box<reach::Args>),
    Upgrade(upgrade::Args),
    Cidr(cidr::Args),
    Terraform(terraform::Args),
    Rules(rules::Args),
    Explain(explain::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The commands with their arguments, for the pages that describe them.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs a command line to its end; the first argument is the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage(&error),
    };
    let mut context = Context::new(cli.global);
    let outcome = execute(cli.command, &mut context).and_then(|exit| {
        context.finish()?;
        Ok(exit)
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            error.print(context.color());
            Exit::Failed.into()
        }
    }
}

fn execute(command: Command, context: &mut Context) -> Result<Exit, Error> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Compile(args) => compile::run(&args, context),
        Command::Reach(args) => reach::run(&args, context),
        Command::Upgrade(args) => upgrade::run(&args, context),
        Command::Cidr(args) => cidr::run(&args, context),
        Command::Terraform(args) => terraform::run(&args, context),
        Command::Rules(args) => rules::run(&args, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}
