//! Services exported from namespaces that are not the same everywhere.

use super::written;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports a service that is exported from the namespace `default` or `kube-system`, declared
    /// or hand-written.
    ///
    /// ## Why it matters
    /// Exports of one name and namespace are one service, whoever runs them. These two namespaces
    /// exist in every cluster from the start and hold other things in each: an export of `metrics`
    /// in `default` is joined with any other cluster's. The specification of the API
    /// discourages it. Source: KEP-1645.
    ///
    /// ## Example
    /// ```yaml
    /// namespace: default
    /// services: {api: {workload: api, ports: [{port: 80}], export: true}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// namespace: shop
    /// services: {api: {workload: api, ports: [{port: 80}], export: true}}
    /// ```
    pub static DISCOURAGED_EXPORT = { code: "LB2043", name: "discouraged-export", summary: "a service exported from `default` or `kube-system`", severity: Warning };
}

/// Reports declared exports and hand-written ones.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for service in topology.services.iter().filter(|service| service.export) {
        let namespace = &topology.namespace(service.namespace).name;
        report(&service.name.value, service.name.span, &namespace.value, found);
    }
    for ((namespace, name), exports) in
        written::objects(topology, "multicluster.x-k8s.io", "ServiceExport")
    {
        for export in exports {
            report(name, export.object.name.span, namespace, found);
        }
    }
}

fn report(name: &str, span: Span, namespace: &str, found: &mut Diagnostics) {
    if !matches!(namespace, "default" | "kube-system") {
        return;
    }
    let message = format!("`{name}` is exported from the namespace `{namespace}`");
    found.push(
        Diagnostic::new(&DISCOURAGED_EXPORT, span, message)
            .help("export it from a namespace that means the same in every cluster"),
    );
}
