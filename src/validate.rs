//! Policies: rules as data, in CEL, over the topology and over what compile makes of it.
//!
//! A project's own policies always count; built-in ones where `spec.policies` switches them on. A
//! violation points to the line of the topology that caused it, never at generated YAML.

pub mod builtin;
pub mod made_twice;
pub mod policy;
pub mod sample;

mod page;
mod prepare;
mod resources;
mod subjects;
mod view;

pub use resources::NEVER_MADE;

use rayon::prelude::*;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::expression::{Environment, Meter, Value};
use crate::source::{SourceMap, Span};
use crate::spec::policy::Over;
use crate::topology::Topology;
use policy::Policy;
use prepare::Prepared;
use serde_json::Value as Json;

/// Most policies of a project that are used, so that a hostile one ends.
pub const MAX_POLICIES: usize = 200;
/// The steps that all policies of a project have together; each has an equal share.
const STEPS: u64 = 50_000_000;
/// The most steps of one policy.
const MOST: u64 = 10_000_000;
/// The fewest steps of one policy, and of one policy in one cluster.
const FEWEST: (u64, u64) = (200_000, 20_000);

/// Evaluates the policies that count for a topology. Without `compiled`, those over rendered
/// objects are not checked, nor is [`made_twice`]: the project has errors, so that nothing is
/// compiled.
pub fn run(topology: &Topology, sources: &SourceMap, compiled: bool, found: &mut Diagnostics) {
    let policies = policy::active(topology, found);
    let results: Vec<_> = policies.par_iter().map(|policy| prepared(policy, sources)).collect();
    let mut ready = Vec::new();
    for (prepared, problems) in results {
        found.extend(problems);
        ready.extend(prepared);
    }
    let topology_view = view::topology(topology, &prepare::sections(&ready));
    let share = (STEPS / (ready.len().max(1) as u64)).clamp(FEWEST.0, MOST);
    let over = |one: &&Prepared<'_>| one.policy.spec.over.value == Over::Resource;
    let (resources, others): (Vec<&Prepared<'_>>, Vec<_>) = ready.iter().partition(over);
    let results: Vec<_> = others
        .par_iter()
        .map(|one| {
            let mut judge = Judge::new(one, &topology_view, share);
            let over = one.policy.spec.over.value;
            subjects::each(over, topology, &topology_view, &mut |span, subject| {
                judge.look_at(span, subject, None);
            });
            judge
        })
        .collect();
    for judge in results {
        judge.finish(sources, found);
    }
    if compiled {
        made_twice::check(topology, found);
        for judge in resources::run(topology, &topology_view, &resources) {
            judge.finish(sources, found);
        }
    } else {
        for one in resources {
            let why = "the project has errors, so nothing is compiled";
            found.not_checked(one.policy.span(), one.policy.title(), why);
        }
    }
}

/// All that expressions see of a topology: the variable `topology`.
pub fn view(topology: &Topology) -> Json {
    view::topology(topology, &prepare::Sections { whole: true, ..prepare::Sections::default() })
}

/// Compiles a policy; one of the project's own also shows that its samples behave.
fn prepared<'a>(
    policy: &'a Policy<'a>,
    sources: &SourceMap,
) -> (Option<Prepared<'a>>, Diagnostics) {
    let mut found = Diagnostics::new();
    let prepared = match Prepared::new(policy) {
        Ok(prepared) => Some(prepared),
        Err(wrong) => {
            found.push(wrong.finding(policy, sources));
            None
        }
    };
    if policy.place.is_some() {
        sample::check(policy, &mut found);
    }
    (prepared, found)
}

/// Evaluates one policy for one thing after the other.
struct Judge<'a, 'p> {
    prepared: &'p Prepared<'a>,
    topology: &'p Json,
    meter: Meter,
    /// How many things the policy is about.
    seen: usize,
    violations: Vec<Diagnostic>,
    flaws: Vec<prepare::Wrong>,
    exhausted: bool,
}

/// Most expressions of a policy that are reported because they could not be evaluated.
const MAX_FLAWS: usize = 3;

impl<'a, 'p> Judge<'a, 'p> {
    fn new(prepared: &'p Prepared<'a>, topology: &'p Json, steps: u64) -> Self {
        Self {
            prepared,
            topology,
            meter: Meter::new(steps),
            seen: 0,
            violations: Vec::new(),
            flaws: Vec::new(),
            exhausted: false,
        }
    }

    fn look_at(&mut self, span: Span, subject: &Json, cluster: Option<&Json>) {
        if self.exhausted || self.flaws.len() >= MAX_FLAWS {
            return;
        }
        let policy = self.prepared.policy;
        let mut environment = Environment::default();
        environment.push(Value::from(subject));
        if policy.spec.over.value == Over::Resource {
            environment.push(cluster.map_or(Value::Null, Value::from));
        }
        if policy.spec.over.value != Over::Topology {
            environment.push(Value::from(self.topology));
        }
        environment.push(Value::from(&policy.params));
        self.prepared.add_variables(&mut environment);
        match self.prepared.judge(&environment, &mut self.meter) {
            Ok(None) => {}
            Ok(Some(true)) => self.seen += 1,
            Ok(Some(false)) => {
                self.seen += 1;
                let (message, wrong) = self.prepared.message(&environment, &mut self.meter);
                self.violations.push(policy.violation(span, &message));
                self.flaws.extend(wrong.map(|wrong| wrong.about(span)));
            }
            Err(wrong) if wrong.flaw.exhausted => self.exhausted = true,
            Err(wrong) => {
                self.seen += 1;
                self.flaws.push(wrong.about(span));
            }
        }
    }

