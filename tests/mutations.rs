//! The proof misses nothing: whichever rule of a generated policy is removed or widened, either
//! there is a finding, or no end lets anything else through than before.
//!
//! `LANDBRIDGE_MUTATIONS` sets how many mutations of each project are tried, spread evenly.

use std::fmt;

use landbridge::compile::Index;
use landbridge::diagnostic::{Diagnostics, Severity};
use landbridge::policy::rule::{Peer, Peers};
use landbridge::policy::selector::{Operator, Requirement};
use landbridge::policy::{Direction, Key, Rule, Selector, label};
use landbridge::prove::flows;
use landbridge::reach::{Mesh, Party, Reach, declared, outside};
use landbridge::source::SourceMap;
use landbridge::spec::load;
use landbridge::system::os::OsSystem;
use landbridge::topology::Topology;
use landbridge::topology::resolve::resolve;

use crate::projects::examples;
use crate::random::{accepted, for_each_project};

/// A change of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Remove,
    EveryPort,
    EveryPeer,
    NoLimit,
    NoException,
    DropPort(usize),
    DropLabel(usize),
    DropPeer(usize),
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

/// Applies a change; says whether there was something to change.
fn apply(rule: &mut Rule, change: Change) -> bool {
    let selected = |rule: &Rule| -> Vec<usize> {
        let Peers::Of(peers) = &rule.peers else { return Vec::new() };
        let of = |peer: &Peer| match peer {
            Peer::Labels { selector, .. } => selector.requirements().count(),
            Peer::Cidr { .. } | Peer::Groups(_) | Peer::Name(_) => 0,
        };
        peers.iter().map(of).collect()
    };
    match change {
        Change::Remove => true,
        Change::EveryPort => rule.ports.take().is_some(),
        Change::EveryPeer => {
            let all = Peer::Labels { selector: Selector::default(), endpoints: true };
            let some = matches!(rule.peers, Peers::Of(_));
            rule.peers = if some { Peers::Of(vec![all]) } else { rule.peers.clone() };
            some
        }
        Change::NoLimit => {
            let limited = rule.ports.iter_mut().flatten().filter(|ports| ports.l7.is_some());
            limited.map(|ports| ports.l7 = None).count() > 0
        }
        Change::NoException => {
            let Peers::Of(peers) = &mut rule.peers else { return false };
            let mut changed = false;
            for peer in peers {
                if let Peer::Cidr { except, .. } = peer {
                    changed |= !except.is_empty();
                    except.clear();
                }
            }
            changed
        }
        Change::DropPort(at) => drop_port(rule, at),
        Change::DropPeer(at) => {
            let Peers::Of(peers) = &mut rule.peers else { return false };
            let several = peers.len() > 1 && at < peers.len();
            if several {
                peers.remove(at);
            }
            several
        }
        Change::DropLabel(at) => {
            let counts = selected(rule);
            let Peers::Of(peers) = &mut rule.peers else { return false };
            let mut left = at;
            for (peer, count) in peers.iter_mut().zip(counts) {
                if left < count {
                    let Peer::Labels { selector, .. } = peer else { return false };
                    *selector = without(selector, left);
                    return true;
                }
                left -= count;
            }
            false
        }
    }
}

/// Takes away one of the ports that a rule lists.
fn drop_port(rule: &mut Rule, at: usize) -> bool {
    let mut left = at;
    for known in rule.ports.iter_mut().flatten() {
        if left < known.ports.len() {
            known.ports.remove(left);
            return true;
        }
        left -= known.ports.len();
    }
    false
}

/// A selector without one of its requirements; without that of the namespace it is of any.
fn without(selector: &Selector, at: usize) -> Selector {
    let mut left = Selector::default();
    for (index, wanted) in selector.requirements().enumerate() {
        let Requirement { key, operator, values } = wanted;
        if index == at {
            if key.is_k8s(label::NAMESPACE) {
                left.add(Requirement::exists(Key::k8s(label::NAMESPACE)));
            }
        } else if let (Operator::In, 1) = (operator, values.len()) {
            left.set(key.clone(), values.first().unwrap_or_default());
        } else {
            left.add(wanted.clone());
        }
    }
    left
}

/// Every change of a rule.
fn changes(rule: &Rule) -> Vec<Change> {
    let fixed = [
        Change::Remove,
        Change::EveryPort,
        Change::EveryPeer,
        Change::NoLimit,
        Change::NoException,
    ];
    let each =
        (0..6).flat_map(|at| [Change::DropPort(at), Change::DropLabel(at), Change::DropPeer(at)]);
    let all = fixed.into_iter().chain(each);
    all.filter(|change| apply(&mut rule.clone(), *change)).collect()
}

