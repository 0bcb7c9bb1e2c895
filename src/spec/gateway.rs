//! Gateways and routes, as they were written.

use super::cluster::Scheme;
use super::flow::HttpPath;
use super::value::{HostName, Label, OneOrMany, Subdomain};
use crate::diagnostic::Diagnostics;
use crate::source::{Span, Spanned};
use crate::yaml::fields::{Decode, Int, Map};
use crate::yaml::shape::Shape;
use crate::yaml::{Node, Value};
use crate::{choice, object};

object! {
    /// Where requests from outside enter clusters: a Gateway of the Gateway API in each of them.
    pub struct Gateway {
        /// The namespace of the Gateway, with the Secrets of its certificates.
        "namespace" => namespace: Spanned<Label>,
        /// The clusters that have it.
        "clusters" => clusters: Vec<Spanned<String>>,
        /// The GatewayClass; `cilium`, which is Cilium's own, unless said otherwise.
        "class" => class: Option<Spanned<Subdomain>>,
        /// Whom its load balancer faces; `internal` unless said otherwise.
        "scheme" => scheme: Option<Spanned<Scheme>>,
        /// Further annotations of its load balancer.
        "annotations" => annotations: Map<String>,
        /// What it listens to, by name.
        "listeners" => listeners: Map<Listener>,
    }

    /// What a gateway listens to.
    pub struct Listener {
        /// The port.
        "port" => port: Spanned<Int<1, 65535>>,
        /// The protocol.
        "protocol" => protocol: Spanned<ListenerProtocol>,
        /// The host name that is answered, or `*.` and the name above; all unless said here.
        "hostname" => hostname: Option<Spanned<HostPattern>>,
        /// The Secret with the certificate, in the gateway's namespace; `HTTPS` only.
        "certificate" => certificate: Option<Spanned<Subdomain>>,
    }

    /// Which requests of a gateway go to which services: an HTTPRoute in each of its clusters.
    pub struct Route {
        /// The gateway, by its name in the topology.
        "gateway" => gateway: Spanned<String>,
        /// The listener of it; all that answer for the hosts unless said here.
        "listener" => listener: Option<Spanned<String>>,
        /// The host names; those of the listeners unless said here.
        "hosts" => hosts: OneOrMany<Spanned<HostPattern>>,
        /// Paths with everything below them; all unless said here.
        "paths" => paths: OneOrMany<Spanned<HttpPath>>,
        /// The services that get the requests. A bare string is a service.
        "to" => to: Vec<Backend>,
        /// The clusters of the gateway that have the route; all unless said here.
        "clusters" => clusters: Vec<Spanned<String>>,
    }

    /// A service with its share of the requests.
    struct BackendFields {
        /// The service: `name` or `namespace/name`.
        "service" => service: Spanned<String>,
        /// Its port; needed where it has several.
        "port" => port: Option<Spanned<Int<1, 65535>>>,
        /// Its share among the services of the route; 1 unless said otherwise.
        "weight" => weight: Option<Spanned<Int<0, 1_000_000>>>,
    }
}

choice! {
    /// What a listener speaks.
    pub enum ListenerProtocol {
        /// HTTP in the clear.
        "HTTP" => Http,
        /// HTTP over TLS, which ends at the gateway.
        "HTTPS" => Https,
    }
}

/// A service that gets requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// Where it stands.
    pub span: Span,
    /// The service: `name` or `namespace/name`.
    pub service: Spanned<String>,
    /// Its port.
    pub port: Option<Spanned<Int<1, 65535>>>,
    /// Its share.
    pub weight: Option<Spanned<Int<0, 1_000_000>>>,
}

impl Decode for Backend {
    fn shape() -> Shape {
        let bare = Shape::Text { what: "a service: `name` or `namespace/name`", pattern: None };
        Shape::Any(vec![bare, BackendFields::shape()])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        if matches!(node.value, Value::Scalar(_)) {
            let service = Spanned::<String>::decode(node, found)?;
            return Some(Self { span: node.span, service, port: None, weight: None });
        }
        let BackendFields { span, service, port, weight, .. } = BackendFields::decode(node, found)?;
        Some(Self { span, service, port, weight })
    }
}

/// A host name, or `*.` and the name above, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPattern(pub String);

impl Decode for HostPattern {
    fn shape() -> Shape {
        Shape::Text { what: "a host name, or `*.` and the name above", pattern: None }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let above = node.text().and_then(|written| written.strip_prefix("*."));
        let Some(above) = above else {
            return HostName::decode(node, found).map(|name| Self(canonical(&name)));
        };
        let mut bare = node.clone();
        if let Value::Scalar(scalar) = &mut bare.value {
            scalar.text = above.to_owned().into();
        }
        let above = HostName::decode(&bare, found)?;
        Some(Self(format!("*.{}", canonical(&above))))
    }
}

/// The Gateway API takes names in lower case, without a dot at the end.
fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
