//! What an upgrade opens and closes, against what the engines of two minors answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use landbridge::policy::parse::{read, tree};
use landbridge::policy::{Opening, Semantics};
use landbridge::reach::{Endpoint, Member, Mesh, Origin, Standing, WrittenPolicy};
use landbridge::source::Span;
use landbridge::topology::ClusterId;
use landbridge::upgrade::plan::Move;
use landbridge::upgrade::{flows, policies};
use semver::Version;

use super::case::{Answer, Case, Flow, Outcome};
use super::minimise::minimise;
use super::program::Program;
use super::{MOST, generate, number, ours, say};
use crate::tools::named_by;

/// Ports that are asked about, of each case.
const PORTS: usize = 6;
/// How often an engine that panics is asked again.
const PANICS: usize = 10;
/// Most smaller cases that are tried of one that shows a disagreement.
const TRIES: usize = 1_000;

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
    let mut engines = Engines::start([&old, &new]);
    let mut seen = Seen::default();
    let mut found = Vec::new();
    for seed in first..first + cases {
        let case = every_pair(generate::case(seed, minor));
        let Some((at, mut text)) = engines.disagreement(&case, &mut seen) else { continue };
        let one = Case { flows: vec![case.flows[at].clone()], ..case };
        let small = minimise(&one, TRIES, |smaller| {
            let found = engines.disagreement(smaller, &mut Seen::default());
            found.map(|(_, found)| text = found).is_some()
        });
        let json = serde_json::to_string(&small).expect("a case is JSON");
        found.push(format!("seed {seed}: {text}\n{json}"));
        if found.len() == MOST {
            break;
        }
    }
    let Seen { asked, opened, closed } = seen;
    say(&format!(
        "Cilium 1.{minor} to 1.{}: {cases} cases, {asked} flows, of which {opened} open and \
         {closed} close",
        minor + 1
    ));
    assert!(found.is_empty(), "{} disagreements:\n\n{}", found.len(), found.join("\n\n"));
}

/// The flows that were asked about, and those of them that the engines open and close.
#[derive(Default)]
struct Seen {
    asked: usize,
    opened: usize,
    closed: usize,
}

/// The engines of two minors.
struct Engines {
    paths: [PathBuf; 2],
    running: [Program; 2],
}

impl Engines {
    fn start(paths: [&Path; 2]) -> Self {
        Self { paths: paths.map(Path::to_owned), running: paths.map(Program::start) }
    }

    /// What either answers; one that panics is asked again, as `super::Run` does.
    fn ask(&mut self, case: &Case) -> [Answer; 2] {
        for program in &mut self.running {
            program.send(case);
        }
        let mut answers = self.running.each_mut().map(Program::receive);
        for (answer, path) in answers.iter_mut().zip(&self.paths) {
            for _ in 0..PANICS {
                if answer.panicked() {
                    *answer = Program::start(path).ask(case);
                }
            }
        }
        answers
    }

    /// The first flow that the rehearsal opens or closes and the engines do not, or the other way
    /// round.
    fn disagreement(&mut self, case: &Case, seen: &mut Seen) -> Option<(usize, String)> {
        let answers = self.ask(case);
        let versions = answers.each_ref().map(|answer| answer.cilium.as_str());
        let changes = changes(case, versions);
        for (at, flow) in case.flows.iter().enumerate() {
            let protocol = ours::protocol(&flow.protocol);
            let change = changes.get(&(flow.from.clone(), flow.to.clone()));
            let has = |opening: &Opening| opening.at(protocol, flow.port).is_some();
            let ours = change.map_or((false, false), |(opens, closes)| (has(opens), has(closes)));
            let theirs = answers.each_ref().map(|answer| is_open(answer, at));
            seen.asked += 1;
            seen.opened += usize::from(theirs == [false, true]);
            seen.closed += usize::from(theirs == [true, false]);
            let same = match theirs {
                [false, true] => ours == (true, false),
                [true, false] => ours == (false, true),
                [false, false] => ours == (false, false),
                // What a proxy lets through of what is open may change.
                [true, true] => {
                    ours == (false, false) || answers.iter().any(|it| is_proxied(it, at))
                }
            };
            if same {
                continue;
            }
            let read = versions.map(|version| ours::answer(case, version).flows.swap_remove(at));
            let said = answers.each_ref().map(|answer| &answer.flows[at]);
            let text = format!(
                "{} -> {} {}/{}: the engines say open {theirs:?} by {said:?}, the rehearsal that \
                 it opens and closes {ours:?}, and the reading {read:?}",
                flow.from, flow.to, flow.protocol, flow.port
            );
            return Some((at, text));
        }
        None
    }
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

/// Whether a proxy sees it at either end.
fn is_proxied(answer: &Answer, at: usize) -> bool {
    [&answer.flows[at].egress, &answer.flows[at].ingress]
        .iter()
        .any(|end| end.verdict == Outcome::L7)
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
            Some(WrittenPolicy { policy: policy.into(), origin: Origin::Written })
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
