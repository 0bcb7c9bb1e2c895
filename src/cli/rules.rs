//! `landbridge rules`.

mod list;
mod test;

use clap::Subcommand;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;

/// List policies, and test them on their samples
///
/// A policy is a rule as data: CEL over the topology or over what compile makes of it. The
/// project's own always count; built-in ones where `spec.policies` switches them on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge rules test                     the project's own policies and the built-in ones
  landbridge rules test rules/names.yaml    those of a file
  landbridge rules list")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the samples of policies
    Test(test::Args),
    /// List policies, and whether they count
    List(list::Args),
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    match &args.command {
        Command::Test(args) => test::run(args, context),
        Command::List(args) => list::run(args, context),
    }
}
