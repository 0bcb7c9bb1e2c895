//! What Kubernetes objects say of policies and of the pods that they are about.
//!
//! Templates of pods are taken for the pods that they make. Pods of the host network have no
//! identity of their own (`pkg/endpoint`, "host endpoint") and are left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::NotChecked;
use crate::manifest::Manifest;
use crate::policy::parse::{CidrGroup, Service};
use crate::policy::{self, Identity, Known, Pod, Protocol, Semantics};
use crate::source::Span;
use crate::yaml::json::json;
use crate::yaml::{Node, Value};

use super::mesh::{Origin, WrittenPolicy};

/// The labels of something.
pub type Pairs = Vec<(String, String)>;

/// The controllers of pods, by API group and kind, with the path to their template.
const CONTROLLERS: &[(&str, &str, &[&str])] = &[
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("", "ReplicationController", &["spec", "template"]),
    ("argoproj.io", "Rollout", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("", "Pod", &[]),
];

/// The kinds of policies that Cilium reads, by API group and kind; `true` where they stand in a
/// namespace; and the version that it reads.
const POLICIES: &[(&str, &str, bool, &str)] = &[
    ("cilium.io", "CiliumNetworkPolicy", true, "v2"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy", false, "v2"),
    ("networking.k8s.io", "NetworkPolicy", true, "v1"),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy", false, "v1alpha2"),
];

/// What becomes of an object that belongs in a namespace and names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unplaced {
    /// It is in `default`, as kubectl takes it.
    Default,
    /// Whoever applies it decides, so nobody knows.
    Unknown,
}

/// What some objects say of policies, services and pods.
#[derive(Clone, Debug, Default)]
pub struct Objects<'a> {
    /// The policies, in the order of the objects; a policy that names no namespace is in `default`.
    pub policies: Vec<&'a Manifest>,
    /// Groups of addresses, each a `CiliumCIDRGroup`.
    pub groups: Vec<CidrGroup>,
    /// Services.
    pub services: Vec<Service>,
    /// The labels of Namespaces, by their names.
    pub namespaces: BTreeMap<String, Pairs>,
    /// Pods, and what makes them.
    pub pods: Vec<Pods>,
    /// What cannot be known.
    pub unread: Vec<NotChecked>,
}

/// Pods with one template.
#[derive(Clone, Debug)]
pub struct Pods {
    /// The kind of what makes them.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Their labels.
    pub labels: Pairs,
    /// Their service account.
    pub service_account: String,
    /// The ports of their containers that have a name.
    pub names: Vec<(String, Protocol, u16)>,
    /// All ports of their containers, sorted.
    pub serves: Vec<(Protocol, u16)>,
    /// Where they stand.
    pub span: Span,
}

impl<'a> Objects<'a> {
    /// Reads objects; those that have nothing to do with policies are passed over.
    pub fn read(manifests: impl IntoIterator<Item = &'a Manifest>, unplaced: Unplaced) -> Self {
        let mut objects = Self::default();
        for manifest in manifests {
            objects.add(manifest, unplaced);
        }
        objects
    }

    fn add(&mut self, manifest: &'a Manifest, unplaced: Unplaced) {
        let is = |(group, kind): (&str, &str)| manifest.is(group, kind);
        if let Some((.., placed, version)) = POLICIES.iter().find(|known| is((known.0, known.1))) {
            let lost = *placed && unplaced == Unplaced::Unknown && manifest.namespace.is_none();
            if has_variable(&manifest.node) {
                self.leave_out(manifest, "a variable in it has no value");
            } else if lost {
                self.leave_out(manifest, "it names no namespace");
            } else if manifest.version() != *version {
                let why = format!("only the version `{version}` of its kind is known");
                self.leave_out(manifest, &why);
            } else {
                self.policies.push(manifest);
            }
        } else if is(("cilium.io", "CiliumCIDRGroup")) {
            self.groups.push(group(manifest));
        } else if is(("", "Namespace")) {
            let labels = pairs(manifest.at(&["metadata", "labels"]));
            self.namespaces.insert(manifest.name.value.clone(), labels);
        } else if is(("", "Service")) {
            self.services.extend(namespace(manifest, unplaced).map(|at| service(manifest, at)));
        } else if let Some((.., path)) = CONTROLLERS.iter().find(|known| is((known.0, known.1))) {
            let Some(namespace) = namespace(manifest, unplaced) else {
                return self.leave_out(manifest, "it names no namespace");
            };
            self.pods.extend(pods(manifest, namespace, path));
        }
    }

