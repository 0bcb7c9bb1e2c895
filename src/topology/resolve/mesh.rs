//! What holds for every cluster of the mesh.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::super::{Certificates, Encryption, Mesh, Routing, Topology};
use super::{CONTRADICTION, NATIVE_ROUTING_GAP, UNSUPPORTED};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::TopologySpec;
use crate::spec::cluster::IpamMode;
use crate::spec::mesh::{
    self as written, CertificateMethod, Direction, EncryptionType, IssuerKind, Networking,
    RoutingMode, TunnelProtocol,
};
use crate::spec::value::{Cidr, OneOrMany};
use crate::yaml::INVALID_VALUE;

/// When certificates are renewed unless the topology says otherwise: the schedule that Cilium's
/// chart has from 1.20 on (`clustermesh.apiserver.tls.auto.schedule`).
const SCHEDULE: &str = "0 0 1 */4 *";

/// The Secret in which the charts look for a CA.
const CA_SECRET: &str = "cilium-ca";

/// Resolves the mesh's settings, but for what depends on the clusters.
pub(super) fn resolve(topology: &TopologySpec, found: &mut Diagnostics) -> Mesh {
    let mesh = topology.mesh.as_ref();
    let span = mesh.map_or(topology.span, |mesh| mesh.span);
    let discovery = mesh.and_then(|mesh| mesh.discovery.as_ref());
    let switch = |value: Option<&Spanned<bool>>, default| value.map_or(default, |on| on.value);
    Mesh {
        span,
        networking: mesh
            .and_then(|mesh| mesh.networking.as_ref())
            .map_or(Networking::Flat, |networking| networking.value),
        max_connected_clusters: max_connected(mesh, span, found),
        routing: routing(mesh.and_then(|mesh| mesh.routing.as_ref()), span, found),
        encryption: encryption(mesh.and_then(|mesh| mesh.encryption.as_ref()), found),
        global_services: switch(discovery.and_then(|d| d.global_services.as_ref()), true),
        mcs: switch(discovery.and_then(|d| d.mcs.as_ref()), false),
        endpoint_slices: switch(discovery.and_then(|d| d.endpoint_slices.as_ref()), false),
        service_topology: false,
        certificates: certificates(mesh.and_then(|mesh| mesh.certificates.as_ref()), found),
        default_deny: directions(mesh.and_then(|mesh| mesh.default_deny.as_ref()))
            .unwrap_or_else(|| vec![Direction::Ingress, Direction::Egress]),
        latency_budget: mesh
            .and_then(|m| m.latency_budget.as_ref())
            .map(|time| time.clone().map(|time| time.0)),
    }
}

/// The declared directions, sorted, each once.
pub(super) fn directions(
    declared: Option<&Spanned<OneOrMany<Spanned<Direction>>>>,
) -> Option<Vec<Direction>> {
    let mut directions: Vec<_> = declared?.value.0.iter().map(|d| d.value).collect();
    directions.sort_unstable();
    directions.dedup();
    Some(directions)
}

/// Source: the chart refuses any other number ("max-connected-clusters must be set to 255 or
/// 511", `templates/validate.yaml`).
fn max_connected(
    mesh: Option<&written::Mesh>,
    span: Span,
    found: &mut Diagnostics,
) -> Spanned<i64> {
    let Some(declared) = mesh.and_then(|mesh| mesh.max_connected_clusters.as_ref()) else {
        return Spanned::new(255, span);
    };
    let number = declared.value.0;
    if !matches!(number, 255 | 511) {
        let message = format!("`maxConnectedClusters` is 255 or 511, not {number}");
        let help = if number < 255 { "write `255`" } else { "write `511`" };
        found.push(Diagnostic::new(&INVALID_VALUE, declared.span, message).help(help));
        return Spanned::new(511, declared.span);
    }
    Spanned::new(number, declared.span)
}

