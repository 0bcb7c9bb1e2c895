//! eksctl, by the part of its schema that is written.

use serde_json::{Value, json};

use landbridge::spec::cluster::IpamMode;

use super::{replaced, stanzas};

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A node group, with the policy of Cilium's operator.
fn group() -> Value {
    let text = json!({"type": "string"});
    let statement = object(
        &json!({
            "Effect": {"const": "Allow"},
            "Action": {"type": "array", "items": {"type": "string", "pattern": "^ec2:[A-Z][A-Za-z0-9]+$"}},
            "Resource": {"const": ["*"]},
        }),
        &["Effect", "Action", "Resource"],
    );
    let policy = object(
        &json!({
            "Version": {"const": "2012-10-17"},
            "Statement": {"type": "array", "items": statement, "minItems": 1},
        }),
        &["Version", "Statement"],
    );
    object(
        &json!({
            "name": text,
            "privateNetworking": {"type": "boolean"},
            "taints": {"const": [
                {"key": "node.cilium.io/agent-not-ready", "value": "true", "effect": "NoExecute"},
            ]},
            "iam": object(&json!({"attachPolicy": policy}), &[]),
        }),
        &["name", "taints"],
    )
}

/// Source: `pkg/apis/eksctl.io/v1alpha5/assets/schema.json` of eksctl: the definitions of
/// `ClusterConfig` and of what is below it, as far as compile may write them.
fn schema() -> Value {
    let text = json!({"type": "string"});
    let subnet = object(&json!({"id": text, "az": text, "cidr": text}), &[]);
    let subnets = json!({"type": "object", "additionalProperties": subnet, "minProperties": 1});
    let addon =
        object(&json!({"name": {"enum": ["coredns", "kube-proxy"]}, "version": text}), &["name"]);
    object(
        &json!({
            "apiVersion": {"const": "eksctl.io/v1alpha5"},
            "kind": {"const": "ClusterConfig"},
            "metadata": object(
                &json!({
                    "name": text,
                    "region": text,
                    "version": {"type": "string", "pattern": "^1\\.[0-9]+$"},
                }),
                &["name", "region"],
            ),
            "kubernetesNetworkConfig": object(&json!({"serviceIPv4CIDR": text}), &[]),
            "vpc": object(
                &json!({
                    "id": text,
                    "cidr": text,
                    "subnets": object(&json!({"private": subnets, "public": subnets}), &[]),
                }),
                &[],
            ),
            "iam": object(&json!({"withOIDC": {"const": true}}), &["withOIDC"]),
            "addonsConfig": object(
                &json!({"disableDefaultAddons": {"const": true}}),
                &["disableDefaultAddons"],
            ),
            "addons": {"type": "array", "items": addon},
            "managedNodeGroups": {"type": "array", "items": group()},
        }),
        &["apiVersion", "kind", "metadata"],
    )
}

/// Whether eksctl makes a cluster of it: without the VPC CNI it takes no nodes.
/// Source: `validateBareCluster` in `pkg/apis/eksctl.io/v1alpha5/bare_cluster.go`.
fn makes_a_cluster(config: &Value) -> bool {
    let bare = config["addonsConfig"]["disableDefaultAddons"] == true;
    !bare || config["managedNodeGroups"].is_null()
}

#[test]
fn eksctl_reads_what_was_declared() {
    let schema = jsonschema::validator_for(&schema()).expect("the schema is valid");
    for one in stanzas(&["eksctl"]) {
        let (cluster, config, nodes) = (&one.cluster, &one.bodies[0], &one.nodes[0]);
        for config in [config, nodes] {
            let problems: Vec<_> = schema.iter_errors(config).map(|e| e.to_string()).collect();
            assert!(problems.is_empty(), "{problems:?}\n{}", one.text);
            assert!(makes_a_cluster(config), "{}", one.text);
        }
        assert_eq!(config["addonsConfig"]["disableDefaultAddons"], true);
        for key in ["name", "region"] {
            assert_eq!(nodes["metadata"][key], config["metadata"][key]);
        }
        let services: Vec<_> =
            cluster.service_cidrs.iter().map(|c| c.value.0.to_string()).collect();
        let service = &config["kubernetesNetworkConfig"]["serviceIPv4CIDR"];
        assert!(services.is_empty() || services.iter().any(|range| service == range));
        let addons = config["addons"].to_string();
        assert_eq!(addons.contains("kube-proxy"), !replaced(cluster));
        assert!(!addons.contains("vpc-cni"));
        let policy = &nodes["managedNodeGroups"][0]["iam"]["attachPolicy"];
        assert_eq!(policy.is_object(), cluster.ipam.mode == IpamMode::Eni);
    }
}
