//! Flows: both sides, ports, HTTP.

use super::super::{Accept, Flow, FlowOwner, HttpMatch, PathMatch, Peer, PeerKind, Topology};
use super::peers::Scope;
use super::{CONTRADICTION, Names, UNSUPPORTED};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::Spec;
use crate::spec::flow as written;
use crate::spec::ports::{Opening, Ports, Protocol};
use crate::yaml::fields::Map;

/// Resolves every flow and what namespaces accept.
pub(super) fn resolve(
    spec: &Spec,
    topology: &mut Topology,
    names: &Names,
    found: &mut Diagnostics,
) {
    let mut scope = Scope::new(spec, names, topology);
    for named in &spec.applications {
        let Some(application) = &named.spec else { continue };
        let namespace = names.namespaces[&application.namespace.value.0];
        let owner = FlowOwner::Namespace(namespace);
        scope.owner = Some(owner);
        let document = (&*named.name.value, owner);
        let flows = all(&application.flows, document, &scope, topology, found);
        topology.flows.extend(flows);
        for accept in &application.accepts {
            let (from, to) = sides(&accept.from, &accept.to, &scope, topology, found);
            let ports = accept.ports.as_ref().map(|ports| ports.value.clone());
            let accept = Accept { span: accept.span, from, to, ports };
            topology.namespaces[namespace.index()].accepts.push(accept);
        }
    }
    for named in &spec.capabilities {
        let id = names.capabilities.get(&named.name.value).copied().flatten();
        let (Some(capability), Some(id)) = (&named.spec, id) else { continue };
        let owner = FlowOwner::Capability(id);
        scope.owner = Some(owner);
        let document = (&*named.name.value, owner);
        let flows = all(&capability.flows, document, &scope, topology, found);
        topology.flows.extend(flows);
    }
}

/// Resolves the flows of one document, in the order of their names.
fn all(
    flows: &Map<written::Flow>,
    document: (&str, FlowOwner),
    scope: &Scope<'_>,
    topology: &Topology,
    found: &mut Diagnostics,
) -> Vec<Flow> {
    let mut sorted: Vec<_> = flows.iter().collect();
    sorted.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    let one = |(name, flow)| one(name, flow, document, scope, topology, found);
    sorted.into_iter().map(one).collect()
}

fn one(
    name: &Spanned<String>,
    flow: &written::Flow,
    document: (&str, FlowOwner),
    scope: &Scope<'_>,
    topology: &Topology,
    found: &mut Diagnostics,
) -> Flow {
    let (mut from, mut to) = sides(&flow.from, &flow.to, scope, topology, found);
    ports(flow, &to, found);
    let (document, owner) = document;
    match owner {
        FlowOwner::Namespace(_) => {
            both_sides(flow, found);
            anchored(flow, &from, &to, found);
        }
        FlowOwner::Capability(id) => {
            one_side(flow, found);
            let own = Peer {
                span: name.span,
                kind: PeerKind::Capability(id),
                clusters: topology.capability(id).clusters.clone(),
                limited: false,
                labels: Vec::new(),
                service_account: None,
            };
            let absent = if flow.from.is_empty() { &mut from } else { &mut to };
            absent.push(own);
        }
    }
    Flow {
        name: name.clone(),
        owner,
        document: document.to_owned(),
        from,
        to,
        ports: flow.ports.as_ref().map(|ports| ports.value.clone()),
        http: http(flow, found),
    }
}

fn sides(
    from: &[written::From],
    to: &[written::To],
    scope: &Scope<'_>,
    topology: &Topology,
    found: &mut Diagnostics,
) -> (Vec<Peer>, Vec<Peer>) {
    let from = from.iter().filter_map(|from| scope.peer(&from.0, topology, found));
    let from: Vec<_> = from.collect();
    for caller in &from {
        if let PeerKind::Fqdn(_) = caller.kind {
            // Source: `toFQDNs` has no counterpart for ingress in the CRD.
            let message = "a caller cannot be told by its DNS name";
            let finding = Diagnostic::new(&UNSUPPORTED, caller.span, message);
            found.push(finding.help("use `cidrs` or `external`"));
        }
    }
    let to = to.iter().filter_map(|to| scope.peer(&to.0, topology, found)).collect();
    (from, to)
}

fn both_sides(flow: &written::Flow, found: &mut Diagnostics) {
    for (side, empty) in [("from", flow.from.is_empty()), ("to", flow.to.is_empty())] {
        if empty {
            let message = format!("the flow has no `{side}`");
            let help = format!("list the peers in `{side}`");
            found.push(Diagnostic::new(&CONTRADICTION, flow.span, message).help(help));
        }
    }
}

