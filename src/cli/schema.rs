//! `landbridge schema`.

use clap::builder::PossibleValuesParser;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::compile::terraform;
use crate::report::json::SCHEMA;
use crate::report::reach::json as reach;
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

/// What `check -o json` writes.
const REPORT: &str = "report";
/// What `reach -o json` writes.
const REACH: &str = "reach";
/// What `terraform vars` writes.
const TERRAFORM: &str = "terraform";

/// What there is a schema of, as it is asked for.
fn choices() -> Vec<String> {
    let kinds = KINDS.iter().map(|kind| kind.name.to_ascii_lowercase());
    kinds.chain([REPORT, REACH, TERRAFORM].map(str::to_owned)).collect()
}

fn help() -> String {
    let kinds: Vec<_> = KINDS.iter().map(|kind| kind.name.to_ascii_lowercase()).collect();
    format!(
        "A kind ({}); `{REPORT}` for what `check -o json` writes, `{REACH}` for what `reach -o json` does, `{TERRAFORM}` for what `terraform vars` does",
        kinds.join(", ")
    )
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let Some(asked) = &args.kind else {
        return print(&schema::of_document(), context);
    };
    if let Some(kind) = KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(asked)) {
        return print(&schema::of_kind(kind), context);
    }
    let written = [(REPORT, SCHEMA), (REACH, reach::SCHEMA), (TERRAFORM, terraform::SCHEMA)];
    let written = written.iter().find(|(name, _)| asked.eq_ignore_ascii_case(name));
    context.print(written.map_or(SCHEMA, |(_, schema)| schema))?;
    Ok(Exit::Clean)
}

fn print(schema: &serde_json::Value, context: &mut Context) -> Result<Exit, Error> {
    context.print(format!("{schema:#}\n"))?;
    Ok(Exit::Clean)
}