/// What is found in a mesh.
fn found(topology: &Topology, mesh: Mesh) -> Vec<String> {
    let mut found = Diagnostics::new();
    flows::check(topology, mesh, &mut found);
    assert!(found.unchecked().is_empty(), "{:?}", found.unchecked());
    let text = |severity| if severity == Severity::Error { "error" } else { "warning" };
    found
        .iter()
        .map(|one| format!("{} {} {}", text(one.severity), one.rule.code, one.message))
        .collect()
}

/// Whether any end of a cluster lets something else through.
fn differs(topology: &Topology, before: &Mesh, after: &Mesh, cluster: usize) -> bool {
    let (mut one, mut two) = (before.clone(), after.clone());
    flows::complete(topology, &mut one);
    flows::complete(topology, &mut two);
    let mut seen: Vec<_> = one.endpoints.iter().map(|e| (e.cluster, e.identity.clone())).collect();
    seen.sort_unstable();
    let new = |e: &&landbridge::reach::Endpoint| {
        seen.binary_search(&(e.cluster, e.identity.clone())).is_err()
    };
    let more: Vec<_> = two.endpoints.iter().filter(new).cloned().collect();
    one.endpoints.extend(more);
    two.endpoints.clone_from(&one.endpoints);
    let (old, new) = (Reach::new(&one), Reach::new(&two));
    let policies = [before, after].map(|mesh| &mesh.clusters[cluster].policies);
    let rules = policies.into_iter().flatten().flat_map(|known| &known.policy.rules);
    let outsiders = outside::parties(rules, false);
    one.endpoints().filter(|(_, known)| known.cluster.index() == cluster).any(|(id, _)| {
        [Direction::Ingress, Direction::Egress].into_iter().any(|direction| {
            let end = |reach: &Reach<'_>, party| reach.end(id, direction, party);
            let changed = |party| end(&old, party) != end(&new, party);
            one.endpoints().any(|(peer, _)| old.joined(id, peer) && changed(Party::Endpoint(peer)))
                || outsiders.iter().any(|known| changed(Party::Outside(&known.identity)))
        })
    })
}

/// What came of the mutations.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    found: usize,
    redundant: usize,
}

/// Tries mutations of a project.
fn mutate(topology: &Topology, most: usize, name: &str) -> Counts {
    let mesh = declared::mesh(topology, &Index::of(topology));
    assert_eq!(found(topology, mesh.clone()), [""; 0], "{name}");
    let mut all = Vec::new();
    for (cluster, member) in mesh.clusters.iter().enumerate() {
        for (policy, written) in member.policies.iter().enumerate() {
            for (rule, known) in written.policy.rules.iter().enumerate() {
                all.extend(
                    changes(known).into_iter().map(|change| (cluster, policy, rule, change)),
                );
            }
        }
    }
    let step = all.len().div_ceil(most).max(1);
    let mut counts = Counts::default();
    for (cluster, policy, rule, change) in all.into_iter().step_by(step) {
        let mut mutant = mesh.clone();
        let rules = &mut mutant.clusters[cluster].policies[policy].policy.rules;
        if change == Change::Remove {
            rules.remove(rule);
        } else {
            apply(&mut rules[rule], change);
        }
        if !found(topology, mutant.clone()).is_empty() {
            counts.found += 1;
            continue;
        }
        let of = &mesh.clusters[cluster].policies[policy].policy;
        assert!(
            !differs(topology, &mesh, &mutant, cluster),
            "{name}: {change} of rule {rule} of {}/{} in {} is missed: {:#?}",
            of.namespace.as_deref().unwrap_or_default(),
            of.name,
            mesh.clusters[cluster].name,
            of.rules[rule],
        );
        counts.redundant += 1;
    }
    counts
}

fn most(default: usize) -> usize {
    usize::try_from(crate::random::setting("LANDBRIDGE_MUTATIONS", default as u64))
        .unwrap_or(default)
}

#[test]
fn no_mutation_of_an_example_is_missed() {
    for folder in examples() {
        let name = folder.display().to_string();
        let system = OsSystem::open(&folder).expect("an example");
        let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
        let spec = load::project(&system, &mut sources, &mut found);
        let topology = resolve(&spec, &mut found).expect("a topology");
        let counts = mutate(&topology, most(60), &name);
        eprintln!("{name}: {} found, {} redundant", counts.found, counts.redundant);
    }
}

#[test]
fn no_mutation_of_a_random_project_is_missed() {
    let sum = std::cell::Cell::new(Counts::default());
    for_each_project(|project, dice| {
        if !dice.chance(25) {
            return;
        }
        let (topology, _) = accepted(&project.whole());
        let counts = mutate(&topology, most(4), "a random project");
        let Counts { found, redundant } = sum.get();
        sum.set(Counts { found: found + counts.found, redundant: redundant + counts.redundant });
    });
    eprintln!("random projects: {:?}", sum.get());
    assert!(sum.get().found > 0);
}
