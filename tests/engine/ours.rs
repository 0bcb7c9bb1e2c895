//! What `landbridge::policy` says of a case.

use std::collections::BTreeMap;

use landbridge::policy::parse::{CidrGroup, read};
use landbridge::policy::semantics::Enforcement;
use landbridge::policy::verdict::Outcome as Decided;
use landbridge::policy::{
    Agent, Direction, Flow, Identity, Known, Pod, Policy, Protocol, Rule, Semantics, Settings,
};
use landbridge::source::{SourceId, SourceMap, Span};
use landbridge::yaml::{Entry, Node, Scalar, Value};
use semver::Version;
use serde_json::Value as Json;

use super::case::{self, Case, Outcome};

/// What is said of a case.
pub(crate) struct Answer {
    /// By policy: why it is refused, if it is.
    pub(crate) refused: Vec<Option<String>>,
    /// By flow: egress, then ingress.
    pub(crate) flows: Vec<[Verdict; 2]>,
}

/// What is decided about one end, and the rules that decide: policy and place in its object.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    /// Whether a proxy may see it, which the engines call L7 even where all goes through.
    pub(crate) proxied: bool,
    pub(crate) rules: Vec<(usize, String)>,
}

impl Verdict {
    /// Whether an engine's outcome is this one.
    pub(crate) fn is(&self, theirs: Outcome) -> bool {
        self.outcome == theirs
            || (theirs == Outcome::L7 && self.outcome == Outcome::Allowed && self.proxied)
    }
}

/// One cluster with what its agents read.
struct Cluster<'c> {
    name: &'c str,
    semantics: Semantics,
    /// By policy of the case, if it is in this cluster.
    policies: Vec<(usize, Policy)>,
    identities: BTreeMap<&'c str, Identity>,
}

/// Answers a case as a version of Cilium.
pub(crate) fn answer(case: &Case, version: &str) -> Answer {
    let version = Version::parse(version).expect("a version");
    let mut sources = SourceMap::new();
    let source = sources.add("policy.json", "");
    let trees: Vec<Numbered> =
        case.policies.iter().map(|policy| Numbered::of(&policy.object, source)).collect();
    let mut refused = vec![None; case.policies.len()];
    let unpoliced = Verdict { outcome: Outcome::Unpoliced, proxied: false, rules: Vec::new() };
    let mut flows = vec![[unpoliced.clone(), unpoliced]; case.flows.len()];
    for cluster in &case.clusters {
        let settings = settings(case, &cluster.name, &version);
        let semantics = Semantics::new(version.clone(), settings).expect("a known minor");
        let known = known(case, &cluster.name);
        let mut policies = Vec::new();
        for (index, (policy, tree)) in case.policies.iter().zip(&trees).enumerate() {
            if !policy.cluster.is_empty() && policy.cluster != cluster.name {
                continue;
            }
            if let Some(policy) = read(&tree.node, &semantics, &known) {
                if let Some(why) = &policy.refused {
                    refused[index].get_or_insert_with(|| why.why.clone());
                }
                policies.push((index, policy));
            }
        }
        let identities =
            case.identities.iter().map(|it| (it.id.as_str(), identity(case, it))).collect();
        let known = Cluster { name: &cluster.name, semantics, policies, identities };
        known.decide(case, &trees, &mut flows);
    }
    Answer { refused, flows }
}

impl Cluster<'_> {
    fn decide(&self, case: &Case, trees: &[Numbered], flows: &mut [[Verdict; 2]]) {
        let policies: Vec<Policy> =
            self.policies.iter().map(|(_, policy)| policy.clone()).collect();
        let agent = Agent::new(&self.semantics, &policies, self.identities.values());
        let owners: BTreeMap<*const Rule, usize> = policies
            .iter()
            .zip(&self.policies)
            .flat_map(|(policy, (index, _))| {
                policy.rules.iter().map(move |rule| (std::ptr::from_ref(rule), *index))
            })
            .collect();
        for (flow, verdicts) in case.flows.iter().zip(flows) {
            let ends = [(&flow.from, &flow.to), (&flow.to, &flow.from)];
            let ways = [Direction::Egress, Direction::Ingress];
            for (((subject, peer), direction), verdict) in ends.into_iter().zip(ways).zip(verdicts)
            {
                let here = |it: &&case::Identity| {
                    it.id == *subject && !it.namespace.is_empty() && it.cluster == self.name
                };
                if !case.identities.iter().any(|it| here(&it)) {
                    continue;
                }
                let asked = Flow {
                    subject: &self.identities[subject.as_str()],
                    peer: &self.identities[peer.as_str()],
                    direction,
                    protocol: protocol(&flow.protocol),
                    port: flow.port,
                };
                let decided = agent.verdict(&asked);
                let place = |rule: &&Rule| {
                    let owner = owners[&std::ptr::from_ref(*rule)];
                    (owner, trees[owner].places[rule.span.start as usize].clone())
                };
                *verdict = Verdict {
                    outcome: match decided.outcome {
                        Decided::Allowed(None) => Outcome::Allowed,
                        Decided::Allowed(Some(_)) => Outcome::L7,
                        Decided::Denied => Outcome::Denied,
                        Decided::Broken => Outcome::Error,
                    },
                    proxied: decided.proxied,
                    rules: decided.rules.iter().map(place).collect(),
                };
            }
        }
    }
}

