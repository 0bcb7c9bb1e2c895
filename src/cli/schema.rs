//! `landbridge schema`.

use clap::builder::PossibleValuesParser;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::compile::terraform;
use crate::report;
use crate::spec::{KINDS, schema};

/// Print the JSON Schema of the language, for editors
///
/// Without KIND it is one schema for any document, in which the document's kind decides. An
/// editor with yaml-language-server completes and explains with it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  landbridge schema > landbridge.schema.json
and at the top of each file:
  # yaml-language-server: $schema=landbridge.schema.json")]
pub(super) struct Args {
    #[arg(
        value_name = "KIND",
        ignore_case = true,
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(choices()),
        help = help()
    )]
    kind: Option<String>,
}

/// What commands write: the word for it, the command, and its schema.
const OUTPUTS: &[(&str, &str, &str)] = &[
    ("report", "check -o json", report::json::SCHEMA),
    ("reach", "reach -o json", report::reach::json::SCHEMA),
    ("terraform", "terraform vars", terraform::SCHEMA),
    ("upgrade", "upgrade -o json", report::upgrade::json::SCHEMA),
];

/// What there is a schema of, as it is asked for.
fn choices() -> Vec<String> {
    let kinds = KINDS.iter().map(|kind| kind.name.to_ascii_lowercase());
    kinds.chain(OUTPUTS.iter().map(|(word, ..)| (*word).to_owned())).collect()
}

fn help() -> String {
    let kinds: Vec<_> = KINDS.iter().map(|kind| kind.name.to_ascii_lowercase()).collect();
    let outputs =
        OUTPUTS.iter().map(|(word, command, _)| format!("`{word}` for that of `{command}`"));
    let outputs: Vec<_> = outputs.collect();
    format!("A kind ({}), or an output: {}", kinds.join(", "), outputs.join(", "))
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let Some(asked) = &args.kind else {
        return print(&schema::of_document(), context);
    };
    if let Some(kind) = KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(asked)) {
        return print(&schema::of_kind(kind), context);
    }
    let output = OUTPUTS.iter().find(|(word, ..)| asked.eq_ignore_ascii_case(word));
    let (_, _, text) = output.expect("internal error: every choice has a schema");
    context.print(text)?;
    Ok(Exit::Clean)
}

fn print(schema: &serde_json::Value, context: &mut Context) -> Result<Exit, Error> {
    context.print(format!("{schema:#}\n"))?;
    Ok(Exit::Clean)
}
