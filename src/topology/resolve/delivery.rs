//! What is declared for certificates, DNS, entrypoints and guards: its names are resolved, and
//! what nothing is made of yet is said plainly.

use super::super::Topology;
use super::{NOT_COMPILED, Names, dangling, region_clusters};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::TopologySpec;
use crate::spec::delivery::{Certificates, GuardRule};
use crate::spec::flow::PeerKind;
use crate::yaml::fields::Map;

/// Resolves the names and reports what is not made use of.
pub(super) fn resolve(
    written: &TopologySpec,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) {
    if let Some(certificates) = &written.certificates {
        certificate_names(certificates, written, names, found);
        not_compiled("certificates", certificates.span, found);
    }
    for (name, entrypoint) in written.entrypoints.iter() {
        for cluster in entrypoint.targets.keys() {
            names.cluster(cluster, found);
        }
        not_compiled("entrypoints", name.span, found);
    }
    if let Some(dns) = &written.dns {
        not_compiled("dns", dns.span, found);
    }
    for (name, guard) in written.guards.iter() {
        for rule in guard.never.iter().chain(&guard.only) {
            guard_names(rule, topology, names, found);
        }
        let why = "this version does not prove flows";
        found.not_checked(name.span, format!("the guard `{}`", name.value), why);
    }
    for rules in &written.rules {
        let why = "this version does not run rules of one's own";
        found.not_checked(rules.span, format!("the rules `{}`", rules.value.0), why);
    }
    for namespace in topology.namespaces.iter().filter(|n| !n.accepts.is_empty()) {
        let what = format!("what the namespace `{}` accepts", namespace.name.value);
        found.not_checked(namespace.accepts[0].span, what, "this version does not prove flows");
    }
}

fn not_compiled(key: &str, span: Span, found: &mut Diagnostics) {
    let message = format!("nothing is written for `{key}` yet");
    found.push(Diagnostic::new(&NOT_COMPILED, span, message));
}

fn certificate_names(
    certificates: &Certificates,
    written: &TopologySpec,
    names: &Names,
    found: &mut Diagnostics,
) {
    let zones = written.dns.iter().flat_map(|dns| &dns.zones);
    let zones: Vec<String> = zones.map(|zone| zone.name.value.0.clone()).collect();
    for (_, issuer) in certificates.issuers.iter() {
        for zone in issuer.zones.iter().filter(|zone| !zones.contains(&zone.value)) {
            found.push(dangling("zone", zone, zones.iter(), found));
        }
    }
    let issuers: &Map<_> = &certificates.issuers;
    for (_, request) in certificates.requests.iter() {
        names.cluster_set(&request.clusters, found);
        if !issuers.contains(&request.issuer.value) {
            let known = issuers.keys().map(|name| &name.value);
            found.push(dangling("issuer", &request.issuer, known, found));
        }
    }
}

fn guard_names(rule: &GuardRule, topology: &Topology, names: &Names, found: &mut Diagnostics) {
    for peer in rule.from.iter().chain(&rule.to).map(|side| &side.0) {
        names.cluster_set(peer.clusters.as_deref().unwrap_or_default(), found);
        region_clusters(topology, &peer.regions, found);
        region_clusters(topology, &peer.not_regions, found);
        if let PeerKind::Capability(name) = &peer.kind
            && !names.capabilities.contains_key(&name.value)
        {
            found.push(dangling("capability", name, names.capabilities.keys(), found));
        }
    }
}
