//! The layers of `ciliumValues`: each looked at once, however many clusters inherit it.

use std::collections::BTreeSet;

use crate::chart::{Chart, Problem, ProblemKind};
use crate::source::Span;
use crate::topology::Topology;
use crate::yaml::json::json;
use crate::yaml::{Node, Value};

/// What of the topology writes a value that people set by hand, for a help.
const DECLARATIONS: &[(&str, &str)] = &[
    ("tunnel", "`routing: {mode: native}` or `{mode: tunnel}` in the mesh"),
    ("routingMode", "`routing: {mode: native}` or `{mode: tunnel}` in the mesh"),
    ("tunnelProtocol", "`routing: {tunnelProtocol: vxlan}` or `geneve` in the mesh"),
    ("kubeProxyReplacement", "`kubeProxy: replaced` or `iptables` in the cluster"),
    ("encryption.enabled", "`encryption: {type: wireguard}` in the mesh"),
    ("encryption.type", "`encryption: {type: wireguard}` or `ipsec` in the mesh"),
    ("ipam.mode", "`ipam: {mode: …}` in the cluster"),
    ("ipam.operator.clusterPoolIPv4PodCIDR", "`podCIDRs` in the cluster"),
    ("clustermesh.enableMCSAPISupport", "`discovery: {mcs: true}` in the mesh"),
    ("clustermesh.mcsapi.enabled", "`discovery: {mcs: true}` in the mesh"),
    (
        "clustermesh.apiserver.tls.server.extraDnsNames",
        "`clustermesh: {endpoint: {hostname: …}}` in the cluster",
    ),
];

/// How the topology says what a key says, if it does.
pub(super) fn declaration(path: &[String]) -> Option<String> {
    let key = path.join(".");
    let (_, declaration) = DECLARATIONS.iter().find(|(known, _)| *known == key)?;
    Some(format!("or leave the key to the topology: declare {declaration}"))
}

