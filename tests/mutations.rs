//! The proof misses nothing: whichever rule of a generated policy is removed, made narrower or
//! made wider, there is a finding, unless what goes away is part of another rule, as the rule
//! about redundant rules says of it, or no end lets anything else through than before.
//!
//! `LANDBRIDGE_MUTATIONS` sets how many changes of each random project are tried, spread evenly,
//! and `LANDBRIDGE_MUTATED_PROJECTS` how many random projects; of an example it is every change.

mod change;

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::sync::Arc;

use landbridge::compile::Index;
use landbridge::diagnostic::Diagnostics;
use landbridge::policy::opening::OpenPorts;
use landbridge::policy::rule::{Http, L7, Pattern, Peer, Peers, Ports, Protocol, Which};
use landbridge::policy::selector::Requirement;
use landbridge::policy::{Direction, Key, Opening, Rule, Selector};
use landbridge::prove::{flows, redundant_rule};
use landbridge::reach::{Endpoint, Member, Mesh, Party, Reach, declared, outside};
use landbridge::topology::Topology;

use crate::projects::{examples, read};
use crate::random::dice::Dice;
use crate::random::project::Project;
use crate::random::{accepted, setting};
use change::Change;

/// A mesh of a topology, with no finding.
struct Sound<'t> {
    topology: &'t Topology,
    mesh: Mesh,
    name: &'t str,
}

/// A rule: its cluster, its policy and its own place.
#[derive(Clone, Copy, Debug)]
struct Place {
    cluster: usize,
    policy: usize,
    rule: usize,
}

/// What came of changes.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// There was a finding.
    found: usize,
    /// What went away is part of another rule.
    redundant: usize,
    /// No end lets anything else through: nothing isolates who a rule is about that went away, or
    /// nobody is there at whom or to whom a rule is wider.
    same: usize,
}

/// What came of all changes.
#[derive(Debug, Default)]
struct Sum {
    /// How many rules there are.
    rules: usize,
    narrower: Counts,
    wider: Counts,
    missed: Vec<String>,
}

impl<'t> Sound<'t> {
    fn new(topology: &'t Topology, name: &'t str) -> Self {
        let mesh = declared::mesh(topology, &Index::of(topology));
        let sound = Self { topology, mesh, name };
        assert_eq!(sound.findings(sound.mesh.clone()), [""; 0], "{name}");
        sound
    }

    fn findings(&self, mesh: Mesh) -> Vec<String> {
        let mut found = Diagnostics::new();
        flows::check(self.topology, mesh, &mut found);
        assert!(found.unchecked().is_empty(), "{:?}", found.unchecked());
        found.iter().map(|one| format!("{} {}", one.rule.code, one.message)).collect()
    }

    /// Every rule.
    fn rules(&self) -> impl Iterator<Item = (Place, &Rule)> {
        self.mesh.clusters.iter().enumerate().flat_map(|(cluster, member)| {
            member.policies.iter().enumerate().flat_map(move |(policy, written)| {
                let rules = written.policy.rules.iter().enumerate();
                rules.map(move |(rule, known)| (Place { cluster, policy, rule }, known))
            })
        })
    }

    /// Every change of every rule.
    fn changes(&self) -> Vec<(Place, Change)> {
        let of = |(place, rule)| Change::all(rule).into_iter().map(move |one| (place, one));
        self.rules().flat_map(of).collect()
    }

    /// The mesh with another rule in the place of one.
    fn with(&self, at: Place, rule: Rule) -> Mesh {
        let mut mesh = self.mesh.clone();
        let changed = &mut mesh.clusters[at.cluster].policies[at.policy].policy;
        Arc::make_mut(changed).rules[at.rule] = rule;
        mesh
    }

    /// Tries a change.
    fn attempt(&self, at: Place, change: Change, counts: &mut Counts) -> Result<(), String> {
        let Place { cluster, policy, rule } = at;
        let of = &self.mesh.clusters[cluster].policies[policy].policy;
        let (left, lost) = change.of(&of.rules[rule]).expect("a change that there is");
        let mut mutant = self.with(at, left.clone());
        if change == Change::Remove {
            let changed = &mut mutant.clusters[cluster].policies[policy].policy;
            Arc::make_mut(changed).rules.remove(rule);
        }
        if !self.findings(mutant.clone()).is_empty() {
            counts.found += 1;
            return Ok(());
        }
        // What went away stands at the end, where it is another rule that counts.
        let beside = if change.narrows() { &lost } else { &left };
        let base = if change.narrows() { &mutant } else { &self.mesh };
        let redundant = is_part_of_another(&base.clusters[cluster], policy, beside.clone());
        let idle = || !change.narrows() || self.is_idle(&mutant, (cluster, policy), &lost);
        let same = || idle() && !self.differs(&mutant, cluster);
        match redundant {
            true => counts.redundant += 1,
            false if same() => counts.same += 1,
            false => {
                return Err(format!(
                    "{}: {change:?} of rule {rule} of {}/{} in {}: {}",
                    self.name,
                    of.namespace.as_deref().unwrap_or_default(),
                    of.name,
                    self.mesh.clusters[cluster].name,
                    brief(&of.rules[rule]),
                ));
            }
        }
        Ok(())
    }

