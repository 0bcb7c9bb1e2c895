//! The versions that clusters pin, and which facts are about them.

use std::collections::BTreeMap;
use std::fmt;

use semver::Version;

use crate::source::{Span, Spanned};
use crate::spec::version_facts::{Interval, VersionRange, VersionRanges};
use crate::topology::{Cluster, ClusterId, Topology};

/// What has a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product<'a> {
    /// Cilium's chart.
    Cilium,
    /// cert-manager.
    CertManager,
    /// Kubernetes.
    Kubernetes,
    /// A component that the team named.
    Component(&'a str),
}

impl fmt::Display for Product<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cilium => "Cilium",
            Self::CertManager => "cert-manager",
            Self::Kubernetes => "Kubernetes",
            Self::Component(name) => name,
        })
    }
}

/// A version that a cluster pins.
#[derive(Clone, Debug)]
pub struct Pin<'a> {
    /// Of what.
    pub product: Product<'a>,
    /// As it was written.
    pub text: String,
    /// Where.
    pub span: Span,
    /// The releases that it may be: one, or all patches of a minor where a managed control plane
    /// offers no more.
    pub interval: Interval,
}

impl fmt::Display for Pin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.product, self.text)
    }
}

impl<'a> Pin<'a> {
    /// What a cluster pins of a product, if it can be compared.
    pub fn of(product: Product<'a>, cluster: &Cluster) -> Option<Self> {
        let written = |text: &Spanned<String>| {
            let interval = if let Ok(version) = Version::parse(text) {
                Interval::one(&version)
            } else {
                let first = Version::parse(&format!("{}.0", text.value)).ok()?;
                Interval::minor(first.major, first.minor)
            };
            Some(Self { product, text: text.value.clone(), span: text.span, interval })
        };
        match product {
            Product::Cilium => Some(Self {
                product,
                text: cluster.cilium.to_string(),
                span: cluster.cilium.span,
                interval: Interval::one(&cluster.cilium),
            }),
            Product::CertManager => written(cluster.cert_manager.as_ref()?),
            Product::Kubernetes => written(cluster.kubernetes.as_ref()?),
            Product::Component(name) => {
                let at = cluster.components.binary_search_by(|known| known.0.as_str().cmp(name));
                written(&cluster.components[at.ok()?].1)
            }
        }
    }
}

/// The products that ranges name, the one of `fixedIn` first.
pub fn named(ranges: &VersionRanges) -> Vec<(Product<'_>, &[VersionRange])> {
    let own = [
        (Product::Cilium, &ranges.cilium),
        (Product::CertManager, &ranges.cert_manager),
        (Product::Kubernetes, &ranges.kubernetes),
    ];
    let own = own.into_iter().map(|(product, ranges)| (product, &*ranges.0));
    let components = ranges
        .components
        .iter()
        .map(|(name, ranges)| (Product::Component(&name.value), &*ranges.0));
    own.chain(components).filter(|(_, ranges)| !ranges.is_empty()).collect()
}

/// The pins of a cluster that make ranges fit; nothing where they do not, or name no product. A
/// minor fits where all of its patches do.
pub fn fit<'a>(ranges: &'a VersionRanges, cluster: &Cluster) -> Option<Vec<Pin<'a>>> {
    let pin = |(product, ranges): (Product<'a>, &[VersionRange])| {
        let pin = Pin::of(product, cluster)?;
        ranges.iter().any(|range| range.interval.contains(pin.interval)).then_some(pin)
    };
    let pins: Option<Vec<_>> = named(ranges).into_iter().map(pin).collect();
    pins.filter(|pins| !pins.is_empty())
}

/// The pins of a cluster that ranges ask to be others, each with what is asked. A minor is none
/// of them where any of its patches would do.
pub fn unmet<'a>(
    ranges: &'a VersionRanges,
    cluster: &Cluster,
) -> Vec<(Pin<'a>, &'a [VersionRange])> {
    let pinned = named(ranges).into_iter();
    let pinned = pinned.filter_map(|(product, ranges)| Some((Pin::of(product, cluster)?, ranges)));
    pinned
        .filter(|(pin, ranges)| !ranges.iter().any(|range| range.interval.meets(pin.interval)))
        .collect()
}

/// The same pins, in some clusters.
#[derive(Debug)]
pub struct Case<'a> {
    /// The pins.
    pub pins: Vec<Pin<'a>>,
    /// The clusters that have them.
    pub clusters: Vec<&'a Cluster>,
}

/// Groups clusters by the pins that `pick` gives of them: however many clusters inherit a
/// version, it stands in one place and makes one finding.
pub fn cases<'a>(
    topology: &'a Topology,
    pick: impl Fn(ClusterId, &'a Cluster) -> Option<Vec<Pin<'a>>>,
) -> Vec<Case<'a>> {
    let mut groups: BTreeMap<Vec<(Span, String)>, Case<'a>> = BTreeMap::new();
    for (id, cluster) in topology.clusters() {
        let Some(pins) = pick(id, cluster) else { continue };
        let key = pins.iter().map(|pin| (pin.span, pin.text.clone())).collect();
        let case = groups.entry(key).or_insert_with(|| Case { pins, clusters: Vec::new() });
        case.clusters.push(cluster);
    }
    groups.into_values().collect()
}

/// The names of clusters, the first three of many.
pub fn names(clusters: &[&Cluster]) -> String {
    let shown: Vec<_> =
        clusters.iter().take(3).map(|cluster| format!("`{}`", cluster.name.value)).collect();
    let shown = shown.join(", ");
    match clusters.len().saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
