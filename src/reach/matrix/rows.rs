//! Pairs of endpoints to rows: those of which no rule speaks by groups, the others one by one.

use std::collections::BTreeMap;

use super::{Limited, Parties, Row, Scope, Side, Wanted, chosen, outside};
use crate::policy::{Direction, Opening};
use crate::reach::group::Roster;

/// The rows about all pairs of a scope.
pub(in crate::reach) fn rows<'m>(
    roster: &Roster,
    first: &Side<'_, 'm>,
    second: Option<&Side<'_, 'm>>,
    wanted: Wanted,
    scope: &Scope,
) -> Vec<Row> {
    let groups = |limited: Option<&Limited>, direction| {
        let chosen = chosen(roster, limited);
        Groups::new(&chosen, |member| {
            let second = second.and_then(|side| side.common(member, direction));
            (first.common(member, direction), second)
        })
    };
    let pairing = Pairing {
        first,
        second,
        wanted,
        sources: groups(scope.from.as_ref(), Direction::Egress),
        targets: groups(scope.to.as_ref(), Direction::Ingress),
    };
    let general = pairing.general();
    let mut merged = Merged::new();
    pairing.special(roster, &general, &mut merged);
    pairing.groups(general, &mut merged);
    let row = |((general, opening, from), mut to): ((bool, Opening, Vec<usize>), Vec<usize>)| {
        to.sort_unstable();
        Row { general, to: Parties::Members(to), from: Parties::Members(from), opening }
    };
    let mut rows: Vec<Row> = merged.into_iter().map(row).collect();
    rows.extend(outside::rows(roster, first, second, wanted, scope));
    rows.sort_by(|one, other| one.order().cmp(&other.order()));
    rows
}

/// The targets of those rows that are alike but for them.
type Merged = BTreeMap<(bool, Opening, Vec<usize>), Vec<usize>>;
/// What a member has in common with others of its group, in each mesh.
type Common = (Option<(usize, Opening)>, Option<(usize, Opening)>);

/// The members of one side by what they have in common.
struct Groups {
    /// The group of each member that is in the scope.
    of: Vec<Option<usize>>,
    common: Vec<Common>,
}

impl Groups {
    fn new(chosen: &[bool], common: impl Fn(usize) -> Common) -> Self {
        let mut known: BTreeMap<Common, usize> = BTreeMap::new();
        let of = chosen.iter().enumerate().map(|(member, chosen)| {
            let next = known.len();
            chosen.then(|| *known.entry(common(member)).or_insert(next))
        });
        let of = of.collect();
        let mut common = vec![(None, None); known.len()];
        for (one, at) in known {
            common[at] = one;
        }
        Self { of, common }
    }

    /// The members of a group, sorted.
    fn members(&self, group: usize) -> impl Iterator<Item = usize> {
        let of = self.of.iter().enumerate().filter(move |(_, known)| **known == Some(group));
        of.map(|(member, _)| member)
    }
}

struct Pairing<'s, 'r, 'm> {
    first: &'s Side<'r, 'm>,
    second: Option<&'s Side<'r, 'm>>,
    wanted: Wanted,
    sources: Groups,
    targets: Groups,
}

impl Pairing<'_, '_, '_> {
    /// What is open between the groups, by target and source.
    fn general(&self) -> Vec<Vec<Opening>> {
        let both = |one: &Option<(usize, Opening)>, two: &Option<(usize, Opening)>| match (one, two)
        {
            (Some((here, egress)), Some((there, ingress))) if here == there => ingress.and(egress),
            _ => Opening::closed(),
        };
        let meet = |source: &Common, target: &Common| {
            let second = self.second.map(|_| both(&source.1, &target.1));
            self.wanted.of(&both(&source.0, &target.0), second.as_ref())
        };
        let row = |target| self.sources.common.iter().map(|source| meet(source, target)).collect();
        self.targets.common.iter().map(row).collect()
    }

    /// The pairs that rules speak of, where they differ from their groups.
    fn special(&self, roster: &Roster, general: &[Vec<Opening>], merged: &mut Merged) {
        let mut pairs = vec![Vec::new(); roster.len()];
        for side in [Some(self.first), self.second].into_iter().flatten() {
            side.special(&mut pairs);
        }
        for (target, mut peers) in pairs.into_iter().enumerate() {
            let Some(of_target) = self.targets.of[target] else { continue };
            peers.sort_unstable();
            peers.dedup();
            let mut by_opening: BTreeMap<Opening, Vec<usize>> = BTreeMap::new();
            for source in peers {
                let Some(of_source) = self.sources.of[source] else { continue };
                let second = self.second.map(|side| side.opening(source, target));
                let opening = self.wanted.of(&self.first.opening(source, target), second.as_ref());
                if opening != general[of_target][of_source] {
                    by_opening.entry(opening).or_default().push(source);
                }
            }
            for (opening, sources) in by_opening {
                merged.entry((false, opening, sources)).or_default().push(target);
            }
        }
    }

    /// What is open between groups.
    fn groups(&self, general: Vec<Vec<Opening>>, merged: &mut Merged) {
        for (target, openings) in general.into_iter().enumerate() {
            let mut by_opening: BTreeMap<Opening, Vec<usize>> = BTreeMap::new();
            for (source, opening) in openings.into_iter().enumerate() {
                if !opening.is_closed() {
                    by_opening.entry(opening).or_default().extend(self.sources.members(source));
                }
            }
            for (opening, mut sources) in by_opening {
                sources.sort_unstable();
                let targets = self.targets.members(target);
                merged.entry((true, opening, sources)).or_default().extend(targets);
            }
        }
    }
}
