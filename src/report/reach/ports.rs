//! Open ports in words.

use serde::Serialize;

use crate::policy::Opening;
use crate::policy::opening::{Limits, OpenPorts};
use crate::reach::Mesh;
use crate::reach::explain::spoken;

/// What is open, in one line.
pub(super) fn text(opening: &Opening, mesh: &Mesh) -> String {
    if opening.is_closed() || opening.is_everything() {
        return opening.to_string();
    }
    opening.iter().map(|ports| one(ports, mesh)).collect::<Vec<_>>().join(", ")
}

fn one(ports: &OpenPorts, mesh: &Mesh) -> String {
    let plain = OpenPorts { limits: Limits::none(), ..ports.clone() };
    let shown = if ports.first == ports.last && ports.protocol.has_ports() {
        format!("{}/{}", ports.protocol, mesh.port_name(ports.first))
    } else {
        plain.to_string()
    };
    let limits = only(&ports.limits);
    if limits.is_empty() { shown } else { format!("{shown} only {}", limits.join(" and ")) }
}

/// What of the traffic goes through, one text for each thing that limits it.
fn only(limits: &Limits) -> Vec<String> {
    let list = |list: &[crate::policy::rule::L7]| {
        list.iter().flat_map(spoken).collect::<Vec<_>>().join(" or ")
    };
    limits.lists().map(list).collect()
}

/// How much is open, for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nothing.
    Closed,
    /// Some ports, under limits of L7.
    Limited,
    /// Some ports.
    Ports,
    /// Every port.
    Everything,
}

impl Level {
    pub(super) fn of(opening: &Opening) -> Self {
        if opening.is_closed() {
            Self::Closed
        } else if opening.is_everything() {
            Self::Everything
        } else if opening.iter().all(|ports| !ports.limits.is_none()) {
            Self::Limited
        } else {
            Self::Ports
        }
    }
}

/// Open ports for programs.
#[derive(Serialize)]
pub(super) struct Ports {
    protocol: String,
    first: u16,
    last: u16,
    /// The name of the port, where nobody says its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What of the traffic goes through: one of the alternatives of each list.
    only: Vec<Vec<String>>,
}

/// What is open, for programs.
pub(super) fn list(opening: &Opening, mesh: &Mesh) -> Vec<Ports> {
    let ports = |ports: &OpenPorts| Ports {
        protocol: ports.protocol.to_string(),
        first: ports.first,
        last: ports.last,
        name: mesh.unnumbered.get(&ports.first).filter(|_| ports.first == ports.last).cloned(),
        only: ports.limits.lists().map(|list| list.iter().flat_map(spoken).collect()).collect(),
    };
    opening.iter().map(ports).collect()
}
