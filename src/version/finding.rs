//! What every finding about a version says besides its message.

use super::{Fact, Known, Pin, names};
use crate::diagnostic::{Diagnostic, Rule};
use crate::topology::Cluster;

/// Begins a finding at a pin: for which clusters it is pinned, how bad the fact is, where the
/// team recorded it, and where it is from.
pub fn finding<T: Known>(
    rule: &'static Rule,
    fact: &Fact<'_, T>,
    pin: &Pin<'_>,
    clusters: &[&Cluster],
    message: String,
) -> Diagnostic {
    let mut finding =
        Diagnostic::new(rule, pin.span, message).label(format!("pinned for {}", names(clusters)));
    finding.severity = fact.severity;
    if let Some(place) = fact.place {
        finding = finding.related(place, "your team recorded it here");
    }
    match fact.fact.source() {
        Some(source) => finding.note(format!("`{}`, from {source}", fact.name)),
        None => finding,
    }
}
