//! A policy whose expressions are compiled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::INVALID_POLICY;
use super::policy::Policy;
use crate::diagnostic::Diagnostic;
use crate::expression::{Environment, Flaw, Meter, Names, Program, Template, Value, compile_all};
use crate::source::{SourceMap, Span, Spanned};
use crate::spec::policy::Over;

/// Most expressions of a policy.
const MAX_EXPRESSIONS: usize = 32;

/// A policy whose expressions are compiled.
pub(super) struct Prepared<'a> {
    pub(super) policy: &'a Policy<'a>,
    conditions: Vec<(&'a Spanned<String>, Program)>,
    variables: Vec<Program>,
    expression: Program,
    message: Template,
}

/// What is wrong with an expression of a policy.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) flaw: Flaw,
    /// Where the expression stands, and its text.
    text: Spanned<String>,
    /// The thing at which it went wrong.
    subject: Option<Span>,
}

/// What of the topology policies read.
#[derive(Clone, Debug, Default)]
pub(super) struct Sections {
    /// Everything.
    pub(super) whole: bool,
    /// Single keys.
    pub(super) keys: BTreeSet<String>,
}

/// The variables of a policy over a kind of things, before `variables.<name>`.
pub(super) fn variables(over: Over) -> Vec<&'static str> {
    match over {
        Over::Resource => vec!["resource", "cluster", "topology", "params"],
        Over::Topology => vec!["topology", "params"],
        other => vec![subject(other), "topology", "params"],
    }
}

/// The variable that is what a policy is about. `namespace` is a reserved word of CEL; admission
/// policies call theirs `namespaceObject`, too.
pub(super) fn subject(over: Over) -> &'static str {
    match over {
        Over::Namespace => "namespaceObject",
        other => other.word(),
    }
}

/// What of the topology the policies read together.
pub(super) fn sections(all: &[Prepared<'_>]) -> Sections {
    let mut sections = Sections::default();
    for one in all {
        let over = one.policy.spec.over.value;
        let Some(at) = variables(over).iter().position(|name| *name == "topology") else {
            continue;
        };
        let conditions = one.conditions.iter().map(|(_, program)| program);
        let programs = conditions.chain(&one.variables).chain([&one.expression]);
        for reads in programs.chain(one.message.programs()).map(Program::reads) {
            sections.whole |= reads.whole.contains(&at);
            let keys = reads.fields.iter().filter(|(name, _)| *name == at);
            sections.keys.extend(keys.map(|(_, key)| key.clone()));
        }
    }
    sections
}

impl<'a> Prepared<'a> {
    /// Compiles a policy.
    pub(super) fn new(policy: &'a Policy<'a>) -> Result<Self, Wrong> {
        let spec = policy.spec;
        let mut names = Names {
            variables: variables(spec.over.value).into_iter().map(str::to_owned).collect(),
            texts: texts(&policy.params),
        };
        let mut scopes = Vec::new();
        for (name, text) in spec.variables.iter() {
            if !is_identifier(name) {
                let message = "it is no name of CEL: write letters, digits and `_`";
                let flaw = Flaw { at: 0..name.len(), message: message.into(), exhausted: false };
                return Err(Wrong { flaw, text: name.clone(), subject: None });
            }
            scopes.push((text, names.clone()));
            names.variables.push(format!("variables.{}", name.value));
        }
        let conditions: Vec<_> = spec.match_conditions.iter().map(|(_, text)| text).collect();
        if scopes.len() + conditions.len() > MAX_EXPRESSIONS {
            let message = format!("the policy has more than {MAX_EXPRESSIONS} expressions");
            let flaw = Flaw { at: 0..0, message, exhausted: false };
            return Err(Wrong { flaw, text: spec.expression.clone(), subject: None });
        }
        let last = conditions.iter().copied().chain([&spec.expression]);
        let texts: Vec<(&Spanned<String>, &Names)> = scopes
            .iter()
            .map(|(text, names)| (*text, names))
            .chain(last.map(|text| (text, &names)))
            .collect();
        let sources: Vec<_> = texts.iter().map(|(text, names)| (text.as_str(), *names)).collect();
        let mut programs = Vec::new();
        for (result, (text, _)) in compile_all(&sources).into_iter().zip(&texts) {
            programs.push(result.map_err(|flaw| Wrong::new(flaw, text))?);
        }
        let message = Template::compile(&spec.message.value, &names)
            .map_err(|flaw| Wrong::new(flaw, &spec.message))?;
        let rest = programs.split_off(scopes.len());
        let mut rest = rest.into_iter();
        let conditions = conditions.into_iter().zip(rest.by_ref()).collect();
        let expression = rest.next().expect("internal error: each text was compiled");
        Ok(Self { policy, conditions, variables: programs, expression, message })
    }

    /// Adds the variables of the policy to an environment that has all others.
    pub(super) fn add_variables<'e>(&'e self, environment: &mut Environment<'e>) {
        self.variables.iter().for_each(|program| environment.push_lazy(program));
    }

    /// Whether a thing is right; nothing where the policy is not about it.
    pub(super) fn judge<'e>(
        &'e self,
        environment: &Environment<'e>,
        meter: &mut Meter,
    ) -> Result<Option<bool>, Wrong> {
        for (text, condition) in &self.conditions {
            if !truth(environment, condition, text, meter)? {
                return Ok(None);
            }
        }
        truth(environment, &self.expression, &self.policy.spec.expression, meter).map(Some)
    }

    /// What is said of a thing that is not right.
    pub(super) fn message<'e>(
        &'e self,
        environment: &Environment<'e>,
        meter: &mut Meter,
    ) -> (String, Option<Wrong>) {
        let (message, flaw) = self.message.fill(environment, meter);
        (message, flaw.map(|flaw| Wrong::new(flaw, &self.policy.spec.message)))
    }

    /// Whether the policy may be about objects of other kinds than these.
    pub(super) fn takes_any_but(&self, kinds: &[&str]) -> bool {
        let own = &self.policy.spec.kinds;
        own.is_empty() || own.iter().any(|kind| !kinds.contains(&&*kind.value.0))
    }

    /// Whether the policy is about objects of a kind.
    pub(super) fn takes(&self, kind: &str) -> bool {
        let kinds = &self.policy.spec.kinds;
        kinds.is_empty() || kinds.iter().any(|known| known.value.0 == kind)
    }
}

