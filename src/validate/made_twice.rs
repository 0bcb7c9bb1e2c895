//! Hand-written objects that compile makes as well.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::compile::{self, Index};
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::resource::{Resource, Role};
use crate::source::Span;
use crate::spec::application::Manage;
use crate::topology::{ClusterId, ClusterSet, Topology};

declare_rules! {
    /// ## What it does
    /// Reports an object among the hand-written manifests that compile writes too, for a cluster
    /// that both are applied to: of one group and kind, with one namespace and name. Patches that
    /// compile writes for objects of others are no such object. It is looked for where a project
    /// has no other errors.
    ///
    /// ## Why it matters
    /// Whichever is applied last replaces the other, and the next round of the GitOps tool puts
    /// it back: the object changes all the time, or half of what was declared never holds. Where
    /// both are in one Kustomization, kustomize refuses to build it: "may not add resource with an
    /// already registered id".
    ///
    /// ## Example
    /// ```yaml
    /// kind: CiliumNetworkPolicy
    /// metadata: {namespace: payments, name: default-deny}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: CiliumNetworkPolicy
    /// metadata: {namespace: payments, name: team-exceptions}
    /// ```
    pub static MADE_TWICE = { code: "LB2064", name: "made-twice", summary: "a hand-written object that compile writes as well", severity: Error };
}

/// What compile makes objects of, by group and kind: only where somebody wrote such an object by
/// hand, there is anything to compile here.
pub const MADE: &[(&str, &str)] = &[
    ("", "ConfigMap"),
    ("", "Namespace"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("cert-manager.io", "Certificate"),
    ("cert-manager.io", "ClusterIssuer"),
    ("cilium.io", "CiliumBGPAdvertisement"),
    ("cilium.io", "CiliumBGPClusterConfig"),
    ("cilium.io", "CiliumBGPPeerConfig"),
    ("cilium.io", "CiliumBGPPeeringPolicy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("cilium.io", "CiliumL2AnnouncementPolicy"),
    ("cilium.io", "CiliumLoadBalancerIPPool"),
    ("cilium.io", "CiliumNetworkPolicy"),
    ("externaldns.k8s.io", "DNSEndpoint"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "ReferenceGrant"),
    ("multicluster.x-k8s.io", "ServiceExport"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
];

/// The label of what landbridge itself has written.
const OWN: (&str, &str) = ("app.kubernetes.io/managed-by", "landbridge");

/// Group, kind, namespace and name.
type Name<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);
/// Hand-written objects with their clusters.
type Written<'a> = Vec<(&'a Manifest, &'a ClusterSet)>;

/// Reports each hand-written object once, for the first cluster in which there are two.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let written = written(topology);
    let clusters: ClusterSet =
        written.values().flatten().flat_map(|(_, clusters)| clusters.iter()).collect();
    if clusters.is_empty() {
        return;
    }
    let index = Index::of(topology);
    let ids: Vec<ClusterId> = clusters.iter().collect();
    let twice = |id: &ClusterId| twice(topology, &index, *id, &written);
    let twice: Vec<Vec<(&Manifest, ClusterId, Span)>> = ids.par_iter().map(twice).collect();
    let mut first: BTreeMap<Span, (&Manifest, ClusterId, Span)> = BTreeMap::new();
    for one in twice.into_iter().flatten() {
        first.entry(one.0.name.span).or_insert(one);
    }
    for (object, id, origin) in first.into_values() {
        let cluster = &topology.cluster(id).name.value;
        let message = format!("compile writes `{}` for `{cluster}` too", object.describe());
        found.push(
            Diagnostic::new(&MADE_TWICE, object.name.span, message)
                .label("written by hand")
                .related(origin, "compile makes it because of this")
                .help("remove it, or give it another name"),
        );
    }
}

/// The hand-written objects that compile may make as well. Those that leave their namespace to
/// whoever applies them are not known by name.
fn written(topology: &Topology) -> BTreeMap<Name<'_>, Written<'_>> {
    let mut all: BTreeMap<Name<'_>, Written<'_>> = BTreeMap::new();
    // Many Services are written by hand: compile writes those that are declared, and not all.
    let whole = topology.services.iter().filter(|service| service.manage == Manage::Full);
    let whole: BTreeSet<(&str, &str)> = whole
        .map(|service| {
            let namespace = &topology.namespace(service.namespace).name.value;
            (namespace.as_str(), service.name.value.as_str())
        })
        .collect();
    for set in &topology.manifests {
        for object in &set.objects {
            let name = name(object);
            let (group, kind, namespace, own) = name;
            let made = MADE.contains(&(group, kind))
                && (kind != "Service" || whole.contains(&(namespace.unwrap_or_default(), own)));
            let rendered = || {
                object.labels().any(|label| (label.key, label.value.text()) == (OWN.0, Some(OWN.1)))
            };
            if made && !rendered() {
                all.entry(name).or_default().push((object, &set.clusters));
            }
        }
    }
    all
}

fn name(object: &Manifest) -> Name<'_> {
    let namespace = object.namespace.as_ref().map(|namespace| &*namespace.value);
    (object.group(), &object.kind.value, namespace, &object.name.value)
}

