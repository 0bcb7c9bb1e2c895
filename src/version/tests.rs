use std::collections::BTreeSet;

use super::*;
use crate::check;
use crate::source::SourceMap;
use crate::spec::load;
use crate::system::memory::MemorySystem;
use crate::topology::resolve::resolve;
use crate::topology::sample::TWO_CLUSTERS;

/// The findings about versions of a project on a day, as `code message`.
fn on(day: &str, text: &str) -> Vec<String> {
    let system = MemorySystem::new().with(load::ENTRY, text).on(day.parse().unwrap());
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system, &mut sources, &mut found);
    check::run(&resolve(&spec, &mut found).unwrap(), &mut found);
    found.sort();
    let of_versions = found.iter().filter(|finding| finding.rule.code.starts_with("LB3"));
    of_versions.map(|finding| format!("{} {}", finding.rule.code, finding.message)).collect()
}

fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(TWO_CLUSTERS.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

/// The sample with other versions, further changes, and documents behind it.
fn found(versions: &str, changes: &[(&str, &str)], documents: &str) -> Vec<String> {
    let all = [&[("kubernetes: 1.34.2, cilium: 1.19.6", versions)], changes].concat();
    on("2026-12-01", &(changed(&all) + documents))
}

const ENI: [(&str, &str); 2] = [
    ("    kubeProxy: replaced\n", "    kubeProxy: replaced\n    ipam: {mode: eni}\n"),
    (
        "    encryption: {type: wireguard}\n",
        "    encryption: {type: wireguard}\n    routing: {mode: native, nativeRoutingCIDR: 100.64.0.0/15}\n",
    ),
];
const EKS: [(&str, &str); 1] = [("distribution: kubeadm", "distribution: eks")];
const OWN: [(&str, &str); 1] = [("      export: true\n", "      manage: annotations\n")];
const OWN_NONE: [(&str, &str); 2] = [OWN[0], ("affinity: local", "affinity: none")];
const SLICES: [(&str, &str); 1] =
    [("globalServices: true", "globalServices: true, endpointSlices: true")];
const UNNAMED: [(&str, &str); 1] = [("{name: http, port: 80,", "{port: 80,")];
const SHARED: [(&str, &str); 1] = [(
    "[{name: http, port: 80, targetPort: 8080}]",
    "[{name: http, port: 80, targetPort: 8080}, {name: alt, port: 81, targetPort: 8080}]",
)];
const NAMED: [(&str, &str); 1] = [("targetPort: 8080", "targetPort: web")];
const CIDR: [(&str, &str); 1] = [(
    "  flows:\n",
    "  flows:\n    mail: {from: [fraud-detection], to: [{cidrs: [192.168.0.0/24]}], ports: [25]}\n",
)];
const SECONDARY: [(&str, &str); 1] =
    [("cidrs: [10.0.0.0/16]", "cidrs: [10.0.0.0/16, 100.64.0.0/15]")];
const OLD: [(&str, &str); 1] = [("  id: 1\n", "  id: 1\n  upgradeCompatibility: \"1.15\"\n")];

type Changes = &'static [&'static [(&'static str, &'static str)]];

