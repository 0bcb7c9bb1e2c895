//! What rows say of every pair is what the pair itself is asked.

use super::*;
use crate::reach::diff::difference;
use crate::reach::engine::Party;
use crate::reach::sample::{irregular, mesh, policy, workload};

/// Rows as text: `from → to: ports`.
fn shown(matrix: &Matrix) -> Vec<String> {
    let of = |parties: &Parties| match parties {
        Parties::Members(members) => matrix.roster.describe(members).join(" "),
        Parties::Outside(names) => names.join(" "),
    };
    let row = |row: &Row| format!("{} → {}: {}", of(&row.from), of(&row.to), row.opening);
    matrix.rows.iter().map(row).collect()
}

/// What rows say of two members.
fn said(matrix: &Matrix, source: usize, target: usize) -> Opening {
    let has = |parties: &Parties, wanted: usize| match parties {
        Parties::Members(members) => members.contains(&wanted),
        Parties::Outside(_) => false,
    };
    let mut rows = matrix.rows.iter().filter(|row| has(&row.from, source) && has(&row.to, target));
    rows.next().map_or(Opening::closed(), |row| row.opening.clone())
}

fn holds(mesh: &Mesh) {
    let reach = Reach::new(mesh);
    let matrix = Matrix::new(&reach, &Scope::default()).expect("a small mesh");
    for (source, _) in mesh.endpoints() {
        for (target, _) in mesh.endpoints() {
            let member = |id| matrix.roster.find(&name(mesh, id)).expect("a member");
            let expected = reach.opening(Party::Endpoint(source), Party::Endpoint(target));
            let (from, to) = (mesh.describe(source), mesh.describe(target));
            assert_eq!(said(&matrix, member(source), member(target)), expected, "{from} → {to}");
        }
    }
}

fn small(versions: [&str; 2]) -> Mesh {
    let [first, second] = versions;
    let mut mesh = mesh(&[("euw1", first), ("use1", second)]);
    for cluster in 0..2 {
        for name in ["shop/web", "shop/api", "ops/log"] {
            workload(&mut mesh, cluster, name);
        }
    }
    mesh
}

const API_FROM_WEB: &str = "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: \
     [{matchLabels: {app: web}}], toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]}";

#[test]
fn rows_name_groups() {
    let mut mesh = small(["1.18.6", "1.18.6"]);
    policy(&mut mesh, 0, "shop/api", API_FROM_WEB);
    policy(&mut mesh, 1, "shop/api", API_FROM_WEB);
    let reach = Reach::new(&mesh);
    let matrix = Matrix::new(&reach, &Scope::default()).expect("a small mesh");
    assert_eq!(
        shown(&matrix),
        [
            "shop/web@* → shop/api@*: TCP/8080",
            "world → ops/log@* shop/web@*: every port",
            "*@* → world: every port",
            "*@* → ops/log@* shop/web@*: every port",
        ]
    );
    holds(&mesh);
}

#[test]
fn every_pair_is_in_a_row() {
    let policies = [
        ("shop/api", API_FROM_WEB),
        (
            "shop/out",
            "{endpointSelector: {matchLabels: {app: web}}, egress: [{toPorts: [{ports: [{port: \
             '53', protocol: UDP}]}]}, {toEndpoints: [{matchLabels: {app: api}}]}]}",
        ),
        (
            "ops/deny",
            "{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingressDeny: \
             [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': shop, app: web}}]}]}",
        ),
        (
            "ops/not",
            "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchExpressions: [{key: app, \
             operator: NotIn, values: [web]}]}]}]}",
        ),
    ];
    for versions in [["1.16.19", "1.20.2"], ["1.18.6", "1.19.6"], ["1.20.2", "1.20.2"]] {
        for cluster in 0..2 {
            for chosen in 0..1_usize << policies.len() {
                let mut mesh = small(versions);
                for (at, (name, spec)) in policies.iter().enumerate() {
                    if chosen & (1 << at) != 0 {
                        policy(&mut mesh, cluster, name, spec);
                    }
                }
                holds(&mesh);
            }
        }
    }
}