    /// Takes over what another judge of the same policy saw.
    fn join(&mut self, other: Self) {
        self.seen += other.seen;
        self.exhausted |= other.exhausted;
        self.violations.extend(other.violations);
        self.flaws.extend(other.flaws);
    }

    fn finish(self, sources: &SourceMap, found: &mut Diagnostics) {
        let policy = self.prepared.policy;
        for violation in self.violations {
            found.push(violation);
        }
        for wrong in self.flaws.into_iter().take(MAX_FLAWS) {
            found.push(wrong.finding(policy, sources));
        }
        if self.exhausted {
            let why = "its expressions take too many steps";
            found.not_checked(policy.span(), policy.title(), why);
        } else if self.seen == 0
            && let Some(place) = policy.place
        {
            let over = policy.spec.over.value.word();
            let message = format!("{} is about no {over} of this project", policy.title());
            found.push(
                Diagnostic::new(&IDLE_POLICY, place, message)
                    .help("mend `kinds` or `matchConditions`, or remove the policy"),
            );
        }
    }
}

impl Policy<'_> {
    /// A finding about a thing that breaks the policy.
    fn violation(&self, span: Span, message: &str) -> Diagnostic {
        let mut finding = Diagnostic::new(self.rule.clone(), span, message);
        finding.severity = self.severity;
        if let Some(place) = self.place {
            finding = finding.related(place, "this policy asks for it");
        }
        if let Some(used) = self.used {
            let text = if self.place.is_some() { "set here" } else { "switched on here" };
            finding = finding.related(used, text);
        }
        if let Some(because) = &self.spec.because {
            finding = finding.note(because.value.trim());
        }
        match &self.spec.remediation {
            Some(remediation) => finding.help(remediation.value.trim()),
            None => finding,
        }
    }
}

declare_rules! {
    /// ## What it does
    /// Reports a policy that cannot be evaluated: its CEL does not parse, names a variable or a
    /// function that is not there, gives something else than true or false, or meets a thing in
    /// which a key is missing that it reads.
    ///
    /// ## Why it matters
    /// A policy that cannot be evaluated forbids nothing. An error is not taken for a violation,
    /// nor for the lack of one. `has(cluster.maxNodes)` asks whether a key is there, and
    /// `matchConditions` leave out what a policy is not about.
    ///
    /// ## Example
    /// ```yaml
    /// expression: clutser.id > 0
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// expression: cluster.id > 0
    /// ```
    pub static INVALID_POLICY = { code: "LB0021", name: "invalid-policy", summary: "a policy that cannot be evaluated", severity: Error };

    /// ## What it does
    /// Reports a policy of the project without a sample that passes and one that fails, and a
    /// sample that does not do what its list says. `landbridge rules test` runs samples alone.
    ///
    /// ## Why it matters
    /// A policy that never fails looks like a mesh without faults. The sample that must fail shows
    /// that it finds what it is for; the other one shows that what is right passes.
    ///
    /// ## Example
    /// ```yaml
    /// expression: cluster.clustermesh.replicas > 0   # 1 was meant
    /// samples:
    ///   pass: [{cluster: {clustermesh: {replicas: 2}}}]
    ///   fail: [{cluster: {clustermesh: {replicas: 1}}}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// expression: cluster.clustermesh.replicas > 1
    /// samples:
    ///   pass: [{cluster: {clustermesh: {replicas: 2}}}]
    ///   fail: [{cluster: {clustermesh: {replicas: 1}}}]
    /// ```
    pub static UNTESTED_POLICY = { code: "LB0022", name: "untested-policy", summary: "a policy that no sample shows to work", severity: Error };

    /// ## What it does
    /// Reports a policy of the project that is about nothing in it: no object of its `kinds`, or
    /// nothing that fulfils its `matchConditions`.
    ///
    /// ## Why it matters
    /// Most such policies look for a name that has changed, and would say nothing for ever.
    ///
    /// ## Example
    /// ```yaml
    /// over: cluster
    /// matchConditions: {production: "cluster.name.startsWith('prd-')"}   # they are called prod-
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// over: cluster
    /// matchConditions: {production: "cluster.name.startsWith('prod-')"}
    /// ```
    pub static IDLE_POLICY = { code: "LB0023", name: "idle-policy", summary: "a policy that is about nothing in the project", severity: Warning };
}

/// How bad it is that a policy is broken, unless it is switched off.
fn severity(written: crate::spec::policy::PolicySeverity) -> Option<Severity> {
    use crate::spec::policy::PolicySeverity;
    match written {
        PolicySeverity::Error => Some(Severity::Error),
        PolicySeverity::Warning => Some(Severity::Warning),
        PolicySeverity::None => None,
    }
}

#[cfg(test)]
mod tests;
