//! A domain of the mesh that no server's certificate covers.

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::mesh::CertificateMethod;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a member whose `clustermesh.config.domain` is another than `mesh.cilium.io`, where a
    /// cluster that it reaches by address has no such name in its certificate.
    ///
    /// ## Why it matters
    /// An endpoint of addresses is reached as `<cluster>.<domain>`, and the certificate of a
    /// ClusterMesh API server has `*.mesh.cilium.io`. Under another domain the TLS handshake fails
    /// and the clusters never connect. Source: the chart, `templates/clustermesh-config/_helpers.tpl`
    /// and `templates/clustermesh-apiserver/tls-cronjob/_job-spec.tpl`.
    ///
    /// ## Example
    /// ```yaml
    /// ciliumValues: {clustermesh: {config: {domain: mesh.example.com}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// ciliumValues:
    ///   clustermesh:
    ///     config: {domain: mesh.example.com}
    ///     apiserver: {tls: {auto: {server: {extraDnsNames: ["*.mesh.example.com"]}}}}
    /// ```
    pub static UNCOVERED_MESH_DOMAIN = { code: "LB2028", name: "uncovered-mesh-domain", summary: "a domain of the mesh that no server's certificate covers", severity: Error };
}

/// What every certificate covers; `clustermesh.config.domain` of every chart.
const DOMAIN: &str = "mesh.cilium.io";

/// Where a server's further names are; 1.20 has renamed the key and reads the old one.
const NAMES: [&str; 2] = [
    "clustermesh.apiserver.tls.auto.server.extraDnsNames",
    "clustermesh.apiserver.tls.server.extraDnsNames",
];

/// Reports each such domain once, with the first cluster that is not reached.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    if topology.mesh.certificates.method == CertificateMethod::External {
        return;
    }
    let mut seen = std::collections::BTreeSet::new();
    for (id, cluster) in topology.clusters().filter(|(_, cluster)| cluster.in_mesh) {
        let Some((span, Json::String(domain))) = cluster.said("clustermesh.config.domain") else {
            continue;
        };
        if domain == DOMAIN || domain.is_empty() || !seen.insert(span) {
            continue;
        }
        let others = topology.clusters().filter(|(other, server)| *other != id && server.in_mesh);
        let mut servers = others.map(|(_, server)| server);
        let Some(server) = servers.find(|server| by_address(server) && !covers(server, &domain))
        else {
            continue;
        };
        let name = &server.name.value;
        let message = format!("the certificate of `{name}` does not cover `{name}.{domain}`");
        found.push(
            Diagnostic::new(&UNCOVERED_MESH_DOMAIN, span, message)
                .label(format!("`{}` connects to this name", cluster.name.value))
                .related(server.name.span, format!("covers `*.{DOMAIN}`"))
                .help(format!("remove it, or add `*.{domain}` to `{}` of every cluster", NAMES[0])),
        );
    }
}

fn by_address(server: &Cluster) -> bool {
    server.clustermesh.endpoint.as_ref().is_some_and(|endpoint| !endpoint.ips.is_empty())
}

fn covers(server: &Cluster, domain: &str) -> bool {
    let (any, own) = (format!("*.{domain}"), format!("{}.{domain}", server.name.value));
    NAMES.iter().any(|key| match server.said(key) {
        Some((_, Json::Array(names))) => names.iter().any(|name| *name == any || *name == own),
        _ => false,
    })
}