/// Each built-in fault: its name, versions that have it, versions that do not, and what a cluster
/// must have besides.
const FAULTS: &[(&str, &str, &str, Changes)] = &[
    ("cilium-34091", "cilium: 1.16.0", "cilium: 1.16.1", &[]),
    ("cilium-34295", "cilium: 1.16.1", "cilium: 1.16.2", &[&SLICES]),
    (
        "cilium-35611",
        "cilium: 1.16.3",
        "cilium: 1.16.4",
        &[
            &ENI,
            &[("    ipam: {mode: eni}\n", "    ipam: {mode: eni}\n    masquerade: {bpf: true}\n")],
        ],
    ),
    ("cilium-36292", "cilium: 1.16.4", "cilium: 1.16.5", &[]),
    (
        "cilium-36617",
        "cilium: 1.16.5",
        "cilium: 1.16.6",
        &[&ENI, &[("  id: 1\n", "  id: 1\n  ciliumValues: {eni: {subnetTagsFilter: [a=b]}}\n")]],
    ),
    ("cilium-eni-operator-load", "cilium: 1.17.2", "cilium: 1.17.3", &[&ENI]),
    ("cilium-41626", "cilium: 1.16.13", "cilium: 1.18.3", &[&ENI]),
    ("cilium-39106", "cilium: 1.17.4", "cilium: 1.17.5", &[&ENI, &EKS]),
    ("cilium-40361", "cilium: 1.17.5", "cilium: 1.17.6", &[&OWN]),
    ("cilium-45137", "cilium: 1.18.6", "cilium: 1.18.7", &[&ENI]),
    ("cilium-41104", "cilium: 1.18.0", "cilium: 1.18.1", &[&UNNAMED]),
    ("cilium-40786", "cilium: 1.18.0", "cilium: 1.18.1", &[]),
    ("cilium-41337", "cilium: 1.18.1", "cilium: 1.18.2", &[]),
    ("cilium-40860", "cilium: 1.18.2", "cilium: 1.18.3", &[&ENI]),
    (
        "cilium-42726",
        "cilium: 1.18.4",
        "cilium: 1.18.5",
        &[&[("  id: 1\n", "  id: 1\n  ciliumValues: {tls: {caBundle: {enabled: true}}}\n")]],
    ),
    ("cilium-43807", "cilium: 1.18.6", "cilium: 1.18.7", &[]),
    ("cilium-46623", "cilium: 1.19.5", "cilium: 1.19.6", &[&OWN_NONE]),
    (
        "cilium-44693",
        "cilium: 1.19.1",
        "cilium: 1.19.2",
        &[&[("  id: 1\n", "  id: 1\n  ciliumValues: {gatewayAPI: {enabled: true}}\n")]],
    ),
    ("cilium-45179", "cilium: 1.19.3", "cilium: 1.19.4", &[&SHARED]),
    (
        "cilium-46068",
        "cilium: 1.19.4",
        "cilium: 1.19.5",
        &[&[("  id: 1\n", "  id: 1\n  ciliumValues: {nodeSelectorLabels: true}\n")]],
    ),
    ("cilium-47880", "cilium: 1.20.0", "cilium: 1.20.1", &[&CIDR]),
    ("cilium-47824", "cilium: 1.20.0", "cilium: 1.20.1", &[]),
    ("cilium-47874", "cilium: 1.20.1", "cilium: 1.20.2", &[&ENI, &SECONDARY]),
    ("cilium-48087", "cilium: 1.20.1", "cilium: 1.20.2", &[&OLD]),
    ("cilium-named-ports-crash", "cilium: 1.20.1", "cilium: 1.20.2", &[&NAMED]),
    (
        "cilium-48391",
        "cilium: 1.20.1",
        "cilium: 1.20.2",
        &[&[("  id: 1\n", "  id: 1\n  ciliumValues: {enableNonDefaultDenyPolicies: false}\n")]],
    ),
    (
        "cilium-44181",
        "cilium: 1.20.2",
        "cilium: 1.18.12",
        &[&[("  id: 1\n", "  id: 1\n  ciliumValues: {clustermesh: {config: {enabled: false}}}\n")]],
    ),
    ("cilium-44224", "cilium: 1.19.0", "cilium: 1.19.1", &[]),
    (
        "cilium-48125",
        "cilium: 1.20.1",
        "cilium: 1.20.2",
        &[
            &ENI,
            &[("  id: 1\n", "  id: 1\n  ciliumValues: {eni: {awsEnablePrefixDelegation: true}}\n")],
        ],
    ),
    (
        "cilium-cli-45777",
        "cilium: 1.19.6, components: {cilium-cli: {version: v0.19.2}}",
        "cilium: 1.19.6, components: {cilium-cli: {version: v0.19.3}}",
        &[],
    ),
    (
        "cert-manager-1.19.0",
        "cilium: 1.19.6, certManager: 1.19.0",
        "cilium: 1.19.6, certManager: 1.19.1",
        &[],
    ),
    (
        "ghsa-8rvj-mm4h-c258",
        "cilium: 1.19.6, certManager: 1.20.2",
        "cilium: 1.19.6, certManager: 1.20.3",
        &[],
    ),
    (
        "cert-manager-1.21.0",
        "cilium: 1.19.6, certManager: 1.21.0",
        "cilium: 1.19.6, certManager: 1.21.1",
        &[],
    ),
];

