//! Cilium's pools and announcements, with the fields that compile may write, by minor.
//!
//! Source: `pkg/k8s/apis/cilium.io/client/crds` of Cilium 1.16.19, 1.17.6, 1.18.6 and 1.20.2. From
//! 1.18 on the pools and the BGP objects are `v2`; `v2alpha1` is still served and deprecated, and
//! must not be written.

use serde_json::{Value, json};

/// The schemas by the key that [`super::Schemas`] uses.
pub(super) fn schemas() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for minor in ["1.16", "1.17", "1.18", "1.19", "1.20"] {
        let stable = !matches!(minor, "1.16" | "1.17");
        let version = if stable { "v2" } else { "v2alpha1" };
        for (kind, version, spec) in [
            ("CiliumLoadBalancerIPPool", version, pool()),
            ("CiliumL2AnnouncementPolicy", "v2alpha1", l2_policy()),
            ("CiliumBGPClusterConfig", version, cluster_config()),
            ("CiliumBGPPeerConfig", version, peer_config()),
            ("CiliumBGPAdvertisement", version, advertisement()),
        ] {
            let api_version = format!("cilium.io/{version}");
            let schema = object(
                &json!({
                    "apiVersion": {"const": api_version},
                    "kind": {"const": kind},
                    "metadata": {"type": "object"},
                    "spec": spec,
                }),
                &["apiVersion", "kind", "metadata", "spec"],
            );
            all.push((format!("{minor}{api_version}/{kind}"), schema));
        }
    }
    all
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "minItems": 1, "items": items})
}

fn selector() -> Value {
    let requirement = object(
        &json!({
            "key": {"type": "string"},
            "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
            "values": {"type": "array", "items": {"type": "string"}},
        }),
        &["key", "operator"],
    );
    object(
        &json!({
            "matchLabels": {"type": "object", "additionalProperties": {
                "type": "string", "maxLength": 63, "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
            }},
            "matchExpressions": list(&requirement),
        }),
        &[],
    )
}

/// The CRD takes `cidr` beside `start`, of which Cilium reads the first; here it is an error.
fn pool() -> Value {
    let text = json!({"type": "string"});
    let block = json!({"oneOf": [
        object(&json!({"cidr": text}), &["cidr"]),
        object(&json!({"start": text, "stop": text}), &["start", "stop"]),
    ]});
    object(&json!({"blocks": list(&block), "serviceSelector": selector()}), &["blocks"])
}

fn l2_policy() -> Value {
    object(
        &json!({
            "loadBalancerIPs": {"const": true},
            "interfaces": list(&json!({"type": "string"})),
            "nodeSelector": selector(),
            "serviceSelector": selector(),
        }),
        &["loadBalancerIPs"],
    )
}

fn cluster_config() -> Value {
    let number = json!({"type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32});
    let name = json!({"type": "string", "minLength": 1, "maxLength": 255});
    let peer = object(
        &json!({
            "name": name,
            "peerASN": number,
            "peerAddress": {"type": "string", "pattern": "^[0-9a-f.:]+$"},
            "peerConfigRef": object(&json!({"name": {"type": "string"}}), &["name"]),
        }),
        &["name", "peerASN", "peerAddress", "peerConfigRef"],
    );
    let instance = object(
        &json!({"name": name, "localASN": number, "peers": list(&peer)}),
        &["name", "localASN", "peers"],
    );
    object(&json!({"nodeSelector": selector(), "bgpInstances": list(&instance)}), &["bgpInstances"])
}

fn peer_config() -> Value {
    let family = object(
        &json!({
            "afi": {"enum": ["ipv4", "ipv6"]},
            "safi": {"const": "unicast"},
            "advertisements": selector(),
        }),
        &["afi", "safi", "advertisements"],
    );
    object(
        &json!({
            "authSecretRef": {"type": "string"},
            "ebgpMultihop": {"type": "integer", "minimum": 1, "maximum": 255},
            "families": list(&family),
        }),
        &["families"],
    )
}

/// A Service's advertisement without a selector announces nothing.
fn advertisement() -> Value {
    let addresses = list(&json!({"enum": ["LoadBalancerIP", "ClusterIP", "ExternalIP"]}));
    let one = object(
        &json!({
            "advertisementType": {"const": "Service"},
            "service": object(&json!({"addresses": addresses}), &["addresses"]),
            "selector": selector(),
        }),
        &["advertisementType", "service", "selector"],
    );
    object(&json!({"advertisements": list(&one)}), &["advertisements"])
}
