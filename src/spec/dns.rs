//! DNS zones and the names by which users reach the regions, as they were written.

use super::solver::Solver;
use super::value::{
    CountryCode, HostName, HostedZoneId, Ip, Label, OneOrMany, RoleArn, SubdivisionCode, Subdomain,
    Time, Word,
};
use crate::source::Spanned;
use crate::yaml::fields::{Free, Int, Map};
use crate::{choice, object};

object! {
    /// DNS.
    pub struct Dns {
        /// The zones in which names of the mesh stand.
        "zones" => zones: Vec<Zone>,
        /// How ExternalDNS runs in each cluster, which writes the records of the entrypoints.
        "externalDNS" => external_dns: Option<ExternalDns>,
    }

    /// How ExternalDNS runs in each cluster that answers for an entrypoint. Its Helm values are
    /// written where `versions.components.external-dns` pins its chart.
    pub struct ExternalDns {
        /// Its namespace, in which the `DNSEndpoint`s stand; `external-dns` unless said otherwise.
        "namespace" => namespace: Option<Spanned<Label>>,
        /// The name under which a cluster's ExternalDNS owns its records; `{cluster}` stands for
        /// the cluster's name, `<topology>-{cluster}` unless said otherwise. A shared one lets
        /// each cluster delete the other's records.
        "ownerID" => owner_id: Option<Spanned<Word>>,
        /// What happens to records whose `DNSEndpoint` is gone; `upsert-only` unless said otherwise.
        "policy" => policy: Option<Spanned<ExternalDnsPolicy>>,
        /// What stands before the names of the TXT records that say who owns a record;
        /// `%{record_type}-externaldns.` unless said otherwise, which also works for a zone's own
        /// name. It cannot be changed later without losing the records.
        "txtPrefix" => txt_prefix: Option<Spanned<Word>>,
        /// The IAM role that changes the Route 53 zones; `{cluster}` stands for the cluster's name.
        "role" => role: Option<Spanned<RoleArn>>,
        /// Helm values that are merged over the generated ones.
        "values" => values: Option<Free>,
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
        /// How long resolvers keep an answer; `60s` unless said otherwise. An alias record has
        /// that of the load balancer, which is 60 seconds.
        "ttl" => ttl: Option<Spanned<Time>>,
        /// What users may notice of a lost region at most.
        "recoveryTime" => recovery_time: Option<Spanned<Time>>,
        /// How a region's health is found out.
        "healthCheck" => health_check: Option<HealthCheck>,
        /// Whether the records are Route 53's alias records for the load balancers, and not CNAME
        /// records; only the zone's own name has them unless said otherwise.
        "alias" => alias: Option<Spanned<bool>>,
        /// The accelerator, for `anycast`.
        "accelerator" => accelerator: Option<Accelerator>,
        /// The clusters' answers, by cluster.
        "targets" => targets: Map<Target>,
    }

    /// A standard accelerator of AWS Global Accelerator. It is looked at and never changed.
    pub struct Accelerator {
        /// Its name.
        "name" => name: Option<Spanned<Word>>,
        /// Its ARN.
        "arn" => arn: Option<Spanned<Word>>,
        /// The DNS name that AWS gave it.
        "dnsName" => dns_name: Option<Spanned<HostName>>,
    }

    /// How a region's health is found out.
    pub struct HealthCheck {
        /// The path that is asked.
        "path" => path: Option<Spanned<Word>>,
        /// The port that is asked.
        "port" => port: Option<Spanned<Int<1, 65535>>>,
        /// The pause between two questions: Route 53 and Global Accelerator offer `10s` and `30s`,
        /// and take `30s` unless said otherwise.
        "interval" => interval: Option<Spanned<Time>>,
        /// How many wrong answers in a row count as down; 3 unless said otherwise.
        "failureThreshold" => failure_threshold: Option<Spanned<Int<1, 10>>>,
    }

    /// A cluster's answer to an entrypoint.
    pub struct Target {
        /// The host name of its load balancer.
        "hostname" => hostname: Option<Spanned<HostName>>,
        /// The addresses of its load balancer, where it has no host name.
        "addresses" => addresses: Vec<Spanned<Ip>>,
        /// The id of the Route 53 health check; it is made elsewhere.
        "healthCheckID" => health_check_id: Option<Spanned<Word>>,
        /// Its share, for `weighted` and `anycast`.
        "weight" => weight: Option<Spanned<Int<0, 255>>>,
        /// The AWS region from which latency is measured, for `latency`; the cluster's own region
        /// unless said otherwise, which must be one of AWS.
        "awsRegion" => aws_region: Option<Spanned<Word>>,
        /// Whether it answers first, for `failover`; follows from the cluster's `role` unless said
        /// otherwise.
        "failover" => failover: Option<Spanned<FailoverRole>>,
        /// The places whose users it answers, for `geolocation`.
        "geolocation" => geolocation: OneOrMany<Geolocation>,
        /// The ARN of its load balancer, for `anycast`.
        "loadBalancer" => load_balancer: Option<Spanned<Word>>,
        /// The listening ports, for `anycast`.
        "listeners" => listeners: Vec<Spanned<Int<1, 65535>>>,
        /// The traffic dial in percent, for `anycast`.
        "dial" => dial: Option<Spanned<Int<0, 100>>>,
    }
}

object! {
    /// A place of users: one of `continent` and `country`.
    pub struct Geolocation {
        /// A continent: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`.
        "continent" => continent: Option<Spanned<Continent>>,
        /// A country by its two letters (ISO 3166-1), or `*` for everybody else.
        "country" => country: Option<Spanned<CountryCode>>,
        /// A state of the United States or a region of Ukraine, beside `country`.
        "subdivision" => subdivision: Option<Spanned<SubdivisionCode>>,
    }
}

choice! {
    /// What happens to records whose `DNSEndpoint` is gone.
    pub enum ExternalDnsPolicy {
        /// They stay.
        "upsert-only" => UpsertOnly,
        /// They are deleted.
        "sync" => Sync,
        /// They stay, and records that are there are not changed either.
        "create-only" => CreateOnly,
    }

    /// Which answer is given first.
    pub enum FailoverRole {
        /// While it is healthy.
        "primary" => Primary,
        /// While the primary one is not.
        "secondary" => Secondary,
    }

    /// A continent, as Route 53 names it.
    pub enum Continent {
        /// Africa.
        "AF" => Africa,
        /// Antarctica.
        "AN" => Antarctica,
        /// Asia.
        "AS" => Asia,
        /// Europe.
        "EU" => Europe,
        /// North America.
        "NA" => NorthAmerica,
        /// Oceania.
        "OC" => Oceania,
        /// South America.
        "SA" => SouthAmerica,
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
