//! What the rules of `check` find under the new versions and not under the old ones: versions that
//! do not exist, have known faults, are not made for the cluster's Kubernetes, or are too far
//! apart.

use std::collections::BTreeSet;

use semver::Version;

use crate::chart::Chart;
use crate::check;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::version_facts::{BadVersion, Release, Unpublished};
use crate::topology::{Cluster, ClusterId, Topology};
use crate::version::{clusters_with, fit, known, sets};

/// The rules that are about values, which are compared by themselves, or about what lies beyond
/// the version that is asked for.
const ELSEWHERE: &[&str] = &["LB2010", "LB2011", "LB2012", "LB3007"];

/// The topology with these versions of Cilium, one for each cluster.
pub fn with(topology: &Topology, versions: &[Version]) -> Topology {
    let mut topology = topology.clone();
    for (cluster, version) in topology.clusters.iter_mut().zip(versions) {
        cluster.cilium.value = version.clone();
    }
    topology
}

/// What is found in a topology.
pub fn found(topology: &Topology, accepting: &Diagnostics) -> Diagnostics {
    let mut found = accepting.beside();
    check::run(topology, &mut found);
    found.sort();
    found
}

/// The findings that the one has and the other has not. What is found at the same place with
/// other versions in its message is the same.
pub fn appeared(before: &Diagnostics, after: &Diagnostics) -> Vec<Diagnostic> {
    let known: BTreeSet<(&str, Span, String)> = before.iter().map(key).collect();
    let new = after.iter().filter(|one| !known.contains(&key(one)));
    new.filter(|one| !ELSEWHERE.contains(&&*one.rule.code)).cloned().collect()
}

fn key(one: &Diagnostic) -> (&str, Span, String) {
    let message = one.message.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect();
    (&one.rule.code, one.primary.span, message)
}

/// The newest patch of a minor that has no known fault for some clusters, or the newest one where
/// each has. `wanted` is a version that somebody asks for, which exists although no table has it.
pub fn patch(
    topology: &Topology,
    minor: (u64, u64),
    clusters: &[ClusterId],
    wanted: &Version,
) -> Version {
    let bad = known::<BadVersion>(topology);
    let fixed = bad.iter().flat_map(|fact| &fact.fact.fixed_in.0);
    let fixed = fixed.filter_map(|text| Version::parse(&text.value).ok());
    let all: BTreeSet<Version> = Chart::published(minor.0, minor.1)
        .chain(fixed)
        .chain([wanted.clone()])
        .filter(|version| (version.major, version.minor) == minor)
        .collect();
    let gaps = known::<Unpublished>(topology);
    let good = |version: &&Version| {
        clusters.iter().all(|id| {
            let mut cluster: Cluster = topology.cluster(*id).clone();
            cluster.cilium.value = (*version).clone();
            let gap = gaps.iter().any(|gap| fit(&gap.fact.versions, &cluster).is_some());
            let faulty = bad.iter().any(|bad| {
                let when = &bad.fact.when;
                let values = &bad.fact.values;
                fit(&bad.fact.versions, &cluster).is_some()
                    && when.iter().all(|one| clusters_with(*one, topology).contains(*id))
                    && (values.is_empty() || values.iter().any(|test| sets(&cluster, &test.value)))
            });
            !gap && !faulty
        })
    };
    let newest = all.iter().rev().find(good).or_else(|| all.last());
    newest.cloned().unwrap_or_else(|| Version::new(minor.0, minor.1, 0))
}

/// What is to be known about a version that no table has.
pub fn remark(version: &Version) -> Option<String> {
    let known = Chart::of(version)?.known_as();
    let listed = Chart::published(version.major, version.minor).any(|one| one == *version);
    let facts = crate::version::built_in::<BadVersion>();
    let mut fixed = facts.iter().flat_map(|fact| &fact.fact.fixed_in.0);
    let named = fixed.any(|text| Version::parse(&text.value).is_ok_and(|one| one == *version));
    (!listed && !named && Release::from(version) > Release::from(&known)).then(|| {
        format!("Cilium {version} is newer than what is known: its values are those of {known}")
    })
}

/// The newest patch of a minor that is known.
pub fn newest(minor: (u64, u64)) -> Version {
    let facts = crate::version::built_in::<BadVersion>();
    let fixed = facts.iter().flat_map(|fact| &fact.fact.fixed_in.0);
    let fixed = fixed.filter_map(|text| Version::parse(&text.value).ok());
    let all = Chart::published(minor.0, minor.1).chain(fixed);
    let newest = all.filter(|version| (version.major, version.minor) == minor).max();
    newest.unwrap_or_else(|| Version::new(minor.0, minor.1, 0))
}
