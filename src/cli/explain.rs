//! `landbridge explain`.

use std::fmt::Write as _;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::diagnostic::Rule;
use crate::report::rules::{page, rules};
use crate::report::versions;
use crate::yaml::fields::nearest;

/// Explain a rule: what it finds, why it matters, and what to write instead
///
/// `versions` explains what is known about versions: faults, windows of support, ends of support.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge explain LB0005
  landbridge explain unknown-key
  landbridge explain versions     what is known about versions
  landbridge explain              list all rules")]
pub(super) struct Args {
    /// The rule's code or name, or `versions`; without it, all rules are listed
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let rules = rules();
    let text = match &args.rule {
        Some(name) if name == "versions" => versions::page(),
        Some(name) => page(find(&rules, name)?, 1),
        None => list(&rules),
    };
    context.print(&text)?;
    Ok(Exit::Clean)
}

fn find(rules: &[&'static Rule], name: &str) -> Result<&'static Rule, Error> {
    let same = |rule: &&&Rule| rule.code.eq_ignore_ascii_case(name) || rule.name == name;
    if let Some(rule) = rules.iter().find(same) {
        return Ok(rule);
    }
    let error = Error::new(format!("there is no rule `{}`", name.escape_debug()));
    // Codes are near to each other by nature: only names are worth a guess.
    Err(match nearest(name, rules.iter().map(|rule| &*rule.name)) {
        Some(near) => error.help(format!("`landbridge explain {near}` if that is meant")),
        None => error.help("`landbridge explain` lists all rules"),
    })
}

fn list(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Rule { code, name, summary, severity, .. } in rules {
        let severity = severity.name();
        writeln!(text, "{code}  {name:width$}  {severity:7}  {summary}")
            .expect("internal error: text takes text");
    }
    text
}
