//! Flows that differ, on meshes of two clusters.

use semver::Version;

use super::*;
use crate::policy::Protocol;
use crate::reach::sample::{mesh, policy, workload};
use crate::upgrade::policies as changes;

/// A mesh with these versions: `web` and `api` of `shop` in both clusters, and policies by cluster
/// and spec.
fn state(versions: [&str; 2], policies: &[(usize, &str)]) -> Mesh {
    let mut state = mesh(&[("euw1", versions[0]), ("use1", versions[1])]);
    for cluster in 0..2 {
        workload(&mut state, cluster, "shop/web");
        workload(&mut state, cluster, "shop/api");
    }
    let web = state.endpoints[0].identity.clone();
    state.endpoints[0].identity = web.port("http", Protocol::TCP, 8080);
    for (at, (cluster, spec)) in policies.iter().enumerate() {
        policy(&mut state, *cluster, &format!("shop/p{at}"), spec);
    }
    state
}

/// What differs between what is there, as `euw1: closes shop/web@use1 shop/api@euw1 every port by
/// p0 for cause`.
fn differences(old: [&str; 2], new: [&str; 2], policies: &[(usize, &str)]) -> Vec<String> {
    let (before, after) = (state(old, policies), state(new, policies));
    let version = |text: &str| Version::parse(text).expect("a version");
    let moves = (0..2).filter(|at| old[*at] != new[*at]).map(|at| Move {
        cluster: ClusterId::new(at),
        from: version(old[at]),
        to: version(new[at]),
    });
    let moves: Vec<Move> = moves.collect();
    let compared = moves.iter().flat_map(|one| {
        changes::compare(one.cluster, before.cluster(one.cluster), after.cluster(one.cluster))
    });
    let mut compared: Vec<_> = compared.collect();
    let flows = compare(&before, &after, &moves, &mut compared);
    let there = flows
        .changes
        .iter()
        .filter(|flow| flow.from.standing == Place::There && flow.to.standing == Place::There);
    let mut texts = Vec::new();
    for flow in there {
        let name = |side: &Side| {
            let cluster = side.cluster.map_or("", |id| &before.cluster(id).name);
            format!("{}@{cluster}", side.name)
        };
        let by = &before.cluster(flow.by).name;
        let policies: Vec<_> = flow.policies.iter().map(|at| &*compared[*at].name).collect();
        let causes: Vec<_> = flow.causes.iter().map(|cause| cause.name).collect();
        let events = [
            ("opens", &flow.opens),
            ("closes", &flow.closes),
            ("opens for a while", &flow.meanwhile.0),
            ("closes for a while", &flow.meanwhile.1),
        ];
        for (word, opening) in events.into_iter().filter(|(_, opening)| !opening.is_closed()) {
            texts.push(format!(
                "{by}: {word} {} {} {opening} by {} for {}",
                name(&flow.from),
                name(&flow.to),
                policies.join("+"),
                causes.join("+")
            ));
        }
    }
    texts
}

const FROM_WEB: &str = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: \
     [{matchLabels: {app: web}}], toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]}";
const TO_API: &str = "{endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: \
     [{matchLabels: {app: api}}], toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]}";

#[test]
fn what_groups_exclude_admits_pods_until_1_19() {
    let outside = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromCIDRSet: \
         [{cidrGroupSelector: {matchExpressions: [{key: kind, operator: DoesNotExist}]}}]}]}";
    let found = differences(["1.19.6", "1.19.6"], ["1.20.2", "1.19.6"], &[(0, outside)]);
    let expected = ["api@euw1", "api@use1", "web@euw1", "web@use1"].map(|from| {
        format!(
            "euw1: closes shop/{from} shop/api@euw1 every port by p0 for \
             groups-select-addresses-only"
        )
    });
    assert_eq!(found, expected);
}

#[test]
fn a_change_elsewhere_meets_pods_that_groups_do_not_exclude() {
    let egress = "{endpointSelector: {matchLabels: {app: web}}, egress: [{toCIDRSet: \
         [{cidrGroupSelector: {matchExpressions: [{key: kind, operator: DoesNotExist}]}}]}]}";
    let ingress = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: [{}], \
         toPorts: [{ports: [{port: '80', protocol: TCP}]}]}, {toPorts: [{ports: [{port: '81'}]}]}]}";
    let found =
        differences(["1.18.12", "1.18.12"], ["1.18.12", "1.19.6"], &[(0, egress), (1, ingress)]);
    assert!(
        found.iter().any(|flow| flow.starts_with("use1: closes shop/web@euw1 shop/api@use1")),
        "{found:?}"
    );
}

#[test]
fn the_same_versions_change_nothing() {
    let versions = ["1.19.6", "1.20.2"];
    assert_eq!(differences(versions, versions, &[(0, FROM_WEB), (1, TO_API)]), [""; 0]);
}