fn truth<'e>(
    environment: &Environment<'e>,
    program: &'e Program,
    text: &Spanned<String>,
    meter: &mut Meter,
) -> Result<bool, Wrong> {
    match environment.evaluate(program, meter) {
        Ok(Value::Bool(value)) => Ok(value),
        Ok(other) => {
            let message = format!("it must be true or false, and is of the type {}", other.kind());
            let flaw = Flaw { at: 0..0, message, exhausted: false };
            Err(Wrong::new(flaw, text))
        }
        Err(flaw) => Err(Wrong::new(flaw, text)),
    }
}

/// The texts among the parameters, which are known before anything is evaluated.
fn texts(params: &Json) -> BTreeMap<String, String> {
    let params = params.as_object().into_iter().flatten();
    let text = |(key, value): (&String, &Json)| {
        Some((format!("params.{key}"), value.as_str()?.to_owned()))
    };
    params.filter_map(text).collect()
}

fn is_identifier(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && name.len() <= 63
        && name.chars().all(known)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

impl Wrong {
    fn new(flaw: Flaw, text: &Spanned<String>) -> Self {
        Self { flaw, text: text.clone(), subject: None }
    }

    /// Says at which thing it went wrong.
    pub(super) fn about(self, subject: Span) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// The finding about it: at the expression, or where a built-in policy is switched on.
    pub(super) fn finding(&self, policy: &Policy<'_>, sources: &SourceMap) -> Diagnostic {
        let quoted = self.text.value.get(self.flaw.at.clone()).unwrap_or_default().trim();
        let what = &self.flaw.message;
        let message = match self.subject {
            None => format!("{} does not compile: {what}", policy.title()),
            Some(_) => format!("{} cannot be evaluated: {what}", policy.title()),
        };
        let span = match policy.place {
            Some(_) => place(&self.text, &self.flaw, sources),
            None => policy.span(),
        };
        let mut finding = Diagnostic::new(&INVALID_POLICY, span, message);
        if let Some(subject) = self.subject {
            finding = finding.related(subject, "for this");
            finding = finding.help(
                "ask for a key that may be missing with `has()`, or leave such things out with `matchConditions`",
            );
        }
        if quoted.is_empty() || policy.place.is_some() && span != self.text.span {
            return finding;
        }
        finding.label(format!("at `{}`", quoted.chars().take(60).collect::<String>()))
    }
}

/// The place of a flaw: exactly, where the file has the line of the expression as it is.
fn place(text: &Spanned<String>, flaw: &Flaw, sources: &SourceMap) -> Span {
    let at = flaw.at.start.min(text.value.len());
    let Some(before) = text.value.get(..at) else { return text.span };
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.value[start..].lines().next().unwrap_or_default();
    let (trimmed, indent) = (line.trim(), line.len() - line.trim_start().len());
    let whole = sources.get(text.span.source).text();
    let Some(written) = whole.get(text.span.range()) else { return text.span };
    let mut places = written.match_indices(trimmed).map(|(at, _)| at);
    let (Some(first), None) = (places.next(), places.next()) else { return text.span };
    let Some(column) = (at - start).checked_sub(indent) else { return text.span };
    if flaw.at.is_empty() || column + flaw.at.len() > trimmed.len() {
        return text.span;
    }
    let start = text.span.start as usize + first + column;
    Span::new(text.span.source, start..start + flaw.at.len())
}
