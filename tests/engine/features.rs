//! What of the policies decided verdicts: a feature decides a verdict if it stands in a rule that
//! decides it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::case::{Case, Outcome};
use super::ours::Verdict;

/// How often each feature decided each outcome.
#[derive(Default)]
pub(crate) struct Counts {
    rows: BTreeMap<String, [u64; 3]>,
    /// All verdicts, by outcome; the last are the broken ones.
    pub(crate) all: [u64; 4],
    /// Features by policy and place, of the case that is being counted.
    known: BTreeMap<(usize, String), Vec<String>>,
}

/// The outcomes by their columns.
const OUTCOMES: [&str; 3] = ["allowed", "denied", "l7"];

/// How often a feature must decide each outcome in [`ENOUGH`] cases.
const BAR: u64 = 500;
/// Cases of one minor after which every feature must have decided as often as [`BAR`] says.
pub(crate) const ENOUGH: u64 = 20_000;

/// What features (by how their names begin) cannot decide, and why.
const IMPOSSIBLE: &[(&str, &[&str], &str)] = &[
    ("section: ingressDeny", &["allowed", "l7"], "what it matches is dropped"),
    ("section: egressDeny", &["allowed", "l7"], "what it matches is dropped"),
    ("tier: Admin Deny", &["allowed", "l7"], "what it matches is dropped"),
    ("tier: Baseline Deny", &["allowed", "l7"], "what it matches is dropped"),
    (
        "tier: Admin Accept",
        &["denied"],
        "a tier isolates no one, so that what it does not match goes on",
    ),
    (
        "tier: Baseline Accept",
        &["denied"],
        "a tier isolates no one, so that what it does not match goes on",
    ),
    ("NetworkPolicy", &["l7"], "it has no L7 rules, and where it allows nothing is limited"),
    ("kind: NetworkPolicy", &["l7"], "it has no L7 rules, and where it allows nothing is limited"),
    ("icmp", &["l7"], "no proxy reads it, and ports cannot stand beside it"),
    ("port: nothing said", &["l7"], "L7 rules need a port"),
    ("peer: an empty list", &["allowed", "l7"], "it is no one"),
];

/// As [`IMPOSSIBLE`], in 1.16.
const IMPOSSIBLE_IN_1_16: &[(&str, &[&str], &str)] =
    &[("peer: Services", &["l7"], "ports cannot stand beside `toServices`")];

/// Cells that other parts of a rule decide, where they decide at all, and why.
const BY_OTHERS: &[(&str, &[&str], &str)] = &[
    ("port: 0", &["l7"], "L7 rules need a port that is a number or a name"),
    ("protocol: SCTP", &["l7"], "L7 rules need TCP, those for DNS UDP"),
    ("entity: none", &["allowed", "l7"], "it is no one"),
    ("label reserved: none", &["allowed", "l7"], "it is no one"),
    ("NetworkPolicy pod cluster: DoesNotExist", &["allowed"], "every pod has it"),
    ("NetworkPolicy pod namespace: DoesNotExist", &["allowed"], "every pod has it"),
    ("NetworkPolicy pod service account: DoesNotExist", &["allowed"], "every pod has it"),
    (
        "node cluster: DoesNotExist",
        &["allowed", "l7"],
        "from 1.18 every node that has labels has it",
    ),
    ("tier pod cluster: DoesNotExist", &["allowed", "denied"], "every pod has it"),
    ("tier pod namespace: DoesNotExist", &["allowed", "denied"], "every pod has it"),
    ("tier pod service account: DoesNotExist", &["allowed", "denied"], "every pod has it"),
    ("tier peer: domainNames", &["denied"], "names may only be accepted"),
    ("tier peer", &["l7"], "only the queries for `domainNames` are limited"),
    ("tier pod", &["l7"], "only the queries for `domainNames` are limited"),
    ("tier namespace", &["l7"], "only the queries for `domainNames` are limited"),
    ("tier port", &["l7"], "only the queries for `domainNames` are limited"),
    ("tier protocol", &["l7"], "only the queries for `domainNames` are limited"),
];

