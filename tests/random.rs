//! Random valid projects: whatever the language can say is read without a finding, comes out
//! the same however it was written, and is what Kubernetes and the charts take.
//!
//! `LANDBRIDGE_RANDOM_CASES` sets how many projects are tried, `LANDBRIDGE_RANDOM_SEED` the first
//! seed. A failure names the seed and the size that repeat it.

mod application;
mod certificates;
mod cluster;
pub(crate) mod dice;
mod entrypoint;
mod flow;
mod gateway;
pub(crate) mod handwritten;
mod neighbours;
mod peer;
pub(crate) mod project;
mod suggested;
mod topology;
mod world;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use landbridge::chart::Chart;
use landbridge::compile::{self, Index};
use landbridge::diagnostic::Diagnostics;
use landbridge::render::{self, yaml};
use landbridge::source::{SourceMap, Span};
use landbridge::topology::Topology;
use landbridge::topology::resolve::resolve;
use landbridge::{check, prove, spec::load, validate};

use landbridge::yaml::json::json;

use crate::chart_values::Charts;
use crate::crds::{Schemas, objects_of};
use crate::golden::{self, difference};
use dice::Dice;
use project::{Project, system};

/// What an environment variable says, or a default.
#[expect(clippy::disallowed_methods, reason = "the test asks the environment how much to do")]
pub(crate) fn setting(variable: &str, default: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.map_or(default, |said| said.parse().expect("a number in the variable"))
}

/// Tries a property on random projects, small ones first.
#[expect(clippy::print_stderr, reason = "the harness shows it where the test fails")]
pub(crate) fn for_each_project(property: impl Fn(&Project, &mut Dice)) {
    let cases = setting("LANDBRIDGE_RANDOM_CASES", 100);
    let first = setting("LANDBRIDGE_RANDOM_SEED", 1);
    for case in 0..cases {
        let seed = first + case;
        let size = setting("LANDBRIDGE_RANDOM_SIZE", 1 + case * 8 / cases.max(1));
        let size = usize::try_from(size).expect("a small number");
        let tried = catch_unwind(AssertUnwindSafe(|| {
            property(&Project::new(seed, size), &mut Dice::new(!seed));
        }));
        if let Err(panic) = tried {
            eprintln!(
                "repeat it with LANDBRIDGE_RANDOM_CASES=1 LANDBRIDGE_RANDOM_SEED={seed} \
                 LANDBRIDGE_RANDOM_SIZE={size}"
            );
            resume_unwind(panic);
        }
    }
}

/// Rules about the choice of versions: old ones are chosen on purpose.
const OF_VERSIONS: [&str; 3] = ["LB3004", "LB3005", "LB3006"];

/// Reads and checks a project that must have no findings, unless about its choice of versions.
pub(crate) fn accepted(files: &BTreeMap<String, String>) -> (Topology, SourceMap) {
    accepted_but(files, &[])
}

/// The same where findings of some rules are no surprise.
fn accepted_but(files: &BTreeMap<String, String>, allowed: &[&str]) -> (Topology, SourceMap) {
    let mut sources = SourceMap::new();
    let mut found = Diagnostics::new();
    let spec = load::project(&system(files), &mut sources, &mut found);
    let topology = resolve(&spec, &mut found);
    if let Some(topology) = &topology {
        check::run(topology, &mut found);
        validate::run(topology, &sources, true, &mut found);
    }
    found.sort();
    let mut lines = Vec::new();
    let expected = |code: &str| OF_VERSIONS.contains(&code) || allowed.contains(&code);
    for finding in found.iter().filter(|finding| !expected(&finding.rule.code)) {
        let place = sources.location(finding.primary.span);
        let text = sources.get(finding.primary.span.source).text();
        let there = text.get(finding.primary.span.range()).unwrap_or("outside of the text");
        let (code, message) = (&finding.rule.code, &finding.message);
        lines.push(format!("{place} {code} {message}: {there}"));
    }
    let unchecked = found.unchecked();
    assert!(
        lines.is_empty() && unchecked.is_empty(),
        "{lines:#?}{unchecked:?}\n{}",
        listing(files)
    );
    (topology.expect("a project without findings has a topology"), sources)
}

fn listing(files: &BTreeMap<String, String>) -> String {
    files.iter().map(|(path, text)| format!("==> {path}\n{text}\n")).collect::<Vec<_>>().concat()
}

#[test]
fn valid_projects_have_no_findings() {
    for_each_project(|project, _| {
        accepted(&project.whole());
    });
}

#[test]
fn what_is_compiled_is_what_is_declared() {
    for_each_project(|project, _| {
        let (topology, _) = accepted(&project.whole());
        let mut found = Diagnostics::new();
        prove::run(&topology, &Index::of(&topology), &mut found);
        let lines: Vec<_> =
            found.iter().map(|one| format!("{} {}", one.rule.code, one.message)).collect();
        let unchecked = found.unchecked();
        let files = project.whole();
        assert!(
            lines.is_empty() && unchecked.is_empty(),
            "{lines:#?}{unchecked:?}\n{}",
            listing(&files)
        );
    });
}

