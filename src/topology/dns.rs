//! DNS zones, and the names by which users reach the regions.

use std::time::Duration;

use serde_json::Value as Json;

use super::id::{ClusterId, ZoneId};
use crate::source::{Span, Spanned};
use crate::spec::dns::{Credentials, DnsProvider, EntrypointRouting};
use crate::spec::value::RoleArn;

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

/// A name by which users reach the regions.
#[derive(Clone, Debug)]
pub struct Entrypoint {
    /// The name in lower case, without a dot at the end.
    pub name: Spanned<String>,
    /// The zone that covers it: the one with the longest name.
    pub zone: Option<ZoneId>,
    /// How a region is chosen.
    pub routing: Spanned<EntrypointRouting>,
    /// How long resolvers keep an answer.
    pub ttl: Option<Spanned<Duration>>,
    /// What users may notice of a lost region at most.
    pub recovery_time: Option<Spanned<Duration>>,
    /// How a region's health is found out.
    pub health_check: Option<HealthCheck>,
    /// The clusters' answers, sorted by cluster.
    pub targets: Vec<Target>,
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
    /// The id of the health check.
    pub health_check_id: Option<Spanned<String>>,
    /// Its share, for `weighted` and `anycast`.
    pub weight: Option<Spanned<i64>>,
    /// The ARN of its load balancer, for `anycast`.
    pub load_balancer: Option<Spanned<String>>,
    /// The listening ports, for `anycast`.
    pub listeners: Vec<i64>,
    /// The traffic dial in percent, for `anycast`.
    pub dial: Option<Spanned<i64>>,
}

/// A DNS name as it is compared: in lower case, without a dot at the end (RFC 4343; RFC 1034,
/// 3.1).
pub fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
