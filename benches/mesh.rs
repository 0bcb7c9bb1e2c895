//! Speed and memory on generated meshes of up to 511 clusters, as Markdown tables.
//!
//! `cargo bench --bench mesh` measures 8, 128, 256 and 511 clusters; numbers after `--` measure
//! those. `LANDBRIDGE_KUBECTL` names a kubectl for the comparison with kustomize.
//! `LANDBRIDGE_BENCH` names a folder for the projects, which then stay; it should lie on a disk.
#![expect(clippy::disallowed_methods, reason = "it measures time, files and programs")]
#![expect(clippy::print_stdout, reason = "the tables are its result")]

#[path = "mesh/clock.rs"]
mod clock;
#[path = "mesh/measure.rs"]
mod measure;
#[path = "mesh/project.rs"]
#[expect(dead_code, reason = "the proof alone is measured with hand-written policies")]
mod project;
#[path = "mesh/topology.rs"]
mod resolved;
#[path = "mesh/weight.rs"]
mod weight;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use clock::timed;
use landbridge::compile::{self, Index};
use landbridge::diagnostic::Diagnostics;
use landbridge::render;
use landbridge::source::SourceMap;
use landbridge::spec::load;
use landbridge::spec::policy::Over;
use landbridge::system::os::OsSystem;
use landbridge::topology::Topology;
use landbridge::topology::resolve::resolve;
use landbridge::validate::builtin;
use landbridge::validate::policy::Policy;
use landbridge::yaml::fields::{Decode as _, Map};
use landbridge::{check, topology, validate, yaml};
use measure::{Run, best, best_of, run};
use project::Size;
use rayon::prelude::*;
use resolved::{read, topology_of};
use weight::weight;

const PROGRAM: &str = env!("CARGO_BIN_EXE_landbridge");

fn main() {
    let sizes: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![8, 128, 256, 511] } else { sizes };
    let temporary = tempfile::tempdir().expect("a folder");
    let root = env::var_os("LANDBRIDGE_BENCH").map(PathBuf::from);
    let root = root.as_deref().unwrap_or(temporary.path());
    println!("{}\n", machine());
    examples();
    messy(root);
    let measured: Vec<Column> = sizes.into_iter().map(|size| column(root, size)).collect();
    table(&measured);
}

