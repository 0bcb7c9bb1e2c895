//! The generated policies of every example, asked of Cilium's own engine at each minor: what the
//! engine allows is what is declared, and what landbridge says at each end.
//!
//! Everyone asks everyone: the declared workloads, the pods that flows and policies tell apart
//! beside them, and those outside; on the ports that somebody names, the ports next to them, and
//! those of DNS.

use std::collections::BTreeSet;
use std::path::Path;

use landbridge::compile::{self, Index};
use landbridge::diagnostic::Diagnostics;
use landbridge::policy::rule::Which;
use landbridge::policy::verdict::Outcome as Decided;
use landbridge::policy::{Direction, Enforcement, Identity, Opening, Protocol, Settings, Toward};
use landbridge::prove::flows::complete;
use landbridge::prove::intent::{End, Intent, Meant, Names, Roles};
use landbridge::reach::outside::{self, Outsider};
use landbridge::reach::{EndpointId, Mesh, Origin, Reach, Standing, declared};
use landbridge::spec::load;
use landbridge::topology::{ClusterId, Topology};
use landbridge::upgrade::versions;
use semver::Version;

use super::case::{self, Case, Outcome};
use super::ours::Verdict;
use super::program::Program;
use super::say;
use crate::projects;
use crate::tools::named_by;

/// Flows of one case, whose line an engine reads whole.
const FLOWS: usize = 100_000;
/// The service account of a pod of which nobody says it. No policy names it.
const SOME_ACCOUNT: &str = "nobody-says";

#[test]
fn what_1_16_allows_is_what_examples_declare() {
    ask_examples(16);
}

#[test]
fn what_1_17_allows_is_what_examples_declare() {
    ask_examples(17);
}

#[test]
fn what_1_18_allows_is_what_examples_declare() {
    ask_examples(18);
}

#[test]
fn what_1_19_allows_is_what_examples_declare() {
    ask_examples(19);
}

#[test]
fn what_1_20_allows_is_what_examples_declare() {
    ask_examples(20);
}

fn ask_examples(minor: u64) {
    let Some(path) = named_by(&format!("LANDBRIDGE_ORACLE_1_{minor}")) else { return };
    let mut program = Program::start(&path);
    let version = program.ask(&Case::default()).cilium;
    let version = Version::parse(&version).expect("a version");
    let mut all = Counts::default();
    let mut wrong = Vec::new();
    let examples = projects::examples();
    let examples = examples.iter().filter(|folder| folder.join(load::ENTRY).is_file());
    for folder in examples {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let (topology, mesh) = meant(folder, &version);
        let mut counts = Counts::default();
        for members in joined(&mesh) {
            let asked = Asked::new(&topology, &mesh, &members);
            counts.policies += asked.case.policies.len();
            asked.ask(&mut program, &mut counts, &mut wrong);
        }
        say(&format!("Cilium {version}, {name}: {counts}{}", beside(folder, &version)));
        assert!(counts.allowed > 0 && counts.closed > 0, "{name}: {counts}");
        all.and(&counts);
        let shown = wrong.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(wrong.is_empty(), "{name}: {} disagreements:\n{shown}", wrong.len());
    }
    say(&format!("Cilium {version}, all examples: {all}"));
    assert!(all.declared > 0 && all.closed > 10_000, "{all}");
}

/// An example whose clusters have a version, and its mesh with the generated policies alone.
fn meant(folder: &Path, version: &Version) -> (Topology, Mesh) {
    let topology = projects::read(folder).expect("an example has a topology");
    let topology = versions::with(&topology, &vec![version.clone(); topology.clusters.len()]);
    let mut mesh = declared::mesh(&topology, &Index::of(&topology));
    assert!(mesh.unread.is_empty(), "{:?}", mesh.unread);
    for member in &mut mesh.clusters {
        member.policies.retain(|one| one.origin == Origin::Generated);
    }
    complete(&topology, &mut mesh);
    (topology, mesh)
}

/// What `check` says of an example with a version, and does not say of it as it is written.
fn beside(folder: &Path, version: &Version) -> String {
    let before = projects::read(folder).expect("an example has a topology");
    let after = versions::with(&before, &vec![version.clone(); before.clusters.len()]);
    let none = Diagnostics::new();
    let (before, after) = (versions::found(&before, &none), versions::found(&after, &none));
    let new: BTreeSet<String> = versions::appeared(&before, &after)
        .iter()
        .map(|one| format!("{} {}", one.rule.code, one.message))
        .collect();
    new.iter().flat_map(|one| ["\n  check says there: ", one]).collect()
}

