//! A peer of a flow that no pod can be.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::{Flow, Peer, PeerKind, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a peer of a flow whose `labels` or `serviceAccount` contradict those of the
    /// workload, service or capability that it names: the same label with another value, or
    /// another account.
    ///
    /// ## Why it matters
    /// A pod has one value of a label and one account, so the peer is no pod at all. No rule is
    /// made for it, and the flow that looks declared is denied.
    ///
    /// ## Example
    /// ```yaml
    /// workloads: {api: {labels: {app: api, tier: backend}, clusters: [use1]}}
    /// flows: {call: {from: [{workload: api, labels: {tier: frontend}}], to: [db]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// flows: {call: {from: [{workload: api, labels: {track: canary}}], to: [db]}}
    /// ```
    pub static CONTRADICTING_PEER = { code: "LB2042", name: "contradicting-peer", summary: "a peer of a flow that no pod can be", severity: Error };
}

/// What is named, where it stands, its labels and its account.
type Named<'a> = (&'a str, Span, &'a [(String, String)], Option<&'a str>);

/// Reports each such peer of a flow, and of what a namespace accepts.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let flows = topology.flows.iter().flat_map(|Flow { from, to, .. }| from.iter().chain(to));
    let accepts = topology.namespaces.iter().flat_map(|namespace| &namespace.accepts);
    let accepts = accepts.flat_map(|accept| accept.from.iter().chain(&accept.to));
    for peer in flows.chain(accepts) {
        let Some((name, span, labels, account)) = named(topology, peer) else { continue };
        for (key, value) in &peer.labels {
            let Some((_, own)) = labels.iter().find(|(own, _)| own == key) else { continue };
            if own != value {
                let message = format!("no pod of `{name}` has the label `{key}: {value}`");
                let label = format!("its pods have `{key}: {own}`");
                found.push(finding(peer, message, span, label));
            }
        }
        if let (Some(other), Some(own)) = (&peer.service_account, account)
            && other != own
        {
            let message = format!("no pod of `{name}` has the service account `{other}`");
            found.push(finding(peer, message, span, format!("its pods have `{own}`")));
        }
    }
}

fn named<'a>(topology: &'a Topology, peer: &Peer) -> Option<Named<'a>> {
    let workload = match peer.kind {
        PeerKind::Workload(id) => topology.workload(id),
        PeerKind::Service(id) => topology.workload(topology.service(id).workload),
        PeerKind::Capability(id) => {
            let capability = topology.capability(id);
            let name = &capability.name;
            return Some((&name.value, name.span, &capability.labels, None));
        }
        _ => return None,
    };
    let name = &workload.name;
    Some((&name.value, name.span, &workload.labels, workload.service_account.as_deref()))
}

fn finding(peer: &Peer, message: String, span: Span, label: String) -> Diagnostic {
    Diagnostic::new(&CONTRADICTING_PEER, peer.span, message)
        .related(span, label)
        .help("name the workload that has these pods, or remove the limit")
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    #[test]
    fn a_peer_has_what_its_workload_has() {
        for (peer, expected) in [
            ("{service: fraud-detection, labels: {tier: x}}", None),
            ("{service: fraud-detection, labels: {app: fraud-detection}}", None),
            ("{service: fraud-detection, serviceAccount: fraud}", None),
            (
                "{service: fraud-detection, serviceAccount: other}",
                Some("no pod of `fraud-detection` has the service account `other`"),
            ),
            (
                "{service: fraud-detection, labels: {app: x}}",
                Some("no pod of `fraud-detection` has the label `app: x`"),
            ),
        ] {
            let text = TWO_CLUSTERS.replace("to: [fraud-detection]", &format!("to: [{peer}]"));
            let (_, found) = resolved(&text);
            let found: Vec<_> =
                found.iter().filter_map(|line| Some(line.split_once(" LB2042 ")?.1)).collect();
            assert_eq!(found, Vec::from_iter(expected), "{peer}");
        }
    }
}
