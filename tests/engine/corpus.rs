//! Verdicts of the engines that are kept below `fixtures/policy`, for machines without Go.
//!
//! `random-1.20.txt` and its kin have a line for each case: its seed, a checksum of what is made of
//! it, what became of its policies and of its flows, egress and ingress in turn. `found.jsonl` has
//! cases in which the reading here once differed, in full, with the verdicts of every minor.
//! `UPDATE=1` with the programs in the environment writes both anew.
#![expect(clippy::disallowed_methods, reason = "the tests read and write fixtures")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::{env, fs};

use serde::{Deserialize, Serialize};

use super::case::{Answer, Case, Outcome};
use super::program::Program;
use super::{AGAIN, MINORS, generate, named_by, ours};
use crate::golden;

/// Seeds of each minor.
const SEEDS: std::ops::Range<u64> = 1_000_000_000..1_000_000_250;

/// A case with the verdicts of the minors that can be asked it, by version.
#[derive(Serialize, Deserialize)]
struct Found {
    why: String,
    case: Case,
    verdicts: BTreeMap<String, String>,
}

#[test]
fn random_cases_have_the_verdicts_of_the_engines() {
    for minor in MINORS {
        let path = golden::path(&format!("fixtures/policy/random-1.{minor}.txt"));
        if env::var_os("UPDATE").is_some()
            && let Some(program) = named_by(&format!("LANDBRIDGE_ORACLE_1_{minor}"))
        {
            let engine = program;
            let mut program = Program::start(&engine);
            let mut text = String::new();
            for seed in SEEDS {
                let case = generate::case(seed, minor);
                let mut answer = program.ask(&case);
                // In some orders of its maps the engine panics.
                for _ in 0..AGAIN {
                    if answer.panicked() {
                        answer = Program::start(&engine).ask(&case);
                    }
                }
                let (sum, verdicts) = (checksum(&case), of_theirs(&answer));
                writeln!(text, "{} {seed} {sum:08x} {verdicts}", answer.cilium)
                    .expect("text takes a line");
            }
            fs::write(&path, text).expect("the fixture is written");
        }
        let text = fs::read_to_string(&path).expect("the fixture is there");
        let mut compared = 0;
        for line in text.lines() {
            let [version, seed, sum, policies, flows] = line.split(' ').collect::<Vec<_>>()[..]
            else {
                panic!("{}: {line}", path.display());
            };
            let case = generate::case(seed.parse().expect("a number"), minor);
            assert_eq!(
                format!("{:08x}", checksum(&case)),
                sum,
                "the generator makes another case of {seed}: UPDATE=1 asks the engines anew"
            );
            let theirs = format!("{policies} {flows}");
            assert_eq!(agreed(&case, version, &theirs), theirs, "{version}, seed {seed}");
            compared += 1;
        }
        assert_eq!(compared, SEEDS.count(), "{}", path.display());
    }
}

#[test]
fn cases_that_once_differed_have_the_verdicts_of_the_engines() {
    let path = golden::path("fixtures/policy/found.jsonl");
    let text = fs::read_to_string(&path).expect("the fixture is there");
    let mut all: Vec<Found> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    if env::var_os("UPDATE").is_some() {
        for minor in MINORS {
            let Some(program) = named_by(&format!("LANDBRIDGE_ORACLE_1_{minor}")) else { continue };
            let mut program = Program::start(&program);
            for found in &mut all {
                let answer = program.ask(&found.case);
                let own = |version: &String| version.starts_with(&format!("1.{minor}."));
                let asked = found.verdicts.keys().any(own);
                found.verdicts.retain(|version, _| !own(version));
                if asked {
                    found.verdicts.insert(answer.cilium.clone(), of_theirs(&answer));
                }
            }
        }
        let lines: Vec<String> =
            all.iter().map(|found| serde_json::to_string(found).expect("JSON")).collect();
        fs::write(&path, lines.join("\n") + "\n").expect("the fixture is written");
    }
    assert!(all.len() > 10, "only {} cases", all.len());
    for found in &all {
        assert!(!found.verdicts.is_empty(), "{}", found.why);
        for (version, theirs) in &found.verdicts {
            assert_eq!(agreed(&found.case, version, theirs), *theirs, "{version}: {}", found.why);
        }
    }
}

/// Policies by whether they are accepted or refused, then flows by the outcomes at both ends.
fn of_theirs(answer: &Answer) -> String {
    assert_eq!(answer.error, "", "{}", answer.id);
    let policies =
        answer.policies.iter().map(|taken| if taken.accepted { 'a' } else { 'r' }).collect();
    let ends = answer.flows.iter().flat_map(|ends| [&ends.egress, &ends.ingress]);
    let letters = ends.map(|end| if end.panicked() { PANIC } else { letter(end.verdict) });
    written(policies, letters)
}

/// As [`of_theirs`], with the engine's word where both agree.
fn agreed(case: &Case, version: &str, theirs: &str) -> String {
    let ours = ours::answer(case, version);
    let policies = ours.refused.iter().map(|why| if why.is_some() { 'r' } else { 'a' }).collect();
    let theirs = theirs.split(' ').nth(1).unwrap_or_default().chars();
    let flows = ours.flows.iter().flatten().zip(theirs).map(|(verdict, known)| {
        let agrees = known == PANIC || verdict.is(outcome(known));
        if agrees { known } else { letter(verdict.outcome) }
    });
    written(policies, flows)
}

fn written(policies: String, flows: impl Iterator<Item = char>) -> String {
    let policies = if policies.is_empty() { "-".to_owned() } else { policies };
    format!("{policies} {}", flows.collect::<String>())
}

/// The engine panics each time, and says nothing.
const PANIC: char = '?';
const LETTERS: [(Outcome, char); 5] = [
    (Outcome::Allowed, 'a'),
    (Outcome::Denied, 'd'),
    (Outcome::L7, 'l'),
    (Outcome::Unpoliced, '-'),
    (Outcome::Error, 'e'),
];

fn letter(outcome: Outcome) -> char {
    LETTERS.iter().find(|known| known.0 == outcome).expect("every outcome has a letter").1
}

fn outcome(letter: char) -> Outcome {
    LETTERS.iter().find(|known| known.1 == letter).expect("every letter is an outcome").0
}

/// FNV-1a of a case as it is sent.
fn checksum(case: &Case) -> u32 {
    let text = serde_json::to_string(case).expect("a case is JSON");
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
