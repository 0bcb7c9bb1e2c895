//! What holds of a rule in every cluster that it is applied to.

use std::collections::BTreeMap;

use super::Case;
use super::contain;
use super::gathered::describe;
use crate::policy::rule::{Direction, Rule};
use crate::policy::{Policy, label};
use crate::reach::{Member, Origin};
use crate::source::Span;
use crate::topology::ClusterSet;

/// Most pairs of rules, and of their peers and ports, that are compared; only rules about one
/// namespace are.
pub(super) const MOST: usize = 20_000_000;

/// A rule with its policy.
#[derive(Clone, Copy)]
pub(super) struct Ruled<'a> {
    pub(super) rule: &'a Rule,
    pub(super) policy: &'a Policy,
    pub(super) written: bool,
    /// Its place among the rules of its cluster.
    pub(super) at: usize,
}

/// Something that another rule does to one.
#[derive(Default)]
pub(super) struct Fate {
    /// In how many clusters, and as how many rules, it is there.
    there: usize,
    /// For how many of them it holds.
    holds: usize,
    /// What the policy is called.
    pub(super) policy: String,
    /// The other rule, and the policy that it stands in.
    pub(super) other: Option<(Span, String)>,
    /// Where.
    pub(super) clusters: ClusterSet,
}

/// The hand-written rules for each of which, in every cluster, `does` holds of it and another
/// rule; nothing where there are too many to compare.
pub(super) fn rules<'a>(
    case: &Case<'a>,
    does: impl Fn(&Ruled<'a>, &Ruled<'a>) -> bool,
) -> Option<BTreeMap<(Span, Direction), Fate>> {
    let mut fates: BTreeMap<(Span, Direction), Fate> = BTreeMap::new();
    let mut left = MOST;
    for (id, member) in case.mesh.clusters() {
        let written = |known: &crate::reach::WrittenPolicy| known.origin == Origin::Written;
        if !member.policies.iter().any(written) {
            continue;
        }
        each(member, &mut left, |one| one.written, &does, &mut |one, other| {
            let fate = fates.entry((one.rule.span, one.rule.direction)).or_default();
            fate.there += 1;
            if let Some(other) = other {
                fate.holds += 1;
                fate.clusters.insert(id);
                fate.policy = describe(one.policy);
                fate.other = Some((other.rule.span, describe(other.policy)));
            }
        })?;
    }
    fates.retain(|_, fate| fate.there == fate.holds);
    Some(fates)
}

/// Looks for the first rule of which `does` holds, for each rule of a cluster that `about` wants;
/// nothing where that takes more than what is `left`.
pub(super) fn each<'a>(
    member: &'a Member,
    left: &mut usize,
    about: impl Fn(&Ruled<'a>) -> bool,
    does: &impl Fn(&Ruled<'a>, &Ruled<'a>) -> bool,
    take: &mut dyn FnMut(&Ruled<'a>, Option<&Ruled<'a>>),
) -> Option<()> {
    let places = places(member);
    let everywhere = places.get(&None).map_or(&[][..], |known| &**known);
    for (place, known) in &places {
        let others = if place.is_some() { &**known } else { &[] };
        for one in known.iter().filter(|one| about(one)) {
            *left = left.checked_sub(others.len() + everywhere.len())?;
            let mut by = None;
            for other in others.iter().chain(everywhere) {
                if other.at == one.at || !contain::subject(one.rule, other.rule) {
                    continue;
                }
                *left = left.checked_sub(size(one.rule).saturating_mul(size(other.rule)))?;
                if does(one, other) {
                    by = Some(other);
                    break;
                }
            }
            take(one, by);
        }
    }
    Some(())
}

/// How much of a rule is compared.
fn size(rule: &Rule) -> usize {
    let ports = rule.ports.iter().flatten().map(|known| known.ports.len()).sum::<usize>();
    1 + rule.peers.said().len() + ports
}

/// The rules of a cluster by the namespace of their subjects; those about several under nothing.
fn places(member: &Member) -> BTreeMap<Option<&str>, Vec<Ruled<'_>>> {
    let mut places: BTreeMap<Option<&str>, Vec<Ruled<'_>>> = BTreeMap::new();
    let policies = member.policies.iter();
    let rules = policies.flat_map(|known| known.policy.rules.iter().map(move |rule| (known, rule)));
    for (at, (known, rule)) in rules.enumerate() {
        let named = super::known::named(&rule.subject, label::NAMESPACE);
        let place = named.filter(|named| named.len() == 1).and_then(|named| named.first().copied());
        let written = known.origin == Origin::Written;
        let ruled = Ruled { rule, policy: &known.policy, written, at };
        places.entry(place).or_default().push(ruled);
    }
    places
}
