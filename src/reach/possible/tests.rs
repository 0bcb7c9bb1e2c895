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

#[test]
fn a_label_of_a_namespace_is_looked_at_where_nobody_names_it() {
    let mut mesh = mesh(&[("euw1", "1.20.2")]);
    workload(&mut mesh, 0, "shop/web");
    workload(&mut mesh, 0, "ops/log");
    let label = "io.cilium.k8s.namespace.labels.team";
    let anywhere = "matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]";
    let open = format!(
        "{{endpointSelector: {{}}, ingress: [{{fromEndpoints: [{{matchLabels: {{'{label}': a}}}}, \
         {{matchLabels: {{tier: debug}}, {anywhere}}}]}}]}}"
    );
    policy(&mut mesh, 0, "shop/open", &open);
    let expected = [
        "(another namespace)/(any pod)",
        &format!("(another namespace)/(pod with {label}=a)"),
        "(another namespace)/(pod with tier=debug)",
        "ops/(pod with tier=debug)",
        "shop/(pod with tier=debug)",
    ];
    let mut found = possible(&mut mesh);
    found.sort();
    assert_eq!(found, expected.map(|name| format!("{name}@euw1")));
    let labelled = mesh.endpoints.iter().find(|one| one.name.contains(label)).expect("a pod");
    assert_eq!(labelled.identity.labels.get(&crate::policy::Key::k8s(label)), Some("a"));
}

#[test]
fn a_subject_is_looked_at_in_its_own_cluster() {
    let names = ["apn1", "euw1", "use1"];
    let mut mesh = mesh(&names.map(|name| (name, "1.18.6")));
    let cluster = "io.cilium.k8s.policy.cluster";
    let own = format!(
        "{{endpointSelector: {{matchLabels: {{app: own, {cluster}: use1}}}}, ingress: \
         [{{fromEndpoints: [{{matchLabels: {{app: web}}}}]}}]}}"
    );
    policy(&mut mesh, 2, "shop/own", &own);
    let found = possible(&mut mesh);
    let with = |text: &str| -> Vec<&str> {
        found.iter().filter(|name| name.contains(text)).map(String::as_str).collect()
    };
    assert_eq!(with("app=own"), ["shop/(pod with app=own)@use1"]);
    // After the last cluster comes the first one.
    assert_eq!(with("app=web"), ["shop/(pod with app=web)@apn1", "shop/(pod with app=web)@use1"]);
}

#[test]
fn the_values_of_a_selector_are_combined_no_more_than_a_few_times() {
    let mut mesh = mesh(&[("euw1", "1.20.2")]);
    let values: Vec<String> = (0..20).map(|at| format!("v{at}")).collect();
    let wanted =
        |key: &str| format!("{{key: {key}, operator: In, values: [{}]}}", values.join(", "));
    let open = format!(
        "{{endpointSelector: {{}}, ingress: [{{fromEndpoints: [{{matchExpressions: [{}, {}]}}]}}]}}",
        wanted("one"),
        wanted("two")
    );
    policy(&mut mesh, 0, "shop/open", &open);
    let combined = possible(&mut mesh).iter().filter(|name| name.contains("one=")).count();
    assert_eq!(combined, MOST_VALUES);
}
