//! The clusters that a command is told to work on.

use std::collections::BTreeSet;

use super::error::Error;
use crate::topology::{ClusterId, Topology};
use crate::yaml::fields::{nearest, quoted};

/// The clusters with these names; all where there is none.
pub(super) fn select(topology: &Topology, names: &[String]) -> Result<Vec<ClusterId>, Error> {
    let all: Vec<&str> = topology.clusters().map(|(_, one)| one.name.value.as_str()).collect();
    select_among(&all, names)
}

/// The indices of these names among all; of all where there is none.
pub(super) fn select_among(all: &[&str], names: &[String]) -> Result<Vec<ClusterId>, Error> {
    if let Some(name) = names.iter().find(|name| !all.contains(&name.as_str())) {
        let error = Error::new(format!("there is no cluster `{}`", name.escape_debug()));
        return Err(match nearest(name, all.iter().copied()) {
            Some(near) => error.help(format!("write `{near}` if that is meant")),
            None => error.help(format!("the clusters are {}", quoted(all))),
        });
    }
    let wanted: BTreeSet<_> = names.iter().map(String::as_str).collect();
    let some = all.iter().enumerate();
    let some = some.filter(|(_, name)| wanted.is_empty() || wanted.contains(**name));
    Ok(some.map(|(at, _)| ClusterId::new(at)).collect())
}