/// The clusters whose pods reach each other, each set once.
fn joined(mesh: &Mesh) -> BTreeSet<Vec<ClusterId>> {
    mesh.clusters.iter().map(|member| member.joined.iter().collect()).collect()
}

/// How much was asked.
#[derive(Debug, Default)]
struct Counts {
    policies: usize,
    pods: usize,
    outsiders: usize,
    flows: usize,
    verdicts: usize,
    /// Flows that both ends let through.
    allowed: usize,
    /// Flows between declared workloads, and those of them that must go through: they are declared,
    /// or their namespaces deny nothing.
    workloads: usize,
    declared: usize,
    /// Flows that must not go through.
    closed: usize,
}

impl Counts {
    fn and(&mut self, other: &Self) {
        self.policies += other.policies;
        self.pods += other.pods;
        self.outsiders += other.outsiders;
        self.flows += other.flows;
        self.verdicts += other.verdicts;
        self.allowed += other.allowed;
        self.workloads += other.workloads;
        self.declared += other.declared;
        self.closed += other.closed;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} policies, {} pods and {} outsiders; {} flows, {} verdicts; {} go through, {} must \
             not; {} between workloads, of which {} must",
            self.policies,
            self.pods,
            self.outsiders,
            self.flows,
            self.verdicts,
            self.allowed,
            self.closed,
            self.workloads,
            self.declared
        )
    }
}

/// Who takes part in flows.
#[derive(Clone, Copy)]
enum Who<'a> {
    Pod(EndpointId, &'a Roles),
    Outside(&'a Identity),
}

struct Party<'a> {
    id: String,
    name: String,
    who: Who<'a>,
}

/// Clusters whose pods reach each other, and what is asked of them.
struct Asked<'a> {
    reach: Reach<'a>,
    intent: Intent<'a>,
    names: Names,
    /// The case without its flows.
    case: Case,
    pods: Vec<(EndpointId, Roles)>,
    outsiders: Vec<Outsider>,
    questions: Vec<(Protocol, u16)>,
}

impl<'a> Asked<'a> {
    fn new(topology: &'a Topology, mesh: &'a Mesh, members: &[ClusterId]) -> Self {
        let intent = Intent::new(topology);
        let endpoints = mesh.endpoints().filter(|(_, one)| members.contains(&one.cluster));
        let pods = endpoints.map(|(id, one)| (id, intent.roles(&one.identity, one.cluster)));
        let pods: Vec<_> = pods.collect();
        let rules = || {
            let members = members.iter().map(|id| mesh.cluster(*id));
            members.flat_map(|one| &one.policies).flat_map(|written| &written.policy.rules)
        };
        let cidrs = members.iter().flat_map(|id| &topology.cluster(*id).pod_cidrs);
        let dual_stack = cidrs.into_iter().any(|cidr| cidr.value.0.addr().is_ipv6());
        let outsiders = addressed(outside::parties(rules(), dual_stack), dual_stack);
        let mut case = Case {
            settings: settings(mesh, members),
            identities: pods.iter().map(|(id, _)| pod(mesh, *id)).collect(),
            policies: policies(topology, members),
            ..Case::default()
        };
        case.settings.enable_ipv6 = dual_stack;
        case.identities.extend(outsiders.iter().zip(0..).map(|(one, at)| outsider(one, at)));
        case.clusters = members
            .iter()
            .zip(1..)
            .map(|(id, number)| case::Cluster { name: mesh.cluster(*id).name.clone(), id: number })
            .collect();
        let serves = pods.iter().flat_map(|(id, _)| &mesh.endpoint(*id).serves);
        let named = rules().flat_map(|rule| rule.ports.iter().flatten()).flat_map(|one| &one.ports);
        let mut said: BTreeSet<(Protocol, u16)> = serves.copied().collect();
        for ports in named {
            if let Which::Range(first, last) = ports.which {
                for protocol in &ports.protocols {
                    said.extend([first, last].map(|port| (*protocol, port)));
                }
            }
        }
        let (reach, names) = (Reach::new(mesh), Names::of(mesh));
        Self { reach, intent, names, case, pods, outsiders, questions: questions(&said) }
    }

