use super::super::sample::{mesh, policy, workload};
use super::*;

fn possible(mesh: &mut Mesh) -> Vec<String> {
    add(mesh);
    let possible = mesh.endpoints().filter(|(_, one)| one.standing == Standing::Possible);
    possible.map(|(id, _)| mesh.describe(id)).collect()
}

#[test]
fn each_selector_and_each_namespace_has_its_smallest_pod() {
    let mut mesh = mesh(&[("euw1", "1.20.2"), ("use1", "1.20.2")]);
    workload(&mut mesh, 0, "shop/web");
    let door = "{endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEndpoints: \
         [{matchLabels: {tier: debug}}, {matchLabels: {io.kubernetes.pod.namespace: ops}}]}]}";
    policy(&mut mesh, 0, "shop/door", door);
    let expected = [
        "(another namespace)/(any pod)@euw1",
        "ops/(any other pod)@euw1",
        "shop/(any other pod)@euw1",
        "shop/(pod with tier=debug)@euw1",
        "(another namespace)/(any pod)@use1",
    ];
    assert_eq!(possible(&mut mesh), expected);
}

#[test]
fn a_pod_that_looks_like_one_that_is_there_is_not_added() {
    let mut mesh = mesh(&[("euw1", "1.20.2")]);
    workload(&mut mesh, 0, "shop/web");
    let own = "{endpointSelector: {matchLabels: {app: web}}, ingress: [{}]}";
    policy(&mut mesh, 0, "shop/own", own);
    let expected = ["(another namespace)/(any pod)@euw1", "shop/(any other pod)@euw1"];
    assert_eq!(possible(&mut mesh), expected);
}

#[test]
fn a_peer_of_any_cluster_is_looked_at_in_two() {
    let names = ["apn1", "euw1", "use1"];
    let mut mesh = mesh(&names.map(|name| (name, "1.18.6")));
    let open = "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]}";
    policy(&mut mesh, 1, "shop/open", open);
    let found = possible(&mut mesh);
    let with_app: Vec<_> = found.iter().filter(|name| name.contains("app=web")).collect();
    assert_eq!(with_app, ["shop/(pod with app=web)@euw1", "shop/(pod with app=web)@use1"]);
}

#[test]
fn values_of_one_selector_are_told_apart() {
    let mut mesh = mesh(&[("euw1", "1.20.2")]);
    let open = "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchExpressions: \
         [{key: tier, operator: In, values: [a, b]}, {key: team, operator: Exists}, \
         {key: old, operator: DoesNotExist}]}]}]}";
    policy(&mut mesh, 0, "shop/open", open);
    let found = possible(&mut mesh);
    assert!(found.contains(&"shop/(pod with team=any, tier=a)@euw1".to_owned()), "{found:?}");
    assert!(found.contains(&"shop/(pod with team=any, tier=b)@euw1".to_owned()), "{found:?}");
}