fn excused(table: &[(&str, &[&str], &str)], feature: &str, outcome: &str) -> bool {
    table.iter().any(|(name, outcomes, _)| feature.starts_with(name) && outcomes.contains(&outcome))
}

impl Counts {
    /// The cells that are possible and have decided less often than [`BAR`].
    pub(crate) fn short(&self, minor: u64) -> Vec<String> {
        let mut short = Vec::new();
        for (feature, row) in &self.rows {
            for (outcome, count) in OUTCOMES.iter().zip(row) {
                let impossible = excused(IMPOSSIBLE, feature, outcome)
                    || (minor == 16 && excused(IMPOSSIBLE_IN_1_16, feature, outcome));
                assert!(!impossible || *count == 0, "{feature} decides {outcome}");
                if !impossible && !excused(BY_OTHERS, feature, outcome) && *count < BAR {
                    short.push(format!("{feature} decides {outcome} {count} times"));
                }
            }
        }
        short
    }

    /// Starts to count another case.
    pub(crate) fn next(&mut self) {
        self.known.clear();
    }

    pub(crate) fn add(&mut self, case: &Case, verdict: &Verdict) {
        let column = match verdict.outcome {
            Outcome::Allowed => 0,
            Outcome::Denied => 1,
            Outcome::L7 => 2,
            Outcome::Error => {
                self.all[3] += 1;
                return;
            }
            Outcome::Unpoliced => return,
        };
        self.all[column] += 1;
        let mut seen: Vec<&str> = Vec::new();
        for place in &verdict.rules {
            self.known
                .entry(place.clone())
                .or_insert_with(|| of(case, &case.policies[place.0].object, &place.1));
        }
        for place in &verdict.rules {
            for feature in &self.known[place] {
                if !seen.contains(&feature.as_str()) {
                    seen.push(feature);
                }
            }
        }
        for feature in seen {
            if let Some(row) = self.rows.get_mut(feature) {
                row[column] += 1;
            } else {
                let mut row = [0; 3];
                row[column] = 1;
                self.rows.insert(feature.to_owned(), row);
            }
        }
    }

    /// A line for each feature.
    pub(crate) fn table(&self) -> String {
        let mut text =
            format!("{:<52} {:>10} {:>10} {:>10}\n", "feature", "allowed", "denied", "l7");
        let [allowed, denied, l7, broken] = self.all;
        let mut line = |name: &str, [allowed, denied, l7]: [u64; 3]| {
            writeln!(text, "{name:<52} {allowed:>10} {denied:>10} {l7:>10}")
                .expect("text takes a line");
        };
        line("(all verdicts)", [allowed, denied, l7]);
        for (name, row) in &self.rows {
            line(name, *row);
        }
        writeln!(text, "broken: {broken}").expect("text takes a line");
        text
    }
}

/// The features of the rule at a place of an object.
fn of(case: &Case, object: &Value, place: &str) -> Vec<String> {
    let mut made = Making { case, found: Vec::new() };
    let kind = object["kind"].as_str().unwrap_or_default();
    made.add("kind", kind);
    let depth = if place.starts_with("/specs/") { 3 } else { 2 };
    let top: Vec<&str> = place.splitn(depth + 1, '/').take(depth).collect();
    let rule = object.pointer(&top.join("/")).unwrap_or(&Value::Null);
    let item = object.pointer(place).unwrap_or(&Value::Null);
    let section = place.split('/').nth(depth).unwrap_or_default();
    if !section.is_empty() {
        made.add("section", section);
    }
    if depth == 3 {
        made.add("form", "specs");
    }
    made.settings(rule);
    match kind {
        "NetworkPolicy" => {
            made.selector("subject", &rule["podSelector"]);
            made.kubernetes(rule, item);
        }
        "ClusterNetworkPolicy" => made.cluster(rule, item),
        _ => {
            made.selector("subject", &rule["endpointSelector"]);
            for way in ["ingress", "egress"] {
                if let Some(deny) = rule["enableDefaultDeny"][way].as_bool()
                    && section.starts_with(way)
                {
                    made.add("enableDefaultDeny", if deny { "true" } else { "false" });
                }
            }
            made.cilium(item);
        }
    }
    made.found.sort();
    made.found.dedup();
    made.found
}

