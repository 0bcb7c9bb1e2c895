//! Hand-written policies beside what compile makes: whatever they say, they are read to the end,
//! the findings are the same each time and stand in the files, and what they open and close is
//! found.
//!
//! `LANDBRIDGE_RANDOM_CASES` and `_SEED` say how many projects are tried; each fourth is, and half
//! as many with the policies of the cases for Cilium's engines.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;

use landbridge::compile::{self, Index};
use landbridge::diagnostic::{Diagnostics, Label};
use landbridge::policy::{Direction, Protocol};
use landbridge::reach::{Mesh, Party, Reach, Standing, declared};
use landbridge::source::{SourceMap, Span};
use landbridge::spec::load;
use landbridge::topology::Topology;
use landbridge::topology::resolve::resolve;
use landbridge::{check, prove, validate};
use serde_json::{Value, json};

use crate::engine;
use crate::random::dice::Dice;
use crate::random::handwritten::Known;
use crate::random::project::{Project, system};
use crate::random::{accepted, for_each_project};

/// What is said of a project: each finding as its code and its message, and what was not checked.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said {
    pub(crate) lines: Vec<String>,
    pub(crate) unchecked: Vec<String>,
}

impl Said {
    /// What is found, without the examples: of several rules that say the same the first one is
    /// named, and what it opens or closes is said once.
    fn sorts(&self) -> (BTreeSet<&str>, &[String]) {
        let sort = |line: &'_ String| match &line[..6] {
            "LB4001" => line.find(':').unwrap_or(line.len()),
            "LB4002" | "LB4003" => 5,
            "LB4027" | "LB4028" => 6,
            _ => line.len(),
        };
        (self.lines.iter().map(|line| &line[..sort(line)]).collect(), &self.unchecked)
    }

    /// The codes.
    pub(crate) fn codes(&self) -> BTreeSet<&str> {
        self.lines.iter().filter_map(|line| line.split(' ').next()).collect()
    }
}

/// Reads and proves a project, which must have no error before that.
pub(crate) fn said(files: &BTreeMap<String, String>) -> Said {
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system(files), &mut sources, &mut found);
    let topology = resolve(&spec, &mut found).expect("a topology");
    check::run(&topology, &mut found);
    validate::run(&topology, &sources, true, &mut found);
    prove::run(&topology, &Index::of(&topology), &mut found);
    found.sort();
    for finding in found.iter() {
        for Label { span, .. } in finding.related.iter().chain([&finding.primary]) {
            stands(&sources, *span, &finding.message);
        }
    }
    found.unchecked().iter().for_each(|one| stands(&sources, one.span, &one.what));
    let of_versions = |code: &str| code.starts_with("LB300");
    let mut lines: Vec<String> = found
        .iter()
        .filter(|one| !of_versions(&one.rule.code))
        .map(|one| format!("{} {}", one.rule.code, one.message))
        .collect();
    lines.sort();
    let unchecked = found.unchecked().iter().map(|one| format!("{}: {}", one.what, one.why));
    Said { lines, unchecked: unchecked.collect() }
}

fn stands(sources: &SourceMap, span: Span, what: &str) {
    let text = sources.get(span.source).text().get(span.range());
    assert!(text.is_some(), "{what}: {span:?} is no place in a file");
}

/// A project with some policies, and the policies.
fn beside(project: &Project, dice: &mut Dice) -> (Project, usize) {
    let known = Known::of(project);
    let mut files = Vec::new();
    let mut count = 0;
    for path in ["own/all.yaml", "own/some.yaml"] {
        let policies: Vec<Value> = (0..dice.between(1, 4))
            .map(|_| {
                count += 1;
                known.policy(dice, &format!("own-{count}"))
            })
            .collect();
        let clusters = if path.contains("some") { dice.some(&known.clusters) } else { Vec::new() };
        files.push((path, clusters, policies));
    }
    (project.with_files(&files), count)
}

fn each_fourth(property: impl Fn(&Project, &mut Dice)) {
    for_each_project(|project, dice| {
        if dice.chance(25) {
            property(project, dice);
        }
    });
}

fn report(text: &str) {
    io::Write::write_all(&mut io::stderr(), format!("{text}\n").as_bytes())
        .expect("standard error");
}

#[test]
fn findings_do_not_depend_on_the_order_of_anything() {
    let counts = Cell::new((0, 0));
    each_fourth(|project, dice| {
        let (project, policies) = beside(project, dice);
        let first = said(&project.whole());
        assert_eq!(said(&project.whole()), first, "a second run differs");
        assert_eq!(said(&project.shuffled(dice)), first, "another order differs");
        let (all, found) = counts.get();
        counts.set((all + policies, found + first.lines.len()));
    });
    let (policies, found) = counts.get();
    report(&format!("{policies} hand-written policies, {found} findings"));
    assert!(found > 0);
}