    fn leave_out(&mut self, manifest: &Manifest, why: &str) {
        let (what, span) = (manifest.describe(), manifest.name.span);
        self.unread.push(NotChecked { what, why: why.to_owned(), span });
    }

    /// What its policies may refer to.
    pub fn known(&self) -> Known {
        Known {
            cidr_groups: self.groups.clone(),
            services: Some(self.services.clone()),
            external_groups: None,
        }
    }
}

/// Reads the policies among objects as a cluster's Cilium does.
pub fn policies(objects: &[&Manifest], semantics: &Semantics, known: &Known) -> Vec<WrittenPolicy> {
    let read = |object: &&Manifest| {
        let policy = Arc::new(policy::read(&object.node, semantics, known)?);
        Some(WrittenPolicy { policy, origin: Origin::Written })
    };
    objects.iter().filter_map(read).collect()
}

impl Pods {
    /// Whether they have these labels.
    pub fn have(&self, labels: &[(String, String)]) -> bool {
        labels.iter().all(|label| self.labels.contains(label))
    }

    /// Who they are to the Cilium of a cluster.
    pub fn identity(
        &self,
        semantics: &Semantics,
        namespace_labels: &[(String, String)],
    ) -> Identity {
        let account = Some(&*self.service_account);
        let pod = identity(semantics, &self.namespace, &self.labels, account, namespace_labels);
        let named = |pod: Identity, (name, protocol, port): &(String, Protocol, u16)| {
            pod.port(name, *protocol, *port)
        };
        self.names.iter().fold(pod, named)
    }
}

/// The identity of pods with these labels: those that no policy can see are left out, and the
/// namespace's own name is a label of every namespace (Kubernetes, "Namespaces", Automatic
/// labelling).
pub fn identity(
    semantics: &Semantics,
    namespace: &str,
    labels: &[(String, String)],
    service_account: Option<&str>,
    namespace_labels: &[(String, String)],
) -> Identity {
    let counted = labels.iter().filter(|(key, _)| counts(key));
    let labels: Vec<_> = counted.map(|(key, value)| (&**key, &**value)).collect();
    let mut of_namespace: BTreeMap<&str, &str> =
        namespace_labels.iter().map(|(key, value)| (&**key, &**value)).collect();
    of_namespace.insert("kubernetes.io/metadata.name", namespace);
    let of_namespace: Vec<_> = of_namespace.into_iter().collect();
    Identity::pod(&Pod {
        cluster: semantics.cluster(),
        namespace,
        service_account,
        labels: &labels,
        namespace_labels: &of_namespace,
    })
}

/// Whether a pod's label of this key is part of its identity, where `labels` of the chart is not
/// set (`defaultLabelPrefixCfg` in pkg/labelsfilter/filter.go; the same from 1.16 to 1.20). The
/// service account always is: that 1.18 added it to the list is of use beside `labels` only, and
/// without them `Filter` of 1.16.19 takes what the list does not leave out.
pub fn counts(key: &str) -> bool {
    const TAKEN: &[&str] = &["app.kubernetes.io"];
    const LEFT_OUT: &[&str] = &[
        "io.kubernetes",
        "kubernetes.io",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/controller-uid",
        "k8s.io",
        "pod-template-generation",
        "pod-template-hash",
        "controller-revision-hash",
        "controller-uid",
        "annotation",
        "etcd_node",
        "topology.kubernetes.io",
    ];
    let starts = |known: &&&str| key.starts_with(**known);
    TAKEN.iter().any(|known| starts(&known))
        || !(LEFT_OUT.iter().any(|known| starts(&known)) || key.contains("beta.kubernetes.io"))
}