struct Making<'c> {
    case: &'c Case,
    found: Vec<String>,
}

impl Making<'_> {
    fn add(&mut self, group: &str, name: &str) {
        self.found.push(format!("{group}: {name}"));
    }

    fn settings(&mut self, rule: &Value) {
        let settings = &self.case.settings;
        if let Some(local) = settings.policy_default_local_cluster {
            self.add("setting", &format!("policyDefaultLocalCluster {local}"));
        }
        if let Some(mode) = &self.case.settings.policy_enforcement_mode {
            self.add("setting", &format!("policyEnforcementMode {mode}"));
        }
        if settings.enable_non_default_deny_policies == Some(false)
            && rule.get("enableDefaultDeny").is_some()
        {
            self.add("setting", "enableNonDefaultDenyPolicies false");
        }
        if settings.enable_ipv6 {
            self.add("setting", "enableIPv6");
        }
    }

    fn cilium(&mut self, item: &Value) {
        let Some(entries) = item.as_object() else { return };
        let mut peers = false;
        for (key, value) in entries {
            let list = || value.as_array().into_iter().flatten();
            match key.as_str() {
                "toPorts" => list().for_each(|ports| self.ports(ports)),
                "icmps" => list().for_each(|icmp| self.icmp(icmp)),
                "authentication" => self.add("rule", "authentication"),
                "fromRequires" | "toRequires" => self.add("peer", "requires"),
                key => {
                    peers = true;
                    let name = key.trim_start_matches("from").trim_start_matches("to");
                    if value.as_array().is_some_and(Vec::is_empty) {
                        self.add("peer", "an empty list");
                    } else {
                        self.add("peer", name);
                    }
                    list().for_each(|peer| self.peer(name, peer));
                }
            }
        }
        if !peers {
            self.add("peer", "nothing said");
        }
        if !entries.contains_key("toPorts") && !entries.contains_key("icmps") {
            self.add("port", "nothing said");
        }
    }

    fn peer(&mut self, kind: &str, peer: &Value) {
        match kind {
            "Endpoints" => self.selector("peer", peer),
            "Nodes" => self.selector("node", peer),
            "Entities" => self.add("entity", peer.as_str().unwrap_or_default()),
            "CIDR" => self.prefix(peer),
            "CIDRSet" => {
                for key in ["cidr", "cidrGroupRef", "cidrGroupSelector"] {
                    if let Some(value) = peer.get(key) {
                        self.add("CIDRSet", key);
                        self.prefix(value);
                    }
                }
                if peer["except"].as_array().is_some_and(|except| !except.is_empty()) {
                    self.add("CIDRSet", "except");
                }
                if let Some(selector) = peer.get("cidrGroupSelector") {
                    self.selector("group", selector);
                }
            }
            "FQDNs" => {
                for key in ["matchName", "matchPattern"] {
                    if peer.get(key).is_some() {
                        self.add("FQDNs", key);
                    }
                }
            }
            _ => {}
        }
    }

    fn prefix(&mut self, value: &Value) {
        let text = value.as_str().unwrap_or_default();
        if text.contains(':') {
            self.add("address", "IPv6");
        }
        if text.ends_with("/0") {
            self.add("address", "all");
        }
    }

    fn selector(&mut self, whose: &str, selector: &Value) {
        let labels = selector["matchLabels"].as_object();
        let expressions = selector["matchExpressions"].as_array();
        if labels.is_none() && expressions.is_none() {
            self.add(whose, "{}");
        }
        for (key, _) in labels.into_iter().flatten() {
            self.add(whose, "matchLabels");
            self.key(whose, key, "=");
        }
        for item in expressions.into_iter().flatten() {
            let operator = item["operator"].as_str().unwrap_or_default();
            self.add(whose, operator);
            self.key(whose, item["key"].as_str().unwrap_or_default(), operator);
        }
    }

    fn key(&mut self, whose: &str, key: &str, operator: &str) {
        let (source, bare) = key.split_once(':').unwrap_or(("", key));
        let source = if source.is_empty() { "none" } else { source };
        self.add("label source", source);
        if source == "reserved" {
            self.add("label reserved", bare);
        }
        if bare.ends_with("policy.cluster") {
            self.add(&format!("{whose} cluster"), operator);
        } else if bare.ends_with("pod.namespace") {
            self.add(&format!("{whose} namespace"), operator);
        } else if bare.contains("namespace.labels") {
            self.add(&format!("{whose} namespace labels"), operator);
        } else if bare.ends_with("serviceaccount") {
            self.add(&format!("{whose} service account"), operator);
        }
    }

    fn ports(&mut self, rule: &Value) {
        for port in rule["ports"].as_array().into_iter().flatten() {
            self.add("protocol", port["protocol"].as_str().unwrap_or("not said"));
            let text = port["port"].as_str().unwrap_or_default();
            let sort = if port.get("endPort").is_some() {
                "range"
            } else if text == "0" {
                "0"
            } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
                "number"
            } else {
                "name"
            };
            self.add("port", sort);
        }
        for (key, _) in rule["rules"].as_object().into_iter().flatten() {
            self.add("l7", key);
        }
        if rule.get("serverNames").is_some() {
            self.add("l7", "serverNames");
        }
    }

    fn icmp(&mut self, rule: &Value) {
        for field in rule["fields"].as_array().into_iter().flatten() {
            let known = &field["type"];
            self.add("icmp type", if known.is_string() { "name" } else { "number" });
            self.add("icmp family", field["family"].as_str().unwrap_or("not said"));
        }
    }

    fn kubernetes(&mut self, rule: &Value, item: &Value) {
        if rule.get("policyTypes").is_some() {
            self.add("NetworkPolicy", "policyTypes");
        }
        for peer in ["from", "to"].iter().filter_map(|key| item[*key].as_array()).flatten() {
            for (key, value) in peer.as_object().into_iter().flatten() {
                self.add("NetworkPolicy", key);
                match key.as_str() {
                    "podSelector" => self.selector("NetworkPolicy pod", value),
                    "namespaceSelector" => self.selector("NetworkPolicy namespace", value),
                    _ => {
                        self.prefix(&value["cidr"]);
                        if value["except"].as_array().is_some_and(|out| !out.is_empty()) {
                            self.add("NetworkPolicy", "except");
                        }
                    }
                }
            }
        }
        for port in item["ports"].as_array().into_iter().flatten() {
            let sort = match (&port["port"], port.get("endPort")) {
                (Value::Null, _) => "none",
                (_, Some(_)) => "range",
                (Value::String(_), _) => "name",
                _ => "number",
            };
            self.add("NetworkPolicy port", sort);
            self.add("NetworkPolicy protocol", port["protocol"].as_str().unwrap_or("not said"));
        }
    }

    fn cluster(&mut self, rule: &Value, item: &Value) {
        let tier = rule["tier"].as_str().unwrap_or_default();
        let action = item["action"].as_str().unwrap_or_default();
        self.add("tier", &format!("{tier} {action}"));
        for (key, value) in rule["subject"].as_object().into_iter().flatten() {
            self.add("tier subject", key);
            if key == "pods" {
                self.selector("tier subject pod", &value["podSelector"]);
            }
        }
        for peer in ["from", "to"].iter().filter_map(|key| item[*key].as_array()).flatten() {
            for (key, value) in peer.as_object().into_iter().flatten() {
                self.add("tier peer", key);
                match key.as_str() {
                    "pods" => {
                        self.selector("tier pod", &value["podSelector"]);
                        self.selector("tier namespace", &value["namespaceSelector"]);
                    }
                    "namespaces" => self.selector("tier namespace", value),
                    _ => {}
                }
            }
        }
        for port in item["protocols"].as_array().into_iter().flatten() {
            for (key, value) in port.as_object().into_iter().flatten() {
                self.add("tier protocol", key);
                for (key, _) in value["destinationPort"].as_object().into_iter().flatten() {
                    self.add("tier port", key);
                }
            }
        }
    }
}
