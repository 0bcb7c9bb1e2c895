//! DNS-01 solvers of cert-manager for DNS providers that the language does not know itself.
//!
//! Each is declared as cert-manager's ClusterIssuer has it below `spec.acme.solvers[].dns01`, so
//! that a mistake in one is found where it was written. Source: the CRD of cert-manager 1.21,
//! with which a test compares the declarations.

use super::value::{HostName, HttpsUrl, Subdomain, Word};
use crate::diagnostic::Diagnostics;
use crate::source::Spanned;
use crate::yaml::Node;
use crate::yaml::fields::{Decode, Free, invalid, quoted, text};
use crate::yaml::shape::Shape;
use crate::{choice, object};

object! {
    /// One of cert-manager's DNS-01 solvers, as it stands below `dns01` of a ClusterIssuer.
    pub struct Dns01 {
        /// acme-dns, a server for challenges alone.
        "acmeDNS" => acme_dns: Option<AcmeDns>,
        /// Akamai Edge DNS.
        "akamai" => akamai: Option<Akamai>,
        /// Azure DNS.
        "azureDNS" => azure_dns: Option<AzureDns>,
        /// Google Cloud DNS.
        "cloudDNS" => cloud_dns: Option<CloudDns>,
        /// `DigitalOcean`.
        "digitalocean" => digitalocean: Option<DigitalOcean>,
        /// Any server that takes dynamic updates of RFC 2136.
        "rfc2136" => rfc2136: Option<Rfc2136>,
        /// A webhook that somebody else wrote.
        "webhook" => webhook: Option<Webhook>,
    }

    /// A key of a Secret in cert-manager's namespace.
    pub struct SolverSecret {
        /// The Secret's name.
        "name" => name: Spanned<Subdomain>,
        /// The key in it.
        "key" => key: Option<Spanned<Word>>,
    }

    /// acme-dns.
    pub struct AcmeDns {
        /// Where its API is.
        "host" => host: Spanned<Word>,
        /// The accounts in it.
        "accountSecretRef" => account: SolverSecret,
    }

    /// Akamai Edge DNS.
    pub struct Akamai {
        /// The host of its API.
        "serviceConsumerDomain" => domain: Spanned<Word>,
        /// The client's token.
        "clientTokenSecretRef" => client_token: SolverSecret,
        /// The client's secret.
        "clientSecretSecretRef" => client_secret: SolverSecret,
        /// The access token.
        "accessTokenSecretRef" => access_token: SolverSecret,
    }

    /// Azure DNS.
    pub struct AzureDns {
        /// The subscription of the zone.
        "subscriptionID" => subscription: Spanned<Word>,
        /// The resource group of the zone.
        "resourceGroupName" => resource_group: Spanned<Word>,
        /// The zone's name.
        "hostedZoneName" => zone: Option<Spanned<HostName>>,
        /// The cloud.
        "environment" => environment: Option<Spanned<AzureEnvironment>>,
        /// Whether the zone is private.
        "zoneType" => zone_type: Option<Spanned<AzureZoneType>>,
        /// The tenant of the service principal.
        "tenantID" => tenant: Option<Spanned<Word>>,
        /// The service principal; without one the pod's own identity counts.
        "clientID" => client: Option<Spanned<Word>>,
        /// The password of the service principal.
        "clientSecretSecretRef" => client_secret: Option<SolverSecret>,
        /// The pod's own identity.
        "managedIdentity" => managed_identity: Option<AzureManagedIdentity>,
    }

    /// The identity of a pod in Azure.
    pub struct AzureManagedIdentity {
        /// By its client id.
        "clientID" => client: Option<Spanned<Word>>,
        /// By its resource id.
        "resourceID" => resource: Option<Spanned<Word>>,
        /// Its tenant.
        "tenantID" => tenant: Option<Spanned<Word>>,
    }

    /// Google Cloud DNS.
    pub struct CloudDns {
        /// The project of the zone.
        "project" => project: Spanned<Word>,
        /// The name of the managed zone.
        "hostedZoneName" => zone: Option<Spanned<Word>>,
        /// The key of a service account; without one the pod's own identity counts.
        "serviceAccountSecretRef" => service_account: Option<SolverSecret>,
    }

