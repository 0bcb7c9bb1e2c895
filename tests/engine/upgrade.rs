//! What an upgrade opens and closes, against what the engines of two minors answer.

use std::collections::{BTreeMap, BTreeSet};

use landbridge::policy::parse::{read, tree};
use landbridge::policy::{Opening, Semantics};
use landbridge::reach::{Endpoint, Member, Mesh, Origin, Standing, WrittenPolicy};
use landbridge::source::Span;
use landbridge::topology::ClusterId;
use landbridge::upgrade::plan::Move;
use landbridge::upgrade::{flows, policies};
use semver::Version;

use super::case::{Answer, Case, Flow, Outcome};
use super::program::Program;
use super::{generate, number, ours, say};
use crate::tools::named_by;

/// Ports that are asked about, of each case.
const PORTS: usize = 6;

#[test]
fn from_1_16_to_1_17() {
    compare(16);
}

#[test]
fn from_1_17_to_1_18() {
    compare(17);
}

#[test]
fn from_1_18_to_1_19() {
    compare(18);
}

#[test]
fn from_1_19_to_1_20() {
    compare(19);
}

fn compare(minor: u64) {
    let path = |minor: u64| named_by(&format!("LANDBRIDGE_ORACLE_1_{minor}"));
    let (Some(old), Some(new)) = (path(minor), path(minor + 1)) else { return };
    let cases = number("LANDBRIDGE_UPGRADE_CASES").unwrap_or(50);
    let first = number("LANDBRIDGE_ENGINE_SEED").unwrap_or(1);
    let (mut old, mut new) = (Program::start(&old), Program::start(&new));
    let (mut asked, mut opened, mut closed) = (0, 0, 0);
    for seed in first..first + cases {
        let case = every_pair(generate::case(seed, minor));
        let answers = (old.ask(&case), new.ask(&case));
        let changes = changes(&case, [&answers.0.cilium, &answers.1.cilium]);
        for (at, flow) in case.flows.iter().enumerate() {
            let protocol = ours::protocol(&flow.protocol);
            let change = changes.get(&(flow.from.clone(), flow.to.clone()));
            let has = |opening: &Opening| opening.at(protocol, flow.port).is_some();
            let ours = change.map_or((false, false), |(opens, closes)| (has(opens), has(closes)));
            let theirs = (is_open(&answers.0, at), is_open(&answers.1, at));
            let same = match theirs {
                (false, true) => ours == (true, false),
                (true, false) => ours == (false, true),
                (false, false) => ours == (false, false),
                // What goes through of what is open may change.
                (true, true) => true,
            };
            let shown = serde_json::to_string(&flow).expect("a flow is JSON");
            assert!(
                same,
                "seed {seed}, {shown}: the engines say open {theirs:?}, the rehearsal that it \
                 opens and closes {ours:?}; before {:?}, after {:?}",
                answers.0.flows[at], answers.1.flows[at]
            );
            asked += 1;
            opened += usize::from(theirs == (false, true));
            closed += usize::from(theirs == (true, false));
        }
    }
    say(&format!(
        "Cilium 1.{minor} to 1.{}: {cases} cases, {asked} flows, of which {opened} open and \
         {closed} close",
        minor + 1
    ));
}

/// A case that asks about every pair of pods, on some of its ports.
fn every_pair(mut case: Case) -> Case {
    let ports: BTreeSet<(String, u16)> =
        case.flows.iter().map(|flow| (flow.protocol.clone(), flow.port)).collect();
    let ports: Vec<_> = ports.into_iter().filter(|(_, port)| *port > 0).collect();
    let step = (ports.len() / PORTS).max(1);
    let ports: Vec<_> = ports.into_iter().step_by(step).take(PORTS).collect();
    let pods: Vec<String> = case
        .identities
        .iter()
        .filter(|it| !it.namespace.is_empty())
        .map(|it| it.id.clone())
        .collect();
    // Which minors read it is a question to the reading, which other tests ask.
    case.settings.enable_non_default_deny_policies = None;
    case.flows.clear();
    for from in &pods {
        for to in pods.iter().filter(|to| *to != from) {
            case.flows.extend(ports.iter().map(|(protocol, port)| Flow {
                from: from.clone(),
                to: to.clone(),
                port: *port,
                protocol: protocol.clone(),
            }));
        }
    }
    case
}

/// Whether both ends let anything through.
fn is_open(answer: &Answer, at: usize) -> bool {
    let open = |outcome| matches!(outcome, Outcome::Allowed | Outcome::L7);
    open(answer.flows[at].egress.verdict) && open(answer.flows[at].ingress.verdict)
}

/// What opens and what closes between pods, by their ids.
fn changes(case: &Case, versions: [&str; 2]) -> BTreeMap<(String, String), (Opening, Opening)> {
    let [old, new] = versions.map(|text| Version::parse(text).expect("a version"));
    let (before, after) = (mesh(case, &old), mesh(case, &new));
    let moves: Vec<Move> = before
        .clusters()
        .map(|(cluster, _)| Move { cluster, from: old.clone(), to: new.clone() })
        .collect();
    let compared =
        before.clusters().flat_map(|(id, member)| policies::compare(id, member, after.cluster(id)));
    let mut compared: Vec<_> = compared.collect();
    let flows = flows::compare(&before, &after, &moves, &mut compared);
    assert_eq!(flows.omitted, 0, "some flows are left out");
    let pods = flows.changes.into_iter().filter(|flow| {
        [&flow.from, &flow.to].iter().all(|side| side.standing == flows::Place::There)
    });
    pods.map(|flow| ((flow.from.name, flow.to.name), (flow.opens, flow.closes))).collect()
}

/// The mesh of a case, whose endpoints are called by their ids.
fn mesh(case: &Case, version: &Version) -> Mesh {
    let ids = || (0..case.clusters.len()).map(ClusterId::new);
    let mut mesh = Mesh::default();
    for cluster in &case.clusters {
        let settings = ours::settings(case, &cluster.name, version);
        let semantics = Semantics::new(version.clone(), settings).expect("a known minor");
        let known = ours::known(case, &cluster.name);
        let here = case
            .policies
            .iter()
            .filter(|policy| policy.cluster.is_empty() || policy.cluster == cluster.name);
        let policies = here.filter_map(|policy| {
            let policy = read(&tree(policy.object.clone(), Span::default()), &semantics, &known)?;
            Some(WrittenPolicy { policy, origin: Origin::Written })
        });
        let policies = policies.collect();
        let (name, span, joined) = (cluster.name.clone(), Span::default(), ids().collect());
        mesh.clusters.push(Member { name, span, semantics, joined, policies });
    }
    for (at, cluster) in case.clusters.iter().enumerate() {
        let pods = case.identities.iter();
        for pod in pods.filter(|it| !it.namespace.is_empty() && it.cluster == cluster.name) {
            mesh.endpoints.push(Endpoint {
                cluster: ClusterId::new(at),
                name: pod.id.clone(),
                identity: ours::identity(case, pod),
                standing: Standing::Found,
                span: None,
                serves: Vec::new(),
            });
        }
    }
    mesh
}
