//! `landbridge cidr list`.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::args::Output;
use super::super::context::Context;
use super::super::error::Error;
use super::{map, owner};
use crate::address::Range;
use crate::address::overlap::order;
use crate::address::plan::{Entry, Plan};
use crate::report::Format;
use crate::topology::Topology;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show free space too, and how much of each range is used
    #[arg(long, conflicts_with = "format")]
    map: bool,
    #[command(flatten)]
    output: Output,
}

/// A range as it is printed.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) range: String,
    pub(super) used: &'static str,
    pub(super) owner: String,
    pub(super) depth: usize,
    /// How much of it is used.
    #[serde(skip)]
    pub(super) bar: String,
}

pub(super) fn run(
    args: &Args,
    plan: &Plan,
    topology: &Topology,
    context: &mut Context,
) -> Result<(), Error> {
    if args.map {
        return context.print(map::map(plan, topology));
    }
    let rows = rows(plan, topology);
    if args.output.format == Format::Json {
        let text = serde_json::to_string_pretty(&rows).expect("internal error: rows are text");
        return context.print(text + "\n");
    }
    context.print(table(&rows))
}

/// The ranges in order, each as deep as ranges around it are open.
fn rows(plan: &Plan, topology: &Topology) -> Vec<Row> {
    let mut entries: Vec<&Entry> = plan.entries.iter().collect();
    entries.sort_by_key(|entry| (order(&entry.range), entry.used, entry.span));
    let mut open: Vec<Range> = Vec::new();
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        while open.last().is_some_and(|outer| !outer.contains(&entry.range)) {
            open.pop();
        }
        rows.push(Row {
            range: entry.range.to_string(),
            used: entry.used.name(),
            owner: owner(plan, topology, entry),
            depth: open.len(),
            bar: String::new(),
        });
        if open.last() != Some(&entry.range) {
            open.push(entry.range);
        }
    }
    rows
}

/// Indentation shows what lies in what.
pub(super) fn table(rows: &[Row]) -> String {
    let shown = |row: &Row| format!("{}{}", "  ".repeat(row.depth.min(16)), row.range);
    let wide = rows.iter().map(|row| shown(row).len()).max().unwrap_or_default();
    let used = rows.iter().map(|row| row.used.len()).max().unwrap_or_default();
    let owner = rows.iter().map(|row| row.owner.len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let Row { used: name, owner: whose, bar, .. } = row;
        let line = format!("{:wide$}  {name:used$}  {whose:owner$}  {bar}", shown(row));
        writeln!(text, "{}", line.trim_end()).expect("internal error: text takes text");
    }
    text
}
