//! Routes whose hosts no listener answers for.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a host of a route for which no listener of its gateway answers, or not the one that
    /// the route names.
    ///
    /// ## Why it matters
    /// The route is not accepted for that host, and requests for it get 404. Source: Gateway API,
    /// `HTTPRoute.spec.hostnames`.
    ///
    /// ## Example
    /// ```yaml
    /// listeners: {https: {port: 443, protocol: HTTPS, hostname: "*.example.com", certificate: example-com}}
    /// # …
    /// routes: {api: {gateway: public, hosts: [api.example.org], to: [fraud-detection]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// listeners: {https: {port: 443, protocol: HTTPS, hostname: "*.example.com", certificate: example-com}}
    /// # …
    /// routes: {api: {gateway: public, hosts: [api.example.com], to: [fraud-detection]}}
    /// ```
    pub static ROUTE_WITHOUT_LISTENER = { code: "LB2062", name: "route-without-listener", summary: "a route whose hosts no listener answers for", severity: Error };
}

/// Reports each such host.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for route in &topology.routes {
        let gateway = topology.gateway(route.gateway.value);
        let meant = gateway.listeners.iter().filter(|listener| {
            route.listener.as_ref().is_none_or(|wanted| *wanted == listener.name.value)
        });
        let meant: Vec<_> = meant.collect();
        // A gateway without a listener has been reported.
        let Some(first) = meant.first() else { continue };
        for host in &route.hosts {
            if meant.iter().any(|listener| listener.answers(&host.value)) {
                continue;
            }
            let message = format!(
                "no listener of the gateway `{}` answers for `{}`",
                gateway.name.value, host.value
            );
            let answers = first.hostname.as_deref().unwrap_or_default();
            found.push(
                Diagnostic::new(&ROUTE_WITHOUT_LISTENER, host.span, message)
                    .related(first.name.span, format!("this listener answers for `{answers}`"))
                    .help("add a listener for it, or use a host of one"),
            );
        }
    }
}