/// Checks that each fact of a sort says where it is from, and counts them.
fn sourced<T: Known + 'static>() -> usize {
    for fact in built_in::<T>() {
        assert!(fact.fact.source().is_some(), "`{}` has no source", fact.name);
        assert!(!fact.fact.versions().is_empty(), "`{}` names no version", fact.name);
    }
    built_in::<T>().len()
}

#[test]
fn the_embedded_files_are_whole() {
    let mut found = Diagnostics::new();
    assert_eq!(read(&mut found).len(), FILES.len());
    let messages: Vec<_> = found.iter().map(|finding| &finding.message).collect();
    assert!(messages.is_empty(), "{messages:?}");
    let numbers = [
        sourced::<BadVersion>(),
        sourced::<SupportWindow>(),
        sourced::<EndOfLife>(),
        sourced::<Unpublished>(),
    ];
    assert_eq!(numbers, [33, 13, 3, 1]);
    for window in built_in::<SupportWindow>() {
        assert!(!window.fact.needs.is_empty(), "`{}` needs nothing", window.name);
    }
}

#[test]
fn every_fault_is_found_where_it_concerns_a_cluster() {
    let mut tried = BTreeSet::new();
    let bad = built_in::<BadVersion>();
    for &(name, versions, mended, changes) in FAULTS {
        let changes = changes.concat();
        let Some(fault) = bad.iter().find(|fact| fact.name == name) else { panic!("no `{name}`") };
        let finding = |found: Vec<String>| {
            found.into_iter().filter(|line| line.ends_with(&fault.fact.consequence.value.0)).count()
        };
        assert_eq!(finding(found(versions, &changes, "")), 1, "{name}: {versions}");
        assert_eq!(finding(found(mended, &changes, "")), 0, "{name}: {mended}");
        if !changes.is_empty() {
            assert_eq!(finding(found(versions, &[], "")), 0, "{name}: it does not concern");
        }
        tried.insert(name);
    }
    let all: BTreeSet<_> = bad.iter().map(|fact| fact.name).collect();
    assert_eq!(tried, all);
}

#[test]
fn versions_without_a_fault_are_clean() {
    for versions in [
        "cilium: 1.19.6, kubernetes: 1.34.2, certManager: 1.20.3",
        "cilium: 1.19.6, kubernetes: 1.32.9+k3s1, certManager: 1.20.3",
        "cilium: 1.20.2, kubernetes: 1.35.0, certManager: 1.21.1",
        "cilium: 1.20.2, kubernetes: 1.34.2-eks-113cf36",
        "cilium: 1.18.12, kubernetes: 1.33.1",
    ] {
        assert_eq!(found(versions, &[], ""), [""; 0], "{versions}");
    }
    let eks = found("cilium: 1.19.6, kubernetes: \"1.34\"", &EKS, "");
    assert_eq!(eks, [""; 0]);
}

#[test]
fn combinations_outside_of_their_windows_are_found() {
    for (versions, findings) in [
        (
            "cilium: 1.18.12, kubernetes: 1.34.2",
            &["LB3005 Cilium 1.18.12 is not tested with Kubernetes 1.34.2"][..],
        ),
        (
            "cilium: 1.19.6, kubernetes: 1.36.0",
            &["LB3005 Cilium 1.19.6 is not tested with Kubernetes 1.36.0"],
        ),
        (
            "cilium: 1.20.2, kubernetes: 1.32.0, certManager: 1.21.1",
            &[
                "LB3005 Cilium 1.20.2 is not tested with Kubernetes 1.32.0",
                "LB3005 cert-manager 1.21.1 is not tested with Kubernetes 1.32.0",
            ],
        ),
        (
            "cilium: 1.19.6, kubernetes: 1.20.15",
            &[
                "LB3005 Cilium 1.19.6 does not run with Kubernetes 1.20.15: the chart refuses to be \
               installed, and from 1.19 on the agent stops",
            ],
        ),
    ] {
        assert_eq!(found(versions, &[], ""), findings, "{versions}");
    }
}

