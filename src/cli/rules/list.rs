//! `landbridge rules list`.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::args::Output;
use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Exit;
use super::super::resolved::Resolved;
use crate::diagnostic::Diagnostics;
use crate::report::{Format, Report, untrusted};
use crate::validate::builtin;
use crate::validate::policy::{Policy, active};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Row {
    code: String,
    over: &'static str,
    severity: &'static str,
    /// Whether it counts in the project.
    on: bool,
    built_in: bool,
    summary: String,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let project = context.has_project().then(|| context.project()).transpose()?;
    let mut topology = None;
    let mut broken = Diagnostics::new();
    if let Some(project) = &project {
        let resolved = Resolved::new(project);
        if resolved.topology.is_none() {
            context.complain(&Report::new(resolved.found, &resolved.sources))?;
            return Ok(Exit::Findings);
        }
        (broken, topology) = (resolved.found, resolved.topology);
    }
    let on = topology.iter().flat_map(|topology| active(topology, &mut broken));
    let mut rows: Vec<Row> = on.map(|policy| row(&policy, true)).collect();
    for policy in builtin::all() {
        if rows.iter().all(|row| row.code != policy.rule.code) {
            rows.push(row(&policy, false));
        }
    }
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    let failed = |error| Error::new("the list cannot be written").cause(error);
    context.print(match args.output.format {
        Format::Human => table(&rows),
        Format::Json => serde_json::to_string_pretty(&rows).map_err(failed)? + "\n",
    })?;
    // A policy that could not be read is missing, one that is switched on wrongly is off.
    if broken.has_errors() {
        context.note(
            "the project has errors, so policies may be missing or seem off: \
             `landbridge check` says which",
        );
        return Ok(Exit::Incomplete);
    }
    Ok(Exit::Clean)
}

fn row(policy: &Policy<'_>, on: bool) -> Row {
    Row {
        code: policy.rule.code.to_string(),
        over: policy.spec.over.value.word(),
        severity: policy.severity.name(),
        on,
        built_in: policy.place.is_none(),
        summary: policy.rule.summary.to_string(),
    }
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.code.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Row { code, over, severity, on, summary, .. } in rows {
        let on = if *on { "on" } else { "off" };
        let summary = untrusted::line(summary);
        writeln!(text, "{code:width$}  {on:3}  {severity:7}  {over:12}  {summary}")
            .expect("internal error: text takes text");
    }
    text
}
