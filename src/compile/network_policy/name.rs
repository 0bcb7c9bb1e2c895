//! The names of policies, unique in a cluster and a namespace.

use super::super::name::{LONGEST, digest, readable};
use super::Side;
use crate::spec::value::is_label;
use crate::topology::{Flow, FlowOwner};

/// The name of the policy for one half of a flow: `<document>.<flow>.<half>`.
///
/// A flow's name has no dot, so the parts cannot run into each other. Where it is no label, or
/// the whole is too long, a digest tells it from others. A Capability may have the name of an
/// application, so its halves have words of their own.
pub(super) fn of(flow: &Flow, side: Side) -> String {
    let half = match flow.owner {
        FlowOwner::Namespace(_) => side.section().to_owned(),
        FlowOwner::Capability(_) => format!("grant-{}", side.section()),
    };
    let name = format!("{}.{}.{half}", flow.document, flow.name.value);
    if name.len() <= LONGEST && is_label(&flow.name.value, 63) {
        return name;
    }
    let flow = format!("{}.{}", flow.document, flow.name.value);
    format!("{}.{half}-{}", readable(&flow), digest(&name))
}
