//! Labels with the source that they come from, and the keys that select them.
//!
//! Cilium's labels are `source:key=value` (`pkg/labels/labels.go`). A pod's own labels, its
//! namespace's and its cluster's come from `k8s`; what Cilium itself calls things comes from
//! `reserved`; addresses from `cidr`. A key in a selector names a source or any.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// The label that names a pod's namespace (`pkg/k8s/apis/cilium.io/const.go`).
pub const NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// Before the key of every label of a pod's namespace.
pub const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels";
/// The label that names a pod's cluster.
pub const CLUSTER: &str = "io.cilium.k8s.policy.cluster";
/// The label that names a pod's service account.
pub const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";

/// Where a label comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Kubernetes: labels of pods and namespaces, and what Cilium derives of them.
    K8s,
    /// Cilium's own words: `host`, `world`, `remote-node` and so on.
    Reserved,
    /// An address.
    Cidr,
    /// A group of addresses.
    CidrGroup,
    /// A label of a Kubernetes node.
    Node,
    /// Any other.
    Other(Box<str>),
}

impl Source {
    /// The source of this name.
    pub fn named(name: &str) -> Self {
        match name {
            "k8s" => Self::K8s,
            "reserved" => Self::Reserved,
            "cidr" => Self::Cidr,
            "cidrgroup" => Self::CidrGroup,
            "node" => Self::Node,
            other => Self::Other(other.into()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::K8s => "k8s",
            Self::Reserved => "reserved",
            Self::Cidr => "cidr",
            Self::CidrGroup => "cidrgroup",
            Self::Node => "node",
            Self::Other(name) => name,
        }
    }
}

/// A label of an identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Its key, without the source. First, so that labels are sorted by key as Cilium sorts them.
    pub key: Box<str>,
    /// Where it comes from.
    pub source: Source,
    /// Its value; empty for what has none.
    pub value: Box<str>,
}

impl Label {
    /// A label.
    pub fn new(source: Source, key: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        Self { key: key.into(), source, value: value.into() }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.source.name(), self.key)?;
        if self.value.is_empty() { Ok(()) } else { write!(out, "={}", self.value) }
    }
}

/// The key of a label as a selector names it: of one source, or of any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The source; nothing for any.
    pub source: Option<Source>,
    /// The key, without the source.
    pub key: Box<str>,
}

impl Key {
    /// A key of Kubernetes.
    pub fn k8s(key: impl Into<Box<str>>) -> Self {
        Self { source: Some(Source::K8s), key: key.into() }
    }

    /// A key that is Cilium's own.
    pub fn reserved(key: impl Into<Box<str>>) -> Self {
        Self { source: Some(Source::Reserved), key: key.into() }
    }

    /// Reads `source:key`, `any:key`, `$reserved` or a key without a source, which is of the
    /// source `otherwise` (`parseSource` in `pkg/labels/labels.go`).
    pub fn parse(text: &str, otherwise: Option<Source>) -> Self {
        if let Some(key) = text.strip_prefix('$') {
            return Self::reserved(key);
        }
        match text.split_once(':') {
            None | Some(("", _)) => {
                Self { source: otherwise, key: text.trim_start_matches(':').into() }
            }
            Some(("any", key)) => Self { source: None, key: key.into() },
            Some((source, key)) => Self { source: Some(Source::named(source)), key: key.into() },
        }
    }

    /// Whether it is this key of Kubernetes, written with the source or without any.
    pub fn is_k8s(&self, key: &str) -> bool {
        *self.key == *key && matches!(self.source, None | Some(Source::K8s))
    }

    /// Whether it starts with `prefix` and is of Kubernetes or of any source.
    pub fn starts_k8s(&self, prefix: &str) -> bool {
        self.key.starts_with(prefix) && matches!(self.source, None | Some(Source::K8s))
    }

    /// Whether a label has this key. An address has the keys of all prefixes that it is in
    /// (`Label.HasKey` in `pkg/labels/labels.go`).
    fn fits(&self, label: &Label) -> bool {
        match &self.source {
            Some(source) if *source != label.source => false,
            Some(Source::Cidr) => match (prefix(&self.key), prefix(&label.key)) {
                (Some(wide), Some(narrow)) => wide.contains(&narrow),
                _ => false,
            },
            Some(_) | None => label.key == self.key,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.as_ref().map_or("any", Source::name);
        write!(out, "{source}:{}", self.key)
    }
}

/// Reads the key of an address; labels write IPv6 with `-` for `:`.
fn prefix(key: &str) -> Option<IpNet> {
    let text = key.replace('-', ":");
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The labels of an identity, sorted and distinct.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(Vec<Label>);

impl Labels {
    /// The value of the first label with a key.
    pub fn get(&self, key: &Key) -> Option<&str> {
        self.0.iter().find(|label| key.fits(label)).map(|label| &*label.value)
    }

    /// The value of the label of Kubernetes with a key.
    pub fn of_kubernetes(&self, key: &str) -> Option<&str> {
        let own = |label: &&Label| label.source == Source::K8s && *label.key == *key;
        self.0.iter().find(own).map(|label| &*label.value)
    }

    /// Whether Cilium's own label `name` is among them.
    pub fn is_reserved(&self, name: &str) -> bool {
        self.0.iter().any(|label| label.source == Source::Reserved && *label.key == *name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.0.iter()
    }
}

impl FromIterator<Label> for Labels {
    fn from_iter<T: IntoIterator<Item = Label>>(labels: T) -> Self {
        let mut labels: Vec<Label> = labels.into_iter().collect();
        labels.sort();
        labels.dedup_by(|later, first| later.key == first.key && later.source == first.source);
        Self(labels)
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(out, "{comma}{label}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_source_or_any() {
        let labels: Labels = [Label::new(Source::K8s, "app", "web")].into_iter().collect();
        assert_eq!(labels.get(&Key::parse("k8s:app", None)), Some("web"));
        assert_eq!(labels.get(&Key::parse("any:app", Some(Source::K8s))), Some("web"));
        assert_eq!(labels.get(&Key::parse("app", None)), Some("web"));
        assert_eq!(labels.get(&Key::parse("reserved:app", None)), None);
        assert_eq!(Key::parse("$host", None), Key::reserved("host"));
        assert_eq!(Key::parse("app", Some(Source::K8s)), Key::k8s("app"));
    }

    #[test]
    fn an_address_has_the_keys_of_the_prefixes_that_it_is_in() {
        let labels: Labels = [Label::new(Source::Cidr, "10.1.2.3/32", "")].into_iter().collect();
        assert!(labels.get(&Key::parse("cidr:10.0.0.0/8", None)).is_some());
        assert!(labels.get(&Key::parse("cidr:10.2.0.0/16", None)).is_none());
        assert!(labels.get(&Key::parse("cidr:2001-db8--/32", None)).is_none());
    }

    #[test]
    fn a_key_may_be_of_several_sources() {
        let own = [(Source::Reserved, ""), (Source::K8s, "web"), (Source::K8s, "web")];
        let labels: Labels =
            own.into_iter().map(|(source, value)| Label::new(source, "app", value)).collect();
        assert_eq!(labels.to_string(), "k8s:app=web, reserved:app");
    }
}