#[test]
fn rules_that_look_at_more_than_labels_are_asked_of_every_pair() {
    irregular().iter().for_each(holds);
}

#[test]
fn clusters_apart_have_no_rows_in_common() {
    let mut mesh = small(["1.18.6", "1.18.6"]);
    for at in 0..2 {
        mesh.clusters[at].joined = std::iter::once(crate::topology::ClusterId::new(at)).collect();
    }
    holds(&mesh);
}

#[test]
fn a_difference_is_what_one_has_and_the_other_has_not() {
    let before = small(["1.18.6", "1.18.6"]);
    let mut after = before.clone();
    policy(&mut after, 1, "shop/api", API_FROM_WEB);
    workload(&mut after, 0, "shop/new");
    let (first, second) = (Reach::new(&before), Reach::new(&after));
    let difference = difference(&first, &second).expect("a small mesh");
    let (opened, closed) = (shown(&difference.opened), shown(&difference.closed));
    assert!(opened.contains(&"shop/new@euw1 → world: every port".to_owned()), "{opened:?}");
    assert!(closed.contains(&"world → shop/api@use1: every port".to_owned()), "{closed:?}");
    for (matrix, now, then) in
        [(&difference.opened, &second, &first), (&difference.closed, &first, &second)]
    {
        for source in 0..matrix.roster.len() {
            for target in 0..matrix.roster.len() {
                let of = |reach: &Reach<'_>| {
                    let mesh = reach.mesh();
                    let find = |at| {
                        let wanted = matrix.roster.get(at);
                        let mut ids = mesh.endpoints().map(|(id, _)| id);
                        ids.find(|id| name(mesh, *id) == *wanted).map(Party::Endpoint)
                    };
                    match (find(source), find(target)) {
                        (Some(from), Some(to)) => reach.opening(from, to),
                        _ => Opening::closed(),
                    }
                };
                assert_eq!(said(matrix, source, target), of(now).without(&of(then)));
            }
        }
    }
}

#[test]
fn a_scope_limits_both_sides() {
    let mut mesh = small(["1.18.6", "1.18.6"]);
    policy(&mut mesh, 0, "shop/api", API_FROM_WEB);
    let reach = Reach::new(&mesh);
    let id = mesh.endpoints().map(|(id, _)| id).find(|id| mesh.describe(*id) == "shop/api@euw1");
    let names = vec![name(&mesh, id.expect("it is there"))];
    let to = Some(Limited { names, outside: Vec::new() });
    let matrix = Matrix::new(&reach, &Scope { to, ..Scope::default() }).expect("a small mesh");
    assert_eq!(shown(&matrix), ["shop/web@* → shop/api@euw1: TCP/8080"]);
}

#[test]
fn what_is_said_of_most_is_said_once() {
    let mut mesh = mesh(&[("euw1", "1.18.6"), ("use1", "1.18.6")]);
    for at in 0..300 {
        workload(&mut mesh, 0, &format!("shop/w{at}"));
    }
    workload(&mut mesh, 1, "shop/far");
    let cluster = "{endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}";
    policy(&mut mesh, 0, "shop/inside", cluster);
    let reach = Reach::new(&mesh);
    let matrix = Matrix::new(&reach, &Scope::default()).expect("few pairs");
    let rows = shown(&matrix);
    let expected = [
        "shop/far@use1 → *@euw1: nothing",
        "world → shop/far@use1: every port",
        "health ingress kube-apiserver kube-apiserver on a node remote-node unmanaged → *@euw1: \
         every port",
        "*@* → world: every port",
        "*@* → *@*: every port",
    ];
    assert_eq!(rows, expected);
    let (far, near): (Vec<_>, Vec<_>) =
        (0..).zip(matrix.roster.iter()).partition(|(_, one)| one.cluster == "use1");
    let (far, other) = (far[0].0, near[299].0);
    for near in [0, 150, 298].map(|at| near[at].0) {
        assert!(said(&matrix, far, near).is_closed());
        assert!(said(&matrix, near, far).is_everything());
        assert!(said(&matrix, near, other).is_everything());
    }
}
