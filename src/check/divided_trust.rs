//! Members of a mesh that do not trust one CA.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::source::Span;
use crate::spec::mesh::{CertificateMethod, IssuerKind};
use crate::topology::{Cluster, Topology};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports members of the mesh with different CAs: another `tls.ca.cert` in the Helm values of
    /// one than in those of another, or a mesh whose certificates an issuer among the hand-written
    /// manifests makes that has no CA at all (`selfSigned`) or one that issues no such names
    /// (`acme`). Where `tls.caBundle` lists every CA (from 1.20 on) different ones are fine, unless
    /// `authMode` is `cluster`.
    ///
    /// ## Why it matters
    /// Each cluster's agents check the certificate of the others' API servers. Without one CA they
    /// refuse each other, and nothing of the mesh works; the certificates look right in each
    /// cluster alone. Source: Cilium, "Setting up Cluster Mesh", Shared Certificate Authority; the
    /// chart's comments on `tls.caBundle` and `clustermesh.apiserver.tls.authMode`; cert-manager,
    /// "Self-signed issuers" and "ACME issuers".
    ///
    /// ## Example
    /// ```yaml
    /// # mesh
    /// certificates: {method: certmanager, issuer: {name: mesh-ca}}
    /// # manifests
    /// kind: ClusterIssuer
    /// metadata: {name: mesh-ca}
    /// spec: {selfSigned: {}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// spec: {ca: {secretName: cilium-ca}}
    /// ```
    pub static DIVIDED_TRUST = { code: "LB2024", name: "divided-trust", summary: "members of a mesh that do not trust one CA", severity: Error };
}

const CA: &str = "tls.ca.cert";

/// Reports different CAs once, and each issuer that cannot be a CA of the mesh.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let members: Vec<_> = topology.clusters.iter().filter(|cluster| cluster.in_mesh).collect();
    if members.len() < 2 {
        return;
    }
    found_values(&members, found);
    let certificates = &topology.mesh.certificates;
    let (CertificateMethod::CertManager, Some((name, kind, group))) =
        (certificates.method, &certificates.issuer)
    else {
        return;
    };
    let kind = match kind {
        IssuerKind::ClusterIssuer => "ClusterIssuer",
        IssuerKind::Issuer => "Issuer",
    };
    for set in &topology.manifests {
        if !set.clusters.iter().any(|id| topology.cluster(id).in_mesh) {
            continue;
        }
        let issuers = set.objects.iter().filter(|o| o.is(group, kind) && o.name.value == *name);
        for issuer in issuers {
            if let Some((span, why)) = no_ca(issuer) {
                let message = format!("the issuer `{name}` gives the mesh no CA in common");
                found.push(
                    Diagnostic::new(&DIVIDED_TRUST, span, message)
                        .label(why)
                        .related(certificates.span.unwrap_or(topology.mesh.span), "it issues the certificates of this mesh")
                        .help("issue from one CA: `ca: {secretName: cilium-ca}`, with the same Secret in every cluster"),
                );
            }
        }
    }
}

fn no_ca(issuer: &Manifest) -> Option<(Span, &'static str)> {
    let spec = issuer.at(&["spec"])?;
    let kinds = [
        ("selfSigned", "each certificate is its own root"),
        ("acme", "an ACME server issues public names only, not those of the mesh"),
    ];
    kinds.iter().find_map(|(key, why)| Some((Node::entry(spec, key)?.key_span, *why)))
}

fn found_values(members: &[&Cluster], found: &mut Diagnostics) {
    let mut by_ca: BTreeMap<String, (Span, &Cluster)> = BTreeMap::new();
    for cluster in members {
        if let Some((span, Json::String(ca))) = cluster.said(CA)
            && !ca.trim().is_empty()
            && !bundled(cluster)
        {
            by_ca.entry(ca.split_whitespace().collect()).or_insert((span, cluster));
        }
    }
    let mut own: Vec<_> = by_ca.into_values().collect();
    own.sort_by_key(|(span, _)| *span);
    let Some((&(first, one), others)) = own.split_first() else { return };
    for &(span, cluster) in others {
        let message =
            format!("`{}` and `{}` have different CAs", one.name.value, cluster.name.value);
        found.push(
            Diagnostic::new(&DIVIDED_TRUST, span, message)
                .related(first, format!("the CA of `{}`", one.name.value))
                .help(
                    "give every cluster the same CA, in the Secret `cilium-ca` and not in values",
                ),
        );
    }
}

/// Whether a cluster trusts a list of CAs and takes the others' certificates by any of them.
fn bundled(cluster: &Cluster) -> bool {
    let said = |key: &str| cluster.said(key).map(|(_, value)| value);
    let by_name = said("clustermesh.apiserver.tls.authMode") == Some("cluster".into());
    cluster.cilium.minor >= 20 && said("tls.caBundle.enabled") == Some(Json::Bool(true)) && !by_name
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn with(one: &str, two: &str, cilium: &str) -> Vec<String> {
        let text = TWO_CLUSTERS
            .replacen("1.19.6", cilium, 1)
            .replacen("  id: 1\n", &format!("  id: 1\n  ciliumValues: {{{one}}}\n"), 1)
            .replacen("  id: 2\n", &format!("  id: 2\n  ciliumValues: {{{two}}}\n"), 1);
        let found = resolved(&text).1;
        found.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn two_cas_are_one_too_many() {
        let different = ["LB2024 `use1` and `euw1` have different CAs"];
        let ca = |ca: &str| format!("tls: {{ca: {{cert: {ca}}}}}");
        assert_eq!(with(&ca("QQ=="), &ca("Qg=="), "1.19.6"), different);
        assert_eq!(with(&ca("QQ=="), &ca("QQ=="), "1.19.6"), [""; 0]);
        assert_eq!(with(&ca("QQ=="), "debug: {enabled: true}", "1.19.6"), [""; 0]);
        let bundle = |ca: &str, more: &str| {
            format!("tls: {{ca: {{cert: {ca}}}, caBundle: {{enabled: true}}}}{more}")
        };
        assert_eq!(with(&bundle("QQ==", ""), &bundle("Qg==", ""), "1.20.2"), [""; 0]);
        let by_name = ", clustermesh: {apiserver: {tls: {authMode: cluster}}}";
        assert_eq!(with(&bundle("QQ==", by_name), &bundle("Qg==", by_name), "1.20.2"), different);
    }
}
