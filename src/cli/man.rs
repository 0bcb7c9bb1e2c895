//! `landbridge man`.

use clap_mangen::Man;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;

/// Print a manual page, in the form that `man` reads
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  landbridge man check | man -l -")]
pub(super) struct Args {
    /// The command that the page is about; without it, landbridge itself
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let mut all = super::command();
    all.build();
    if let Some(name) = &args.command {
        let Some(command) = all.find_subcommand(name) else {
            let message = format!("there is no command `{}`", name.escape_debug());
            return Err(Error::new(message).help("`landbridge --help` lists all commands"));
        };
        all = command.clone();
    }
    let mut page = Vec::new();
    let rendered = Man::new(all).render(&mut page);
    rendered.map_err(|error| Error::new("the page cannot be made").cause(error))?;
    context.print(page)?;
    Ok(Exit::Clean)
}