    fn parties(&self) -> Vec<Party<'_>> {
        let mesh = self.reach.mesh();
        let pods = self.pods.iter().map(|(id, roles)| Party {
            id: id.index().to_string(),
            name: mesh.describe(*id),
            who: Who::Pod(*id, roles),
        });
        let outside = self.outsiders.iter().zip(0..).map(|(one, at)| Party {
            id: outside_id(at),
            name: one.name.clone(),
            who: Who::Outside(&one.identity),
        });
        pods.chain(outside).collect()
    }

    fn ask(&self, program: &mut Program, counts: &mut Counts, wrong: &mut Vec<String>) {
        counts.pods += self.pods.len();
        counts.outsiders += self.outsiders.len();
        let parties = self.parties();
        let pairs = parties.iter().flat_map(|from| parties.iter().map(move |to| (from, to)));
        let pairs: Vec<(&Party<'_>, &Party<'_>)> = pairs
            .filter(|(from, to)| [from, to].iter().any(|one| matches!(one.who, Who::Pod(..))))
            .collect();
        for pairs in pairs.chunks((FLOWS / self.questions.len()).max(1)) {
            let mut case = self.case.clone();
            for (from, to) in pairs {
                case.flows.extend(self.questions.iter().map(|(protocol, port)| case::Flow {
                    from: from.id.clone(),
                    to: to.id.clone(),
                    port: *port,
                    protocol: protocol.to_string(),
                }));
            }
            let answer = program.ask(&case);
            assert_eq!(answer.error, "");
            assert_eq!(answer.flows.len(), case.flows.len());
            for (taken, policy) in answer.policies.iter().zip(&case.policies) {
                assert!(taken.accepted, "{}: {}", taken.refused, policy.object);
            }
            let answers = answer.flows.chunks(self.questions.len());
            for ((from, to), answers) in pairs.iter().zip(answers) {
                self.compare(from, to, answers, counts, wrong);
            }
        }
    }

    fn compare(
        &self,
        from: &Party<'_>,
        to: &Party<'_>,
        answers: &[case::Verdicts],
        counts: &mut Counts,
        wrong: &mut Vec<String>,
    ) {
        let ends = [(from, to, Direction::Egress), (to, from, Direction::Ingress)];
        let toward = ends.map(|(own, other, direction)| self.toward(own, other, direction));
        let meant = ends.map(|(own, other, direction)| self.meant(own, other, direction));
        let workload = |one: &Party<'_>| match one.who {
            Who::Pod(id, _) => {
                matches!(self.reach.mesh().endpoint(id).standing, Standing::Declared(_))
            }
            Who::Outside(_) => false,
        };
        let workloads = workload(from) && workload(to);
        for ((protocol, port), answer) in self.questions.iter().zip(answers) {
            let theirs = [answer.egress.verdict, answer.ingress.verdict];
            let mut complain = |what: String| {
                let (from, to) = (&from.name, &to.name);
                wrong.push(format!("{from} -> {to} {protocol}/{port}: {what}"));
            };
            for ((theirs, toward), (_, _, way)) in theirs.iter().zip(&toward).zip(&ends) {
                let Some(toward) = toward else { continue };
                counts.verdicts += 1;
                let ours = decided(toward, *protocol, *port);
                if !ours.is(*theirs) {
                    let ours = ours.outcome;
                    complain(format!("{way:?}: Cilium says {theirs:?}, landbridge {ours:?}"));
                }
            }
            let through =
                theirs.iter().all(|one| *one != Outcome::Denied && *one != Outcome::Error);
            let open = |opening: &Opening| opening.at(*protocol, *port).is_some();
            let must = meant.iter().all(|(must, _)| open(must));
            let may = meant.iter().all(|(_, may)| open(may));
            if through != must && through != may {
                let meant = if may { "declared" } else { "not declared" };
                complain(format!("{meant}, and Cilium says {theirs:?}"));
            }
            counts.flows += 1;
            counts.allowed += usize::from(through);
            counts.closed += usize::from(!may);
            counts.workloads += usize::from(workloads);
            counts.declared += usize::from(workloads && must);
        }
    }

    /// What landbridge reads of the policies of an end; nothing where it is no pod.
    fn toward<'s>(
        &'s self,
        own: &Party<'_>,
        other: &'s Party<'_>,
        direction: Direction,
    ) -> Option<Toward<'s, 's>> {
        let Who::Pod(id, _) = own.who else { return None };
        let peer = match other.who {
            Who::Pod(id, _) => &self.reach.mesh().endpoint(id).identity,
            Who::Outside(identity) => identity,
        };
        Some(self.reach.subject(id, direction).toward(peer))
    }

    /// What must be open at an end, and what may be, by the flows of the topology alone.
    fn meant(
        &self,
        own: &Party<'_>,
        other: &Party<'_>,
        direction: Direction,
    ) -> (Opening, Opening) {
        let mesh = self.reach.mesh();
        let everything = (Opening::everything(), Opening::everything());
        let Who::Pod(id, roles) = own.who else { return everything };
        let endpoint = mesh.endpoint(id);
        let (identity, cluster) = (&endpoint.identity, endpoint.cluster);
        // Cilium always admits a pod's own node (`AllowLocalhost`).
        let own_node = direction == Direction::Ingress
            && matches!(other.who, Who::Outside(it) if it.labels.is_reserved("host"));
        if own_node || !self.intent.denies(identity, cluster, direction) {
            return everything;
        }
        let end = End { identity, roles, cluster, direction };
        let (mut must, mut may) = (Opening::closed(), Opening::closed());
        let mut add = |_, meant: Meant<'_>| {
            must = must.or(&meant.must);
            may = may.or(&meant.must).or(&meant.may);
        };
        match other.who {
            Who::Pod(id, roles) => {
                let peer = mesh.endpoint(id);
                self.intent.with_pod(
                    &end,
                    &peer.identity,
                    peer.cluster,
                    roles,
                    &self.names,
                    &mut add,
                );
            }
            Who::Outside(peer) => {
                let semantics = &mesh.cluster(cluster).semantics;
                self.intent.with_outsider(&end, peer, semantics, &self.names, &mut add);
            }
        }
        (must, may)
    }
}