fn one_side(flow: &written::Flow, found: &mut Diagnostics) {
    if flow.from.is_empty() == flow.to.is_empty() {
        let message = "a flow of a capability has either `from` or `to`";
        let help = "the other side is the pods that carry its labels";
        found.push(Diagnostic::new(&CONTRADICTION, flow.span, message).help(help));
    }
}

/// A flow without a side in a declared namespace gives no policy, so it would say nothing.
fn anchored(flow: &written::Flow, from: &[Peer], to: &[Peer], found: &mut Diagnostics) {
    if from.len() < flow.from.len() || to.len() < flow.to.len() {
        return;
    }
    let declared = |peer: &Peer| match peer.kind {
        PeerKind::Workload(_) | PeerKind::Service(_) | PeerKind::Capability(_) => true,
        PeerKind::Namespace(_, id) => id.is_some(),
        _ => false,
    };
    if !from.iter().chain(to).any(declared) && !from.is_empty() && !to.is_empty() {
        let message = "neither side of the flow is declared here, so no policy can allow it";
        let help = "name a workload, a service or a declared namespace on one side";
        found.push(Diagnostic::new(&CONTRADICTION, flow.span, message).help(help));
    }
}

/// Reports a peer that has no ports of its own where the flow has none either.
fn ports(flow: &written::Flow, to: &[Peer], found: &mut Diagnostics) {
    let without = to.iter().find(|peer| !matches!(peer.kind, PeerKind::Service(_)));
    match (&flow.ports, without) {
        (None, Some(peer)) => {
            let finding =
                Diagnostic::new(&CONTRADICTION, peer.span, "this peer has no ports of its own");
            found.push(finding.help("add `ports` to the flow, or `ports: all`"));
        }
        (None, None) if to.is_empty() && flow.to.is_empty() && !flow.from.is_empty() => {
            let finding = Diagnostic::new(&CONTRADICTION, flow.span, "the flow says no ports");
            found.push(finding.help("add `ports`, or `ports: all`"));
        }
        (Some(ports), None) if !to.is_empty() => {
            let finding =
                Diagnostic::new(&CONTRADICTION, ports.span, "a service has ports of its own");
            found.push(
                finding.help("remove `ports`, or name the `workload` instead of the service"),
            );
        }
        _ => {}
    }
}

fn http(flow: &written::Flow, found: &mut Diagnostics) -> Vec<HttpMatch> {
    if let (Some(first), Some(ports)) = (flow.http.first(), &flow.ports) {
        let tcp = |opening: &Opening| {
            matches!(opening, Opening::Port { protocol: Some(Protocol::Tcp), .. })
        };
        let fits = matches!(&ports.value, Ports::Some(some) if some.iter().all(tcp));
        if !fits {
            // Source: the agent refuses L7 rules on other protocols and on port 0.
            let finding = Diagnostic::new(&CONTRADICTION, first.span, "HTTP needs TCP ports");
            found.push(
                finding.related(ports.span, "the ports").help("list the TCP ports that speak HTTP"),
            );
        }
    }
    flow.http.iter().map(|rule| one_http(rule, found)).collect()
}

fn one_http(rule: &written::HttpRule, found: &mut Diagnostics) -> HttpMatch {
    let paths = [
        rule.path.as_ref().map(|path| (path.span, PathMatch::Exact(path.value.0.clone()))),
        rule.path_prefix.as_ref().map(|path| (path.span, PathMatch::Prefix(path.value.0.clone()))),
        rule.path_regex.as_ref().map(|path| (path.span, PathMatch::Regex(path.value.0.clone()))),
    ];
    let mut paths = paths.into_iter().flatten();
    let path = paths.next();
    if let Some((span, _)) = paths.next() {
        let message = "a rule has one of `path`, `pathPrefix` and `pathRegex`";
        found.push(Diagnostic::new(&CONTRADICTION, span, message).help("write two rules"));
    }
    if let Some((span, PathMatch::Regex(regex))) = &path
        && let Err(error) = regex::Regex::new(regex)
    {
        let reason = error.to_string();
        let reason =
            reason.lines().last().unwrap_or("it cannot be read").trim_start_matches("error: ");
        let message = format!("the regular expression cannot be read: {reason}");
        crate::yaml::fields::invalid(*span, message, "", found);
    }
    let method = rule.method.as_ref().map(|method| method.value.0.clone());
    HttpMatch { method, path: path.map(|(_, path)| path) }
}
