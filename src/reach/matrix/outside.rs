//! What is open between endpoints and those outside, as far as the rules about each tell them
//! apart from the world.

use std::collections::BTreeMap;

use super::{Limited, Parties, Row, Scope, Side, Wanted, chosen};
use crate::policy::{Direction, Identity, Opening};
use crate::reach::engine::Party;
use crate::reach::group::Roster;
use crate::reach::outside::{Outsider, parties};

/// The rows about those outside, in both directions.
pub(super) fn rows<'m>(
    roster: &Roster,
    first: &Side<'_, 'm>,
    second: Option<&Side<'_, 'm>>,
    wanted: Wanted,
    scope: &Scope,
) -> Vec<Row> {
    let sides = Sides { first, second, wanted };
    let mut rows = Vec::new();
    for (direction, near, far) in [
        (Direction::Ingress, scope.to.as_ref(), scope.from.as_ref()),
        (Direction::Egress, scope.from.as_ref(), scope.to.as_ref()),
    ] {
        let mut by_party: BTreeMap<(String, Opening), Vec<usize>> = BTreeMap::new();
        for (member, chosen) in chosen(roster, near).into_iter().enumerate() {
            for (name, opening) in sides.open(member, direction, far) {
                if chosen {
                    by_party.entry((name, opening)).or_default().push(member);
                }
            }
        }
        let mut merged: BTreeMap<(Opening, Vec<usize>), Vec<String>> = BTreeMap::new();
        for ((name, opening), members) in by_party {
            merged.entry((opening, members)).or_default().push(name);
        }
        for ((opening, members), names) in merged {
            let (near, far) = (Parties::Members(members), Parties::Outside(names));
            let (to, from) = match direction {
                Direction::Ingress => (near, far),
                Direction::Egress => (far, near),
            };
            rows.push(Row { general: false, to, from, opening });
        }
    }
    rows
}

struct Sides<'s, 'r, 'm> {
    first: &'s Side<'r, 'm>,
    second: Option<&'s Side<'r, 'm>>,
    wanted: Wanted,
}

impl Sides<'_, '_, '_> {
    /// What is open between a member and those outside.
    fn open(
        &self,
        member: usize,
        direction: Direction,
        far: Option<&Limited>,
    ) -> Vec<(String, Opening)> {
        if let Some(limited) = far {
            let all = limited.outside.iter();
            let open =
                all.map(|one| (one.name.clone(), self.asked(member, direction, &one.identity)));
            return open.filter(|(_, opening)| !opening.is_closed()).collect();
        }
        let world = self.asked(member, direction, &Identity::world());
        let mut open = Vec::new();
        for Outsider { name, identity } in parties(self.rules(member, direction), false) {
            let own = name == "host" && direction == Direction::Ingress;
            let opening = self.asked(member, direction, &identity);
            // The own node always reaches a pod, which is no news.
            if name == "world" && !opening.is_closed() || opening != world && !own {
                open.push((name, opening));
            }
        }
        open
    }

    fn rules(
        &self,
        member: usize,
        direction: Direction,
    ) -> impl Iterator<Item = &crate::policy::Rule> {
        [Some(self.first), self.second].into_iter().flatten().flat_map(move |side| {
            let subject = side.ids[member].map(|id| side.reach.subject(id, direction));
            subject.into_iter().flat_map(|subject| subject.rules().iter().copied())
        })
    }

    fn asked(&self, member: usize, direction: Direction, party: &Identity) -> Opening {
        let of = |side: &Side<'_, '_>| match side.ids[member] {
            Some(id) => side.reach.end(id, direction, Party::Outside(party)),
            None => Opening::closed(),
        };
        self.wanted.of(&of(self.first), self.second.map(of).as_ref())
    }
}