#[test]
fn a_version_ends_on_its_day() {
    let text =
        changed(&[("kubernetes: 1.34.2, cilium: 1.19.6", "kubernetes: 1.32.5, cilium: 1.17.18")]);
    let about = |day| {
        let mut found = on(day, &text);
        found.retain(|line| line.starts_with("LB3006"));
        found
    };
    assert_eq!(about("2026-07-28"), [""; 0]);
    assert_eq!(about("2026-07-29"), ["LB3006 the support of Cilium 1.17.18 ended on 2026-07-29"]);
    let manager = found("cilium: 1.19.6, certManager: 1.18.2", &[], "");
    assert!(
        manager.contains(&"LB3006 the support of cert-manager 1.18.2 ended on 2026-07-08".into()),
        "{manager:?}"
    );
}

#[test]
fn of_a_version_that_does_not_exist_nothing_else_is_said() {
    assert_eq!(
        found("kubernetes: 1.34.2, cilium: 1.16.14", &[], ""),
        ["LB3008 Cilium 1.16.14 was never published"]
    );
}

#[test]
fn members_are_at_most_one_minor_apart() {
    let west = |version: &str| {
        let own = format!("  id: 2\n  versions: {{cilium: {version}}}\n");
        found("cilium: 1.20.2", &[("  id: 2\n", &own)], "")
    };
    assert_eq!(west("1.19.6"), [""; 0]);
    assert_eq!(
        west("1.18.12"),
        ["LB3003 Cilium 1.18.12 of `euw1` is more than one minor behind the 1.20.2 of `use1`"]
    );
    let outside = [("  id: 2\n", "  id: 2\n  mesh: false\n  versions: {cilium: 1.18.12}\n")];
    assert_eq!(found("cilium: 1.20.2", &outside, ""), [""; 0], "it is no member");
}

fn facts(spec: &str) -> String {
    format!(
        "---\napiVersion: landbridge.dev/v1alpha1\nkind: VersionFacts\nmetadata: {{name: own}}\nspec:\n  {spec}\n"
    )
}

#[test]
fn a_team_stops_what_took_it_down() {
    let own = facts(
        "bad: {outage: {versions: {cilium: 1.19.6, kubernetes: 1.34.2}, consequence: it took us down}}",
    );
    let finding = "LB3004 Cilium 1.19.6 with Kubernetes 1.34.2: it took us down";
    assert_eq!(found("cilium: 1.19.6, kubernetes: 1.34.2", &[], &own), [finding]);
    assert_eq!(found("cilium: 1.19.6, kubernetes: 1.34.3", &[], &own), [""; 0]);
    assert_eq!(found("cilium: 1.19.6", &[], &own), [""; 0], "Kubernetes is not pinned");
    let eks = "cilium: 1.19.6, kubernetes: \"1.34\"";
    assert_eq!(found(eks, &EKS, &own), [""; 0], "the patch is not known");
}

#[test]
fn a_team_overrules_what_is_built_in() {
    let bad = "cilium: 1.20.0, kubernetes: 1.34.2";
    let with = |spec: &str| {
        let mut lines = found(bad, &CIDR, &facts(spec));
        lines.retain(|line| !line.contains("CRDs"));
        lines
    };
    assert_eq!(with("bad: {}").len(), 1);
    let none = "bad: {cilium-47880: {versions: {cilium: 1.20.0}, consequence: no agent restarts here, severity: none}}";
    assert_eq!(with(none), [""; 0]);
    let other =
        "bad: {cilium-47880: {versions: {cilium: \"1.20\"}, consequence: worse than they say}}";
    assert_eq!(with(other), ["LB3004 Cilium 1.20.0: worse than they say"]);
    let window = "support: {cilium-1.20: {versions: {cilium: \"1.20\"}, needs: {kubernetes: \">=1.35\"}, severity: error}}";
    assert!(
        with(window).contains(&"LB3005 Cilium 1.20.0 does not run with Kubernetes 1.34.2".into())
    );
}

