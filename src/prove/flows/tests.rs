use std::sync::Arc;

use crate::compile::Index;
use crate::diagnostic::Diagnostics;
use crate::reach::{Mesh, declared, sample};
use crate::topology::sample::{TWO_CLUSTERS, topology};

use super::check;

/// What is found of a topology beside which somebody wrote policies: the number of the cluster
/// (`euw1`, `use1`), namespace and name, and the `spec`.
fn found(text: &str, policies: &[(usize, &str, &str)]) -> Vec<String> {
    let topology = topology(text);
    let mut mesh = declared::mesh(&topology, &Index::of(&topology));
    for (cluster, name, spec) in policies {
        sample::policy(&mut mesh, *cluster, name, spec);
    }
    findings(text, mesh)
}

fn findings(text: &str, mesh: Mesh) -> Vec<String> {
    let topology = topology(text);
    let mut found = Diagnostics::new();
    check(&topology, mesh, &mut found);
    assert!(found.unchecked().is_empty(), "{:?}", found.unchecked());
    let mut lines: Vec<String> =
        found.iter().map(|one| format!("{} {}", one.rule.code, one.message)).collect();
    lines.sort();
    lines
}

const DENY: &str = "{endpointSelector: {matchLabels: {app: fraud-detection}}, ingressDeny: \
     [{fromEndpoints: [{matchLabels: {app: payment-frontend, k8s:io.cilium.k8s.policy.cluster: \
     euw1}}]}]}";
const DEBUG: &str = "{endpointSelector: {matchLabels: {app: fraud-detection}}, ingress: \
     [{fromEndpoints: [{matchLabels: {tier: debug}}], toPorts: [{ports: [{port: '9229', \
     protocol: TCP}]}]}]}";
const DEBUG_OUT: &str = "{endpointSelector: {matchLabels: {tier: debug}}, egress: \
     [{toEndpoints: [{}], toPorts: [{ports: [{port: '9229', protocol: TCP}]}]}]}";
const WORLD: &str = "{endpointSelector: {matchLabels: {app: fraud-detection}}, ingress: \
     [{fromEntities: [world]}]}";

#[test]
fn what_is_compiled_is_what_is_declared() {
    assert_eq!(found(TWO_CLUSTERS, &[]), [""; 0]);
}

#[test]
fn a_deny_blocks_a_declared_flow() {
    let blocked = "LB4001 the flow `payments/check-fraud` is blocked: payments/fraud-detection@use1 \
                   may not receive from payments/payment-frontend@euw1 on TCP/8080";
    assert_eq!(found(TWO_CLUSTERS, &[(1, "payments/deny", DENY)]), [blocked]);
}

#[test]
fn who_isolates_the_dns_of_a_cluster_blocks_the_way_to_it() {
    let nobody = "{endpointSelector: {}, ingress: [{}]}";
    let line = "LB4001 the way to the cluster's DNS is blocked: kube-system/(pod with \
                k8s-app=kube-dns)@euw1 may not receive from payments/fraud-detection@euw1 on \
                TCP/53";
    assert_eq!(found(TWO_CLUSTERS, &[(0, "kube-system/nobody", nobody)]), [line]);
    let own = "{endpointSelector: {}, ingress: [{fromEntities: [cluster], toPorts: [{ports: \
               [{port: '53'}]}]}]}";
    assert_eq!(found(TWO_CLUSTERS, &[(0, "kube-system/own", own)]), [""; 0]);
    let outward = "{endpointSelector: {}, egress: [{}]}";
    assert_eq!(found(TWO_CLUSTERS, &[(0, "kube-system/outward", outward)]), [""; 0]);
}

#[test]
fn a_door_is_half_open_until_both_ends_are() {
    let from = "payments/(pod with tier=debug)@use1";
    let half = format!(
        "LB4003 payments/fraud-detection@use1 may receive from {from} on TCP/9229, which no flow \
         declares and only the other end blocks"
    );
    assert_eq!(found(TWO_CLUSTERS, &[(1, "payments/in", DEBUG)]), [half]);
    let both = [(1, "payments/in", DEBUG), (1, "payments/out", DEBUG_OUT)];
    let lines = found(TWO_CLUSTERS, &both);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines.iter().all(|line| line.starts_with("LB4002 ")), "{lines:#?}");
}

#[test]
fn a_rule_for_everyone_opens_to_the_world() {
    let line = "LB4002 payments/fraud-detection@euw1 can receive from world on TCP, which no flow \
                declares";
    assert_eq!(
        found(TWO_CLUSTERS, &[(0, "payments/all", WORLD)]).first().map(String::as_str),
        Some(line)
    );
    assert_eq!(found(TWO_CLUSTERS, &[(0, "elsewhere/all", WORLD)]), [""; 0]);
    // There it is no door, and isolates all the same.
    let open = TWO_CLUSTERS.replace("defaultDeny: [ingress, egress]", "defaultDeny: [egress]");
    let lines = found(&open, &[(0, "payments/all", WORLD)]);
    assert!(matches!(&lines[..], [one] if one.starts_with("LB4001 ")), "{lines:#?}");
}