/// The hand-written objects of a cluster that compile makes too, with the line that causes it.
fn twice<'a>(
    topology: &Topology,
    index: &Index,
    id: ClusterId,
    written: &BTreeMap<Name<'a>, Written<'a>>,
) -> Vec<(&'a Manifest, ClusterId, Span)> {
    let mut all = Vec::new();
    for made in compile::cluster(topology, index, id).resources {
        let same = written.get(&made_name(&made)).filter(|_| made.role == Role::Object);
        let here = same.into_iter().flatten().filter(|(_, clusters)| clusters.contains(id));
        all.extend(here.map(|(object, _)| (*object, id, made.origin)));
    }
    all
}

fn made_name(made: &Resource) -> Name<'_> {
    let group = made.api_version().split_once('/').map_or("", |(group, _)| group);
    (group, made.kind(), made.namespace(), made.name())
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Diagnostics;
    use crate::source::SourceMap;
    use crate::topology::sample::{TWO_CLUSTERS, resolved_with};

    /// What is found where `use1` has these objects.
    fn found(objects: &str) -> Vec<String> {
        let sets = "spec:\n  manifests: [{files: [own.yaml], clusters: [use1]}]\n  versions:";
        let text = TWO_CLUSTERS.replacen("spec:\n  versions:", sets, 1);
        let (topology, found) = resolved_with(&text, &[("own.yaml", objects)]);
        assert!(found.iter().all(|line| !line.contains(" LB0")), "{found:#?}");
        let mut found = Diagnostics::new();
        crate::validate::run(&topology.unwrap(), &SourceMap::new(), true, &mut found);
        found.iter().map(|one| format!("{} {}", one.rule.code, one.message)).collect()
    }

    fn object(api: &str, kind: &str, metadata: &str) -> String {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{{metadata}}}\n")
    }

    #[test]
    fn objects_with_one_name_are_found() {
        let deny = "namespace: payments, name: default-deny";
        let policy = |name: &str| object("cilium.io/v2", "CiliumNetworkPolicy", name);
        let service = |name: &str| object("v1", "Service", name);
        let own = "labels: {app.kubernetes.io/managed-by: landbridge}";
        for (objects, message) in [
            (policy(deny), Some("`CiliumNetworkPolicy/payments/default-deny`")),
            (policy("name: default-deny"), None),
            (policy("namespace: other, name: default-deny"), None),
            (policy(&format!("{deny}, {own}")), None),
            // The half of `use1` is the other one.
            (policy("namespace: payments, name: payments.check-fraud.egress"), None),
            (
                policy("namespace: payments, name: payments.check-fraud.ingress"),
                Some("`CiliumNetworkPolicy/payments/payments.check-fraud.ingress`"),
            ),
            (object("networking.k8s.io/v1", "NetworkPolicy", deny), None),
            (
                service("namespace: payments, name: fraud-detection"),
                Some("`Service/payments/fraud-detection`"),
            ),
            (service("namespace: payments, name: other"), None),
        ] {
            let message =
                message.map(|what| format!("LB2064 compile writes {what} for `use1` too"));
            assert_eq!(found(&objects), Vec::from_iter(message), "{objects}");
        }
    }
}
