//! k3s, whose configuration file has the flags of `k3s server` as keys.

use serde_json::{Value, json};

use super::{joined, pods, replaced, shares, stanzas, told};

/// Whether a value is what a flag takes.
type Is = fn(&Value) -> bool;

/// The flags that compile may write, and whether each takes a list, a text or a truth.
/// Source: `ServerFlags` in `pkg/cli/cmds/server.go` and `KubeProxyArgs` (`kube-proxy-arg`) in
/// `pkg/cli/cmds/agent.go` of k3s. A list of addresses may be one text with commas.
const FLAGS: [(&str, Is); 10] = [
    ("flannel-backend", |value| value == "none"),
    ("disable-network-policy", Value::is_boolean),
    ("disable-kube-proxy", Value::is_boolean),
    ("cluster-cidr", Value::is_string),
    ("service-cidr", Value::is_string),
    ("cluster-domain", Value::is_string),
    ("tls-san", is_texts),
    ("disable", |value| *value == json!(["servicelb"])),
    ("kube-proxy-arg", is_texts),
    ("kube-controller-manager-arg", is_texts),
];

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

#[test]
fn k3s_reads_what_was_declared() {
    for one in stanzas(&["k3s"]) {
        let (cluster, config) = (&one.cluster, &one.bodies[0]);
        for (key, value) in config.as_object().expect("a mapping") {
            let flag = FLAGS.iter().find(|(flag, _)| flag == key);
            assert!(flag.is_some_and(|(_, is)| is(value)), "{key}: {value}");
        }
        assert_eq!(config["cluster-cidr"], joined(pods(cluster)));
        assert_eq!(config["service-cidr"], joined(told(&cluster.service_cidrs)));
        assert_eq!(config["cluster-domain"], cluster.dns.domain);
        assert_eq!(config["disable-network-policy"], true);
        assert_eq!(config["disable-kube-proxy"] == true, replaced(cluster));
        let (name, value) = shares(cluster);
        let args = config["kube-controller-manager-arg"].to_string();
        let written =
            value.as_str().is_none_or(|value| args.contains(&format!("{name}={value}\"")));
        assert!(written, "{args}");
        assert_eq!(config["disable"].is_array(), cluster.load_balancer.is_some());
    }
}
