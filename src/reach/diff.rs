//! What a change opens and closes: two meshes, and who of one is who in the other by name.

use super::engine::Reach;
use super::group::Roster;
use super::matrix::{Matrix, Scope, Side, TooLarge, Wanted, names, rows};
use super::mesh::{Mesh, Standing};
use super::possible;

/// What is open in one of two meshes only.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// Open in the second one.
    pub opened: Matrix,
    /// Open in the first one.
    pub closed: Matrix,
}

impl Difference {
    /// Whether both meshes let the same through.
    pub fn is_empty(&self) -> bool {
        self.opened.rows.is_empty() && self.closed.rows.is_empty()
    }
}

/// Adds to both meshes the pods that policies of either can tell apart.
pub fn add_possible(first: &mut Mesh, second: &mut Mesh) {
    let mut both = first.clone();
    for member in &second.clusters {
        match both.clusters.iter_mut().find(|known| known.name == member.name) {
            Some(known) => known.policies.extend(member.policies.iter().cloned()),
            None => return,
        }
    }
    possible::add(&mut both);
    let possible: Vec<_> =
        both.endpoints.iter().filter(|one| one.standing == Standing::Possible).collect();
    for mesh in [&mut *first, second] {
        for endpoint in &possible {
            let cluster = &both.cluster(endpoint.cluster).name;
            let Some((id, _)) = mesh.clusters().find(|(_, member)| member.name == *cluster) else {
                continue;
            };
            let mut endpoint = (*endpoint).clone();
            endpoint.cluster = id;
            mesh.endpoints.push(endpoint);
        }
    }
}

/// Compares two meshes.
///
/// # Errors
/// Where rules speak of too many pairs.
pub fn difference<'m>(first: &Reach<'m>, second: &Reach<'m>) -> Result<Difference, TooLarge> {
    let all = names(first.mesh(), true).chain(names(second.mesh(), true));
    let roster = Roster::new(all);
    let (before, after) = (Side::new(first, &roster)?, Side::new(second, &roster)?);
    let scope = Scope::default();
    let of = |wanted| rows(&roster, &before, Some(&after), wanted, &scope);
    let matrix = |rows| Matrix::of(roster.clone(), rows, &scope);
    Ok(Difference { opened: matrix(of(Wanted::Opened)), closed: matrix(of(Wanted::Closed)) })
}
