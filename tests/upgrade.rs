//! Upgrades of whole projects: what compile writes means the same under every version.

use landbridge::diagnostic::Diagnostics;
use landbridge::report::Look;
use landbridge::report::upgrade::{Format, json};
use landbridge::source::SourceMap;
use landbridge::topology::{ClusterId, Topology};
use landbridge::upgrade::flows::FlowChange;
use landbridge::upgrade::{Project, Rehearsal, rehearse};
use semver::Version;
use serde_json::Value;

use crate::random::{accepted, for_each_project};

fn upgrade(topology: &Topology, target: &Version) -> Rehearsal {
    let none = Diagnostics::new();
    let all: Vec<ClusterId> = topology.clusters().map(|(id, _)| id).collect();
    rehearse(&Project::new(topology, &none), &all, target)
}

/// Where what is written breaks the published schema.
fn broken(rehearsal: &Rehearsal, sources: &SourceMap) -> Vec<String> {
    let mut text = Vec::new();
    Format::Json.write(rehearsal, sources, Look::default(), &mut text).expect("memory takes text");
    let written: Value = serde_json::from_slice(&text).expect("it is JSON");
    let schema = serde_json::from_str(json::SCHEMA).expect("it is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("it is a schema");
    schema.iter_errors(&written).map(|error| error.to_string()).collect()
}

#[test]
fn what_compile_writes_means_the_same_under_every_version() {
    for_each_project(|project, _| {
        let (topology, sources) = accepted(&project.whole());
        let pinned: Vec<Version> =
            topology.clusters.iter().map(|cluster| cluster.cilium.value.clone()).collect();
        if pinned.iter().all(|version| *version == pinned[0]) {
            let same = upgrade(&topology, &pinned[0]);
            assert!(same.steps.is_empty(), "{:?}", same.steps);
            assert_eq!(same.counts(), landbridge::upgrade::Counts::default());
        }
        let newest = upgrade(&topology, &Version::new(1, 20, 2));
        for step in &newest.steps {
            // A team may write `**.example.com`, which is more from 1.19 on, and call a port by its
            // name, which from 1.20 on is that of the peer.
            let written = ["subdomain-wildcard", "named-ports-per-peer"];
            let meant =
                |flow: &&FlowChange| flow.causes.iter().all(|cause| written.contains(&cause.name));
            let flows = step.flows.changes.iter().filter(|flow| !meant(flow));
            let flows: Vec<_> = flows.take(3).collect();
            assert!(flows.is_empty(), "to {}: {flows:?}", step.step.to);
            let refused: Vec<_> = step.policies.iter().filter(|one| one.breaks()).collect();
            assert!(refused.is_empty(), "to {}: {refused:?}", step.step.to);
        }
        assert_eq!(broken(&newest, &sources), [""; 0]);
    });
}
