//! Speed of the proof on generated meshes of up to 511 clusters, as a Markdown table.
//!
//! `cargo bench --bench proof` measures 128, 256 and 511 clusters; numbers after `--` measure
//! those. The largest is measured once more with hand-written policies among the generated ones.
#![expect(clippy::disallowed_methods, reason = "it measures time, and writes files")]
#![expect(clippy::print_stdout, reason = "the table is its result")]

#[path = "mesh/clock.rs"]
mod clock;
#[path = "mesh/project.rs"]
#[expect(dead_code, reason = "the other bench says more of a project")]
mod project;
#[path = "mesh/topology.rs"]
mod resolved;

use std::env;

use clock::timed;
use landbridge::compile::Index;
use landbridge::diagnostic::Diagnostics;
use landbridge::policy::Direction;
use landbridge::prove;
use landbridge::reach::{Mesh, Reach, Standing, declared, possible};
use project::Size;
use resolved::{read, topology_of};

fn main() {
    let sizes: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![128, 256, 511] } else { sizes };
    let largest = sizes.iter().copied().max().map(|size| (size, true));
    for (size, by_hand) in sizes.iter().map(|size| (*size, false)).chain(largest) {
        let folder = tempfile::tempdir().expect("a folder");
        if by_hand {
            project::write_by_hand(folder.path(), Size::of(size));
        } else {
            project::write(folder.path(), Size::of(size));
        }
        let (spec, _) = read(folder.path());
        let topology = topology_of(&spec);
        let index = Index::of(&topology);
        let made = timed(3, || declared::mesh(&topology, &index));
        let mut mesh = declared::mesh(&topology, &index);
        let policies: usize = mesh.clusters.iter().map(|one| one.policies.len()).sum();
        let declared = mesh.endpoints.len();
        let added = timed(3, || {
            let mut mesh = mesh.clone();
            possible::add(&mut mesh);
        });
        possible::add(&mut mesh);
        let known = timed(3, || Reach::new(&mesh));
        let reach = Reach::new(&mesh);
        let ends = timed(3, || ends(&mesh, &reach));
        let proved = timed(3, || {
            let mut found = Diagnostics::new();
            prove::run(&topology, &index, &mut found);
            found
        });
        println!(
            "{size} clusters{}, {policies} policies, {declared} + {} endpoints: mesh {made:?}, \
             possible {added:?}, reach {known:?}, ends {ends:?} ({} pairs), \
             proof {proved:?}",
            if by_hand { " with hand-written policies" } else { "" },
            mesh.endpoints.len() - declared,
            self::ends(&mesh, &reach)
        );
    }
}

/// Asks both ends of every declared endpoint about everyone whom it may admit.
fn ends(mesh: &Mesh, reach: &Reach<'_>) -> usize {
    let declared = mesh.endpoints().filter(|(_, one)| one.standing != Standing::Possible);
    let mut pairs = 0;
    for (id, _) in declared {
        for direction in [Direction::Ingress, Direction::Egress] {
            pairs += std::hint::black_box(reach.openings(id, direction)).map_or(0, |all| all.len());
        }
    }
    pairs
}
