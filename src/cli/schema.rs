//! `landbridge schema`.

use clap::ValueEnum;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::compile::terraform;
use crate::report::json::SCHEMA;
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
    /// topology, cluster, meshapplication or capability; `report` for what `check -o json` writes, `terraform` for what `terraform vars` does
    #[arg(value_name = "KIND", ignore_case = true, hide_possible_values = true)]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
enum Kind {
    Topology,
    Cluster,
    MeshApplication,
    Capability,
    Report,
    Terraform,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let name = match args.kind {
        None => return print(&schema::of_document(), context),
        Some(Kind::Report) => {
            context.print(SCHEMA)?;
            return Ok(Exit::Clean);
        }
        Some(Kind::Terraform) => {
            context.print(terraform::SCHEMA)?;
            return Ok(Exit::Clean);
        }
        Some(Kind::Topology) => "Topology",
        Some(Kind::Cluster) => "Cluster",
        Some(Kind::MeshApplication) => "MeshApplication",
        Some(Kind::Capability) => "Capability",
    };
    let kind = KINDS.iter().find(|kind| kind.name == name);
    print(&schema::of_kind(kind.expect("internal error: every kind is in the table")), context)
}

fn print(schema: &serde_json::Value, context: &mut Context) -> Result<Exit, Error> {
    context.print(format!("{schema:#}\n"))?;
    Ok(Exit::Clean)
}
