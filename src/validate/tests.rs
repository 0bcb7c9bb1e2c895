//! Policies on small projects, and the built-in ones on their samples.

use super::*;
use crate::spec::load::{self, ENTRY};
use crate::system::memory::MemorySystem;
use crate::topology::resolve::resolve;

const PROJECT: &str = "\
apiVersion: landbridge.dev/v1alpha1
kind: Topology
metadata: {name: test}
spec:
  rules: [rules.yaml]
  policies: {}
  versions: {kubernetes: 1.34.2, cilium: 1.19.6}
  clusterDefaults: {loadBalancers: {controller: aws-load-balancer-controller}}
  regions:
    us-east-1: {provider: aws, networks: {main: {cidrs: [10.0.0.0/16]}}}
---
apiVersion: landbridge.dev/v1alpha1
kind: Cluster
metadata: {name: use1}
spec: {region: us-east-1, id: 1, nodeCIDRs: [10.0.0.0/20], podCIDRs: [100.64.0.0/16], clustermesh: {endpoint: {ips: [10.0.1.20]}}}
---
apiVersion: landbridge.dev/v1alpha1
kind: MeshApplication
metadata: {name: shop}
spec:
  namespace: shop
  workloads: {api: {labels: {app: api}, clusters: [use1]}}
  services: {api: {workload: api, ports: [{port: 80}], manage: full}}
  flows: {order: {from: [api], to: [api]}}
";

/// A policy with samples, so that nothing but what a test is about is wrong.
fn policy(over: &str, expression: &str) -> String {
    format!(
        "apiVersion: landbridge.dev/v1alpha1\nkind: Policy\nmetadata: {{name: mine}}\nspec:\n  \
         over: {over}\n  expression: {expression}\n  message: \"wrong: {{params}}\"\n"
    )
}

/// What is found in the project with this file of rules, and `policies` in the topology.
fn found(rules: &str, policies: &str) -> Vec<String> {
    let project = PROJECT.replace("policies: {}", &format!("policies: {{{policies}}}"));
    let system = MemorySystem::new().with(ENTRY, project).with("rules.yaml", rules);
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system, &mut sources, &mut found);
    let topology = resolve(&spec, &mut found).expect("a topology");
    run(&topology, &sources, true, &mut found);
    found.sort();
    let line = |one: &Diagnostic| {
        let place = sources.location(one.primary.span);
        format!("{place} {} {} {}", one.rule.code, one.severity.name(), one.message)
    };
    let unchecked = found.unchecked().iter().map(|one| format!("{}: {}", one.what, one.why));
    found.iter().filter(|one| one.rule.code != "LB0022").map(line).chain(unchecked).collect()
}

#[test]
fn violations_point_into_the_topology() {
    let over = |over: &str, expression: &str| found(&policy(over, expression), "");
    let place = |at: &str| vec![format!("landbridge.yaml:{at} P-mine error wrong: ")];
    assert_eq!(over("cluster", "cluster.name != 'use1'"), place("14:18"));
    assert_eq!(over("region", "region.clusters.size() > 1"), place("10:5"));
    assert_eq!(over("service", "service.headless"), place("23:14"));
    assert_eq!(over("flow", "flow.from[0].workload != 'api'"), place("24:11"));
    assert_eq!(over("namespace", "namespaceObject.name != 'shop'"), place("21:14"));
    assert_eq!(over("topology", "topology.clusters.size() > 1"), place("3:18"));
    let service = "\"resource.kind != 'Service' || cluster.name != 'use1'\"";
    assert_eq!(over("resource", service), place("23:14"));
    assert_eq!(over("cluster", "cluster.name == 'use1'"), [""; 0]);
}

#[test]
fn what_cannot_be_evaluated_is_a_finding_about_the_policy() {
    let over = |over: &str, expression: &str| found(&policy(over, expression), "");
    let wrong = |at: &str, what: &str| {
        vec![format!("rules.yaml:{at} LB0021 error the policy `mine` {what}")]
    };
    assert_eq!(
        over("cluster", "clutser.id > 0"),
        wrong("6:15", "does not compile: there is no variable `clutser`; is `cluster` meant?")
    );
    assert_eq!(
        over("cluster", "cluster.id > 0 && cluster.nmae != ''"),
        wrong("6:41", "cannot be evaluated: there is no key `nmae`; is `name` meant?")
    );
    assert_eq!(
        over("cluster", "cluster.name"),
        wrong("6:15", "cannot be evaluated: it must be true or false, and is of the type string")
    );
    let message = policy("cluster", "\"false\"").replace("wrong: {params}", "{cluster.nmae}");
    let both = found(&message, "");
    assert_eq!(both[0], "landbridge.yaml:14:18 P-mine error ?");
    assert!(both[1].starts_with("rules.yaml:7:22 LB0021"), "{both:?}");
}

