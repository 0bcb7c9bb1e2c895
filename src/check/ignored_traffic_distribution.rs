//! A `trafficDistribution` that Kubernetes or the data path does not read.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::application::{Manage, TrafficDistribution};
use crate::spec::cluster::KubeProxy;
use crate::topology::{Cluster, ClusterSet, Topology};
use crate::yaml::Node;

declare_rules! {
    /// ## What it does
    /// Reports the `trafficDistribution` of a service, declared or hand-written, in a cluster that
    /// does not heed it:
    ///
    /// - Cilium replaces kube-proxy and `loadBalancer.serviceTopology` is off. `compile` switches
    ///   it on where a declared service asks for it; `ciliumValues` may switch it off again.
    /// - Cilium replaces kube-proxy, is older than 1.20, and the value is `PreferSameZone` or
    ///   `PreferSameNode`, which it does not know.
    /// - Kubernetes is older than 1.34 and refuses these two values, or older than 1.31 and does
    ///   not keep the field.
    ///
    /// ## Why it matters
    /// Nothing says so: the Service is there with its field, and the traffic goes to every zone,
    /// with its latency and its price. Source: `pkg/loadbalancer/reflectors/conversions.go` of
    /// Cilium; KEP-4444 (`PreferClose`: beta in 1.31, stable in 1.33); KEP-3015 (the other values:
    /// beta in 1.34, stable in 1.35).
    ///
    /// ## Example
    /// ```yaml
    /// trafficDistribution: PreferSameZone   # Cilium 1.19 instead of kube-proxy
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// trafficDistribution: PreferClose
    /// ```
    pub static IGNORED_TRAFFIC_DISTRIBUTION = { code: "LB2038", name: "ignored-traffic-distribution", summary: "a trafficDistribution that a cluster does not heed", severity: Warning };
}

/// Reports each Service once, for the first cluster that does not heed it.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for service in &topology.services {
        let Some(asked) = &service.traffic_distribution else { continue };
        let mut clusters = service.clusters.clone();
        if service.global.is_some() || service.manage != Manage::Full {
            clusters = clusters.or(&service.client_clusters);
        }
        report(topology, &clusters, asked.span, asked.value.word(), found);
    }
    for set in &topology.manifests {
        for service in set.objects.iter().filter(|object| object.is("", "Service")) {
            let asked = service.at(&["spec", "trafficDistribution"]);
            if let Some((node, text)) = asked.and_then(|node| Some((node, Node::text(node)?))) {
                report(topology, &set.clusters, node.span, text, found);
            }
        }
    }
}

fn report(
    topology: &Topology,
    clusters: &ClusterSet,
    span: Span,
    value: &str,
    found: &mut Diagnostics,
) {
    let newer = [TrafficDistribution::PreferSameZone, TrafficDistribution::PreferSameNode];
    let newer = newer.iter().any(|known| known.word() == value);
    if !newer && value != TrafficDistribution::PreferClose.word() {
        return;
    }
    let mut clusters = clusters.iter().map(|id| topology.cluster(id));
    let Some((cluster, problem)) =
        clusters.find_map(|cluster| Some((cluster, problem(topology, cluster, newer)?)))
    else {
        return;
    };
    let name = &cluster.name.value;
    let (place, message, help) = match problem {
        Problem::Kubernetes(version) => (
            (version, "the version of Kubernetes"),
            if newer {
                format!(
                    "Kubernetes of `{name}` refuses `{value}`, which is on by default from 1.34"
                )
            } else {
                format!("Kubernetes of `{name}` has no `trafficDistribution` before 1.31")
            },
            if newer { "write `PreferClose`" } else { "remove it, or use a later Kubernetes" },
        ),
        Problem::Switch(span) => (
            (span.unwrap_or(cluster.name.span), "`loadBalancer.serviceTopology` is off here"),
            format!("Cilium of `{name}` ignores `{value}`"),
            "write `loadBalancer: {serviceTopology: true}` in `ciliumValues`",
        ),
        Problem::Cilium => (
            (cluster.cilium.span, "the version of Cilium"),
            format!("Cilium of `{name}` does not know `{value}` before 1.20"),
            "write `PreferClose`",
        ),
    };
    found.push(
        Diagnostic::new(&IGNORED_TRAFFIC_DISTRIBUTION, span, message)
            .related(place.0, place.1)
            .help(help),
    );
}