/// What the charts make of the keys in all layers, one problem of these kinds for each key, with
/// the key's place. Where a layer is read by several charts, the first cluster's says it.
///
/// `suggestions` is how many misspelt keys get a suggestion.
pub(super) fn problems(
    topology: &Topology,
    kinds: &[ProblemKind],
    mut suggestions: usize,
) -> Vec<(Span, Problem)> {
    let (mut seen, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let mut problems = Vec::new();
    for cluster in topology.clusters.iter().filter(|cluster| !cluster.values.is_empty()) {
        let Some(chart) = Chart::of(&cluster.cilium) else { continue };
        for layer in &cluster.values {
            if !seen.insert((layer.span, &cluster.cilium.value)) {
                continue;
            }
            let values = json(layer);
            let mut found = chart.check_within(&values, &mut suggestions);
            if kinds.contains(&ProblemKind::Deprecated) {
                found.extend(chart.deprecated(&values));
            }
            for problem in found.into_iter().filter(|problem| kinds.contains(&problem.kind)) {
                let key = place(layer, &problem.path);
                if keys.insert(key) {
                    problems.push((key, problem));
                }
            }
        }
    }
    problems
}

/// Where the key of a path stands, or as much of it as there is.
pub(super) fn place(layer: &Node, path: &[String]) -> Span {
    let (mut node, mut span) = (layer, layer.span);
    for name in path {
        match &node.value {
            Value::Mapping(_) => {
                let Some(entry) = node.entry(name) else { break };
                (node, span) = (&entry.value, entry.key_span);
            }
            Value::Sequence(items) => {
                let item = name.parse().ok().and_then(|index: usize| items.get(index));
                let Some(item) = item else { break };
                (node, span) = (item, item.span);
            }
            Value::Scalar(_) => break,
        }
    }
    span
}

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    /// The findings where every cluster inherits these values, as `code message`.
    fn mesh(values: &str) -> Vec<String> {
        with("    defaultDeny", &format!("    ciliumValues: {values}\n    defaultDeny"))
    }

    /// The findings where `use1` has these values.
    fn use1(values: &str) -> Vec<String> {
        with("  id: 1\n", &format!("  id: 1\n  ciliumValues: {values}\n"))
    }

    fn with(old: &str, new: &str) -> Vec<String> {
        of(&TWO_CLUSTERS.replacen(old, new, 1))
    }

    fn of(text: &str) -> Vec<String> {
        let (_, found) = resolved(text);
        found.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn published_mistakes_are_found() {
        for (values, finding) in [
            ("{tunnel: disabled}", "LB2011 the Cilium chart 1.19.6 refuses `tunnel`"),
            ("{kubeProxyReplacement: strict}", "LB2012 `kubeProxyReplacement` can't be `strict`"),
            ("{ebpf: {enabled: true}}", "LB2011 the Cilium chart 1.19.6 ignores `ebpf.enabled`"),
            (
                "{ebpf: {xdpAcceleration: native}}",
                "LB2011 the Cilium chart 1.19.6 ignores `ebpf.xdpAcceleration`",
            ),
            (
                "{globalAccelerator: {enabled: true}}",
                "LB2011 the Cilium chart 1.19.6 ignores `globalAccelerator.enabled`",
            ),
            (
                "{eni: {awsVpcID: vpc-0abc}}",
                "LB2011 the Cilium chart 1.19.6 ignores `eni.awsVpcID`",
            ),
            (
                "{eni: {awsSubnetIDs: \"subnet-0123,subnet-0456\"}}",
                "LB2011 the Cilium chart 1.19.6 ignores `eni.awsSubnetIDs`",
            ),
            (
                "{ipam: {mode: eni}}",
                "LB2012 `ipam.mode: eni` does nothing good without `eni.enabled` and native routing",
            ),
            (
                "{bpf: {masquarade: true}}",
                "LB2010 the Cilium chart 1.19.6 has no `bpf.masquarade` and ignores it",
            ),
            (
                "{enableTunnelBIGTCP: true}",
                "LB2011 the Cilium chart 1.19.6 ignores `enableTunnelBIGTCP`, which 1.19.3 removed",
            ),
            (
                "{k8sClusterNetworkPolicy: {enabled: true}}",
                "LB2010 the Cilium chart 1.19.6 ignores `k8sClusterNetworkPolicy`, which charts have from 1.20.0 on",
            ),
            (
                "{debug: {enabled: \"true\"}}",
                "LB2012 `debug.enabled` must be a boolean, not a string",
            ),
        ] {
            assert_eq!(use1(values), [finding], "{values}");
            assert_eq!(mesh(values), [finding], "one finding for both clusters: {values}");
        }
    }

    #[test]
    fn encryption_wants_a_type_where_the_mesh_has_none() {
        let none =
            TWO_CLUSTERS.replacen("encryption: {type: wireguard}", "encryption: {type: none}", 1);
        let own = |values: &str| {
            of(&none.replacen("  id: 1\n", &format!("  id: 1\n  ciliumValues: {values}\n"), 1))
        };
        let without = "LB2012 `encryption.enabled` without `encryption.type` means IPsec";
        assert_eq!(own("{encryption: {enabled: true}}"), [without]);
        let other = "LB2013 `encryption.enabled` contradicts the topology";
        assert_eq!(own("{encryption: {enabled: true, type: wireguard}}"), [other]);
        assert_eq!(use1("{encryption: {enabled: true}}"), [""; 0], "the mesh says which");
    }

    #[test]
    fn what_is_equal_to_the_declaration_is_fine() {
        for values in [
            "{cluster: {name: use1, id: 1}, routingMode: tunnel, ipam: {mode: cluster-pool}}",
            "{ipam: {operator: {clusterPoolIPv4PodCIDRList: 100.64.0.0/16}}}",
            "{clustermesh: {maxConnectedClusters: 255, apiserver: {replicas: 2}}}",
            "{clustermesh: {config: {clusters: [{name: euw1, ips: [10.9.9.9], port: 2379}]}}}",
            "{clustermesh: {config: {clusters: {euw1: {address: a.example.com, port: 2379}}}}}",
            "{kubeProxyReplacement: true, updateStrategy: {rollingUpdate: null}}",
            "{}",
        ] {
            assert_eq!(use1(values), [""; 0], "{values}");
        }
    }

    #[test]
    fn what_contradicts_the_declaration_is_not() {
        for (values, key) in [
            ("{cluster: {name: use2}}", "cluster.name"),
            ("{cluster: {id: 7}}", "cluster.id"),
            ("{routingMode: native}", "routingMode"),
            ("{tunnelProtocol: geneve}", "tunnelProtocol"),
            ("{encryption: {type: ipsec}}", "encryption.type"),
            ("{encryption: {enabled: false}}", "encryption.enabled"),
            ("{ipam: {mode: kubernetes}}", "ipam.mode"),
            ("{ipv6: {enabled: true}}", "ipv6.enabled"),
            (
                "{ipam: {operator: {clusterPoolIPv4PodCIDRList: [10.0.0.0/8]}}}",
                "ipam.operator.clusterPoolIPv4PodCIDRList",
            ),
            ("{clustermesh: {maxConnectedClusters: 511}}", "clustermesh.maxConnectedClusters"),
            ("{clustermesh: {mcsapi: {enabled: false}}}", "clustermesh.mcsapi.enabled"),
            ("{clustermesh: {useAPIServer: false}}", "clustermesh.useAPIServer"),
            (
                "{clustermesh: {apiserver: {tls: {auto: {method: helm}}}}}",
                "clustermesh.apiserver.tls.auto.method",
            ),
            ("{certgen: {generateCA: true}}", "certgen.generateCA"),
        ] {
            let finding = format!("LB2013 `{key}` contradicts the topology");
            assert_eq!(use1(values), [finding], "{values}");
        }
        let peers = "LB2013 `clustermesh.config.clusters` leaves out `euw1`";
        for values in ["[]", "[{name: euw2, ips: [10.9.9.9], port: 2379}]", "null"] {
            let values = format!("{{clustermesh: {{config: {{clusters: {values}}}}}}}");
            assert_eq!(use1(&values), [peers], "{values}");
        }
    }

    #[test]
    fn one_place_is_one_finding_and_a_later_layer_wins() {
        let ids = ["LB2013 `cluster.id` contradicts the topology"];
        assert_eq!(mesh("{cluster: {id: 9}}"), ids);
        assert_eq!(mesh("{cluster: {id: 1}}"), ids, "right for one cluster, wrong for the other");
        let both = TWO_CLUSTERS
            .replacen(
                "    defaultDeny",
                "    ciliumValues: {routingMode: native}\n    defaultDeny",
                1,
            )
            .replacen("  id: 1\n", "  id: 1\n  ciliumValues: {routingMode: tunnel}\n", 1)
            .replacen("  id: 2\n", "  id: 2\n  ciliumValues: {routingMode: tunnel}\n", 1);
        assert_eq!(of(&both), [""; 0]);
        let deleted = "LB2013 this deletes `encryption.enabled`, which the topology declares";
        assert!(mesh("{encryption: null}").contains(&deleted.to_owned()));
        assert_eq!(mesh("{encryption: null}").len(), 1);
    }
}