/// The namespace of an object that belongs in one.
fn namespace(manifest: &Manifest, unplaced: Unplaced) -> Option<&str> {
    match (&manifest.namespace, unplaced) {
        (Some(namespace), _) => Some(&namespace.value),
        (None, Unplaced::Default) => Some("default"),
        (None, Unplaced::Unknown) => None,
    }
}

fn has_variable(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => scalar.text.contains("${"),
        Value::Sequence(items) => items.iter().any(has_variable),
        Value::Mapping(entries) => entries.iter().any(|entry| has_variable(&entry.value)),
    }
}

/// A mapping of texts; what is none is left out, as the API server would refuse it.
fn pairs(node: Option<&Node>) -> Pairs {
    let entries = node.and_then(Node::entries).unwrap_or_default();
    let pair = |entry: &crate::yaml::Entry| {
        let value = json(&entry.value);
        Some((entry.key.to_string(), value.as_str()?.to_owned()))
    };
    entries.iter().filter_map(pair).collect()
}

fn group(manifest: &Manifest) -> CidrGroup {
    let items = manifest.at(&["spec", "externalCIDRs"]).and_then(Node::items).unwrap_or_default();
    let prefix = |node: &Node| {
        let text = node.text()?;
        let net = text.parse::<ipnet::IpNet>().ok();
        net.or_else(|| text.parse().ok().map(|address: std::net::IpAddr| address.into()))
    };
    CidrGroup {
        name: manifest.name.value.clone(),
        labels: pairs(manifest.at(&["metadata", "labels"])),
        prefixes: items.iter().filter_map(prefix).collect(),
    }
}

fn service(manifest: &Manifest, namespace: &str) -> Service {
    Service {
        name: manifest.name.value.clone(),
        namespace: namespace.to_owned(),
        labels: pairs(manifest.at(&["metadata", "labels"])),
        selector: pairs(manifest.at(&["spec", "selector"])),
        addresses: Vec::new(),
    }
}

/// The pods of a template; none where they are of the host network.
fn pods(manifest: &Manifest, namespace: &str, path: &[&str]) -> Option<Pods> {
    let template = manifest.at(path)?;
    let spec = template.get("spec");
    let said = |key: &str| spec.and_then(|spec| spec.get(key));
    if said("hostNetwork").map(json) == Some(serde_json::Value::Bool(true)) {
        return None;
    }
    let account = said("serviceAccountName").or_else(|| said("serviceAccount"));
    let (name, kind) = (manifest.name.value.clone(), manifest.kind.value.clone());
    let mut labels = pairs(template.at(&["metadata", "labels"]));
    if kind == "Job" {
        // Source: Kubernetes, "Well-Known Labels", batch.kubernetes.io/job-name.
        for key in ["job-name", "batch.kubernetes.io/job-name"] {
            labels.push((key.to_owned(), name.clone()));
        }
    }
    labels.sort();
    labels.dedup_by(|later, first| later.0 == first.0);
    let mut found = Pods {
        kind,
        namespace: namespace.to_owned(),
        name,
        labels,
        service_account: account.and_then(Node::text).unwrap_or("default").to_owned(),
        names: Vec::new(),
        serves: Vec::new(),
        span: manifest.name.span,
    };
    // Source: `GetPodMetadata` in pkg/k8s/labels.go, which reads `containers` and no others.
    for container in said("containers").and_then(Node::items).unwrap_or_default() {
        for port in container.get("ports").and_then(Node::items).unwrap_or_default() {
            let number = port.get("containerPort").map(json).and_then(|port| port.as_u64());
            let Some(number) = number.and_then(|port| u16::try_from(port).ok()) else { continue };
            let protocol = port.get("protocol").and_then(Node::text).unwrap_or("TCP");
            let Some(protocol) = Protocol::named(protocol) else { continue };
            let name = port.get("name").and_then(Node::text);
            found.names.extend(name.map(|name| (name.to_owned(), protocol, number)));
            found.serves.push((protocol, number));
        }
    }
    found.serves.sort_unstable();
    found.serves.dedup();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::policy::Settings;
    use crate::source::SourceMap;
    use semver::Version;

    const OBJECTS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web, pod-template-hash: abc, app.kubernetes.io/name: web}}
    spec:
      serviceAccountName: web
      containers:
        - ports: [{name: http, containerPort: 8080}, {containerPort: 53, protocol: UDP}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec: {template: {metadata: {labels: {app: agent}}, spec: {hostNetwork: true}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: report}}}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {name: partners}
