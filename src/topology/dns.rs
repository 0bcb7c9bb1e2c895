//! DNS zones, and the names by which users reach the regions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::Topology;
use super::cluster::Cluster;
use super::id::{ClusterId, ZoneId};
use crate::source::{Span, Spanned};
use crate::spec::dns::{
    Continent, Credentials, DnsProvider, EntrypointRouting, ExternalDnsPolicy, FailoverRole,
};
use crate::spec::value::{Ip, RoleArn};
use crate::yaml::Node;

/// A DNS zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its name in lower case, without a dot at the end.
    pub name: Spanned<String>,
    /// Where it stands.
    pub span: Span,
    /// Who serves it.
    pub provider: DnsProvider,
    /// The id of a Route 53 zone.
    pub hosted_zone_id: Option<Spanned<String>>,
    /// The IAM role with which cert-manager changes it; `{cluster}` stands for the cluster's name.
    pub role: Option<Spanned<RoleArn>>,
    /// Where cert-manager's credentials for Route 53 are from, where it was said.
    pub credentials: Option<Spanned<Credentials>>,
    /// Name and key of the Secrets of an access key: of its id, and of the key itself.
    pub access_key: Option<((String, String), (String, String))>,
    /// The AWS region whose endpoints are called.
    pub region: Option<String>,
    /// Whether it is private.
    pub private: bool,
    /// The Secret with the provider's token: name and key.
    pub token_secret: Option<(String, String)>,
    /// Whether challenges follow a CNAME to another zone.
    pub follow_cname: bool,
    /// How cert-manager solves challenges at another provider.
    pub solver: Option<Json>,
}

/// How ExternalDNS runs in each cluster.
#[derive(Clone, Debug)]
pub struct ExternalDns {
    /// Its namespace.
    pub namespace: String,
    /// The name under which it owns records; `{cluster}` stands for the cluster's name. Its place
    /// is that of the topology's name where nobody wrote it.
    pub owner_id: Spanned<String>,
    /// What happens to records whose `DNSEndpoint` is gone.
    pub policy: ExternalDnsPolicy,
    /// What stands before the names of the TXT records.
    pub txt_prefix: String,
    /// The IAM role that changes the Route 53 zones; `{cluster}` stands for the cluster's name.
    pub role: Option<Spanned<RoleArn>>,
    /// The repository of its chart, where one is pinned.
    pub chart_repository: Option<String>,
    /// Helm values that are merged over the generated ones.
    pub values: Option<Arc<Node>>,
}

impl ExternalDns {
    /// The name under which a cluster's ExternalDNS owns its records.
    pub fn owner_of(&self, cluster: &Cluster) -> String {
        self.owner_id.value.replace(CLUSTER, &cluster.name.value)
    }
}

/// What stands for the cluster's name in owner ids.
pub const CLUSTER: &str = "{cluster}";

/// A name by which users reach the regions.
#[derive(Clone, Debug)]
pub struct Entrypoint {
    /// The name in lower case, without a dot at the end.
    pub name: Spanned<String>,
    /// The zone that covers it: the one with the longest name.
    pub zone: Option<ZoneId>,
    /// How a region is chosen.
    pub routing: Spanned<EntrypointRouting>,
    /// How long resolvers keep an answer, in whole seconds. Alias records do not follow it:
    /// [`Entrypoint::answer_ttl`] does.
    pub ttl: Option<Spanned<Duration>>,
    /// What users may notice of a lost region at most.
    pub recovery_time: Option<Spanned<Duration>>,
    /// How a region's health is found out.
    pub health_check: Option<HealthCheck>,
    /// Whether host names are answered by alias records of Route 53.
    pub alias: bool,
    /// Whether it is the name of its zone, which cannot be a CNAME (RFC 1034, 3.6.2).
    pub apex: bool,
    /// The accelerator, for `anycast`.
    pub accelerator: Option<Accelerator>,
    /// The clusters' answers, sorted by cluster.
    pub targets: Vec<Target>,
    /// Whether these are all that were written: one with an error is left out.
    pub whole: bool,
}

/// The TTL where nobody says one: that of an AWS load balancer's own records.
const TTL: Duration = Duration::from_mins(1);

impl Entrypoint {
    /// Who serves the zone that covers it.
    pub fn provider(&self, topology: &Topology) -> Option<DnsProvider> {
        self.zone.map(|id| topology.zone(id).provider)
    }

    /// How long resolvers keep an answer. An alias record for a load balancer has the 60 seconds
    /// of the load balancer's records, whatever is written. Source: Route 53's developer guide,
    /// "Choosing between alias and non-alias records".
    pub fn answer_ttl(&self) -> Duration {
        let hosts = self.targets.iter().any(|target| target.hostname.is_some());
        match &self.ttl {
            Some(ttl) if !(self.alias && hosts) => ttl.value,
            _ => TTL,
        }
    }

