//! What a case is mostly about. Without, some features would hardly ever decide: most random rules
//! meet no flow, and most of those that do have others beside them.

use super::selectors::Ask;
use crate::random::dice::Dice;

/// What most of a case's policies, rules, peers and flows have; nothing where nothing is said.
#[derive(Clone, Copy, Default)]
pub(super) struct Focus {
    /// The kind of most policies.
    pub(super) kind: Option<Kind>,
    /// Rules allow on few ports, most of them with such L7 rules.
    pub(super) limits: Option<Limits>,
    /// The kind of most peers of Cilium's policies, such as `CIDR`.
    pub(super) peers: Option<&'static str>,
    /// What most selectors ask.
    pub(super) ask: Option<Ask>,
    /// How they ask it.
    pub(super) operator: Option<&'static str>,
    /// Whether the subject is asked, and not the peers.
    pub(super) subject: bool,
    /// The reserved identity that is named, and meets.
    pub(super) word: Option<&'static str>,
}

/// Kinds of policies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cilium,
    Kubernetes,
    Tier,
}

/// L7 rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    Http,
    Dns,
    Kafka,
    ServerNames,
    /// Any of them, on the same port.
    Clash,
}

const OPERATORS: [&str; 5] = ["=", "In", "NotIn", "Exists", "DoesNotExist"];
const WORDS: [&str; 9] = [
    "host",
    "remote-node",
    "health",
    "ingress",
    "kube-apiserver",
    "unmanaged",
    "init",
    "none",
    "world",
];

impl Focus {
    /// Three in four cases have one.
    pub(super) fn of(dice: &mut Dice, minor: u64) -> Self {
        if dice.chance(25) {
            return Self::default();
        }
        let kind = match dice.below(100) {
            0..22 => Kind::Kubernetes,
            22..56 if minor >= 20 => Kind::Tier,
            _ => Kind::Cilium,
        };
        let mut focus = Self { kind: Some(kind), ..Self::default() };
        let operator = *dice.pick(&OPERATORS);
        focus.subject = dice.chance(45);
        match kind {
            Kind::Cilium => {
                let parsers = [
                    Limits::Http,
                    Limits::Http,
                    Limits::Http,
                    Limits::Dns,
                    if minor <= 19 { Limits::Kafka } else { Limits::Http },
                    Limits::ServerNames,
                    Limits::Clash,
                ];
                focus.limits = dice.chance(78).then(|| *dice.pick(&parsers));
                focus.peers_of_cilium(dice, minor);
            }
            Kind::Kubernetes => focus.ask = Some(*dice.pick(&Ask::OF_KUBERNETES)),
            Kind::Tier => {
                focus.limits = dice.chance(65).then_some(Limits::Dns);
                focus.subject = dice.chance(75);
                focus.ask = Some(*dice.pick(&Ask::OF_KUBERNETES));
            }
        }
        // What only excludes matches few pods in policies that mostly isolate.
        let excludes = kind == Kind::Kubernetes && dice.chance(25);
        if focus.ask.is_some() {
            focus.operator = Some(if excludes { "NotIn" } else { operator });
        }
        focus
    }

    fn peers_of_cilium(&mut self, dice: &mut Dice, minor: u64) {
        match dice.below(100) {
            0..48 => {
                self.peers = Some("Endpoints");
                self.ask = Some(*dice.pick(&Ask::OF_CILIUM));
            }
            48..62 => {
                self.peers = Some("Nodes");
                self.ask = Some(*dice.pick(&Ask::OF_NODES));
                self.subject = false;
            }
            62..71 => {
                self.peers = Some("Entities");
                self.word = Some(*dice.pick(&WORDS));
            }
            71..82 => {
                // Words among labels.
                self.peers = Some("Endpoints");
                self.ask = Some(Ask::Word);
                self.subject = false;
                self.word = Some(*dice.pick(&WORDS));
            }
            82..85 => self.peers = Some("CIDR"),
            85..93 => {
                self.peers = Some("CIDRSet");
                let asked = minor >= 17 && dice.chance(70);
                self.ask = asked.then(|| *dice.pick(&Ask::OF_GROUPS));
                self.subject = false;
            }
            93..96 => self.peers = Some("FQDNs"),
            96..98 => {
                self.peers = Some("Services");
                // Until 1.16 ports cannot stand beside them.
                self.limits = self.limits.filter(|_| minor > 16);
            }
            _ => self.peers = Some("Groups"),
        }
    }
}
