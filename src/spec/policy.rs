//! Policies: rules of a team's own, as data. The same documents are embedded (`policies/`) and
//! written by users.

use super::value::Word;
use crate::source::Spanned;
use crate::yaml::fields::{Free, Map};
use crate::{choice, object};

object! {
    /// A rule of the team's own: CEL that must be true of each region, cluster, service, flow,
    /// Kubernetes object and so on, or of the topology as a whole. Its code is `P-` and its name. `docs/policies.md` has
    /// the variables and functions.
    pub struct PolicySpec {
        /// What it is about; each of these is looked at by itself.
        "over" => over: Spanned<Over>,
        /// For `over: resource`, the kinds of objects; all unless said here.
        "kinds" => kinds: Vec<Spanned<Word>>,
        /// CEL that must be true for the policy to be about a thing; by name, all of them.
        "matchConditions" => match_conditions: Map<Spanned<String>>,
        /// CEL that other expressions use as `variables.<name>`; by name, each may use those
        /// before it.
        "variables" => variables: Map<Spanned<String>>,
        /// What a project may set differently, with the values that count unless it does;
        /// expressions use them as `params.<name>`.
        "params" => params: Map<Free>,
        /// CEL that must be true.
        "expression" => expression: Spanned<String>,
        /// What is said where it is not, with CEL in braces:
        /// "the cluster `{cluster.name}` has no internal load balancer".
        "message" => message: Spanned<String>,
        /// How bad that is; `error` unless said otherwise.
        "severity" => severity: Option<Spanned<PolicySeverity>>,
        /// What it asks for, on one line.
        "summary" => summary: Option<Spanned<Word>>,
        /// Why.
        "because" => because: Option<Spanned<String>>,
        /// What to do where it is broken.
        "remediation" => remediation: Option<Spanned<String>>,
        /// Where that is from.
        "source" => source: Option<Spanned<Word>>,
        /// Examples that show that it finds what it should, and nothing else.
        "samples" => samples: Option<Samples>,
    }

    /// Examples for a policy. It needs one of each at least.
    pub struct Samples {
        /// With these it must be content.
        "pass" => pass: Vec<Sample>,
        /// These it must refuse.
        "fail" => fail: Vec<Sample>,
    }

    /// The variables of an example. What the policy is about must be there; parts of it that the
    /// policy does not read may be left out.
    pub struct Sample {
        /// A region.
        "region" => region: Option<Free>,
        /// A cluster.
        "cluster" => cluster: Option<Free>,
        /// A service.
        "service" => service: Option<Free>,
        /// A flow.
        "flow" => flow: Option<Free>,
        /// A namespace.
        "namespaceObject" => namespace: Option<Free>,
        /// An interconnect.
        "interconnect" => interconnect: Option<Free>,
        /// An entrypoint.
        "entrypoint" => entrypoint: Option<Free>,
        /// A Kubernetes object.
        "resource" => resource: Option<Free>,
        /// The topology.
        "topology" => topology: Option<Free>,
        /// Parameters that differ from the policy's own.
        "params" => params: Map<Free>,
    }

    /// How a project uses a policy.
    pub struct PolicyUse {
        /// How bad it is where it is broken; as the policy says unless said here.
        "severity" => severity: Option<Spanned<PolicySeverity>>,
        /// Parameters of the policy.
        "params" => params: Map<Free>,
    }
}

choice! {
    /// What a policy is about.
    pub enum Over {
        /// Each region.
        "region" => Region,
        /// Each cluster.
        "cluster" => Cluster,
        /// Each service of an application.
        "service" => Service,
        /// Each flow.
        "flow" => Flow,
        /// Each namespace that an application declares.
        "namespace" => Namespace,
        /// Each interconnect.
        "interconnect" => Interconnect,
        /// Each entrypoint.
        "entrypoint" => Entrypoint,
        /// Each Kubernetes object of each cluster: what compile makes, and hand-written manifests.
        "resource" => Resource,
        /// The topology as a whole.
        "topology" => Topology,
    }

    /// How bad it is that a policy is broken.
    pub enum PolicySeverity {
        /// Nothing may be merged so.
        "error" => Error,
        /// Worth a look.
        "warning" => Warning,
        /// The policy is switched off.
        "none" => None,
    }
}