#[test]
fn requests_beyond_those_of_the_flow_are_undeclared() {
    let http = TWO_CLUSTERS.replace(
        "to: [fraud-detection]}",
        "to: [fraud-detection], http: [{method: GET, path: /scores}]}",
    );
    assert_eq!(found(&http, &[]), [""; 0]);
    let rule = |http: &str| {
        format!(
            "{{endpointSelector: {{matchLabels: {{app: fraud-detection, \
             io.cilium.k8s.policy.serviceaccount: fraud}}}}, ingress: \
             [{{fromEndpoints: [{{matchLabels: {{app: payment-frontend}}}}], toPorts: [{{ports: \
             [{{port: '8080', protocol: TCP}}]{http}}}]}}]}}"
        )
    };
    let wide = found(&http, &[(0, "payments/wide", &rule(""))]);
    let line = "LB4002 payments/fraud-detection@euw1 can receive from \
                payments/payment-frontend@euw1 on TCP/8080, which no flow declares";
    assert_eq!(wide, [line]);
    let same = rule(", rules: {http: [{method: GET, path: /scores}]}");
    assert_eq!(found(&http, &[(0, "payments/same", &same)]), [""; 0]);
    let more = rule(", rules: {http: [{path: '/scores'}]}");
    assert_eq!(found(&http, &[(0, "payments/more", &more)]).len(), 1);
}

fn guarded(guard: &str) -> String {
    TWO_CLUSTERS.replacen("  regions:\n", &format!("  guards: {{g: {{{guard}}}}}\n  regions:\n"), 1)
}

#[test]
fn guards_are_proved_or_refuted() {
    let reaches = |from: &str, to: &str, ports: &str| {
        vec![format!("LB4004 the guard `g` does not hold: {from} reaches {to} on {ports}")]
    };
    let holds = Vec::<String>::new();
    let (web, api) = ("payments/payment-frontend@euw1", "payments/fraud-detection@euw1");
    let far = "payments/fraud-detection@use1";
    for (guard, expected) in [
        (
            "never: [{from: {workload: payments/payment-frontend}, to: {workload: payments/fraud-detection}}]",
            reaches(web, api, "TCP/8080"),
        ),
        (
            "never: [{from: {workload: payments/payment-frontend}, to: {workload: payments/fraud-detection}, ports: [9090]}]",
            holds.clone(),
        ),
        (
            "never: [{from: {regions: [eu-*]}, to: {namespace: payments, notRegions: [eu-*]}}]",
            reaches(web, far, "TCP/8080"),
        ),
        (
            "never: [{from: {namespace: payments, regions: [us-*]}, to: {notRegions: [us-*]}}]",
            holds.clone(),
        ),
        ("never: [{from: {namespace: payments}, to: {entity: world}}]", holds.clone()),
        (
            "never: [{to: {cidrs: 203.0.113.0/24}, from: {namespace: web}}]",
            reaches("web/(any other pod)@euw1", "203.0.113.0/24", "TCP"),
        ),
        (
            "only: [{from: {workload: payments/payment-frontend}, to: {workload: payments/fraud-detection}}]",
            holds.clone(),
        ),
        (
            "only: [{from: {workload: payments/payment-frontend, regions: [us-*]}, to: {workload: payments/fraud-detection}}]",
            reaches(web, api, "TCP/8080"),
        ),
        ("only: [{to: {namespace: payments}}]", holds.clone()),
        ("only: [{from: {namespace: payments}}]", holds),
    ] {
        let lines = found(&guarded(guard), &[]);
        assert_eq!(lines, expected, "{guard}");
    }
    let world = guarded("never: [{from: {entity: world}, to: {namespace: payments}}]");
    let lines = found(&world, &[(0, "payments/all", WORLD)]);
    assert!(lines.iter().any(|line| line.starts_with("LB4004 ")), "{lines:#?}");
}

#[test]
fn nothing_depends_on_names_and_on_the_order_and_the_division_of_rules() {
    let policies =
        [(1, "payments/in", DEBUG), (1, "payments/out", DEBUG_OUT), (0, "payments/all", WORLD)];
    let before = found(TWO_CLUSTERS, &policies);
    let topology = topology(TWO_CLUSTERS);
    let mut mesh = declared::mesh(&topology, &Index::of(&topology));
    for (cluster, name, spec) in policies {
        sample::policy(&mut mesh, cluster, name, spec);
    }
    for member in &mut mesh.clusters {
        member.policies.reverse();
        let mut halves = Vec::new();
        for written in &mut member.policies {
            Arc::make_mut(&mut written.policy).rules.reverse();
            let half = written.policy.rules.len() / 2;
            let mut other = written.clone();
            Arc::make_mut(&mut other.policy).rules =
                Arc::make_mut(&mut written.policy).rules.split_off(half);
            halves.push(other);
        }
        member.policies.extend(halves);
    }
    assert_eq!(findings(TWO_CLUSTERS, mesh), before);
    // `euw1` stays the first.
    let renamed = |text: &str| text.replace("euw1", "aaaa").replace("use1", "zzzz");
    let specs = policies.map(|(cluster, name, spec)| (cluster, name, renamed(spec)));
    let policies: Vec<_> =
        specs.iter().map(|(at, name, spec)| (*at, *name, spec.as_str())).collect();
    let after = found(&renamed(TWO_CLUSTERS), &policies);
    assert_eq!(after, before.iter().map(|line| renamed(line)).collect::<Vec<_>>());
}
