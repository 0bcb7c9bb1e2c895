//! Guards, and what drift does not report, as they were written.

use super::flow::GuardPeer;
use super::ports::Ports;
use super::value::Word;
use crate::object;
use crate::source::Spanned;

object! {
    /// What must hold over all clusters, whatever anyone declares.
    pub struct Guard {
        /// Why.
        "because" => because: Option<Spanned<Word>>,
        /// Flows that must not be possible. A side that is absent is anyone.
        "never" => never: Vec<GuardRule>,
        /// Peers that nobody else may reach: with `from` and `to`, these alone reach `to`;
        /// with `to` alone, it is reached from within only; with `from` alone, it reaches itself
        /// only. A pod's own node, which Cilium always admits, and the cluster's DNS do not count.
        "only" => only: Vec<GuardRule>,
    }

    /// A pair of peers.
    pub struct GuardRule {
        /// The callers, in every cluster unless limited.
        "from" => from: Option<GuardPeer>,
        /// The called, in every cluster unless limited.
        "to" => to: Option<GuardPeer>,
        /// The ports; all where this is absent.
        "ports" => ports: Option<Spanned<Ports>>,
    }

    /// What drift does not report.
    pub struct Drift {
        /// The exceptions.
        "ignore" => ignore: Vec<DriftIgnore>,
    }

    /// An exception from drift, with an owner and an end.
    pub struct DriftIgnore {
        /// `Kind/namespace/name`, `*` for any.
        "resource" => resource: Spanned<Word>,
        /// A JSON pointer into the object.
        "path" => path: Option<Spanned<Word>>,
        /// Why.
        "reason" => reason: Spanned<Word>,
        /// Who answers for it.
        "owner" => owner: Option<Spanned<Word>>,
        /// The last day on which it holds.
        "expires" => expires: Option<Spanned<Word>>,
    }
}