#[test]
fn the_same_bytes_come_out_whatever_the_order_and_notation() {
    for_each_project(|project, dice| {
        let first = compiled(&project.whole());
        assert_eq!(first, compiled(&project.whole()), "a second run differs");
        let files = project.shuffled(dice);
        let shuffled = compiled(&files);
        for (path, text) in &first {
            let other = shuffled.get(path).map_or("", String::as_str);
            assert!(text == other, "{path}\n{}{}", difference(text, other), listing(&files));
        }
        assert_eq!(first.len(), shuffled.len());
    });
}

/// Every file of every cluster.
fn compiled(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let (topology, sources) = accepted(files);
    let index = Index::of(&topology);
    let mut rendered = BTreeMap::new();
    for (id, cluster) in topology.clusters() {
        let desired = compile::cluster(&topology, &index, id);
        let origins = desired.resources.iter().map(|resource| resource.origin);
        let origins = origins.chain(desired.documents.iter().map(|document| document.origin));
        origins.for_each(|origin| placed(&sources, origin));
        let own = render::files(&desired);
        for (path, content) in own.unwrap_or_else(|found| panic!("{found:?}\n{}", listing(files))) {
            let text = String::from_utf8(content).expect("what is rendered is UTF-8");
            rendered.insert(format!("{}/{path}", cluster.name.value), text);
        }
    }
    rendered
}

/// What causes a resource is there to be read.
fn placed(sources: &SourceMap, origin: Span) {
    let text = sources.get(origin.source).text().get(origin.range());
    assert!(text.is_some_and(|text| !text.trim().is_empty()), "{origin:?} is no place in a file");
}

#[test]
fn what_is_written_is_read_back() {
    for_each_project(|project, _| {
        let (topology, _) = accepted(&project.whole());
        let index = Index::of(&topology);
        for (id, _) in topology.clusters() {
            let desired = compile::cluster(&topology, &index, id);
            let bodies = desired.resources.iter().map(|resource| &resource.body);
            let bodies: Vec<_> = bodies
                .chain(desired.documents.iter().flat_map(|document| &document.bodies))
                .collect();
            let mut text = String::new();
            for body in &bodies {
                yaml::separator(&mut text);
                yaml::document(&mut text, body);
            }
            let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
            let source = sources.add("written.yaml", text);
            let read: Vec<_> =
                landbridge::yaml::parse(&sources, source, &mut found).iter().map(json).collect();
            assert_eq!((read.len(), found.len()), (bodies.len(), 0));
            for (read, body) in read.iter().zip(bodies) {
                assert_eq!(read, body);
            }
        }
    });
}

#[test]
fn every_object_fits_its_schema() {
    let Some(schemas) = Schemas::published() else { return };
    for_each_project(|project, _| {
        let (topology, _) = accepted(&project.whole());
        let index = Index::of(&topology);
        for (id, cluster) in topology.clusters() {
            for resource in objects_of(&topology, &index, id) {
                let problems = schemas.problems(&resource, &cluster.cilium.value.to_string());
                assert!(problems.is_empty(), "{problems:?}\n{:#}", resource.body);
            }
        }
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads published files")]
fn values_fit_the_schema_of_their_chart() {
    let data = golden::path("../shared/data/cilium");
    if !data.is_dir() {
        let why = "skipped: there is no ../shared/data/cilium";
        return writeln!(io::stderr(), "{why}").expect("standard error takes a line");
    }
    let schemas = Chart::MINORS.map(|(major, minor)| {
        let path = data.join(format!("{major}.{minor}/values.schema.json"));
        let text = std::fs::read_to_string(path).expect("each minor has a schema");
        let schema = serde_json::from_str(&text).expect("a schema is JSON");
        (minor, jsonschema::validator_for(&schema).expect("the schema is valid"))
    });
    for_each_project(|project, _| {
        let (topology, _) = accepted(&project.whole());
        let index = Index::of(&topology);
        for (id, cluster) in topology.clusters() {
            let version = &cluster.cilium.value;
            let chart = Chart::of(version).expect("the chart is known");
            let (_, schema) =
                schemas.iter().find(|(minor, _)| *minor == version.minor).expect("one");
            let documents = compile::cluster(&topology, &index, id).documents;
            let values = documents.iter().find(|document| document.path == "cilium/values.yaml");
            let values = &values.expect("every cluster has values").bodies[0];
            let problems: Vec<_> = schema.iter_errors(values).map(|e| e.to_string()).collect();
            assert!(problems.is_empty(), "{version}: {problems:?}\n{values:#}");
            assert_eq!(chart.check(values), [], "{version}");
        }
    });
}

#[test]
fn the_chart_makes_the_mesh_of_every_project() {
    let Some(charts) = Charts::provided() else { return };
    for_each_project(|project, _| {
        let (mut topology, _) = accepted(&project.whole());
        for cluster in &mut topology.clusters {
            if let Some(version) = charts.of_minor(cluster.cilium.value.minor) {
                cluster.cilium.value = version.clone();
            }
        }
        // A render takes a second, and one cluster of a project is like the next.
        if let Some((id, _)) = topology.clusters().next() {
            charts.hold(&topology, id);
        }
    });
}
