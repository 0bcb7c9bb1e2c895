//! The same mesh under two versions of Cilium: what an upgrade opens, closes and breaks.
//!
//! Policies are read under each version of the way as they are, since that is what an agent does
//! when it is upgraded: it does not wait for manifests that are rendered anew. What rendering
//! them anew would mend is said beside it.

pub mod cause;
pub mod flows;
pub mod plain;
pub mod plan;
pub mod policies;
pub mod values;
pub mod versions;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::compile::{self, Index};
use crate::diagnostic::{Diagnostic, Diagnostics, NotChecked};
use crate::reach::{Member, Mesh, Origin, declared};
use crate::spec::cluster::Role;
use crate::topology::{ClusterId, Topology};
use flows::{FlowChange, Flows, Side};
use plan::{Pinned, Step};
use policies::PolicyChange;
use values::{ValueChange, Values};

/// What an upgrade does.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The version that is asked for.
    pub target: Version,
    /// The names of all clusters, by their ids.
    pub clusters: Vec<String>,
    /// The steps on the way; none where every cluster has the version.
    pub steps: Vec<Outcome>,
    /// Clusters that would take an older version.
    pub backwards: Vec<ClusterId>,
    /// What is to be known besides.
    pub notes: Vec<String>,
    /// What could not be looked at.
    pub unread: Vec<NotChecked>,
    /// The names of ports whose numbers nobody says, by numbers that mean nothing.
    pub unnumbered: BTreeMap<u16, String>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The step.
    pub step: Step,
    /// What is wrong with the versions that clusters have after it.
    pub findings: Vec<Diagnostic>,
    /// The policies that are refused, accepted or read otherwise.
    pub policies: Vec<PolicyChange>,
    /// What becomes of Helm values.
    pub values: Vec<ValueChange>,
    /// What opens and closes.
    pub flows: Flows,
    /// The same once manifests are rendered for the new version, where that makes a difference.
    pub rendered: Option<Rendered>,
}

/// What rendering manifests anew makes of a step.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The flows that are as before the step again, as indices into the changes of the step.
    pub mended: Vec<usize>,
    /// The flows that change only then.
    pub further: Vec<FlowChange>,
}

/// Counts of a rehearsal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Flows that open, also those that do for a while only.
    pub opens: usize,
    /// Flows that close, also those that do for a while only.
    pub closes: usize,
    /// Policies and values that stop working, and versions that cannot be had.
    pub breaks: usize,
    /// What could not be looked at.
    pub unread: usize,
}

/// The mesh that is upgraded.
pub trait Site {
    /// The clusters with their versions, by their ids, and whether each stands by.
    fn pinned(&self) -> Vec<Pinned>;

    /// The mesh with these versions, one for each cluster, and policies as they are now.
    fn mesh(&self, versions: &[Version]) -> Mesh;

    /// The mesh with these versions, and policies rendered for them; nothing where they are not
    /// rendered.
    fn rendered(&self, versions: &[Version]) -> Option<Mesh>;

    /// What is declared, and the findings that are accepted; nothing for plain manifests.
    fn project(&self) -> Option<(&Topology, &Diagnostics)>;
}

/// A project.
#[derive(Debug)]
pub struct Project<'a> {
    topology: &'a Topology,
    index: Index,
    accepting: &'a Diagnostics,
}

impl<'a> Project<'a> {
    /// A project with what of its findings is accepted.
    pub fn new(topology: &'a Topology, accepting: &'a Diagnostics) -> Self {
        Self { topology, index: Index::of(topology), accepting }
    }
}

impl Site for Project<'_> {
    fn pinned(&self) -> Vec<Pinned> {
        let pinned = self.topology.clusters().map(|(id, cluster)| Pinned {
            cluster: id,
            version: cluster.cilium.value.clone(),
            passive: cluster.role == Role::Passive,
        });
        pinned.collect()
    }

    fn mesh(&self, versions: &[Version]) -> Mesh {
        declared::mesh_of(&versions::with(self.topology, versions), self.topology, &self.index)
    }

    fn rendered(&self, versions: &[Version]) -> Option<Mesh> {
        Some(declared::mesh(&versions::with(self.topology, versions), &self.index))
    }

    fn project(&self) -> Option<(&Topology, &Diagnostics)> {
        Some((self.topology, self.accepting))
    }
}

/// Rehearses the upgrade of some clusters to a version.
pub fn rehearse(site: &dyn Site, chosen: &[ClusterId], target: &Version) -> Rehearsal {
    let all = site.pinned();
    let pinned: Vec<Pinned> =
        all.iter().filter(|one| chosen.contains(&one.cluster)).cloned().collect();
    let project = site.project();
    let steps = plan::steps(&pinned, target, |minor, clusters| match project {
        Some((topology, _)) => versions::patch(topology, minor, clusters, target),
        None => versions::newest(minor),
    });
    let mut now: Vec<Version> = all.iter().map(|one| one.version.clone()).collect();
    let mut mesh = site.mesh(&now);
    let mut unread = mesh.unread.clone();
    let clusters = mesh.clusters.iter().map(|member| member.name.clone()).collect();
    let unnumbered = mesh.unnumbered.clone();
    let mut outcomes = Vec::new();
    for step in steps {
        let before = std::mem::take(&mut mesh);
        let old = now.clone();
        for one in &step.moves {
            now[one.cluster.index()] = one.to.clone();
        }
        mesh = site.mesh(&now);
        let outcome = outcome(site, step, (&before, &mesh), (&old, &now));
        unread.extend(mesh.unread.iter().cloned());
        unread.extend(outcome.flows.unread.clone());
        outcomes.push(outcome);
    }
    unread.sort_by(|one, other| (one.span, &one.what).cmp(&(other.span, &other.what)));
    unread.dedup();
    let backwards = pinned.iter().filter(|one| one.version > *target).map(|one| one.cluster);
    Rehearsal {
        target: target.clone(),
        clusters,
        notes: versions::remark(target).into_iter().collect(),
        backwards: backwards.collect(),
        steps: outcomes,
        unread,
        unnumbered,
    }
}

