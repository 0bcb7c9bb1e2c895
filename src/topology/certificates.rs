//! Certificates for names outside the mesh, and who may solve challenges for them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use semver::Version;

use super::dns::Zone;
use super::id::{ClusterId, ClusterSet, IssuerId, ZoneId};
use super::{Cluster, Topology};
use crate::source::{Span, Spanned};
use crate::spec::certificates::{KeyAlgorithm, RotationPolicy};
use crate::spec::dns::{Credentials, DnsProvider};
use crate::spec::solver::AcmeServer;

/// The ServiceAccount that is made for zones whose credentials are `service-account`.
pub const DNS01_ACCOUNT: &str = "cert-manager-dns01";

/// Where cert-manager runs, the same in every cluster.
#[derive(Clone, Debug)]
pub struct CertManager {
    /// Its namespace, in which ClusterIssuers look for their Secrets and ServiceAccounts.
    pub namespace: String,
    /// The ServiceAccount of its controller.
    pub service_account: String,
}

impl Default for CertManager {
    /// What the chart's documentation installs.
    fn default() -> Self {
        Self { namespace: "cert-manager".into(), service_account: "cert-manager".into() }
    }
}

/// An issuer of certificates.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name.
    pub name: Spanned<String>,
    /// Where its content stands.
    pub span: Span,
    /// Who signs.
    pub authority: Authority,
    /// The clusters that have it.
    pub clusters: ClusterSet,
}

/// Who signs certificates.
#[derive(Clone, Debug)]
pub enum Authority {
    /// An ACME server, with DNS-01.
    Acme(Box<Acme>),
    /// A CA of one's own, by the name of its Secret.
    Ca(String),
    /// Each certificate itself.
    SelfSigned,
}

/// An ACME server and the account there.
#[derive(Clone, Debug)]
pub struct Acme {
    /// The server.
    pub server: Spanned<AcmeServer>,
    /// The account's e-mail address.
    pub email: Option<String>,
    /// The zones in which challenges are solved. Of a public and a private zone of one name it
    /// is the public one.
    pub zones: Vec<ZoneId>,
    /// The Secret of the account's key.
    pub account_key: Spanned<String>,
    /// The profile that is asked for.
    pub profile: Option<Spanned<String>>,
    /// The common name of the root whose chain is preferred.
    pub preferred_chain: Option<String>,
    /// The account at the CA: its id, and name and key of its Secret.
    pub external_account: Option<(String, (String, String))>,
}

impl Issuer {
    /// Its ACME server, if it has one.
    pub fn acme(&self) -> Option<&Acme> {
        match &self.authority {
            Authority::Acme(acme) => Some(acme),
            Authority::Ca(_) | Authority::SelfSigned => None,
        }
    }
}

/// A certificate that clusters ask for.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// The DNS name that it is for, in lower case, without a dot at the end.
    pub name: Spanned<String>,
    /// Where its content stands.
    pub span: Span,
    /// Who issues it.
    pub issuer: IssuerId,
    /// The clusters that ask.
    pub clusters: ClusterSet,
    /// All names that it is for, sorted; `name` is one of them.
    pub names: Vec<Spanned<String>>,
    /// The object that asks; nothing where something in the clusters does.
    pub certificate: Option<Certificate>,
}

/// The name of an object for a DNS name, which may begin with a star.
pub fn object_name(name: &str) -> String {
    match name.strip_prefix("*.") {
        Some(rest) => format!("wildcard.{rest}"),
        None => name.to_owned(),
    }
}

/// A Certificate object.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its namespace.
    pub namespace: String,
    /// The Secret that takes it.
    pub secret_name: Spanned<String>,
    /// How long it is asked to be valid.
    pub duration: Option<Duration>,
    /// How long before its end it is renewed.
    pub renew_before: Option<Duration>,
    /// The algorithm of its private key.
    pub algorithm: Option<KeyAlgorithm>,
    /// The size of its private key in bits.
    pub size: Option<i64>,
    /// Whether each certificate has a new private key.
    pub rotation: RotationPolicy,
}

