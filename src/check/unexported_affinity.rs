//! An affinity that callers by the Multi-Cluster Services API do not get.

use super::written::{self, Copy, Name};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::topology::{Service, Topology};

declare_rules! {
    /// ## What it does
    /// Reports an exported service with an affinity that does not reach its importers: one whose
    /// clusters run a Cilium before 1.18, and a hand-written `ServiceExport` without the affinity
    /// of its Service in `exportedAnnotations`.
    ///
    /// ## Why it matters
    /// Callers of `…svc.clusterset.local` are balanced by a Service that Cilium derives from the
    /// import, and not by the exported one. Its annotations are those of `exportedAnnotations`,
    /// which are synchronised from 1.18 on. Without them every call goes to any cluster. Source:
    /// Cilium, "Multi-Cluster Services API"; its upgrade notes of 1.18.
    ///
    /// ## Example
    /// ```yaml
    /// kind: ServiceExport
    /// metadata: {name: api, namespace: shop}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: ServiceExport
    /// metadata: {name: api, namespace: shop}
    /// spec: {exportedAnnotations: {service.cilium.io/affinity: local}}
    /// ```
    pub static UNEXPORTED_AFFINITY = { code: "LB2034", name: "unexported-affinity", summary: "an affinity that importers of a service do not get", severity: Warning };
}

/// Reports declared exports and hand-written ones.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for service in topology.services.iter().filter(|service| service.export) {
        too_old(topology, service, found);
    }
    let services = written::objects(topology, "", "Service");
    for (name, exports) in written::objects(topology, "multicluster.x-k8s.io", "ServiceExport") {
        let copies = services.get(&name).map_or(&[][..], Vec::as_slice);
        for export in &exports {
            hand_written(name, export, copies, found);
        }
    }
}

fn too_old(topology: &Topology, service: &Service, found: &mut Diagnostics) {
    let Some(global) = &service.global else { return };
    let Some(affinity) = global.affinity else { return };
    let concerned = service.clusters.or(&service.client_clusters);
    let clusters = concerned.iter().map(|id| topology.cluster(id));
    let old = clusters.filter(|cluster| cluster.in_mesh).find(|cluster| cluster.cilium.minor < 18);
    // Exports of a single cluster have nothing to prefer.
    let Some(cluster) = old.filter(|_| service.clusters.len() > 1) else { return };
    let message = format!(
        "importers of `{}` do not get its affinity `{}`: Cilium {} does not export annotations",
        service.name.value,
        affinity.word(),
        *cluster.cilium
    );
    found.push(
        Diagnostic::new(&UNEXPORTED_AFFINITY, global.span, message)
            .related(cluster.cilium.span, format!("the version of `{}`", cluster.name.value))
            .help("use Cilium 1.18 or later, or remove `export` or `affinity`"),
    );
}

fn hand_written(name: Name<'_>, export: &Copy<'_>, services: &[Copy<'_>], found: &mut Diagnostics) {
    let same = services.iter().find(|copy| !copy.clusters.and(&export.clusters).is_empty());
    let Some(service) = same.map(|copy| copy.object) else { return };
    let Some(note) = written::annotation(service, &written::AFFINITY) else { return };
    let Some(said) = written::said(&note).filter(|said| said == "local" || said == "remote") else {
        return;
    };
    if exported(export.object) {
        return;
    }
    let message = format!("importers of `{}/{}` do not get its affinity `{said}`", name.0, name.1);
    let help =
        format!("add `exportedAnnotations: {{service.cilium.io/affinity: {said}}}` to its `spec`");
    found.push(
        Diagnostic::new(&UNEXPORTED_AFFINITY, export.object.name.span, message)
            .related(note.key_span, "the affinity of the Service")
            .help(help),
    );
}

fn exported(export: &Manifest) -> bool {
    let annotations = export.at(&["spec", "exportedAnnotations"]);
    annotations.is_some_and(|all| written::AFFINITY.iter().any(|key| all.get(key).is_some()))
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    #[test]
    fn annotations_are_exported_from_1_18_on() {
        let found = |text: &str| {
            let (_, found) = resolved(text);
            found.iter().filter(|line| line.contains(" LB2034 ")).count()
        };
        let old = TWO_CLUSTERS.replace("cilium: 1.19.6", "cilium: 1.17.18");
        assert_eq!(found(&old), 1);
        assert_eq!(found(&TWO_CLUSTERS.replace("cilium: 1.19.6", "cilium: 1.18.12")), 0);
        assert_eq!(found(&old.replace("      export: true\n", "")), 0);
        assert_eq!(found(&old.replace("affinity: local, ", "")), 0);
    }
}