#[test]
fn projects_switch_policies_on_and_off_and_set_them() {
    let mine = policy("cluster", "cluster.id > params.least") + "  params: {least: 1}\n";
    assert_eq!(found(&mine, ""), ["landbridge.yaml:14:18 P-mine error wrong: least: 1"]);
    assert_eq!(found(&mine, "mine: {params: {least: 0}}"), [""; 0]);
    assert_eq!(
        found(&mine, "mine: {severity: warning}"),
        ["landbridge.yaml:14:18 P-mine warning wrong: least: 1"]
    );
    assert_eq!(found(&mine, "mine: {severity: none}"), [""; 0]);
    let at = "landbridge.yaml:6:14 LB0013 error";
    assert_eq!(
        found(&mine, "myne: {}, mine: {severity: none}"),
        [format!("{at} there is no policy `myne`")]
    );
    let unknown = found(&mine, "mine: {params: {laest: 0}, severity: none}");
    assert_eq!(
        unknown,
        ["landbridge.yaml:6:30 LB0013 error the policy `mine` has no parameter `laest`"]
    );
    let ready = found(&mine.replace("mine", "dns-ttl"), "");
    assert_eq!(ready, ["landbridge.yaml:14:18 P-dns-ttl error wrong: least: 1"]);
}

#[test]
fn built_in_policies_count_where_they_are_switched_on() {
    let quiet = policy("cluster", "\"true\"");
    assert_eq!(
        found(&quiet, "clustermesh-high-availability: {}, max-nodes-declared: {severity: error}"),
        [
            "landbridge.yaml:14:18 P-clustermesh-high-availability warning the cluster `use1` has 1 of 2 instances of its ClusterMesh API server",
            "landbridge.yaml:14:18 P-max-nodes-declared error the cluster `use1` does not say how many nodes it will have",
        ]
    );
    // A parameter that makes a built-in policy wrong is found where it stands.
    let broken = found(&quiet, "cluster-names: {params: {pattern: \"(\"}}");
    assert_eq!(
        broken,
        [
            "landbridge.yaml:6:14 LB0021 error the policy `cluster-names` does not compile: the regular expression is wrong: unclosed group"
        ]
    );
}

#[test]
fn a_policy_about_nothing_is_idle() {
    let idle = policy("cluster", "\"true\"") + "  matchConditions: {none: cluster.name == 'x'}\n";
    let expected =
        "rules.yaml:3:18 LB0023 warning the policy `mine` is about no cluster of this project";
    assert_eq!(found(&idle, ""), [expected]);
    let idle = policy("resource", "\"true\"") + "  kinds: [Deployment]\n";
    assert_eq!(found(&idle, "").len(), 1);
    assert_eq!(found(&policy("cluster", "\"true\""), "passive-cluster: {}, dns-ttl: {}").len(), 1);
}

#[test]
fn what_takes_too_long_is_not_checked() {
    let digits = "[0,1,2,3,4,5,6,7,8,9]";
    let mut expression = "true".to_owned();
    for variable in 'a'..'j' {
        expression = format!("{digits}.all({variable}, {expression})");
    }
    let expected = "the policy `mine`: its expressions take too many steps";
    assert_eq!(found(&policy("cluster", &format!("\"{expression}\"")), ""), [expected]);
}

#[test]
fn samples_of_built_in_policies_behave() {
    for policy in builtin::all() {
        assert_eq!(sample::missing(&policy), None, "{}", policy.name);
        let outcomes = sample::run(&policy);
        let wrong: Vec<_> = outcomes.iter().filter(|outcome| outcome.wrong.is_some()).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", policy.name);
        assert!(policy.spec.because.is_some() && policy.spec.source.is_some(), "{}", policy.name);
    }
}

#[test]
fn samples_must_behave() {
    let with = |samples: &str| {
        let text = policy("cluster", "cluster.id > 1") + "  samples:\n" + samples;
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let id = sources.add("rules.yaml", text);
        let mut spec = crate::spec::Spec::default();
        for document in crate::yaml::parse(&sources, id, &mut found) {
            spec.add(&document, &mut found);
        }
        let named = &spec.policies[0];
        sample::check(&Policy::own(&named.name, named.spec.as_ref().unwrap()), &mut found);
        found.iter().map(|one| one.message.clone()).collect::<Vec<_>>()
    };
    let good = "    pass: [{cluster: {id: 2}}]\n    fail: [{cluster: {id: 1}}]\n";
    assert_eq!(with(good), [""; 0]);
    let sample = "the policy `mine`: a sample that must";
    for (samples, expected) in [
        ("    pass: []\n", "the policy `mine` has no samples".to_owned()),
        (
            "    pass: [{cluster: {id: 2}}]\n",
            "the policy `mine` has no sample that must fail".to_owned(),
        ),
        (
            &good.replace("id: 2", "id: 0"),
            format!("{sample} pass does not: it is refused with \"wrong: \""),
        ),
        (&good.replace("id: 1", "id: 3"), format!("{sample} fail does not: it is accepted")),
        (
            &good.replace("id: 1", "name: a"),
            format!("{sample} fail does not: there is no key `id`"),
        ),
        (
            &good.replace("{cluster: {id: 1}}", "{}"),
            format!("{sample} fail does not: it has no `cluster`, which the policy is about"),
        ),
    ] {
        assert_eq!(with(samples), [expected], "{samples}");
    }
}
