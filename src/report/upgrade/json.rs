//! A rehearsal for programs. `schemas/upgrade.v1.json` describes it; what is there keeps its name
//! and meaning as long as `version` stays the same.

mod shape;

use std::io;

use super::super::json::Points;
use super::Shown;
use crate::diagnostic::Diagnostic;
use crate::policy::Opening;
use crate::reach::Origin;
use crate::source::Span;
use crate::topology::ClusterId;
use crate::upgrade::cause::Cause;
use crate::upgrade::flows::{FlowChange, Side};
use crate::upgrade::policies::{Fate, PolicyChange, kind_name, phrase};
use crate::upgrade::values::ValueChange;
use crate::upgrade::{Counts, Outcome};
use shape::{
    Because, Finding, Flow, Move, Party, Policy, Ports, Remark, Root, Step, Summary, Unchecked,
    Value,
};

/// The version of the format.
pub const VERSION: u32 = 1;
/// The JSON Schema of the format.
pub const SCHEMA: &str = include_str!("../../../schemas/upgrade.v1.json");

/// Writes a rehearsal.
///
/// # Errors
/// What `out` says.
pub(super) fn write(shown: &Shown<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let rehearsal = shown.rehearsal;
    let points = Points::of(shown.sources, spans(shown).into_iter());
    let page = Page { shown, points };
    let causes = rehearsal.steps.iter().flat_map(|step| {
        let policies = step.policies.iter().flat_map(|one| &one.causes);
        policies.chain(step.flows.changes.iter().flat_map(|one| &one.causes))
    });
    let Counts { opens, closes, breaks, unread } = rehearsal.counts();
    let unchecked = rehearsal.unread.iter();
    let root = Root {
        version: VERSION,
        target: rehearsal.target.to_string(),
        steps: rehearsal.steps.iter().map(|one| page.step(one)).collect(),
        causes: causes.map(|one| (one.name, because(one))).collect(),
        backwards: page.clusters(&rehearsal.backwards),
        notes: &rehearsal.notes,
        not_checked: unchecked
            .map(|one| Unchecked {
                what: &one.what,
                why: &one.why,
                place: page.points.place(one.span),
            })
            .collect(),
        summary: Summary { opens, closes, breaks, not_checked: unread },
    };
    serde_json::to_writer_pretty(&mut *out, &root)?;
    writeln!(out)
}

/// Every place that is spoken of.
fn spans(shown: &Shown<'_>) -> Vec<Span> {
    let mut spans: Vec<Span> = shown.rehearsal.unread.iter().map(|one| one.span).collect();
    for step in &shown.rehearsal.steps {
        spans.extend(step.findings.iter().map(|one| one.primary.span));
        spans.extend(step.policies.iter().map(|one| one.span));
        spans.extend(step.policies.iter().flat_map(|one| &one.remarks).map(|one| one.span));
        spans.extend(step.values.iter().filter_map(|one| one.span));
    }
    spans
}

fn because(cause: &'static Cause) -> Because<'static> {
    let Cause { since, what, help, source, .. } = cause;
    Because { since, what, help, source }
}

struct Page<'a> {
    shown: &'a Shown<'a>,
    points: Points<'a>,
}

impl<'a> Page<'a> {
    fn cluster(&self, id: ClusterId) -> &'a str {
        &self.shown.rehearsal.clusters[id.index()]
    }

    fn clusters(&self, ids: &[ClusterId]) -> Vec<&'a str> {
        ids.iter().map(|id| self.cluster(*id)).collect()
    }

    fn step(&self, outcome: &'a Outcome) -> Step<'a> {
        let mended = outcome.rendered.as_ref().map_or(&[][..], |one| &one.mended);
        let further = outcome.rendered.as_ref().map_or(&[][..], |one| &one.further);
        let flows = outcome.flows.changes.iter().enumerate();
        let moves = outcome.step.moves.iter();
        Step {
            to: outcome.step.to.to_string(),
            moves: moves
                .map(|one| Move {
                    cluster: self.cluster(one.cluster),
                    from: one.from.to_string(),
                    to: one.to.to_string(),
                })
                .collect(),
            findings: outcome.findings.iter().map(|one| self.finding(one)).collect(),
            policies: outcome.policies.iter().map(|one| self.policy(one)).collect(),
            values: outcome.values.iter().map(|one| self.value(one)).collect(),
            flows: flows
                .map(|(at, one)| self.flow(one, mended.binary_search(&at).is_ok()))
                .collect(),
            omitted: outcome.flows.omitted,
            further: further.iter().map(|one| self.flow(one, false)).collect(),
        }
    }

    fn finding(&self, one: &'a Diagnostic) -> Finding<'a> {
        Finding {
            code: &one.rule.code,
            name: &one.rule.name,
            severity: one.severity.name(),
            message: &one.message,
            help: &one.help,
            notes: &one.notes,
            place: self.points.place(one.primary.span),
        }
    }

    fn policy(&self, one: &'a PolicyChange) -> Policy<'a> {
        let reason = match &one.fate {
            Fate::Refused(why) | Fate::Accepted(why) => Some(why.as_str()),
            Fate::ReadOtherwise | Fate::MeansOtherwise | Fate::Remarked => None,
        };
        let remarks = one.remarks.iter().map(|remark| Remark {
            message: phrase(&remark.sort),
            place: self.points.place(remark.span),
        });
        Policy {
            cluster: self.cluster(one.cluster),
            kind: kind_name(one.kind),
            namespace: one.namespace.as_deref(),
            name: &one.name,
            generated: one.origin == Origin::Generated,
            fate: one.fate.name(),
            reason,
            causes: one.causes.iter().map(|cause| cause.name).collect(),
            remarks: remarks.collect(),
            opens: one.flows.0,
            closes: one.flows.1,
            place: self.points.place(one.span),
        }
    }

    fn value(&self, one: &'a ValueChange) -> Value<'a> {
        Value {
            clusters: self.clusters(&one.clusters),
            key: &one.key,
            sort: one.sort.name(),
            message: &one.message,
            help: one.help.as_deref(),
            place: one.span.map(|span| self.points.place(span)),
        }
    }

    fn flow(&self, one: &'a FlowChange, mended: bool) -> Flow<'a> {
        Flow {
            from: self.party(&one.from),
            to: self.party(&one.to),
            opens: self.ports(&one.opens),
            closes: self.ports(&one.closes),
            opens_meanwhile: self.ports(&one.meanwhile.0),
            closes_meanwhile: self.ports(&one.meanwhile.1),
            by: self.cluster(one.by),
            policies: &one.policies,
            causes: one.causes.iter().map(|cause| cause.name).collect(),
            mended,
        }
    }

    fn party(&self, side: &'a Side) -> Party<'a> {
        Party {
            name: &side.name,
            cluster: side.cluster.map(|id| self.cluster(id)),
            standing: side.standing.name(),
        }
    }

    fn ports(&self, opening: &Opening) -> Vec<Ports<'a>> {
        let ports = opening.iter().map(|one| Ports {
            protocol: one.protocol.to_string(),
            first: one.first,
            last: one.last,
            name: self.shown.port_name(one),
            limited: !one.limits.is_none(),
        });
        ports.collect()
    }
}
