//! A matrix and a difference for people: a table, and one for a pull request.

use std::fmt::Write as _;

use super::{Scene, names, ports};
use crate::reach::diff::Difference;
use crate::reach::matrix::{Matrix, Row};
use crate::report::untrusted::line;

/// Most names in one cell.
const MAX_NAMES: usize = 12;
/// Longest cell of ports.
const MAX_PORTS: usize = 100;

/// Writes a matrix.
pub fn matrix(matrix: &Matrix, scene: &Scene<'_>) -> String {
    if matrix.roster.is_empty() {
        return "no workload is known\n".to_owned();
    }
    if matrix.rows.is_empty() {
        return "nothing is open\n".to_owned();
    }
    let (general, single): (Vec<&Row>, Vec<&Row>) = matrix.rows.iter().partition(|row| row.general);
    let mut text = rows(&single, matrix, scene);
    if !general.is_empty() {
        if !single.is_empty() {
            text += "\nand, where no line above says otherwise:\n\n";
        }
        text += &rows(&general, matrix, scene);
    }
    text
}

/// Writes a difference.
pub fn difference(difference: &Difference, scene: &Scene<'_>) -> String {
    if difference.is_empty() {
        return "nothing is opened, and nothing is closed\n".to_owned();
    }
    let mut text = String::new();
    for (word, one) in [("opened", &difference.opened), ("closed", &difference.closed)] {
        if one.rows.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        write!(text, "{word}:\n\n{}", matrix(one, scene)).expect("internal error: text takes text");
    }
    text
}

/// Writes a difference as Markdown.
pub fn markdown(difference: &Difference, scene: &Scene<'_>) -> String {
    if difference.is_empty() {
        return "No flow is opened, and none is closed.\n".to_owned();
    }
    let mut text = String::new();
    for (word, one) in [("Opened", &difference.opened), ("Closed", &difference.closed)] {
        if one.rows.is_empty() {
            continue;
        }
        let head = "| from | to | ports |\n| --- | --- | --- |";
        writeln!(text, "### {word}\n\n{head}").expect("internal error: text takes text");
        for row in &one.rows {
            let cell = |parts: Vec<String>| parts.iter().map(|part| code(part)).collect::<Vec<_>>();
            let from = cell(short(names(&row.from, one))).join("<br>");
            let to = cell(short(names(&row.to, one))).join("<br>");
            let ports = escaped(&ports::text(&row.opening, scene.mesh));
            let rest = if row.general { " (where no other line says otherwise)" } else { "" };
            writeln!(text, "| {from} | {to} | {ports}{rest} |")
                .expect("internal error: text takes text");
        }
        text.push('\n');
    }
    text
}

fn code(text: &str) -> String {
    format!("`{}`", escaped(text).replace('`', "'"))
}

fn escaped(text: &str) -> String {
    line(text).replace('|', "\\|").replace('<', "&lt;")
}

/// The names of a cell, so many that it stays readable.
fn short(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(MAX_NAMES);
    if more > 1 {
        names.truncate(MAX_NAMES);
        names.push(format!("… and {more} more"));
    }
    names
}

fn rows(rows: &[&Row], matrix: &Matrix, scene: &Scene<'_>) -> String {
    let mut lines = vec![["FROM", "TO", "PORTS"].map(str::to_owned)];
    for row in rows {
        let mut open = ports::text(&row.opening, scene.mesh);
        if open.chars().count() > MAX_PORTS {
            open = open.chars().take(MAX_PORTS).chain("…".chars()).collect();
        }
        let sources = short(names(&row.from, matrix));
        // Each line says all, so that it can be found by a word.
        for target in short(names(&row.to, matrix)) {
            lines.extend(sources.iter().map(|from| [from.clone(), target.clone(), open.clone()]));
        }
    }
    let width = |at: usize| lines.iter().map(|cells| line(&cells[at]).chars().count()).max();
    let (from, to) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    let mut text = String::new();
    for [source, target, open] in &lines {
        let (source, target, open) = (line(source), line(target), line(open));
        writeln!(text, "{source:from$}  {target:to$}  {open}")
            .expect("internal error: text takes text");
    }
    text
}
