//! The declared flows and the guards, proved.

use crate::diagnostic::{Diagnostics, Rule};
use crate::policy::Direction;
use crate::reach::{Mesh, Reach, possible};
use crate::topology::Topology;

use super::compare::{Cause, Example, compare};
use super::intent::Intent;
use super::{blocked_flow, broken_guard, expected, half_open_door, named, undeclared_flow};

/// The rules about flows and guards.
pub static RULES: &[&Rule] = &[
    &blocked_flow::BLOCKED_FLOW,
    &undeclared_flow::UNDECLARED_FLOW,
    &half_open_door::HALF_OPEN_DOOR,
    &broken_guard::BROKEN_GUARD,
];

/// Compares what goes through with what is declared, and asks the guards.
pub fn check(topology: &Topology, mut mesh: Mesh, found: &mut Diagnostics) {
    let said = mesh.unread.len();
    complete(topology, &mut mesh);
    for one in &mesh.unread[said..] {
        found.not_checked(one.span, one.what.as_str(), one.why.as_str());
    }
    prove(topology, &mesh, found);
    // A large mesh takes long to take apart, and nobody waits for it.
    rayon::spawn(move || drop(mesh));
}

fn prove(topology: &Topology, mesh: &Mesh, found: &mut Diagnostics) {
    let reach = Reach::new(mesh);
    let intent = Intent::new(topology);
    let Some(differences) = compare(&reach, &intent) else {
        let why = "policies say too much of too many pods";
        return found.not_checked(topology.name.span, "flows", why);
    };
    blocked_flow::report(&intent, &differences, found);
    undeclared_flow::report(&differences, found);
    half_open_door::report(&differences, found);
    broken_guard::report(&reach, &intent, found);
}

/// Adds the pods that nobody declares: those that flows speak of, and those that policies tell
/// apart; and the ports that are known by name alone.
pub fn complete(topology: &Topology, mesh: &mut Mesh) {
    let keys = expected::add(mesh, topology);
    possible::add_beside(mesh, keys);
    named::add(mesh, topology);
}

/// What an end of an example does: `a@use1 sends to b@euw1 on TCP/80`.
pub(super) fn sentence(example: &Example, verbs: [&str; 2]) -> String {
    let verb = match example.direction {
        Direction::Egress => verbs[0],
        Direction::Ingress => verbs[1],
    };
    format!("{} {verb} {} on {}", example.end, example.other, example.ports)
}

/// The policies of a cause, as a phrase.
pub(super) fn policies(cause: &Cause) -> String {
    let names: Vec<String> = cause.policies.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
