//! How a cluster announces the addresses of its load balancers.

use super::super::{Bgp, BgpPeer};
use super::CONTRADICTION;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::{Bgp as WrittenBgp, BgpPeer as WrittenPeer, LoadBalancers};
use crate::spec::value::is_label;

/// The most characters that a peer's name may have, so that the names of objects made of it stay
/// labels.
const LONGEST_PEER: usize = 50;

/// The devices, as regular expressions that can be read.
pub(super) fn interfaces(written: Option<&LoadBalancers>, found: &mut Diagnostics) -> Vec<String> {
    let written = written.iter().flat_map(|balancers| &balancers.interfaces);
    let readable = |pattern: &&Spanned<_>| {
        let pattern: &Spanned<crate::spec::value::Word> = pattern;
        let Err(error) = regex::Regex::new(&pattern.value.0) else { return true };
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let message = format!("the regular expression cannot be read: {reason}");
        crate::yaml::fields::invalid(pattern.span, message, "", found);
        false
    };
    written.filter(readable).map(|pattern| pattern.value.0.clone()).collect()
}

/// The routers with which the nodes speak.
pub(super) fn bgp(written: &WrittenBgp, found: &mut Diagnostics) -> Bgp {
    if written.peers.entries.is_empty() && !written.broken.contains(&"peers") {
        let message = "BGP announces to nobody";
        let finding = Diagnostic::new(&CONTRADICTION, written.span, message);
        found.push(finding.help("list the routers in `peers`"));
    }
    let mut peers: Vec<_> =
        written.peers.iter().filter_map(|(name, peer)| one(name, peer, found)).collect();
    peers.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    Bgp { span: written.span, local_asn: written.local_asn.value.0, peers }
}

fn one(name: &Spanned<String>, written: &WrittenPeer, found: &mut Diagnostics) -> Option<BgpPeer> {
    if !is_label(&name.value, LONGEST_PEER) {
        let message = format!("`{}` cannot be the name of a peer", name.value.escape_debug());
        let help = format!("use 1 to {LONGEST_PEER} lower-case letters, digits and `-`");
        crate::yaml::fields::invalid(name.span, message, &help, found);
        return None;
    }
    Some(BgpPeer {
        name: name.clone(),
        address: written.address.value.0,
        asn: written.asn.value.0,
        auth_secret: written.auth_secret.as_ref().map(|secret| secret.value.0.clone()),
        multihop: written.multihop.as_ref().map(|hops| hops.value.0),
    })
}
