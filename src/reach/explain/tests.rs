use std::sync::Arc;

use super::*;
use crate::policy::rule::Refusal;
use crate::policy::{Identity, Protocol};
use crate::reach::sample::{mesh, policy, workload};

const WEB: AskedPort = AskedPort { protocol: Protocol::TCP, port: 80 };

fn two() -> Mesh {
    let mut mesh = mesh(&[("euw1", "1.20.2"), ("use1", "1.20.2")]);
    workload(&mut mesh, 0, "shop/web");
    workload(&mut mesh, 1, "shop/api");
    mesh
}

#[test]
fn an_answer_has_the_ends_that_are_pods() {
    let mut mesh = two();
    let ids: Vec<EndpointId> = mesh.endpoints().map(|(id, _)| id).collect();
    let (pod, other) = (Party::Endpoint(ids[0]), Party::Endpoint(ids[1]));
    let world = Identity::world();
    let outside = Party::Outside(&world);
    let ends = |mesh: &Mesh, from, to| {
        let reach = Reach::new(mesh);
        let answer = answer(&reach, ("a", from), ("b", to), WEB)?;
        Some((answer.egress.is_some(), answer.ingress.is_some(), answer.apart))
    };
    assert_eq!(ends(&mesh, pod, other), Some((true, true, false)));
    assert_eq!(ends(&mesh, pod, outside), Some((true, false, false)));
    assert_eq!(ends(&mesh, outside, other), Some((false, true, false)));
    assert_eq!(ends(&mesh, outside, outside), None);
    mesh.clusters[0].joined = std::iter::once(ClusterId::new(0)).collect();
    assert_eq!(ends(&mesh, pod, other), Some((true, true, true)));
    assert_eq!(ends(&mesh, pod, outside), Some((true, false, false)));
}

#[test]
fn refused_policies_are_those_beside_the_pod() {
    let mut mesh = two();
    for name in ["shop/own", "ops/other", "shop/taken"] {
        policy(&mut mesh, 0, name, "{endpointSelector: {}, ingress: [{}]}");
    }
    policy(&mut mesh, 1, "shop/far", "{endpointSelector: {}, ingress: [{}]}");
    for written in mesh.clusters.iter_mut().flat_map(|member| &mut member.policies) {
        if written.policy.name != "taken" {
            let span = written.policy.span;
            Arc::make_mut(&mut written.policy).refused =
                Some(Refusal { span, why: "a test".to_owned() });
        }
    }
    let (id, _) = mesh.endpoints().next().expect("a pod");
    let names: Vec<_> = refused(&mesh, id).iter().map(|(policy, _)| &*policy.name).collect();
    assert_eq!(names, ["own"]);
}
