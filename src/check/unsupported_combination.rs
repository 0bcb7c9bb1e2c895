//! Versions that are not made for each other.

use super::unpublished_version::published;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::spec::version_facts::{SupportWindow, VersionRange};
use crate::topology::{Cluster, ClusterId, Topology};
use crate::version::{Case, Fact, Pin, cases, finding, fit, known, named, unmet};

declare_rules! {
    /// ## What it does
    /// Reports a Kubernetes version with which the cluster's Cilium or cert-manager is not tested,
    /// as a warning, and one with which it does not run at all, as an error. `landbridge explain
    /// versions` prints the windows; documents of kind `VersionFacts` add others.
    ///
    /// ## Why it matters
    /// Neither chart stops an installation outside of what was tested. What breaks then is found
    /// by nobody else, and mended for nobody else.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {kubernetes: 1.31.4, cilium: 1.19.6}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {kubernetes: 1.34.2, cilium: 1.19.6}
    /// ```
    pub static UNSUPPORTED_COMBINATION = { code: "LB3005", name: "unsupported-combination", summary: "versions that are not tested together, or do not run together", severity: Warning };
}

/// Reports each pair of versions once for each place where they are pinned.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let windows = known::<SupportWindow>(topology);
    let published = published(topology);
    for window in &windows {
        // The pins of the subject, and then the one that is not what they need.
        let pick = |id: ClusterId, cluster: &Cluster, need: usize| {
            let mut pins = fit(&window.fact.versions, cluster)?;
            let (product, _) = *named(&window.fact.needs).get(need)?;
            let lacking = unmet(&window.fact.needs, cluster);
            let other = lacking.into_iter().find(|(pin, _)| pin.product == product)?.0;
            // Nothing else is said where it does not run at all.
            let milder = window.severity == Severity::Warning && refused(&windows, cluster, &other);
            pins.push(other);
            (!milder && published.contains(id)).then_some(pins)
        };
        for (need, (_, ranges)) in named(&window.fact.needs).into_iter().enumerate() {
            for case in cases(topology, |id, cluster| pick(id, cluster, need)) {
                found.push(report(&windows, window, ranges, &case));
            }
        }
    }
}

/// Whether a stricter window reports the same pin of the cluster.
fn refused(windows: &[Fact<'_, SupportWindow>], cluster: &Cluster, pin: &Pin<'_>) -> bool {
    let strict = windows.iter().filter(|window| window.severity == Severity::Error);
    strict.filter(|window| fit(&window.fact.versions, cluster).is_some()).any(|window| {
        unmet(&window.fact.needs, cluster).iter().any(|(other, _)| other.product == pin.product)
    })
}

fn report(
    windows: &[Fact<'_, SupportWindow>],
    window: &Fact<'_, SupportWindow>,
    ranges: &[VersionRange],
    case: &Case<'_>,
) -> Diagnostic {
    let (other, subject) = case.pins.split_last().expect("internal error: no pin");
    let subject = &subject[0];
    let verb = match window.severity {
        Severity::Warning => "is not tested with",
        Severity::Error => "does not run with",
    };
    let mut message = format!("{subject} {verb} {other}");
    if let Some(consequence) = &window.fact.consequence {
        message = format!("{message}: {}", consequence.value.0);
    }
    let texts: Vec<_> = ranges.iter().map(|range| format!("`{}`", range.text)).collect();
    let mut help = format!("use {} {}", other.product, texts.join(" or "));
    let others = alternatives(windows, subject, other);
    if !others.is_empty() {
        help = format!("{help}, or {} {}", subject.product, others.join(" or "));
    }
    finding(&UNSUPPORTED_COMBINATION, window, other, &case.clusters, message)
        .related(subject.span, subject.to_string())
        .help(help)
}

/// The versions of the subject whose windows the other version is in.
fn alternatives(
    windows: &[Fact<'_, SupportWindow>],
    subject: &Pin<'_>,
    other: &Pin<'_>,
) -> Vec<String> {
    let of_subject = |window: &&Fact<'_, SupportWindow>| window.severity == Severity::Warning;
    let mut versions = Vec::new();
    for window in windows.iter().filter(of_subject) {
        let needs = named(&window.fact.needs);
        let fits = needs.iter().any(|(product, ranges)| {
            *product == other.product
                && ranges.iter().any(|range| range.interval.contains(other.interval))
        });
        let named = named(&window.fact.versions);
        let same = named.iter().filter(|(product, _)| fits && *product == subject.product);
        versions
            .extend(same.flat_map(|(_, ranges)| ranges.iter().map(|r| format!("`{}`", r.text))));
    }
    versions
}
