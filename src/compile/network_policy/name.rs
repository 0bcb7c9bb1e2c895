//! The names of policies, unique in a cluster and a namespace.

use sha2::{Digest, Sha256};

use super::Side;
use crate::spec::value::is_label;
use crate::topology::{Flow, FlowOwner};

/// The longest name of an object. Source: `DNS1123SubdomainMaxLength` of `k8s.io/apimachinery`.
const LONGEST: usize = 253;

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
    let digest = Sha256::digest(name.as_bytes());
    let digest = digest.iter().take(5).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let readable = format!("{}.{}", flow.document, flow.name.value.to_lowercase());
    let readable: String =
        readable.chars().map(|c| if known(c) { c } else { '-' }).take(200).collect();
    let labels: Vec<_> = readable
        .split('.')
        .map(|label| label.trim_matches('-'))
        .filter(|l| !l.is_empty())
        .collect();
    format!("{}.{half}-{digest:010x}", labels.join("."))
}
