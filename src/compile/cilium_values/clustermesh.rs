//! The ClusterMesh API server, its certificates, and the endpoints of the other clusters.

use serde_json::{Map, Value, json};

use super::values::{Values, texts};
use super::{Site, balancer};
use crate::spec::cluster::ServiceType;
use crate::spec::delivery::GitOpsTool;
use crate::spec::mesh::CertificateMethod;
use crate::topology::{Cluster, Endpoint};

/// The first minor whose certificates are made by a Job that is no hook. Source: Cilium's upgrade
/// notes of 1.19; cilium#42298.
const FIRST_WITHOUT_HOOK: u64 = 19;

/// Writes the part; nothing for a cluster that is in no flat mesh.
pub(super) fn write(site: &Site<'_>, values: &mut Values) {
    if !site.cluster.in_mesh {
        return;
    }
    let mesh = &site.topology.mesh;
    values.set("clustermesh.maxConnectedClusters", mesh.max_connected_clusters.value);
    values.set("clustermesh.useAPIServer", true);
    if mesh.endpoint_slices {
        values.set("clustermesh.enableEndpointSliceSynchronization", true);
    }
    if mesh.mcs {
        let renamed = "clustermesh.mcsapi.enabled";
        let key = if site.chart.has(renamed) { renamed } else { "clustermesh.enableMCSAPISupport" };
        values.set(key, true);
    }
    values.set("clustermesh.config.enabled", true);
    // A list is read by every minor; the mapping that 1.19 adds would change every line on the way.
    values.set("clustermesh.config.clusters", peers(site));
    values.set("clustermesh.apiserver.replicas", site.cluster.clustermesh.replicas);
    service(site, values);
    certificates(site, values);
}

/// Every other member with its endpoint, by name.
fn peers(site: &Site<'_>) -> Value {
    let others = site.topology.clusters().filter(|(id, other)| *id != site.id && other.in_mesh);
    others
        .filter_map(|(_, other)| {
            other.clustermesh.endpoint.as_ref().map(|endpoint| peer(other, endpoint))
        })
        .collect()
}

fn peer(cluster: &Cluster, endpoint: &Endpoint) -> Value {
    let mut peer = Map::with_capacity(3);
    peer.insert("name".into(), cluster.name.value.as_str().into());
    match &endpoint.hostname {
        // With addresses the name is `<cluster>.mesh.cilium.io`, which every certificate covers.
        Some(hostname) if endpoint.ips.is_empty() => {
            peer.insert("address".into(), hostname.as_str().into());
        }
        _ => {
            peer.insert("ips".into(), texts(endpoint.ips.iter().map(|ip| ip.value.0)));
        }
    }
    peer.insert("port".into(), endpoint.port.into());
    Value::Object(peer)
}

fn service(site: &Site<'_>, values: &mut Values) {
    let declared = &site.cluster.clustermesh;
    values.set("clustermesh.apiserver.service.type", declared.service_type.word());
    values.set_some("clustermesh.apiserver.service.nodePort", declared.node_port);
    let own = if declared.service_type == ServiceType::LoadBalancer {
        balancer::annotations(site)
    } else {
        Vec::new()
    };
    // The user's own win, and stand where they are.
    let mut annotations: Map<String, Value> =
        own.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    for (key, value) in &declared.annotations {
        annotations.insert(key.clone(), value.value.as_str().into());
    }
    let ranges = texts(declared.source_ranges.iter().map(|range| range.value.0));
    let balanced = declared.service_type == ServiceType::LoadBalancer;
    if balanced && !declared.source_ranges.is_empty() {
        let key = "clustermesh.apiserver.service.loadBalancerSourceRanges";
        if site.chart.has(key) {
            values.set(key, ranges);
        } else {
            // The chart of 1.16 has no such key. Source: Kubernetes, "Well-Known Labels,
            // Annotations and Taints"; the controllers of all clouds read it.
            let list: Vec<_> =
                declared.source_ranges.iter().map(|r| r.value.0.to_string()).collect();
            let key = "service.beta.kubernetes.io/load-balancer-source-ranges".to_owned();
            annotations.entry(key).or_insert_with(|| list.join(",").into());
        }
    }
    if !annotations.is_empty() {
        values.set("clustermesh.apiserver.service.annotations", Value::Object(annotations));
    }
    let class = declared.load_balancer_class.as_deref().or_else(|| balancer::class(site));
    if declared.service_type == ServiceType::LoadBalancer {
        values.set_some("clustermesh.apiserver.service.loadBalancerClass", class);
    }
}

