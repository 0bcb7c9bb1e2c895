//! A rehearsal as Markdown, for a pull request.

use std::io;

use super::super::Look;
use super::super::untrusted::line;
use super::Shown;
use super::groups::{self, Group, fate};
use crate::upgrade::Outcome;
use crate::upgrade::policies::phrase;
use crate::upgrade::values::ValueSort;

/// Most flows of one policy that are shown unless all are wanted.
const MAX_OF_GROUP: usize = 20;

/// Writes a rehearsal.
///
/// # Errors
/// What `out` says.
pub(super) fn write(shown: &Shown<'_>, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let rehearsal = shown.rehearsal;
    writeln!(out, "## Upgrade to Cilium {}\n", rehearsal.target)?;
    writeln!(out, "**{}**", text(&shown.summary()))?;
    for note in &rehearsal.notes {
        writeln!(out, "\n{}", text(note))?;
    }
    if !rehearsal.backwards.is_empty() {
        let clusters = text(&shown.clusters(&rehearsal.backwards));
        writeln!(out, "\nAn older version than {clusters} has is no upgrade.")?;
    }
    for (at, outcome) in rehearsal.steps.iter().enumerate() {
        step(shown, look, at + 1, outcome, out)?;
    }
    if !rehearsal.unread.is_empty() {
        writeln!(out, "\n### Not looked at\n")?;
    }
    for one in &rehearsal.unread {
        let place = text(&shown.place(one.span));
        writeln!(out, "- {}: {} ({place})", text(&one.what), text(&one.why))?;
    }
    Ok(())
}

fn step(
    shown: &Shown<'_>,
    look: Look,
    number: usize,
    outcome: &Outcome,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    writeln!(out, "\n### {number}. Cilium {}\n", outcome.step.to)?;
    writeln!(out, "| order | cluster | from | to |\n| --- | --- | --- | --- |")?;
    for (at, one) in outcome.step.moves.iter().enumerate() {
        let cluster = text(&shown.cluster(one.cluster));
        writeln!(out, "| {} | {cluster} | {} | {} |", at + 1, one.from, one.to)?;
    }
    if !outcome.findings.is_empty() {
        writeln!(out)?;
    }
    for one in &outcome.findings {
        let place = text(&shown.place(one.primary.span));
        let (name, code) = (one.severity.name(), &one.rule.code);
        writeln!(out, "- **{name}** {code}: {} ({place})", text(&one.message))?;
    }
    let (groups, silent) = groups::of(outcome);
    for one in &groups {
        group(shown, look, one, out)?;
    }
    if silent > 0 {
        writeln!(out, "\n{silent} more policies are read otherwise, and no flow depends on it.")?;
    }
    values(shown, look, outcome, out)
}

fn group(
    shown: &Shown<'_>,
    look: Look,
    group: &Group<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    writeln!(out)?;
    if let Some(change) = group.policy {
        let (title, clusters) = (text(&change.title()), text(&shown.clusters(&group.clusters)));
        let (fate, place) = (text(&fate(change)), text(&shown.place(change.span)));
        writeln!(out, "**{title}** in {clusters} {fate} ({place})\n")?;
    }
    for cause in &group.causes {
        let Cause { name, since, what, help, source } = Cause::of(cause);
        writeln!(out, "- {name}, since {since}: {what} ({source})\n- To do: {help}")?;
    }
    for remark in &group.remarks {
        let place = text(&shown.place(remark.span));
        writeln!(out, "- Now: {} ({place})", text(&phrase(&remark.sort)))?;
    }
    if group.flows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| | from | to | ports | with |\n| --- | --- | --- | --- | --- |")?;
    let most = if look.all { group.flows.len() } else { MAX_OF_GROUP };
    for (_, flow) in group.flows.iter().take(most) {
        let (from, to) = (text(&shown.side(&flow.from)), text(&shown.side(&flow.to)));
        let by = text(&shown.cluster(flow.by));
        for (word, opening) in shown.events(flow) {
            writeln!(out, "| {word} | {from} | {to} | {opening} | {by} |")?;
        }
    }
    if group.flows.len() > most {
        writeln!(out, "\nAnd {} more flows.", group.flows.len() - most)?;
    }
    Ok(())
}

/// A cause as Markdown.
struct Cause {
    name: &'static str,
    since: &'static str,
    what: String,
    help: String,
    source: String,
}

impl Cause {
    fn of(cause: &crate::upgrade::cause::Cause) -> Self {
        let [what, help, source] = [cause.what, cause.help, cause.source].map(text);
        Self { name: cause.name, since: cause.since, what, help, source }
    }
}

fn values(
    shown: &Shown<'_>,
    look: Look,
    outcome: &Outcome,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let wanted = outcome.values.iter();
    let wanted: Vec<_> =
        wanted.filter(|one| look.all || one.sort != ValueSort::Rewritten).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| value | clusters | what becomes of it |\n| --- | --- | --- |")?;
    for one in wanted {
        let (key, clusters) = (text(&one.key), text(&shown.clusters(&one.clusters)));
        let help = one.help.as_ref().map(|help| format!("; {}", text(help))).unwrap_or_default();
        writeln!(out, "| {key} | {clusters} | {}{help} |", text(&one.message))?;
    }
    Ok(())
}

/// Text that no character of is markup, but for code between backticks.
fn text(written: &str) -> String {
    let mut escaped = String::new();
    for c in line(written).chars() {
        if matches!(c, '|' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
