//! What the objects of a cluster say of its Cilium.

use semver::Version;

use crate::manifest::Manifest;
use crate::policy::{Enforcement, Semantics, Settings};
use crate::yaml::Node;
use crate::yaml::json::json;

/// The newest release of each minor whose policy engine is known: what a minor alone stands for.
const NEWEST: [(u64, u64, u64); 5] = [(1, 16, 19), (1, 17, 6), (1, 18, 6), (1, 19, 6), (1, 20, 2)];

/// How the version of a cluster's Cilium is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The user, or the topology, says so.
    Said,
    /// The agents' DaemonSet says so.
    Seen,
    /// Nobody does: it is the newest one that is known.
    Assumed,
}

impl Because {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Seen => "seen",
            Self::Assumed => "assumed",
        }
    }
}

/// Reads a version, or a minor, which stands for its newest release.
///
/// # Errors
/// What to write instead.
pub fn version(text: &str) -> Result<Version, String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let full = Version::parse(text).ok().or_else(|| {
        let (major, minor) = text.split_once('.')?;
        let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
        let patch = NEWEST.iter().find(|known| (known.0, known.1) == (major, minor));
        Some(Version::new(major, minor, patch.map_or(0, |known| known.2)))
    });
    let known = |version: &Version| Semantics::new(version.clone(), Settings::of("")).is_some();
    full.filter(known).ok_or_else(|| {
        let [first, .., last] = NEWEST;
        format!("write a version from 1.{} to 1.{}, such as `1.{}`", first.1, last.1, last.1)
    })
}

/// The newest version that is known.
pub fn newest() -> Version {
    let [.., (major, minor, patch)] = NEWEST;
    Version::new(major, minor, patch)
}

/// The version that the agents' DaemonSet runs, as it is written.
pub(super) fn running(objects: &[Manifest]) -> Option<String> {
    let agents = objects
        .iter()
        .find(|object| object.is("apps", "DaemonSet") && object.name.value == "cilium")?;
    let containers = agents.at(&["spec", "template", "spec", "containers"])?.items()?;
    let agent = containers
        .iter()
        .find(|container| container.get("name").and_then(Node::text) == Some("cilium-agent"))?;
    let image = agent.get("image")?.text()?;
    let name = image.split('@').next()?.rsplit('/').next()?;
    name.split_once(':').map(|(_, tag)| tag.to_owned())
}

/// The ConfigMap that the agents read.
pub(super) fn config(objects: &[Manifest]) -> Option<&Manifest> {
    objects.iter().find(|object| object.is("", "ConfigMap") && object.name.value == "cilium-config")
}

/// The settings that `cilium-config` says, the agents' defaults where it says nothing
/// (`pkg/option/config.go`, `pkg/clustermesh/types/option.go`). What the chart's defaults are
/// stands in the ConfigMap that it writes, except `enable-icmp-rules`, which is on there.
pub(super) fn settings(cluster: &str, config: Option<&Manifest>) -> Settings {
    let mut settings = Settings::of(cluster);
    let Some(data) = config.and_then(|config| config.at(&["data"])) else { return settings };
    let text = |key: &str| {
        data.get(key).map(json).and_then(|value| match value {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Bool(known) => Some(known.to_string()),
            _ => None,
        })
    };
    let flag = |key: &str, otherwise: bool| match text(key).as_deref() {
        Some("true") => true,
        Some("false") => false,
        _ => otherwise,
    };
    settings.policy_default_local_cluster =
        text("policy-default-local-cluster").map(|said| said == "true");
    settings.enforcement = match text("enable-policy").as_deref() {
        Some("always") => Enforcement::Always,
        Some("never") => Enforcement::Never,
        _ => Enforcement::Default,
    };
    settings.non_default_deny = flag("enable-non-default-deny-policies", true);
    settings.node_selector_labels = flag("enable-node-selector-labels", false);
    settings.host_firewall = flag("enable-host-firewall", false);
    settings.l7_proxy = flag("enable-l7-proxy", true);
    settings.icmp_rules = flag("enable-icmp-rules", true);
    settings.extended_protocols = flag("enable-extended-ip-protocols", false);
    settings.cluster_network_policy = flag("enable-k8s-cluster-network-policy", false);
    let modes = text("policy-cidr-match-mode").unwrap_or_default();
    let has = |mode| modes.split([',', ' ']).any(|said| said == mode);
    (settings.cidr_matches_nodes, settings.cidr_matches_pods) = (has("nodes"), has("pods"));
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::manifest;
    use crate::source::SourceMap;

    #[test]
    fn a_minor_stands_for_its_newest_release() {
        assert_eq!(version("1.18"), Ok(Version::new(1, 18, 6)));
        assert_eq!(version("v1.19.2"), Ok(Version::new(1, 19, 2)));
        for text in ["1.15", "1.21.0", "latest", ""] {
            assert!(version(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_agents_settings_are_read() {
        let text = "
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {cluster-name: use1, enable-policy: always, policy-default-local-cluster: \"false\", policy-cidr-match-mode: nodes}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: cilium, namespace: kube-system}
spec:
  template:
    spec:
      containers: [{name: cilium-agent, image: \"quay.io/cilium/cilium:v1.18.6@sha256:00\"}]
";
        let mut sources = SourceMap::new();
        let id = sources.add("a.yaml", text);
        let objects = manifest::read(&sources, id, None, &mut Diagnostics::new());
        assert_eq!(running(&objects).as_deref(), Some("v1.18.6"));
        let settings = settings("use1", config(&objects));
        let expected = Settings {
            policy_default_local_cluster: Some(false),
            enforcement: Enforcement::Always,
            cidr_matches_nodes: true,
            ..Settings::of("use1")
        };
        assert_eq!(settings, expected);
    }
}
