//! Where each resource stands inside its cluster's folder.
//!
//! Objects of a namespace share a file, so that a review shows a team's change in one place.
//! Patches stand in a folder of their own beside a kustomize component, which the owner of the
//! patched objects includes; the cluster's kustomization does not list them.

use std::collections::BTreeMap;

use super::{COLLIDING_RESOURCES, yaml};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::resource::{Desired, Document, Resource, Role};
use crate::source::Span;
use crate::yaml::INVALID_VALUE;

/// The file that names what landbridge made.
pub const LOCK: &str = "landbridge.lock";
/// The file that lists the objects, for kustomize.
pub(super) const KUSTOMIZATION: &str = "kustomization.yaml";

/// Kinds whose folder is not the plural of their name.
const FOLDERS: &[(&str, &str)] = &[
    ("CiliumNetworkPolicy", "network-policies"),
    ("CiliumClusterwideNetworkPolicy", "clusterwide-policies"),
    ("AppProject", "projects"),
    ("CiliumLoadBalancerIPPool", "load-balancer"),
    ("CiliumL2AnnouncementPolicy", "load-balancer"),
    ("CiliumBGPClusterConfig", "load-balancer"),
    ("CiliumBGPPeerConfig", "load-balancer"),
    ("CiliumBGPAdvertisement", "load-balancer"),
    ("ClusterIssuer", "cert-manager/issuers"),
    ("Certificate", "cert-manager/certificates"),
    ("Gateway", "gateway"),
    ("HTTPRoute", "gateway"),
    ("ReferenceGrant", "gateway"),
    ("DNSEndpoint", "dns"),
];

/// The files of a cluster before they are text.
pub(super) struct Plan<'a> {
    /// What each file holds, by its path in the cluster's folder.
    pub(super) files: BTreeMap<String, Content<'a>>,
}

/// What a file holds.
pub(super) enum Content<'a> {
    /// No Kubernetes object.
    Document(&'a Document),
    /// Objects, sorted by name.
    Objects(Vec<&'a Resource>),
    /// A patch of somebody else's object.
    Patch(&'a Resource),
    /// The component of a folder with these patches, sorted by name.
    Component(Vec<&'a Resource>),
}

impl Content<'_> {
    fn origin(&self) -> Option<Span> {
        match self {
            Self::Document(document) => Some(document.origin),
            Self::Patch(resource) => Some(resource.origin),
            Self::Objects(resources) | Self::Component(resources) => {
                resources.first().map(|resource| resource.origin)
            }
        }
    }

    /// Takes over what the other one holds, if both may share a file.
    fn join(&mut self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Objects(all), Self::Objects(more))
            | (Self::Component(all), Self::Component(more)) => {
                all.extend(more);
                None
            }
            (_, other) => Some(other),
        }
    }
}

/// Gives every document and resource its file. What collides or has no possible path is reported
/// and left out.
pub(super) fn plan<'a>(desired: &'a Desired, found: &mut Diagnostics) -> Plan<'a> {
    let mut planner = Planner { desired, found, files: BTreeMap::new(), folded: BTreeMap::new() };
    if !is_own_folder(&desired.folder) {
        let origins = desired.resources.iter().map(|resource| resource.origin);
        let origin = desired.documents.iter().map(|document| document.origin).chain(origins).next();
        planner.impossible(&desired.folder, origin.unwrap_or_default());
    }
    for document in &desired.documents {
        planner.place(document.path.to_string(), Content::Document(document));
    }
    for resource in planner.distinct() {
        match resource.role {
            Role::Object => planner.place(object_path(resource), Content::Objects(vec![resource])),
            Role::Patch => {
                let folder = patch_folder(resource);
                let component = Content::Component(vec![resource]);
                planner.place(format!("{folder}/{KUSTOMIZATION}"), component);
                let path = format!("{folder}/{}", patch_file(resource));
                planner.place(path, Content::Patch(resource));
            }
        }
    }
    let mut files = planner.files;
    for content in files.values_mut() {
        if let Content::Objects(all) | Content::Component(all) = content {
            all.sort_by_cached_key(|resource| {
                (resource.name(), resource.kind(), resource.api_version())
            });
        }
    }
    Plan { files }
}

struct Planner<'a, 'f> {
    desired: &'a Desired,
    found: &'f mut Diagnostics,
    files: BTreeMap<String, Content<'a>>,
    /// The paths that are taken, in lower case.
    folded: BTreeMap<String, String>,
}

