//! Network policies as Cilium means them.
//!
//! A policy of any kind is read under the [`Semantics`] of one cluster into one type of [`Rule`];
//! [`Agent::verdict`] then answers for one subject, peer and port as that cluster's agents do:
//! ingress is asked in the target's cluster, egress in the source's. What Cilium refuses, or
//! enforces otherwise than it reads, is part of the [`Policy`].

pub mod expression;
pub mod identity;
pub mod label;
pub mod opening;
pub mod parse;
pub mod rule;
pub mod selector;
pub mod semantics;
pub mod values;
pub mod verdict;

pub use identity::{Identity, Pod};
pub use label::{Key, Label, Labels, Source};
pub use opening::{Limits, OpenPorts, Opening};
pub use parse::{Known, read};
pub use rule::{Direction, Policy, Protocol, Rule};
pub use selector::Selector;
pub use semantics::{Enforcement, Semantics, Settings};
pub use values::Values;
pub use verdict::{Agent, Flow, Subject, Toward, Verdict};
