//! Round trips between networks, by what the interconnects declare.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::topology::path::{Graph, Ways};
use crate::topology::{Interconnect, NetworkId, Topology};

/// Most steps that all searches of a rule may take together: those of a mesh of 511 networks that
/// are all joined with one another are 0.1 % of it.
const MOST_STEPS: usize = 200_000_000;

/// A round trip between two networks.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    /// At least this many milliseconds: what is not declared counts as none.
    pub(super) milliseconds: u64,
    /// Whether there is a way of which everything is declared, so that it is not longer.
    pub(super) known: bool,
    /// The interconnects of the shortest way.
    pub(super) over: Vec<usize>,
    /// Whether everything of that way is declared.
    exact: bool,
}

impl Trip {
    /// Its length for a reader.
    pub(super) fn shown(&self) -> String {
        let at_least = if self.exact { "" } else { "at least " };
        format!("{at_least}{}ms", self.milliseconds)
    }

    /// Adds the interconnects and their sum to a finding.
    pub(super) fn describe(&self, topology: &Topology, finding: Diagnostic) -> Diagnostic {
        let trips = self.over.iter().map(|over| &topology.interconnects[*over]);
        let mut parts = Vec::new();
        let mut finding = finding;
        for one in trips {
            if let Some(trip) = &one.round_trip {
                let shown = format!("{}ms", trip.value.as_millis());
                finding = finding.related(trip.span, format!("a round trip of {shown}"));
                parts.push(shown);
            } else {
                finding = finding.related(one.span, "its round trip is not declared");
                parts.push("?".to_owned());
            }
        }
        if parts.len() < 2 {
            return finding;
        }
        finding.note(format!("the shortest way: {} = {}", parts.join(" + "), self.shown()))
    }
}

/// The round trips of a topology, searched as they are asked for.
#[derive(Debug)]
pub(super) struct Trips<'a> {
    topology: &'a Topology,
    graph: Graph<'a>,
    /// From each network: what is not declared counted as nothing, and as endless.
    ways: BTreeMap<NetworkId, (Ways, Ways)>,
}

fn declared(interconnect: &Interconnect, otherwise: u64) -> u64 {
    interconnect
        .round_trip
        .as_ref()
        .map_or(otherwise, |trip| u64::try_from(trip.value.as_millis()).unwrap_or(u64::MAX))
}

impl<'a> Trips<'a> {
    /// Of a topology.
    pub(super) fn of(topology: &'a Topology) -> Self {
        Self { topology, graph: Graph::of(topology), ways: BTreeMap::new() }
    }

    /// Whether no further network is searched, because it would take too long.
    pub(super) fn exhausted(&self) -> bool {
        (self.ways.len() + 1).saturating_mul(2 * self.graph.size()) > MOST_STEPS
    }

    /// The round trip between two networks; nothing where no interconnect joins them.
    pub(super) fn between(&mut self, from: NetworkId, to: NetworkId) -> Option<Trip> {
        if from == to {
            return Some(Trip { milliseconds: 0, known: true, over: Vec::new(), exact: true });
        }
        if !self.ways.contains_key(&from) {
            if self.exhausted() {
                return None;
            }
            let search = |otherwise| {
                self.graph.search(from, |one| declared(one, otherwise), u64::saturating_add)
            };
            self.ways.insert(from, (search(0), search(u64::MAX)));
        }
        let (least, most) = self.ways.get(&from)?;
        let milliseconds = least.cost(to)?;
        let known = most.cost(to).is_some_and(|cost| cost < u64::MAX);
        // A way that is declared throughout is shown, if it is as short.
        let over = if most.cost(to) == Some(milliseconds) { most } else { least };
        let over = over.interconnects(to);
        let exact = over.iter().all(|o| self.topology.interconnects[*o].round_trip.is_some());
        Some(Trip { milliseconds, known, over, exact })
    }
}
