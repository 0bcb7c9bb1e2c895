//! The things that a policy is about, each with its place.

use serde_json::Value as Json;

use super::view;
use crate::source::Span;
use crate::spec::policy::Over;
use crate::topology::Topology;

/// Goes through the things of one kind: where each is declared, and what expressions see of it.
/// Each is made when it is its turn, so that a large mesh does not stand in memory twice.
pub(super) fn each(
    over: Over,
    topology: &Topology,
    whole: &Json,
    take: &mut dyn FnMut(Span, &Json),
) {
    match over {
        Over::Region => {
            for (at, one) in topology.regions.iter().enumerate() {
                take(one.name.span, &view::region(topology, at));
            }
        }
        Over::Cluster => {
            for one in &topology.clusters {
                take(one.name.span, &view::cluster(topology, one));
            }
        }
        Over::Service => {
            for one in &topology.services {
                take(one.name.span, &view::service(topology, one));
            }
        }
        Over::Flow => {
            for one in &topology.flows {
                take(one.name.span, &view::flow(topology, one));
            }
        }
        Over::Namespace => {
            for one in &topology.namespaces {
                take(one.name.span, &view::namespace(topology, one));
            }
        }
        Over::Interconnect => {
            for one in &topology.interconnects {
                take(one.span, &view::interconnect(topology, one));
            }
        }
        Over::Entrypoint => {
            for one in &topology.entrypoints {
                take(one.name.span, &view::entrypoint(topology, one));
            }
        }
        Over::Topology => take(topology.name.span, whole),
        Over::Resource => {}
    }
}
