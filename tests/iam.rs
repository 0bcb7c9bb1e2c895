//! What the IAM documents of DNS roles allow, by an evaluator of policies of its own.
//!
//! The documents are asked about calls, and the topology about what challenges need: they must
//! say the same. Source of the evaluation: IAM, "Policy evaluation logic", "IAM JSON policy
//! elements: Condition operators" and "Multivalued context keys".

use std::collections::{BTreeMap, BTreeSet};

use landbridge::check::oversized_trust_policy::trust_length;
use landbridge::compile::{self, Index};
use landbridge::resource::Desired;
use landbridge::spec::role;
use landbridge::topology::dns::Zone;
use landbridge::topology::{ClusterId, Topology};
use serde_json::{Map, Value};

use crate::projects;
use crate::random::{accepted, for_each_project};

/// The values of the keys of a call.
type Context<'a> = BTreeMap<&'a str, Vec<&'a str>>;

const TYPES: &str = "route53:ChangeResourceRecordSetsRecordTypes";
const NAMES: &str = "route53:ChangeResourceRecordSetsNormalizedRecordNames";

/// Whether a document allows a call: `on` is the resource, or in a trust policy the principal.
fn allows(document: &Value, action: &str, on: &str, context: &Context<'_>) -> bool {
    assert_eq!(document["Version"], "2012-10-17", "{document:#}");
    let statements = document["Statement"].as_array().expect("a list of statements");
    assert!(!statements.is_empty(), "{document:#}");
    let mut allowed = false;
    for statement in statements {
        let statement = statement.as_object().expect("a statement is a mapping");
        well_formed(statement);
        let acts = texts(&statement["Action"]).any(|pattern| like(pattern, action));
        let resources = statement.get("Resource").map(|list| texts(list).any(|arn| like(arn, on)));
        let there = resources.unwrap_or_else(|| statement["Principal"]["Federated"] == on);
        let conditions = statement.get("Condition").and_then(Value::as_object);
        let holds = conditions.into_iter().flatten().all(|(operator, keys)| {
            let keys = keys.as_object().expect("keys and values");
            keys.iter().all(|(key, wanted)| {
                let said = context.get(key.as_str()).map(Vec::as_slice).unwrap_or_default();
                fits(operator, said, &texts(wanted).collect::<Vec<_>>())
            })
        });
        allowed |= acts && there && holds;
    }
    allowed
}

/// The grammar. Source: IAM, "Grammar of the IAM JSON policy language".
fn well_formed(statement: &Map<String, Value>) {
    let known = ["Effect", "Action", "Resource", "Principal", "Condition"];
    assert!(statement.keys().all(|key| known.contains(&key.as_str())), "{statement:?}");
    assert_eq!(statement["Effect"], "Allow");
    assert!(statement.contains_key("Resource") != statement.contains_key("Principal"));
    for action in texts(&statement["Action"]) {
        let (service, name) = action.split_once(':').expect("a service and an action");
        assert!(["route53", "sts"].contains(&service) && !name.contains('*'), "{action}");
    }
    for resource in statement.get("Resource").into_iter().flat_map(texts) {
        assert!(resource == "*" || resource.splitn(6, ':').count() == 6, "{resource}");
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    let list = list.as_array().expect("a list");
    assert!(!list.is_empty());
    list.iter().map(|text| text.as_str().expect("a text"))
}

fn fits(operator: &str, said: &[&str], wanted: &[&str]) -> bool {
    let equal = |one: &&str| wanted.contains(one);
    let alike = |one: &&str| wanted.iter().any(|pattern| like(pattern, one));
    match operator {
        "StringEquals" => said.len() == 1 && said.iter().all(equal),
        // True of a call that has no such values.
        "ForAllValues:StringEquals" => said.iter().all(equal),
        "ForAllValues:StringLike" => said.iter().all(alike),
        other => panic!("`{other}` is no operator here"),
    }
}

/// Whether a text is like a pattern with `*`.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len())
                .filter(|at| text.is_char_boundary(*at))
                .any(|at| like(rest, &text[at..]))
        }),
    }
}

/// Whether a challenge for a name in the zone may be written under this name.
fn is_challenge(zone: &Zone, name: &str) -> bool {
    let own = &zone.name.value;
    zone.follow_cname
        || name.strip_prefix("_acme-challenge.").is_some_and(|of| {
            of == own || of.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('.'))
        })
}

/// Asks the documents of a cluster about calls, some of which challenges need.
fn hold(topology: &Topology, id: ClusterId, desired: &Desired) -> usize {
    let mut asked = 0;
    let documents: BTreeMap<&str, &Value> =
        desired.documents.iter().map(|document| (&*document.path, &document.bodies[0])).collect();
    let mut written: BTreeSet<&str> =
        documents.keys().copied().filter(|path| path.starts_with("cert-manager/iam/")).collect();
    for (arn, role) in topology.dns_roles() {
        if !role.clusters.contains(id) {
            continue;
        }
        let parts = role::parts(&arn).expect("a role");
        let zones: Vec<&Zone> = role.zones.iter().map(|zone| topology.zone(*zone)).collect();
        let stem = parts.name.replace(['+', '=', ',', '@'], "_");
        let own = format!("cert-manager/iam/{stem}");
        let with_account = format!("cert-manager/iam/{}-{stem}", parts.account);
        let path = |what: &str| {
            let paths = [format!("{with_account}-{what}.json"), format!("{own}-{what}.json")];
            paths.into_iter().find(|path| documents.contains_key(path.as_str()))
        };
        let permissions = path("permissions").expect("the role has permissions");
        written.remove(permissions.as_str());
        asked += may(parts.partition, &zones, documents[permissions.as_str()]);
        let trust = path("trust");
        assert_eq!(trust.is_some(), !role.trusted.is_empty());
        if let Some(trust) = trust {
            written.remove(trust.as_str());
            let document = documents[trust.as_str()];
            assert_eq!(trust_length(topology, &arn, &role), document.to_string().len());
            asked += taken(topology, &arn, &role.trusted, document);
        }
    }
    assert!(written.is_empty(), "documents of no role: {written:?}");
    asked
}

