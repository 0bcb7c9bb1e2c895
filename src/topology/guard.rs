//! What must hold over all clusters, whatever anyone declares.

use super::application::Peer;
use crate::source::{Span, Spanned};
use crate::spec::ports::Ports;

/// A prohibition or a requirement.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Its name.
    pub name: Spanned<String>,
    /// Why it is there.
    pub because: Option<String>,
    /// Its rules, as they were written: those of `never` first.
    pub rules: Vec<GuardRule>,
}

/// What a rule of a guard demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The callers reach none of the called.
    Never,
    /// Nobody but the callers reaches the called. A side that is not said is the other one: what
    /// reaches only itself, or is reached only by itself.
    Only,
}

/// A rule of a guard. A peer of it is meant in every cluster unless it is limited, declared there
/// or not; any pod is the pods of the namespaces with no labels in particular.
#[derive(Clone, Debug)]
pub struct GuardRule {
    /// Where it stands.
    pub span: Span,
    /// What it demands.
    pub demand: Demand,
    /// The callers; anyone where nobody is said.
    pub from: Option<Peer>,
    /// The called; anyone where nobody is said.
    pub to: Option<Peer>,
    /// The ports; all where none are said.
    pub ports: Option<Ports>,
}