impl<'a> Planner<'a, '_> {
    /// The resources, without those whose name is taken by an earlier one.
    fn distinct(&mut self) -> Vec<&'a Resource> {
        let mut first = BTreeMap::new();
        let mut distinct = Vec::new();
        for resource in &self.desired.resources {
            let (kind, name) = (resource.kind(), resource.name());
            let group = resource.api_version().rsplit_once('/').map_or("", |(group, _)| group);
            let key = (group, kind, resource.namespace(), name);
            if let Some(origin) = first.get(&key) {
                let (what, cluster) = (describe(resource), &self.desired.cluster);
                let message = format!("{what} is made twice for the cluster `{cluster}`");
                self.collision(resource.origin, *origin, message);
                continue;
            }
            first.insert(key, resource.origin);
            distinct.push(resource);
        }
        distinct
    }

    fn place(&mut self, path: String, content: Content<'a>) {
        let origin = content.origin().unwrap_or_default();
        if !is_own_path(&path) || path == LOCK || path == KUSTOMIZATION {
            return self.impossible(&path, origin);
        }
        let folded = path.to_ascii_lowercase();
        let Some(taken) = self.folded.get(&folded) else {
            self.folded.insert(folded, path.clone());
            self.files.insert(path, content);
            return;
        };
        let Some(there) = self.files.get_mut(taken) else { return };
        let first = there.origin().unwrap_or_default();
        let left = if *taken == path { there.join(content) } else { Some(content) };
        if left.is_some() {
            let cluster = &self.desired.cluster;
            let message =
                format!("two resources of the cluster `{cluster}` would be written to `{path}`");
            self.collision(origin, first, message);
        }
    }

    fn collision(&mut self, origin: Span, first: Span, message: String) {
        let twice = Diagnostic::new(&COLLIDING_RESOURCES, origin, message).label("again here");
        self.found.push(twice.related(first, "first here").help("rename or remove one of them"));
    }

    /// Names are checked where they are read; this holds even if one came through.
    fn impossible(&mut self, path: &str, origin: Span) {
        let path = yaml::visible(path);
        let message = format!("internal error: `{path}` cannot be the path of a rendered file");
        self.found.push(Diagnostic::new(&INVALID_VALUE, origin, message).label("caused here"));
    }
}

/// The resource in words.
fn describe(resource: &Resource) -> String {
    let (kind, name) = (resource.kind(), resource.name());
    match resource.namespace() {
        Some(namespace) => format!("the {kind} `{namespace}/{name}`"),
        None => format!("the {kind} `{name}`"),
    }
}

/// Whether landbridge itself could have written a file to this path: parts of ASCII letters,
/// digits, `-`, `_` and `.`, none of which begins with a dot.
pub fn is_own_path(path: &str) -> bool {
    path.split('/').all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    })
}

/// Whether landbridge itself could have written a folder of this name: a cluster's, or one of a
/// GitOps tool for a cluster.
pub(super) fn is_own_folder(path: &str) -> bool {
    is_own_path(path) && path.matches('/').count() <= 1
}

/// The folders below the output folder that hold a folder for each cluster.
pub(super) const TOOLS: [&str; 2] = ["argocd", "flux"];

fn object_path(resource: &Resource) -> String {
    if resource.kind() == "Namespace" {
        return "namespaces.yaml".to_owned();
    }
    let folder = FOLDERS
        .iter()
        .find(|(kind, _)| *kind == resource.kind())
        .map_or_else(|| plural(&kebab(resource.kind())), |(_, folder)| (*folder).to_owned());
    format!("{folder}/{}.yaml", resource.namespace().unwrap_or(resource.name()))
}

fn patch_folder(resource: &Resource) -> String {
    // A patch without a namespace gives an empty part, which is refused.
    format!("{}-patches/{}", kebab(resource.kind()), resource.namespace().unwrap_or_default())
}

/// The file of a patch inside its folder.
pub(super) fn patch_file(resource: &Resource) -> String {
    format!("{}.yaml", resource.name())
}

/// `ServiceExport` to `service-export`, `HTTPRoute` to `http-route`.
fn kebab(kind: &str) -> String {
    let chars: Vec<_> = kind.chars().collect();
    let mut out = String::with_capacity(kind.len() + 4);
    for (at, char) in chars.iter().enumerate() {
        let after_word = at > 0 && !chars[at - 1].is_ascii_uppercase();
        let before_word = at > 0 && chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if char.is_ascii_uppercase() && (after_word || before_word) {
            out.push('-');
        }
        out.push(char.to_ascii_lowercase());
    }
    out
}

fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with(['s', 'x']) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_name_their_folders() {
        for (kind, folder) in [
            ("Service", "services"),
            ("ServiceExport", "service-exports"),
            ("NetworkPolicy", "network-policies"),
            ("HTTPRoute", "http-routes"),
            ("DNSEndpoint", "dns-endpoints"),
            ("CiliumLoadBalancerIPPool", "cilium-load-balancer-ip-pools"),
            ("Gateway", "gateways"),
            ("IngressClass", "ingress-classes"),
        ] {
            assert_eq!(plural(&kebab(kind)), folder);
        }
    }

    #[test]
    fn only_plain_paths_are_its_own() {
        for path in ["a.yaml", "services/payments.yaml", "service-patches/a/b.c.yaml", "a_b"] {
            assert!(is_own_path(path), "{path}");
        }
        for path in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/..",
            "a/../b",
            ".git",
            "a/.hidden",
            "a b",
            "a\nb",
            "a\\b",
            "C:a",
            "a\0",
            "é",
            "~",
            "-a",
            "a/-b",
        ] {
            assert!(!is_own_path(path), "{path:?}");
        }
    }
}
