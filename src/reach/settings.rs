//! What a cluster's Helm values say of policies.
//!
//! Nothing that compile writes is about them (a test holds that), so the user's own values say all
//! of it. `extraConfig` stands at the end of the chart's ConfigMap and wins over the chart's own
//! keys, and `extraArgs` win over the ConfigMap.

use serde_json::Value as Json;

use crate::policy::{Enforcement, Settings};
use crate::source::Span;
use crate::topology::Cluster;

/// The values of the chart, and what they are in the agent's configuration
/// (`templates/cilium-configmap.yaml`, the same from 1.16 to 1.20 where the chart has the value).
const VALUES: &[(&str, &str)] = &[
    ("clustermesh.policyDefaultLocalCluster", "policy-default-local-cluster"),
    ("policyEnforcementMode", "enable-policy"),
    ("enableNonDefaultDenyPolicies", "enable-non-default-deny-policies"),
    ("nodeSelectorLabels", "enable-node-selector-labels"),
    ("hostFirewall.enabled", "enable-host-firewall"),
    ("l7Proxy", "enable-l7-proxy"),
    ("policyCIDRMatchMode", "policy-cidr-match-mode"),
    ("k8sClusterNetworkPolicy.enabled", "enable-k8s-cluster-network-policy"),
    ("k8sNetworkPolicy.enabled", "enable-k8s-networkpolicy"),
    ("labels", "labels"),
];

/// The settings of a cluster's Cilium that change what policies mean.
pub fn settings(cluster: &Cluster) -> Settings {
    let flag = |key: &str| said(cluster, key).and_then(|(_, value)| boolean(&value));
    let mut settings = Settings::of(cluster.name.value.as_str());
    let set = |place: &mut bool, key: &str| *place = flag(key).unwrap_or(*place);
    settings.policy_default_local_cluster = flag("policy-default-local-cluster");
    set(&mut settings.non_default_deny, "enable-non-default-deny-policies");
    set(&mut settings.node_selector_labels, "enable-node-selector-labels");
    set(&mut settings.host_firewall, "enable-host-firewall");
    set(&mut settings.l7_proxy, "enable-l7-proxy");
    set(&mut settings.icmp_rules, "enable-icmp-rules");
    set(&mut settings.extended_protocols, "enable-extended-ip-protocols");
    set(&mut settings.cluster_network_policy, "enable-k8s-cluster-network-policy");
    let mode = said(cluster, "enable-policy").map(|(_, value)| text(&value).to_lowercase());
    settings.enforcement = match mode.as_deref() {
        Some("always") => Enforcement::Always,
        Some("never") => Enforcement::Never,
        _ => Enforcement::Default,
    };
    let modes = said(cluster, "policy-cidr-match-mode").map(|(_, value)| text(&value));
    let has = |mode: &str| modes.iter().any(|modes| modes.split([' ', ',']).any(|one| one == mode));
    settings.cidr_matches_nodes = has("nodes");
    settings.cidr_matches_pods = has("pods");
    settings
}

/// Where a cluster says which labels are part of identities, if it does.
pub fn label_filter(cluster: &Cluster) -> Option<Span> {
    let (span, value) = said(cluster, "labels")?;
    (!text(&value).is_empty()).then_some(span)
}

/// Where a cluster says that policies of Kubernetes' own kind are not read, if it does.
pub fn without_network_policy(cluster: &Cluster) -> Option<Span> {
    let (span, value) = said(cluster, "enable-k8s-networkpolicy")?;
    (boolean(&value) == Some(false)).then_some(span)
}

/// What is said of a key of the agent's configuration, and where.
fn said(cluster: &Cluster, key: &str) -> Option<(Span, Json)> {
    let value = || VALUES.iter().find(|(_, known)| *known == key).map(|(value, _)| *value);
    let found = argument(cluster, key)
        .or_else(|| cluster.said(&format!("extraConfig.{key}")))
        .or_else(|| cluster.said(value()?));
    found.filter(|(_, value)| !value.is_null())
}

/// What the last of the agent's further arguments about a key says.
fn argument(cluster: &Cluster, key: &str) -> Option<(Span, Json)> {
    let (span, arguments) = cluster.said("extraArgs")?;
    let said = |argument: &Json| {
        let rest = argument.as_str()?.strip_prefix("--")?.strip_prefix(key)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(Json::from(value)),
            None => rest.is_empty().then_some(Json::Bool(true)),
        }
    };
    let value = arguments.as_array()?.iter().rev().find_map(said)?;
    Some((span, value))
}

fn boolean(value: &Json) -> Option<bool> {
    match text(value).as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A value as the chart writes it; a list with spaces between its items.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{self, Index};
    use crate::topology::ClusterId;
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    fn with(values: &str) -> Cluster {
        let values = format!("  id: 1\n  ciliumValues: {values}\n");
        let (topology, _) = resolved(&TWO_CLUSTERS.replacen("  id: 1\n", &values, 1));
        let topology = topology.expect("a topology");
        let named = |cluster: &&Cluster| cluster.name.value == "use1";
        topology.clusters.iter().find(named).expect("a cluster").clone()
    }

    #[test]
    fn compile_says_nothing_of_them() {
        let topology = resolved(TWO_CLUSTERS).0.expect("a topology");
        let desired = compile::cluster(&topology, &Index::of(&topology), ClusterId::new(0));
        let values = &desired.documents[0].bodies[0];
        for (key, _) in VALUES {
            let found = values.pointer(&format!("/{}", key.replace('.', "/")));
            assert_eq!(found, None, "{key}");
        }
        assert_eq!(values.get("extraConfig"), None);
        assert_eq!(values.get("extraArgs"), None);
    }

    #[test]
    fn values_become_settings() {
        let plain = settings(&with("{}"));
        assert_eq!(plain, Settings::of("use1"));
        let set = settings(&with(
            "{policyEnforcementMode: Always, clustermesh: {policyDefaultLocalCluster: false}, \
             policyCIDRMatchMode: [nodes], l7Proxy: false, extraConfig: {enable-icmp-rules: \"false\"}}",
        ));
        assert_eq!(set.enforcement, Enforcement::Always);
        assert_eq!(set.policy_default_local_cluster, Some(false));
        assert!(set.cidr_matches_nodes && !set.cidr_matches_pods);
        assert!(!set.l7_proxy && !set.icmp_rules);
        let enforcement =
            |mode: &str| settings(&with(&format!("{{policyEnforcementMode: {mode}}}"))).enforcement;
        assert_eq!(enforcement("never"), Enforcement::Never);
        assert_eq!(enforcement("default"), Enforcement::Default);
    }

    #[test]
    fn arguments_win_over_the_configuration_and_that_over_values() {
        let config = "{l7Proxy: true, extraConfig: {enable-l7-proxy: \"false\"}}";
        assert!(!settings(&with(config)).l7_proxy);
        let arguments = "{extraArgs: [--enable-l7-proxy=true, --enable-host-firewall], \
                         extraConfig: {enable-l7-proxy: \"false\"}}";
        let set = settings(&with(arguments));
        assert!(set.l7_proxy && set.host_firewall);
        assert_eq!(label_filter(&with("{labels: null}")), None);
        assert!(label_filter(&with("{labels: \"k8s:app\"}")).is_some());
        assert!(without_network_policy(&with("{k8sNetworkPolicy: {enabled: false}}")).is_some());
        let on = with("{k8sNetworkPolicy: {enabled: true}}");
        assert_eq!(without_network_policy(&on), None);
    }
}
