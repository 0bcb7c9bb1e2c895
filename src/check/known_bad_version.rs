//! Versions that are known to break what a cluster has.

use semver::Version;

use super::unpublished_version::published;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::version_facts::{BadVersion, Release};
use crate::topology::{Cluster, ClusterId, ClusterSet, Topology};
use crate::version::{Case, Fact, Pin, cases, clusters_with, finding, fit, known, sets};

declare_rules! {
    /// ## What it does
    /// Reports a version, or a combination of versions, with a known fault that concerns the
    /// cluster: its message says what happens, its help which version no longer has it, its note
    /// where that is from. `landbridge explain versions` lists all that is known.
    ///
    /// ## Why it matters
    /// Such faults are found out once more in every mesh: policies that an agent's restart
    /// bypasses, global services whose backends are missing, agents that stop. Whether one is an
    /// error or a warning is said where it is listed.
    ///
    /// A project adds what its team found out, and overrules what is listed, by documents of kind
    /// `VersionFacts`.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: 1.20.0}
    /// # …
    /// flows: {mail: {from: [app], to: [{cidrs: [192.0.2.0/24]}], ports: [25]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {cilium: 1.20.2}
    /// ```
    pub static KNOWN_BAD_VERSION = { code: "LB3004", name: "known-bad-version", summary: "a version with a known fault that concerns the cluster", severity: Error };
}

/// Reports each fault once for each place where its versions are pinned.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let published = published(topology);
    for bad in known::<BadVersion>(topology) {
        let versions = &bad.fact.versions;
        // What clusters have is looked at only where a version fits.
        if !topology.clusters.iter().any(|cluster| fit(versions, cluster).is_some()) {
            continue;
        }
        let concerned: Vec<ClusterSet> =
            bad.fact.when.iter().map(|condition| clusters_with(*condition, topology)).collect();
        let values = &bad.fact.values;
        let pick = |id: ClusterId, cluster: &Cluster| {
            let has = concerned.iter().all(|clusters| clusters.contains(id))
                && (values.is_empty() || values.iter().any(|test| sets(cluster, &test.value)));
            if has && published.contains(id) { fit(versions, cluster) } else { None }
        };
        for case in cases(topology, pick) {
            found.push(report(&bad, &case));
        }
    }
}

fn report(bad: &Fact<'_, BadVersion>, case: &Case<'_>) -> Diagnostic {
    let versions: Vec<_> = case.pins.iter().map(Pin::to_string).collect();
    let message = format!("{}: {}", versions.join(" with "), bad.fact.consequence.value.0);
    let pin = &case.pins[0];
    let finding = finding(&KNOWN_BAD_VERSION, bad, pin, &case.clusters, message);
    let others = case.pins[1..].iter();
    others
        .fold(finding, |finding, pin| finding.related(pin.span, pin.to_string()))
        .help(way_out(bad, pin))
}

/// The nearest version that no longer has the fault.
fn way_out(bad: &Fact<'_, BadVersion>, pin: &Pin<'_>) -> String {
    let fixed = bad.fact.fixed_in.0.iter().filter_map(|text| Version::parse(&text.value).ok());
    let fixed = fixed.filter(|version| Release::from(version) > pin.interval.first()).min();
    match fixed {
        Some(version) => format!("use {} {version} or later", pin.product),
        None => "use another version; none is known in which it is mended".to_owned(),
    }
}
