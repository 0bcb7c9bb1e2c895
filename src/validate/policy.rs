//! The policies that count for a project.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::{MAX_POLICIES, builtin, page, severity};
use crate::diagnostic::{Diagnostic, Diagnostics, Rule, RuleRef, Severity};
use crate::source::{Span, Spanned};
use crate::spec::policy::{PolicySpec, PolicyUse};
use crate::spec::{Named, Spec};
use crate::topology::Topology;
use crate::topology::resolve::DANGLING_NAME;
use crate::yaml::fields::{Free, Map, nearest, quoted};
use crate::yaml::json::json;

/// A policy with the settings of a project.
#[derive(Clone, Debug)]
pub struct Policy<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says.
    pub spec: &'a PolicySpec,
    /// Where it is named; nothing for a built-in one.
    pub place: Option<Span>,
    /// Where a project switches it on or sets it.
    pub used: Option<Span>,
    /// How bad it is where it is broken.
    pub severity: Severity,
    /// Its parameters, a mapping.
    pub params: Json,
    /// Its rule.
    pub rule: RuleRef,
}

impl<'a> Policy<'a> {
    /// A policy of a file, as it is written there.
    pub fn own(name: &'a Spanned<String>, spec: &'a PolicySpec) -> Self {
        let rule = Arc::new(rule(&name.value, spec, None));
        Self::new(&name.value, spec, Some(name.span), rule.into())
    }

    pub(super) fn new(
        name: &'a str,
        spec: &'a PolicySpec,
        place: Option<Span>,
        rule: RuleRef,
    ) -> Self {
        let params = params(&spec.params);
        Self { name, spec, place, used: None, severity: rule.severity, params, rule }
    }

    /// The policy in words.
    pub fn title(&self) -> String {
        format!("the policy `{}`", self.name)
    }

    /// Where a finding about it points: its name, or where it is switched on.
    pub fn span(&self) -> Span {
        self.place.or(self.used).unwrap_or_default()
    }

    /// Takes over the settings of a project; gives nothing where it is switched off.
    fn with(
        mut self,
        entry: &Spanned<String>,
        uses: &PolicyUse,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        self.used = Some(entry.span);
        for (key, value) in uses.params.iter() {
            if !self.spec.params.contains(&key.value) {
                found.push(unknown_param(self.name, key, &self.spec.params));
            } else if let Json::Object(params) = &mut self.params {
                params.insert(key.value.clone(), json(&value.0));
            }
        }
        if let Some(written) = &uses.severity {
            self.severity = severity(written.value)?;
        }
        Some(self)
    }
}

/// The rule of a policy: its code, and its page.
pub(super) fn rule(name: &str, spec: &PolicySpec, source: Option<&str>) -> Rule {
    let severity = spec.severity.as_ref().and_then(|written| severity(written.value));
    let summary = spec.summary.as_ref().map_or(&spec.message.value, |summary| &summary.value.0);
    Rule {
        code: Cow::Owned(format!("P-{name}")),
        name: Cow::Owned(name.to_owned()),
        summary: Cow::Owned(summary.clone()),
        severity: severity.unwrap_or(Severity::Error),
        doc: Cow::Owned(page::of(name, spec, source)),
    }
}

pub(super) fn params(written: &Map<Free>) -> Json {
    let pairs = written.iter().map(|(key, value)| (key.value.clone(), json(&value.0)));
    Json::Object(pairs.collect::<JsonMap<_, _>>())
}

fn unknown_param(policy: &str, key: &Spanned<String>, known: &Map<Free>) -> Diagnostic {
    let message = format!("the policy `{policy}` has no parameter `{}`", key.value.escape_debug());
    let known: Vec<_> = known.keys().map(|key| key.value.as_str()).collect();
    let unknown = Diagnostic::new(&DANGLING_NAME, key.span, message);
    match nearest(&key.value, known.iter().copied()) {
        Some(near) => unknown.help(format!("write `{near}` if that is meant")),
        None if known.is_empty() => unknown.help("remove it: the policy has none"),
        None => unknown.help(format!("its parameters are {}", quoted(&known))),
    }
}

/// The policies of a project as they are written.
pub fn own(spec: &Spec) -> Vec<Policy<'_>> {
    let policies = spec.policies.iter().take(MAX_POLICIES);
    policies.filter_map(|named| Some(Policy::own(&named.name, named.spec.as_ref()?))).collect()
}

/// The policies that count: the project's own, and those that it switches on. One of its own hides
/// a built-in one of the same name.
pub fn active<'a>(topology: &'a Topology, found: &mut Diagnostics) -> Vec<Policy<'a>> {
    let mut active = Vec::new();
    for Named { name, spec } in topology.policies.iter().take(MAX_POLICIES) {
        let Some(spec) = spec else { continue };
        let policy = Policy::own(name, spec);
        let off = spec.severity.as_ref().is_some_and(|one| severity(one.value).is_none());
        let entry = topology.policy_uses.keys().find(|key| key.value == name.value);
        match (entry, topology.policy_uses.get(&name.value)) {
            (Some(entry), Some(uses)) => active.extend(policy.with(entry, uses, found)),
            _ if off => {}
            _ => active.push(policy),
        }
    }
    if let Some(first) = topology.policies.get(MAX_POLICIES) {
        let more = topology.policies.len() - MAX_POLICIES;
        let why = format!("a project has at most {MAX_POLICIES}");
        found.not_checked(first.name.span, format!("{more} policies more"), why);
    }
    for (entry, uses) in topology.policy_uses.iter() {
        if topology.policies.iter().any(|own| own.name.value == entry.value) {
            continue;
        }
        match builtin::find(&entry.value) {
            Some(policy) => active.extend(policy.with(entry, uses, found)),
            None => found.push(unknown_policy(entry, topology)),
        }
    }
    active
}

fn unknown_policy(entry: &Spanned<String>, topology: &Topology) -> Diagnostic {
    let message = format!("there is no policy `{}`", entry.value.escape_debug());
    let unknown = Diagnostic::new(&DANGLING_NAME, entry.span, message);
    let mut known: Vec<&str> = builtin::names().collect();
    known.extend(topology.policies.iter().map(|policy| policy.name.value.as_str()));
    match nearest(&entry.value, known) {
        Some(near) => unknown.help(format!("write `{near}` if that is meant")),
        None => unknown.help("`landbridge rules list` lists them"),
    }
}
