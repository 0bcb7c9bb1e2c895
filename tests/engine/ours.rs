//! What `landbridge::policy` says of a case.

use std::collections::{BTreeMap, BTreeSet};

use landbridge::policy::parse::{CidrGroup, Service, read};
use landbridge::policy::rule::L7;
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
    /// What a proxy lets through, where something limits it.
    pub(crate) limits: Option<BTreeSet<String>>,
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
    let unpoliced =
        Verdict { outcome: Outcome::Unpoliced, proxied: false, limits: None, rules: Vec::new() };
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
                let limited = match &decided.outcome {
                    Decided::Allowed(Some(all)) => Some(limits(all)),
                    Decided::Allowed(None) | Decided::Denied | Decided::Broken => None,
                };
                *verdict = Verdict {
                    outcome: match decided.outcome {
                        Decided::Allowed(None) => Outcome::Allowed,
                        Decided::Allowed(Some(_)) => Outcome::L7,
                        Decided::Denied => Outcome::Denied,
                        Decided::Broken => Outcome::Error,
                    },
                    proxied: decided.proxied,
                    limits: limited,
                    rules: decided.rules.iter().map(place).collect(),
                };
            }
        }
    }
}

/// A text for each of several L7 rules.
fn limits(all: &[L7]) -> BTreeSet<String> {
    let texts = all.iter().flat_map(|l7| -> Vec<String> {
        match l7 {
            L7::Http(rules) => rules
                .iter()
                .map(|rule| {
                    let [method, path, host] = [&rule.method, &rule.path, &rule.host]
                        .map(|text| text.as_deref().unwrap_or_default());
                    format!("http {method} {path} {host} {}", rule.headers.join(" "))
                })
                .collect(),
            L7::Dns(patterns) => patterns.iter().map(|name| format!("dns {}", name.0)).collect(),
            L7::Other(keys) if keys.contains("kafka") => vec!["kafka".to_owned()],
            L7::Other(_) => vec!["tls".to_owned()],
        }
    });
    texts.collect()
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

/// The only security group is the one that policies name.
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
    let owned = |labels: &BTreeMap<String, String>| {
        labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let nets = |addresses: &[String]| {
        let net = |text: &String| -> ipnet::IpNet {
            text.parse::<std::net::IpAddr>().expect("an address").into()
        };
        addresses.iter().map(net).collect()
    };
    let here = |known: &&case::Service| known.cluster.is_empty() || known.cluster == cluster;
    let service = |known: &case::Service| Service {
        name: known.name.clone(),
        namespace: known.namespace.clone(),
        labels: owned(&known.labels),
        selector: owned(&known.selector),
        addresses: nets(&known.addresses),
    };
    let outside: Vec<String> =
        case.security_groups.iter().flat_map(|group| group.addresses.clone()).collect();
    Known {
        cidr_groups: groups.map(group).collect(),
        services: Some(case.services.iter().filter(here).map(service).collect()),
        external_groups: Some(nets(&outside)),
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