/// What was measured of one mesh, row by row.
struct Column(Vec<(&'static str, String)>);

fn table(columns: &[Column]) {
    let rows = columns.first().map_or(0, |column| column.0.len());
    for row in 0..rows {
        let cells: Vec<&str> = columns.iter().map(|column| column.0[row].1.as_str()).collect();
        println!("| {} | {} |", columns[0].0[row].0, cells.join(" | "));
        if row == 0 {
            println!("| --- |{}", " ---: |".repeat(columns.len()));
        }
    }
}

fn column(root: &Path, clusters: usize) -> Column {
    let size = Size::of(clusters);
    let folder = root.join(format!("mesh-{clusters}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the old project can be removed");
    }
    fs::create_dir_all(&folder).expect("the folder can be made");
    project::write(&folder, size);
    let (files, bytes) = weight(&folder);
    let mut rows = vec![
        ("", format!("{clusters} clusters")),
        (
            "applications / services / flows",
            format!("{} / {} / {}", size.applications, size.services(), size.flows()),
        ),
        ("input", format!("{files} files, {}", megabytes(bytes))),
    ];
    phases(&folder, &mut rows);
    let check = best(5, || run(landbridge(&folder).arg("check")));
    rows.push(("`landbridge check`", milliseconds(check.time)));
    rows.push(("peak memory of it", memory(check)));
    let output = folder.join("rendered");
    // Files that were removed a moment ago cost the file system when others are written, so each
    // run has a folder of its own, which stays, and the two take turns.
    let (mut made, mut copied) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let (new, copy) =
            (folder.join(format!("made-{number}")), folder.join(format!("copy-{number}")));
        made.push(run(landbridge(&folder).arg("compile").arg("-o").arg(&new)));
        copied.push(run(Command::new("cp").arg("-r").arg(&new).arg(&copy)));
    }
    let (first, copied) = (best_of(&made), best_of(&copied));
    run(landbridge(&folder).arg("compile"));
    rows.push(("`landbridge compile` to a new folder", milliseconds(first.time)));
    rows.push(("peak memory of it", memory(first)));
    let again = best(3, || run(landbridge(&folder).arg("compile")));
    rows.push(("`landbridge compile` again, nothing changed", milliseconds(again.time)));
    let (files, bytes) = weight(&output);
    rows.push(("output", format!("{files} files, {}", megabytes(bytes))));
    rows.push(("`cp -r` of the output", milliseconds(copied.time)));
    rows.push((
        "compile to `cp -r`",
        format!("{:.2}", first.time.as_secs_f64() / copied.time.as_secs_f64()),
    ));
    rows.push(("`kubectl kustomize` of one cluster of it", kustomize(&output)));
    Column(rows)
}

/// The phases in one process, each by itself.
fn phases(folder: &Path, rows: &mut Vec<(&'static str, String)>) {
    let load = timed(5, || read(folder));
    let (spec, sources) = read(folder);
    let resolved = timed(5, || topology_of(&spec));
    let topology = topology_of(&spec);
    let checked = timed(5, || {
        let mut found = Diagnostics::new();
        check::run(&topology, &mut found);
        found
    });
    let policies = |about_objects| {
        let topology = switched_on(&topology, about_objects);
        timed(3, || {
            let mut found = Diagnostics::new();
            validate::run(&topology, &sources, true, &mut found);
            assert!(found.unchecked().is_empty(), "{:?}", found.unchecked());
            found
        })
    };
    let (others, objects) = (policies(false), policies(true));
    let compiled = timed(3, || files_of(&topology));
    rows.push(("read and decode", milliseconds(load)));
    rows.push(("resolve", milliseconds(resolved)));
    rows.push(("check the rules", milliseconds(checked)));
    rows.push(("built-in policies over the topology", milliseconds(others)));
    rows.push(("built-in policies over objects, with compiling them", milliseconds(objects)));
    rows.push(("compile in memory", milliseconds(compiled)));
}

/// The topology with all built-in policies that are about objects, or all others.
fn switched_on(topology: &Topology, about_objects: bool) -> Topology {
    let over = |policy: &Policy<'_>| policy.spec.over.value == Over::Resource;
    let chosen = builtin::all().into_iter().filter(|policy| over(policy) == about_objects);
    let text: String = chosen.flat_map(|policy| [policy.name, ": {}\n"]).collect();
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let id = sources.add("policies.yaml", text);
    let documents = yaml::parse(&sources, id, &mut found);
    let uses = Map::decode(&documents[0], &mut found).expect("a mapping");
    Topology { policy_uses: uses, ..topology.clone() }
}

/// Makes the files of every cluster and drops them.
fn files_of(topology: &Topology) -> usize {
    let index = Index::of(topology);
    let ids: Vec<topology::ClusterId> = topology.clusters().map(|(id, _)| id).collect();
    let files = ids.par_iter().map(|id| {
        let files = render::files(&compile::cluster(topology, &index, *id));
        files.expect("nothing collides").len()
    });
    files.sum()
}

fn landbridge(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder);
    command
}

/// The cluster with the most files, as kustomize builds it.
fn kustomize(output: &Path) -> String {
    let Some(kubectl) = env::var_os("LANDBRIDGE_KUBECTL").filter(|name| !name.is_empty()) else {
        return "not measured".to_owned();
    };
    let clusters = fs::read_dir(output).expect("the output is readable");
    let clusters = clusters.map(|entry| entry.expect("the entry is readable").path());
    let largest = clusters.max_by_key(|cluster| weight(cluster)).expect("there is a cluster");
    let built = best(3, || run(Command::new(&kubectl).arg("kustomize").arg(&largest)));
    milliseconds(built.time)
}

/// How long a check of each example takes, from the start of the program to its end.
fn examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(folder).expect("there are examples");
    let mut examples: Vec<_> =
        entries.map(|entry| entry.expect("the entry is readable").path()).collect();
    examples.retain(|example| example.join(load::ENTRY).is_file());
    examples.sort();
    println!("| example | `landbridge check` |\n| --- | ---: |");
    for example in examples {
        let name = example.file_name().expect("an example has a name").to_string_lossy();
        let checked = best(10, || run(landbridge(&example).arg("check")));
        println!("| {name} | {} |", milliseconds(checked.time));
    }
    println!();
}

/// A mesh of 100 clusters in which much is wrong, and what finding it takes.
fn messy(root: &Path) {
    let folder = root.join("messy");
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the old project can be removed");
    }
    fs::create_dir_all(&folder).expect("the folder can be made");
    project::write_messy(&folder, Size::of(100));
    let system = OsSystem::open(&folder).expect("the project opens");
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system, &mut sources, &mut found);
    let topology = resolve(&spec, &mut found).expect("there is a topology");
    let rules = || {
        let mut found = Diagnostics::new();
        check::run(&topology, &mut found);
        found
    };
    let findings = rules().len() + found.len();
    let whole = best(5, || {
        let started = std::time::Instant::now();
        landbridge(&folder).arg("check").output().expect("the program starts");
        Run { time: started.elapsed(), memory: None }
    });
    println!("| a messy mesh of 100 clusters | |\n| --- | ---: |");
    println!("| findings | {findings} |");
    println!("| check the rules | {} |", milliseconds(timed(5, rules)));
    println!("| `landbridge check` | {} |\n", milliseconds(whole.time));
}

/// The processor and how many of its cores there are.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    let model =
        model.map_or("an unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores")
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    let digits = usize::from(milliseconds < 10.0);
    format!("{milliseconds:.digits$} ms")
}

fn memory(run: Run) -> String {
    run.memory.map_or_else(|| "unknown".to_owned(), megabytes)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}
