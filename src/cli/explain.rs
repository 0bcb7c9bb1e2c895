//! `landbridge explain`.

use std::fmt::Write as _;

use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::diagnostic::{Diagnostics, Rule};
use crate::report::rules::{page, page_of_project, policies, rules};
use crate::report::versions;
use crate::source::SourceMap;
use crate::spec::load;
use crate::validate::policy::Policy;
use crate::yaml::fields::nearest;

/// Explain a rule: what it finds, why it matters, and what to write instead
///
/// `versions` explains what is known about versions: faults, windows of support, ends of support.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  landbridge explain LB0005
  landbridge explain unknown-key
  landbridge explain P-dns-ttl
  landbridge explain versions     what is known about versions
  landbridge explain              list all rules")]
pub(super) struct Args {
    /// The rule's code or name, or `versions`; without it, all rules are listed
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let rules: Vec<_> = rules().into_iter().chain(policies()).collect();
    let text = match &args.rule {
        Some(name) if name == "versions" => versions::page(),
        Some(name) => match own(name, context)? {
            Some(page) => page,
            None => page(find(&rules, name)?, 1),
        },
        None => list(&rules),
    };
    context.print(&text)?;
    Ok(Exit::Clean)
}

/// The page of one of the project's own policies.
fn own(name: &str, context: &Context) -> Result<Option<String>, Error> {
    let Some(name) = name.strip_prefix("P-").filter(|_| context.has_project()) else {
        return Ok(None);
    };
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&context.project()?, &mut sources, &mut found);
    let own = spec.policies.iter().find(|policy| policy.name.value == name);
    let policy = own.and_then(|named| Some(Policy::own(&named.name, named.spec.as_ref()?)));
    Ok(policy.map(|policy| page_of_project(&policy.rule)))
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
    // A policy's code is its name already.
    let whole = "LB0001".len() + 2 + width;
    let mut text = String::new();
    for Rule { code, name, summary, severity, .. } in rules {
        let severity = severity.name();
        let known = if code.starts_with("P-") {
            format!("{code:whole$}")
        } else {
            format!("{code}  {name:width$}")
        };
        writeln!(text, "{known}  {severity:7}  {summary}")
            .expect("internal error: text takes text");
    }
    text
}
