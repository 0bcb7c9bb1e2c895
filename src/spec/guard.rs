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
        /// Flows that must not be possible.
        "never" => never: Vec<GuardRule>,
        /// Peers that nobody else may reach, or that may reach nobody else.
        "only" => only: Vec<GuardRule>,
    }

    /// A pair of peers.
    pub struct GuardRule {
        /// The callers.
        "from" => from: Option<GuardPeer>,
        /// The called.
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
