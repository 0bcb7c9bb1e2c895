//! From what was written to what was meant.
//!
//! Each part resolves one kind of thing and reports what it cannot resolve; nothing stops at the
//! first problem. A thing that cannot be used is left out, and references to it do not dangle:
//! its own problem has been reported.

mod applications;
mod balancers;
mod certificates;
mod clusters;
mod dns;
mod entrypoints;
mod flows;
mod gateways;
mod gitops;
mod guards;
mod inherit;
mod mesh;
mod peers;
mod places;
mod rules;
mod size;
mod versions;

use std::collections::BTreeMap;

use super::Topology;
use super::id::{
    CapabilityId, ClusterId, ClusterSet, GatewayId, IssuerId, NamespaceId, ServiceId, WorkloadId,
    ZoneId,
};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::Spec;
use crate::spec::value::Glob;
use crate::yaml::fields::{nearest, quoted, suggests};
pub use rules::{
    CONTRADICTION, DANGLING_NAME, FLOATING_VERSION, NATIVE_ROUTING_GAP, NOT_COMPILED, RULES,
    UNSUPPORTED, UNSUPPORTED_CILIUM,
};

/// Resolves what was written; gives nothing where there is no topology to speak of, or too much of
/// something.
pub fn resolve(spec: &Spec, found: &mut Diagnostics) -> Option<Topology> {
    let named = spec.topology.as_ref()?;
    let written = named.spec.as_ref()?;
    if !size::check(spec, found) {
        return None;
    }
    let places = places::resolve(written, found);
    let mesh = mesh::resolve(written, found);
    let output = written.output.as_ref().map_or("rendered", |path| &path.value.0).to_owned();
    let mut topology = Topology {
        name: named.name.clone(),
        gitops: gitops::resolve(written, &output, found),
        output,
        mesh,
        regions: places.regions,
        networks: places.networks,
        interconnects: places.interconnects,
        reserved: places.reserved,
        clusters: Vec::new(),
        left_out: Vec::new(),
        namespaces: Vec::new(),
        workloads: Vec::new(),
        services: Vec::new(),
        capabilities: Vec::new(),
        flows: Vec::new(),
        guards: Vec::new(),
        zones: Vec::new(),
        external_dns: dns::external_dns(named, written),
        entrypoints: Vec::new(),
        cert_manager: super::certificates::CertManager::default(),
        issuers: Vec::new(),
        requests: Vec::new(),
        gateways: Vec::new(),
        routes: Vec::new(),
        manifests: Vec::new(),
        version_facts: versions::facts(spec, found),
        policies: spec.policies.clone(),
        policy_uses: written.policies.clone(),
        today: spec.today,
    };
    let mut names = Names { networks: places.names, ..Names::default() };
    clusters::resolve(spec, &mut topology, &mut names, found);
    mesh::finish(&mut topology, found);
    applications::resolve(spec, &mut topology, &mut names, found);
    gateways::gateways(written, &mut topology, &mut names, found);
    gateways::routes(spec, &mut topology, &names, found);
    flows::resolve(spec, &mut topology, &names, found);
    applications::finish(&mut topology);
    dns::zones(written, &mut topology, &mut names, found);
    entrypoints::resolve(written, &mut topology, &names, found);
    certificates::resolve(written, &mut topology, &mut names, found);
    topology.guards = guards::resolve(spec, &topology, &names, found);
    places::manifests(spec, &mut topology, &names, found);
    Some(topology)
}

/// Declared names. A name with no id was declared and could not be used.
#[derive(Debug, Default)]
struct Names {
    networks: places::NetworkNames,
    clusters: BTreeMap<String, Option<ClusterId>>,
    namespaces: BTreeMap<String, NamespaceId>,
    workloads: BTreeMap<(String, String), Option<WorkloadId>>,
    services: BTreeMap<(String, String), Option<ServiceId>>,
    capabilities: BTreeMap<String, Option<CapabilityId>>,
    /// A public and a private zone may have one name.
    zones: BTreeMap<String, Vec<ZoneId>>,
    issuers: BTreeMap<String, Option<IssuerId>>,
    gateways: BTreeMap<String, Option<GatewayId>>,
}

impl Names {
    /// The named cluster; reports a name that no cluster has.
    fn cluster(&self, name: &Spanned<String>, found: &mut Diagnostics) -> Option<ClusterId> {
        if let Some(id) = self.clusters.get(&name.value) {
            return *id;
        }
        found.push(dangling("cluster", name, self.clusters.keys(), found));
        None
    }

    /// The named clusters.
    fn cluster_set(&self, names: &[Spanned<String>], found: &mut Diagnostics) -> ClusterSet {
        names.iter().filter_map(|name| self.cluster(name, found)).collect()
    }

    /// The zone with the longest name that covers a DNS name.
    fn zone_of(&self, name: &str) -> Option<ZoneId> {
        let ends = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
        std::iter::once(name).chain(ends).find_map(|end| self.zones.get(end)?.first().copied())
    }
}

/// A finding for a name that nothing has.
fn dangling<'a>(
    what: &str,
    name: &Spanned<String>,
    known: impl Iterator<Item = &'a String>,
    found: &Diagnostics,
) -> Diagnostic {
    let message = format!("there is no {what} `{}`", name.value.escape_debug());
    let finding = Diagnostic::new(&DANGLING_NAME, name.span, message).label("used here");
    if !suggests(found) {
        return finding.help(format!("declare the {what}, or use one that is declared"));
    }
    let known: Vec<&str> = known.map(String::as_str).collect();
    match nearest(&name.value, known.iter().copied()) {
        Some(near) => finding.help(format!("write `{near}` if that is meant")),
        None if known.is_empty() => finding.help(format!("declare the {what}")),
        None if known.len() <= 12 => finding.help(format!("declared are {}", quoted(&known))),
        None => {
            finding.help(format!("declare the {what}, or use one of the {} declared", known.len()))
        }
    }
}