/// The policies that compile makes of a project, and the cluster of each.
fn generated(topology: &Topology) -> Vec<(String, Value)> {
    let index = Index::of(topology);
    let clusters = topology.clusters();
    let of = |(id, cluster): (_, &landbridge::topology::Cluster)| {
        let name = cluster.name.value.clone();
        let made = compile::policies(topology, &index, id).into_iter();
        made.map(move |resource| (name.clone(), resource.body)).collect::<Vec<_>>()
    };
    clusters.flat_map(of).collect()
}

fn copy(policy: &Value, name: &str) -> Value {
    let mut metadata = json!({"name": name});
    if let Some(namespace) = policy["metadata"].get("namespace") {
        metadata["namespace"] = namespace.clone();
    }
    let mut copy = policy.clone();
    copy["metadata"] = metadata;
    copy
}

#[test]
fn a_copy_of_what_is_generated_is_at_most_redundant() {
    let count = Cell::new(0);
    each_fourth(|project, dice| {
        let (topology, _) = accepted(&project.whole());
        let all = generated(&topology);
        if all.is_empty() {
            return;
        }
        let (cluster, policy) = dice.pick(&all);
        let file = ("own/copy.yaml", vec![cluster.clone()], vec![copy(policy, "own-copy")]);
        let said = said(&project.with_files(&[file]).whole());
        // A flow may name pods of a declared namespace that are no workload there.
        let expected = BTreeSet::from(["LB4025", "LB4026", "LB4027"]);
        assert!(said.codes().is_subset(&expected), "{policy}: {said:#?}");
        count.set(count.get() + said.lines.len());
    });
    report(&format!("{} rules are redundant", count.get()));
    assert!(count.get() > 0);
}

/// The allowed ingress of a policy as what it denies.
fn denied(policy: &Value) -> Option<Value> {
    let mut deny = copy(policy, "own-deny");
    let spec = deny["spec"].as_object_mut()?;
    spec.remove("egress");
    spec.remove("enableDefaultDeny");
    let mut items = spec.remove("ingress")?;
    let some = |item: &Value| item.as_object().is_some_and(|item| !item.is_empty());
    items.as_array_mut()?.retain(some);
    for ports in items.as_array_mut()?.iter_mut().filter_map(|item| item.get_mut("toPorts")) {
        for rule in ports.as_array_mut()? {
            rule.as_object_mut()?.remove("rules");
        }
    }
    if items.as_array()?.is_empty() {
        return None;
    }
    spec.insert("ingressDeny".to_owned(), items);
    Some(deny)
}

#[test]
fn a_deny_of_a_declared_flow_is_found() {
    let count = Cell::new(0);
    each_fourth(|project, dice| {
        let (topology, _) = accepted(&project.whole());
        let flows: Vec<(String, Value)> = generated(&topology)
            .into_iter()
            .filter(|(_, policy)| policy["metadata"].get("namespace").is_some())
            .filter_map(|(cluster, policy)| Some((cluster, denied(&policy)?)))
            .collect();
        if flows.is_empty() {
            return;
        }
        let (cluster, deny) = dice.pick(&flows);
        let file = ("own/deny.yaml", vec![cluster.clone()], vec![deny.clone()]);
        let said = said(&project.with_files(&[file]).whole());
        assert!(said.codes().contains("LB4001"), "{deny}: {said:#?}");
        count.set(count.get() + 1);
    });
    report(&format!("{} flows are denied", count.get()));
    assert!(count.get() > 0);
}

/// A port that nothing declares by its number.
const PORT: u16 = 4_999;

/// The closed pods of a mesh that nobody may reach from elsewhere on the port, as namespace,
/// labels and cluster.
fn closed(topology: &Topology, mesh: &Mesh) -> Vec<(String, Value, String)> {
    let reach = Reach::new(mesh);
    let mut closed = Vec::new();
    for (id, endpoint) in mesh.endpoints() {
        let Standing::Declared(workload) = endpoint.standing else { continue };
        let workload = topology.workload(workload);
        let namespace = topology.namespace(workload.namespace);
        let cluster = &mesh.cluster(endpoint.cluster).name;
        let stranger = landbridge::policy::Identity::pod(&landbridge::policy::Pod {
            cluster,
            namespace: "strangers",
            service_account: None,
            labels: &[("app", "stranger")],
            namespace_labels: &[("kubernetes.io/metadata.name", "strangers")],
        });
        let open = reach.end(id, Direction::Ingress, Party::Outside(&stranger));
        if namespace.deny_ingress && open.at(Protocol::TCP, PORT).is_none() {
            let labels = workload.labels.iter().map(|(key, value)| (key.clone(), json!(value)));
            closed.push((namespace.name.value.clone(), labels.collect(), cluster.clone()));
        }
    }
    closed
}