    /// Whether a rule allows nothing to anyone whom it is about: nothing isolates them, another
    /// rule says all of it of them, or it is about their own node, which Cilium always admits.
    fn is_idle(&self, without: &Mesh, (cluster, policy): (usize, usize), rule: &Rule) -> bool {
        let node = Selector::reserved("host");
        let own_node =
            |peer: &Peer| matches!(peer, Peer::Labels { selector, .. } if *selector == node);
        if rule.direction == Direction::Ingress && rule.peers.said().iter().all(own_node) {
            return true;
        }
        let mut mesh = without.clone();
        flows::complete(self.topology, &mut mesh);
        let reach = Reach::new(&mesh);
        let free = free(rule);
        mesh.endpoints()
            .filter(|(_, known)| known.cluster.index() == cluster)
            .filter(|(_, known)| rule.subject.matches(&known.identity.labels))
            .filter(|(id, _)| reach.subject(*id, rule.direction).is_isolated())
            .all(|(_, known)| {
                let mut subject = Selector::default();
                for label in known.identity.labels.iter() {
                    let key = Key { source: Some(label.source.clone()), key: label.key.clone() };
                    subject.set(key, &*label.value);
                }
                let parts = change::parts(rule).into_iter().zip(change::parts(&free));
                parts.filter(|(part, _)| !is_no_port(part)).all(|(part, free)| {
                    [part, free].into_iter().any(|part| {
                        let own = Rule { subject: subject.clone(), ..part };
                        is_part_of_another(&without.clusters[cluster], policy, own)
                    })
                })
            })
    }

    /// Whether any end of a cluster lets something else through than it did.
    fn differs(&self, after: &Mesh, cluster: usize) -> bool {
        let (mut one, mut two) = (self.mesh.clone(), after.clone());
        flows::complete(self.topology, &mut one);
        flows::complete(self.topology, &mut two);
        let mut seen: Vec<_> =
            one.endpoints.iter().map(|e| (e.cluster, e.identity.clone())).collect();
        seen.sort_unstable();
        let new = |e: &&Endpoint| seen.binary_search(&(e.cluster, e.identity.clone())).is_err();
        let more: Vec<_> = two.endpoints.iter().filter(new).cloned().collect();
        one.endpoints.extend(more);
        two.endpoints.clone_from(&one.endpoints);
        let (old, new) = (Reach::new(&one), Reach::new(&two));
        let policies = [&self.mesh, after].map(|mesh| &mesh.clusters[cluster].policies);
        let rules = policies.into_iter().flatten().flat_map(|known| &known.policy.rules);
        let mut outsiders = outside::parties(rules.clone(), false);
        outsiders.extend(outside::parties(rules, true));
        // That a wider rule isolates pods of which nothing is declared opens nothing.
        let declared = |known: &Endpoint| {
            let name = known.identity.namespace();
            let mut namespaces = self.topology.namespaces.iter();
            namespaces.any(|one| Some(one.name.value.as_str()) == name)
        };
        let mut ends = one.endpoints().filter(|(_, known)| known.cluster.index() == cluster);
        ends.any(|(id, own)| {
            [Direction::Ingress, Direction::Egress].into_iter().any(|direction| {
                if !declared(own) && !old.subject(id, direction).is_isolated() {
                    return false;
                }
                let end = |reach: &Reach<'_>, party| shown(&reach.end(id, direction, party));
                let changed = |party| end(&old, party) != end(&new, party);
                let pods = |(peer, _)| old.joined(id, peer) && changed(Party::Endpoint(peer));
                one.endpoints().any(pods)
                    || outsiders.iter().any(|known| changed(Party::Outside(&known.identity)))
            })
        })
    }

    /// Tries changes, as many as `most` of them.
    fn mutate(&self, most: usize, sum: &mut Sum) {
        let all = self.changes();
        let step = all.len().div_ceil(most).max(1);
        sum.rules += self.rules().count();
        for (place, change) in all.into_iter().step_by(step) {
            let counts = if change.narrows() { &mut sum.narrower } else { &mut sum.wider };
            sum.missed.extend(self.attempt(place, change, counts).err());
        }
    }
}

/// Whether a rule is about ports with names of those who have none: addresses and nodes.
fn is_no_port(rule: &Rule) -> bool {
    let named = |ports: &Ports| matches!(ports.which, Which::Named(_));
    let pods =
        |peer: &Peer| matches!(peer, Peer::Labels { selector, .. } if !selector.is_reserved());
    let mut ports = rule.ports.iter().flatten().flat_map(|known| &known.ports);
    let some = ports.clone().next().is_some();
    let outside = !rule.peers.said().is_empty() && !rule.peers.said().iter().any(pods);
    rule.direction == Direction::Egress && some && ports.all(named) && outside
}

