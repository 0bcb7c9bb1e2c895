//! DNS zones and the names by which users reach the regions, as they were written.

use super::solver::Solver;
use super::value::{HostName, HostedZoneId, Label, RoleArn, Subdomain, Time, Word};
use crate::source::Spanned;
use crate::yaml::fields::{Int, Map};
use crate::{choice, object};

object! {
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
        /// The id of a Route 53 zone; without it the zone is looked up by its name, which does
        /// not find private ones.
        "hostedZoneID" => hosted_zone_id: Option<Spanned<HostedZoneId>>,
        /// The IAM role with which cert-manager changes a Route 53 zone; `{cluster}` stands for
        /// the cluster's name.
        "role" => role: Option<Spanned<RoleArn>>,
        /// Where cert-manager's credentials for Route 53 are from. Unless said otherwise
        /// `service-account`, where there is a `role` and the cluster has an `identity`, and
        /// `ambient` elsewhere.
        "credentials" => credentials: Option<Spanned<Credentials>>,
        /// An access key for Route 53, instead of a role.
        "accessKey" => access_key: Option<AccessKey>,
        /// The AWS region whose endpoints are called for Route 53; the cluster's own unless said
        /// otherwise.
        "region" => region: Option<Spanned<Label>>,
        /// Whether it is private.
        "private" => private: Option<Spanned<bool>>,
        /// The Secret with the provider's token.
        "tokenSecret" => token_secret: Option<SecretRef>,
        /// Whether challenges follow a CNAME at `_acme-challenge` to another zone. `hostedZoneID`
        /// and `role` are those of that zone then.
        "followCNAME" => follow_cname: Option<Spanned<bool>>,
        /// How cert-manager solves challenges at another provider.
        "solver" => solver: Option<Spanned<Solver>>,
    }

    /// An access key of AWS, in a Secret of cert-manager's namespace.
    pub struct AccessKey {
        /// The key's id.
        "idSecret" => id: SecretRef,
        /// The key itself.
        "secret" => secret: SecretRef,
    }

    /// A key of a Secret; the value itself is never written here.
    pub struct SecretRef {
        /// The Secret's name.
        "name" => name: Spanned<Subdomain>,
        /// The key in it.
        "key" => key: Spanned<Word>,
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
}

choice! {
    /// Who serves a DNS zone.
    pub enum DnsProvider {
        /// Amazon Route 53.
        "route53" => Route53,
        /// Cloudflare.
        "cloudflare" => Cloudflare,
        /// Somebody else.
        "other" => Other,
    }

    /// Where cert-manager's credentials for Route 53 are from.
    pub enum Credentials {
        /// A token of a ServiceAccount that is made for it, which AWS exchanges for the `role`.
        "service-account" => ServiceAccount,
        /// The `role` that cert-manager's own ServiceAccount is annotated with (IRSA).
        "irsa" => Irsa,
        /// What cert-manager's pod finds in its environment: a node's role, EKS Pod Identity. A
        /// `role` is assumed from there.
        "ambient" => Ambient,
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
