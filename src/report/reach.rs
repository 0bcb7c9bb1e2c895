//! What `landbridge reach` answers. `schemas/reach.v1.json` describes the JSON; what is there keeps
//! its name and meaning as long as `version` stays the same.

pub mod answers;
pub mod csv;
pub mod graph;
pub mod json;
pub mod svg;
pub mod table;

mod ports;

use crate::diagnostic::NotChecked;
use crate::reach::Mesh;
use crate::reach::found::settings::Because;
use crate::reach::matrix::{Matrix, Parties};
use crate::source::SourceMap;

/// What every answer of the command is about.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The texts that were read.
    pub sources: &'a SourceMap,
    /// The clusters and everyone in them.
    pub mesh: &'a Mesh,
    /// How the version of each cluster's Cilium is known.
    pub because: &'a [Because],
    /// What could not be checked.
    pub unread: &'a [NotChecked],
}

impl Scene<'_> {
    /// The clusters whose version of Cilium is assumed, with that version; nothing where all are
    /// known.
    pub fn assumed(&self) -> Option<String> {
        let assumed = self.mesh.clusters.iter().zip(self.because);
        let assumed: Vec<_> = assumed
            .filter(|(_, because)| **because == Because::Assumed)
            .map(|(one, _)| one)
            .collect();
        let first = assumed.first()?;
        let version = first.semantics.version();
        let clusters = match assumed.as_slice() {
            [one] => format!("`{}`", one.name),
            several => format!("{} clusters", several.len()),
        };
        Some(format!(
            "nothing says which Cilium {clusters} runs: {version} is assumed; `--cilium` says another"
        ))
    }
}

/// What some parties are called.
fn names(parties: &Parties, matrix: &Matrix) -> Vec<String> {
    match parties {
        Parties::Members(members) => matrix.roster.describe(members),
        Parties::Outside(names) => names.clone(),
    }
}
