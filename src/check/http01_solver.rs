//! Certificates that a passive region cannot renew.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::spec::cluster::Role;
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports `Issuer`s and `ClusterIssuer`s among the hand-written manifests that solve ACME
    /// challenges by HTTP-01.
    ///
    /// ## Why it matters
    /// The ACME server asks for the challenge where the name points to, and that is the active
    /// region. A passive region never gets its certificate, and finds out on the day of the
    /// failover; with several active ones the question reaches the wrong one as often as not (a
    /// warning). DNS-01 does not depend on where traffic goes. Source: RFC 8555, section 8.3;
    /// Let's Encrypt, "Challenge Types".
    ///
    /// ## Example
    /// ```yaml
    /// solvers:
    ///   - http01: {ingress: {class: cilium}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// solvers:
    ///   - dns01: {route53: {hostedZoneID: Z0123456789ABCDEFGHIJ}}
    /// ```
    pub static HTTP01_SOLVER = { code: "LB5001", name: "http01-solver", summary: "an ACME challenge that a passive region cannot answer", severity: Error };
}

/// Reports each solver of that kind in a topology of several clusters.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    if topology.clusters.len() < 2 {
        return;
    }
    for set in &topology.manifests {
        let mut clusters = set.clusters.iter().map(|id| topology.cluster(id));
        let passive = clusters.find(|cluster| cluster.role == Role::Passive);
        let issuers = set.objects.iter().filter(|object| {
            object.is("cert-manager.io", "ClusterIssuer") || object.is("cert-manager.io", "Issuer")
        });
        let solvers = issuers.filter_map(|issuer| issuer.at(&["spec", "acme", "solvers"])?.items());
        for solver in solvers.flatten().filter_map(|solver| solver.entry("http01")) {
            let message = "an HTTP-01 challenge reaches the active region only";
            let mut finding = Diagnostic::new(&HTTP01_SOLVER, solver.key_span, message)
                .help("solve challenges by `dns01`");
            match passive {
                Some(cluster) => {
                    let label = format!("`{}` is passive", cluster.name.value);
                    finding = finding.related(cluster.name.span, label);
                }
                None => finding.severity = Severity::Warning,
            }
            found.push(finding);
        }
    }
}
