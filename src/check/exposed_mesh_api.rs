//! A ClusterMesh API server that may face the internet.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::source::Span;
use crate::spec::cluster::{LoadBalancerController as Controller, Scheme, ServiceType};
use crate::spec::region::Provider;
use crate::topology::{Cluster, Topology};

declare_rules! {
    /// ## What it does
    /// Reports a member of the mesh whose ClusterMesh API server may be reached from the internet:
    /// its load balancer is declared `internet-facing` and admits every address; it is internal by
    /// declaration and public by an annotation; or it stands in a cloud whose controller nobody
    /// declares, so that nothing tells it to be internal.
    ///
    /// ## Why it matters
    /// Behind it is the mesh's etcd: every identity, address and service of the cluster. Mutual
    /// TLS is all that is left in front of it. What counts is the controller and not the cloud: the
    /// AWS Load Balancer Controller makes internal ones unless told otherwise (since its 2.2), the
    /// cloud providers of AWS, Azure and Google make public ones, and each reads annotations of its
    /// own. Source: AWS Load Balancer Controller, "Network Load Balancer"; cloud-provider-aws,
    /// "The Service Controller"; Azure, "Use an internal load balancer"; Google, "Create an
    /// internal load balancer".
    ///
    /// ## Example
    /// ```yaml
    /// clustermesh: {service: {type: LoadBalancer, scheme: internet-facing}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// clustermesh: {service: {type: LoadBalancer, scheme: internal}}
    /// ```
    pub static EXPOSED_MESH_API = { code: "LB2025", name: "exposed-mesh-api", summary: "a ClusterMesh API server that may face the internet", severity: Warning };
}

/// Annotations with which a controller makes a load balancer public.
/// Sources: as in the rule's page; an empty value of cloud-provider-aws' is no value to it.
const PUBLIC: &[(Controller, &str, &[&str])] = &[
    (
        Controller::AwsLoadBalancerController,
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        &["internet-facing"],
    ),
    (
        Controller::CloudProviderAws,
        "service.beta.kubernetes.io/aws-load-balancer-internal",
        &["false", ""],
    ),
    (Controller::Azure, "service.beta.kubernetes.io/azure-load-balancer-internal", &["false", ""]),
    (Controller::Gcp, "networking.gke.io/load-balancer-type", &["External", ""]),
];

/// Annotations that limit who may connect. Source: Kubernetes, "Well-Known Labels, Annotations and
/// Taints"; AWS Load Balancer Controller, "Network Load Balancer".
const LIMITS: [&str; 3] = [
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/aws-load-balancer-security-groups",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
];

/// The chart's annotations of the Service, and its limit of addresses.
const ANNOTATIONS: &str = "clustermesh.apiserver.service.annotations";
const RANGES: &str = "clustermesh.apiserver.service.loadBalancerSourceRanges";

/// Reports each such member; one place, or one region without a controller, once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    let mut findings: BTreeMap<Span, (Diagnostic, usize)> = BTreeMap::new();
    for cluster in topology.clusters.iter().filter(|cluster| cluster.in_mesh) {
        let declared = &cluster.clustermesh;
        if declared.service_type != ServiceType::LoadBalancer || limited(cluster) {
            continue;
        }
        let finding = match declared.scheme {
            Scheme::InternetFacing => facing(cluster),
            Scheme::Internal => public(cluster).or_else(|| undeclared(topology, cluster)),
        };
        let Some((place, finding)) = finding else { continue };
        findings.entry(place).and_modify(|(_, more)| *more += 1).or_insert((finding, 0));
    }
    for (finding, more) in findings.into_values() {
        found.push(match more {
            0 => finding,
            more => finding.note(format!("the same holds for {more} more clusters")),
        });
    }
}

/// Every annotation of the Service, the last said first, and where.
fn annotations(cluster: &Cluster) -> Vec<(String, String, Span)> {
    let mut all = Vec::new();
    if let Some((span, Json::Object(map))) = cluster.said(ANNOTATIONS) {
        for (key, value) in map {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            all.push((key, text, span));
        }
    }
    let own = cluster.clustermesh.annotations.iter();
    all.extend(own.map(|(key, value)| (key.clone(), value.value.clone(), value.span)));
    all
}

