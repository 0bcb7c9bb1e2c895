//! The protocol of the programs below `tests/oracle`, whose `README.md` says what the fields mean.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) settings: Settings,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) namespaces: Vec<Namespace>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) policies: Vec<Policy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) services: Vec<Service>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) security_groups: Vec<SecurityGroup>,
    pub(crate) flows: Vec<Flow>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Service {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cluster: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) selector: BTreeMap<String, String>,
    pub(crate) addresses: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) addresses: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_default_local_cluster: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_enforcement_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enable_non_default_deny_policies: Option<bool>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) enable_node_selector_labels: bool,
    #[serde(rename = "policyCIDRMatchMode", skip_serializing_if = "Vec::is_empty")]
    pub(crate) policy_cidr_match_mode: Vec<String>,
    #[serde(rename = "enableIPv6", skip_serializing_if = "is_false")]
    pub(crate) enable_ipv6: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) id: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Namespace {
    pub(crate) cluster: String,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Identity {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cluster: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) namespace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) service_account: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) named_ports: Vec<NamedPort>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) node: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) address: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reserved: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NamedPort {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) protocol: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) cluster: String,
    pub(crate) object: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) port: u16,
    pub(crate) protocol: String,
}

/// What an engine says of a case.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) cilium: String,
    pub(crate) error: String,
    pub(crate) policies: Vec<Taken>,
    pub(crate) flows: Vec<Verdicts>,
}

impl Answer {
    /// Whether the engine panicked on one of the flows.
    pub(crate) fn panicked(&self) -> bool {
        let ends = self.flows.iter().flat_map(|flow| [&flow.egress, &flow.ingress]);
        ends.into_iter().any(Verdict::panicked)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Taken {
    pub(crate) accepted: bool,
    pub(crate) refused: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Verdicts {
    pub(crate) egress: Verdict,
    pub(crate) ingress: Verdict,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the protocol names the fields")]
pub(crate) struct Verdict {
    pub(crate) verdict: Outcome,
    pub(crate) error: String,
    /// The L7 rules of each filter about the flow, from 1.17.
    pub(crate) l7: Vec<Filter>,
}

/// L7 rules by which a proxy decides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    parser: String,
    rules: Value,
}

impl Filter {
    /// What it lets through, a text for each rule, as [`super::ours::limits`] writes them.
    fn limits(&self) -> Vec<String> {
        let list = |key: &str| self.rules[key].as_array().into_iter().flatten();
        let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_owned();
        let http = list("http").map(|rule| {
            let headers = rule["headers"].as_array().into_iter().flatten();
            let headers: Vec<&str> = headers.filter_map(Value::as_str).collect();
            let [method, path, host] = ["method", "path", "host"].map(|key| text(rule, key));
            format!("http {method} {path} {host} {}", headers.join(" "))
        });
        let dns = list("dns").map(|rule| {
            let name = text(rule, "matchName") + &text(rule, "matchPattern");
            format!("dns {}", name.trim_end_matches('.').to_ascii_lowercase())
        });
        let known: Vec<String> = http.chain(dns).collect();
        if known.is_empty() { vec![self.parser.clone()] } else { known }
    }
}

impl Verdict {
    /// What a proxy lets through, where the engine says it.
    pub(crate) fn limits(&self) -> Option<BTreeSet<String>> {
        let said = self.verdict == Outcome::L7 && !self.l7.is_empty();
        said.then(|| self.l7.iter().flat_map(Filter::limits).collect())
    }

    pub(crate) fn panicked(&self) -> bool {
        self.error.starts_with("panic:")
    }
}

/// What is decided about one end of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Allowed,
    Denied,
    L7,
    #[default]
    Unpoliced,
    Error,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(known: &bool) -> bool {
    !*known
}
