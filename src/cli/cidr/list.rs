//! `landbridge cidr list`.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::context::Context;
use super::super::error::Error;
use super::owner;
use crate::address::Range;
use crate::address::plan::{Entry, Plan};
use crate::report::Format;
use crate::topology::Topology;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How to write the list: human or json
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true
    )]
    format: Format,
}

/// A range as it is printed.
#[derive(Serialize)]
struct Row {
    range: String,
    used: &'static str,
    owner: String,
    depth: usize,
}

pub(super) fn run(
    args: &Args,
    plan: &Plan,
    topology: &Topology,
    context: &mut Context,
) -> Result<(), Error> {
    let rows = rows(plan, topology);
    if args.format == Format::Json {
        let text = serde_json::to_string_pretty(&rows).expect("internal error: rows are text");
        return context.print(text + "\n");
    }
    context.print(table(&rows))
}

/// The ranges in order, each as deep as ranges around it are open.
fn rows(plan: &Plan, topology: &Topology) -> Vec<Row> {
    let mut entries: Vec<&Entry> = plan.entries.iter().collect();
    entries.sort_by_key(|entry| {
        let Range { v6, first, last } = entry.range;
        (v6, first, u128::MAX - last, entry.used, entry.span)
    });
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
        });
        if open.last() != Some(&entry.range) {
            open.push(entry.range);
        }
    }
    rows
}

/// The picture: indentation shows what lies in what.
fn table(rows: &[Row]) -> String {
    let shown = |row: &Row| format!("{}{}", "  ".repeat(row.depth.min(16)), row.range);
    let wide = rows.iter().map(|row| shown(row).len()).max().unwrap_or_default();
    let used = rows.iter().map(|row| row.used.len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let line = format!("{:wide$}  {:used$}  {}", shown(row), row.used, row.owner);
        writeln!(text, "{}", line.trim_end()).expect("internal error: text takes text");
    }
    text
}
