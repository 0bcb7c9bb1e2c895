//! The samples of a policy: what must pass, and what must fail.

use serde_json::{Value as Json, json as literal};

use super::UNTESTED_POLICY;
use super::policy::Policy;
use super::prepare::{Prepared, subject, variables};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::{Environment, Meter, Value};
use crate::source::Span;
use crate::spec::policy::{Over, Sample, Samples};
use crate::yaml::fields::Free;
use crate::yaml::json::json;

/// The steps of all samples of a policy together.
const STEPS: u64 = 200_000;

/// How a sample behaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it must pass.
    pub passes: bool,
    /// Its place in its list, from 1.
    pub number: usize,
    /// Where it stands.
    pub span: Span,
    /// What it does otherwise than its list says.
    pub wrong: Option<String>,
}

/// Runs the samples of a policy.
pub fn run(policy: &Policy<'_>) -> Vec<Outcome> {
    let Some(Samples { pass, fail, .. }) = &policy.spec.samples else { return Vec::new() };
    let mut meter = Meter::new(STEPS);
    let numbered = |list: &'_ [Sample], passes| {
        let list = list.iter().enumerate();
        list.map(|(at, sample)| (passes, at + 1, sample.clone())).collect::<Vec<_>>()
    };
    let all = numbered(pass, true).into_iter().chain(numbered(fail, false));
    all.map(|(passes, number, sample)| {
        let wrong = judge(policy, &sample, passes, &mut meter).err();
        Outcome { passes, number, span: sample.span, wrong }
    })
    .collect()
}

/// What a policy lacks that its samples should show.
pub fn missing(policy: &Policy<'_>) -> Option<&'static str> {
    let count = policy.spec.samples.as_ref().map(|all| (all.pass.len(), all.fail.len()));
    match count {
        None | Some((0, 0)) => Some("has no samples"),
        Some((0, _)) => Some("has no sample that must pass"),
        Some((_, 0)) => Some("has no sample that must fail"),
        Some(_) => None,
    }
}

/// Reports samples that are missing or do not behave.
pub(super) fn check(policy: &Policy<'_>, found: &mut Diagnostics) {
    if let Some(missing) = missing(policy) {
        let message = format!("{} {missing}", policy.title());
        let missing = Diagnostic::new(&UNTESTED_POLICY, policy.span(), message);
        found.push(
            missing.warning().help("add one that must pass and one that must fail under `samples`"),
        );
    }
    // What does not compile was reported, and no sample says more about it.
    if Prepared::new(policy).is_err() {
        return;
    }
    for outcome in run(policy) {
        if let Some(wrong) = outcome.wrong {
            let list = if outcome.passes { "pass" } else { "fail" };
            let message =
                format!("{}: a sample that must {list} does not: {wrong}", policy.title());
            found.push(
                Diagnostic::new(&UNTESTED_POLICY, outcome.span, message)
                    .related(policy.span(), "of this policy")
                    .help("mend the expression or the sample"),
            );
        }
    }
}

fn judge(
    policy: &Policy<'_>,
    sample: &Sample,
    passes: bool,
    meter: &mut Meter,
) -> Result<(), String> {
    let mut policy = policy.clone();
    if let Json::Object(params) = &mut policy.params {
        for (key, value) in sample.params.iter() {
            if !policy.spec.params.contains(&key.value) {
                return Err(format!("the policy has no parameter `{}`", key.value.escape_debug()));
            }
            params.insert(key.value.clone(), json(&value.0));
        }
    }
    let prepared = Prepared::new(&policy).map_err(|wrong| wrong.flaw.message)?;
    let over = policy.spec.over.value;
    let mut values = Vec::new();
    for name in variables(over) {
        values.push(match (name, given(sample, name)) {
            ("params", _) => policy.params.clone(),
            (_, Some(free)) => json(&free.0),
            (name, None) if name == subject(over) => {
                return Err(format!("it has no `{name}`, which the policy is about"));
            }
            (_, None) => literal!({}),
        });
    }
    let mut environment = Environment::default();
    for value in &values {
        environment.push(Value::from(value));
    }
    prepared.add_variables(&mut environment);
    let about = over != Over::Resource || prepared.takes(values[0]["kind"].as_str().unwrap_or(""));
    let verdict = if about {
        prepared.judge(&environment, meter).map_err(|wrong| wrong.flaw.message)?
    } else {
        None
    };
    match (passes, verdict) {
        (true, None | Some(true)) | (false, Some(false)) => Ok(()),
        (true, Some(false)) => {
            Err(format!("it is refused with \"{}\"", prepared.message(&environment, meter).0))
        }
        (false, Some(true)) => Err("it is accepted".to_owned()),
        (false, None) => Err("the policy is not about it".to_owned()),
    }
}

fn given<'s>(sample: &'s Sample, name: &str) -> Option<&'s Free> {
    match name {
        "region" => sample.region.as_ref(),
        "cluster" => sample.cluster.as_ref(),
        "service" => sample.service.as_ref(),
        "flow" => sample.flow.as_ref(),
        "namespaceObject" => sample.namespace.as_ref(),
        "interconnect" => sample.interconnect.as_ref(),
        "entrypoint" => sample.entrypoint.as_ref(),
        "resource" => sample.resource.as_ref(),
        "topology" => sample.topology.as_ref(),
        _ => None,
    }
}
