//! How long the search for ranges that meet takes, as Markdown tables.
//!
//! `cargo bench --bench addresses` measures 250,000 to 1,000,000 prefixes, and beside them every
//! pair of a few thousand. `LANDBRIDGE_PYTHON` names a Python for the comparison with `ipaddress`.
#![expect(clippy::disallowed_methods, reason = "it measures time, and runs a program")]
#![expect(clippy::print_stdout, reason = "the tables are its result")]

#[path = "mesh/clock.rs"]
mod clock;

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use clock::timed;
use ipnet::{IpNet, Ipv4Net};
use landbridge::check::{CHECKS, Check};
use landbridge::diagnostic::Diagnostics;
use landbridge::source::{SourceMap, Spanned};
use landbridge::spec::load;
use landbridge::spec::value::Cidr;
use landbridge::system::memory::MemorySystem;
use landbridge::topology::Topology;
use landbridge::topology::resolve::resolve;

/// Clusters whose pods have the prefixes.
const CLUSTERS: usize = 500;
/// The most prefixes: /28 each, in `10.0.0.0/8`.
const MOST: usize = 1_000_000;
/// As many as every pair is feasible for.
const PAIRWISE: usize = 10_000;
/// As many as every pair is feasible for in Python.
const PYTHON: usize = 2_000;

fn main() {
    let empty = topology();
    println!("| prefixes | no two meet | a thousand do | all do |\n| ---: | ---: | ---: | ---: |");
    for prefixes in [MOST / 4, MOST / 2, MOST] {
        let cells = [0, 1_000, prefixes].map(|meeting| cell(&empty, prefixes, meeting));
        println!("| {prefixes} | {} |", cells.join(" | "));
    }
    let few = filled(&empty, PAIRWISE, 0);
    println!("\n| way | prefixes | time |\n| --- | ---: | ---: |");
    println!("| `landbridge` | {PAIRWISE} | {} |", shown(timed(5, || search(&few))));
    println!("| every pair, in Rust | {PAIRWISE} | {} |", shown(timed(3, || pairs(&few))));
    let few = filled(&empty, PYTHON, 0);
    println!("| `landbridge` | {PYTHON} | {} |", shown(timed(5, || search(&few))));
    println!("| every pair, in Rust | {PYTHON} | {} |", shown(timed(3, || pairs(&few))));
    println!("| every pair, Python's `ipaddress` | {PYTHON} | {} |", python(&few));
}

fn cell(empty: &Topology, prefixes: usize, meeting: usize) -> String {
    let topology = filled(empty, prefixes, meeting);
    let found = search(&topology);
    format!("{}, {} findings", shown(timed(5, || search(&topology))), found.len())
}

/// A flat mesh without any range.
fn topology() -> Topology {
    let mut text = String::from(
        "apiVersion: landbridge.dev/v1alpha1\nkind: Topology\nmetadata: {name: many}\n\
         spec:\n  versions: {cilium: 1.19.6}\n  mesh: {maxConnectedClusters: 511}\n  regions: {all: {}}\n",
    );
    for number in 0..CLUSTERS {
        let _ = write!(
            text,
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c{number}}}\n\
             spec: {{region: all, id: {}, podCIDRs: [100.64.0.0/16], clustermesh: {{endpoint: {{hostname: c{number}.example.com}}}}}}\n",
            number + 1
        );
    }
    let system = MemorySystem::new().with(load::ENTRY, text);
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system, &mut sources, &mut found);
    let topology = resolve(&spec, &mut found).expect("there is a topology");
    assert!(found.is_empty(), "{:?}", found.iter().next());
    topology
}

/// The mesh with so many prefixes, of which some are another cluster's too.
fn filled(empty: &Topology, prefixes: usize, meeting: usize) -> Topology {
    let mut topology = empty.clone();
    let each = prefixes / CLUSTERS;
    for (owner, cluster) in topology.clusters.iter_mut().enumerate() {
        let span = cluster.pod_cidrs[0].span;
        let prefix = |at: usize| {
            let number = owner * each + at;
            // Every second cluster has some of the next one's instead of its own.
            let other = owner % 2 == 0 && at < 2 * meeting / CLUSTERS;
            let number = if other { (number + each) % prefixes } else { number };
            let number = if meeting == prefixes { 0 } else { number };
            let first = (10 << 24) + u32::try_from(number).expect("there are few") * 16;
            let net = Ipv4Net::new(first.into(), 28).expect("a prefix");
            Spanned::new(Cidr(IpNet::V4(net)), span)
        };
        cluster.pod_cidrs = (0..each).map(prefix).collect();
    }
    topology
}

/// What `landbridge check` does about ranges that meet.
fn search(topology: &Topology) -> Diagnostics {
    let mut found = Diagnostics::new();
    let of = |check: &&Check| check.rule.code == "LB1001";
    let check = CHECKS.iter().find(of).expect("there is such a rule");
    (check.run)(topology, &mut found);
    found
}

/// The number of pairs of prefixes of different clusters that meet, by looking at each.
fn pairs(topology: &Topology) -> usize {
    let clusters = topology.clusters.iter().enumerate();
    let all: Vec<(usize, IpNet)> = clusters
        .flat_map(|(owner, cluster)| cluster.pod_cidrs.iter().map(move |cidr| (owner, cidr.0)))
        .collect();
    let meet = |(one, a): &(usize, IpNet), (two, b): &(usize, IpNet)| {
        one != two && (a.contains(b) || b.contains(a))
    };
    let later =
        all.iter().enumerate().map(|(at, a)| all[at + 1..].iter().filter(|b| meet(a, b)).count());
    later.sum()
}

/// The same in Python, by its own clock.
fn python(topology: &Topology) -> String {
    let Some(python) = std::env::var_os("LANDBRIDGE_PYTHON").filter(|name| !name.is_empty()) else {
        return "not measured".to_owned();
    };
    let mut program = String::from("import ipaddress, time\nranges = [\n");
    for (owner, cluster) in topology.clusters.iter().enumerate() {
        for cidr in &cluster.pod_cidrs {
            let _ = writeln!(program, "({owner}, ipaddress.ip_network('{}')),", cidr.0);
        }
    }
    program.push_str(
        "]\nstarted = time.perf_counter()\n\
         count = sum(a[0] != b[0] and a[1].overlaps(b[1])\n\
         \u{20}   for at, a in enumerate(ranges) for b in ranges[at + 1:])\n\
         print(time.perf_counter() - started)\n",
    );
    let output = Command::new(python).arg("-c").arg(program).output().expect("Python starts");
    let text = String::from_utf8(output.stdout).expect("a number");
    shown(Duration::from_secs_f64(text.trim().parse().expect("a number of seconds")))
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