/// Why a cluster does not heed it.
enum Problem {
    /// Its Kubernetes is too old.
    Kubernetes(Span),
    /// Cilium is not told to, by nobody or at this place.
    Switch(Option<Span>),
    /// Its Cilium is too old.
    Cilium,
}

fn problem(topology: &Topology, cluster: &Cluster, newer: bool) -> Option<Problem> {
    let kubernetes = cluster.kubernetes.as_ref();
    if let Some((minor, span)) = kubernetes.and_then(|text| Some((minor(&text.value)?, text.span)))
        && minor < if newer { 34 } else { 31 }
    {
        return Some(Problem::Kubernetes(span));
    }
    if cluster.kube_proxy != KubeProxy::Replaced {
        return None;
    }
    match cluster.said("loadBalancer.serviceTopology") {
        Some((_, on)) if on == true => {}
        Some((span, _)) => return Some(Problem::Switch(Some(span))),
        None if topology.mesh.service_topology => {}
        None => return Some(Problem::Switch(None)),
    }
    (newer && cluster.cilium.minor < 20).then_some(Problem::Cilium)
}

/// The minor of a version of Kubernetes 1, such as `1.34.2` or `v1.34`.
fn minor(text: &str) -> Option<u64> {
    let (major, rest) = text.trim_start_matches('v').split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if major == "1" { rest[..end].parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn findings(value: &str, cilium: &str, kubernetes: &str, cluster: &str) -> Vec<String> {
        let text = TWO_CLUSTERS
            .replace("      export: true", &format!("      trafficDistribution: {value}"))
            .replace("cilium: 1.19.6", &format!("cilium: {cilium}"))
            .replace("kubernetes: 1.34.2", &format!("kubernetes: {kubernetes}"))
            .replace("  id: 2\n", &format!("  id: 2\n  {cluster}\n"));
        let (_, found) = resolved(&text);
        found.into_iter().filter(|line| line.contains(" LB2038 ")).collect()
    }

    #[test]
    fn a_value_counts_from_the_versions_that_know_it() {
        for (value, cilium, kubernetes, cluster, expected) in [
            ("PreferClose", "1.19.6", "1.34.2", "", None),
            ("PreferSameZone", "1.20.0", "1.34.2", "", None),
            ("PreferSameZone", "1.19.6", "1.34.2", "", Some("Cilium of `euw1` does not know")),
            ("PreferSameNode", "1.20.0", "1.33.1", "", Some("Kubernetes of `euw1` refuses")),
            ("PreferClose", "1.18.12", "1.30.9", "", Some("Kubernetes of `euw1` has no")),
            (
                "PreferClose",
                "1.19.6",
                "1.34.2",
                "ciliumValues: {loadBalancer: {serviceTopology: false}}",
                Some("Cilium of `euw1` ignores `PreferClose`"),
            ),
        ] {
            let found = findings(value, cilium, kubernetes, cluster);
            match expected {
                None => assert!(found.is_empty(), "{value} {cilium}: {found:?}"),
                Some(text) => {
                    assert!(found.len() == 1 && found[0].contains(text), "{value}: {found:?}");
                }
            }
        }
        // kube-proxy knows the values itself.
        let text = TWO_CLUSTERS.replace("kubeProxy: replaced", "kubeProxy: iptables");
        let text = text.replace("      export: true", "      trafficDistribution: PreferSameNode");
        let (_, found) = resolved(&text);
        assert!(found.iter().all(|line| !line.contains(" LB2038 ")), "{found:?}");
    }
}