    /// `DigitalOcean`.
    pub struct DigitalOcean {
        /// The token of its API.
        "tokenSecretRef" => token: SolverSecret,
    }

    /// A server that takes dynamic updates.
    pub struct Rfc2136 {
        /// The server: an address with an optional port.
        "nameserver" => nameserver: Spanned<Word>,
        /// How it is spoken to.
        "protocol" => protocol: Option<Spanned<Rfc2136Protocol>>,
        /// The name of the TSIG key.
        "tsigKeyName" => key_name: Option<Spanned<Word>>,
        /// The algorithm of the TSIG key.
        "tsigAlgorithm" => algorithm: Option<Spanned<Word>>,
        /// The TSIG key.
        "tsigSecretSecretRef" => key: Option<SolverSecret>,
    }

    /// A webhook.
    pub struct Webhook {
        /// The API group of the webhook.
        "groupName" => group: Spanned<Word>,
        /// The solver's name in that group.
        "solverName" => solver: Spanned<Word>,
        /// What the webhook reads; secrets only by reference.
        "config" => config: Option<Free>,
    }
}

choice! {
    /// A cloud of Azure.
    pub enum AzureEnvironment {
        /// The public one.
        "AzurePublicCloud" => Public,
        /// China.
        "AzureChinaCloud" => China,
        /// Germany.
        "AzureGermanCloud" => German,
        /// The government of the United States.
        "AzureUSGovernmentCloud" => UsGovernment,
    }

    /// Whether a zone of Azure is private.
    pub enum AzureZoneType {
        /// It is public.
        "AzurePublicZone" => Public,
        /// It is private.
        "AzurePrivateZone" => Private,
    }

    /// How a DNS server is spoken to.
    pub enum Rfc2136Protocol {
        /// TCP.
        "TCP" => Tcp,
        /// UDP.
        "UDP" => Udp,
    }
}

/// A solver as it was written, known to be one.
#[derive(Clone, Debug, PartialEq)]
pub struct Solver(pub Node);

impl Decode for Solver {
    fn shape() -> Shape {
        Dns01::shape()
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let solver = Dns01::decode(node, found)?;
        let providers: Vec<_> = node.entries().unwrap_or_default().iter().map(|e| &e.key).collect();
        match providers[..] {
            [_] if solver.broken.is_empty() => return Some(Self(node.clone())),
            // What is wrong in it has been reported.
            [_] => {}
            [] => invalid(node.span, "a solver has a provider", "name one", found),
            _ => {
                let message = format!("a solver has one provider, not {}", quoted(&providers));
                invalid(node.span, message, "keep one of them", found);
            }
        }
        None
    }
}

/// An ACME server: `production` and `staging` are Let's Encrypt's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcmeServer {
    /// Let's Encrypt.
    Production,
    /// Let's Encrypt's staging environment, whose certificates nobody trusts.
    Staging,
    /// Another directory.
    Url(String),
}

impl AcmeServer {
    /// The URL of its directory.
    /// Source: Let's Encrypt, "Challenge Types" and "Staging Environment".
    pub fn url(&self) -> &str {
        match self {
            Self::Production => "https://acme-v02.api.letsencrypt.org/directory",
            Self::Staging => "https://acme-staging-v02.api.letsencrypt.org/directory",
            Self::Url(url) => url,
        }
    }
}

impl Decode for AcmeServer {
    fn shape() -> Shape {
        Shape::Text {
            what: "`production`, `staging`, or the URL of an ACME directory",
            pattern: None,
        }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        match text(node, "an ACME server", found)? {
            "production" => Some(Self::Production),
            "staging" => Some(Self::Staging),
            url if url.contains(':') => HttpsUrl::decode(node, found).map(|url| Self::Url(url.0)),
            text => {
                let message = format!("`{}` is no ACME server", text.escape_debug());
                let help = "write `production`, `staging`, or the URL of an ACME directory";
                invalid(node.span, message, help, found);
                None
            }
        }
    }
}