fn routing(declared: Option<&written::Routing>, span: Span, found: &mut Diagnostics) -> Routing {
    let mode = declared.and_then(|routing| routing.mode.clone());
    let mut routing = Routing {
        span: declared.map_or(span, |routing| routing.span),
        mode: mode.as_ref().map_or(RoutingMode::Tunnel, |mode| mode.value),
        tunnel_protocol: TunnelProtocol::Vxlan,
        native_v4: None,
        native_v6: None,
        auto_direct_node_routes: false,
    };
    let Some(declared) = declared else { return routing };
    let native = routing.mode == RoutingMode::Native;
    if let Some(protocol) = &declared.tunnel_protocol {
        routing.tunnel_protocol = protocol.value;
        if native {
            found.push(other_mode(protocol.span, "tunnelProtocol", "tunnel", mode.as_ref()));
        }
    }
    if let Some(direct) = &declared.auto_direct_node_routes {
        routing.auto_direct_node_routes = direct.value;
        if direct.value && !native {
            found.push(other_mode(direct.span, "autoDirectNodeRoutes", "native", mode.as_ref()));
        }
    }
    for cidr in &declared.native_routing_cidr.0 {
        if !native {
            found.push(other_mode(cidr.span, "nativeRoutingCIDR", "native", mode.as_ref()));
        }
        let twice = match cidr.value.0 {
            IpNet::V4(range) => routing.native_v4.replace(range).is_some(),
            IpNet::V6(range) => routing.native_v6.replace(range).is_some(),
        };
        if twice {
            let message = "there is one native routing range of each family";
            let help = "write the smallest range that covers the pods of every cluster";
            found.push(Diagnostic::new(&CONTRADICTION, cidr.span, message).help(help));
        }
    }
    routing
}

fn other_mode(
    span: Span,
    key: &str,
    mode: &str,
    declared: Option<&Spanned<RoutingMode>>,
) -> Diagnostic {
    let message = format!("`{key}` belongs to the routing mode `{mode}`");
    let finding = Diagnostic::new(&CONTRADICTION, span, message);
    let finding = finding.help(format!("remove it, or write `mode: {mode}`"));
    match declared {
        Some(mode) => finding.related(mode.span, "the mode is declared here"),
        None => finding.note("the mode is `tunnel` unless the topology says otherwise"),
    }
}

fn encryption(declared: Option<&written::Encryption>, found: &mut Diagnostics) -> Encryption {
    let Some(declared) = declared else {
        return Encryption { kind: EncryptionType::None, node_encryption: false };
    };
    let kind = declared.kind.value;
    let node = declared.node_encryption.as_ref().is_some_and(|node| node.value);
    if let Some(span) = declared.node_encryption.as_ref().map(|node| node.span)
        && node
        && kind != EncryptionType::Wireguard
    {
        let message = "`nodeEncryption` belongs to the encryption `wireguard`";
        let finding = Diagnostic::new(&CONTRADICTION, span, message);
        found.push(finding.related(declared.kind.span, "the encryption is declared here"));
    }
    Encryption { kind, node_encryption: node }
}

fn certificates(
    declared: Option<&written::MeshCertificates>,
    found: &mut Diagnostics,
) -> Certificates {
    let text = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
    let method =
        declared.and_then(|d| d.method.as_ref()).map_or(CertificateMethod::CronJob, |m| m.value);
    let issuer = declared.and_then(|d| d.issuer.as_ref());
    if let Some(declared) = declared {
        let certmanager = method == CertificateMethod::CertManager;
        if certmanager && issuer.is_none() {
            let message = "the method `certmanager` needs an `issuer`";
            found.push(
                Diagnostic::new(&CONTRADICTION, declared.span, message)
                    .help("add `issuer: {name: …}`"),
            );
        }
        // Source: `--ca-secret-name=cilium-ca` in the job of every chart.
        if let Some(secret) = declared.ca_secret.as_ref().filter(|s| s.value.0 != CA_SECRET) {
            let message = "no chart of Cilium reads the shared CA from another Secret";
            found.push(
                Diagnostic::new(&UNSUPPORTED, secret.span, message)
                    .help(format!("keep it in the Secret `{CA_SECRET}`")),
            );
        }
        if let Some(issuer) = issuer.filter(|_| !certmanager) {
            let message = "`issuer` belongs to the method `certmanager`";
            found.push(Diagnostic::new(&CONTRADICTION, issuer.span, message));
        }
    }
    Certificates {
        span: declared.map(|declared| declared.span),
        method,
        schedule: text(
            declared.and_then(|d| d.schedule.as_ref()).map(|s| s.value.0.clone()),
            SCHEDULE,
        ),
        ca_secret: text(
            declared.and_then(|d| d.ca_secret.as_ref()).map(|s| s.value.0.clone()),
            CA_SECRET,
        ),
        issuer: issuer.map(|issuer| {
            (
                issuer.name.value.0.clone(),
                issuer.kind.as_ref().map_or(IssuerKind::ClusterIssuer, |kind| kind.value),
                text(issuer.group.as_ref().map(|group| group.value.0.clone()), "cert-manager.io"),
            )
        }),
    }
}