pub(super) fn settings(case: &Case, cluster: &str, version: &Version) -> Settings {
    let given = &case.settings;
    let mut settings = Settings::of(cluster);
    settings.policy_default_local_cluster = given.policy_default_local_cluster;
    settings.enforcement = match given.policy_enforcement_mode.as_deref() {
        Some("always") => Enforcement::Always,
        Some("never") => Enforcement::Never,
        _ => Enforcement::Default,
    };
    settings.non_default_deny = given.enable_non_default_deny_policies.unwrap_or(true);
    settings.node_selector_labels = given.enable_node_selector_labels;
    settings.cidr_matches_nodes = given.policy_cidr_match_mode.iter().any(|mode| mode == "nodes");
    // The program of 1.20 takes ClusterNetworkPolicies.
    settings.cluster_network_policy = version.minor >= 20;
    settings
}

/// Services and groups of a cloud resolve to nothing in the programs.
pub(super) fn known(case: &Case, cluster: &str) -> Known {
    let groups = case.policies.iter().filter(|policy| {
        policy.object["kind"] == "CiliumCIDRGroup"
            && (policy.cluster.is_empty() || policy.cluster == cluster)
    });
    let group = |policy: &case::Policy| {
        let object = &policy.object;
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
        let prefixes = object["spec"]["externalCIDRs"].as_array().into_iter().flatten();
        CidrGroup {
            name: text(&object["metadata"]["name"]),
            labels: labels.map(|(key, value)| (key.clone(), text(value))).collect(),
            prefixes: prefixes.filter_map(|net| net.as_str()?.parse().ok()).collect(),
        }
    };
    Known {
        cidr_groups: groups.map(group).collect(),
        services: Some(Vec::new()),
        external_groups: Some(Vec::new()),
    }
}

pub(super) fn identity(case: &Case, it: &case::Identity) -> Identity {
    let labels = pairs(&it.labels);
    if !it.namespace.is_empty() {
        return pod(case, it, &labels);
    }
    let net = || {
        let address: std::net::IpAddr = it.address.parse().expect("an address");
        address.into()
    };
    if it.node {
        let made = if case.settings.enable_node_selector_labels {
            Identity::labelled_node(&it.cluster, &labels)
        } else {
            Identity::remote_node()
        };
        return if it.address.is_empty() { made } else { made.at(net()) };
    }
    if !it.address.is_empty() {
        let mut made = Identity::address(net(), case.settings.enable_ipv6);
        made.names.extend(it.names.iter().cloned());
        return made;
    }
    match it.reserved.as_str() {
        "kube-apiserver" => Identity::api_server_node(),
        name => Identity::reserved(name),
    }
}

fn pod(case: &Case, it: &case::Identity, labels: &[(&str, &str)]) -> Identity {
    let here = |known: &&case::Namespace| known.cluster == it.cluster && known.name == it.namespace;
    let mut above =
        case.namespaces.iter().find(here).map(|known| pairs(&known.labels)).unwrap_or_default();
    above.push(("kubernetes.io/metadata.name", &it.namespace));
    let account =
        if it.service_account.is_empty() { "default" } else { it.service_account.as_str() };
    let mut made = Identity::pod(&Pod {
        cluster: &it.cluster,
        namespace: &it.namespace,
        service_account: Some(account),
        labels,
        namespace_labels: &above,
    });
    for port in &it.named_ports {
        made = made.port(&port.name, protocol(&port.protocol), port.port);
    }
    made
}

fn pairs(labels: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    labels.iter().map(|(key, value)| (&**key, &**value)).collect()
}

pub(super) fn protocol(name: &str) -> Protocol {
    match name {
        "TCP" => Protocol::TCP,
        "UDP" => Protocol::UDP,
        "SCTP" => Protocol::SCTP,
        "ICMP" => Protocol::ICMP,
        "ICMPv6" => Protocol::ICMPV6,
        other => panic!("{other} is no protocol of the programs"),
    }
}

/// An object as a tree whose spans are numbers, and the place that each number stands for.
struct Numbered {
    node: Node,
    places: Vec<String>,
}

impl Numbered {
    fn of(object: &Json, source: SourceId) -> Self {
        let mut places = Vec::new();
        let node = numbered(object, source, "", &mut places);
        Self { node, places }
    }
}

fn numbered(value: &Json, source: SourceId, place: &str, places: &mut Vec<String>) -> Node {
    let span = Span::new(source, places.len()..places.len() + 1);
    places.push(place.to_owned());
    let scalar = |text: String, plain| {
        Value::Scalar(Scalar { text: text.into_boxed_str(), plain, tag: None })
    };
    let value = match value {
        Json::Null => scalar("null".to_owned(), true),
        Json::Bool(known) => scalar(known.to_string(), true),
        Json::Number(number) => scalar(number.to_string(), true),
        Json::String(text) => scalar(text.clone(), false),
        Json::Array(items) => Value::Sequence(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| numbered(item, source, &format!("{place}/{index}"), places))
                .collect(),
        ),
        Json::Object(entries) => Value::Mapping(
            entries
                .iter()
                .map(|(key, value)| Entry {
                    key: key.as_str().into(),
                    key_span: span,
                    value: numbered(value, source, &format!("{place}/{key}"), places),
                })
                .collect(),
        ),
    };
    Node { span, value }
}
