//! `landbridge::policy` against Cilium's own policy engine.
//!
//! `LANDBRIDGE_ORACLE_1_20` and its kin name the programs below `tests/oracle`, which
//! `scripts/test` builds. `LANDBRIDGE_ENGINE_SECONDS` or `LANDBRIDGE_ENGINE_CASES` say how much is
//! asked of each, `LANDBRIDGE_ENGINE_SEED` the first seed.
#![expect(clippy::disallowed_methods, reason = "the environment names the programs")]

pub(crate) mod case;
mod corpus;
mod examples;
mod features;
pub(crate) mod generate;
mod minimise;
mod ours;
mod program;
mod upgrade;

use std::collections::{BTreeSet, VecDeque};
use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use case::{Answer, Case};
use features::Counts;
use program::Program;

use crate::crds;
use crate::tools::named_by;

/// The minors of Cilium whose engines are asked.
const MINORS: [u64; 5] = [16, 17, 18, 19, 20];

/// The seeds from 1 that have all been asked of every minor without a disagreement. A run for a time
/// stays among them, so that how fast a machine is does not decide what it finds.
const ASKED: u64 = 20_000;
/// Cases that the program may work on while others are compared.
const AHEAD: usize = 16;
/// How often a case in which an engine panics is asked again. The engines of 1.18 and 1.19 panic
/// in some of the orders in which Go may walk their maps (`ruleOrigin.Merge` of an entry without an
/// origin, which `overrideProxyPortForAuth` makes), and in rare cases in every one.
const AGAIN: u64 = 12;
/// Of how many cases one may panic each time; what it hides is not compared.
const PANICKING: u64 = 2_000;
/// Disagreements after which a run ends.
const MOST: usize = 12;

#[test]
fn cilium_1_16_says_the_same() {
    compare(16);
}

#[test]
fn cilium_1_17_says_the_same() {
    compare(17);
}

#[test]
fn cilium_1_18_says_the_same() {
    compare(18);
}

#[test]
fn cilium_1_19_says_the_same() {
    compare(19);
}

#[test]
fn cilium_1_20_says_the_same() {
    compare(20);
}

#[test]
fn every_generated_object_fits_its_schema() {
    let Some(schemas) = crds::Schemas::published() else { return };
    let (mut objects, mut wrong) = (0, BTreeSet::new());
    for minor in MINORS {
        for seed in 0..100 {
            for policy in generate::case(seed, minor).policies {
                // Groups have no schema of every minor here, and Kubernetes' own kinds none at all.
                let kind = policy.object["kind"].as_str().unwrap_or_default().to_owned();
                if !kind.starts_with("Cilium") || kind == "CiliumCIDRGroup" {
                    continue;
                }
                objects += 1;
                let place = format!("1.{minor} {kind}");
                let problems = schemas.problems_of(&policy.object, &format!("1.{minor}.0"));
                wrong.extend(problems.into_iter().map(|problem| format!("{place}: {problem}")));
            }
        }
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong.join("\n"));
    assert!(objects > 1_000, "only {objects} objects");
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is `{text}`, which is no number")))
}

fn compare(minor: u64) {
    let Some(path) = named_by(&format!("LANDBRIDGE_ORACLE_1_{minor}")) else { return };
    let seconds = number("LANDBRIDGE_ENGINE_SECONDS");
    let cases =
        number("LANDBRIDGE_ENGINE_CASES").unwrap_or(if seconds.is_some() { ASKED } else { 200 });
    let first = number("LANDBRIDGE_ENGINE_SEED").unwrap_or(1);
    let run = Run::over(&path, minor, first, cases, seconds.map(Duration::from_secs));
    say(&run.report());
    assert!(
        run.found.is_empty(),
        "{} disagreements:\n\n{}",
        run.found.len(),
        run.found.join("\n\n")
    );
    if run.done >= features::ENOUGH {
        let short = run.counts.short(minor);
        assert!(short.is_empty(), "{} cells are rare:\n{}", short.len(), short.join("\n"));
    }
    let few = run.done / PANICKING + 3;
    assert!(run.silent <= few, "the engine panics in {} of {} cases", run.silent, run.done);
}

/// Not `eprintln!`, whose output the harness keeps from whoever reads a passing run.
fn say(text: &str) {
    writeln!(io::stderr(), "{text}").expect("standard error takes a line");
}

/// What a run over many cases found.
struct Run {
    minor: u64,
    first: u64,
    done: u64,
    verdicts: u64,
    /// How often a case was asked again.
    panics: u64,
    /// Cases in which the engine panicked each time.
    silent: u64,
    took: Duration,
    counts: Counts,
    found: Vec<String>,
}

impl Run {
    fn over(path: &Path, minor: u64, first: u64, cases: u64, limit: Option<Duration>) -> Self {
        let begun = Instant::now();
        let mut program = Program::start(path);
        let mut waiting: VecDeque<Case> = VecDeque::new();
        let (mut sent, zero) = (0, Duration::ZERO);
        let counts = Counts::default();
        let mut run = Self {
            minor,
            first,
            done: 0,
            verdicts: 0,
            panics: 0,
            silent: 0,
            took: zero,
            counts,
            found: Vec::new(),
        };
        loop {
            let in_time = limit.is_none_or(|limit| begun.elapsed() < limit);
            while waiting.len() < AHEAD && sent < cases && in_time && run.found.len() < MOST {
                let case = generate::case(first + sent, minor);
                program.send(&case);
                waiting.push_back(case);
                sent += 1;
            }
            let Some(case) = waiting.pop_front() else { break };
            let answer = program.receive();
            run.one(path, &case, &answer);
        }
        run.took = begun.elapsed();
        run
    }

