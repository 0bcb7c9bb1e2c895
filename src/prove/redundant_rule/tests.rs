use std::sync::Arc;

use std::collections::BTreeSet;

use super::*;
use crate::policy::rule::Direction;
use crate::policy::{Agent, Flow, Identity, Pod, Protocol};
use crate::prove::shadowed_rule;
use crate::reach::{Mesh, sample};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const SUBJECTS: &[&str] = &[
    "{}",
    "{matchLabels: {app: a}}",
    "{matchLabels: {app: a, tier: x}}",
    "{matchLabels: {tier: x}}",
];
const PEERS: &[&str] = &[
    "",
    "fromEndpoints: [], ",
    "fromEndpoints: [{}], ",
    "fromEndpoints: [{matchLabels: {app: a}}], ",
    "fromEndpoints: [{matchLabels: {app: a, tier: x}}], ",
    "fromEndpoints: [{matchExpressions: [{key: app, operator: NotIn, values: [b]}]}], ",
    "fromEndpoints: [{matchLabels: {app: b}}, {matchLabels: {app: a}}], ",
    "fromEndpoints: [{matchLabels: {app: a, io.cilium.k8s.policy.cluster: west}}], ",
    "fromEndpoints: [{matchExpressions: [{key: io.cilium.k8s.policy.cluster, operator: Exists}]}], ",
    "fromCIDR: [192.0.2.0/24], ",
    "fromCIDRSet: [{cidr: 192.0.0.0/16, except: [192.0.2.0/28]}], ",
    "fromEntities: [all], ",
    "fromEntities: [world], ",
];
const PORTS: &[&str] = &[
    "",
    "toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]",
    "toPorts: [{ports: [{port: \"80\"}]}]",
    "toPorts: [{ports: [{port: \"1\", endPort: 90, protocol: TCP}]}]",
    "toPorts: [{ports: [{port: http, protocol: TCP}, {port: \"53\", protocol: UDP}]}]",
    "toPorts: [{ports: [{port: \"0\", protocol: TCP}]}]",
];
const OPTIONS: &[&str] = &["", "", ", enableDefaultDeny: {ingress: false}"];

fn some(dice: &mut Dice) -> Mesh {
    let mut mesh = sample::mesh(&[("east", dice.one(&["1.17.6", "1.18.6", "1.20.2"]))]);
    for at in 0..3 {
        let section = dice.one(&["ingress", "ingress", "ingressDeny"]);
        let mut item = || format!("{{{}{}}}", dice.one(PEERS), dice.one(PORTS));
        let items = [item(), item()].join(", ");
        let (subject, options) = (dice.one(SUBJECTS), dice.one(OPTIONS));
        let spec = format!("{{endpointSelector: {subject}, {section}: [{items}]{options}}}");
        sample::policy(&mut mesh, 0, &format!("shop/p{at}"), &spec);
    }
    mesh
}

fn pods(cluster: &str) -> Vec<Identity> {
    let labels: [&[(&str, &str)]; 5] =
        [&[("app", "a")], &[("app", "b")], &[("app", "a"), ("tier", "x")], &[("tier", "x")], &[]];
    let pod = |labels| Identity::pod(&Pod { cluster, namespace: "shop", labels, ..Pod::default() });
    labels.map(pod).map(|pod| pod.port("http", Protocol::TCP, 80)).to_vec()
}

fn peers() -> Vec<Identity> {
    let address = |text: &str| Identity::address(text.parse().expect("a prefix"), false);
    let addresses =
        ["192.0.2.1/32", "192.0.2.100/32", "192.0.9.1/32", "198.51.100.1/32"].map(address);
    let others = [Identity::world(), Identity::remote_node()];
    pods("east").into_iter().chain(pods("west")).chain(addresses).chain(others).collect()
}

/// What an agent decides about every flow to a pod, with the places of the rules that allow it.
fn decided(member: &Member) -> Vec<(String, BTreeSet<crate::source::Span>)> {
    let peers = peers();
    let policies = member.policies.iter().map(|known| &*known.policy);
    let agent = Agent::new(&member.semantics, policies, &peers);
    let mut all = Vec::new();
    for subject in &pods("east") {
        for peer in &peers {
            for (protocol, port) in
                [(Protocol::TCP, 80), (Protocol::TCP, 85), (Protocol::UDP, 80), (Protocol::UDP, 53)]
            {
                let direction = Direction::Ingress;
                let verdict = agent.verdict(&Flow { subject, peer, direction, protocol, port });
                let allowed = verdict.outcome.is_allowed();
                let rules = verdict.rules.iter().filter(|_| allowed).map(|rule| rule.span);
                all.push((format!("{:?}", verdict.outcome), rules.collect()));
            }
        }
    }
    all
}

#[test]
fn without_a_part_of_another_rule_every_verdict_is_the_same() {
    let mut dice = Dice(7);
    let mut parts = 0;
    for _ in 0..300 {
        let mesh = some(&mut dice);
        let member = &mesh.clusters[0];
        for at in among(member).expect("few rules") {
            let mut less = member.clone();
            let mut counted = 0;
            for known in &mut less.policies {
                let rules = std::mem::take(&mut Arc::make_mut(&mut known.policy).rules);
                for rule in rules {
                    if counted != at {
                        Arc::make_mut(&mut known.policy).rules.push(rule);
                    }
                    counted += 1;
                }
            }
            let outcomes = |member: &Member| -> Vec<String> {
                decided(member).into_iter().map(|(outcome, _)| outcome).collect()
            };
            assert_eq!(outcomes(member), outcomes(&less), "{at} of {:#?}", member.policies);
            parts += 1;
        }
    }
    assert!(parts > 100, "{parts} parts are few");
}

#[test]
fn a_rule_that_a_deny_covers_never_allows() {
    let mut dice = Dice(11);
    let mut covered = 0;
    for _ in 0..300 {
        let mesh = some(&mut dice);
        let member = &mesh.clusters[0];
        let mut rules: Vec<&Rule> = Vec::new();
        let mut left = MOST;
        each(member, &mut left, |_| true, &shadowed_rule::is_covered, &mut |one, other| {
            rules.extend(other.map(|_| one.rule));
        })
        .expect("few rules");
        for rule in rules {
            // Two items of one line have different places.
            let allows = decided(member).into_iter().any(|(_, spans)| spans.contains(&rule.span));
            assert!(!allows, "{rule:#?} of {:#?}", member.policies);
            covered += 1;
        }
    }
    assert!(covered > 20, "{covered} rules are few");
}