#[test]
fn a_peer_without_a_cluster_label_is_local_from_1_19() {
    let all = differences(["1.18.12"; 2], ["1.19.6"; 2], &[(0, FROM_WEB)]);
    let expected = "euw1: closes shop/web@use1 shop/api@euw1 TCP/8080 by p0 for \
         policy-default-local-cluster";
    assert_eq!(all, [expected]);
    let one = differences(["1.18.12"; 2], ["1.19.6", "1.18.12"], &[(0, FROM_WEB)]);
    assert_eq!(one, [expected], "only the cluster with the policy counts");
    let other = differences(["1.18.12"; 2], ["1.18.12", "1.19.6"], &[(0, FROM_WEB)]);
    assert_eq!(other, [""; 0]);
}

#[test]
fn both_ends_make_a_flow() {
    let both = [(0, FROM_WEB), (1, FROM_WEB), (0, TO_API), (1, TO_API)];
    let found = differences(["1.18.12"; 2], ["1.19.6"; 2], &both);
    let cause = "policy-default-local-cluster";
    assert_eq!(
        found,
        [
            // Either end is enough, and the first upgrade does it.
            format!("euw1: closes shop/web@euw1 shop/api@use1 TCP/8080 by p2+p1 for {cause}"),
            format!("euw1: closes shop/web@use1 shop/api@euw1 TCP/8080 by p0+p3 for {cause}"),
        ]
    );
}

/// Lets in who is neither in `use1` nor in `shop`, and from 1.20 on everyone.
const EXCLUDING: &str = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: \
     [{matchExpressions: [{key: io.cilium.k8s.policy.cluster, operator: NotIn, values: \
     [use1]}, {key: io.kubernetes.pod.namespace, operator: NotIn, values: [shop]}]}]}]}";
/// Lets out to a port that `web` of `euw1` names, from 1.20 on to that one only.
const TO_NAME: &str = "{endpointSelector: {matchLabels: {app: web}}, egress: [{toEntities: \
     [all], toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}";

#[test]
fn what_is_excluded_is_admitted_from_1_20() {
    let found = differences(["1.19.6"; 2], ["1.20.2"; 2], &[(0, EXCLUDING)]);
    let open = |from: &str| {
        format!("euw1: opens {from} shop/api@euw1 every port by p0 for identity-aggregation")
    };
    let from = ["shop/api@euw1", "shop/api@use1", "shop/web@euw1", "shop/web@use1"];
    assert_eq!(found, from.map(open));
}

#[test]
fn what_only_a_state_between_has_is_said() {
    // `euw1` opens its end before `use1` closes the other one.
    let policies = [(0, EXCLUDING), (1, TO_NAME)];
    let found = differences(["1.19.6"; 2], ["1.20.2"; 2], &policies);
    let passing: Vec<_> = found.iter().filter(|one| one.contains("for a while")).collect();
    let expected = "euw1: opens for a while shop/web@use1 shop/api@euw1 TCP/8080 by p0+p1 for \
         identity-aggregation+named-ports-per-peer";
    assert_eq!(passing, [expected]);
    let closes = "use1: closes shop/web@use1 shop/api@use1 TCP/8080 by p1 for named-ports-per-peer";
    assert!(found.contains(&closes.to_owned()), "{found:?}");
}

#[test]
fn a_refused_policy_isolates_no_one() {
    let requires = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: \
         [{matchLabels: {app: web}}], fromRequires: [{matchLabels: {app: web}}]}]}";
    let before = state(["1.18.12"; 2], &[(0, requires)]);
    let mut after = state(["1.19.6"; 2], &[]);
    let span = before.clusters[0].policies[0].policy.span;
    let mut refused = before.clusters[0].policies[0].clone();
    let policy = std::sync::Arc::make_mut(&mut refused.policy);
    policy.rules.clear();
    let why = "`fromRequires` is no longer known".to_owned();
    policy.refused = Some(crate::policy::rule::Refusal { span, why });
    after.clusters[0].policies.push(refused);
    let cluster = ClusterId::new(0);
    let mut compared = changes::compare(cluster, before.cluster(cluster), after.cluster(cluster));
    let version = |text: &str| Version::parse(text).expect("a version");
    let moves = [Move { cluster, from: version("1.18.12"), to: version("1.19.6") }];
    let flows = compare(&before, &after, &moves, &mut compared);
    let there = |side: &Side| side.standing == Place::There;
    let to_api = flows.changes.iter().filter(|flow| there(&flow.from) && there(&flow.to));
    let from: Vec<_> = to_api.map(|flow| (flow.from.name.as_str(), flow.from.cluster)).collect();
    let (euw1, use1) = (Some(cluster), Some(ClusterId::new(1)));
    assert_eq!(from, [("shop/api", euw1), ("shop/api", use1)]);
    assert!(compared[0].flows.0 > 2, "the world, too: {:?}", compared[0].flows);
    assert_eq!(compared[0].causes[0].name, "requires-removed");
}