#[test]
fn what_a_fact_says_wrongly_is_found_in_its_place() {
    let wrong = |spec: &str| {
        let text = TWO_CLUSTERS.to_owned() + &facts(spec);
        let (_, found) = crate::topology::sample::resolved(&text);
        let lines = TWO_CLUSTERS.lines().count();
        let place = |line: &String| line.split(':').nth(1).unwrap().parse::<usize>().unwrap();
        assert!(found.iter().all(|line| place(line) > lines), "{found:?}");
        found.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    for (spec, finding) in [
        (
            "bad: {a: {versions: {}, consequence: x}}",
            "LB0016 the version fact `a` names no version",
        ),
        (
            "bad: {a: {versions: {cilium: latest}, consequence: x}}",
            "LB0007 `latest` is not a range of versions",
        ),
        ("bad: {a: {versions: {cilium: 1.16.0}}}", "LB0006 the key `consequence` is missing"),
        (
            "bad: {a: {versions: {cilium: 1.16.0}, when: [eny], consequence: x}}",
            "LB0007 `eny` is not a choice here",
        ),
        (
            "ended: {a: {versions: {cilium: 1.16.0}, since: 2026-02-30}}",
            "LB0007 `2026-02-30` is not a day",
        ),
    ] {
        assert_eq!(wrong(spec), [finding], "{spec}");
    }
    let twice = TWO_CLUSTERS.to_owned()
        + &facts("unpublished: {a: {versions: {cilium: 1.16.1}}}")
        + &facts("unpublished: {a: {versions: {cilium: 1.16.2}}}")
            .replace("name: own", "name: more");
    let (_, found) = crate::topology::sample::resolved(&twice);
    assert!(found[0].ends_with("LB0009 the version fact `a` is declared twice"), "{found:?}");
}

#[test]
fn a_version_that_many_inherit_is_one_finding() {
    let more: String = (3..40)
        .map(|id| {
            let document = TWO_CLUSTERS.split("---\n").nth(2).unwrap();
            let document = document.replace("id: 2", &format!("id: {id}"));
            let document = document.replace("euw1", &format!("c{id}"));
            "---\n".to_owned() + &document.replace("100.65.", &format!("100.{}.", 64 + id))
        })
        .collect();
    assert_eq!(found("cilium: 1.17.18", &[], &more).len(), 2, "its end, and not ready endpoints");
}

#[test]
fn a_key_that_the_next_minor_drops_is_found_in_time() {
    let with = |version: &str, values: &str| {
        let own = format!("  id: 1\n  ciliumValues: {values}\n");
        let mut lines = found(&format!("cilium: {version}"), &[("  id: 1\n", &own)], "");
        lines.retain(|line| line.starts_with("LB3007"));
        lines
    };
    let mcs = "{clustermesh: {enableMCSAPISupport: true}}";
    let dying = ["LB3007 the next Cilium minor ignores `clustermesh.enableMCSAPISupport`"];
    assert_eq!(with("1.19.6", mcs), dying);
    assert_eq!(with("1.18.12", mcs), [""; 0], "1.19 still has it");
    assert_eq!(with("1.20.2", mcs), [""; 0], "it is gone already");
    assert_eq!(with("1.19.6", "{MTU: 1400}"), [""; 0]);
    assert_eq!(
        with("1.17.18", "{enableCiliumEndpointSlice: true}"),
        ["LB3007 the next Cilium minor refuses `enableCiliumEndpointSlice`"]
    );
}