fn decided(toward: &Toward<'_, '_>, protocol: Protocol, port: u16) -> Verdict {
    let verdict = toward.at(protocol, port);
    let outcome = match verdict.outcome {
        Decided::Allowed(None) => Outcome::Allowed,
        Decided::Allowed(Some(_)) => Outcome::L7,
        Decided::Denied => Outcome::Denied,
        Decided::Broken => Outcome::Error,
    };
    Verdict { outcome, proxied: verdict.proxied, limits: None, rules: Vec::new() }
}

/// The ports that somebody names and those next to them, of each protocol, those of DNS, and types
/// of ICMP. A program cannot be asked about 0.
fn questions(said: &BTreeSet<(Protocol, u16)>) -> Vec<(Protocol, u16)> {
    let mut all = BTreeSet::new();
    for (protocol, port) in said {
        let own = std::slice::from_ref(protocol);
        let protocols = if protocol.has_ports() { &Protocol::ANY[..] } else { own };
        let near = [port.saturating_sub(1), *port, port.saturating_add(1)];
        for protocol in protocols {
            all.extend(near.map(|port| (*protocol, port)));
        }
    }
    all.extend(Protocol::ANY.map(|protocol| (protocol, 53)));
    all.extend([(Protocol::ICMP, 8), (Protocol::ICMPV6, 128)]);
    all.retain(|(_, port)| *port != 0);
    all.into_iter().collect()
}

/// Outsiders with an address where the programs need one: of a prefix one that is in no narrower
/// one, and of a name one that no policy speaks of.
fn addressed(outsiders: Vec<Outsider>, dual_stack: bool) -> Vec<Outsider> {
    let nets: Vec<ipnet::IpNet> = outsiders.iter().filter_map(|one| one.identity.address).collect();
    let free = |net: &ipnet::IpNet, address: &std::net::IpAddr| {
        !nets.iter().any(|other| other != net && net.contains(other) && other.contains(address))
    };
    let mut made = Vec::new();
    for mut one in outsiders {
        // The programs know it as the identity of a node alone.
        if one.name == "kube-apiserver" {
            continue;
        }
        let net = match one.identity.address {
            Some(net) => Some(net),
            None if one.identity.names.is_empty() => None,
            None => Some("192.0.2.1/32".parse().expect("a prefix")),
        };
        if let Some(net) = net {
            let ends = [net.network(), net.broadcast()].into_iter();
            let inside = nets.iter().filter(|other| net.contains(*other));
            let after = inside.filter_map(|other| beyond(other.broadcast()));
            let address = ends.chain(after).find(|at| net.contains(at) && free(&net, at));
            let address = address.expect("an address of its own").into();
            let names = std::mem::take(&mut one.identity.names);
            one.identity = Identity { names, ..Identity::address(address, dual_stack) };
        }
        made.push(one);
    }
    made
}

