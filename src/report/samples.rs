//! How the samples of policies behaved, as a test runner tells it.

use std::fmt::Write as _;

use serde::Serialize;

use super::human::counted;
use super::untrusted::line;
use crate::source::SourceMap;
use crate::validate::policy::Policy;
use crate::validate::sample;

/// The version of the JSON.
const VERSION: u32 = 1;

/// How the samples of some policies behaved.
#[derive(Debug, Default, Serialize)]
pub struct Samples {
    version: u32,
    #[serde(rename = "samples")]
    all: Vec<Sample>,
    untested: Vec<Untested>,
    summary: Summary,
}

#[derive(Debug, Serialize)]
struct Sample {
    policy: String,
    /// The list that it stands in: `pass` or `fail`.
    list: &'static str,
    /// Its place in the list, from 1.
    number: usize,
    /// Where it stands; nothing for a built-in policy.
    place: Option<String>,
    ok: bool,
    /// What it does otherwise than its list says.
    wrong: Option<String>,
}

/// A policy that its samples do not test.
#[derive(Debug, Serialize)]
struct Untested {
    policy: String,
    place: Option<String>,
    why: &'static str,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    policies: usize,
    passed: usize,
    failed: usize,
    untested: usize,
}

impl Samples {
    /// Runs the samples of policies.
    pub fn run(policies: &[Policy<'_>], sources: &SourceMap) -> Self {
        let mut done = Self { version: VERSION, ..Self::default() };
        done.summary.policies = policies.len();
        for policy in policies {
            let name = policy.rule.code.to_string();
            if let Some(why) = sample::missing(policy) {
                let place = policy.place.map(|span| sources.location(span));
                done.untested.push(Untested { policy: name.clone(), place, why });
            }
            for outcome in sample::run(policy) {
                done.all.push(Sample {
                    policy: name.clone(),
                    list: if outcome.passes { "pass" } else { "fail" },
                    number: outcome.number,
                    place: policy.place.map(|_| sources.location(outcome.span)),
                    ok: outcome.wrong.is_none(),
                    wrong: outcome.wrong,
                });
            }
        }
        done.summary.failed = done.all.iter().filter(|sample| !sample.ok).count();
        done.summary.passed = done.all.len() - done.summary.failed;
        done.summary.untested = done.untested.len();
        done
    }

    /// Whether each policy is tested and each sample behaves.
    pub fn is_fine(&self) -> bool {
        self.summary.failed == 0 && self.untested.is_empty()
    }

    /// For programs.
    ///
    /// # Errors
    /// None that is known: it is text and numbers.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// For people, a line for each sample.
    pub fn human(&self) -> String {
        let Summary { policies, passed, failed, untested } = self.summary;
        let mut text = String::new();
        let policies =
            if policies == 1 { "1 policy".into() } else { format!("{policies} policies") };
        let samples = counted(self.all.len(), "sample");
        writeln!(text, "running {samples} of {policies}\n").expect(TEXT);
        for Sample { policy, list, number, ok, .. } in &self.all {
            let ok = if *ok { "ok" } else { "FAILED" };
            writeln!(text, "{} {list} {number} ... {ok}", line(policy)).expect(TEXT);
        }
        for Untested { policy, .. } in &self.untested {
            writeln!(text, "{} ... UNTESTED", line(policy)).expect(TEXT);
        }
        if !self.is_fine() {
            text.push_str("\nfailures:\n");
        }
        let at = |place: &Option<String>| {
            place.as_ref().map(|place| format!(" ({})", line(place))).unwrap_or_default()
        };
        for Sample { policy, list, number, place, wrong, .. } in &self.all {
            if let Some(wrong) = wrong {
                let (policy, place) = (line(policy), at(place));
                writeln!(text, "  {policy} {list} {number}{place}: {}", line(wrong)).expect(TEXT);
            }
        }
        for Untested { policy, place, why } in &self.untested {
            writeln!(text, "  {}{}: it {why}", line(policy), at(place)).expect(TEXT);
        }
        let result = if self.is_fine() { "ok" } else { "FAILED" };
        write!(text, "\nresult: {result}. {passed} passed, {failed} failed").expect(TEXT);
        if untested > 0 {
            write!(text, ", {untested} untested").expect(TEXT);
        }
        text + "\n"
    }
}

const TEXT: &str = "internal error: text takes text";