/// How cert-manager gets at a Route 53 zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// It exchanges a token of [`DNS01_ACCOUNT`] for the role.
    ServiceAccount(String),
    /// AWS gives the role to its own ServiceAccount.
    Irsa(String),
    /// With what its pod finds, perhaps assuming a role.
    Ambient(Option<String>),
    /// With an access key, perhaps assuming a role.
    Key(Option<String>),
}

impl Access {
    /// The role that changes the zone.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::ServiceAccount(role) | Self::Irsa(role) => Some(role),
            Self::Ambient(role) | Self::Key(role) => role.as_deref(),
        }
    }
}

/// A role of AWS that changes zones.
#[derive(Clone, Debug, Default)]
pub struct DnsRole {
    /// The zones that it changes.
    pub zones: BTreeSet<ZoneId>,
    /// The clusters that use it.
    pub clusters: ClusterSet,
    /// Who takes it by a token: clusters and their ServiceAccounts.
    pub trusted: BTreeSet<(ClusterId, String)>,
}

impl Cluster {
    /// Whether its cert-manager is older than 1.`minor`; it is not where nobody pins it.
    pub fn cert_manager_before(&self, minor: u64) -> bool {
        let pinned = self.cert_manager.as_ref().and_then(|text| Version::parse(text).ok());
        pinned.is_some_and(|version| (version.major, version.minor) < (1, minor))
    }
}

impl Zone {
    /// How a cluster's cert-manager gets at it; nothing where it is none of Route 53.
    ///
    /// Tokens of other ServiceAccounts are exchanged from 1.15 on. Source: cert-manager's release
    /// notes of 1.15 and its pull request 6878.
    pub fn access(&self, cluster: &Cluster) -> Option<Access> {
        if self.provider != DnsProvider::Route53 {
            return None;
        }
        // A name that is too long has been reported.
        let role = self.role.as_ref().and_then(|role| role.of_cluster(&cluster.name).ok());
        if self.access_key.is_some() {
            return Some(Access::Key(role));
        }
        let tokens = cluster.oidc_issuer.is_some() && !cluster.cert_manager_before(15);
        let said = self.credentials.as_ref().map(|credentials| credentials.value);
        Some(match (role, said) {
            (Some(role), Some(Credentials::ServiceAccount)) => Access::ServiceAccount(role),
            (Some(role), None) if tokens => Access::ServiceAccount(role),
            (Some(role), Some(Credentials::Irsa)) => Access::Irsa(role),
            (role, _) => Access::Ambient(role),
        })
    }
}

impl Topology {
    /// The zones that a cluster's issuers solve challenges in, each once.
    pub fn solved_zones(&self, cluster: ClusterId) -> BTreeSet<ZoneId> {
        let issuers = self.issuers.iter().filter(|issuer| issuer.clusters.contains(cluster));
        issuers.filter_map(Issuer::acme).flat_map(|acme| acme.zones.iter().copied()).collect()
    }

    /// The roles of AWS with which cert-manager changes zones, by their ARNs.
    pub fn dns_roles(&self) -> BTreeMap<String, DnsRole> {
        let mut roles: BTreeMap<String, DnsRole> = BTreeMap::new();
        for (id, cluster) in self.clusters() {
            for zone in self.solved_zones(id) {
                let Some(access) = self.zone(zone).access(cluster) else { continue };
                let Some(arn) = access.role() else { continue };
                let role = roles.entry(arn.to_owned()).or_default();
                role.zones.insert(zone);
                role.clusters.insert(id);
                let account = match access {
                    Access::ServiceAccount(_) => DNS01_ACCOUNT,
                    Access::Irsa(_) => &self.cert_manager.service_account,
                    Access::Ambient(_) | Access::Key(_) => continue,
                };
                role.trusted.insert((id, account.to_owned()));
            }
        }
        roles
    }
}
