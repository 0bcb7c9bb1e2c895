//! DNS, certificates, entrypoints, guards and drift, as they were written.

use super::flow::GuardPeer;
use super::ports::Ports;
use super::value::{HostName, RelativePath, Subdomain, Time, Word};
use crate::source::Spanned;
use crate::yaml::fields::{Int, Map};
use crate::{choice, object};

object! {
    /// Hand-written Kubernetes objects beside the generated ones.
    pub struct Manifests {
        /// Their files, as globs below the project.
        "files" => files: Vec<Spanned<RelativePath>>,
        /// The clusters that they are applied to; every cluster unless said here.
        "clusters" => clusters: Vec<Spanned<String>>,
        /// Where the values of Flux's `${VARIABLE}` come from.
        "substitute" => substitute: Option<Substitute>,
    }

    /// Where the values of Flux's `${VARIABLE}` come from.
    pub struct Substitute {
        /// A file with the ConfigMap, below the project.
        "configMap" => config_map: Spanned<RelativePath>,
    }

    /// The GitOps tool that applies the rendered files.
    pub struct GitOps {
        /// Which.
        "tool" => tool: Spanned<GitOpsTool>,
        /// The repository that it reads.
        "url" => url: Option<Spanned<Word>>,
        /// The branch that it reads.
        "branch" => branch: Option<Spanned<Word>>,
    }

    /// DNS.
    pub struct Dns {
        /// The zones in which names of the mesh stand.
        "zones" => zones: Vec<Zone>,
    }

    /// A DNS zone.
    pub struct Zone {
        /// Its name.
        "name" => name: Spanned<HostName>,
        /// Who serves it.
        "provider" => provider: Spanned<DnsProvider>,
        /// The id of a Route 53 zone.
        "hostedZoneID" => hosted_zone_id: Option<Spanned<Word>>,
        /// The IAM role that changes it; `{cluster}` stands for the cluster's name.
        "role" => role: Option<Spanned<Word>>,
        /// Whether it is private.
        "private" => private: Option<Spanned<bool>>,
        /// The Secret with the provider's token.
        "tokenSecret" => token_secret: Option<SecretRef>,
    }

    /// A key of a Secret; the value itself is never written here.
    pub struct SecretRef {
        /// The Secret's name.
        "name" => name: Spanned<Subdomain>,
        /// The key in it.
        "key" => key: Spanned<Word>,
    }

    /// Certificates for names outside the mesh.
    pub struct Certificates {
        /// ACME issuers, by name.
        "issuers" => issuers: Map<AcmeIssuer>,
        /// Names that clusters ask certificates for.
        "requests" => requests: Map<CertificateRequest>,
    }

    /// An ACME issuer with DNS-01.
    pub struct AcmeIssuer {
        /// `production`, `staging`, or the URL of an ACME directory.
        "server" => server: Spanned<Word>,
        /// The account's e-mail address.
        "email" => email: Option<Spanned<Word>>,
        /// The zones in which it solves challenges.
        "zones" => zones: Vec<Spanned<String>>,
    }

    /// A certificate that clusters ask for.
    pub struct CertificateRequest {
        /// The issuer: a key of `issuers`.
        "issuer" => issuer: Spanned<String>,
        /// The clusters that ask.
        "clusters" => clusters: Vec<Spanned<String>>,
    }

    /// A name by which users reach the regions.
    pub struct Entrypoint {
        /// How a region is chosen.
        "routing" => routing: Spanned<EntrypointRouting>,
        /// How long resolvers keep an answer.
        "ttl" => ttl: Option<Spanned<Time>>,
        /// What users may notice of a lost region at most.
        "recoveryTime" => recovery_time: Option<Spanned<Time>>,
        /// How a region's health is found out.
        "healthCheck" => health_check: Option<HealthCheck>,
        /// The clusters' answers, by cluster.
        "targets" => targets: Map<Target>,
    }

    /// How a region's health is found out.
    pub struct HealthCheck {
        /// The path that is asked.
        "path" => path: Option<Spanned<Word>>,
        /// The port that is asked.
        "port" => port: Option<Spanned<Int<1, 65535>>>,
        /// The pause between two questions.
        "interval" => interval: Option<Spanned<Time>>,
        /// How many wrong answers in a row count as down.
        "failureThreshold" => failure_threshold: Option<Spanned<Int<1, 10>>>,
    }

    /// A cluster's answer to an entrypoint.
    pub struct Target {
        /// The host name of its load balancer.
        "hostname" => hostname: Option<Spanned<HostName>>,
        /// The id of the health check.
        "healthCheckID" => health_check_id: Option<Spanned<Word>>,
        /// Its share, for `weighted` and `anycast`.
        "weight" => weight: Option<Spanned<Int<0, 255>>>,
        /// The ARN of its load balancer, for `anycast`.
        "loadBalancer" => load_balancer: Option<Spanned<Word>>,
        /// The listening ports, for `anycast`.
        "listeners" => listeners: Vec<Spanned<Int<1, 65535>>>,
        /// The traffic dial in percent, for `anycast`.
        "dial" => dial: Option<Spanned<Int<0, 100>>>,
    }

    /// What must hold over all clusters, whatever anyone declares.
    pub struct Guard {
        /// Why.
        "because" => because: Option<Spanned<Word>>,
        /// Flows that must not be possible.
        "never" => never: Vec<GuardRule>,
        /// Peers that nobody else may reach, or that may reach nobody else.
        "only" => only: Vec<GuardRule>,
    }

    /// A pair of peers.
    pub struct GuardRule {
        /// The callers.
        "from" => from: Option<GuardPeer>,
        /// The called.
        "to" => to: Option<GuardPeer>,
        /// The ports; all where this is absent.
        "ports" => ports: Option<Spanned<Ports>>,
    }

    /// What drift does not report.
    pub struct Drift {
        /// The exceptions.
        "ignore" => ignore: Vec<DriftIgnore>,
    }

    /// An exception from drift, with an owner and an end.
    pub struct DriftIgnore {
        /// `Kind/namespace/name`, `*` for any.
        "resource" => resource: Spanned<Word>,
        /// A JSON pointer into the object.
        "path" => path: Option<Spanned<Word>>,
        /// Why.
        "reason" => reason: Spanned<Word>,
        /// Who answers for it.
        "owner" => owner: Option<Spanned<Word>>,
        /// The last day on which it holds.
        "expires" => expires: Option<Spanned<Word>>,
    }
}

choice! {
    /// A GitOps tool.
    pub enum GitOpsTool {
        /// Flux.
        "flux" => Flux,
        /// Argo CD.
        "argocd" => ArgoCd,
    }

    /// Who serves a DNS zone.
    pub enum DnsProvider {
        /// Amazon Route 53.
        "route53" => Route53,
        /// Cloudflare.
        "cloudflare" => Cloudflare,
        /// Somebody else.
        "other" => Other,
    }

    /// How a region is chosen for a user.
    pub enum EntrypointRouting {
        /// The nearest by latency.
        "latency" => Latency,
        /// The first that is healthy.
        "failover" => Failover,
        /// By shares.
        "weighted" => Weighted,
        /// By the user's place.
        "geolocation" => Geolocation,
        /// By anycast addresses (AWS Global Accelerator).
        "anycast" => Anycast,
    }
}
