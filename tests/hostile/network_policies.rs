//! Hand-written network policies that mean harm.

use super::attack::{Attack, PROJECT};

/// The processor time in seconds that a proof may take which does as much as it ever does, without
/// optimisation.
const PROOF: u32 = 60;
const MANY: usize = 100_000;

fn many(number: usize, one: impl Fn(usize) -> String) -> String {
    (0..number).map(one).collect::<Vec<_>>().join(", ")
}

fn policy(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: {name}, namespace: \
         shop}}\nspec: {spec}\n"
    )
}

/// The small project with these objects, which every cluster has.
fn with(objects: &str) -> Attack {
    let attack =
        Attack::with("  include: []\n", "  include: []\n  manifests: [{files: [own.yaml]}]\n");
    attack.put("own.yaml", objects);
    attack
}

/// Either something is found there, or the flows are not checked.
fn is_seen(objects: &str, codes: &[i32], said: &str) {
    let attack = with(objects);
    let outcome = attack.run_for(PROOF, &["check"]);
    outcome.ends_with(codes);
    outcome.says(said);
    let manifests = ["reach", "--manifests", "use1=own.yaml", "--cilium", "1.20", "-o", "json"];
    attack.run(&manifests).ends_with(&[0, 1, 3]);
}

fn selecting(number: usize, section: &str) -> String {
    let peers = many(number, |n| format!("{{matchLabels: {{app: a{n}}}}}"));
    policy("own", &format!("{{endpointSelector: {{}}, {section}: [{{fromEndpoints: [{peers}]}}]}}"))
}

const TOO_MUCH: &str = "policies say too much of too many pods";

#[test]
fn peers_of_one_rule() {
    is_seen(&selecting(MANY, "ingress"), &[3], TOO_MUCH);
}

#[test]
fn items_of_one_policy() {
    let items = many(MANY, |n| format!("{{fromEndpoints: [{{matchLabels: {{app: a{n}}}}}]}}"));
    let own = policy("own", &format!("{{endpointSelector: {{}}, ingress: [{items}]}}"));
    is_seen(&own, &[3], TOO_MUCH);
}

#[test]
fn ports_of_one_rule() {
    let port = |n: usize| format!("{{port: \"{}\", protocol: TCP}}", n % 65_535 + 1);
    let lists =
        many(MANY / 40, |list| format!("{{ports: [{}]}}", many(40, |n| port(list * 40 + n))));
    let own =
        policy("own", &format!("{{endpointSelector: {{}}, ingress: [{{toPorts: [{lists}]}}]}}"));
    is_seen(&own, &[3], TOO_MUCH);
}

#[test]
fn addresses_of_one_rule() {
    let net = |n: usize| format!("{}.{}.{}", n / 65_536 + 11, n / 256 % 256, n % 256);
    let set = many(MANY, |n| format!("{{cidr: {0}.0/24, except: [{0}.128/25]}}", net(n)));
    let own =
        policy("own", &format!("{{endpointSelector: {{}}, ingress: [{{fromCIDRSet: [{set}]}}]}}"));
    is_seen(&own, &[3], TOO_MUCH);
}

#[test]
fn the_small_project_has_no_finding() {
    assert!(PROJECT.contains("  include: []\n"));
    with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own, namespace: shop}\n").is_harmless();
}
