//! Everything that is open, in few rows: those who are alike are one group.
//!
//! The same is done for one mesh and for two: a row then says what is open in one and not in the
//! other.

mod outside;
mod rows;

use std::collections::BTreeMap;

use super::engine::Reach;
use super::group::{Name, Roster};
use super::mesh::{EndpointId, Mesh, Standing};
use super::profile::Profiles;
pub use super::profile::TooLarge;
use crate::policy::{Direction, Opening};
pub(super) use rows::rows;

/// Who can reach whom.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// Everyone with a name in it.
    pub roster: Roster,
    /// The members that it is about as sources.
    pub sources: Vec<usize>,
    /// The members that it is about as targets.
    pub targets: Vec<usize>,
    /// What is open. Rows about single endpoints come first and overrule those about groups.
    pub rows: Vec<Row>,
}

/// One thing that is open between some and some others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Whether it is about all that no other row is about.
    pub general: bool,
    /// The targets.
    pub to: Parties,
    /// The sources.
    pub from: Parties,
    /// What is open; nothing where a row overrules a general one.
    pub opening: Opening,
}

impl Row {
    /// Where it stands: what is within the mesh first, then what comes in, then what goes out.
    fn order(&self) -> impl Ord + '_ {
        let outside = |parties: &Parties| matches!(parties, Parties::Outside(_));
        (self.general, outside(&self.to), outside(&self.from), self)
    }
}

/// Some of those who are in a matrix, or some who are outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parties {
    /// Members of the roster, sorted.
    Members(Vec<usize>),
    /// Those outside, by name.
    Outside(Vec<String>),
}

/// What a matrix is about.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The sources; everyone where nothing is said.
    pub from: Option<Limited>,
    /// The targets.
    pub to: Option<Limited>,
    /// Whether it is also about pods that only may be there.
    pub possible: bool,
}

/// One side of what a matrix is about.
#[derive(Clone, Debug, Default)]
pub struct Limited {
    /// Endpoints by name.
    pub names: Vec<Name>,
    /// Those outside.
    pub outside: Vec<super::outside::Outsider>,
}

/// What of two meshes is asked of each pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// What is open in the first one.
    First,
    /// What is open in the second one and not in the first.
    Opened,
    /// What is open in the first one and not in the second.
    Closed,
}

impl Wanted {
    fn of(self, first: &Opening, second: Option<&Opening>) -> Opening {
        match (self, second) {
            (Self::First, _) | (Self::Closed, None) => first.clone(),
            (Self::Closed, Some(second)) => first.without(second),
            (Self::Opened, Some(second)) => second.without(first),
            (Self::Opened, None) => Opening::closed(),
        }
    }
}

/// A mesh, and who of the roster is who in it.
pub(super) struct Side<'r, 'm> {
    pub(super) reach: &'r Reach<'m>,
    profiles: Profiles,
    /// The endpoint of each member, if it is there.
    pub(super) ids: Vec<Option<EndpointId>>,
    /// The member that an endpoint is.
    members: BTreeMap<EndpointId, usize>,
}

impl<'r, 'm> Side<'r, 'm> {
    pub(super) fn new(reach: &'r Reach<'m>, roster: &Roster) -> Result<Self, TooLarge> {
        let mesh = reach.mesh();
        let mut ids = vec![None; roster.len()];
        let mut members = BTreeMap::new();
        for (id, _) in mesh.endpoints() {
            if let Some(at) = roster.find(&name(mesh, id)) {
                ids[at] = Some(id);
                members.insert(id, at);
            }
        }
        Ok(Self { reach, profiles: Profiles::new(reach)?, ids, members })
    }

    /// What is open between two members.
    fn opening(&self, source: usize, target: usize) -> Opening {
        let (Some(from), Some(to)) = (self.ids[source], self.ids[target]) else {
            return Opening::closed();
        };
        if !self.reach.joined(from, to) {
            return Opening::closed();
        }
        let ingress = self.profiles.of(to, Direction::Ingress).toward(from);
        if ingress.is_closed() {
            return Opening::closed();
        }
        ingress.and(self.profiles.of(from, Direction::Egress).toward(to))
    }

    /// What a member has in common with others of its group: whether it is there, whom it is
    /// joined with, and what it says of those whom no rule speaks of.
    fn common(&self, member: usize, direction: Direction) -> Option<(usize, Opening)> {
        let id = self.ids[member]?;
        let mesh = self.reach.mesh();
        let joined = &mesh.cluster(mesh.endpoint(id).cluster).joined;
        let first = joined.iter().next().map_or(0, crate::topology::ClusterId::index);
        Some((first, self.profiles.of(id, direction).base().clone()))
    }

    /// The pairs that rules speak of, by target.
    fn special(&self, pairs: &mut [Vec<usize>]) {
        for (id, member) in &self.members {
            let peers = self.profiles.of(*id, Direction::Ingress).special();
            pairs[*member].extend(peers.filter_map(|peer| self.members.get(&peer)));
            for peer in self.profiles.of(*id, Direction::Egress).special() {
                if let Some(target) = self.members.get(&peer) {
                    pairs[*target].push(*member);
                }
            }
        }
    }
}

/// The name of an endpoint.
pub fn name(mesh: &Mesh, id: EndpointId) -> Name {
    let endpoint = mesh.endpoint(id);
    Name {
        namespace: endpoint.name.split('/').next().unwrap_or_default().to_owned(),
        name: endpoint.name.clone(),
        cluster: mesh.cluster(endpoint.cluster).name.clone(),
    }
}

/// Everyone in a mesh who is to be named.
pub(super) fn names(mesh: &Mesh, possible: bool) -> impl Iterator<Item = Name> + '_ {
    let wanted = move |standing| possible || standing != Standing::Possible;
    let all = mesh.endpoints().filter(move |(_, one)| wanted(one.standing));
    all.map(|(id, _)| name(mesh, id))
}

impl Matrix {
    /// All that is open in a mesh.
    ///
    /// # Errors
    /// Where rules speak of too many pairs.
    pub fn new(reach: &Reach<'_>, scope: &Scope) -> Result<Self, TooLarge> {
        let asked = [&scope.from, &scope.to].into_iter().flatten();
        let asked = asked.flat_map(|limited| limited.names.iter().cloned());
        let roster = Roster::new(names(reach.mesh(), scope.possible).chain(asked));
        let side = Side::new(reach, &roster)?;
        let rows = rows(&roster, &side, None, Wanted::First, scope);
        Ok(Self::of(roster, rows, scope))
    }

    pub(super) fn of(roster: Roster, rows: Vec<Row>, scope: &Scope) -> Self {
        let side = |limited: Option<&Limited>| {
            let chosen = chosen(&roster, limited).into_iter().enumerate();
            chosen.filter(|(_, chosen)| *chosen).map(|(member, _)| member).collect()
        };
        let (sources, targets) = (side(scope.from.as_ref()), side(scope.to.as_ref()));
        Self { roster, sources, targets, rows }
    }
}

/// Which members are in one side of a scope.
pub(super) fn chosen(roster: &Roster, limited: Option<&Limited>) -> Vec<bool> {
    let Some(limited) = limited else { return vec![true; roster.len()] };
    let mut chosen = vec![false; roster.len()];
    for at in limited.names.iter().filter_map(|name| roster.find(name)) {
        chosen[at] = true;
    }
    chosen
}

#[cfg(test)]
mod tests;