spec: {externalCIDRs: [192.0.2.0/24, 198.51.100.7/32]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: isolate}
spec: {podSelector: {}}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: all}
spec: {endpointSelector: {}, ingress: [{}]}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: '${NAME}'}
spec: {endpointSelector: {}, ingress: [{}]}
";

    fn manifests() -> Vec<Manifest> {
        let mut sources = SourceMap::new();
        let id = sources.add("a.yaml", OBJECTS);
        crate::manifest::read(&sources, id, None, &mut Diagnostics::new())
    }

    fn semantics(version: &str) -> Semantics {
        let version = Version::parse(version).expect("a version");
        Semantics::new(version, Settings::of("use1")).expect("a known minor")
    }

    #[test]
    fn templates_are_the_pods_that_they_make() {
        let manifests = manifests();
        let objects = Objects::read(&manifests, Unplaced::Default);
        let names: Vec<_> = objects.pods.iter().map(|pods| &*pods.name).collect();
        assert_eq!(names, ["web", "report"], "those of the host network are no endpoints");
        let web = &objects.pods[0];
        assert_eq!(web.serves, [(Protocol::TCP, 8080), (Protocol::UDP, 53)]);
        let labels = &objects.namespaces["shop"];
        let identity = web.identity(&semantics("1.18.6"), labels);
        assert_eq!(
            identity.labels.to_string(),
            "k8s:app=web, k8s:app.kubernetes.io/name=web, \
             k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop, \
             k8s:io.cilium.k8s.namespace.labels.team=a, k8s:io.cilium.k8s.policy.cluster=use1, \
             k8s:io.cilium.k8s.policy.serviceaccount=web, k8s:io.kubernetes.pod.namespace=shop"
        );
        assert!(identity.ports.contains_key("http"));
        let older = web.identity(&semantics("1.16.19"), labels);
        assert_eq!(older, identity, "the same from 1.16 on");
        assert_eq!(objects.groups[0].prefixes.len(), 2);
    }

    #[test]
    fn what_names_no_namespace_is_not_guessed() {
        let manifests = manifests();
        let objects = Objects::read(&manifests, Unplaced::Unknown);
        let kept: Vec<_> = objects.policies.iter().map(|policy| policy.describe()).collect();
        assert_eq!(kept, ["CiliumClusterwideNetworkPolicy/all"]);
        let unread: Vec<_> = objects.unread.iter().map(|one| (&*one.what, &*one.why)).collect();
        assert_eq!(
            unread,
            [
                ("CronJob/report", "it names no namespace"),
                ("NetworkPolicy/isolate", "it names no namespace"),
                ("CiliumClusterwideNetworkPolicy/${NAME}", "a variable in it has no value"),
            ]
        );
        let known = objects.known();
        assert_eq!(known.cidr_groups[0].name, "partners");
        assert_eq!(known.services.as_ref().map(Vec::len), Some(0));
        let read = policies(&objects.policies, &semantics("1.18.6"), &known);
        assert_eq!(read[0].policy.rules.len(), 1);
    }
}