/// A rule without limits that limit nothing: those by which any name may be asked for.
fn free(rule: &Rule) -> Rule {
    let mut free = rule.clone();
    for ports in free.ports.iter_mut().flatten() {
        ports.l7 = ports.l7.take().filter(|l7| !any_name(l7));
    }
    free
}

fn any_name(l7: &L7) -> bool {
    matches!(l7, L7::Dns(names) if names.contains(&Pattern::new("*")))
}

/// Ports with what of the traffic on them goes through; nothing is all of it.
type Shown = (Protocol, u16, u16, Vec<(BTreeSet<Http>, Vec<L7>)>);

/// What is open, and under which limits that limit something.
fn shown(opening: &Opening) -> Vec<Shown> {
    let one = |ports: &OpenPorts| {
        let lists = ports.limits.lists().filter(|list| !list.iter().any(any_name));
        let lists = lists.map(|list| {
            let requests = list.iter().filter_map(|l7| match l7 {
                L7::Http(requests) => Some(requests),
                _ => None,
            });
            let all: BTreeSet<Http> = requests.flatten().cloned().collect();
            let wider = |one: &Http, other: &Http| {
                let any_path = matches!(other.path.as_deref(), None | Some("/.*" | ".*"));
                let method = other.method.is_none() || other.method == one.method;
                one != other && any_path && method && other.headers.is_empty()
            };
            let kept = all.iter().filter(|one| !all.iter().any(|other| wider(one, other)));
            let others = list.iter().filter(|l7| !matches!(l7, L7::Http(_)));
            (kept.cloned().collect(), others.cloned().collect())
        });
        (ports.protocol, ports.first, ports.last, lists.collect())
    };
    opening.iter().map(one).collect()
}

/// A rule in one line.
fn brief(rule: &Rule) -> String {
    let selector = |selector: &Selector| {
        let of = |one: &Requirement| format!("{} {:?} {:?}", one.key.key, one.operator, one.values);
        selector.requirements().map(of).collect::<Vec<_>>().join(", ")
    };
    let peers: Vec<String> = match &rule.peers {
        Peers::Of(peers) => peers
            .iter()
            .map(|peer| match peer {
                Peer::Labels { selector: known, .. } => selector(known),
                other => format!("{other:?}"),
            })
            .collect(),
        other => vec![format!("{other:?}")],
    };
    let Rule { subject, direction, action, ports, default_deny, .. } = rule;
    let subject = selector(subject);
    format!(
        "{action:?} {direction:?} of [{subject}], isolates: {default_deny}, {peers:?}, {ports:?}"
    )
}

/// Whether a rule of a policy is named as part of another rule of the cluster.
fn is_part_of_another(member: &Member, policy: usize, rule: Rule) -> bool {
    let mut member = member.clone();
    let mut own = member.policies[policy].clone();
    Arc::make_mut(&mut own.policy).rules = vec![rule];
    member.policies.push(own);
    let rules = member.policies.iter().map(|known| known.policy.rules.len()).sum::<usize>();
    redundant_rule::among(&member).expect("few rules").contains(&(rules - 1))
}

fn most(variable: &str, default: u64) -> usize {
    usize::try_from(setting(variable, default)).expect("a number of things in memory")
}

fn say(name: &str, sum: &Sum) {
    let Sum { rules, narrower, wider, missed } = sum;
    let counts = format!("{name}: {rules} rules; narrower: {narrower:?}; wider: {wider:?}");
    writeln!(io::stderr(), "{counts}").expect("standard error");
    assert!(missed.is_empty(), "{} are missed: {missed:#?}", missed.len());
    assert!(narrower.found > 0 && wider.found > 0, "{counts}");
}

#[test]
fn no_mutation_of_an_example_is_missed() {
    for folder in examples() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let topology = read(&folder).expect("a topology");
        let mut sum = Sum::default();
        Sound::new(&topology, &name).mutate(usize::MAX, &mut sum);
        say(&name, &sum);
    }
}

#[test]
fn no_mutation_of_a_random_project_is_missed() {
    let projects = setting("LANDBRIDGE_MUTATED_PROJECTS", 12);
    let first = setting("LANDBRIDGE_RANDOM_SEED", 1);
    let mut sum = Sum::default();
    for seed in first..first + projects {
        let size = Dice::new(seed).between(1, 4);
        let name = format!("the random project {seed} of size {size}");
        let (topology, _) = accepted(&Project::new(seed, size).whole());
        Sound::new(&topology, &name).mutate(most("LANDBRIDGE_MUTATIONS", 30), &mut sum);
    }
    say("random projects", &sum);
}