/// Says that something is read and nothing is written for it.
fn not_compiled(key: &str, span: Span, found: &mut Diagnostics) {
    let message = format!("nothing is written for `{key}` yet");
    found.push(Diagnostic::new(&NOT_COMPILED, span, message));
}

/// The clusters of regions that a pattern matches; reports a pattern that matches no region.
fn region_clusters(
    topology: &Topology,
    patterns: &[Spanned<Glob>],
    found: &mut Diagnostics,
) -> ClusterSet {
    let mut set = ClusterSet::new();
    for pattern in patterns {
        let matches = |name: &str| glob_matches(&pattern.value.0, name);
        if !topology.regions.iter().any(|region| matches(&region.name.value)) {
            let name = Spanned::new(pattern.value.0.clone(), pattern.span);
            let known = topology.regions.iter().map(|region| &region.name.value);
            found.push(dangling("region", &name, known, found));
        }
        for (id, cluster) in topology.clusters() {
            if matches(&topology.region_of(cluster).name.value) {
                set.insert(id);
            }
        }
    }
    set
}

/// Whether `name` matches `pattern`, in which `*` stands for any text. Linear in both.
fn glob_matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// Labels as pairs of text, sorted by key.
fn labels(labels: Option<&crate::spec::cluster::Labels>) -> Vec<(String, String)> {
    let pairs = labels.iter().flat_map(|labels| &labels.0);
    pairs.map(|(key, value)| (key.value.0.clone(), value.value.0.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{TWO_CLUSTERS, resolved, topology};
    use super::*;

    #[test]
    fn settings_are_inherited_and_names_resolved() {
        let topology = topology(TWO_CLUSTERS);
        let names: Vec<_> = topology.clusters.iter().map(|c| c.name.value.as_str()).collect();
        assert_eq!(names, ["euw1", "use1"]);
        assert_eq!(topology.clusters[0].cilium.to_string(), "1.19.6");
        assert_eq!(topology.services[0].clusters.len(), 2);
        assert_eq!(topology.flows[0].name.value, "check-fraud");
    }

    #[test]
    fn a_packet_size_of_the_mesh_is_every_cluster_s() {
        let text = TWO_CLUSTERS
            .replace("  mesh:\n", "  mesh:\n    mtu: 8500\n")
            .replace("  id: 2\n", "  id: 2\n  mtu: 1500\n");
        let clusters = topology(&text).clusters;
        let sizes: Vec<_> =
            clusters.iter().filter_map(|c| c.mtu.as_ref()).map(|s| s.value).collect();
        assert_eq!(sizes, [1500, 8500]);
    }

    #[test]
    fn one_mistake_is_one_finding() {
        for (good, bad, finding) in [
            (
                "[payment-frontend]",
                "[payment-fronted]",
                "LB0013 there is no workload `payment-fronted`",
            ),
            ("clusters: [euw1]", "clusters: [euw2]", "LB0013 there is no cluster `euw2`"),
            ("region: us-east-1", "region: us-east-2", "LB0013 there is no region `us-east-2`"),
            (
                "cilium: 1.19.6",
                "cilium: \"1.19\"",
                "LB3001 `1.19` is not an exact version of Cilium",
            ),
            ("cilium: 1.19.6", "cilium: 1.15.0", "LB3002 the chart of Cilium 1.15.0 is not known"),
            ("cilium: 1.19.6", "cilium: 1.20", "LB0003 `1.20` without quotes is not a version"),
            ("  id: 2\n", "  id: 1\n", "LB2001 the clusters `euw1` and `use1` have the same id 1"),
            ("  id: 2\n", "  id: 010\n", "LB0003 `010` is not the same number to all readers"),
            ("  id: 2\n", "  id: 300\n", "LB2002 the id 300 of `euw1` is not between 1 and 255"),
            (
                "100.65.0.0/16",
                "100.64.0.0/16",
                "LB1001 the pods of `use1` and the pods of `euw1` have the same range 100.64.0.0/16",
            ),
            (
                "100.65.0.0/16",
                "100.65.0.1/16",
                "LB0007 `100.65.0.1/16` has host bits: bits that are set behind the prefix",
            ),
            (
                "mcs: true",
                "mcs: false",
                "LB0016 the mesh does not use the Multi-Cluster Services API",
            ),
            (
                "to: [fraud-detection]",
                "to: [{workload: fraud-detection}]",
                "LB0016 this peer has no ports of its own",
            ),
            ("  region: eu-west-1\n", "", "LB0006 the cluster `euw1` has no `region`"),
            (
                "    defaultDeny",
                "    certificates: {caSecret: mesh-ca}\n    defaultDeny",
                "LB0015 no chart of Cilium reads the shared CA from another Secret",
            ),
        ] {
            assert!(TWO_CLUSTERS.contains(good), "{good}");
            let (_, found) = resolved(&TWO_CLUSTERS.replacen(good, bad, 1));
            let messages: Vec<_> = found.iter().map(|f| f.split_once(' ').unwrap().1).collect();
            assert!(messages.iter().all(|m| m.starts_with(finding)), "{bad}: {found:#?}");
            assert!(!messages.is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in [("eu-*", "eu-west-1"), ("*", "x"), ("a*c*e", "abcde"), ("x", "x")] {
            assert!(glob_matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("eu-*", "us-1"), ("x", "xy"), ("a*b", "ab-"), ("ab*b", "ab")] {
            assert!(!glob_matches(pattern, name), "{pattern} {name}");
        }
    }
}