    /// How long it takes at least until users of a lost region are sent elsewhere: until enough
    /// questions in a row were not answered, and until resolvers have forgotten the old answer.
    /// Anycast addresses stay, so nothing has to be forgotten. What nobody wrote counts as
    /// nothing, but the rest of a written health check has the provider's defaults.
    /// Source: Route 53's developer guide, "How Amazon Route 53 determines whether a health check
    /// is healthy"; Global Accelerator's API, `CreateEndpointGroup`.
    pub fn recovery(&self) -> Recovery {
        let detection = self.health_check.as_ref().map(|check| {
            let threshold = check.failure_threshold.as_ref().map_or(THRESHOLD, |n| n.value);
            let threshold = u32::try_from(threshold).unwrap_or(u32::MAX);
            let interval = check.interval.as_ref().map_or(INTERVAL, |interval| interval.value);
            Detection { interval, threshold, sum: interval.saturating_mul(threshold) }
        });
        let anycast = self.routing.value == EntrypointRouting::Anycast;
        Recovery { detection, ttl: (!anycast).then(|| self.answer_ttl()) }
    }
}

/// The pause between two questions where nobody says one, of both providers.
/// Source: Route 53's API, `HealthCheckConfig`; Global Accelerator's API, `CreateEndpointGroup`.
pub const INTERVAL: Duration = Duration::from_secs(30);
/// The wrong answers in a row where nobody says how many, of both providers.
pub const THRESHOLD: i64 = 3;

/// How long it takes until users of a lost region are sent elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Until the loss is noticed; nothing where no health check is declared.
    pub detection: Option<Detection>,
    /// Until resolvers ask again; nothing for anycast.
    pub ttl: Option<Duration>,
}

impl Recovery {
    /// All of it.
    pub fn sum(&self) -> Duration {
        let detection = self.detection.map_or(Duration::ZERO, |detection| detection.sum);
        detection.saturating_add(self.ttl.unwrap_or_default())
    }
}

/// How long it takes until a loss is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The pause between two questions.
    pub interval: Duration,
    /// The wrong answers in a row.
    pub threshold: u32,
    /// Both together.
    pub sum: Duration,
}

/// An accelerator of AWS Global Accelerator.
#[derive(Clone, Debug)]
pub struct Accelerator {
    /// Its name.
    pub name: Option<String>,
    /// Its ARN.
    pub arn: Option<String>,
    /// The DNS name that AWS gave it.
    pub dns_name: Option<String>,
}

/// How a region's health is found out.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// Where it stands.
    pub span: Span,
    /// The path that is asked.
    pub path: Option<String>,
    /// The port that is asked.
    pub port: Option<i64>,
    /// The pause between two questions.
    pub interval: Option<Spanned<Duration>>,
    /// How many wrong answers in a row count as down.
    pub failure_threshold: Option<Spanned<i64>>,
}

/// A cluster's answer to an entrypoint.
#[derive(Clone, Debug)]
pub struct Target {
    /// The cluster.
    pub cluster: ClusterId,
    /// Where it stands.
    pub span: Span,
    /// The host name of its load balancer.
    pub hostname: Option<Spanned<String>>,
    /// The addresses of its load balancer, where it has no host name.
    pub addresses: Vec<Spanned<Ip>>,
    /// The id of the health check.
    pub health_check_id: Option<Spanned<String>>,
    /// Its share, for `weighted` and `anycast`.
    pub weight: Option<Spanned<i64>>,
    /// The AWS region that it stands for, for `latency` and `anycast`.
    pub aws_region: Option<Spanned<String>>,
    /// Whether it answers first, for `failover`.
    pub failover: Option<Spanned<FailoverRole>>,
    /// The places whose users it answers, for `geolocation`.
    pub places: Vec<Spanned<UserPlace>>,
    /// The ARN of its load balancer, for `anycast`.
    pub load_balancer: Option<Spanned<String>>,
    /// The listening ports, for `anycast`.
    pub listeners: Vec<i64>,
    /// The traffic dial in percent, for `anycast`.
    pub dial: Option<Spanned<i64>>,
}

impl Target {
    /// The traffic dial in percent: 100 where nobody says otherwise.
    /// Source: Global Accelerator's API, `CreateEndpointGroup`.
    pub fn dial(&self) -> i64 {
        self.dial.as_ref().map_or(100, |dial| dial.value)
    }
}

/// A place of users, as Route 53 knows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserPlace {
    /// Everybody for whom there is no closer place.
    Default,
    /// A continent.
    Continent(Continent),
    /// A country, or a subdivision of it.
    Country(String, Option<String>),
}

impl fmt::Display for UserPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::Continent(continent) => write!(out, "continent-{}", continent.word()),
            Self::Country(country, None) => write!(out, "country-{country}"),
            Self::Country(country, Some(part)) => write!(out, "country-{country}-{part}"),
        }
    }
}

/// The regions from which Route 53 measures latency.
/// Source: Route 53's API, `ResourceRecordSet`, `Region` (2026-08).
pub const AWS_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Whether a region has this name.
pub fn is_aws_region(name: &str) -> bool {
    AWS_REGIONS.contains(&name)
}

/// Whether an alias record can point to a host name: what AWS names its load balancers,
/// accelerators, distributions and endpoints.
/// Source: `provider/aws/aws.go` of ExternalDNS, `canonicalHostedZones`.
pub fn is_aws_host(host: &str) -> bool {
    const ENDS: &[&str] = &[
        ".elb.amazonaws.com",
        ".elb.amazonaws.com.cn",
        ".awsglobalaccelerator.com",
        ".cloudfront.net",
        ".vpce.amazonaws.com",
    ];
    let network = (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
        && host.contains(".elb.");
    network || ENDS.iter().any(|end| host.ends_with(end))
}

/// A DNS name as it is compared: in lower case, without a dot at the end (RFC 4343; RFC 1034,
/// 3.1).
pub fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
