//! Hubble, its relay and its user interface.

use super::values::Values;
use super::{Site, clustermesh};
use crate::spec::mesh::CertificateMethod;

/// The cluster domain that the chart assumes (`hubble.peerService.clusterDomain`).
const DOMAIN: &str = "cluster.local";

/// Writes the part.
pub(super) fn write(site: &Site<'_>, values: &mut Values) {
    let (enabled, relay, ui) = site.cluster.hubble;
    values.set("hubble.enabled", enabled);
    if !enabled {
        return;
    }
    values.set("hubble.relay.enabled", relay);
    values.set("hubble.ui.enabled", ui);
    if site.cluster.dns.domain != DOMAIN {
        values.set("hubble.peerService.clusterDomain", site.cluster.dns.domain.as_str());
    }
    clustermesh::issue(site, "hubble.tls.auto", values);
    if site.topology.mesh.certificates.method == CertificateMethod::External {
        // By the names that the chart itself would give them; without these it wants the
        // certificates as values. Source: templates/hubble/tls-provided.
        let server = "hubble.tls.server.existingSecret";
        if site.chart.has(server) {
            values.set(server, "hubble-server-certs");
        }
        let client = "hubble.relay.tls.client.existingSecret";
        if relay && site.chart.has(client) {
            values.set(client, "hubble-relay-client-certs");
        }
    }
}
