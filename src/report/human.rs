//! Findings for people: each with the lines that it is about, as Rust's compiler shows them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use annotate_snippets::renderer::{AnsiColor, Style};
use annotate_snippets::{Group, Level, Renderer};

use super::excerpt::{self, MAX_RELATED};
use super::untrusted::{harmless, line};
use super::{Look, Report, Summary};
use crate::diagnostic::{Diagnostic, MAX_KEPT, NotChecked, Rule, Severity};

/// Most findings of one rule that are shown unless all are wanted; the rest is counted.
pub const MAX_OF_RULE: usize = 50;

/// Writes a report.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report<'_>, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let renderer = if look.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(look.width);
    let most = if look.all { MAX_KEPT } else { MAX_OF_RULE };
    let mut rules: BTreeMap<&str, Counted<'_>> = BTreeMap::new();
    for finding in report.found().iter() {
        let rule = rules.entry(&*finding.rule.code).or_insert_with(|| Counted::of(&finding.rule));
        if rule.shown < most {
            rule.shown += 1;
            writeln!(out, "{}\n", render(report, finding, &renderer))?;
        } else {
            rule.more += 1;
        }
    }
    for omitted in report.found().omitted() {
        let rule = rules.entry(&*omitted.rule.code).or_insert_with(|| Counted::of(&omitted.rule));
        rule.more += omitted.count;
    }
    for (code, Counted { name, more, .. }) in rules.iter().filter(|(_, rule)| rule.more > 0) {
        writeln!(out, "… and {more} more of {code} ({name})\n")?;
    }
    if look.all {
        accepted(report, look, out)?;
    }
    not_checked(report, look, most, out)?;
    if look.summary {
        writeln!(out, "{}", summary(&report.summary(), look))?;
        if let Some((code, _)) = rules.first_key_value() {
            writeln!(out, "`landbridge explain {code}` says why it matters and what to do")?;
        }
    }
    Ok(())
}

/// How often a rule was broken.
struct Counted<'a> {
    name: &'a str,
    shown: usize,
    more: usize,
}

impl<'a> Counted<'a> {
    fn of(rule: &'a Rule) -> Self {
        Self { name: &rule.name, shown: 0, more: 0 }
    }
}

fn render(report: &Report<'_>, finding: &Diagnostic, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(line(&finding.message)).id(&*finding.rule.code);
    let mut group = Group::with_title(title).elements(excerpt::of(report.sources(), finding));
    if let Some(more) = finding.related.len().checked_sub(MAX_RELATED).filter(|more| *more > 0) {
        group = group.element(Level::NOTE.message(format!("and {more} more places")));
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(harmless(note)));
    }
    for help in &finding.help {
        group = group.element(Level::HELP.message(harmless(help)));
    }
    renderer.render(&[group])
}

/// The accepted findings, each with the reason.
fn accepted(report: &Report<'_>, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let bold = Style::new().bold();
    for (finding, acceptance) in report.found().accepted() {
        let head = format!("accepted[{}]", finding.rule.code);
        let head = paint(&head, AnsiColor::Cyan.on_default().bold(), look);
        let what = paint(&format!(": {}", line(&finding.message)), bold, look);
        let place = report.sources().location(finding.primary.span);
        let by = report.sources().location(acceptance.place);
        writeln!(out, "{head}{what}\n  --> {}", line(&place))?;
        write!(out, "   = because {}", line(&acceptance.reason))?;
        if let Some(owner) = &acceptance.owner {
            write!(out, ", says {}", line(owner))?;
        }
        if let Some(until) = acceptance.until {
            write!(out, ", until {until}")?;
        }
        writeln!(out, ": {}\n", line(&by))?;
    }
    let more = report.found().accepted_omitted();
    if more > 0 {
        writeln!(out, "… and {more} more that are accepted\n")?;
    }
    Ok(())
}

fn not_checked(
    report: &Report<'_>,
    look: Look,
    most: usize,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let unchecked = report.found().unchecked();
    let bold = Style::new().bold();
    for NotChecked { what, why, span } in unchecked.iter().take(most) {
        let head = paint("not checked", AnsiColor::Yellow.on_default().bold(), look);
        let what = paint(&format!(": {}", line(what)), bold, look);
        let place = report.sources().location(*span);
        writeln!(out, "{head}{what}")?;
        writeln!(out, "  --> {}\n   = because {}\n", line(&place), line(why))?;
    }
    let more = unchecked.len().saturating_sub(most) + report.found().unchecked_omitted();
    if more > 0 {
        writeln!(out, "… and {more} more that were not checked\n")?;
    }
    Ok(())
}

fn paint(text: &str, style: Style, look: Look) -> String {
    if look.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// `2 errors, 1 warning, 3 not checked in 12 files`.
fn summary(summary: &Summary, look: Look) -> String {
    let Summary { errors, warnings, accepted, not_checked, files } = *summary;
    let mut parts = Vec::new();
    let red = AnsiColor::BrightRed.on_default().bold();
    let yellow = AnsiColor::Yellow.on_default().bold();
    if errors > 0 {
        parts.push(paint(&counted(errors, "error"), red, look));
    }
    if warnings > 0 {
        parts.push(paint(&counted(warnings, "warning"), yellow, look));
    }
    if parts.is_empty() {
        parts.push("no findings".to_owned());
    }
    if accepted > 0 {
        parts.push(format!("{accepted} accepted"));
    }
    if not_checked > 0 {
        parts.push(paint(&format!("{not_checked} not checked"), yellow, look));
    }
    let mut text = parts.join(", ");
    write!(text, " in {}", counted(files, "file")).expect("internal error: text takes text");
    text
}

/// A number with its noun.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