    fn one(&mut self, path: &Path, case: &Case, theirs: &Answer) {
        assert_eq!(case.id, theirs.id);
        let mut again = None;
        for _ in 0..AGAIN {
            if again.as_ref().unwrap_or(theirs).panicked() {
                self.panics += 1;
                again = Some(Program::start(path).ask(case));
            }
        }
        self.silent += u64::from(again.as_ref().unwrap_or(theirs).panicked());
        let theirs = again.as_ref().unwrap_or(theirs);
        let ours = ours::answer(case, &theirs.cilium);
        self.done += 1;
        self.counts.next();
        for verdict in ours.flows.iter().flatten() {
            self.verdicts += u64::from(verdict.outcome != case::Outcome::Unpoliced);
            self.counts.add(case, verdict);
        }
        let Some((sort, text)) = disagreement(case, theirs, &ours) else { return };
        if self.found.len() >= MOST {
            return;
        }
        let mut program = Program::start(path);
        let mut smallest = text;
        let small = minimise::minimise(case, 3_000, |smaller| {
            let theirs = program.ask(smaller);
            let ours = ours::answer(smaller, &theirs.cilium);
            match disagreement(smaller, &theirs, &ours) {
                Some((known, text)) if known == sort => {
                    smallest = text;
                    true
                }
                _ => false,
            }
        });
        let json = serde_json::to_string(&small).expect("a case is JSON");
        self.found.push(format!("{smallest}\n{json}"));
    }

    fn report(&self) -> String {
        let (minor, first, done) = (self.minor, self.first, self.done);
        let last = first + done.max(1) - 1;
        let seconds = self.took.as_secs_f64();
        let table = self.counts.table();
        format!(
            "Cilium 1.{minor}: {done} cases (seeds {first} to {last}), {} verdicts in {seconds:.0} s, asked again after {} panics, {} cases with panics each time\n{table}",
            self.verdicts, self.panics, self.silent
        )
    }
}

/// What two answers disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Whole,
    Accepted,
    Refused,
    Verdict,
    Limits,
}

/// Whether two answers may differ by the order in which the agent takes policies, which the names of
/// their resources decide, and until 1.18 chance: where a rule denies a peer on a port before L7
/// rules of several protocols meet there, nothing is left to clash (`mergePortProto`). Until 1.17
/// they clash all the same.
fn is_by_order(case: &Case, ours: case::Outcome, theirs: case::Outcome) -> bool {
    let broken = |outcome| outcome == case::Outcome::Error;
    let denies = || case.policies.iter().any(|known| known.object.to_string().contains("Deny\":"));
    let late = !case.id.starts_with("16-") && !case.id.starts_with("17-");
    broken(ours) && !broken(theirs) && late && denies()
}

/// Whether L7 rules differ only as the program of 1.20 says more than the engine does: those of
/// every tier, and of what stands for a peer none.
fn is_blurred(case: &Case, theirs: &BTreeSet<String>, ours: &BTreeSet<String>) -> bool {
    let tiers = || {
        let mut kinds = case.policies.iter().map(|known| &known.object["kind"]);
        kinds.any(|kind| kind == "ClusterNetworkPolicy")
    };
    let says = |word| case.policies.iter().any(|known| known.object.to_string().contains(word));
    let placeholders = || case.id.starts_with("20-") && (says("NotIn") || says("DoesNotExist"));
    let (tiers, placeholders) = (tiers(), placeholders());
    (tiers && (placeholders || ours.is_subset(theirs))) || (placeholders && theirs.is_subset(ours))
}

fn disagreement(case: &Case, theirs: &Answer, ours: &ours::Answer) -> Option<(Sort, String)> {
    if !theirs.error.is_empty() {
        return Some((Sort::Whole, format!("the program says: {}", theirs.error)));
    }
    for ((their, our), policy) in theirs.policies.iter().zip(&ours.refused).zip(&case.policies) {
        match (their.accepted, our) {
            (true, Some(why)) => {
                let text =
                    format!("Cilium takes what landbridge refuses: {why}: {}", policy.object);
                return Some((Sort::Accepted, text));
            }
            (false, None) => {
                let text = format!("Cilium refuses: {}: {}", their.refused, policy.object);
                return Some((Sort::Refused, text));
            }
            _ => {}
        }
    }
    for ((their, our), flow) in theirs.flows.iter().zip(&ours.flows).zip(&case.flows) {
        let ways = [("egress", &their.egress, &our[0]), ("ingress", &their.ingress, &our[1])];
        for (way, their, our) in ways {
            if is_by_order(case, our.outcome, their.verdict) {
                continue;
            }
            if !our.is(their.verdict) && !their.panicked() {
                let text = format!(
                    "{} {way} {} -> {} {}/{}: Cilium says {:?}{}, landbridge {:?} by {:?}",
                    theirs.cilium,
                    flow.from,
                    flow.to,
                    flow.protocol,
                    flow.port,
                    their.verdict,
                    their.error,
                    our.outcome,
                    our.rules,
                );
                return Some((Sort::Verdict, text));
            }
            if let (Some(theirs), Some(ours)) = (their.limits(), &our.limits)
                && theirs != *ours
                && !is_blurred(case, &theirs, ours)
            {
                let text = format!(
                    "{way} {} -> {} {}/{}: Cilium lets {theirs:?} through, landbridge {ours:?}",
                    flow.from, flow.to, flow.protocol, flow.port,
                );
                return Some((Sort::Limits, text));
            }
        }
    }
    None
}
