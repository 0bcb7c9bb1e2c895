//! Service annotations with old names, or with a value that breaks some Cilium.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::{Manifest, Note};
use crate::topology::manifests::ManifestSet;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports Services among the hand-written manifests whose annotations have the names from
    /// before Cilium 1.13 (`io.cilium/…`), or the affinity `none`.
    ///
    /// ## Why it matters
    /// The old names still work, but for the synchronisation of EndpointSlices, which reads the
    /// new ones only; where both stand, the new one wins. `service.cilium.io/affinity: none`
    /// drops all remote backends in Cilium 1.18 and in 1.19.0 to 1.19.5
    /// (cilium/cilium#46623), and is an error there. Source: Cilium's upgrade notes of 1.13;
    /// `pkg/annotation/k8s.go`.
    ///
    /// ## Example
    /// ```yaml
    /// annotations: {io.cilium/global-service: "true"}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// annotations: {service.cilium.io/global: "true"}
    /// ```
    pub static LEGACY_ANNOTATION = { code: "LB2014", name: "legacy-annotation", summary: "a Service annotation with an old name or a harmful value", severity: Warning };
}

/// Old names with the new ones. Source: Cilium's upgrade notes of 1.13, `pkg/annotation/k8s.go`.
const NAMES: [(&str, &str); 3] = [
    ("io.cilium/global-service", "service.cilium.io/global"),
    ("io.cilium/shared-service", "service.cilium.io/shared"),
    ("io.cilium/service-affinity", "service.cilium.io/affinity"),
];

/// Reports each such annotation.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for set in &topology.manifests {
        let services = set.objects.iter().filter(|object| object.is("", "Service"));
        for note in services.flat_map(Manifest::annotations) {
            old_name(&note, found);
            no_affinity(topology, set, &note, found);
        }
    }
}

fn old_name(note: &Note<'_>, found: &mut Diagnostics) {
    let Some((old, new)) = NAMES.iter().find(|(old, _)| *old == note.key) else { return };
    let message = format!("the annotation `{old}` has an old name");
    let finding = Diagnostic::new(&LEGACY_ANNOTATION, note.key_span, message);
    found.push(finding.help(format!("write `{new}`")));
}

fn no_affinity(topology: &Topology, set: &ManifestSet, note: &Note<'_>, found: &mut Diagnostics) {
    let affinity = ["service.cilium.io/affinity", "io.cilium/service-affinity"];
    if !affinity.contains(&note.key) || note.value.text() != Some("none") {
        return;
    }
    let mut clusters = set.clusters.iter().map(|id| topology.cluster(id));
    let message = "the affinity `none` drops all remote backends in some versions of Cilium";
    let mut finding = Diagnostic::new(&LEGACY_ANNOTATION, note.value.span, message)
        .help("leave the annotation out: without it no endpoints are preferred");
    if let Some(cluster) = clusters.find(|cluster| breaks(cluster)) {
        finding.severity = crate::diagnostic::Severity::Error;
        let (name, version) = (&cluster.name.value, &*cluster.cilium);
        finding = finding.related(cluster.cilium.span, format!("`{name}` has Cilium {version}"));
    }
    found.push(finding);
}

fn breaks(cluster: &Cluster) -> bool {
    let version = &*cluster.cilium;
    version.minor == 18 || (version.minor == 19 && version.patch < 6)
}
