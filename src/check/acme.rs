//! Issuers and certificates of ACME, declared and hand-written, as one list: what several rules
//! look at.

mod certificate;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::Manifest;
use crate::source::Span;
use crate::topology::dns::canonical;
use crate::topology::{ClusterSet, Topology};
use crate::yaml::Node;
pub(super) use certificate::{Certificate, certificates};

/// The API group of cert-manager's own kinds.
pub(super) const GROUP: &str = "cert-manager.io";

/// An issuer that asks an ACME server.
#[derive(Debug)]
pub(super) struct Issuer<'a> {
    /// Its namespace; nothing for a ClusterIssuer.
    pub(super) namespace: Option<&'a str>,
    /// Its name.
    pub(super) name: &'a str,
    /// Where its name stands.
    pub(super) span: Span,
    /// The clusters that have it.
    pub(super) clusters: &'a ClusterSet,
    /// The URL of the server's directory.
    pub(super) server: &'a str,
    /// The account's e-mail address.
    pub(super) email: Option<&'a str>,
    /// The Secret of the account's key, and where it is named.
    pub(super) account_key: Option<(&'a str, Span)>,
    /// Whether some solver takes every challenge.
    everything: bool,
    /// The zones whose challenges it solves.
    zones: BTreeSet<Cow<'a, str>>,
    /// The names whose challenges it solves.
    names: BTreeSet<Cow<'a, str>>,
}

impl Issuer<'_> {
    /// Whether a solver takes a challenge for the name. A name with a star is proved without it.
    /// Source: cert-manager's documentation, "ACME", "Adding multiple solver types".
    pub(super) fn covers(&self, name: &str) -> bool {
        let bare = name.strip_prefix("*.").unwrap_or(name);
        self.everything
            || self.names.contains(bare)
            || ends(bare).any(|end| self.zones.contains(end))
    }
}

/// A name without its star, and what is left of it behind each dot: the zones that cover it, the
/// longest first.
pub(super) fn ends(name: &str) -> impl Iterator<Item = &str> {
    let bare = name.strip_prefix("*.").unwrap_or(name);
    std::iter::once(bare).chain(bare.match_indices('.').map(|(at, _)| &bare[at + 1..]))
}

/// The issuers of ACME, the declared ones first.
pub(super) fn issuers(topology: &Topology) -> Vec<Issuer<'_>> {
    let declared = topology.issuers.iter().filter_map(|issuer| {
        let acme = issuer.acme()?;
        Some(Issuer {
            namespace: None,
            name: &issuer.name.value,
            span: issuer.name.span,
            clusters: &issuer.clusters,
            server: acme.server.url(),
            email: acme.email.as_deref(),
            account_key: Some((&acme.account_key.value, acme.account_key.span)),
            everything: false,
            zones: acme
                .zones
                .iter()
                .map(|zone| (&*topology.zone(*zone).name.value).into())
                .collect(),
            names: BTreeSet::new(),
        })
    });
    declared
        .chain(written(topology).filter_map(|(object, clusters)| {
            let acme = object.at(&["spec", "acme"])?;
            // An Issuer that says no namespace may be any.
            let namespace = object.namespace.as_ref().map(|namespace| &*namespace.value);
            if object.kind.value == "Issuer" && namespace.is_none() {
                return None;
            }
            let key = acme.at(&["privateKeySecretRef", "name"]);
            let solvers = acme.get("solvers").and_then(Node::items).unwrap_or_default();
            Some(Issuer {
                namespace: namespace.filter(|_| object.kind.value == "Issuer"),
                name: &object.name.value,
                span: object.name.span,
                clusters,
                server: acme.get("server")?.text()?,
                email: acme.get("email").and_then(Node::text),
                account_key: key.and_then(|key| Some((key.text()?, key.span))),
                // Labels of the Certificate may select a solver that names nothing.
                everything: solvers.iter().any(|solver| {
                    ["dnsZones", "dnsNames"]
                        .iter()
                        .all(|key| selected(solver, key).next().is_none())
                }),
                zones: solvers.iter().flat_map(|solver| selected(solver, "dnsZones")).collect(),
                names: solvers.iter().flat_map(|solver| selected(solver, "dnsNames")).collect(),
            })
        }))
        .collect()
}

/// What a solver's selector lists.
fn selected<'a>(solver: &Node, key: &str) -> impl Iterator<Item = Cow<'a, str>> {
    let items = solver.at(&["selector", key]).and_then(Node::items).unwrap_or_default();
    items.iter().filter_map(Node::text).map(|name| canonical(name).into())
}

/// Hand-written issuers with the clusters that have them.
pub(super) fn written(topology: &Topology) -> impl Iterator<Item = (&Manifest, &ClusterSet)> {
    topology.manifests.iter().flat_map(|set| {
        let issuers = set
            .objects
            .iter()
            .filter(|object| object.is(GROUP, "ClusterIssuer") || object.is(GROUP, "Issuer"));
        issuers.map(|object| (object, &set.clusters))
    })
}

/// Issuers by namespace and name.
pub(super) struct Index<'i, 'a>(BTreeMap<(Option<&'a str>, &'a str), Vec<&'i Issuer<'a>>>);

impl<'i, 'a> Index<'i, 'a> {
    /// The index of these issuers.
    pub(super) fn of(issuers: &'i [Issuer<'a>]) -> Self {
        let mut index: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for issuer in issuers {
            index.entry((issuer.namespace, issuer.name)).or_default().push(issuer);
        }
        Self(index)
    }

    /// The issuers of a certificate: several where its clusters have different ones of that name.
    pub(super) fn of_certificate<'s>(
        &'s self,
        certificate: &Certificate<'s>,
    ) -> impl Iterator<Item = &'i Issuer<'a>> {
        let same = self.0.get(&certificate.issuer).into_iter().flatten().copied();
        same.filter(|issuer| !issuer.clusters.and(certificate.clusters).is_empty())
    }
}