fn outcome(
    site: &dyn Site,
    step: Step,
    (before, after): (&Mesh, &Mesh),
    (old, new): (&[Version], &[Version]),
) -> Outcome {
    let moved = step.moves.iter().map(|one| one.cluster);
    let compared =
        moved.flat_map(|id| policies::compare(id, before.cluster(id), after.cluster(id)));
    let mut policies: Vec<PolicyChange> = compared.collect();
    let flows = flows::compare(before, after, &step.moves, &mut policies);
    let rendered = site.rendered(new).filter(|mesh| differs(mesh, after));
    let rendered = rendered.map(|mesh| rendered_anew(before, &mesh, &step, &flows));
    let (findings, values) = match site.project() {
        Some((topology, accepting)) => declarations(topology, accepting, &step, (old, new)),
        None => (Vec::new(), Vec::new()),
    };
    Outcome { step, findings, policies, values, flows, rendered }
}

/// What becomes of what is declared: what `check` finds, and the values.
fn declarations(
    topology: &Topology,
    accepting: &Diagnostics,
    step: &Step,
    (old, new): (&[Version], &[Version]),
) -> (Vec<Diagnostic>, Vec<ValueChange>) {
    let (before, after) = (versions::with(topology, old), versions::with(topology, new));
    let found = (versions::found(&before, accepting), versions::found(&after, accepting));
    let index = Index::of(topology);
    let values = step.moves.iter().filter_map(|one| {
        let written = |topology| compile::cilium_values(topology, &index, one.cluster);
        Some(Values {
            id: one.cluster,
            cluster: topology.cluster(one.cluster),
            versions: (&one.from, &one.to),
            before: written(&before)?,
            after: written(&after)?,
        })
    });
    let values: Vec<Values<'_>> = values.collect();
    (versions::appeared(&found.0, &found.1), values::compare(&values))
}

/// Whether rendering makes generated policies other ones.
fn differs(rendered: &Mesh, as_they_are: &Mesh) -> bool {
    let mut members = rendered.clusters.iter().zip(&as_they_are.clusters);
    members.any(|(one, other)| {
        let generated = |member: &'_ Member| -> Vec<usize> {
            let all = member.policies.iter().enumerate();
            all.filter(|(_, one)| one.origin == Origin::Generated).map(|(at, _)| at).collect()
        };
        let (ones, others) = (generated(one), generated(other));
        let same = |(at, other_at): (&usize, &usize)| {
            let (policy, known) = (&one.policies[*at].policy, &other.policies[*other_at].policy);
            (&policy.name, &policy.rules) == (&known.name, &known.rules)
        };
        ones.len() != others.len() || !ones.iter().zip(&others).all(same)
    })
}

/// What of the flows that differ are as they were once manifests are rendered, and which differ
/// only then.
fn rendered_anew(before: &Mesh, rendered: &Mesh, step: &Step, flows: &Flows) -> Rendered {
    let moved = step.moves.iter().map(|one| one.cluster);
    let compared =
        moved.flat_map(|id| policies::compare(id, before.cluster(id), rendered.cluster(id)));
    let mut policies: Vec<PolicyChange> = compared.collect();
    let then = flows::compare(before, rendered, &step.moves, &mut policies).changes;
    let sides = |changes: &[FlowChange]| -> BTreeSet<(Side, Side)> {
        changes.iter().map(|one| (one.from.clone(), one.to.clone())).collect()
    };
    let (now, later) = (sides(&flows.changes), sides(&then));
    let is = |known: &BTreeSet<(Side, Side)>, one: &FlowChange| {
        known.contains(&(one.from.clone(), one.to.clone()))
    };
    let mended = flows.changes.iter().enumerate().filter(|(_, one)| !is(&later, one));
    let further = then
        .iter()
        .filter(|one| !is(&now, one))
        .map(|one| FlowChange { policies: Vec::new(), ..one.clone() });
    Rendered { mended: mended.map(|(at, _)| at).collect(), further: further.collect() }
}

impl Rehearsal {
    /// How much opens, closes and breaks.
    pub fn counts(&self) -> Counts {
        let mut counts =
            Counts { breaks: self.backwards.len(), unread: self.unread.len(), ..Counts::default() };
        for step in &self.steps {
            counts.opens += step.flows.opened;
            counts.closes += step.flows.closed;
            for change in &step.flows.changes {
                let (opens, closes) = &change.meanwhile;
                counts.opens += usize::from(!opens.is_closed() && change.opens.is_closed());
                counts.closes += usize::from(!closes.is_closed() && change.closes.is_closed());
            }
            counts.breaks += step.breaks();
        }
        counts
    }
}

impl Outcome {
    /// How many policies, values and versions stop working.
    pub fn breaks(&self) -> usize {
        let policies = self.policies.iter().filter(|one| one.breaks()).count();
        let values = self.values.iter().filter(|one| one.sort.breaks()).count();
        let errors =
            self.findings.iter().filter(|one| one.severity == crate::diagnostic::Severity::Error);
        policies + values + errors.count()
    }
}

#[cfg(test)]
mod sample;