fn certificates(site: &Site<'_>, values: &mut Values) {
    let tls = "clustermesh.apiserver.tls";
    issue(site, &format!("{tls}.auto"), values);
    match site.topology.mesh.certificates.method {
        // certgen makes a CA of its own where `cilium-ca` is missing, and no other cluster would
        // trust it. 1.16 has no switch for that.
        CertificateMethod::CronJob if site.chart.has("certgen.generateCA") => {
            values.set("certgen.generateCA", false);
        }
        // Up to 1.19 the chart wants the certificates as values unless it is told not to.
        // Source: templates/clustermesh-apiserver/tls-provided.
        CertificateMethod::External => {
            let secrets = format!("{tls}.enableSecrets");
            if site.chart.has(&secrets) {
                values.set(&secrets, false);
            }
            return;
        }
        CertificateMethod::CronJob | CertificateMethod::CertManager => {}
    }
    // The others reach this cluster by a name that the certificate must have. It has
    // `*.mesh.cilium.io` by itself, for those who reach it by address.
    if let Some(endpoint) = &site.cluster.clustermesh.endpoint
        && let Some(hostname) = &endpoint.hostname
    {
        let renamed = format!("{tls}.auto.server.extraDnsNames");
        let key =
            if site.chart.has(&renamed) { renamed } else { format!("{tls}.server.extraDnsNames") };
        values.set(&key, texts([hostname]));
    }
}

/// How the Job is run that makes the first certificates, where Argo CD applies the chart. Up to
/// 1.18 it is a hook that Helm runs after the installation, and Argo CD once everything is
/// healthy, which the API server of the mesh is not without its certificates. Hooks of Argo CD's
/// own count instead. Source: cilium#42045; Argo CD, "Helm", Helm Hooks.
pub(super) fn first_certificates(site: &Site<'_>, values: &mut Values) {
    let argo = site.topology.gitops.as_ref().is_some_and(|g| g.tool == GitOpsTool::ArgoCd);
    let method = site.topology.mesh.certificates.method;
    let needed = site.cluster.in_mesh || site.cluster.hubble.0;
    let hook = site.cluster.cilium.value.minor < FIRST_WITHOUT_HOOK;
    if argo && method == CertificateMethod::CronJob && needed && hook {
        let hook = json!({
            "argocd.argoproj.io/hook": "Sync",
            "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        });
        values.set("certgen.annotations.job", hook);
    }
}

/// How the certificates below a key are made: never by Helm, which makes new ones on every render.
pub(super) fn issue(site: &Site<'_>, auto: &str, values: &mut Values) {
    let certificates = &site.topology.mesh.certificates;
    let mut set = |key: &str, value: Value| values.set(&format!("{auto}.{key}"), value);
    match (certificates.method, &certificates.issuer) {
        (CertificateMethod::CronJob, _) => {
            set("method", "cronJob".into());
            // Up to 1.19 there is no CronJob without a schedule, and nothing is ever renewed.
            set("schedule", certificates.schedule.as_str().into());
        }
        (CertificateMethod::CertManager, issuer) => {
            set("method", "certmanager".into());
            if let Some((name, kind, group)) = issuer {
                let issuer = json!({"group": group, "kind": kind.word(), "name": name});
                set("certManagerIssuerRef", issuer);
            }
        }
        (CertificateMethod::External, _) => set("enabled", false.into()),
    }
}
