//! The verdicts that the engines of five minors gave, row by row; `a` is allowed, `d` denied, `r`
//! refused (which enforces nothing), `b` broken.

mod differ;
mod same;
mod subject;

use semver::Version;

use super::super::Pod;
use super::super::parse::{Known, read};
use super::super::semantics::{Enforcement, Settings};
use super::*;
use crate::diagnostic::Diagnostics;
use crate::source::SourceMap;

/// The minors, oldest first.
const VERSIONS: [&str; 5] = ["1.16.19", "1.17.6", "1.18.6", "1.19.6", "1.20.2"];

fn semantics(version: &str, change: impl Fn(&mut Settings)) -> Semantics {
    let mut settings = Settings::of("use1");
    change(&mut settings);
    let version = Version::parse(version).expect("a version");
    Semantics::new(version, settings).expect("a known minor")
}

fn policies(text: &str, semantics: &Semantics, known: &Known) -> Vec<Policy> {
    let mut sources = SourceMap::new();
    let id = sources.add("policy.yaml", text);
    let mut found = Diagnostics::new();
    let nodes = crate::yaml::parse(&sources, id, &mut found);
    assert!(found.iter().next().is_none(), "{text}");
    nodes.iter().map(|node| read(node, semantics, known).expect("a policy")).collect()
}

fn pod(cluster: &str, namespace: &str, labels: &[(&str, &str)]) -> Identity {
    let namespace_labels = [("team", namespace)];
    Identity::pod(&Pod {
        cluster,
        namespace,
        service_account: None,
        labels,
        namespace_labels: &namespace_labels,
    })
}

/// `shop/web` in the agents' own cluster, whom every policy here is about.
fn web() -> Identity {
    pod("use1", "shop", &[("app", "web")]).port("http", Protocol::TCP, 8080)
}

/// A namespaced policy about `web`, with these sections.
fn about_web(sections: &str) -> String {
    let spec = sections.replace('\n', "\n  ");
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: web, namespace: \
         shop}}\nspec:\n  endpointSelector: {{matchLabels: {{app: web}}}}\n  {spec}\n"
    )
}

fn api() -> Identity {
    pod("use1", "shop", &[("app", "api")])
}

fn remote() -> Identity {
    pod("euw1", "shop", &[("app", "api")])
}

/// A question about `web`.
struct Case<'a> {
    policies: String,
    subject: Identity,
    peer: Identity,
    direction: Direction,
    protocol: Protocol,
    port: u16,
    known: Known,
    change: &'a dyn Fn(&mut Settings),
    others: Vec<Identity>,
}

impl Case<'_> {
    /// From a peer to TCP 8080 of `web`.
    fn from(policies: impl Into<String>, peer: Identity) -> Self {
        Case {
            policies: policies.into(),
            subject: web(),
            peer,
            direction: Direction::Ingress,
            protocol: Protocol::TCP,
            port: 8080,
            known: Known::default(),
            change: &|_| {},
            others: Vec::new(),
        }
    }

    /// From `web` to TCP 8080 of a peer.
    fn to(policies: impl Into<String>, peer: Identity) -> Self {
        Case { direction: Direction::Egress, ..Case::from(policies, peer) }
    }

    /// What a minor decides, and how many rules do.
    fn outcome(&self, version: &str) -> (Outcome, usize) {
        let semantics = semantics(version, self.change);
        let policies = policies(&self.policies, &semantics, &self.known);
        self.ask(&semantics, &policies)
    }

    fn ask(&self, semantics: &Semantics, policies: &[Policy]) -> (Outcome, usize) {
        let Self { subject, peer, direction, protocol, port, .. } = self;
        let endpoints = [subject, peer].into_iter().chain(&self.others);
        let agent = Agent::new(semantics, policies, endpoints);
        let (direction, protocol, port) = (*direction, *protocol, *port);
        let verdict = agent.verdict(&Flow { subject, peer, direction, protocol, port });
        (verdict.outcome, verdict.rules.len())
    }

    fn answer(&self, version: &str) -> char {
        let semantics = semantics(version, self.change);
        let policies = policies(&self.policies, &semantics, &self.known);
        if policies.iter().any(|policy| policy.refused.is_some()) {
            return 'r';
        }
        match self.ask(&semantics, &policies).0 {
            Outcome::Allowed(_) => 'a',
            Outcome::Denied => 'd',
            Outcome::Broken => 'b',
        }
    }

    /// What each minor answers.
    #[track_caller]
    fn gives(self, expected: &str) {
        let answers: String = VERSIONS.map(|version| self.answer(version)).into_iter().collect();
        assert_eq!(answers, expected, "{}", self.policies);
    }
}