/// Whether somebody says who may connect, and it is not everybody.
fn limited(cluster: &Cluster) -> bool {
    let declared = cluster.clustermesh.source_ranges.iter().map(|range| range.value.0.to_string());
    let said = match cluster.said(RANGES) {
        Some((_, Json::Array(ranges))) => ranges
            .iter()
            .map(|range| range.as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>(),
        _ => declared.collect(),
    };
    let everybody = |range: &str| matches!(range.trim(), "0.0.0.0/0" | "::/0");
    let annotated = annotations(cluster).into_iter().any(|(key, value, _)| {
        LIMITS.contains(&key.as_str()) && !value.split(',').any(everybody) && !value.is_empty()
    });
    annotated || (!said.is_empty() && !said.iter().any(|range| everybody(range)))
}

fn facing(cluster: &Cluster) -> Option<(Span, Diagnostic)> {
    let span = cluster.clustermesh.scheme_span?;
    let message =
        format!("the ClusterMesh API server of `{}` admits the whole internet", cluster.name.value);
    let finding = Diagnostic::new(&EXPOSED_MESH_API, span, message)
        .related(cluster.name.span, "the cluster")
        .help("declare `scheme: internal`, or the `sourceRanges` of the other clusters' nodes");
    Some((span, finding))
}

fn public(cluster: &Cluster) -> Option<(Span, Diagnostic)> {
    let controller = cluster.load_balancer.as_ref()?;
    let annotations = annotations(cluster);
    let mut rows = PUBLIC.iter().filter(|(of, ..)| *of == controller.value);
    let (key, span) = rows.find_map(|(_, key, values)| {
        // The first is the one that counts.
        let (_, value, span) = annotations.iter().find(|(own, ..)| own == key)?;
        values.contains(&value.as_str()).then_some((key, *span))
    })?;
    let message = format!("`{key}` makes an internal load balancer public");
    let finding = Diagnostic::new(&EXPOSED_MESH_API, span, message)
        .related(controller.span, "the controller that reads it")
        .help("remove it: the declared `scheme` writes what the controller reads");
    let mut finding = finding.related(cluster.name.span, "the cluster");
    finding.severity = Severity::Error;
    Some((span, finding))
}

fn undeclared(topology: &Topology, cluster: &Cluster) -> Option<(Span, Diagnostic)> {
    let provider = topology.region_of(cluster).provider;
    let cloud = matches!(provider, Provider::Aws | Provider::Azure | Provider::Gcp);
    let told = annotations(cluster).iter().any(|(key, value, _)| {
        PUBLIC.iter().any(|(_, known, values)| known == key && !values.contains(&value.as_str()))
    });
    let classed = cluster.clustermesh.load_balancer_class.is_some();
    if !cloud || told || classed || cluster.load_balancer.is_some() {
        return None;
    }
    let controller = match provider {
        Provider::Azure => "azure",
        Provider::Gcp => "gcp",
        _ => "cloud-provider-aws",
    };
    let message = format!(
        "nothing tells the load balancer of the ClusterMesh API server of `{}` to be internal",
        cluster.name.value
    );
    let region = topology.region_of(cluster).name.span;
    let finding = Diagnostic::new(&EXPOSED_MESH_API, cluster.name.span, message)
        .related(region, "the cloud's own controller makes public ones")
        .help(format!(
            "declare the controller, such as `loadBalancers: {{controller: {controller}}}`: it decides which annotation is read"
        ));
    Some((region, finding))
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// The findings where both clusters have this controller and this Service.
    fn with(controller: &str, service: &str) -> Vec<String> {
        let service =
            format!("  clustermesh: {{service: {service}, endpoint: {{ips: [10.0.1.20]}}}}");
        let text = TWO_CLUSTERS
            .replacen(
                "    loadBalancers: {controller: aws-load-balancer-controller}\n",
                controller,
                1,
            )
            .replacen("  clustermesh: {endpoint: {ips: [10.0.1.20]}}", &service, 1)
            .replacen("  id: 2\n", "  id: 2\n  loadBalancers: {controller: other}\n", 1);
        let found = resolved(&text).1;
        found.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    const AWS: &str = "    loadBalancers: {controller: aws-load-balancer-controller}\n";
    const IN_TREE: &str = "    loadBalancers: {controller: cloud-provider-aws}\n";
    const OPEN: &str = "LB2025 the ClusterMesh API server of `use1` admits the whole internet";

    #[test]
    fn who_faces_the_internet_says_who_may_connect() {
        assert_eq!(with(AWS, "{scheme: internal}"), [""; 0]);
        assert_eq!(with(AWS, "{scheme: internet-facing}"), [OPEN]);
        assert_eq!(with(AWS, "{scheme: internet-facing, sourceRanges: [0.0.0.0/0]}"), [OPEN]);
        assert_eq!(with(AWS, "{scheme: internet-facing, sourceRanges: [192.0.2.0/24]}"), [""; 0]);
        assert_eq!(with(AWS, "{scheme: internet-facing, type: NodePort}"), [""; 0]);
    }

    #[test]
    fn an_annotation_beats_the_declaration() {
        let key = "service.beta.kubernetes.io/aws-load-balancer-scheme";
        let service = |key: &str, value: &str| format!("{{annotations: {{{key}: \"{value}\"}}}}");
        let public = |key: &str| format!("LB2025 `{key}` makes an internal load balancer public");
        assert_eq!(with(AWS, &service(key, "internet-facing")), [public(key)]);
        assert_eq!(with(AWS, &service(key, "internal")), [""; 0]);
        assert_eq!(with(IN_TREE, &service(key, "internet-facing")), [""; 0], "it reads another");
        let key = "service.beta.kubernetes.io/aws-load-balancer-internal";
        assert_eq!(with(IN_TREE, &service(key, "false")), [public(key)]);
    }

    #[test]
    fn somebody_has_to_tell_the_controller() {
        let nobody = "LB2025 nothing tells the load balancer of the ClusterMesh API server of `use1` to be internal";
        assert_eq!(with("", "{scheme: internal}"), [nobody]);
        let told =
            "{annotations: {service.beta.kubernetes.io/aws-load-balancer-internal: \"true\"}}";
        assert_eq!(with("", told), [""; 0]);
        assert_eq!(with("", "{loadBalancerClass: example.com/own}"), [""; 0]);
    }
}
