//! Cilium's annotations of Services with values that nobody reads.

use super::written::{self, AFFINITY, GLOBAL, SHARED, SYNC};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::{Manifest, Note};
use crate::topology::Topology;

declare_rules! {
    /// ## What it does
    /// Reports hand-written Services whose annotations of Cilium do not say what they seem to: a
    /// value without quotes that is a boolean or a number, a switch that is neither `true` nor
    /// `false`, an affinity that does not exist, and an affinity of a Service that is not global.
    ///
    /// ## Why it matters
    /// The values of annotations are texts: `service.cilium.io/global: true` without quotes makes
    /// the API server refuse the whole Service. Any text but `true`, in capitals or not, means
    /// `false`, so `"yes"` switches nothing on. An unknown affinity drops all remote backends before
    /// Cilium 1.19.6 (cilium/cilium#46635) and is ignored from there. Source: `pkg/annotation` and
    /// `pkg/service` of Cilium; "Load-balancing & Service Discovery".
    ///
    /// ## Example
    /// ```yaml
    /// annotations: {service.cilium.io/global: true}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// annotations: {service.cilium.io/global: "true"}
    /// ```
    pub static IGNORED_SERVICE_ANNOTATION = { code: "LB2035", name: "ignored-service-annotation", summary: "a Service annotation that does not say what it seems to", severity: Error };
}

/// Reports each such annotation.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let declared = written::declared(topology);
    for set in &topology.manifests {
        for service in set.objects.iter().filter(|object| object.is("", "Service")) {
            let namespace = service.namespace.as_ref().map_or("", |namespace| &namespace.value);
            let known = declared.get(&(namespace, service.name.value.as_str()));
            // The annotation may come from the declaration.
            let global = known.is_some_and(|declared| written::annotated(declared))
                || service.namespace.is_none()
                || written::flag(service, &GLOBAL) != Some(false);
            for note in service.annotations() {
                one(service, &note, global, found);
            }
        }
    }
}

fn one(service: &Manifest, note: &Note<'_>, global: bool, found: &mut Diagnostics) {
    let affinity = AFFINITY.contains(&note.key);
    let switch = [&GLOBAL[..], &SHARED, &SYNC].iter().any(|names| names.contains(&note.key));
    if !affinity && !switch {
        return;
    }
    let key = note.key;
    let finding =
        |span, message: String| Diagnostic::new(&IGNORED_SERVICE_ANNOTATION, span, message);
    if !written::is_text(note.value) {
        let message = format!("the annotation `{key}` is {} and not text", note.value.describe());
        let what = service.describe();
        found.push(
            finding(note.value.span, message)
                .note(format!("the API server refuses all of {what}"))
                .help("put the value in quotes"),
        );
        return;
    }
    let Some(said) = written::said(note) else { return };
    if switch && said != "true" && said != "false" {
        let message = format!("`{}` means `false` to Cilium", said.escape_debug());
        found.push(finding(note.value.span, message).help("write `\"true\"` or `\"false\"`"));
    } else if affinity && !matches!(&*said, "local" | "remote" | "none") {
        let message = format!("there is no affinity `{}`", said.escape_debug());
        found.push(finding(note.value.span, message).help("write `local` or `remote`"));
    } else if affinity && said != "none" && !global {
        let message = format!("the affinity `{said}` is ignored: the Service is not global");
        let help = "add `service.cilium.io/global: \"true\"`, or remove the affinity";
        found.push(finding(note.key_span, message).help(help).warning());
    }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::with_manifests;

    fn findings(annotations: &str) -> Vec<String> {
        let service = format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: api\n  namespace: shop\n  annotations: {{{annotations}}}\n"
        );
        with_manifests("LB2035", &[], &service, "")
    }

    #[test]
    fn an_annotation_says_what_cilium_reads() {
        let ignored = "the affinity `local` is ignored: the Service is not global";
        for (annotations, expected) in [
            ("service.cilium.io/global: \"True\", service.cilium.io/affinity: Local", None),
            ("io.cilium/global-service: \"true\", service.cilium.io/affinity: remote", None),
            ("service.cilium.io/shared: \"false\"", None),
            ("example.com/global: true", None),
            (
                "service.cilium.io/global: on",
                Some("the annotation `service.cilium.io/global` is a boolean and not text"),
            ),
            ("service.cilium.io/global: \"yes\"", Some("`yes` means `false` to Cilium")),
            (
                "service.cilium.io/global: \"true\", service.cilium.io/affinity: near",
                Some("there is no affinity `near`"),
            ),
            ("service.cilium.io/affinity: local", Some(ignored)),
        ] {
            assert_eq!(findings(annotations), Vec::from_iter(expected), "{annotations}");
        }
    }
}
