//! A rehearsal for people: step by step, each policy with the flows that its change opens and
//! closes.

use std::io;

use annotate_snippets::renderer::{AnsiColor, Style};

use super::super::Look;
use super::super::untrusted::line;
use super::groups::{self, Group};
use super::{Shown, groups::fate};
use crate::diagnostic::Severity;
use crate::source::Span;
use crate::upgrade::Outcome;
use crate::upgrade::flows::FlowChange;
use crate::upgrade::policies::phrase;
use crate::upgrade::values::{ValueChange, ValueSort};

/// Most flows of one policy that are shown unless all are wanted.
const MAX_OF_GROUP: usize = 10;
/// Most policies of a step that are shown unless all are wanted.
const MAX_GROUPS: usize = 50;

/// Writes a rehearsal.
///
/// # Errors
/// What `out` says.
pub(super) fn write(shown: &Shown<'_>, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let page = Page { shown, look };
    let rehearsal = shown.rehearsal;
    for note in &rehearsal.notes {
        writeln!(out, "{}: {}", page.bold("note"), line(note))?;
    }
    if rehearsal.steps.is_empty() {
        writeln!(out, "every cluster has Cilium {}", rehearsal.target)?;
    }
    if !rehearsal.backwards.is_empty() {
        let clusters = shown.clusters(&rehearsal.backwards);
        let text = "an older version is no upgrade, and Cilium supports no way back over a minor";
        writeln!(out, "{}: {clusters}: {text}", page.red("error"))?;
    }
    for (at, outcome) in rehearsal.steps.iter().enumerate() {
        page.step(at + 1, outcome, out)?;
    }
    for one in &rehearsal.unread {
        let (what, why) = (line(&one.what), line(&one.why));
        writeln!(out, "{}: {what}: {why}", page.bold("not looked at"))?;
        page.at(one.span, out)?;
    }
    if look.summary {
        writeln!(out, "{}", shown.summary())?;
    }
    Ok(())
}

/// A page that is written.
struct Page<'a> {
    shown: &'a Shown<'a>,
    look: Look,
}