/// The address after another one.
fn beyond(address: std::net::IpAddr) -> Option<std::net::IpAddr> {
    use std::net::IpAddr;
    match address {
        IpAddr::V4(known) => Some(IpAddr::V4(u32::from(known).checked_add(1)?.into())),
        IpAddr::V6(known) => Some(IpAddr::V6(u128::from(known).checked_add(1)?.into())),
    }
}

fn outside_id(at: usize) -> String {
    format!("outside-{at}")
}

fn outsider(one: &Outsider, at: usize) -> case::Identity {
    let mut made = case::Identity { id: outside_id(at), ..case::Identity::default() };
    match one.identity.address {
        Some(net) => {
            made.address = net.addr().to_string();
            made.names = one.identity.names.iter().cloned().collect();
        }
        None if one.identity.labels.is_reserved("kube-apiserver") => {
            "kube-apiserver".clone_into(&mut made.reserved);
        }
        None => made.reserved.clone_from(&one.name),
    }
    made
}

/// A pod as the programs take it. Labels of its namespace are given as its own: the mesh has pods
/// of a namespace that nobody declares with several sets of them.
fn pod(mesh: &Mesh, id: EndpointId) -> case::Identity {
    use landbridge::policy::label::{CLUSTER, NAMESPACE, SERVICE_ACCOUNT};
    let endpoint = mesh.endpoint(id);
    let mut made = case::Identity {
        id: id.index().to_string(),
        service_account: SOME_ACCOUNT.to_owned(),
        ..case::Identity::default()
    };
    for label in endpoint.identity.labels.iter() {
        let place = match &*label.key {
            CLUSTER => &mut made.cluster,
            NAMESPACE => &mut made.namespace,
            SERVICE_ACCOUNT => &mut made.service_account,
            key => made.labels.entry(key.to_owned()).or_default(),
        };
        (*label.value).clone_into(place);
    }
    for (name, ports) in &endpoint.identity.ports {
        made.named_ports.extend(ports.iter().map(|(protocol, port)| case::NamedPort {
            name: name.clone(),
            port: *port,
            protocol: protocol.to_string(),
        }));
    }
    made
}

/// The settings of clusters, which a case has once.
fn settings(mesh: &Mesh, members: &[ClusterId]) -> case::Settings {
    let of = |id: &ClusterId| mesh.cluster(*id).semantics.settings();
    let first = of(&members[0]);
    for id in members {
        let known = of(id);
        let same = Settings { cluster: known.cluster.clone(), ..first.clone() };
        assert_eq!(*known, same, "clusters of one mesh read policies with one set of settings");
    }
    let plain = Settings {
        policy_default_local_cluster: first.policy_default_local_cluster,
        enforcement: first.enforcement,
        non_default_deny: first.non_default_deny,
        node_selector_labels: first.node_selector_labels,
        host_firewall: first.host_firewall,
        cidr_matches_nodes: first.cidr_matches_nodes,
        ..Settings::of(first.cluster.as_str())
    };
    assert_eq!(*first, plain, "a case can say all of it");
    let mode = match first.enforcement {
        Enforcement::Default => None,
        Enforcement::Always => Some("always".to_owned()),
        Enforcement::Never => Some("never".to_owned()),
    };
    case::Settings {
        policy_default_local_cluster: first.policy_default_local_cluster,
        policy_enforcement_mode: mode,
        enable_non_default_deny_policies: Some(first.non_default_deny),
        enable_node_selector_labels: first.node_selector_labels,
        policy_cidr_match_mode: if first.cidr_matches_nodes {
            vec!["nodes".to_owned()]
        } else {
            Vec::new()
        },
        enable_ipv6: false,
    }
}

fn policies(topology: &Topology, members: &[ClusterId]) -> Vec<case::Policy> {
    let index = Index::of(topology);
    let of = |id: &ClusterId| {
        let cluster = topology.cluster(*id).name.value.clone();
        let all = compile::policies(topology, &index, *id);
        all.into_iter().map(move |one| case::Policy { cluster: cluster.clone(), object: one.body })
    };
    members.iter().flat_map(of).collect()
}
