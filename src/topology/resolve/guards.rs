//! What must hold over all clusters.

use super::super::guard::{Demand, Guard, GuardRule};
use super::super::{Peer, PeerKind, Topology};
use super::peers::Scope;
use super::{CONTRADICTION, Names, UNSUPPORTED};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::Spec;
use crate::spec::flow::GuardPeer;
use crate::spec::guard as written;

/// Resolves the guards. A rule of which a side could not be resolved is left out.
pub(super) fn resolve(
    spec: &Spec,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Vec<Guard> {
    let scope = Scope::new(spec, names, topology);
    let written = spec.topology.as_ref().and_then(|named| named.spec.as_ref());
    let guards = written.iter().flat_map(|written| written.guards.iter());
    let mut guards: Vec<Guard> =
        guards.map(|(name, guard)| one(name, guard, &scope, topology, found)).collect();
    guards.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    guards
}

fn one(
    name: &Spanned<String>,
    guard: &written::Guard,
    scope: &Scope<'_>,
    topology: &Topology,
    found: &mut Diagnostics,
) -> Guard {
    let never = guard.never.iter().map(|rule| (Demand::Never, rule));
    let only = guard.only.iter().map(|rule| (Demand::Only, rule));
    let rules = never.chain(only);
    Guard {
        name: name.clone(),
        because: guard.because.as_ref().map(|because| because.value.0.clone()),
        rules: rules
            .filter_map(|(demand, one)| rule(demand, one, scope, topology, found))
            .collect(),
    }
}

fn rule(
    demand: Demand,
    rule: &written::GuardRule,
    scope: &Scope<'_>,
    topology: &Topology,
    found: &mut Diagnostics,
) -> Option<GuardRule> {
    if rule.from.is_none() && rule.to.is_none() {
        let message = "the rule of the guard says nobody";
        let finding = Diagnostic::new(&CONTRADICTION, rule.span, message);
        found.push(finding.help("add `from`, `to` or both"));
        return None;
    }
    // A side that is there and has no meaning must not turn into anyone.
    let mut side = |written: &Option<GuardPeer>| match written {
        None => Some(None),
        Some(written) => scope.peer(&written.0, topology, found).map(Some),
    };
    let (from, to) = (side(&rule.from), side(&rule.to));
    let (from, to) = (from?, to?);
    if let Some(Peer { span, kind: PeerKind::Fqdn(_), .. }) = &from {
        let message = "a caller cannot be told by its DNS name";
        found.push(Diagnostic::new(&UNSUPPORTED, *span, message).help("use `cidrs` or `external`"));
    }
    let ports = rule.ports.as_ref().map(|ports| ports.value.clone());
    Some(GuardRule { span: rule.span, demand, from, to, ports })
}
