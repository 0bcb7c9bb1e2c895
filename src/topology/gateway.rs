//! Gateways and routes, as they were meant.

use super::id::{ClusterSet, GatewayId, NamespaceId, ServiceId};
use crate::source::{Span, Spanned};
use crate::spec::cluster::Scheme;
use crate::spec::gateway::ListenerProtocol;

/// The GatewayClass that Cilium makes for itself.
pub const CILIUM_CLASS: &str = "cilium";

/// Where requests from outside enter clusters.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its name, unique among the gateways.
    pub name: Spanned<String>,
    /// Its namespace.
    pub namespace: String,
    /// The clusters that have it.
    pub clusters: ClusterSet,
    /// Its GatewayClass.
    pub class: String,
    /// Whom its load balancer faces.
    pub scheme: Scheme,
    /// Further annotations of its load balancer, sorted by key.
    pub annotations: Vec<(String, String)>,
    /// What it listens to, sorted by name.
    pub listeners: Vec<Listener>,
}

impl Gateway {
    /// Whether Cilium runs it, and not another controller.
    pub fn is_cilium(&self) -> bool {
        self.class == CILIUM_CLASS
    }
}

/// What a gateway listens to.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name.
    pub name: Spanned<String>,
    /// The port.
    pub port: i64,
    /// The protocol.
    pub protocol: ListenerProtocol,
    /// The host name that is answered, or a pattern; all where it is absent.
    pub hostname: Option<String>,
    /// The Secret with the certificate.
    pub certificate: Option<String>,
}

impl Listener {
    /// Whether requests for a host, or for some that match its pattern, are answered here.
    /// Source: Gateway API, `HTTPRouteSpec.hostnames`.
    pub fn answers(&self, host: &str) -> bool {
        let Some(own) = &self.hostname else { return true };
        let matches = |pattern: &str, name: &str| {
            let above = pattern.strip_prefix('*');
            above.is_some_and(|above| name.len() > above.len() && name.ends_with(above))
        };
        own == host || matches(own, host) || matches(host, own)
    }
}

/// Which requests of a gateway go to which services.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name, unique in its namespace.
    pub name: Spanned<String>,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// The gateway.
    pub gateway: Spanned<GatewayId>,
    /// The one listener that is meant; all that answer for the hosts where it is absent.
    pub listener: Option<String>,
    /// The host names; those of the listeners where it is empty.
    pub hosts: Vec<Spanned<String>>,
    /// Paths with everything below them; all where it is empty.
    pub paths: Vec<String>,
    /// The services that get the requests; each is found in each of the clusters.
    pub to: Vec<Backend>,
    /// The clusters that have it.
    pub clusters: ClusterSet,
}

/// A service with its share of the requests.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Where it stands.
    pub span: Span,
    /// The service.
    pub service: ServiceId,
    /// Its port.
    pub port: u16,
    /// Its share; 1 where it is absent.
    pub weight: Option<i64>,
}