#[test]
fn an_allow_that_nobody_declares_is_found() {
    let count = Cell::new(0);
    each_fourth(|project, dice| {
        let (topology, _) = accepted(&project.whole());
        let closed = closed(&topology, &declared::mesh(&topology, &Index::of(&topology)));
        if closed.is_empty() {
            return;
        }
        let (namespace, labels, cluster) = dice.pick(&closed);
        let peer = json!({"matchLabels": {
            "app": "stranger", "k8s:io.kubernetes.pod.namespace": "strangers",
            "k8s:io.cilium.k8s.policy.cluster": cluster,
        }});
        let allow = json!({
            "apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy",
            "metadata": {"name": "own-allow", "namespace": namespace},
            "spec": {
                "endpointSelector": {"matchLabels": labels},
                "ingress": [{
                    "fromEndpoints": [peer],
                    "toPorts": [{"ports": [{"port": PORT.to_string(), "protocol": "TCP"}]}],
                }],
            },
        });
        let file = ("own/allow.yaml", vec![cluster.clone()], vec![allow.clone()]);
        let said = said(&project.with_files(&[file]).whole());
        let codes = said.codes();
        assert!(codes.contains("LB4002") || codes.contains("LB4003"), "{allow}: {said:#?}");
        count.set(count.get() + 1);
    });
    report(&format!("{} flows are open that nobody declares", count.get()));
    assert!(count.get() > 0);
}

/// A mesh of the clusters and namespaces of the random cases for Cilium's engines.
fn host(minor: u64, clusters: &[engine::case::Cluster]) -> String {
    let mut text = format!(
        "apiVersion: landbridge.dev/v1alpha1\nkind: Topology\nmetadata: {{name: host}}\nspec:\n  \
         versions: {{kubernetes: 1.34.2, cilium: 1.{minor}.0}}\n  mesh: {{discovery: \
         {{globalServices: true}}}}\n  clusterDefaults: {{loadBalancers: {{controller: \
         other}}}}\n  manifests: [MANIFESTS]\n  regions:\n    r: {{provider: \
         other, networks: {{main: {{cidrs: [10.0.0.0/16]}}}}}}\n"
    );
    for (at, cluster) in clusters.iter().enumerate() {
        let _ = write!(
            text,
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {}}}\nspec: \
             {{region: r, id: {}, nodeCIDRs: [10.0.{at}.0/24], podCIDRs: [100.{}.0.0/16], \
             clustermesh: {{endpoint: {{ips: [10.0.{at}.20]}}}}}}\n",
            cluster.name,
            at + 1,
            64 + at
        );
    }
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let all = names.join(", ");
    for (namespace, deny) in [("shop", "[ingress, egress]"), ("ops", "[ingress]")] {
        let _ = write!(
            text,
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: MeshApplication\nmetadata: {{name: \
             {namespace}}}\nspec:\n  namespace: {namespace}\n  defaultDeny: {deny}\n  workloads:\n    \
             web: {{labels: {{app: web}}, clusters: [{all}]}}\n    api: {{labels: {{app: api, tier: \
             a}}, clusters: [{all}]}}\n  flows:\n    call: {{from: [web], to: [{{workload: api}}], \
             ports: [8080, http]}}\n    out: {{from: [api], to: [{{cidrs: [192.0.2.0/24]}}], ports: \
             [443]}}\n"
        );
    }
    text
}

#[test]
fn policies_of_every_kind_are_read_to_the_end() {
    let cases = crate::random::setting("LANDBRIDGE_RANDOM_CASES", 100);
    let first = crate::random::setting("LANDBRIDGE_RANDOM_SEED", 1);
    let (mut policies, mut codes) = (0, BTreeMap::<String, usize>::new());
    for seed in first..first + cases / 2 {
        let minor = 16 + seed % 5;
        let case = engine::generate::case(seed, minor);
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for (at, policy) in case.policies.iter().enumerate() {
            let name = if policy.cluster.is_empty() { "all" } else { &policy.cluster };
            let file = files.entry(format!("own/{name}-{}.yaml", at % 2)).or_default();
            let _ = write!(file, "---\n{}\n", policy.object);
            policies += 1;
        }
        let entries: Vec<String> = files
            .keys()
            .map(|path| {
                let name = path.trim_start_matches("own/").split('-').next().unwrap_or_default();
                let clusters =
                    if name == "all" { String::new() } else { format!(", clusters: [{name}]") };
                format!("{{files: [{path}]{clusters}}}")
            })
            .collect();
        let project = host(minor, &case.clusters);
        let with = |entries: &[String]| {
            let mut all = files.clone();
            let text = project.replace("MANIFESTS", &entries.join(", "));
            all.insert(load::ENTRY.to_owned(), text);
            said(&all)
        };
        let found = with(&entries);
        let mut turned = entries.clone();
        turned.reverse();
        assert_eq!(with(&turned).sorts(), found.sorts(), "seed {seed}: another order differs");
        for code in found.codes() {
            *codes.entry(code.to_owned()).or_default() += 1;
        }
    }
    assert!(codes.keys().all(|code| code.starts_with("LB4")), "{codes:?}");
    report(&format!("{policies} policies; in how many of the projects each is found: {codes:?}"));
    assert!(codes.len() > 10, "{codes:?}");
}