impl Page<'_> {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.look.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn red(&self, text: &str) -> String {
        self.paint(AnsiColor::BrightRed.on_default().bold(), text)
    }

    fn yellow(&self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    fn at(&self, span: Span, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "    at {}", self.shown.place(span))
    }

    fn step(&self, number: usize, outcome: &Outcome, out: &mut dyn io::Write) -> io::Result<()> {
        let of = self.shown.rehearsal.steps.len();
        let title = format!("Step {number} of {of}: Cilium {}", outcome.step.to);
        writeln!(out, "{}", self.bold(&title))?;
        let moves = outcome.step.moves.iter();
        let moves =
            moves.map(|one| format!("{} from {}", self.shown.cluster(one.cluster), one.from));
        let moves: Vec<_> = moves.collect();
        let most = if self.look.all { moves.len() } else { MAX_OF_GROUP };
        let more = match moves.len().saturating_sub(most) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        writeln!(out, "  one by one: {}{more}", moves[..most.min(moves.len())].join(", "))?;
        writeln!(out)?;
        self.findings(outcome, out)?;
        self.policies(outcome, out)?;
        self.values(&outcome.values, out)?;
        self.rendered(outcome, out)
    }

    fn findings(&self, outcome: &Outcome, out: &mut dyn io::Write) -> io::Result<()> {
        for one in &outcome.findings {
            let head = format!("{}[{}]", one.severity.name(), one.rule.code);
            let head = match one.severity {
                Severity::Error => self.red(&head),
                Severity::Warning => self.yellow(&head),
            };
            writeln!(out, "  {head}: {}", line(&one.message))?;
            self.at(one.primary.span, out)?;
            for help in &one.help {
                writeln!(out, "    help: {}", line(help))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn policies(&self, outcome: &Outcome, out: &mut dyn io::Write) -> io::Result<()> {
        let (groups, silent) = groups::of(outcome);
        let most = if self.look.all { groups.len() } else { MAX_GROUPS };
        for group in groups.iter().take(most) {
            self.group(group, outcome, out)?;
        }
        if groups.len() > most {
            writeln!(out, "  … and {} more policies\n", groups.len() - most)?;
        }
        if silent > 0 {
            let what = if silent == 1 { "policy is" } else { "policies are" };
            writeln!(out, "  {silent} more {what} read otherwise, and no flow depends on it\n")?;
        }
        if outcome.flows.omitted > 0 {
            writeln!(out, "  … and {} more flows\n", outcome.flows.omitted)?;
        }
        Ok(())
    }

    fn group(
        &self,
        group: &Group<'_>,
        outcome: &Outcome,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        if let Some(change) = group.policy {
            let title = self.bold(&line(&change.title()));
            let clusters = self.shown.clusters(&group.clusters);
            writeln!(out, "  {title} in {clusters} {}", line(&fate(change)))?;
            self.at(change.span, out)?;
        }
        for cause in &group.causes {
            writeln!(out, "    since {}: {}", cause.since, cause.what)?;
            writeln!(out, "      `{}`, from {}", cause.name, cause.source)?;
        }
        for remark in &group.remarks {
            let place = self.shown.place(remark.span);
            writeln!(out, "    now: {} ({place})", line(&phrase(&remark.sort)))?;
        }
        let most = if self.look.all { group.flows.len() } else { MAX_OF_GROUP };
        for (index, flow) in group.flows.iter().take(most) {
            self.flow(*index, flow, outcome, out)?;
        }
        if group.flows.len() > most {
            writeln!(out, "    … and {} more flows", group.flows.len() - most)?;
        }
        for cause in &group.causes {
            writeln!(out, "    help: {}", cause.help)?;
        }
        writeln!(out)
    }

    fn flow(
        &self,
        index: usize,
        flow: &FlowChange,
        outcome: &Outcome,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let (from, to) = (self.shown.side(&flow.from), self.shown.side(&flow.to));
        let rendered = outcome.rendered.as_ref();
        let mended = rendered.is_some_and(|one| one.mended.binary_search(&index).is_ok());
        let mended = if mended { ", until manifests are rendered anew" } else { "" };
        for (word, opening) in self.shown.events(flow) {
            let word = if word.starts_with("opens") { self.red(word) } else { self.yellow(word) };
            let by = self.shown.cluster(flow.by);
            writeln!(out, "    {word} {from} -> {to}: {opening} (upgrading {by}{mended})")?;
        }
        Ok(())
    }

    fn values(&self, values: &[ValueChange], out: &mut dyn io::Write) -> io::Result<()> {
        // What compile does by itself is nothing to do for anyone.
        let quiet = |one: &&ValueChange| self.look.all || one.sort != ValueSort::Rewritten;
        for one in values.iter().filter(quiet) {
            let head = match one.sort {
                sort if sort.breaks() => self.red("value"),
                _ => self.bold("value"),
            };
            let clusters = self.shown.clusters(&one.clusters);
            writeln!(out, "  {head} in {clusters}: {}", line(&one.message))?;
            if let Some(span) = one.span {
                self.at(span, out)?;
            }
            if let Some(help) = &one.help {
                writeln!(out, "    help: {}", line(help))?;
            }
        }
        let rewritten = values.iter().filter(|one| one.sort == ValueSort::Rewritten).count();
        if rewritten > 0 && !self.look.all {
            let keys = if rewritten == 1 { "key" } else { "keys" };
            writeln!(out, "  compile writes {rewritten} {keys} otherwise (all with --verbose)")?;
        }
        if values.is_empty() { Ok(()) } else { writeln!(out) }
    }

    fn rendered(&self, outcome: &Outcome, out: &mut dyn io::Write) -> io::Result<()> {
        let Some(rendered) = &outcome.rendered else { return Ok(()) };
        let mended = rendered.mended.len();
        let all = outcome.flows.changes.len();
        if mended > 0 {
            writeln!(out, "  rendering manifests anew mends {mended} of {all} flows\n")?;
        }
        if !rendered.further.is_empty() {
            let many = rendered.further.len();
            writeln!(out, "  rendering manifests anew changes {many} more flows:")?;
            for flow in rendered.further.iter().take(MAX_OF_GROUP) {
                self.flow(usize::MAX, flow, outcome, out)?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