/// Finds the native routing ranges, which depend on every cluster's pods.
pub(super) fn finish(resolved: &mut Topology, found: &mut Diagnostics) {
    let routing = &resolved.mesh.routing;
    if routing.mode != RoutingMode::Native {
        return;
    }
    let pods = native_pods(resolved);
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for cidr in &pods {
        match cidr.value.0 {
            IpNet::V4(range) => v4.push(Spanned::new(range, cidr.span)),
            IpNet::V6(range) => v6.push(Spanned::new(range, cidr.span)),
        }
    }
    let native_v4 = native(routing.native_v4, &v4, routing.span, found, Ipv4Net::aggregate);
    let native_v6 = native(routing.native_v6, &v6, routing.span, found, Ipv6Net::aggregate);
    resolved.mesh.routing.native_v4 = native_v4;
    resolved.mesh.routing.native_v6 = native_v6;
}

/// The ranges of the mesh's pods; in ENI mode pods have addresses of the VPC.
fn native_pods(topology: &Topology) -> Vec<Spanned<Cidr>> {
    let mut pods = Vec::new();
    for cluster in &topology.clusters {
        if cluster.pod_cidrs.is_empty() && cluster.ipam.mode == IpamMode::Eni {
            pods.extend(topology.networks[cluster.network.index()].cidrs.iter().cloned());
        } else {
            pods.extend(cluster.pod_cidrs.iter().cloned());
        }
    }
    pods
}

/// The declared range if it covers all pods, or the pods' own if they are exactly one range.
fn native<N>(
    declared: Option<N>,
    pods: &[Spanned<N>],
    span: Span,
    found: &mut Diagnostics,
    aggregate: impl Fn(&Vec<N>) -> Vec<N>,
) -> Option<N>
where
    N: Copy + std::fmt::Display + Into<IpNet>,
{
    if let Some(range) = declared {
        let outer: IpNet = range.into();
        for pod in pods {
            let inner: IpNet = pod.value.into();
            if !outer.contains(&inner) {
                let message =
                    format!("the native routing range `{range}` leaves out the pods `{inner}`");
                found.push(
                    Diagnostic::new(&NATIVE_ROUTING_GAP, span, message)
                        .related(pod.span, "these pods would be masqueraded")
                        .help(
                            "declare a `nativeRoutingCIDR` that covers the pods of every cluster",
                        ),
                );
            }
        }
        return Some(range);
    }
    let ranges: Vec<N> = pods.iter().map(|pod| pod.value).collect();
    match aggregate(&ranges)[..] {
        [] => None,
        [one] => Some(one),
        [..] => {
            let message = "no single range is exactly the pods of all clusters";
            let finding = Diagnostic::new(&NATIVE_ROUTING_GAP, span, message).help(
                "declare the `nativeRoutingCIDR` that the network routes between the clusters",
            );
            let labels = pods.iter().take(4);
            found.push(labels.fold(finding, |finding, pod| finding.related(pod.span, "pods")));
            None
        }
    }
}
