//! How a cluster announces the addresses of its load balancers.

use super::super::{Bgp, BgpPeer};
use super::CONTRADICTION;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::{Announce, Bgp as WrittenBgp, BgpPeer as WrittenPeer, LoadBalancers};
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

/// Reports what belongs to another way of announcing than the one that is declared.
pub(super) fn belongs(written: Option<&LoadBalancers>, found: &mut Diagnostics) {
    let Some(written) = written else { return };
    let Some(announce) = &written.announce else { return };
    let bgp = written.bgp.as_ref().map(|bgp| bgp.span);
    let interfaces = written.interfaces.first().map(|first| first.span);
    let (key, other, span) = match announce.value {
        Announce::L2 => ("bgp", Announce::Bgp, bgp),
        Announce::Bgp => ("interfaces", Announce::L2, interfaces),
    };
    let Some(span) = span else { return };
    let message = format!("`{key}` belongs to `announce: {}`", other.word());
    let finding = Diagnostic::new(&CONTRADICTION, span, message);
    found.push(finding.related(announce.span, "declared here").help("remove one of them"));
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

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    #[test]
    fn what_belongs_to_one_way_of_announcing() {
        let bgp = "bgp: {localASN: 64512, peers: {tor: {address: 10.0.1.1, asn: 64500}}}";
        for (defaults, own, finding) in [
            (format!("announce: bgp, {bgp}"), "", None),
            (format!("announce: bgp, {bgp}"), "announce: l2", None),
            ("announce: l2, interfaces: [eth0]".to_owned(), "", None),
            (format!("announce: l2, {bgp}"), "", Some("`bgp` belongs to `announce: bgp`")),
            (format!("announce: l2, {bgp}"), "announce: bgp", None),
            (
                format!("announce: bgp, {bgp}"),
                "interfaces: [eth0]",
                Some("`interfaces` belongs to `announce: l2`"),
            ),
        ] {
            let ranges = "ranges: [10.0.1.16/28, 10.1.1.16/28]";
            let text = TWO_CLUSTERS
                .replace(
                    "{controller: aws-load-balancer-controller}",
                    &format!("{{controller: lb-ipam, {ranges}, {defaults}}}"),
                )
                .replace("  id: 1\n", &format!("  id: 1\n  loadBalancers: {{{own}}}\n"))
                .replace("  id: 2\n", &format!("  id: 2\n  loadBalancers: {{{own}}}\n"));
            let (topology, found) = resolved(&text);
            let said: Vec<_> = found.iter().filter(|line| line.contains("belongs to")).collect();
            assert_eq!(found.len(), said.len(), "{found:#?}");
            assert!(said.iter().all(|line| finding.is_some_and(|f| line.ends_with(f))), "{said:?}");
            assert_eq!(said.is_empty(), finding.is_none(), "{defaults} and {own}");
            let clusters = topology.expect("a topology").clusters;
            assert!(clusters.iter().all(|one| own != "announce: l2" || one.bgp.is_none()));
        }
    }
}
