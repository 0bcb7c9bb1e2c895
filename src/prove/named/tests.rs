use crate::compile::Index;
use crate::diagnostic::Diagnostics;
use crate::policy::Direction;
use crate::prove::flows;
use crate::reach::{Mesh, declared, sample};
use crate::topology::Topology;
use crate::topology::sample::{TWO_CLUSTERS, topology};

fn mesh(topology: &Topology) -> Mesh {
    declared::mesh(topology, &Index::of(topology))
}

fn found(topology: &Topology, mesh: Mesh) -> Vec<String> {
    let mut found = Diagnostics::new();
    flows::check(topology, mesh, &mut found);
    let unchecked = found.unchecked().iter().map(|one| format!("{}: {}", one.what, one.why));
    let lines = found.iter().map(|one| format!("{} {}", one.rule.code, one.message));
    lines.chain(unchecked.collect::<Vec<_>>()).collect()
}

fn named(to: &str) -> Topology {
    let flow = format!("to: [{to}], ports: [metrics]}}");
    topology(&TWO_CLUSTERS.replace("to: [fraud-detection]}", &flow))
}

/// The mesh without what the policies of a cluster allow in a direction on any port.
fn closed(topology: &Topology, direction: Direction) -> Mesh {
    let mut mesh = mesh(topology);
    for written in &mut mesh.clusters[1].policies {
        let flow = written.policy.name.contains("check-fraud");
        std::sync::Arc::make_mut(&mut written.policy)
            .rules
            .retain(|rule| !flow || rule.direction != direction);
    }
    mesh
}

#[test]
fn a_flow_on_a_port_of_which_only_the_name_is_known_is_proved() {
    for to in ["{workload: fraud-detection}", "{namespace: payments, labels: {app: other}}"] {
        let topology = named(to);
        assert_eq!(found(&topology, mesh(&topology)), [""; 0], "{to}");
        let lines = found(&topology, closed(&topology, Direction::Ingress));
        assert!(matches!(&lines[..], [one] if one.starts_with("LB4001 ")), "{lines:#?}");
        assert!(lines[0].ends_with("on TCP/metrics"), "{lines:#?}");
    }
}

#[test]
fn a_port_that_only_a_policy_names_is_an_open_door() {
    let topology = topology(TWO_CLUSTERS);
    let rule = |names: &str| {
        format!(
            "{{endpointSelector: {{}}, ingress: [{{fromEntities: [world], toPorts: [{{ports: \
             [{names}]}}]}}]}}"
        )
    };
    let mut mesh = mesh(&topology);
    sample::policy(&mut mesh, 0, "payments/debug", &rule("{port: debug, protocol: TCP}"));
    let line = "LB4002 payments/(any other pod)@euw1 can receive from world on TCP/debug, which no \
                flow declares";
    assert_eq!(found(&topology, mesh), [line]);
}

#[test]
fn names_are_bounded() {
    let topology = topology(TWO_CLUSTERS);
    let mut mesh = mesh(&topology);
    let names: Vec<String> = (0..65).map(|at| format!("{{port: p{at}, protocol: TCP}}")).collect();
    for (at, names) in names.chunks(40).enumerate() {
        let rule = format!(
            "{{endpointSelector: {{}}, ingress: [{{toPorts: [{{ports: [{}]}}]}}]}}",
            names.join(", ")
        );
        sample::policy(&mut mesh, 0, &format!("other/p{at}"), &rule);
    }
    let line = "ports with names of pods that nobody declares: policies name more than 64 ports";
    assert_eq!(found(&topology, mesh), [line]);
}