fn may(partition: &str, zones: &[&Zone], document: &Value) -> usize {
    let arn = |what: &str| format!("arn:{partition}:route53:::{what}");
    let none = Context::new();
    let unknown = zones.iter().any(|zone| zone.hosted_zone_id.is_none());
    assert!(allows(document, "route53:GetChange", &arn("change/C123"), &none));
    assert_eq!(allows(document, "route53:ListHostedZonesByName", "*", &none), unknown);
    let mut ids: Vec<&str> = vec!["ZFOREIGN"];
    ids.extend(zones.iter().filter_map(|zone| Some(zone.hosted_zone_id.as_ref()?.value.as_str())));
    let mut names = vec!["_acme-challenge.foreign.example".to_owned(), "com".to_owned()];
    for own in zones.iter().map(|zone| &zone.name.value) {
        for start in ["", "www.", "_acme-challenge.", "_acme-challenge.a.b.", "x_acme-challenge."] {
            names.push(format!("{start}{own}"));
        }
        names.push(format!("_acme-challenge.not{own}"));
    }
    let mut asked = 2;
    for id in ids {
        let on = arn(&format!("hostedzone/{id}"));
        let in_zone =
            |zone: &&&Zone| zone.hosted_zone_id.as_ref().is_none_or(|own| own.value == id);
        let own: Vec<_> = zones.iter().filter(in_zone).collect();
        let list = allows(document, "route53:ListResourceRecordSets", &on, &none);
        assert_eq!(list, !own.is_empty(), "{on}");
        for other in ["route53:DeleteHostedZone", "route53:GetChange", "route53:CreateHostedZone"] {
            assert!(!allows(document, other, &on, &none), "{other}");
        }
        for name in &names {
            let needed = own.iter().any(|zone| is_challenge(zone, name));
            for types in [vec!["TXT"], vec!["A"], vec!["TXT", "CNAME"]] {
                let call = Context::from([(TYPES, types.clone()), (NAMES, vec![name])]);
                let change = allows(document, "route53:ChangeResourceRecordSets", &on, &call);
                assert_eq!(change, needed && types == ["TXT"], "{name} {types:?} in {on}");
                asked += 1;
            }
        }
    }
    asked
}

fn taken(
    topology: &Topology,
    arn: &str,
    trusted: &BTreeSet<(ClusterId, String)>,
    document: &Value,
) -> usize {
    let parts = role::parts(arn).expect("a role");
    let space = &topology.cert_manager.namespace;
    let accounts =
        ["cert-manager-dns01", topology.cert_manager.service_account.as_str(), "default"];
    let mut asked = 0;
    for (id, cluster) in topology.clusters() {
        let Some(url) = &cluster.oidc_issuer else { continue };
        let issuer = url.value.trim_start_matches("https://");
        let provider =
            format!("arn:{}:iam::{}:oidc-provider/{issuer}", parts.partition, parts.account);
        for (namespace, account) in
            accounts.map(|a| (space.as_str(), a)).into_iter().chain([("default", accounts[0])])
        {
            let subject = format!("system:serviceaccount:{namespace}:{account}");
            let (aud, sub) = (format!("{issuer}:aud"), format!("{issuer}:sub"));
            for audience in ["sts.amazonaws.com", "https://kubernetes.default.svc"] {
                let token = Context::from([
                    (aud.as_str(), vec![audience]),
                    (sub.as_str(), vec![subject.as_str()]),
                ]);
                let may = allows(document, "sts:AssumeRoleWithWebIdentity", &provider, &token);
                let known = trusted.contains(&(id, account.to_owned()));
                let wanted = known && namespace == space && audience == "sts.amazonaws.com";
                assert_eq!(may, wanted, "{subject} for {audience} at {provider}");
                asked += 1;
            }
        }
        assert!(!allows(document, "sts:AssumeRoleWithWebIdentity", &provider, &Context::new()));
        assert!(!allows(document, "sts:AssumeRole", &provider, &Context::new()));
    }
    asked
}

#[test]
fn the_documents_allow_what_challenges_need_and_nothing_else() {
    let mut asked = 0;
    for project in projects::all() {
        let Some(topology) = projects::read(&project) else { continue };
        let index = Index::of(&topology);
        for (id, _) in topology.clusters() {
            asked += hold(&topology, id, &compile::cluster(&topology, &index, id));
        }
    }
    assert!(asked > 500, "only {asked} calls");
}

#[test]
fn so_do_those_of_random_projects() {
    for_each_project(|project, _| {
        let (topology, _) = accepted(&project.whole());
        let index = Index::of(&topology);
        for (id, _) in topology.clusters() {
            hold(&topology, id, &compile::cluster(&topology, &index, id));
        }
    });
}

#[test]
fn the_evaluator_refuses_what_iam_refuses() {
    assert!(like("arn:aws:route53:::change/*", "arn:aws:route53:::change/C1"));
    assert!(like("_acme-challenge.*.example.com", "_acme-challenge.a.b.example.com"));
    assert!(!like("_acme-challenge.*.example.com", "_acme-challenge.example.com"));
    assert!(fits("ForAllValues:StringEquals", &[], &["TXT"]));
    assert!(!fits("ForAllValues:StringEquals", &["TXT", "A"], &["TXT"]));
    assert!(!fits("StringEquals", &[], &["a"]));
}
