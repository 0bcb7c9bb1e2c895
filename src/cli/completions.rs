//! `landbridge completions`.

use clap_complete::{Shell, generate};

use super::context::Context;
use super::error::Error;
use super::exit::Exit;

/// Print a script that completes commands in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge completions bash > ~/.local/share/bash-completion/completions/landbridge
  landbridge completions zsh > ~/.zfunc/_landbridge
  landbridge completions fish > ~/.config/fish/completions/landbridge.fish")]
pub(super) struct Args {
    /// bash, zsh, fish, elvish or powershell
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    shell: Shell,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let mut script = Vec::new();
    generate(args.shell, &mut super::command(), "landbridge", &mut script);
    context.print(script)?;
    Ok(Exit::Clean)
}
